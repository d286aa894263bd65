/** Time that has passed, for whoever can't wait. */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"

/** Runs an effect with the clock as it will be in so many days. */
export const inDays = <A, E, R>(days: number, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.flatMap(Clock.Clock, (clock) => {
    const later = days * 24 * 60 * 60 * 1000
    const shifted: Clock.Clock = {
      sleep: (duration) => clock.sleep(duration),
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + later,
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (millis) => millis + later),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(later) * 1_000_000n,
      currentTimeNanos: Effect.map(clock.currentTimeNanos, (nanos) => nanos + BigInt(later) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos
    }
    return Effect.provideService(effect, Clock.Clock, shifted)
  })
