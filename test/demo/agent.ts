/**
 * A process that runs one session: `start <sessions> <project>` creates it and
 * works until somebody kills it, `resume <sessions> <id>` restores it, goes on
 * and closes it. Each line it prints is of an event that is on disk.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Logger } from "effect"
import { type RunningSession, SessionId, Sessions } from "../../src/index.ts"
import { NodeSessions } from "../../src/node/index.ts"
import * as Script from "./script.ts"
import * as Transcript from "./transcript.ts"

const [mode, directory = "", argument = ""] = process.argv.slice(2)

const play = (session: RunningSession, turns: ReadonlyArray<Script.Turn>) =>
  Effect.forEach(turns, (turn) =>
    ("say" in turn
      ? Effect.flatMap(session.append(turn.say), (message) => Console.log(`  ${Transcript.line(message)}`))
      : Effect.andThen(
        session.replaceTodos(turn.todos),
        Console.log(`  todos     ${turn.todos.map(Transcript.todoLine).join("  ")}`)
      )).pipe(Effect.delay("150 millis")))

const start = Effect.gen(function*() {
  const session = yield* Sessions.create({
    project: argument,
    name: "Fix the tests",
    config: { provider: "anthropic", model: "claude-sonnet-4-5", temperature: 0.7, maxTokens: 4096 }
  })
  yield* Console.log(`  session   ${session.id}`)
  yield* play(session, Script.before)
  yield* Console.log("  (the agent is thinking)")
  return yield* Effect.never
})

const resume = Effect.gen(function*() {
  const session = yield* Sessions.resume(SessionId.make(argument))
  const { conversation, todos } = yield* session.state
  yield* Console.log(`  restored ${conversation.length} messages and ${todos.length} todos:`)
  yield* Effect.forEach(conversation, (message) => Console.log(`  | ${Transcript.line(message)}`))
  yield* Effect.forEach(todos, (todo) => Console.log(`  | ${Transcript.todoLine(todo)}`))
  yield* Console.log("  and goes on:")
  yield* play(session, Script.after)
  yield* Sessions.close(session.id)
  yield* Console.log("  closed")
})

NodeRuntime.runMain(
  Effect.gen(function*() {
    if (mode === "start") return yield* start
    return yield* resume
  }).pipe(Effect.provide([NodeSessions.layer({ directory }), Logger.layer([])]))
)
