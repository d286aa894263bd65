import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import * as Check from "./model/check.ts"
import type { Mutant } from "./model/machine.ts"
import * as DroppedWrites from "./mutants/dropped-writes.ts"
import * as IgnoredRemoval from "./mutants/model-ignored-removal.ts"
import * as LostTail from "./mutants/model-lost-tail.ts"
import * as RestartedEpochs from "./mutants/restarted-epochs.ts"
import * as SaveOnFailedResume from "./mutants/save-on-failed-resume.ts"
import * as UnfencedPublish from "./mutants/unfenced-publish.ts"

const mutants: Record<string, Mutant> = {
  "loses what was written to a journal": { disk: DroppedWrites.make },
  "loses the last event when it is resumed": { store: LostTail.store },
  "begins again to count epochs": { disk: RestartedEpochs.make },
  "does not look at its lease before it acknowledges": { disk: UnfencedPublish.make },
  "lets sessions be resumed out of the trash": { store: IgnoredRemoval.store },
  "saves when a resume fails": { store: SaveOnFailedResume.mutant.store }
}

/** What goes through a store that is not broken is where the broken ones have to be found out. */
const played = { seed: 1, histories: 60, commands: 25 }

describe("Random histories of operations, faults, deaths, races and clock steps", () => {
  it.live(
    "lead to nothing that the model does not allow",
    () =>
      Effect.gen(function*() {
        const { commands, findings } = yield* Check.run(played)
        assert.deepStrictEqual(findings, [])
        assert.strictEqual(commands, played.histories * (played.commands + 1))
      }).pipe(Effect.provide(Logger.layer([]))),
    120_000
  )

  it.live(
    "have a seed that plays them again, call by call",
    () =>
      Effect.gen(function*() {
        const broken = { ...played, stopsEarly: true, mutant: { disk: DroppedWrites.make } }
        const [first] = (yield* Check.run(broken)).findings
        const seed = Number(/^seed (\d+),/.exec(first ?? "")?.[1])
        assert.isDefined(first)
        const { findings } = yield* Check.run({ ...broken, seed, histories: 1 })
        assert.strictEqual(findings.join(), first)
      }).pipe(Effect.provide(Logger.layer([]))),
    60_000
  )

  for (const [fault, mutant] of Object.entries(mutants)) {
    it.live(
      `find out a store that ${fault}`,
      () =>
        Effect.gen(function*() {
          const { findings } = yield* Check.run({ ...played, stopsEarly: true, mutant })
          assert.isNotEmpty(findings)
        }).pipe(Effect.provide(Logger.layer([]))),
      60_000
    )
  }
})
