import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { SessionList, Sessions, SessionStore } from "effect-reprise"
import { NodeSqlite } from "effect-reprise/node"
import { SqlClient } from "effect/sql"
import * as FaultyClient from "../suites/faulty-client.ts"
import * as ManySessions from "../suites/many-sessions.ts"
import * as SqlStack from "../suites/sql-stack.ts"

const count = 1200

/** Those in the trash. */
const removed = count / 100

const namesOf = (entries: ReadonlyArray<SessionList.Entry>) =>
  entries.map((entry) => SessionList.isStored(entry) ? entry.name : entry._tag)

for (const { name, place } of SqlStack.kinds) {
  describe(`A list of many sessions in ${name}`, () => {
    it.effect("is whole and in order, and misses none that moves to its front while it is read", () =>
      Effect.gen(function*() {
        const client = yield* place
        yield* SqlStack.run(
          Effect.gen(function*() {
            const sql = yield* SqlClient.SqlClient
            yield* ManySessions.add(0, count)
            const entries = yield* Stream.runCollect(Sessions.list())
            assert.lengthOf(entries, count - removed)
            assert.deepStrictEqual(namesOf(entries).slice(0, 3), ["session 1199", "session 1198", "session 1197"])
            assert.strictEqual(namesOf(entries).at(-1), ManySessions.rareName)
            assert.deepStrictEqual(entries, SessionList.select(entries))

            const last = "00000000-0000-4000-8000-000000000001"
            const move = Effect.asVoid(sql`UPDATE reprise_sessions SET recency = -1900000000000 WHERE id = ${last}`)
            let read = 0
            const moving = yield* Sessions.list().pipe(
              Stream.tap(() => read++ === 10 ? move : Effect.void),
              Stream.runCollect
            )
            assert.lengthOf(moving, count - removed)
            assert.lengthOf(new Set(namesOf(moving)), count - removed)

            const pages: Array<SessionList.Entry> = []
            for (let page = 0; page < 3; page++) {
              const after = pages.map(SessionList.cursorOf).at(-1)
              pages.push(...yield* Stream.runCollect(Sessions.list({ limit: 450, ...(after && { after }) })))
            }
            assert.deepStrictEqual(pages, yield* Stream.runCollect(Sessions.list({ limit: 1350 })))

            const { entries: all } = yield* SessionStore.SessionStore
            assert.lengthOf(yield* Stream.runCollect(all), count)
            assert.strictEqual((yield* Sessions.find({ name: ManySessions.rareName })).name, ManySessions.rareName)
            assert.strictEqual((yield* Sessions.find({ status: ["interrupted"] })).name, "session 1108")
          }),
          { client }
        )
      }))
  })
}

describe("A page of a list", () => {
  it.effect("is searched for in an index, whatever it shows", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      const client = FaultyClient.layer((sql, run) =>
        Effect.andThen(Effect.sync(() => sql.startsWith("SELECT * FROM (SELECT id") && asked.push(sql)), run)
      ).pipe(Layer.provide(NodeSqlite.layer({ filename: ":memory:" })))
      yield* SqlStack.run(
        Effect.gen(function*() {
          const sql = yield* SqlClient.SqlClient
          const filters = [{}, { project: "/project/1" }, { status: ["closed", "running"] as const }]
          for (const filter of filters) {
            yield* Stream.runDrain(Sessions.list({ ...filter, limit: 10 }))
          }
          assert.lengthOf(asked, filters.length)
          for (const statement of asked) {
            const plan = yield* sql.unsafe<{ readonly detail: string }>(`EXPLAIN QUERY PLAN ${statement}`)
            const steps = plan.map(({ detail }) => detail).filter((detail) => detail.includes("reprise_sessions"))
            assert.isAtLeast(steps.length, 1)
            for (const step of steps) {
              assert.match(
                step,
                /^(SEARCH|SCAN) reprise_sessions USING (COVERING )?INDEX reprise_sessions_(present|recency|project)/
              )
            }
          }
        }),
        { client }
      )
    }))
})
