/**
 * Brings a message to the session's runner, wherever that is: again and again,
 * until somebody answers it. So it may arrive more than once.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as ClusterError from "effect/cluster/ClusterError"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { SessionId } from "../core/SessionId.ts"
import { Unreachable } from "./Unreachable.ts"

/** What the cluster says instead of an answer. */
export type NotDelivered =
  | ClusterError.MailboxFull
  | ClusterError.AlreadyProcessingMessage
  | ClusterError.PersistenceError
  | ClusterError.EntityNotAssignedToRunner

const reasons = {
  MailboxFull: "Busy",
  AlreadyProcessingMessage: "Unfinished",
  PersistenceError: "Unfinished",
  EntityNotAssignedToRunner: "NoRunner"
} as const

const isNotDelivered = (error: unknown): error is NotDelivered =>
  Predicate.hasProperty(error, "_tag") && typeof error._tag === "string" && Object.hasOwn(reasons, error._tag)

/** A try without an answer. */
class Missed extends Data.TaggedError("effect-reprise/cluster/Delivery/Missed") {}

const isMissed = (error: unknown): error is Missed => error instanceof Missed

/** A rest between two tries. */
const pause = Schedule.spaced(Duration.millis(100))

/** Asks until there is an answer, or `patience` is at its end. */
export const untilAnswered = (options: {
  readonly id: SessionId
  readonly operation: string
  readonly patience: Duration.Duration
}) =>
<A, E>(ask: Effect.Effect<A, E | NotDelivered>): Effect.Effect<A, E | Unreachable> =>
  Effect.suspend(() => {
    const { id, operation, patience } = options
    let last: Unreachable["last"] = "NoRunner"
    const giveUp = () => Effect.fail(new Unreachable({ id, operation, last }))
    const miss = (reason: Unreachable["last"]) =>
      Effect.suspend(() => {
        last = reason
        return Effect.fail(new Missed())
      })
    return ask.pipe(
      Effect.catchIf(
        (error: E | NotDelivered): error is (E | NotDelivered) & NotDelivered => isNotDelivered(error),
        ({ _tag }) => miss(reasons[_tag])
      ),
      // A runner that stops interrupts what it was asked. Who asks is not interrupted by that.
      Effect.catchCauseIf(Cause.hasInterruptsOnly, () => miss("Unfinished")),
      Effect.retry({ while: isMissed, schedule: pause }),
      Effect.catchIf(isMissed, giveUp),
      Effect.timeoutOrElse({ duration: patience, orElse: giveUp })
    )
  })

/** Listens, and again wherever the session went; what is heard then starts anew. */
export const untilTold = <A, E>(
  listen: Stream.Stream<A, E | NotDelivered>,
  isLast: (element: A) => boolean
): Stream.Stream<A, E> =>
  listen.pipe(
    Stream.catch((error): Stream.Stream<never, E> => isNotDelivered(error) ? Stream.empty : Stream.fail(error)),
    Stream.catchCauseIf(Cause.hasInterruptsOnly, () => Stream.empty),
    Stream.repeat(pause),
    Stream.takeUntil(isLast)
  )
