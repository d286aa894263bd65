/**
 * A holder's heartbeat: it says to the database that it lives, and knows when it
 * can no longer be sure that the database heard it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/** A moment on the clock that never goes back, in milliseconds. */
export const currentMoment: Effect.Effect<number> = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/** The database's clock goes on, whatever a test's does. */
const live = Effect.provideService(Clock.Clock, Clock.Clock.defaultValue())

/** Leaves to itself what takes longer: a database that doesn't answer holds nobody up for ever. */
export const noLongerThan = (limit: Duration.Duration) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(
    Effect.forkDetach(effect),
    (fiber) => Fiber.await(fiber).pipe(Effect.interruptible, Effect.timeoutOption(limit), live, Effect.asVoid)
  )

interface Heartbeat {
  /** What renews the lease when it succeeds. */
  readonly renewing: <A, E, R>(change: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/**
 * Beats until the scope closes.
 *
 * **Details**
 *
 * A lease that was renewed lasts for `leaseFor` from the moment at which that was
 * asked for, at the latest. When nothing has come back since, somebody else may
 * have the session: that is `onSilence`, once. A statement that never comes back
 * holds nothing up.
 */
export const make = Effect.fnUntraced(function*(options: {
  readonly leaseFor: Duration.Duration
  /** When the lease was asked for that is held. */
  readonly since: number
  /** Renews the lease, and does nothing else; fails where it did not. */
  readonly beat: Effect.Effect<void, unknown>
  readonly onSilence: Effect.Effect<void>
}) {
  const { beat, leaseFor, onSilence } = options
  const lasts = Duration.toMillis(leaseFor)
  // Moments are of one clock, also where a beat waits on another.
  const moment = Effect.provideService(currentMoment, Clock.Clock, yield* Clock.Clock)
  /** The latest moment at which a renewal was asked for that is known to have counted. */
  let renewed = options.since
  /** Whether the lease was renewed since the last beat was due. */
  let isFresh = true

  const renewing: Heartbeat["renewing"] = (change) =>
    Effect.flatMap(moment, (asked) =>
      Effect.tap(change, () =>
        Effect.sync(() => {
          renewed = Math.max(renewed, asked)
          isFresh = true
        })))

  /** A beat that nobody waits for, and which is given up when it is too late. */
  const begin = beat.pipe(renewing, Effect.timeout(leaseFor), live, Effect.forkScoped)

  const beatUnlessFresh = Effect.suspend(() => {
    if (!isFresh) return Effect.asVoid(begin)
    isFresh = false
    return Effect.void
  })

  /** How much of the time that the lease lasts is left; waits for that. */
  const waitFor = (part: number) =>
    Effect.flatMap(moment, (at) => Effect.sleep(Math.max(0, renewed + lasts * part - at)))

  const isOver = (part: number) => Effect.map(moment, (at) => at >= renewed + lasts * part)

  /** Asks once more before the lease ends, and tells whether nothing came back in time. */
  const watch = Effect.gen(function*() {
    const [last, end] = [5 / 6, 1]
    yield* waitFor(last)
    if (!(yield* isOver(last))) return false
    const final = yield* begin
    const answer = yield* live(Effect.timeoutOption(Fiber.await(final), lasts * (end - last)))
    if (Option.exists(answer, Exit.isSuccess)) {
      // A test's clock may leap: that is answered once, and not for each `leaseFor` of it.
      yield* live(Effect.sleep(lasts / 3))
      return false
    }
    yield* waitFor(end)
    // What arrived while this process did not run is heard first.
    yield* live(Effect.sleep(1))
    return yield* isOver(end)
  })

  yield* Effect.sleep(lasts / 3).pipe(Effect.andThen(beatUnlessFresh), Effect.forever, live, Effect.forkScoped)
  yield* watch.pipe(
    Effect.repeat({ until: (isSilent) => isSilent }),
    Effect.andThen(onSilence),
    Effect.forkScoped
  )
  const heartbeat: Heartbeat = { renewing }
  return heartbeat
})
