/**
 * A look at each step of restoring a session, before it runs.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SessionEvent } from "../core/SessionEvent.ts"
import type { SessionId } from "../core/SessionId.ts"

/**
 * One step: `index` of `total`, from 0, among steps of its kind.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly id: SessionId
  readonly step: "message" | "todos" | "prompt"
  readonly index: number
  readonly total: number
  readonly event: SessionEvent
}

/**
 * What the application does at each step of a resume: show progress, prepare
 * its model, or fail, and then the session is not resumed (`StepFailed`). None
 * by default.
 *
 * @category services
 * @since 0.1.0
 */
export class RestoreStep extends Context.Reference<Option.Option<(step: Step) => Effect.Effect<void, unknown>>>(
  "effect-reprise/services/RestoreStep",
  { defaultValue: Option.none }
) {}
