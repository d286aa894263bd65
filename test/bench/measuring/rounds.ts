/**
 * Times subjects in alternation, so that what else the machine does falls on
 * all of them.
 */
import { Array as Arr, Effect } from "effect"

/** Counts the time of what it is handed. */
export type Time = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

/** One repetition of what is measured: only what it hands to `time` counts. */
export type Subject = (time: Time) => Effect.Effect<unknown, unknown>

/** A subject all of which counts. */
export const whole = (effect: Effect.Effect<unknown, unknown>): Subject => (time) => time(effect)

export interface Options {
  readonly rounds: number
  /** How long a round lasts, at least, where `maxLaps` repetitions come to that. */
  readonly roundMillis: number
  /** How long everything runs before it counts, at least, so that the compiler has seen it and files are at rest. */
  readonly warmMillis: number
  /** How often everything runs before it counts, where that takes no longer than three times as long. */
  readonly warmLaps: number
  readonly minLaps: number
  readonly maxLaps: number
}

/** Milliseconds: by the clock, and of the processor in all threads. */
export interface Spent {
  readonly wall: number
  readonly cpu: number
}

/**
 * What one repetition took, round by round: the fastest of the round's laps,
 * since what else the machine does only ever adds.
 */
export type Laps = ReadonlyArray<Spent>

/** One after the other, as if they were one. */
export const sum = (self: Laps, that: Laps): Laps =>
  Arr.zipWith(self, that, (one, other) => ({ wall: one.wall + other.wall, cpu: one.cpu + other.cpu }))

const cpuMillis = (): number => {
  const { system, user } = process.cpuUsage()
  return (user + system) / 1000
}

const lap = Effect.fnUntraced(function*(subject: Subject) {
  let spent: Spent = { wall: 0, cpu: 0 }
  yield* subject((effect) =>
    Effect.suspend(() => {
      const cpu = cpuMillis()
      const begun = performance.now()
      return Effect.tap(effect, () =>
        Effect.sync(() => {
          const wall = performance.now() - begun
          spent = { wall: spent.wall + wall, cpu: spent.cpu + cpuMillis() - cpu }
        }))
    })
  )
  return spent
})

/** One repetition of each, in this order or the other way round. */
const turn = Effect.fnUntraced(function*(subjects: ReadonlyArray<Subject>, isReversed: boolean) {
  const spent = yield* Effect.forEach(isReversed ? subjects.toReversed() : subjects, lap)
  return isReversed ? spent.toReversed() : spent
})

const fastest = (laps: ReadonlyArray<Spent>): Spent => ({
  wall: Math.min(...laps.map(({ wall }) => wall)),
  cpu: Math.min(...laps.map(({ cpu }) => cpu))
})

/** What each subject took, in the order of the subjects. */
export const alternate = Effect.fnUntraced(function*(subjects: ReadonlyArray<Subject>, options: Options) {
  let once = 0
  const isWarm = (count: number, warmed: number) =>
    count > 0 && warmed >= options.warmMillis && (count >= options.warmLaps || warmed >= 3 * options.warmMillis)
  for (let warmed = 0, count = 0; !isWarm(count, warmed); warmed += once, count++) {
    once = (yield* turn(subjects, count % 2 === 1)).reduce((sum, { wall }) => sum + wall, 0)
  }
  const laps = Math.max(options.minLaps, Math.min(options.maxLaps, Math.ceil(options.roundMillis / once)))
  const rounds: Array<ReadonlyArray<Spent>> = []
  for (let round = 0; round < options.rounds; round++) {
    const turns: Array<ReadonlyArray<Spent>> = []
    for (let lap = 0; lap < laps; lap++) turns.push(yield* turn(subjects, (round + lap) % 2 === 1))
    rounds.push(subjects.map((_, subject) => fastest(turns.flatMap((turn) => turn[subject] ?? []))))
  }
  return subjects.map((_, subject): Laps => rounds.flatMap((round) => round[subject] ?? []))
})
