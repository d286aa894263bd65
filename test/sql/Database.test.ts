import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Result, Stream } from "effect"
import { SessionError, Sessions, SessionStore } from "effect-reprise"
import { NodeSqlite } from "effect-reprise/node"
import { SqlSessionStore } from "effect-reprise/sql"
import { TestLiveness } from "effect-reprise/testing"
import { SecureRandom } from "effect/crypto"
import { Reactivity } from "effect/reactivity"
import { SqlClient, Statement } from "effect/sql"
import { inspect } from "node:util"
import * as Child from "../rigs/kills/child.ts"
import * as Shared from "../suites/postgres-shared.ts"
import * as Postgres from "../suites/postgres.ts"
import * as Rig from "../suites/rig.ts"
import * as SqlStack from "../suites/sql-stack.ts"

const create = (name = "one") => Sessions.create({ project: "/project", name, config: Rig.config })

const listed = Effect.map(Stream.runCollect(Sessions.list()), (entries) => entries.length)

const opened = (options: SqlSessionStore.Options = {}) =>
  Effect.asVoid(SessionStore.SessionStore).pipe(
    Effect.provide(
      Layer.provide(SqlSessionStore.layer(options), [
        TestLiveness.machine().process().layer,
        SecureRandom.layerWebCrypto
      ]),
      { local: true }
    )
  )

for (const { name, place } of SqlStack.kinds) {
  describe(`The tables in ${name}`, () => {
    it.effect("are made once, however many open them at once", () =>
      Effect.gen(function*() {
        const client = yield* place
        const all = Array.from({ length: 6 }, () => Effect.provide(opened(), client, { local: true }))
        yield* Effect.all(all, { concurrency: "unbounded" })
        yield* SqlStack.run(Effect.andThen(create(), listed), { client })
      }))

    it.effect("are not made where that is not wanted, until they are migrated by a word", () =>
      Effect.gen(function*() {
        const client = yield* place
        const isThere = Effect.provide(opened({ migrate: false }), client, { local: true })
        const error = yield* Effect.flip(isThere)
        assert.instanceOf(error, SessionError.StoreError)
        assert.strictEqual(error.operation, "open")
        yield* Effect.provide(SqlSessionStore.migrate, client, { local: true })
        yield* isThere
      }))

    it.effect("of a newer program are left alone", () =>
      Effect.gen(function*() {
        const client = yield* place
        yield* Effect.gen(function*() {
          yield* SqlSessionStore.migrate
          const sql = yield* SqlClient.SqlClient
          yield* sql`INSERT INTO reprise_migrations (migration_id, name) VALUES (99, 'later')`
          const error = yield* Effect.flip(opened())
          assert.instanceOf(error, SessionError.StoreError)
          assert.include(String(error.cause), "version 99 and this program knows 3. Update the program.")
        }).pipe(Effect.provide(client))
      }))
  })

  describe(`A store in ${name}`, () => {
    it.effect("stores what it acknowledged outside a transaction of the application, or refuses to", () =>
      Effect.gen(function*() {
        const client = yield* place
        yield* SqlStack.run(
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            const outcome = yield* sql.withTransaction(Effect.flatMap(Effect.result(create()), Effect.fail)).pipe(
              Effect.flip
            )
            if (name === "PostgreSQL") {
              assert.strictEqual(yield* listed, 1)
              return
            }
            const failure = Result.isResult(outcome) ? Option.getOrUndefined(Result.getFailure(outcome)) : undefined
            assert.instanceOf(failure, SessionError.StoreError)
            assert.include(String(failure.cause), "the transaction around it has the only connection")
          }),
          { client }
        )
      }))

    it.effect("fails with what went wrong, and never with what is stored", () =>
      Effect.gen(function*() {
        const client = yield* place
        yield* SqlStack.run(
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            const session = yield* create()
            yield* session.append({ role: "user", content: "before" })
            yield* sql`DROP TABLE reprise_journal`
            const error = yield* Effect.flip(session.append({ role: "user", content: "xyzzy" }))
            assert.instanceOf(error, SessionError.StoreError)
            assert.strictEqual(error.operation, "append")
            assert.match(String(error.cause), /(SqlSyntaxError: 42P01|UnknownError: 1)/)
            assert.notInclude(inspect(error, { depth: 20 }), "xyzzy")
          }),
          { client }
        )
      }))
  })
}

describe("A store in PostgreSQL", () => {
  it.live("is made by one of many processes that start at once, and used by all", () =>
    Effect.gen(function*() {
      const { schema, url } = yield* Shared.database
      const children = yield* Effect.forEach(
        [1, 2, 3, 4],
        () => Child.spawn("../../sql/programs/open.ts", [url, schema]),
        { concurrency: "unbounded" }
      )
      for (const { says } of children) assert.strictEqual(yield* says, "up")
      for (const { tell } of children) yield* tell("go")
      const seen = yield* Effect.forEach(children, ({ says }) => says)
      assert.strictEqual(Math.max(...seen.map(Number)), 4)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.effect("waits for the disk where the server would not", () =>
    Effect.gen(function*() {
      const place = yield* Shared.database
      const client = Postgres.layerClient(place, { settings: { synchronous_commit: "off" } })
      yield* SqlStack.run(
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const isOnDisk = Effect.map(
            sql<{ readonly is: boolean }>`SELECT pg_current_wal_flush_lsn() >= ${sql.literal("at")} AS is
              FROM (SELECT pg_current_wal_insert_lsn() AS at) AS now`,
            ([row]) => row?.is
          )
          yield* sql`CREATE TABLE other (at integer)`
          const session = yield* create()
          const append = Effect.gen(function*() {
            yield* sql`INSERT INTO other VALUES (1)`
            yield* session.append({ role: "user", content: "a" })
            return yield* isOnDisk
          })
          // The server is not ours alone: what others write meanwhile need not be on the disk.
          assert.isTrue(yield* Effect.repeat(append, { until: (isThere) => isThere === true, times: 9 }))
        }),
        { client }
      )
    }))

  it.effect("tells the rule that was broken and not the row that broke it", () =>
    Effect.gen(function*() {
      const client = yield* Effect.map(Shared.database, (place) => Postgres.layerClient(place))
      yield* SqlStack.run(
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          yield* sql`ALTER TABLE reprise_snapshots ADD CHECK (name_text <> 'xyzzy')`
          const error = yield* Effect.flip(create("xyzzy"))
          assert.instanceOf(error, SessionError.StoreError)
          assert.include(String(error.cause), "ConstraintError: 23514")
          assert.notInclude(inspect(error, { depth: 20 }), "xyzzy")
        }),
        { client }
      )
    }))
})

describe("SqlSessionStore.layer", () => {
  it.effect("refuses a database whose SQL it does not know", () =>
    Effect.gen(function*() {
      const acquirer = Effect.map(SqlClient.SqlClient.use(({ reserve }) => reserve), (connection) => connection)
      const other = Layer.effect(
        SqlClient.SqlClient,
        Effect.gen(function*() {
          const inner = yield* SqlClient.SqlClient
          const compiler = Statement.makeCompiler({
            dialect: "mysql",
            placeholder: () => "?",
            onIdentifier: (name) => name,
            onRecordUpdate: () => ["", []],
            onCustom: () => ["", []]
          })
          return yield* SqlClient.make({ acquirer: inner.reserve, compiler, driver: "other", spanAttributes: [] })
        })
      ).pipe(Layer.provide([NodeSqlite.layer({ filename: ":memory:" }), Reactivity.layer]))
      const error = yield* Effect.flip(Effect.provide(opened(), other))
      assert.instanceOf(error, SessionError.StoreError)
      assert.include(String(error.cause), "PostgreSQL or SQLite")
      assert.isDefined(acquirer)
    }))
})
