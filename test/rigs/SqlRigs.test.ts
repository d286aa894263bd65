import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Random } from "effect"
import * as PostgresServer from "../suites/postgres-server.ts"
import * as Postgres from "../suites/postgres-shared.ts"
import * as RandomKill from "./kills/random-kill.ts"
import * as SqlGround from "./sql/ground.ts"
import * as Lapsed from "./sql/lapsed.ts"
import * as Outages from "./sql/outages.ts"
import * as Contest from "./winner/contest.ts"
import * as Suspended from "./winner/suspended.ts"

const test = <A, E>(name: string, body: () => Effect.Effect<A, E, NodeServices.NodeServices>) =>
  it.live(
    name,
    () => body().pipe(Random.withSeed(20), Effect.provide(Layer.merge(NodeServices.layer, Logger.layer([])))),
    120_000
  )

const ground = Effect.flatMap(Postgres.url, (url) => SqlGround.make(url))

/** Leases that pass while a process starts up would end in the middle of what it does. */
const shortLived = Effect.flatMap(Postgres.url, (url) => SqlGround.make(url, { leaseFor: 500 }))

const includes = (findings: ReadonlyArray<string>, pattern: RegExp) =>
  assert.isTrue(findings.some((finding) => pattern.test(finding)), `${String(pattern)} in\n${findings.join("\n")}`)

describe("Processes on a PostgreSQL", () => {
  test("that are killed at random moments leave what was acknowledged to the next one", () =>
    Effect.gen(function*() {
      const { findings, kills } = yield* RandomKill.killAtRandom({ kills: 2, killsEach: 2, ground })
      assert.deepStrictEqual(findings, [])
      assert.strictEqual(kills, 2)
    }))

  test("that want one session at one instant find one winner, which the others name", () =>
    Effect.gen(function*() {
      const { contested, findings, rounds } = yield* Contest.rounds({ rounds: 4, processes: 2, ground })
      assert.deepStrictEqual(findings, [])
      assert.deepStrictEqual([rounds, contested > 0], [4, true])
    }))

  test("change nothing when they wake after they were taken over, at any statement, and learn it", () =>
    Effect.gen(function*() {
      const { findings, sleeps } = yield* Suspended.sleepEverywhere({ every: 16, ground, meanwhile: ["closed"] })
      assert.deepStrictEqual(findings, [])
      assert.isAtLeast(sleeps, 4)
    }))

  test("that sleep for longer than their lease are replaced, and refused when they wake", () =>
    Effect.gen(function*() {
      const { findings, lapses } = yield* Lapsed.lapses({ rounds: 1, ground: shortLived })
      assert.deepStrictEqual(findings, [])
      assert.strictEqual(lapses, 1)
    }))
})

test("A PostgreSQL that ends without a last word has what was acknowledged, unless a commit did not wait for the disk", () =>
  Effect.gen(function*() {
    // What the store asks for is kept also where the server would not wait for its disk.
    const server = yield* PostgresServer.start({ settings: { synchronous_commit: "off" } })
    const whole = yield* Outages.outages({ server, outages: 2, sessions: 3 })
    assert.deepStrictEqual(whole.findings, [])
    assert.isAtLeast(whole.acknowledged, 18)
    const { findings } = yield* Outages.outages({ server, outages: 3, sessions: 3, mutant: "unsynced" })
    includes(findings, /acknowledged messages are missing/)
  }).pipe(Effect.scoped))

describe("A store in PostgreSQL is found out", () => {
  test("where its changes don't name the claim that makes them", () =>
    Effect.gen(function*() {
      const { findings } = yield* Lapsed.lapses({ rounds: 1, ground: shortLived, mutant: "unfenced" })
      includes(findings, /late, it came to done/)
    }))

  test("where two can win the same session", () =>
    Effect.gen(function*() {
      const { findings } = yield* Lapsed.lapses({ rounds: 1, ground: shortLived, mutant: "greedy" })
      includes(findings, /before its time the other one came to done/)
    }))
})
