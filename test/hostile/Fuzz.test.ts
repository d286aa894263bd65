import { assert, describe, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import type { FileSystemHooks } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Fuzzer from "./fuzzing/fuzzer.ts"

describe("A file that nobody should read", () => {
  it.live(
    "is answered with success or a typed error, in time, and neither starts nor writes anything",
    () =>
      Effect.gen(function*() {
        const { findings, outcomes } = yield* Fuzzer.run({ inputs: 500 })
        assert.deepStrictEqual(findings, [])
        assert.isAbove(outcomes.get("success") ?? 0, 100)
        assert.isAbove(outcomes.get("InvalidJson/BadSignature") ?? 0, 5)
        assert.isAbove(outcomes.get("InvalidJson/Shape") ?? 0, 50)
      }).pipe(Random.withSeed(1)),
    120_000
  )

  it.live("is told by the rig where it kills its reader, or makes it write", () =>
    Effect.gen(function*() {
      let reads = 0
      const dies: FileSystemHooks.Hook = ({ method }) => (run) =>
        method === "file.read" && ++reads % 50 === 0 ? Effect.die(new Error("a broken reader")) : run
      const writes: FileSystemHooks.Hook = ({ method, path }) => (run) =>
        Effect.tap(run, () =>
          Effect.sync(() => {
            if (method === "lstat" && path.endsWith("session.json")) NodeFs.writeFileSync(`${path}.seen`, "")
          }))
      const dead = yield* Fuzzer.run({ inputs: 100, hook: dies })
      assert.include(dead.findings.join(), "a broken reader")
      const written = yield* Fuzzer.run({ inputs: 100, hook: writes })
      assert.include(written.findings.join(), "wrote something")
    }).pipe(Random.withSeed(1)), 60_000)
})
