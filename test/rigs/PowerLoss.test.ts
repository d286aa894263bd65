import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Random, Result } from "effect"
import * as LateWrite from "./mutants/late-write.ts"
import * as NoSync from "./mutants/no-sync.ts"
import * as Crash from "./power/crash.ts"
import * as Disk from "./power/disk.ts"
import * as Outage from "./power/outage.ts"
import * as Replay from "./power/replay.ts"
import type { Around } from "./power/world.ts"
import type * as Trace from "./trace.ts"

const layer = Layer.merge(NodeServices.layer, Logger.layer([]))

/** A file that was prepared, and renamed without a sync of anything. */
const hasty: ReadonlyArray<Trace.Step<never>> = [
  { _tag: "Open", descriptor: 1, path: "/pending", flag: "ax", mode: 0o600 },
  { _tag: "Write", descriptor: 1, bytes: new Uint8Array(1000).fill(7) },
  { _tag: "Rename", path: "/pending", to: "/file" }
]

const sync: Trace.Step<never> = { _tag: "Sync", descriptor: 1 }
const syncDirectory: ReadonlyArray<Trace.Step<never>> = [
  { _tag: "Open", descriptor: 2, path: "/", flag: "r", mode: 0 },
  { _tag: "Sync", descriptor: 2 }
]

/** Every tree that a crash after these steps was seen to leave: sizes of files, and how many zeros are in them. */
const leftBy = (steps: ReadonlyArray<Trace.Step<never>>) =>
  Effect.gen(function*() {
    const dice = yield* Random.Random
    const disk = Disk.empty()
    const replay = Replay.onto<never>(disk)
    for (const step of steps) assert.isTrue(Result.isSuccess(replay(step)))
    const left = Crash.fates(dice, 1000).map((fate) =>
      [...Disk.tree(Crash.crash(disk, fate))].map(([path, bytes = new Uint8Array()]) =>
        `${path} ${bytes.length} ${bytes.filter((byte) => byte === 0).length}`
      ).join()
    )
    return [...new Set(left)].sort()
  }).pipe(Random.withSeed("a crash"))

const short: Outage.Options = { histories: 1, first: 0, steps: 24, subsets: 2, every: 6, real: 50, again: 100 }

describe("A disk that loses its power", () => {
  it.effect("keeps, cuts, empties or forgets what was not synced", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* leftBy(hasty), [
        "",
        "/file 0 0",
        "/file 1000 0",
        "/file 1000 1000",
        "/file 1000 488",
        "/file 1000 512",
        "/file 512 0",
        "/file 512 512",
        "/pending 0 0",
        "/pending 1000 0",
        "/pending 1000 1000",
        "/pending 1000 488",
        "/pending 1000 512",
        "/pending 512 0",
        "/pending 512 512"
      ])
    }))

  it.effect("keeps what was synced: bytes with their file, names with their directory", () =>
    Effect.gen(function*() {
      const [open, write, rename] = hasty
      assert.isDefined(open && write && rename)
      if (open === undefined || write === undefined || rename === undefined) return
      assert.deepStrictEqual(yield* leftBy([open, write, sync, rename]), ["", "/file 1000 0", "/pending 1000 0"])
      assert.deepStrictEqual(yield* leftBy([open, write, sync, rename, ...syncDirectory]), ["/file 1000 0"])
      assert.deepStrictEqual(yield* leftBy([open, write, sync, ...syncDirectory, rename]), [
        "/file 1000 0",
        "/pending 1000 0"
      ])
    }))
})

describe("A power loss after any call of a random history", () => {
  it.live("loses nothing that was acknowledged, and the trace comes to the same bytes", () =>
    Effect.gen(function*() {
      const { calls, findings, images } = yield* Outage.run(short)
      assert.deepStrictEqual(findings, [])
      assert.isAbove(calls, 100)
      assert.isAbove(images, 120)
    }).pipe(Random.withSeed("short"), Effect.provide(layer)), 240_000)

  it.live(
    "loses nothing either where one process was killed and the next one went on (at one change in 15)",
    () =>
      Effect.gen(function*() {
        const { findings, handOvers, images } = yield* Outage.handOvers({ every: 15, crashes: 80 })
        assert.deepStrictEqual(findings, [])
        assert.isAbove(handOvers, 8)
        assert.isAbove(images, 60)
      }).pipe(Random.withSeed("hand over"), Effect.provide(layer)),
    240_000
  )

  const mutants: ReadonlyArray<readonly [string, Around]> = [
    ["nothing is synced", NoSync.make("all")],
    ["no directory is synced", NoSync.make("directories")],
    ["no file is synced", NoSync.make("files")],
    ["files come to their places before their bytes", LateWrite.make]
  ]
  for (const [what, around] of mutants) {
    it.live(`is found out where ${what}`, () =>
      Effect.gen(function*() {
        const { findings } = yield* Outage.run({ ...short, steps: 6, every: 4, real: 0, again: 0 }, around)
        assert.match(findings.join("\n"), /history 0, step \d+ .* survive/)
      }).pipe(Random.withSeed(what), Effect.provide(layer)), 120_000)
  }
})
