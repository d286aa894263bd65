import { assert, describe, it } from "@effect/vitest"
import { Effect, Random } from "effect"
import * as Contest from "./races/contest.ts"
import * as Following from "./races/following.ts"

describe("A process that swaps projects, sessions and files with links, FIFOs, files and directories", () => {
  it.live(
    "gets nothing read or written outside, no session to run elsewhere, and typed errors alone",
    () =>
      Effect.gen(function*() {
        const { counts, findings } = yield* Contest.run({ milliseconds: 3_000 })
        assert.deepStrictEqual(findings, [])
        assert.isAbove(counts.succeeded, 20)
        assert.isAbove(counts.swaps, 50)
      }).pipe(Random.withSeed(1)),
    60_000
  )

  it.live(
    "is found out by the rig where links are followed",
    () =>
      Effect.gen(function*() {
        const { findings } = yield* Contest.run({
          milliseconds: 30_000,
          untilFound: true,
          targets: ["file"],
          kinds: ["link"],
          disk: Following.layer
        })
        assert.include(findings.join(), "answers with what is outside")
      }).pipe(Random.withSeed(1)),
    60_000
  )
})
