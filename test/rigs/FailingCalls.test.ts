import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Random } from "effect"
import * as AcknowledgeUnwritten from "./mutants/acknowledge-unwritten.ts"
import * as IgnoreShortWrites from "./mutants/ignore-short-writes.ts"
import * as KeepClaim from "./mutants/keep-claim.ts"
import * as LeakDescriptor from "./mutants/leak-descriptor.ts"
import * as SaveOnFailedResume from "./mutants/save-on-failed-resume.ts"
import * as UnlinkFirst from "./mutants/unlink-first.ts"
import * as EveryFailure from "./trials/every-failure.ts"
import type { Mutant } from "./trials/world.ts"

const fails = (options: EveryFailure.Options) =>
  EveryFailure.run(options).pipe(Random.withSeed(1), Effect.provide(Logger.layer([])))

describe("An operation, one of whose file-system calls fails", () => {
  it.live(
    "succeeds or says so, and nothing is lost, held or left open (every 160th failure, and some pairs)",
    () =>
      Effect.gen(function*() {
        const { failed, findings, operations, trials } = yield* fails({ every: 160, pairs: 1 })
        assert.deepStrictEqual(findings, [])
        assert.isAbove(operations, 20)
        assert.isAbove(trials, 50)
        assert.isAbove(failed, 30)
      }),
    120_000
  )

  const mutants: ReadonlyArray<{
    readonly what: string
    readonly mutant: Mutant
    readonly only: string
    readonly finding: string
    readonly every?: number
  }> = [
    {
      what: "saves an emptied session when a resume fails",
      mutant: SaveOnFailedResume.mutant,
      only: "resume closed",
      every: 40,
      finding: "neither as it was nor as it would be"
    },
    {
      what: "keeps what a failed resume claimed",
      mutant: KeepClaim.mutant,
      only: "resume closed",
      every: 40,
      finding: "is running in"
    },
    {
      what: "acknowledges what it could not write",
      mutant: AcknowledgeUnwritten.mutant,
      only: "append",
      finding: "neither as it was nor as it would be"
    },
    {
      what: "leaves a file open when a write fails",
      mutant: LeakDescriptor.mutant,
      only: "append",
      finding: "is open at the end"
    },
    {
      what: "deletes the good copy first",
      mutant: UnlinkFirst.mutant,
      only: "checkpoint",
      every: 8,
      finding: "it is gone and not"
    },
    {
      what: "ignores that a write was short",
      mutant: IgnoreShortWrites.mutant,
      only: "append",
      finding: "neither as it was nor as it would be"
    }
  ]
  for (const { every, finding, mutant, only, what } of mutants) {
    it.live(`is found out where the store ${what}`, () =>
      Effect.gen(function*() {
        const { findings } = yield* fails({ every: every ?? 3, pairs: 0, only: [only], mutant })
        assert.include(findings.join("\n"), finding)
      }), 60_000)
  }
})
