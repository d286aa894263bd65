/**
 * The application's last word on what is stored.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { SessionEvent } from "../core/SessionEvent.ts"
import type { SessionId } from "../core/SessionId.ts"

/**
 * What is stored instead of an event: another one of the same kind, or the same.
 *
 * @category models
 * @since 0.1.0
 */
export type Redact = (event: SessionEvent, id: SessionId) => Effect.Effect<SessionEvent, unknown>

/**
 * Stores every event as it is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const none: Redact = Effect.succeed

/**
 * Called with each event before it is journaled. What it returns is stored
 * instead; where it fails the event is refused. Does nothing by default.
 *
 * @category services
 * @since 0.1.0
 */
export class Redaction extends Context.Reference<Redact>("effect-reprise/services/Redaction", {
  defaultValue: () => none
}) {}
