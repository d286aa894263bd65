/**
 * What operations tell about themselves: a count by outcome, a duration, and
 * the session in each log line. Never what is in a session.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"

/**
 * Operations by `operation` and `outcome`: `success`, the tag of the error,
 * `interrupted` or `defect`.
 *
 * @category metrics
 * @since 0.1.0
 */
export const operations: Metric.Counter<number> = Metric.counter("reprise_operations_total", {
  description: "Operations on stored sessions, by outcome",
  incremental: true
})

const durations = Metric.timer("reprise_operation_duration", { description: "How long operations took" })

const outcomeOf = <A, E>(exit: Exit.Exit<A, E>): string => {
  if (Exit.isSuccess(exit)) return "success"
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (error !== undefined) return Predicate.hasProperty(error, "_tag") ? String(error._tag) : "failure"
  return Cause.hasInterruptsOnly(exit.cause) ? "interrupted" : "defect"
}

/**
 * Counts and times an operation.
 *
 * @category instrumentation
 * @since 0.1.0
 */
export const observed = (operation: string) => {
  const duration = Metric.withAttributes(durations, { operation })
  const counters = new Map<string, Metric.Counter<number>>()
  const counter = (outcome: string) => {
    const found = counters.get(outcome) ?? Metric.withAttributes(operations, { operation, outcome })
    counters.set(outcome, found)
    return found
  }
  return <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    self.pipe(
      Effect.trackDuration(duration, (duration) => duration),
      Effect.onExit((exit) => Metric.update(counter(outcomeOf(exit)), 1))
    )
}

/**
 * Counts, times and names the session in every log line of an operation.
 *
 * @category instrumentation
 * @since 0.1.0
 */
export const ofSession = (operation: string) => {
  const asObserved = observed(operation)
  return <A, E, R>(self: Effect.Effect<A, E, R>, id: string): Effect.Effect<A, E, R> =>
    Effect.annotateLogs(asObserved(self), { sessionId: id })
}
