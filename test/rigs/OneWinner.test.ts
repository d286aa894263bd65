import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Random } from "effect"
import type { Disk } from "./mutants/disks.ts"
import * as Contest from "./winner/contest.ts"
import * as Delayed from "./winner/delayed.ts"
import * as Shuffled from "./winner/shuffled.ts"
import * as Succession from "./winner/succession.ts"
import * as Suspended from "./winner/suspended.ts"

const seed = 20

const test = <A, E>(name: string, body: () => Effect.Effect<A, E, NodeServices.NodeServices>) =>
  it.live(
    name,
    () => body().pipe(Random.withSeed(seed), Effect.provide(Layer.merge(NodeServices.layer, Logger.layer([])))),
    120_000
  )

describe("Of many that want a session", () => {
  test("at one instant, each in a process of its own, one resumes it and the others name that one", () =>
    Effect.gen(function*() {
      const { contested, findings, rounds } = yield* Contest.rounds({ rounds: 8, processes: 4 })
      assert.deepStrictEqual(findings, [])
      assert.strictEqual(rounds, 8)
      assert.isAtLeast(contested, 1)
    }))

  test("whose winner is killed at a random call, one resumes it as soon as that one is dead", () =>
    Effect.gen(function*() {
      const { deaths, findings } = yield* Succession.deaths({ rounds: 2, waiting: 2 })
      assert.deepStrictEqual(findings, [])
      assert.strictEqual(deaths, 2)
    }))

  test("one that is held up between two calls while another claims and closes gets it in its turn, or not at all", () =>
    Effect.gen(function*() {
      const { findings, gaps } = yield* Delayed.everyGap({ every: 11 })
      assert.deepStrictEqual(findings, [])
      assert.isAtLeast(gaps, 18)
    }))

  test("in any order of their calls, no two hold it, no epoch comes twice and nothing acknowledged is lost", () =>
    Effect.gen(function*() {
      const { findings, resumed } = yield* Shuffled.shuffles({ rounds: 4 })
      assert.deepStrictEqual(findings, [])
      assert.isAtLeast(resumed, 12)
    }))
})

test("A holder that sleeps while its session is taken over changes nothing when it wakes, and learns it", () =>
  Effect.gen(function*() {
    const { findings, sleeps } = yield* Suspended.sleepEverywhere({ every: 90 })
    assert.deepStrictEqual(findings, [])
    assert.isAtLeast(sleeps, 8)
  }))

/** What is found on a disk where a holder sleeps at every call of one operation. */
const sleeping = (disk: Disk, name: Suspended.Name, meanwhile: Suspended.Meanwhile, every: number) =>
  Effect.map(
    Suspended.sleepEverywhere({ every, names: [name], disk, meanwhile: [meanwhile], enough: 1 }),
    ({ findings }) => findings
  )

const includes = (findings: ReadonlyArray<string>, pattern: RegExp) =>
  assert.isTrue(findings.some((finding) => pattern.test(finding)), `${String(pattern)} in\n${findings.join("\n")}`)

describe("A broken store is found out", () => {
  test("where two can win the same lease", () =>
    Effect.gen(function*() {
      const { findings } = yield* Contest.rounds({ rounds: 3, processes: 2, disk: "overwriting-link" })
      // Which of them wins twice, and who notices it, is a matter of moments.
      includes(findings, /^round \d, .*(2 resumed|LeaseLost|0 resumed)/)
    }))

  test("where epochs begin again", () =>
    Effect.gen(function*() {
      const findings = yield* sleeping("restarted-epochs", "append", "runs", 100)
      includes(findings, /^append \d (before|after) call, then the other one runs: a later append came to done$/)
      const shuffled = yield* Shuffled.shuffles({ rounds: 1, disk: "restarted-epochs" })
      includes(shuffled.findings, /^shuffle 0 \(seed \d+\): epoch 1 came after epoch 1$/)
    }))

  test("where a holder does not notice that it was taken over", () =>
    Effect.gen(function*() {
      const findings = yield* sleeping("unfenced-publish", "append", "closed", 1)
      includes(findings, /: it woke and answered done/)
      includes(findings, /: a later append came to done$/)
    }))

  test("where what a former holder has on its way is not deleted", () =>
    Effect.gen(function*() {
      const findings = yield* sleeping("kept-pending", "checkpoint", "closed", 1)
      includes(findings, /: it published a snapshot$/)
      includes(findings, /: in the end message \d+ of \d+ is missing/)
    }))
})
