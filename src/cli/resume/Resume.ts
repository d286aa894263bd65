/**
 * What `reprise resume` does.
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import type { SessionId } from "../../core/SessionId.ts"
import * as Close from "../../pipelines/Close.ts"
import * as ResumeSession from "../../pipelines/Resume.ts"
import * as Agent from "../../services/Agent.ts"
import * as Backend from "../Backend.ts"
import { ExitCode } from "../ExitCode.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import { root } from "../Root.ts"
import * as Target from "../Target.ts"
import * as Where from "../Where.ts"
import * as AgentModule from "./AgentModule.ts"
import * as Aside from "./Aside.ts"
import * as Device from "./Device.ts"
import * as Events from "./Events.ts"
import * as Pick from "./Pick.ts"
import * as Piped from "./Piped.ts"
import * as Talk from "./Talk.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly target: Option.Option<string>
  readonly project: Option.Option<string>
  readonly takeOver: boolean
  readonly agent: Option.Option<string>
}

const noTarget = new Failure({
  kind: "NoTarget",
  exitCode: ExitCode.usage,
  what: "No session was named.",
  why: "One can only be picked at a terminal, and this is none.",
  next: "Name one: reprise resume last, or any other of reprise list"
})

const quoted = (word: string): string => /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

/** The command that goes on with a session, to be typed as it is. */
const commandOf = Effect.fnUntraced(function*(id: SessionId, { agent }: Input) {
  const { dir } = yield* root
  const flags = [["--dir", dir] as const, ["--agent", agent] as const].flatMap(([flag, value]) =>
    Option.match(value, { onNone: () => [], onSome: (value) => [flag, quoted(value)] })
  )
  return ["reprise", "resume", id, ...flags].join(" ")
})

/** Saves the session, and says how to go on with it, whatever ended the talk. */
const conclude = Effect.fnUntraced(function*(id: SessionId, input: Input) {
  const { isJson } = yield* Output.current
  const resume = yield* commandOf(id, input)
  const closed = yield* Effect.exit(Effect.catchTag(Close.close(id), "SessionEnded", () => Effect.void))
  yield* isJson
    ? Output.printJson(Events.Event, { event: "closed", id, resume }, { isOneLine: true })
    : Output.print("", `Go on with: ${resume}`)
  yield* closed
})

interface Ready {
  readonly input: Input
  readonly isInteractive: boolean
  readonly agent: AgentModule.AgentModule | undefined
  readonly aside: Aside.Aside
}

const choose = Effect.fnUntraced(function*({ input }: Ready) {
  if (Option.isSome(input.target)) return Option.some(yield* Target.resolve(input.target.value))
  const picked = yield* Pick.pick({ canTakeOver: input.takeOver })
  switch (picked._tag) {
    case "Picked":
      return Option.some(picked.entry)
    case "Left":
      yield* Output.note("Nothing was resumed.")
      return Option.none<Target.Target>()
    case "Interrupted":
      return yield* Effect.interrupt
  }
})

const resume = Effect.fnUntraced(function*(ready: Ready) {
  const { agent, aside, input, isInteractive } = ready
  const chosen = yield* choose(ready)
  if (Option.isNone(chosen)) return
  const entry = chosen.value
  const session = yield* ResumeSession.resume(entry.id, {
    takeOver: input.takeOver,
    ...(Option.isSome(input.project) ? { project: yield* Where.project(input.project.value) } : {})
  })
  const wasInterrupted = entry._tag === "Stored" && entry.status === "interrupted"
  const talk = Effect.gen(function*() {
    if (!isInteractive) return yield* Piped.talk(session, { wasInterrupted, agent })
    const result = yield* Talk.talk(session, { wasInterrupted, agent, aside })
    if (result._tag === "Interrupted") return yield* Effect.interrupt
    if (result._tag === "Ended" && result.error.reason._tag === "LeaseLost") return yield* result.error
  })
  yield* Effect.onExit(talk, () => conclude(session.id, input))
})

/**
 * Resumes a session: shows where it was, and lets somebody go on.
 *
 * **Details**
 *
 * At a terminal a prompt takes what is typed; elsewhere, and with `--json`, each
 * line of standard input is taken, and its end leaves. However it ends, the
 * session is saved, or stays resumable from its journal.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.resume")(function*(input: Input) {
  const { isJson } = yield* Output.current
  const isInteractive = !isJson && (yield* Device.isInteractive)
  if (Option.isNone(input.target) && !isInteractive) return yield* noTarget
  const agent = Option.isSome(input.agent) ? yield* AgentModule.load(input.agent.value) : undefined
  const aside = yield* Aside.make
  yield* resume({ input, isInteractive, agent, aside }).pipe(
    Backend.withSessions,
    agent === undefined ? identity : Effect.provide(Agent.layer(agent.program)),
    isInteractive ? Effect.provideService(Console.Console, aside.console) : identity
  )
})
