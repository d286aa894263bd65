import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SessionLimits, SessionStore, type Signer } from "effect-reprise"
import { NodeSqlite } from "effect-reprise/node"
import { SqlSessionStore } from "effect-reprise/sql"
import { SessionStoreSuite, TestLiveness, TestSessions } from "effect-reprise/testing"
import * as Encrypted from "../suites/encryption.ts"
import * as Postgres from "../suites/postgres-shared.ts"
import * as Rig from "../suites/rig.ts"

const layerLimits = Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, maxBytes: 64 * 1024 })

const around = <E, R>(below: Layer.Layer<SessionStore.SessionStore, E, R>) =>
  Layer.merge(SessionStore.layerEncrypted(below), TestSessions.layerSigner).pipe(
    Layer.provide([layerLimits, Encrypted.layer()])
  )

const process = TestLiveness.machine().process

const files = Layer.unwrap(
  Effect.map(Rig.workspace, ({ sessions }) =>
    around(SessionStore.layerFileSystem({ directory: sessions })).pipe(
      Layer.provide([Rig.layerPlatform, process().layer])
    ))
)

const layers: ReadonlyArray<
  readonly [string, Layer.Layer<SessionStore.SessionStore | Signer.Signer, unknown>]
> = [
  ["memory", around(SessionStore.layerMemory)],
  ["files", files],
  [
    "SQLite",
    around(SqlSessionStore.layer()).pipe(
      Layer.provide([NodeSqlite.layer({ filename: ":memory:" }), Rig.layerPlatform, process().layer])
    )
  ],
  [
    "PostgreSQL",
    around(SqlSessionStore.layer()).pipe(Layer.provide([Postgres.layer, Rig.layerPlatform, process().layer]))
  ]
]

for (const [name, layer] of layers) {
  describe(`SessionStore.layerEncrypted around ${name}`, () => {
    for (const { name, test } of SessionStoreSuite.cases) {
      it.effect(name, () => Effect.provide(test, layer, { local: true }))
    }
  })
}
