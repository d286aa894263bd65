import { NodeCrypto, NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Context, Effect, Layer } from "effect"
import { Encryption, Signer } from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import { TestLiveness, TestSessions } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

const secret = Buffer.alloc(32, 7).toString("base64url")

describe("Encryption", () => {
  it.effect("takes its own keys from configuration, the newest first", () =>
    Effect.gen(function*() {
      const { current, ids } = yield* Encryption.Encryption
      assert.deepStrictEqual([current, ids], ["new", ["new", "old"]])
    }).pipe(
      Effect.provide(Encryption.layerFromConfig()),
      Effect.provide([
        NodeHmac.layer,
        ConfigProvider.layer(
          ConfigProvider.fromEnv({ env: { REPRISE_ENCRYPTION_KEYS: `new:${secret},old:${secret}` } })
        )
      ])
    ))

  it.effect("without keys is none, and shows no secret", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Effect.provide(Encryption.Encryption, Encryption.layerFromConfig()))
      assert.notInclude(String(failure), secret)
    }).pipe(Effect.provide([
      NodeHmac.layer,
      ConfigProvider.layer(ConfigProvider.fromEnv({ env: { REPRISE_ENCRYPTION_KEYS: `${secret}:short` } }))
    ])))

  it.effect("goes along with the keys that sign", () =>
    Effect.gen(function*() {
      const keyRing = yield* Encryption.Encryption
      assert.deepStrictEqual([keyRing.current, keyRing.ids], ["test", ["test"]])
    }).pipe(Effect.provide(Layer.provide(Encryption.layerSigner, TestSessions.layerSigner))))
})

describe("A key ring", () => {
  /** A key ring as processes find it that ask for encryption, and that do not. */
  const scene = Effect.map(Rig.workspace, ({ root, sessions }) => {
    const machine = TestLiveness.machine()
    const keys = `${root}/keys`
    const open = (encrypts?: boolean) => {
      const options = { file: `${keys}/keyring.json`, sessions, ...(encrypts === undefined ? {} : { encrypts }) }
      const platform = Layer.mergeAll(
        NodeFileSystem.layer,
        NodePath.layer,
        NodeCrypto.layerSecureRandom,
        NodeHmac.layer,
        machine.process().layer
      )
      return Effect.scoped(Effect.map(
        Layer.build(Layer.fresh(Layer.provide(Signer.layerMachineSecret(options), platform))),
        Context.get(Signer.Signer)
      ))
    }
    return { keys, open }
  })

  it.effect("says that sessions are encrypted from when somebody asked for it, and keeps all its keys", () =>
    Effect.gen(function*() {
      const { keys, open } = yield* scene
      const before = yield* open()
      assert.isFalse(before.encrypts)
      const asked = yield* Effect.all([open(true), open(true), open(true)], { concurrency: "unbounded" })
      assert.isTrue(asked.every(({ encrypts }) => encrypts === true))
      const after = yield* open()
      assert.isTrue(after.encrypts)
      assert.include(after.ids, before.current)
      yield* after.addKey
      assert.isTrue((yield* open(false)).encrypts)
      assert.isTrue(yield* before.refresh)
      assert.isTrue(before.encrypts)
      assert.lengthOf(NodeFs.readdirSync(keys), 1)
    }))
})
