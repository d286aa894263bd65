/**
 * Every call of every operation, failing in every way that a disk has, one at a
 * time and in pairs.
 */
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, Random } from "effect"
import * as Disk from "./disk.ts"
import * as Errno from "./errno.ts"
import type { Operation } from "./operations.ts"
import { operations } from "./operations.ts"
import * as Trial from "./trial.ts"
import type { BootOptions, MakeWorld, Mutant } from "./world.ts"
import { makeWorlds } from "./world.ts"

export interface Options {
  /** Only every so many of the failures. */
  readonly every: number
  /** Pairs of failures for each operation. */
  readonly pairs: number
  /** All operations by default. */
  readonly only?: ReadonlyArray<string>
  readonly mutant?: Mutant
}

const isLie = ({ fault }: Disk.Strike): boolean =>
  (fault._tag === "Instead" || fault._tag === "After") && Errno.isAboutNames(fault.code)

const isForGood = ({ fault }: Disk.Strike): boolean => fault._tag === "Onwards"

const tryWith = (
  operation: Operation,
  makeWorld: MakeWorld,
  boot: BootOptions,
  strikes: ReadonlyArray<Disk.Strike>
) =>
  Effect.map(
    Trial.run({
      operation,
      makeWorld,
      boot,
      strikes,
      terms: {
        isStrict: strikes.length <= 1 && !strikes.some(isForGood),
        isLiedTo: strikes.some(isLie),
        isForGood: strikes.some(isForGood),
        mayDie: strikes.some(({ fault }) => fault._tag === "Dies")
      },
      disturb: Effect.exit
    }),
    ({ calls, ending, findings }) => ({
      calls,
      ending,
      findings: findings.map((what) =>
        `${operation.name}, ${strikes.map(Disk.format).join(" and ")}${where(calls, strikes)}: ${what}`
      )
    })
  )

const where = (calls: ReadonlyArray<Disk.Call>, strikes: ReadonlyArray<Disk.Strike>): string => {
  const names = strikes.flatMap(({ number }) => {
    const call = calls[number]
    return call === undefined
      ? []
      : [`${call.method} ${call.path.replace(/^.*\/world\.\d+/, "").replace(/[0-9a-f-]{30,}/g, "…")}`]
  })
  return names.length === 0 ? "" : ` (${names.join(", ")})`
}

const pick = <A>(all: readonly [A, ...ReadonlyArray<A>] | ReadonlyArray<A>) =>
  Effect.map(Random.nextIntBetween(0, all.length, { halfOpen: true }), (index) => all.slice(index, index + 1))

/** Two failures, the second also of calls that are only made because of the first. */
const samplePair = Effect.fnUntraced(function*(calls: ReadonlyArray<Disk.Call>) {
  const first = yield* Random.nextIntBetween(0, calls.length, { halfOpen: true })
  const second = yield* Random.nextIntBetween(first + 1, calls.length + 10)
  const faultAt = (number: number) =>
    Effect.map(
      pick(Disk.faultsOf(calls[number] ?? { method: "lstat", path: "" })),
      (faults) => faults.map((fault): Disk.Strike => ({ number, fault }))
    )
  return [...(yield* faultAt(first)), ...(yield* faultAt(second))]
})

const tryOperation = Effect.fnUntraced(function*(operation: Operation, makeWorld: MakeWorld, options: Options) {
  const mutant = options.mutant ?? {}
  const undisturbed = yield* tryWith(operation, makeWorld, { mutant }, [])
  const { calls } = undisturbed
  const singles = calls.flatMap((call, number) => Disk.faultsOf(call).map((fault) => [{ number, fault }]))
  const offset = yield* Random.nextIntBetween(0, options.every, { halfOpen: true })
  const pairs = yield* Effect.forEach(Array.from({ length: options.pairs }), () => samplePair(calls))
  const plans = [...singles.filter((_, index) => index % options.every === offset), ...pairs]
  const trials = yield* Effect.forEach(
    plans,
    (strikes, index) =>
      tryWith(operation, makeWorld, { mutant, ...(index % 10 === 0 ? { files: NodeFileSystem.layer } : {}) }, strikes),
    { concurrency: 4 }
  )
  return {
    calls: calls.length,
    trials: trials.length,
    failed: trials.filter(({ ending }) => ending._tag === "Failed").length,
    findings: [undisturbed, ...trials].flatMap(({ findings }) => findings)
  }
})

export const run = Effect.fnUntraced(function*(options: Options) {
  const makeWorld = yield* makeWorlds
  const tried = yield* Effect.forEach(
    operations.filter(({ name }) => options.only?.includes(name) ?? true),
    (operation) => tryOperation(operation, makeWorld, options)
  )
  const sum = (count: (one: typeof tried[number]) => number) => tried.reduce((total, one) => total + count(one), 0)
  return {
    operations: tried.length,
    calls: sum(({ calls }) => calls),
    trials: sum(({ trials }) => trials),
    failed: sum(({ failed }) => failed),
    findings: tried.flatMap(({ findings }) => findings)
  }
}, Effect.scoped)
