import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import * as Check from "./model/check.ts"
import type { Mutant } from "./model/machine.ts"
import * as Play from "./model/play.ts"
import * as DroppedWrites from "./mutants/dropped-writes.ts"
import * as IgnoredRemoval from "./mutants/model-ignored-removal.ts"
import * as LostTail from "./mutants/model-lost-tail.ts"
import * as RestartedEpochs from "./mutants/restarted-epochs.ts"
import * as SaveOnFailedResume from "./mutants/save-on-failed-resume.ts"
import * as UnfencedPublish from "./mutants/unfenced-publish.ts"

/** Each with a seed from which on it is found out soon. */
const mutants: ReadonlyArray<readonly [fault: string, seed: number, mutant: Mutant]> = [
  ["loses what was written to a journal", 12, { disk: DroppedWrites.make }],
  ["loses the last event when it is resumed", 4, { store: LostTail.store }],
  ["begins again to count epochs", 47, { disk: RestartedEpochs.make }],
  ["does not look at its lease before it acknowledges", 16, { disk: UnfencedPublish.make }],
  ["lets sessions be resumed out of the trash", 13, { store: IgnoredRemoval.store }],
  ["saves when a resume fails", 561, { store: SaveOnFailedResume.mutant.store }]
]

const commands = 25

describe("Random histories of operations, faults, deaths, races and clock steps", () => {
  it.live(
    "lead to nothing that the model does not allow",
    () =>
      Effect.gen(function*() {
        const outcome = yield* Check.run({ seed: 1, histories: 10, commands })
        assert.deepStrictEqual(outcome.findings, [])
        assert.strictEqual(outcome.commands, 10 * (commands + 1))
      }).pipe(Effect.provide(Logger.layer([]))),
    120_000
  )

  it.live(
    "go the same way again with the same seed",
    () =>
      Effect.gen(function*() {
        const broken = { store: "files", commands, mutant: { disk: DroppedWrites.make } } as const
        const [first, again] = [yield* Play.playSeed(12, broken), yield* Play.playSeed(12, broken)]
        assert.deepStrictEqual(again, first)
      }).pipe(Effect.provide(Logger.layer([]))),
    60_000
  )

  for (const [fault, seed, mutant] of mutants) {
    it.live(
      `find out a store that ${fault}`,
      () =>
        Effect.gen(function*() {
          assert.isNotEmpty(yield* Check.findOut(mutant, { seed, histories: 200, commands }))
        }).pipe(Effect.provide(Logger.layer([]))),
      120_000
    )
  }
})
