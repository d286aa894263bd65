import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { NodeSessions } from "effect-reprise/node"
import { SecureRandom } from "effect/crypto"

const random = <A>(use: (random: SecureRandom.SecureRandom["Service"]) => Effect.Effect<A>) =>
  Effect.provide(SecureRandom.SecureRandom.use(use), NodeSessions.layerPlatform)

describe("The random bytes of node", () => {
  it.effect("are as many as were asked for, whether many or few", () =>
    random(({ randomBytes }) =>
      Effect.forEach(
        [0, 1, 16, 64, 65, 4095, 4096, 100_000],
        (size) => Effect.map(randomBytes(size), (bytes) => assert.lengthOf(bytes, size))
      )
    ))

  it.effect("never come twice, over many pages", () =>
    random(({ randomBytes }) =>
      Effect.map(
        Effect.forEach(Array.from({ length: 5000 }, (_, index) => 12 + index % 53), randomBytes),
        (all) => {
          const starts = new Set(all.map((bytes) => Buffer.from(bytes).toString("hex", 0, 12)))
          assert.strictEqual(starts.size, all.length)
        }
      )
    ))

  it.effect("stay the caller's own: what one does to them shows nowhere else", () =>
    random(({ randomBytes }) =>
      Effect.gen(function*() {
        const first = yield* randomBytes(32)
        const second = yield* randomBytes(32)
        const kept = second.slice()
        new Uint8Array(first.buffer).fill(0)
        assert.deepStrictEqual(second, kept)
        const [ones] = [(yield* randomBytes(64)).filter((byte) => byte !== 0)]
        assert.isAbove(ones.length, 32)
      })
    ))
})
