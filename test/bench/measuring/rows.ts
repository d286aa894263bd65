/** One measured number, what it must be, and whether it is. */
import { Array as Arr, Effect, Schema } from "effect"
import * as Rounds from "./rounds.ts"

/** Over paired rounds. */
export const Spread = Schema.Struct({ median: Schema.Finite, min: Schema.Finite, max: Schema.Finite })
export type Spread = typeof Spread.Type

/** Medians over the paired rounds, in milliseconds. */
const Millis = Schema.Struct({ floor: Schema.Finite, taken: Schema.Finite })

/**
 * `value` is in `unit`: multiples of a floor (L, S, A, I) or of something else
 * that was measured beside it (x), milliseconds, MiB, or a count. `must` and
 * `aim` are the most it may be, where there is such a limit. `cpu` is the value of
 * processor time, which nobody judges: it tells what of a bad value is the machine's.
 */
export const Row = Schema.Struct({
  operation: Schema.String,
  of: Schema.String,
  variant: Schema.String,
  value: Spread,
  unit: Schema.String,
  must: Schema.optionalKey(Schema.Finite),
  aim: Schema.optionalKey(Schema.Finite),
  millis: Schema.optionalKey(Millis),
  cpu: Schema.optionalKey(Schema.Finite)
})
export type Row = typeof Row.Type

/** The most a number may be, and what it is hoped to be. */
export interface Limit {
  readonly must?: number
  readonly aim?: number
}

/** What a row is called. */
export interface Title {
  readonly operation: string
  readonly of: string
  readonly variant: string
}

export const spread = (values: ReadonlyArray<number>): Spread => {
  const sorted = values.toSorted((one, other) => one - other)
  return {
    median: ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2,
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0
  }
}

/** How much over its must a number may be before the run fails: a shared machine is never quiet. */
export const slack = 1.25

export type Verdict = "aim" | "must" | "slack" | "FAILED" | ""

export const judge = ({ aim, must, value: { median } }: Row): Verdict => {
  if (aim !== undefined && median <= aim) return "aim"
  if (must === undefined) return ""
  if (median <= must) return "must"
  return median <= must * slack ? "slack" : "FAILED"
}

/** How the numbers of a round, the floor's and the contender's, come to one. */
export type Relation = (taken: number, floor: number) => number

const ratio: Relation = (taken, floor) => taken / floor

export const difference: Relation = (taken, floor) => taken - floor

/** A contender, and the row that it makes. */
export interface Contender {
  readonly title: Title & Limit
  readonly subject: Rounds.Subject
}

/** The row that a subject's laps make against those of a floor. */
export const compare = (
  title: Title & Limit,
  { relation = ratio, unit }: { readonly unit: string; readonly relation?: Relation },
  taken: Rounds.Laps,
  floor: Rounds.Laps
): Row => {
  const valueOf = (clock: keyof Rounds.Spent) =>
    spread(Arr.zipWith(taken, floor, (taken, floor) => relation(taken[clock], floor[clock])))
  const wallOf = (laps: Rounds.Laps) => spread(laps.map(({ wall }) => wall)).median
  return {
    ...title,
    unit,
    value: valueOf("wall"),
    cpu: valueOf("cpu").median,
    millis: { floor: wallOf(floor), taken: wallOf(taken) }
  }
}

/** Runs a floor and its contenders in alternation: a row for each contender. */
export const against = Effect.fnUntraced(function*(
  floor: { readonly unit: string; readonly subject: Rounds.Subject },
  contenders: ReadonlyArray<Contender>,
  options: Rounds.Options
) {
  const [base = [], ...others] = yield* Rounds.alternate(
    [floor.subject, ...contenders.map(({ subject }) => subject)],
    options
  )
  return Arr.zipWith(contenders, others, ({ title }, taken) => compare(title, floor, taken, base))
})
