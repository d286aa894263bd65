import { NodeCrypto } from "@effect/platform-node"
import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SessionLimits } from "effect-reprise"
import { NodeSqlite } from "effect-reprise/node"
import { SqlSessionStore } from "effect-reprise/sql"
import { SessionStoreSuite, TestLiveness, TestSessions } from "effect-reprise/testing"
import * as Postgres from "../suites/postgres-shared.ts"
import * as SqlStack from "../suites/sql-stack.ts"

const small = { ...SessionLimits.defaults, maxBytes: 64 * 1024 }

const onStore = Layer.provideMerge(
  Layer.mergeAll(SqlSessionStore.layer(), TestSessions.layerSigner),
  Layer.mergeAll(
    NodeCrypto.layerSecureRandom,
    TestLiveness.machine().process().layer,
    Layer.succeed(SessionLimits.SessionLimits, small)
  )
)

const layers = [
  ["SQLite in memory", NodeSqlite.layer({ filename: ":memory:" })],
  ["an SQLite file", Layer.unwrap(SqlStack.file)],
  ["PostgreSQL", Postgres.layer]
] as const

for (const [name, client] of layers) {
  describe(`SqlSessionStore on ${name}`, () => {
    const layer = Layer.provide(onStore, client)
    for (const { name, test } of SessionStoreSuite.cases) {
      it.effect(name, () => Effect.provide(test, layer, { local: true }))
    }
  })
}
