import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Hmac } from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import * as NodeCrypto from "node:crypto"

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex")

/** RFC 4231, section 4. The fifth is cut to 128 bits there. */
const vectors = [
  {
    key: Buffer.alloc(20, 0x0b),
    data: Buffer.from("Hi There"),
    mac: "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
  },
  {
    key: Buffer.from("Jefe"),
    data: Buffer.from("what do ya want for nothing?"),
    mac: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
  },
  {
    key: Buffer.alloc(20, 0xaa),
    data: Buffer.alloc(50, 0xdd),
    mac: "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
  },
  {
    key: Buffer.from(Array.from({ length: 25 }, (_, index) => index + 1)),
    data: Buffer.alloc(50, 0xcd),
    mac: "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
  },
  {
    key: Buffer.alloc(20, 0x0c),
    data: Buffer.from("Test With Truncation"),
    mac: "a3b6167473100ee06e0c796c2955552b"
  },
  {
    key: Buffer.alloc(131, 0xaa),
    data: Buffer.from("Test Using Larger Than Block-Size Key - Hash Key First"),
    mac: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
  },
  {
    key: Buffer.alloc(131, 0xaa),
    data: Buffer.from(
      "This is a test using a larger than block-size key and a larger than block-size data. " +
        "The key needs to be hashed before being used by the HMAC algorithm."
    ),
    mac: "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
  }
]

const start = (secret: Uint8Array) => Effect.map(Hmac.Hmac, (hmac) => hmac.start(secret))

describe("NodeHmac", () => {
  for (const [index, { data, key, mac }] of vectors.entries()) {
    it.effect(`comes to test vector ${index + 1} of RFC 4231`, () =>
      Effect.gen(function*() {
        const running = yield* start(key)
        running.update(data)
        assert.strictEqual(hex(running.digest()).slice(0, mac.length), mac)
      }).pipe(Effect.provide(NodeHmac.layer)))
  }

  it.effect.prop(
    "comes to what node's own HMAC comes to, after each piece, and a digest changes nothing",
    {
      key: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))).check(
        Schema.isMaxLength(140)
      ),
      pieces: Schema.Array(
        Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))).check(Schema.isMaxLength(200))
      ).check(Schema.isMaxLength(12))
    },
    ({ key, pieces }) =>
      Effect.gen(function*() {
        const secret = Uint8Array.from(key)
        const running = yield* start(secret)
        const whole: Array<number> = []
        const expected = () => NodeCrypto.createHmac("sha256", secret).update(Uint8Array.from(whole)).digest("hex")
        assert.strictEqual(hex(running.digest()), expected())
        for (const piece of pieces) {
          running.update(Uint8Array.from(piece))
          whole.push(...piece)
          assert.strictEqual(hex(running.digest()), expected())
          assert.strictEqual(hex(running.digest()), expected())
        }
      }).pipe(Effect.provide(NodeHmac.layer)),
    { arbitrary: { runs: 80, seed: 4231 } }
  )

  it.effect.each([0, 1, 31, 32, 63, 64, 65, 127, 128, 200])(
    "takes a key of %i bytes as node does",
    (length) =>
      Effect.gen(function*() {
        const secret = NodeCrypto.createHash("shake256", { outputLength: Math.max(1, length) }).digest().subarray(
          0,
          length
        )
        const running = yield* start(secret)
        running.update(Buffer.from("data"))
        assert.strictEqual(hex(running.digest()), NodeCrypto.createHmac("sha256", secret).update("data").digest("hex"))
      }).pipe(Effect.provide(NodeHmac.layer))
  )

  it.effect("keeps two running MACs of one key apart", () =>
    Effect.gen(function*() {
      const secret = Buffer.alloc(32, 1)
      const [one, other] = [yield* start(secret), yield* start(secret)]
      one.update(Buffer.from("a"))
      other.update(Buffer.from("b"))
      assert.strictEqual(hex(one.digest()), NodeCrypto.createHmac("sha256", secret).update("a").digest("hex"))
      assert.strictEqual(hex(other.digest()), NodeCrypto.createHmac("sha256", secret).update("b").digest("hex"))
    }).pipe(Effect.provide(NodeHmac.layer)))

  it.effect("is not touched by a later change of the secret's bytes", () =>
    Effect.gen(function*() {
      const secret = Buffer.alloc(32, 1)
      const running = yield* start(secret)
      secret.fill(9)
      running.update(Buffer.from("a"))
      assert.strictEqual(
        hex(running.digest()),
        NodeCrypto.createHmac("sha256", Buffer.alloc(32, 1)).update("a").digest("hex")
      )
    }).pipe(Effect.provide(NodeHmac.layer)))
})
