/**
 * Going on with a session where nobody sits at a terminal: each line of the
 * input is done as if it were typed, and its end leaves.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import type * as Session from "../../core/Session.ts"
import type { RunningSession } from "../../services/RunningSession.ts"
import * as SessionLimits from "../../services/SessionLimits.ts"
import { ExitCode } from "../ExitCode.ts"
import { Failure } from "../Failure.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import type * as Transcript from "../Transcript.ts"
import * as AgentModule from "./AgentModule.ts"
import * as Deed from "./Deed.ts"
import * as Events from "./Events.ts"
import * as Line from "./Line.ts"
import * as Lines from "./Lines.ts"
import * as Told from "./Told.ts"

const options = Effect.gen(function*() {
  const { columns, style } = yield* Output.current
  const options: Transcript.Options = { style, cells: columns, now: yield* Clock.currentTimeMillis }
  return options
})

const event = (event: Events.Event) => Output.printJson(Events.Event, event, { isOneLine: true })

/** Prints what is acknowledged, once, whoever tells of it. */
const teller = Effect.fnUntraced(function*(from: Session.SessionState) {
  const { isJson } = yield* Output.current
  let last = from
  return Effect.fnUntraced(function*(state: Session.SessionState) {
    if (state.revision <= last.revision) return
    const added = state.conversation.slice(last.conversation.length)
    const hasNewTodos = JSON.stringify(state.todos) !== JSON.stringify(last.todos)
    last = state
    if (isJson) {
      yield* Effect.forEach(added, (message) => event({ event: "message", message }), { discard: true })
      if (hasNewTodos) yield* event({ event: "todos", todos: state.todos })
      return
    }
    const shown = yield* options
    yield* Output.print(...Told.messages(added, shown))
    if (hasNewTodos) yield* Output.print("", ...Told.todos(state.todos, shown))
  })
})

/** The agent has said what it has to say: the last word is its own, and asks for no tool. */
const isAnswered = ({ conversation }: Session.SessionState): boolean => {
  const last = conversation.at(-1)
  return last?.role === "assistant" &&
    (typeof last.content === "string" || !last.content.some(({ type }) => type === "tool-call"))
}

const answered = (session: RunningSession, agent: AgentModule.AgentModule) =>
  session.changes.pipe(
    Stream.takeUntil(isAnswered),
    Stream.runDrain,
    Effect.raceFirst(Effect.asVoid(Deferred.await(agent.exit)))
  )

const unknown = (number: number, typed: string, { next, why }: Extract<Line.Line, { readonly _tag: "Unknown" }>) =>
  new Failure({
    kind: "LineUnknown",
    exitCode: ExitCode.usage,
    what: `Line ${number}, ${Printable.line(typed)}, was not done, and none after it.`,
    why,
    next
  })

const show = Effect.fnUntraced(function*(session: RunningSession, lines: number, wasInterrupted: boolean) {
  const output = yield* Output.current
  const state = yield* session.state
  if (output.isJson) {
    const { conversation, session, todos } = state
    return yield* event({
      event: "resumed",
      id: session.id,
      name: session.name,
      project: session.projectPath,
      messages: conversation.length,
      todos
    })
  }
  yield* Output.print(...Told.resumed(state, {
    ...(yield* options),
    lines,
    wasInterrupted,
    more: `reprise show ${session.id}`
  }))
})

const agentEnded = Effect.fnUntraced(function*(agent: AgentModule.AgentModule) {
  const output = yield* Output.current
  const failure = AgentModule.failureOf(yield* Deferred.await(agent.exit))
  if (output.isJson) return yield* event({ event: "agent", ...(failure === undefined ? {} : { why: failure.why }) })
  if (failure !== undefined) yield* Output.note(...Told.trouble(failure, yield* options))
})

/**
 * Does each line of standard input, and ends with it.
 *
 * **Details**
 *
 * A line that can't be done ends it, and those before stay done. With an agent
 * each message waits for its answer: the next line is read when the agent has
 * said something that asks for no tool, or has ended.
 *
 * @category running
 * @since 0.1.0
 */
export const talk = Effect.fn("Piped.talk")(function*(session: RunningSession, input: {
  readonly wasInterrupted: boolean
  readonly agent: AgentModule.AgentModule | undefined
}) {
  const { agent, wasInterrupted } = input
  const { isJson } = yield* Output.current
  const { stdin } = yield* Stdio.Stdio
  const { maxBytes } = yield* SessionLimits.SessionLimits
  yield* show(session, 20, wasInterrupted)
  const tell = yield* teller(yield* session.state)
  yield* Effect.forkScoped(Stream.runForEach(session.changes, tell))
  const ending = agent === undefined ? undefined : yield* Effect.forkScoped(agentEnded(agent))

  const perform = Effect.fnUntraced(function*(typed: string, number: number) {
    const line = Line.parse(typed)
    if (Deed.isDeed(line)) {
      yield* Deed.perform(session, line)
      yield* Effect.flatMap(session.state, tell)
      if (agent !== undefined && line._tag === "Say") yield* answered(session, agent)
      return true
    }
    switch (line._tag) {
      case "Unknown":
        return yield* unknown(number, typed, line)
      case "Quit":
        return false
      case "Show":
        yield* show(session, Number.POSITIVE_INFINITY, false)
        return true
      case "Todos":
        if (!isJson) yield* Output.print("", ...Told.todos((yield* session.state).todos, yield* options))
        return true
      case "Help":
        if (!isJson) yield* Output.print(...Told.help(yield* options))
        return true
      case "Nothing":
        return true
    }
  })

  yield* Lines.fromBytes(stdin, maxBytes).pipe(
    Stream.zipWithIndex,
    Stream.mapEffect(([typed, index]) => perform(typed, index + 1)),
    Stream.takeWhile((isGoingOn) => isGoingOn),
    Stream.runDrain
  )
  yield* Effect.flatMap(session.state, tell)
  if (agent !== undefined && ending !== undefined && (yield* Deferred.isDone(agent.exit))) yield* Fiber.join(ending)
}, Effect.scoped)
