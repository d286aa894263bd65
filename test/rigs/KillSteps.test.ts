import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Logger } from "effect"
import * as Aftermath from "./aftermath.ts"

const layer = Layer.merge(NodeServices.layer, Logger.layer([]))

describe("A process that is killed before or after a file-system call", () => {
  it.live(
    "leaves what was acknowledged, nothing half done and no stray file (every 30th call of each operation)",
    () =>
      Effect.gen(function*() {
        const { findings, kills } = yield* Aftermath.killAtEveryStep({ every: 30 })
        assert.deepStrictEqual(findings, [])
        assert.isAbove(kills, 30)
      }).pipe(Effect.provide(layer)),
    180_000
  )

  it.live(
    "is found out where it lost an event, kept one that nobody said, or left a file behind",
    () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const places = yield* Aftermath.workspace
        const testimony = yield* Aftermath.run(["close", places.root, "-1", "before"])
        yield* fs.writeFileString(`${places.sessions}/creating.stray`, "")
        const lost = { ...testimony, acknowledged: [...testimony.acknowledged, "never stored"] }
        const findings = yield* Aftermath.examineBelow(places, lost, { inFlight: [], mayBeGone: false })
        assert.deepStrictEqual(findings, [
          "acknowledged one,two,three,never stored and found one,two,three",
          "creating.stray survived"
        ])
        const unheard = { ...testimony, acknowledged: testimony.acknowledged.slice(0, 1) }
        const more = yield* Aftermath.examineBelow(places, unheard, { inFlight: [], mayBeGone: false })
        assert.include(more, "found one,two,three,after, which nobody said")
      }).pipe(Effect.scoped, Effect.provide(layer)),
    60_000
  )
})
