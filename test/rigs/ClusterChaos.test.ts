import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer, Logger, Path, Random } from "effect"
import * as Spells from "./chaos/spells.ts"
import * as Storm from "./chaos/storm.ts"

const platform = Layer.merge(NodeServices.layer, Logger.layer([]))

/** Judges agents that wrote these lines. */
const judge = (lines: ReadonlyArray<object>, fates: ReadonlyArray<readonly [number, Spells.Fate]>) =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const log = path.join(yield* fs.makeTempDirectoryScoped(), "starts.jsonl")
    yield* fs.writeFileString(log, lines.map((line) => `${JSON.stringify(line)}\n`).join(""))
    return yield* Spells.judge({ log, fates: new Map(fates), grace: 100 })
  }).pipe(Effect.scoped, Effect.provide(platform))

const started = (pid: number, at: number) => ({ what: "start", id: "s", pid, at })
const ended = (pid: number, at: number) => ({ what: "end", id: "s", pid, at })

describe("A cluster in a storm", () => {
  it.live("loses nothing, doubles nothing and runs no session twice", () =>
    Effect.gen(function*() {
      const { acknowledged, findings } = yield* Storm.run({ seconds: 4, sessions: 8, runners: 2 })
      assert.deepStrictEqual(findings, [])
      assert.isAtLeast(acknowledged, 8)
    }).pipe(Random.withSeed(20), Effect.scoped, Effect.provide(platform)), 240_000)

  it.live("is found out where a session runs in two processes at once", () =>
    Effect.gen(function*() {
      const { findings } = yield* judge([started(1, 0), started(2, 10), ended(1, 30)], [])
      assert.deepStrictEqual(findings, ["session s ran in 1 and 2 for 20 ms"])
    }))

  it.live("is found out where a woken runner goes on for longer than it takes to learn that it was replaced", () =>
    Effect.gen(function*() {
      const asleep = (woken: number) =>
        judge([started(1, 0), started(2, 500), ended(1, woken)], [[1, { suspended: [{ from: 100, to: 1000 }] }]])
      const soon = yield* asleep(1050)
      assert.deepStrictEqual([soon.findings, soon.longestAfterSleep], [[], 50])
      assert.lengthOf((yield* asleep(1200)).findings, 1)
    }))

  it.live("is not accused where the process was dead before", () =>
    Effect.gen(function*() {
      const { findings, takeovers } = yield* judge([started(1, 0), started(2, 10)], [[1, { suspended: [], killed: 5 }]])
      assert.deepStrictEqual(findings, [])
      assert.deepStrictEqual(takeovers, [5])
    }))
})
