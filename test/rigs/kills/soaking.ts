/**
 * One process that resumes, adds to and closes sessions for a long time, and
 * what that costs it: descriptors, leases, memory, files.
 */
import { Effect, FileSystem, Option, Random } from "effect"
import * as NodeFs from "node:fs"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { type SessionId, Sessions } from "../../../src/index.ts"
import * as Aftermath from "../aftermath.ts"
import type { Mutant } from "../mutants/broken.ts"
import * as Places from "../places.ts"
import * as Process from "./process.ts"

/** A session is given up for a new one after so many cycles, so that none grows without end. */
const cyclesEach = 50

/** What memory may grow by between the first look and the last. */
const maxGrowth = 4 * 1024 * 1024

const isCollector = (value: unknown): value is () => void => typeof value === "function"

/** Node's own, which only contexts have that are made after it was asked for. */
const collector = (): unknown => {
  setFlagsFromString("--expose-gc")
  return runInNewContext("gc")
}

/** What a process holds at one moment. */
interface Holdings {
  readonly descriptors: number
  readonly leases: number
  readonly bytes: number
}

const holdings = Effect.gen(function*() {
  const collect = collector()
  if (!isCollector(collect)) return yield* Effect.die(new Error("there is no way to collect garbage"))
  for (let round = 0; round < 3; round++) {
    collect()
    // What is finalized is let go of in a later turn.
    yield* Effect.sleep("5 millis")
  }
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  const held: Holdings = {
    descriptors: NodeFs.readdirSync("/proc/self/fd").length,
    leases: globalThis.effectRepriseHeldLeases?.size ?? 0,
    bytes: heapUsed + arrayBuffers
  }
  return held
})

const inMiB = (bytes: number): string => `${(bytes / 1024 / 1024).toFixed(1)} MiB`

const create = (project: string) =>
  Effect.tap(Sessions.create({ project, config: Places.config }), ({ id }) => Sessions.close(id))

/** Gives up a session for ever and makes another one. */
const replace = Effect.fnUntraced(function*(before: Option.Option<SessionId.SessionId>, project: string) {
  if (Option.isSome(before)) yield* Effect.andThen(Sessions.remove(before.value), Sessions.purge(before.value))
  return (yield* create(project)).id
})

/** Resumes, adds a message and closes; says what is wrong with what it then has. */
const cycle = Effect.fnUntraced(function*(id: SessionId.SessionId, number: number) {
  const session = yield* Sessions.resume(id)
  const { conversation } = yield* session.state
  const length = yield* Random.nextIntBetween(1, 2000)
  yield* session.append({ role: "user", content: "x".repeat(length) })
  yield* session.replaceTodos([{ content: `${number}`, status: "pending", activeForm: "soaking" }])
  yield* Sessions.close(id)
  const expected = number % cyclesEach
  return conversation.length === expected
    ? []
    : [`cycle ${number} found ${conversation.length} messages, not ${expected}`]
})

const judge = (early: Holdings, late: Holdings): ReadonlyArray<string> => [
  ...late.descriptors === early.descriptors
    ? []
    : [`${early.descriptors} descriptors were open, and ${late.descriptors} are`],
  ...late.leases === 0 ? [] : [`it thinks that it holds ${late.leases} leases`],
  ...late.bytes - early.bytes <= maxGrowth ? [] : [`memory grew from ${inMiB(early.bytes)} to ${inMiB(late.bytes)}`]
]

/** So many cycles. What they cost is looked at after a tenth of them, and at the end. */
export const soak = Effect.fnUntraced(function*(options: { readonly cycles: number; readonly mutant?: Mutant }) {
  const fs = yield* FileSystem.FileSystem
  const places = yield* Aftermath.workspace
  return yield* Effect.gen(function*() {
    const findings: Array<string> = []
    let id = Option.none<SessionId.SessionId>()
    let early: Holdings | undefined
    for (let number = 0; number < options.cycles; number++) {
      if (number === Math.floor(options.cycles / 10)) early = yield* holdings
      if (number % cyclesEach === 0) id = Option.some(yield* replace(id, places.project))
      if (Option.isSome(id)) findings.push(...yield* cycle(id.value, number))
    }
    const late = yield* holdings
    findings.push(...judge(early ?? late, late))
    yield* Sessions.cleanup()
    for (const name of yield* fs.readDirectory(places.sessions)) {
      if (Option.contains(id, name)) findings.push(...yield* Aftermath.unlike(places, name, "closed"))
      else findings.push(`${name} survived`)
    }
    findings.push(...yield* Aftermath.strays(places))
    const counts = `${options.cycles} cycles, ${late.descriptors} descriptors, ` +
      `${inMiB(early?.bytes ?? 0)} after a tenth of them and ${inMiB(late.bytes)} at the end`
    return { findings, counts }
  }).pipe(Effect.provide(Process.layer(places, { mutant: options.mutant }), { local: true }))
}, Effect.scoped)
