import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Random } from "effect"
import * as RandomKill from "./kills/random-kill.ts"
import type { Mutant } from "./mutants/broken.ts"

const layer = Layer.merge(NodeServices.layer, Logger.layer([]))

const kill = (options: Parameters<typeof RandomKill.killAtRandom>[0]) =>
  RandomKill.killAtRandom(options).pipe(Random.withSeed(1), Effect.provide(layer))

describe("Processes that are killed at random moments, one after the other on one store", () => {
  it.live("leave what was acknowledged to the next one, and to one that looks on", () =>
    Effect.gen(function*() {
      const { cutShort, findings, kills, watched } = yield* kill({ kills: 6, killsEach: 3 })
      assert.deepStrictEqual(findings, [])
      assert.deepStrictEqual([kills, watched], [6, 3])
      assert.isAbove(cutShort, 0)
    }), 120_000)

  const broken: ReadonlyArray<readonly [Mutant, string, RegExp]> = [
    ["rename-first", "put files in their place before their bytes are in them", /found|failed|can't load/],
    [
      "dropped-writes",
      "lose what they acknowledged",
      /which was acknowledged|which is not what it was last|BrokenJournal/
    ],
    ["blind-liveness", "take each other for dead", /both ran|LeaseLost/]
  ]
  for (const [mutant, what, finding] of broken) {
    it.live(`are found out where they ${what}`, () =>
      Effect.gen(function*() {
        const { findings } = yield* kill({ kills: 40, mutant })
        assert.match(findings.join("\n"), finding)
      }), 120_000)
  }
})
