/**
 * Claims and appends in PostgreSQL, against a bare INSERT and COMMIT of the same
 * bytes on the same connection.
 */
import { Effect, Exit, Scope } from "effect"
import { type RunningSession, Sessions, SessionStore } from "effect-reprise"
import { SqlClient } from "effect/sql"
import * as Postgres from "../../suites/postgres.ts"
import * as Conversation from "../fixtures/conversation.ts"
import * as Rounds from "../measuring/rounds.ts"
import * as Rows from "../measuring/rows.ts"
import * as Place from "./place.ts"

const message = Conversation.ofExactly(1024)
const config = { provider: "test", model: "model", temperature: 0, maxTokens: 1 }

/** Appends at once. */
const many = 16

const numbers = Array.from({ length: many }, (_, number) => number)

const atOnce = <A, E>(effects: ReadonlyArray<Effect.Effect<A, E>>) =>
  Effect.all(effects, { concurrency: "unbounded", discard: true })

/** The bytes that a message comes to in a journal. */
const linesOf = Effect.fnUntraced(function*(session: RunningSession) {
  const sql = yield* SqlClient.SqlClient
  yield* session.append(message)
  const [row] = yield* sql<{ readonly bytes: Uint8Array }>`SELECT bytes FROM reprise_journal
    WHERE session_id = ${session.id} ORDER BY epoch DESC, part DESC, number DESC LIMIT 1`
  return row === undefined ? yield* Effect.die(new Error("nothing was appended")) : row.bytes
})

const create = (number: number) => Sessions.create({ project: `/project/${number}`, config })

/** I: what is stored is durable, and nothing else is known of it. */
const bareInsert = Effect.fnUntraced(function*(bytes: Uint8Array) {
  const sql = yield* SqlClient.SqlClient
  yield* sql`CREATE TABLE IF NOT EXISTS bench_floor (bytes BYTEA NOT NULL)`
  return Rounds.whole(sql`INSERT INTO bench_floor (bytes) VALUES (${bytes})`)
})

/** A session at rest, claimed and given back; only the claim counts. */
const claims = Effect.fnUntraced(function*() {
  const { id } = yield* create(1000)
  yield* Sessions.close(id)
  const store = yield* SessionStore.SessionStore
  const subject: Rounds.Subject = (time) =>
    Effect.flatMap(
      Scope.make(),
      (scope) => Effect.ensuring(time(Scope.provide(store.claim(id), scope)), Scope.close(scope, Exit.void))
    )
  return subject
})

/** Sessions that are claimed in the store, with a journal each. */
const claimed = Effect.fnUntraced(function*(bytes: Uint8Array) {
  const store = yield* SessionStore.SessionStore
  return yield* Effect.forEach(numbers, (number) =>
    Effect.gen(function*() {
      const { id } = yield* create(2000 + number)
      yield* Sessions.close(id)
      const claim = yield* store.claim(id)
      yield* claim.begin({ part: 0, bytes })
      return claim
    }))
})

/** The rows of one process with so many connections. */
const rowsWith = Effect.fnUntraced(function*(
  database: Postgres.Database,
  connections: number,
  options: Rounds.Options
) {
  const place = yield* Place.open(database, connections)
  const variant = connections === 1 ? "1 connection" : `${connections} connections`
  return yield* place.run(
    Effect.gen(function*() {
      const sessions = yield* Effect.forEach(numbers, create)
      const [session] = sessions
      if (session === undefined) return []
      const bytes = yield* linesOf(session)
      const claims16 = yield* claimed(bytes)
      const floor = { unit: "I", subject: yield* bareInsert(bytes) }
      const contender = (operation: string, of: string, subject: Rounds.Subject, limit: Rows.Limit = {}) => ({
        title: { operation, of, variant, ...limit },
        subject
      })
      const store = (claims: typeof claims16) => Rounds.whole(atOnce(claims.map((claim) => claim.append(bytes))))
      const one = yield* Rows.against(floor, [
        contender("claim", "store", yield* claims()),
        contender("append", "store", store(claims16.slice(0, 1)), { must: 1.5 }),
        contender("append", "session", Rounds.whole(session.append(message)), { must: 1.5 })
      ], options)
      const more = yield* Rows.against(floor, [
        contender(
          `${many} appends at once`,
          "one session",
          Rounds.whole(atOnce(numbers.map(() => session.append(message)))),
          { must: 4 }
        ),
        contender(`${many} appends at once`, `store, ${many} sessions`, store(claims16), { must: 4 }),
        contender(
          `${many} appends at once`,
          `${many} sessions`,
          Rounds.whole(atOnce(sessions.map(({ append }) => append(message)))),
          { must: 4 }
        )
      ], options)
      yield* Effect.forEach(sessions, ({ id }) => Sessions.close(id))
      return [...one, ...more]
    }).pipe(Effect.scoped)
  )
})

/** A schema of its own for each number of connections. */
export const appends = (url: string, connections: ReadonlyArray<number>, options: Rounds.Options) =>
  Effect.map(
    Effect.forEach(connections, (count) =>
      Effect.flatMap(Postgres.schemaIn(url), (database) => rowsWith(database, count, options))),
    (rows) =>
      rows.flat()
  )
