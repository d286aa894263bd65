import { NodeCrypto } from "@effect/platform-node"
import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { SessionLimits, SessionStore } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import { SessionStoreSuite, TestSessions } from "effect-reprise/testing"
import * as Rig from "../suites/rig.ts"

const small = { ...SessionLimits.defaults, maxBytes: 64 * 1024 }

describe("SessionStore.layerMemory", () => {
  const layer = Layer.mergeAll(SessionStore.layerMemory, TestSessions.layerSigner, NodeCrypto.layerSecureRandom).pipe(
    Layer.provide(Layer.succeed(SessionLimits.SessionLimits, small))
  )
  for (const { name, test } of SessionStoreSuite.cases) {
    it.effect(name, () => Effect.provide(test, layer, { local: true }))
  }
})

for (const smallCalls of ["threads", "synchronous"] as const) {
  describe(`SessionStore.layerFileSystem on NodeFiles, ${smallCalls}`, () => {
    for (const { name, test } of SessionStoreSuite.cases) {
      it.effect(name, () =>
        Effect.scoped(
          Effect.flatMap(Rig.workspace, ({ sessions }) =>
            Effect.provide(
              test,
              NodeSessions.layer({ directory: sessions, smallCalls }).pipe(
                Layer.provide(Layer.succeed(SessionLimits.SessionLimits, small))
              ),
              { local: true }
            ))
        ))
    }
  })
}

describe("SessionStore.layerFileSystem", () => {
  for (const { name, test } of SessionStoreSuite.cases) {
    it.effect(
      name,
      () =>
        Effect.scoped(
          Effect.flatMap(Rig.workspace, ({ sessions }) =>
            Effect.provide(test, Rig.layer({ sessions, limits: small }), { local: true }))
        )
    )
  }
})
