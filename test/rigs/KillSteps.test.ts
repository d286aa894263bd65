import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Logger, Random } from "effect"
import * as Aftermath from "./aftermath.ts"
import * as KillStep from "./kills/kill-step.ts"

const layer = Layer.merge(NodeServices.layer, Logger.layer([]))

describe("A process that is killed before or after a file-system call", () => {
  it.live(
    "leaves what was acknowledged, nothing half done and no stray file (some calls of each operation)",
    () =>
      Effect.gen(function*() {
        const { findings, kills } = yield* KillStep.killAtSomeSteps({ steps: 1 })
        assert.deepStrictEqual(findings, [])
        assert.isAbove(kills, 20)
      }).pipe(Random.withSeed(1), Effect.provide(layer)),
    120_000
  )

  it.live(
    "is found out where it lost an event, kept one that nobody said, left a file behind, or did something else",
    () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const places = yield* Aftermath.workspace
        const testimony = yield* Aftermath.run(["close", places.root, "-1", "before"])
        yield* fs.writeFileString(`${places.sessions}/creating.stray`, "")
        const lost = { ...testimony, acknowledged: [...testimony.acknowledged, "never stored"] }
        const findings = yield* Aftermath.examineBelow(places, lost, { inFlight: [], situations: ["interrupted"] })
        assert.deepStrictEqual(findings, [
          "found closed and expected interrupted",
          "acknowledged one,two,three,never stored and found one,two,three",
          "creating.stray survived"
        ])
        const unheard = { ...testimony, acknowledged: testimony.acknowledged.slice(0, 1) }
        const more = yield* Aftermath.examineBelow(places, unheard, { inFlight: [], situations: ["closed"] })
        assert.include(more, "found one,two,three,after, which nobody said")
      }).pipe(Effect.scoped, Effect.provide(layer)),
    60_000
  )

  it.live(
    "is found out where it puts files in their place before their bytes are in them",
    () =>
      Effect.gen(function*() {
        const { findings } = yield* KillStep.killAtEveryStep({
          every: 3,
          operations: ["close"],
          mutant: "rename-first"
        })
        assert.isNotEmpty(findings)
      }).pipe(Effect.provide(layer)),
    60_000
  )
})
