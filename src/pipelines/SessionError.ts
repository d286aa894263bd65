/**
 * The errors of the library, and what strangers are told of them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type { SessionError } from "../core/SessionError.ts"

export * from "../core/SessionError.ts"

/**
 * The one answer for callers who must not learn what is stored: the same for
 * every error. `reference` finds the error itself in the log.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unavailable extends Schema.TaggedError<Unavailable>("effect-reprise/pipelines/SessionError/Unavailable")(
  "Unavailable",
  { reference: Schema.String }
) {
  override get message(): string {
    return `The session is unavailable. Whoever runs this service can look up ${this.reference}.`
  }
}

/**
 * Logs an error under a new reference, and gives the answer that shows nothing
 * of it: no id, no path, not whether the session exists.
 *
 * **Example** (Answering an untrusted client)
 *
 * ```ts
 * import { Effect } from "effect"
 * import { SessionError, type SessionId, Sessions } from "effect-reprise"
 *
 * const answer = (id: SessionId.SessionId) =>
 *   Effect.catch(Sessions.load(id), (error) => Effect.flatMap(SessionError.toPublic(error), Effect.fail))
 * ```
 *
 * @category errors
 * @since 0.1.0
 */
export const toPublic = Effect.fnUntraced(function*(error: SessionError) {
  const number = yield* Random.nextIntBetween(0, 2 ** 48)
  const reference = number.toString(16).padStart(12, "0")
  yield* Effect.annotateLogs(Effect.logError("a session was unavailable to a client", error), { reference })
  return new Unavailable({ reference })
})
