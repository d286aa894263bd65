import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { type RunningSession, SessionError, Sessions } from "effect-reprise"
import { SqlClient } from "effect/sql"
import * as FaultyClient from "../suites/faulty-client.ts"
import * as Postgres from "../suites/postgres-shared.ts"
import * as Rig from "../suites/rig.ts"
import * as SqlStack from "../suites/sql-stack.ts"

const many = 8

/** Running sessions that have been appended to, on a client that counts the statements of appends. */
const running = Effect.fnUntraced(function*<A>(
  use: (sessions: ReadonlyArray<RunningSession>, statements: { count: number }) => Effect.Effect<
    A,
    unknown,
    SqlStack.Services
  >
) {
  const statements = { count: 0 }
  const hook: FaultyClient.Hook = (sql, run) => {
    if (sql.includes("INSERT INTO reprise_journal")) statements.count++
    return run
  }
  const client = Layer.provide(FaultyClient.layer(hook), Postgres.layer)
  const program = Effect.gen(function*() {
    const sessions = yield* Effect.forEach(
      Array.from({ length: many }, (_, number) => number),
      (number) =>
        Effect.tap(
          Sessions.create({ project: `/project/${number}`, name: "one", config: Rig.config }),
          (session) => session.append({ role: "user", content: "before" })
        )
    )
    statements.count = 0
    return yield* use(sessions, statements)
  })
  return yield* SqlStack.run(program, { client })
})

/** Appends to all of them at once, and tells how each went. */
const together = (sessions: ReadonlyArray<RunningSession>, content: string) =>
  Effect.forEach(sessions, (session) => Effect.result(session.append({ role: "user", content })), {
    concurrency: "unbounded"
  })

const failures = (results: Effect.Success<ReturnType<typeof together>>) =>
  results.flatMap((result) => result._tag === "Failure" ? [result.failure] : [])

const stored = (sessions: ReadonlyArray<RunningSession>) =>
  Effect.forEach(
    sessions,
    ({ id }) =>
      Effect.map(Sessions.load(id), ({ state }) =>
        state.conversation.map(({ content }) => typeof content === "string" ? content : "parts").join())
  )

describe("Appends to many sessions in PostgreSQL at once", () => {
  it.effect("are durable together, in few statements", () =>
    running((sessions, statements) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(failures(yield* together(sessions, "a")), [])
        assert.isAtMost(statements.count, many / 2)
        assert.deepStrictEqual(failures(yield* together(sessions, "b")), [])
        assert.deepStrictEqual(yield* stored(sessions), sessions.map(() => "before,a,b"))
      })
    ))

  it.effect("leave out whose session is somebody else's, and nobody else", () =>
    running((sessions) =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const [lost, ...others] = sessions
        assert.isDefined(lost)
        yield* sql`UPDATE reprise_sessions SET nonce = 'another', epoch = epoch + 1 WHERE id = ${lost?.id}`
        const [failure, ...more] = failures(yield* together(sessions, "a"))
        assert.deepStrictEqual(more, [])
        assert.instanceOf(failure, SessionError.SessionEnded)
        assert.instanceOf(failure?.reason, SessionError.LeaseLost)
        assert.deepStrictEqual(yield* stored(others), others.map(() => "before,a"))
        assert.deepStrictEqual(yield* stored(sessions.slice(0, 1)), ["before"])
      })
    ))

  it.effect("fail alone where the database refuses one of them", () =>
    running((sessions) =>
      Effect.gen(function*() {
        const sql = yield* SqlClient.SqlClient
        const [refused, ...others] = sessions
        yield* sql`ALTER TABLE reprise_journal ADD CHECK
          (session_id <> ${sql.literal(`'${refused?.id}'`)} OR octet_length(bytes) < 1500)`
        const long = "x".repeat(2000)
        const results = yield* Effect.forEach(
          sessions,
          (session) => Effect.result(session.append({ role: "user", content: long })),
          { concurrency: "unbounded" }
        )
        const [failure, ...more] = failures(results)
        assert.deepStrictEqual(more, [])
        assert.instanceOf(failure, SessionError.StoreError)
        assert.deepStrictEqual(yield* stored(others), others.map(() => `before,${long}`))
      })
    ))
})
