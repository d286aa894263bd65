/**
 * The power fails at every moment of a history, in every way that is tried, and
 * the next process looks at what is left; now and then it fails again while that
 * one is at work.
 */
import { Effect, FileSystem, Option, Random, Result } from "effect"
import { Sessions } from "../../../src/index.ts"
import { TestLiveness } from "../../../src/testing/index.ts"
import * as Trace from "../trace.ts"
import * as Crash from "./crash.ts"
import type * as Disk from "./disk.ts"
import * as HandOver from "./hand-over.ts"
import * as History from "./history.ts"
import * as Ledger from "./ledger.ts"
import * as Memory from "./memory.ts"
import * as Process from "./process.ts"
import * as Real from "./real.ts"
import * as Replay from "./replay.ts"
import * as Survivor from "./survivor.ts"
import * as Volume from "./volume.ts"
import * as World from "./world.ts"

export interface Options {
  readonly histories: number
  /** The number of the first history: each has dice of its own. */
  readonly first: number
  /** Operations of a history. */
  readonly steps: number
  /** Random subsets that survive, for each moment. */
  readonly subsets: number
  /** One in so many crashes is tried; what they leave is looked at once. */
  readonly every: number
  /** Of those, one in so many on a real disk as well; 0 for none. */
  readonly real: number
  /** In one of so many the next process goes on, and the power fails again; 0 for none. */
  readonly again: number
}

interface Tally {
  calls: number
  images: number
  realImages: number
  secondImages: number
  readonly findings: Array<string>
}

/** What is looked at: a trace, and the disk that it begins with. */
interface Recording {
  readonly name: string
  readonly root: string
  readonly steps: ReadonlyArray<World.Step>
  readonly before: Disk.Disk
}

const everything: Crash.Fate = {
  name: "everything survives",
  names: (count) => Array.from({ length: count }, () => true),
  bytes: (versions) => versions.at(-1) ?? versions[0]
}

/** One machine for all of it, so that no process is taken for a former one. */
const machine = TestLiveness.machine()

const placeOn = (fs: FileSystem.FileSystem, root: string): Process.Place => ({
  fs,
  machine,
  sessions: `${root}/sessions`
})

const oneIn = (count: number) =>
  count === 0 ? Effect.succeed(false) : Effect.map(Random.next, (drawn) => drawn * count < 1)

/** What the next process can rely on: everything that it finds, as it finds it. */
const relyOn = (image: Disk.Disk, root: string) =>
  Process.once(
    placeOn(Volume.mount(Crash.crash(image, everything)), root),
    Effect.gen(function*() {
      const ledger = new Map<string, Ledger.Expected>()
      for (const entry of yield* World.everything) {
        if (entry._tag !== "Stored") continue
        const { state } = yield* Sessions.load(entry.id)
        const label = World.labelOf(entry.name)
        ledger.set(label, {
          label,
          id: entry.id,
          places: [entry.status === "removed" ? "trash" : "stored"],
          pictures: [Ledger.pictureOf(state)],
          attempt: undefined,
          acknowledged: 0,
          isClosed: false
        })
      }
      return ledger
    })
  )

/** Looks at one image, now and then on a real disk too, and now and then lets the power fail again. */
const tryImage = Effect.fnUntraced(function*(
  image: Disk.Disk,
  at: { readonly name: string; readonly root: string; readonly ledger: Ledger.Ledger; readonly memory: Memory.Memory },
  options: Options,
  around: World.Around,
  tally: Tally
): Effect.fn.Return<void, never, FileSystem.FileSystem> {
  const { ledger, memory, name, root } = at
  tally.images++
  if (yield* oneIn(options.real)) {
    const fs = yield* FileSystem.FileSystem
    tally.realImages++
    yield* Real.materialise(image, root)
    const wrong = yield* Survivor.examine(placeOn(fs, root), root, ledger, Memory.none)
    tally.findings.push(...wrong.map((what) => `${name}, on a real disk: ${what}`))
  }
  const next = (yield* oneIn(options.again)) ? Option.some(Crash.crash(image, everything)) : Option.none()
  const wrong = yield* Survivor.examine(placeOn(Volume.mount(image), root), root, ledger, memory)
  tally.findings.push(...wrong.map((what) => `${name}: ${what}`))
  if (Option.isSome(next) && wrong.length === 0) yield* strikeAgain(next.value, root, name, options, around, tally)
})

/** Fails the power after every call of a recording. */
const strike = Effect.fnUntraced(function*(
  recording: Recording,
  options: Options,
  around: World.Around,
  tally: Tally
) {
  const dice = yield* Random.Random
  const { name, root, steps } = recording
  const disk = Crash.crash(recording.before, everything)
  const replay = Replay.onto<Ledger.Ledger>(disk)
  const tried = new Set<string>()
  const memory = Memory.make()
  let ledger: Ledger.Ledger = new Map()
  let promises = 0
  for (const [number, step] of steps.entries()) {
    const replayed = replay(step)
    const moment = `${name}, step ${number} (${Trace.format(step)})`
    if (Result.isFailure(replayed)) {
      tally.findings.push(`${moment} can't be replayed: ${replayed.failure}`)
      return
    }
    if (step._tag === "Mark") {
      ledger = step.mark
      promises++
    } else if (Trace.isChange(step)) tally.calls++
    else continue
    for (const fate of Crash.fates(dice, options.subsets)) {
      if (!(yield* oneIn(options.every))) continue
      const image = Crash.crash(disk, fate)
      const key = `${promises} ${Crash.fingerprint(image.root)}`
      if (tried.has(key)) continue
      tried.add(key)
      const at = { name: `${moment}, ${fate.name}`, root, ledger, memory: memory(image) }
      yield* tryImage(image, at, options, around, tally)
    }
  }
})

/** The next process goes on where the power failed, and it fails again. */
const strikeAgain = Effect.fnUntraced(function*(
  before: Disk.Disk,
  root: string,
  name: string,
  options: Options,
  around: World.Around,
  tally: Tally
) {
  const again = `${name}, and again`
  const disk = Crash.crash(before, everything)
  const ledger = yield* Effect.orDie(relyOn(before, root))
  const world = World.make({ place: placeOn(Volume.mount(disk), root), root, around, ledger, from: 1_000_000 })
  yield* History.live(world, { steps: 3 })
  tally.findings.push(...world.findings.map((what) => `${again}: ${what}`))
  const second: Tally = { ...none(), findings: tally.findings }
  yield* strike(
    { name: again, root, steps: world.steps, before },
    { ...options, subsets: 2, every: 4, real: 0, again: 0 },
    around,
    second
  )
  tally.secondImages += second.images
})

const none = (): Tally => ({ calls: 0, images: 0, realImages: 0, secondImages: 0, findings: [] })

/** One history, recorded on a real disk; the trace of it has to come to the same bytes. */
const record = Effect.fnUntraced(function*(
  name: string,
  around: World.Around,
  live: (world: World.World) => Effect.Effect<void>
) {
  const fs = yield* FileSystem.FileSystem
  const memory = "/dev/shm"
  const directory = (yield* fs.exists(memory)) ? { directory: memory } : {}
  const root = yield* fs.realPath(yield* fs.makeTempDirectoryScoped({ ...directory, prefix: "reprise-power-" }))
  const projects = History.projects.map((project) => `${root}/${project}`)
  for (const project of projects) yield* fs.makeDirectory(project)
  const world = World.make({ place: placeOn(fs, root), root, around, ledger: new Map(), from: 0 })
  yield* live(world)
  const recording: Recording = { name, root, steps: world.steps, before: Real.diskWith(projects) }
  const disk = Crash.crash(recording.before, everything)
  const replay = Replay.onto<Ledger.Ledger>(disk)
  for (const step of recording.steps) replay(step)
  const findings = [...world.findings, ...(yield* Real.differences(disk, root))].map((what) => `${name}: ${what}`)
  return { recording, findings }
})

/** The first few of each history, and how many more there are. */
const shortened = (findings: ReadonlyArray<string>, name: string): Array<string> =>
  findings.length <= 8 ? [...findings] : [...findings.slice(0, 8), `${name}: and ${findings.length - 8} more`]

/** A recorded history, and the power failing all the way through it. */
const lose = (
  name: string,
  options: Options,
  around: World.Around,
  live: (world: World.World) => Effect.Effect<void>
) =>
  Effect.gen(function*() {
    const { findings, recording } = yield* record(name, around, live)
    const tally = { ...none(), findings: [...findings] }
    yield* strike(recording, options, around, tally)
    return { ...tally, findings: shortened(tally.findings, name) }
  }).pipe(Effect.scoped)

const sum = (tallies: ReadonlyArray<Tally>): Tally => {
  const total = none()
  for (const tally of tallies) {
    total.calls += tally.calls
    total.images += tally.images
    total.realImages += tally.realImages
    total.secondImages += tally.secondImages
    total.findings.push(...tally.findings)
  }
  return total
}

/** Histories from dice of their own each, and the power failing all the way through them. */
export const run = Effect.fnUntraced(function*(options: Options, around: World.Around = (fs) => fs) {
  const seed = yield* Random.nextInt
  const numbers = Array.from({ length: options.histories }, (_, index) => options.first + index)
  return sum(
    yield* Effect.forEach(
      numbers,
      (number) =>
        lose(`history ${number}`, options, around, (world) => History.live(world, options)).pipe(
          Random.withSeed(`${seed} ${number}`)
        )
    )
  )
})

/**
 * What one process is killed in, at one in `every` of the changes that it makes, and what the next one does then;
 * one in so many `crashes` is tried.
 */
export const handOvers = Effect.fnUntraced(function*(options: { readonly every: number; readonly crashes: number }) {
  const tallies: Array<Tally> = []
  for (const handOver of HandOver.all) {
    let isOver = false
    for (let changes = 0; !isOver; changes++) {
      if (!(yield* oneIn(options.every))) {
        isOver = changes > HandOver.mostChanges
        continue
      }
      const name = `${handOver.name}, killed before change ${changes}`
      const crashes = { histories: 1, first: 0, steps: 0, subsets: 1, every: options.crashes, real: 0, again: 0 }
      tallies.push(
        yield* lose(
          name,
          crashes,
          (fs) => fs,
          (world) =>
            Effect.map(HandOver.live(world, handOver, changes), (wasKilled) => {
              isOver = !wasKilled
            })
        )
      )
    }
  }
  return { ...sum(tallies), handOvers: tallies.length }
})
