import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Random } from "effect"
import * as Soaking from "./kills/soaking.ts"

const layer = Layer.merge(NodeServices.layer, Logger.layer([]))

const soak = (options: Parameters<typeof Soaking.soak>[0]) =>
  Soaking.soak(options).pipe(Random.withSeed(1), Effect.provide(layer))

describe("A process that resumes, adds to and closes sessions for a long time", () => {
  it.live("has as many open files as before, no more memory, and leaves nothing", () =>
    Effect.gen(function*() {
      const { counts, findings } = yield* soak({ cycles: 60 })
      assert.deepStrictEqual(findings, [])
      assert.match(counts, /^60 cycles, \d+ descriptors/)
    }), 60_000)

  it.live("is found out where it keeps a directory open", () =>
    Effect.gen(function*() {
      const { findings } = yield* soak({ cycles: 10, mutant: "open-descriptors" })
      assert.match(findings.join(), /^\d+ descriptors were open, and \d+ are$/)
    }))

  it.live("is found out where it keeps what it has read", () =>
    Effect.gen(function*() {
      const { findings } = yield* soak({ cycles: 50, mutant: "remembered-reads" })
      assert.match(findings.join(), /^memory grew from .* to .* MiB$/)
    }), 60_000)

  it.live("is found out where it leaves a file", () =>
    Effect.gen(function*() {
      const { findings } = yield* soak({ cycles: 10, mutant: "left-files" })
      assert.match(findings.join(), /a closed session has lease\.\d+\.json,pending/)
    }))
})
