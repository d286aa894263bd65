/**
 * Answers tool calls that a crash, an interruption or a failure left without a
 * result. Providers refuse a history with such calls for ever.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { SessionId } from "../core/SessionId.ts"
import type { OpenCall } from "./Calls.ts"
import type { Repair } from "./Note.ts"
import type { Recorder } from "./Recorder.ts"
import * as ToolCalls from "./ToolCalls.ts"

/**
 * A call that was found unanswered, and how it was answered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Repaired {
  readonly id: string
  readonly name: string
  readonly how: Repair
}

const unknownOutcome = "The call was interrupted and its outcome is unknown: the tool may have done its work, " +
  "a part of it, or nothing. Find out before you call it again."

/** The result of an idempotent tool that is run again; whatever goes wrong with it is its result. */
const again = Effect.fnUntraced(function*(toolkit: ToolCalls.AnyToolkit, call: OpenCall) {
  const last = ToolCalls.run(toolkit, call).pipe(
    Stream.filter(({ preliminary }) => !preliminary),
    Stream.runLast,
    Effect.map(Option.getOrElse(() => ToolCalls.failure(call, "execution-interrupted", unknownOutcome)))
  )
  return yield* Effect.catchCause(last, (cause) =>
    Cause.hasInterruptsOnly(cause)
      ? Effect.interrupt
      : ToolCalls.failed(toolkit, call, Option.getOrUndefined(Cause.findErrorOption(cause))))
})

const planOf = (toolkit: Option.Option<ToolCalls.AnyToolkit>, call: OpenCall): Repair => {
  if (call.approval?.answer?.approved === false) return "denied"
  return Option.isSome(toolkit) && ToolCalls.isIdempotent(toolkit.value, call) ? "ranAgain" : "interrupted"
}

/**
 * Answers calls: those that were denied with that, those of idempotent tools by
 * running them again, the others with a result that says that their outcome is
 * unknown. What is answered is durable, so a crash on the way leaves the rest.
 *
 * @category repairing
 * @since 0.1.0
 */
export const repair = Effect.fnUntraced(function*(
  recorder: Recorder,
  options: {
    readonly id: SessionId
    readonly toolkit: Option.Option<ToolCalls.AnyToolkit>
    readonly calls: ReadonlyArray<OpenCall>
  }
) {
  const { calls, id: sessionId, toolkit } = options
  const plan = calls.map((call) => ({ call, how: planOf(toolkit, call) }))
  const planned = (repair: Repair) => plan.flatMap(({ call, how }) => how === repair ? [call] : [])

  const interrupted = planned("interrupted")
  if (interrupted.length > 0) {
    const parts = interrupted.map((call) => ToolCalls.failure(call, "execution-interrupted", unknownOutcome))
    yield* recorder.results(parts, "interrupted")
  }
  const denied = planned("denied")
  if (denied.length > 0) {
    const parts = denied.map((call) => ToolCalls.failure(call, "execution-denied", call.approval?.answer?.reason))
    yield* recorder.results(parts, "denied")
  }
  for (const call of planned("ranAgain")) {
    if (Option.isSome(toolkit)) yield* recorder.result(yield* again(toolkit.value, call), "ranAgain")
  }
  const repaired = plan.map(({ call: { id, name }, how }): Repaired => ({ id, name, how }))
  if (repaired.length > 0) {
    yield* Effect.annotateLogs(Effect.logWarning("answered tool calls that had been interrupted"), {
      sessionId,
      calls: repaired.length
    })
  }
  return repaired
})
