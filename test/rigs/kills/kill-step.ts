/**
 * Kills a real process before and after file-system calls of every operation,
 * and looks at what each kill leaves.
 */
import { Effect, Random } from "effect"
import * as Aftermath from "../aftermath.ts"
import { type Operation, operations } from "./situations.ts"

const moments = ["before", "after"] as const

interface Result {
  readonly operation: Operation
  readonly kills: number
  readonly findings: ReadonlyArray<string>
}

const counted = (results: ReadonlyArray<Result>) => {
  const kills = results.reduce((sum, { kills }) => sum + kills, 0)
  return {
    kills,
    counts: `${kills} kills: ${results.map(({ kills, operation }) => `${operation} ${kills}`).join(", ")}`,
    findings: results.flatMap(({ findings }) => findings)
  }
}

/** Before and after each call, until none is left; or until something is wrong. */
const everyStepOf = Effect.fnUntraced(
  function*(operation: Operation, options: { readonly every: number; readonly mutant?: string | undefined }) {
    const findings: Array<string> = []
    let kills = 0
    for (let number = 0;; number += options.every) {
      for (const moment of moments) {
        const kill = yield* Aftermath.killAt({ operation, number, moment, mutant: options.mutant })
        kills++
        findings.push(...kill.findings)
        const isOver = kill.calls !== undefined && kill.calls <= number
        if (isOver || findings.length > 0) return { operation, kills, findings }
      }
    }
  }
)

/** Kills at every `every`-th call, both before and after it. An operation ends with its first finding. */
export const killAtEveryStep = (options: {
  readonly every: number
  readonly operations?: ReadonlyArray<Operation>
  readonly mutant?: string
}) =>
  Effect.map(
    Effect.forEach(options.operations ?? operations, (operation) => everyStepOf(operation, options), {
      concurrency: 2
    }),
    counted
  )

/** Kills when an operation has just ended, and at some of its calls. */
const someStepsOf = Effect.fnUntraced(function*(operation: Operation, steps: number) {
  const last = yield* Aftermath.killAt({ operation, number: -1, moment: "after" })
  const all = Array.from({ length: last.calls ?? 0 }, (_, number) => moments.map((moment) => ({ number, moment })))
  const drawn = (yield* Random.shuffle(all.flat())).slice(0, steps)
  const kills = yield* Effect.forEach(drawn, (step) => Aftermath.killAt({ operation, ...step }))
  return { operation, kills: kills.length + 1, findings: [last, ...kills].flatMap(({ findings }) => findings) }
})

/** Kills at the end of every operation and at so many of its calls, drawn by Random. */
export const killAtSomeSteps = (options: { readonly steps: number }) =>
  Effect.gen(function*() {
    // Drawn before: what runs at the same time draws in an order of its own.
    const seeded = yield* Effect.forEach(operations, (operation) =>
      Effect.map(Random.nextIntBetween(0, 2 ** 31), (seed) =>
        Random.withSeed(someStepsOf(operation, options.steps), seed)))
    return counted(yield* Effect.all(seeded, { concurrency: 2 }))
  })
