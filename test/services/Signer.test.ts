import { assert, describe, it } from "@effect/vitest"
import { Config, ConfigProvider, Context, Effect, Layer, Option, Redacted, Result } from "effect"
import { type Session, type SessionId, Sessions, Signer } from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import { inspect } from "node:util"
import * as Rig from "../suites/rig.ts"

const bytes = (value: number, length = 32) => Redacted.make(new Uint8Array(length).fill(value))
const text = (value: number, length = 32) => Buffer.alloc(length, value).toString("base64url")

const open = (keys: ReadonlyArray<Signer.Key>) =>
  Effect.scoped(Effect.map(
    Layer.build(Layer.fresh(Layer.provide(Signer.layer({ keys }), NodeHmac.layer))),
    Context.get(Signer.Signer)
  ))

const openConfig = (env: Record<string, string>, config?: Config.Config<Redacted.Redacted>) =>
  Effect.scoped(
    Effect.map(
      Layer.build(Layer.fresh(Layer.provide(Signer.layerFromConfig(config), [
        NodeHmac.layer,
        ConfigProvider.layer(ConfigProvider.fromEnv({ env }))
      ]))),
      Context.get(Signer.Signer)
    )
  )

const macOf = (keyRing: Signer.Signer["Service"], id: string) =>
  Option.map(keyRing.mac(id), (mac) => Buffer.from(mac.digest()).toString("hex"))

/** Everything that might be logged of a value. */
const shown = (value: unknown): string =>
  [String(value), JSON.stringify(value), inspect(value, { depth: 20, showHidden: true })].join("\n")

describe("A key ring", () => {
  it.effect("signs with its newest key and verifies with all", () =>
    Effect.gen(function*() {
      const ring = yield* open([{ id: "new", secret: bytes(2) }, { id: "old", secret: bytes(1) }])
      const old = yield* open([{ id: "old", secret: bytes(1) }])
      assert.strictEqual(ring.current, "new")
      assert.deepStrictEqual(ring.ids, ["new", "old"])
      assert.deepStrictEqual(macOf(ring, "old"), macOf(old, "old"))
      assert.notDeepEqual(macOf(ring, "new"), macOf(ring, "old"))
      assert.isTrue(Option.isNone(ring.mac("none")))
    }))

  it.effect("reads what its older keys signed, and refuses with UnknownKey once one is gone", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const within = <A, E>(
        keys: ReadonlyArray<Signer.Key>,
        effect: Effect.Effect<A, E, Layer.Success<ReturnType<typeof Rig.layer>>>
      ) =>
        effect.pipe(
          Effect.provide(Layer.provide(Signer.layer({ keys }), NodeHmac.layer)),
          Effect.provide(Rig.layer({ sessions }), { local: true })
        )
      const save = (name: string) =>
        Effect.flatMap(
          Sessions.create({ project, name, config: Rig.config }),
          (session) => Effect.as(Sessions.close(session.id), session.id)
        )
      const nameOf = (id: SessionId.SessionId) =>
        Effect.map(Sessions.load(id), ({ state }: { readonly state: Session.SessionState }) => state.session.name)
      const [old, new_]: ReadonlyArray<Signer.Key> = [{ id: "old", secret: bytes(1) }, { id: "new", secret: bytes(2) }]
      if (old === undefined || new_ === undefined) return
      const first = yield* within([old], save("first"))
      const second = yield* within([new_, old], save("second"))
      assert.strictEqual(yield* within([new_, old], nameOf(first)), "first")
      assert.strictEqual(yield* within([new_], nameOf(second)), "second")
      const error = yield* within([new_], Effect.flip(nameOf(first)))
      assert.isTrue(error._tag === "InvalidJson" && error.reason._tag === "UnknownKey" && error.reason.keyId === "old")
      yield* within([new_, old], Effect.flatMap(Sessions.resume(first), () => Sessions.close(first)))
      assert.strictEqual(yield* within([new_], nameOf(first)), "first")
    }))

  it.effect("shows its secrets nowhere", () =>
    Effect.gen(function*() {
      const secret = "a secret of at least 32 bytes, in plain text"
      const ring = yield* open([{ id: "k", secret: Redacted.make(Buffer.from(secret)) }])
      assert.notInclude(shown(ring), secret.slice(0, 12))
      assert.notInclude(shown(ring), Buffer.from(secret).toString("base64url").slice(0, 12))
    }))

  const refused: ReadonlyArray<{ readonly name: string; readonly keys: ReadonlyArray<Signer.Key> }> = [
    { name: "no key", keys: [] },
    { name: "an empty secret", keys: [{ id: "k", secret: bytes(1, 0) }] },
    { name: "a secret of 31 bytes", keys: [{ id: "k", secret: bytes(1, 31) }] },
    {
      name: "a short secret in the second place",
      keys: [{ id: "k", secret: bytes(1) }, { id: "l", secret: bytes(1, 31) }]
    },
    { name: "an id twice", keys: [{ id: "k", secret: bytes(1) }, { id: "k", secret: bytes(2) }] },
    ...["", "a.b", "a b", "a\n", "ä", "../k", "k".repeat(33)].map((id) => ({
      name: `the id ${JSON.stringify(id)}`,
      keys: [{ id, secret: bytes(1) }]
    }))
  ]
  for (const { keys, name } of refused) {
    it.effect(`is refused with ${name}`, () =>
      Effect.map(Effect.flip(open(keys)), (error) => {
        assert.strictEqual(error._tag, "StoreError")
      }))
  }

  it.effect("takes ids of 1 to 32 letters, digits, _ and -", () =>
    Effect.gen(function*() {
      for (const id of ["k", "K-_9", "k".repeat(32)]) {
        assert.strictEqual((yield* open([{ id, secret: bytes(1) }])).current, id)
      }
    }))
})

describe("A key ring from configuration", () => {
  it.effect("takes REPRISE_KEYS, newest first, with spaces around the pairs", () =>
    Effect.gen(function*() {
      const ring = yield* openConfig({ REPRISE_KEYS: ` new:${text(2)} , old:${text(1)}` })
      const given = yield* open([{ id: "new", secret: bytes(2) }, { id: "old", secret: bytes(1) }])
      assert.deepStrictEqual(ring.ids, ["new", "old"])
      for (const id of ring.ids) assert.deepStrictEqual(macOf(ring, id), macOf(given, id))
    }))

  it.effect("takes another variable when it is told to", () =>
    Effect.map(openConfig({ KEYS: `k:${text(1)}` }, Config.Redacted("KEYS")), ({ current }) => {
      assert.strictEqual(current, "k")
    }))

  it.effect("fails with ConfigError where there is none", () =>
    Effect.map(Effect.flip(openConfig({})), (error) => {
      assert.strictEqual(error._tag, "ConfigError")
    }))

  const secret = Buffer.from("0123456789-in-the-open-0123456789").toString("base64url")
  const shortSecret = secret.slice(0, 24)
  const wrong = {
    "nothing": "",
    "a secret without an id": secret,
    "a short secret without an id": shortSecret,
    "id and secret in the wrong order": `${secret}:k`,
    "id and short secret in the wrong order": `${shortSecret}:k1`,
    "a secret that is too short": `k:${shortSecret}`,
    "a secret that is not base64url": `k:${secret}!`,
    "three parts": `k:${secret}:more`,
    "another separator": `k=${secret}`,
    "an empty pair at the end": `k:${secret},`,
    "the same id twice": `k:${secret},k:${secret}`,
    "an empty id": `:${secret}`
  }
  for (const [name, value] of Object.entries(wrong)) {
    it.effect(`is refused with ${name}, and the error does not tell the secret`, () =>
      Effect.gen(function*() {
        const result = yield* Effect.result(openConfig({ REPRISE_KEYS: value }))
        assert.isTrue(Result.isFailure(result))
        if (Result.isSuccess(result)) return
        assert.include(["StoreError", "ConfigError"], result.failure._tag)
        assert.notInclude(shown(result.failure), shortSecret)
        assert.notInclude(result.failure.message, shortSecret)
        const { cause } = result.failure
        assert.notInclude(cause instanceof Error ? `${cause.message}${cause.stack}` : "", shortSecret)
      }))
  }
})
