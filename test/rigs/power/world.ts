/**
 * Processes over one recorded file system, and a ledger of what they were
 * promised: each entry of it stands in the trace where it was made.
 */
import { Cause, Effect, Exit, type FileSystem, Option, Random, Stream } from "effect"
import { type RunningSession, type SessionList, Sessions } from "../../../src/index.ts"
import * as Trace from "../trace.ts"
import type * as Ledger from "./ledger.ts"
import * as Process from "./process.ts"

export type Step = Trace.Step<Ledger.Ledger>

/** A session that runs, and where. */
export interface Handle {
  readonly process: Process.Process
  readonly session: RunningSession
}

export interface World {
  readonly place: Process.Place
  readonly root: string
  readonly steps: Array<Step>
  readonly findings: Array<string>
  readonly running: Map<string, Handle>
  readonly ledger: () => Ledger.Ledger
  /** Writes down what is promised from here on. */
  readonly say: (label: string, change: (before: Ledger.Expected) => Ledger.Expected) => void
  readonly start: Effect.Effect<Process.Process>
  readonly processes: Array<Process.Process>
  /** A number that was not there before. */
  readonly next: () => number
}

/** How a mutant changes the file system that the library sees. */
export type Around = (fs: FileSystem.FileSystem) => FileSystem.FileSystem

const unknown = (label: string): Ledger.Expected => ({
  label,
  id: undefined,
  places: ["absent"],
  pictures: [],
  attempt: undefined,
  acknowledged: 0,
  isClosed: false
})

export const make = (options: {
  /** Its file system is recorded. */
  readonly place: Process.Place
  readonly root: string
  readonly around: Around
  /** What was promised before. */
  readonly ledger: Ledger.Ledger
  /** Above all numbers that were used before. */
  readonly from: number
}): World => {
  const steps: Array<Step> = []
  const processes: Array<Process.Process> = []
  const place = { ...options.place, fs: Trace.recordInto(steps)(options.place.fs) }
  let { from, ledger } = options
  steps.push({ _tag: "Mark", mark: ledger })
  return {
    place,
    root: options.root,
    steps,
    findings: [],
    running: new Map(),
    processes,
    ledger: () => ledger,
    say: (label, change) => {
      ledger = new Map(ledger).set(label, change(ledger.get(label) ?? unknown(label)))
      steps.push({ _tag: "Mark", mark: ledger })
    },
    start: Effect.tap(
      Process.start(place, options.around),
      (process) => Effect.sync(() => processes.push(process))
    ),
    next: () => from++
  }
}

/** Does something that has to succeed: none if the process is killed meanwhile, or if it fails. */
export const does = <A, E>(
  world: World,
  process: Process.Process,
  what: string,
  effect: Parameters<typeof process.run<A, E>>[0]
): Effect.Effect<Option.Option<A>> =>
  Effect.map(
    process.run(effect),
    Option.flatMap((exit) => {
      if (Exit.isFailure(exit)) world.findings.push(`${what} failed: ${Cause.pretty(exit.cause).slice(0, 600)}`)
      return Exit.getSuccess(exit)
    })
  )

/** Ends a process between two of its calls. */
export const bury = (world: World, process: Process.Process): void => {
  process.kill()
  world.processes.splice(world.processes.indexOf(process), 1)
  for (const [label, handle] of world.running) if (handle.process === process) world.running.delete(label)
}

export const oneOf = <A>(first: A, ...others: ReadonlyArray<A>): Effect.Effect<A> =>
  Effect.map(Random.nextIntBetween(0, others.length), (index) => [first, ...others][index] ?? first)

export const everything = Stream.runCollect(
  Sessions.list({ status: ["closed", "running", "interrupted", "elsewhere", "removed"] })
)

/** The first word of its name. */
export const labelOf = (name: string): string => name.split(" ")[0] ?? name

/** What a process sees, by label. What nobody acknowledged is found by its name, or was never made. */
export const look = Effect.fnUntraced(function*(world: World, process: Process.Process) {
  const found = yield* does(world, process, "list", everything)
  if (Option.isNone(found)) return Option.none()
  const seen = new Map<string, SessionList.Stored>()
  for (const entry of found.value) {
    if (entry._tag === "Stored") seen.set(labelOf(entry.name), entry)
    else world.findings.push(`it lists ${entry.name} as ${entry._tag}: ${entry.error.message}`)
  }
  for (const { id, label, places } of world.ledger().values()) {
    const entry = seen.get(label)
    if (entry !== undefined && id === undefined) world.say(label, (before) => ({ ...before, id: entry.id }))
    if (entry === undefined && id === undefined && places.length > 1) {
      world.say(label, (before) => ({ ...before, places: ["absent"] }))
    }
    if (entry === undefined && !places.includes("absent")) world.findings.push(`${label} is not listed`)
  }
  return Option.some(seen)
})

/** Lets go of all processes, without another call. */
export const end = (world: World): Effect.Effect<void> =>
  Effect.forEach(world.processes, (process) => process.dispose, { discard: true })
