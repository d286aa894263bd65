/**
 * Interrupts an operation's fiber at every step at which it could yield, and
 * while every single call to the file system is under way.
 */
import { NodeFileSystem } from "@effect/platform-node"
import { Effect, Fiber, Random, Scheduler } from "effect"
import type * as Disk from "./disk.ts"
import { type Operation, operations } from "./operations.ts"
import * as Trial from "./trial.ts"
import { type BootOptions, type MakeWorld, makeWorlds, type Mutant } from "./world.ts"

export interface Options {
  /** Only every so many of the steps, and of the calls. */
  readonly every: number
  readonly only?: ReadonlyArray<string>
  readonly mutant?: Mutant
}

/** When the fiber is interrupted: at a step of the run loop, or while a call is under way. */
interface Moment {
  readonly kind: "step" | "call"
  readonly number: number
}

/** Asks for no yields of its own, but sees each place for one, in whatever fiber. */
class Interrupter extends Scheduler.MixedScheduler {
  target: Fiber.Fiber<unknown, unknown> | undefined
  steps = 0
  readonly moment: Moment | undefined

  constructor(moment: Moment | undefined) {
    super()
    this.moment = moment
  }

  override shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    const { target } = this
    if (target === undefined) return super.shouldYield(fiber)
    const isNow = this.moment?.kind === "step" && this.moment.number === this.steps
    this.steps++
    if (isNow) target.interruptUnsafe()
    return isNow || super.shouldYield(fiber)
  }
}

/** Runs an operation in a fiber that is interrupted at a moment. */
const interruptAt = (scheduler: Interrupter) => <A, E>(act: Effect.Effect<A, E>, disk: Disk.Disk) =>
  Effect.gen(function*() {
    const { moment } = scheduler
    const fiber = yield* Effect.forkChild(act)
    scheduler.target = fiber
    if (moment?.kind === "call") {
      // The fiber waits for the call by the time a microtask runs.
      disk.watch((_call, number) => number === moment.number && queueMicrotask(() => fiber.interruptUnsafe()))
    }
    const exit = yield* Fiber.await(fiber)
    scheduler.target = undefined
    return exit
  })

/** Steps that the run loop takes from the last finalizer of an operation to its caller, a few of which may come late. */
const lastSteps = 8

const tryAt = Effect.fnUntraced(function*(
  operation: Operation,
  makeWorld: MakeWorld,
  boot: BootOptions,
  moment: Moment | undefined,
  steps = Number.POSITIVE_INFINITY
) {
  const scheduler = new Interrupter(moment)
  const { calls, ending, findings } = yield* Trial.run({
    operation,
    makeWorld,
    boot,
    strikes: [],
    terms: {
      isStrict: true,
      isLiedTo: false,
      isAtEnd: moment?.kind === "step" && moment.number >= steps - lastSteps
    },
    disturb: interruptAt(scheduler)
  }).pipe(Effect.provideService(Scheduler.Scheduler, scheduler))
  const where = moment === undefined ? "undisturbed" : `interrupted at ${moment.kind} ${moment.number}`
  return {
    steps: scheduler.steps,
    calls: calls.length,
    ending,
    findings: findings.map((what) => `${operation.name}, ${where}: ${what}`)
  }
})

const tryOperation = Effect.fnUntraced(function*(operation: Operation, makeWorld: MakeWorld, options: Options) {
  const mutant = options.mutant ?? {}
  const undisturbed = yield* tryAt(operation, makeWorld, { mutant }, undefined)
  const offset = yield* Random.nextIntBetween(0, options.every, { halfOpen: true })
  const upTo = (kind: Moment["kind"], count: number) =>
    Array.from({ length: count }, (_, number): Moment => ({ kind, number }))
      .filter(({ number }) => number % options.every === offset)
  const trials = yield* Effect.forEach(
    [...upTo("step", undisturbed.steps), ...upTo("call", undisturbed.calls)],
    (moment) =>
      tryAt(
        operation,
        makeWorld,
        { mutant, ...(moment.kind === "call" ? { files: NodeFileSystem.layer } : {}) },
        moment,
        undisturbed.steps
      ),
    { concurrency: 4 }
  )
  return {
    steps: undisturbed.steps,
    trials: trials.length,
    interrupted: trials.filter(({ ending }) => ending._tag === "Interrupted").length,
    findings: [undisturbed, ...trials].flatMap(({ findings }) => findings)
  }
})

/** The operations that acquire or hold something. */
const interruptible = [
  "create",
  "append",
  "first append",
  "checkpoint",
  "close",
  "resume closed",
  "resume interrupted",
  "take over",
  "rename closed",
  "rename interrupted",
  "remove",
  "restore",
  "purge"
]

export const run = Effect.fnUntraced(function*(options: Options) {
  const makeWorld = yield* makeWorlds
  const names = options.only ?? interruptible
  const tried = yield* Effect.forEach(
    operations.filter(({ name }) => names.includes(name)),
    (operation) => tryOperation(operation, makeWorld, options)
  )
  const sum = (count: (one: typeof tried[number]) => number) => tried.reduce((total, one) => total + count(one), 0)
  return {
    operations: tried.length,
    steps: sum(({ steps }) => steps),
    trials: sum(({ trials }) => trials),
    interrupted: sum(({ interrupted }) => interrupted),
    findings: tried.flatMap(({ findings }) => findings)
  }
}, Effect.scoped)
