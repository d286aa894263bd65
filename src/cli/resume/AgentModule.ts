/**
 * The application's agent, from a module of its own.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as NodeUrl from "node:url"
import type { RunningSession } from "../../services/RunningSession.ts"
import type { Supervisor } from "../../services/Supervisor.ts"
import { ExitCode } from "../ExitCode.ts"
import type * as Explain from "../Explain.ts"
import { Failure } from "../Failure.ts"
import * as Printable from "../Printable.ts"
import * as Where from "../Where.ts"

/**
 * An agent that is ready to run, and how it ends.
 *
 * @category models
 * @since 0.1.0
 */
export interface AgentModule {
  readonly program: (session: RunningSession) => Effect.Effect<void, never, Supervisor | Scope.Scope>
  readonly exit: Deferred.Deferred<Exit.Exit<unknown, unknown>>
}

const shape = "export default (session) => Effect.gen(function*() { … })"

const failure = (name: string, why: string, next: string) =>
  new Failure({
    kind: "AgentModule",
    exitCode: ExitCode.usage,
    what: `${Printable.line(name)} is no agent.`,
    why: Printable.line(why),
    next
  })

const messageOf = (error: unknown): string =>
  error instanceof Error && error.message !== "" ? error.message : Predicate.isString(error) ? error : String(error)

/** The default export of a module, as far as it can be told before it is called. */
const isAgent = (value: unknown): value is (session: RunningSession) => unknown => typeof value === "function"

const isProgram = (value: unknown): value is Effect.Effect<unknown, unknown, Supervisor | Scope.Scope> =>
  Effect.isEffect(value)

const kindOf = (value: unknown): string =>
  Effect.isEffect(value)
    ? "an Effect that is not given the session"
    : value === null
    ? "null"
    : `of type ${typeof value}`

/**
 * What a module exports is the agent: a function that takes the running session
 * and returns an Effect. What that fails with ends the agent, not the session.
 */
const make = Effect.fnUntraced(function*(name: string, agent: (session: RunningSession) => unknown) {
  const exit = yield* Deferred.make<Exit.Exit<unknown, unknown>>()
  const module: AgentModule = {
    exit,
    program: (session) =>
      Effect.suspend(() => {
        const program = agent(session)
        return isProgram(program)
          ? program
          : Effect.fail(
            failure(name, `It returned what is ${kindOf(program)}, and no Effect.`, `Write it so: ${shape}`)
          )
      }).pipe(
        Effect.onExit((outcome) => Deferred.succeed(exit, outcome)),
        Effect.catchCause((cause) => Cause.hasInterruptsOnly(cause) ? Effect.interrupt : Effect.void),
        Effect.asVoid
      )
  }
  return module
})

/**
 * Loads an agent. What is no agent is refused here, before a session is touched.
 *
 * @category loading
 * @since 0.1.0
 */
export const load = Effect.fn("AgentModule.load")(function*(name: string) {
  const path = yield* Path.Path
  const fs = yield* FileSystem.FileSystem
  const file = name.startsWith("file:")
    ? NodeUrl.fileURLToPath(name)
    : path.resolve(yield* Where.WorkingDirectory, name)
  if (!(yield* Effect.orElseSucceed(fs.exists(file), () => false))) {
    return yield* failure(
      name,
      `There is no file ${file}.`,
      "Name the file of an ES module: reprise resume --agent ./agent.js"
    )
  }
  const module: unknown = yield* Effect.tryPromise({
    try: (): Promise<unknown> => import(NodeUrl.pathToFileURL(file).href),
    catch: (error) =>
      failure(name, `It can't be loaded: ${messageOf(error)}`, "Run it with node to see where that comes from.")
  })
  if (!Predicate.hasProperty(module, "default")) {
    return yield* failure(name, "It has no default export.", `Export one: ${shape}`)
  }
  if (!isAgent(module.default)) {
    return yield* failure(name, `Its default export is ${kindOf(module.default)}.`, `Export a function: ${shape}`)
  }
  return yield* make(name, module.default)
})

/**
 * Why an agent ended, in three lines. Nothing where it came to its end.
 *
 * @category formatting
 * @since 0.1.0
 */
export const failureOf = (
  exit: Exit.Exit<unknown, unknown>
): Pick<Explain.Explained, "next" | "what" | "why"> | undefined => {
  if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return undefined
  const error = Cause.squash(exit.cause)
  const why = error instanceof Failure ? error.why : messageOf(error)
  return {
    what: "The agent failed.",
    why: Printable.line(why.split("\n", 1)[0] ?? ""),
    next: "Go on without it, or leave and resume to start it again."
  }
}
