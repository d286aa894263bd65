import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Random } from "effect"
import * as KeepClaim from "./mutants/keep-claim.ts"
import * as SaveOnFailedResume from "./mutants/save-on-failed-resume.ts"
import * as EveryYield from "./trials/every-yield.ts"

const interrupted = (options: EveryYield.Options) =>
  EveryYield.run(options).pipe(Random.withSeed(1), Effect.provide(Logger.layer([])))

describe("An operation that is interrupted", () => {
  it.live(
    "leaves what was stored or what it was to store, and nothing held (every 250th step)",
    () =>
      Effect.gen(function*() {
        const { findings, interrupted: count, operations } = yield* interrupted({ every: 250 })
        assert.deepStrictEqual(findings, [])
        assert.isAbove(operations, 10)
        assert.isAbove(count, 40)
      }),
    120_000
  )

  for (
    const { finding, mutant, what } of [
      {
        what: "saves an emptied session when a resume is interrupted",
        mutant: SaveOnFailedResume.mutant,
        finding: "neither as it was nor as it would be"
      },
      { what: "keeps what an interrupted resume claimed", mutant: KeepClaim.mutant, finding: "is running in" }
    ]
  ) {
    it.live(`is found out where the store ${what}`, () =>
      Effect.gen(function*() {
        const { findings } = yield* interrupted({ every: 120, only: ["resume closed"], mutant })
        assert.include(findings.join("\n"), finding)
      }), 60_000)
  }
})
