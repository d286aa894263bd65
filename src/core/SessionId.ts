/**
 * The identity of a session, and the only way to a name on disk.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

/**
 * A lower-case UUID v4.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SessionId = Schema.String.check(
  Schema.isPattern(pattern, { expected: "a lower-case UUID v4" })
).pipe(Schema.brand("SessionId"))

/**
 * A lower-case UUID v4.
 *
 * @category models
 * @since 0.1.0
 */
export type SessionId = typeof SessionId.Type

/**
 * Whether a text is a session id. Anything else (paths, other cases, trailing
 * newlines) never reaches the store.
 *
 * @category guards
 * @since 0.1.0
 */
export const isSessionId = (input: unknown): input is SessionId => typeof input === "string" && pattern.test(input)

/**
 * Takes a text as a session id.
 *
 * **Gotchas**
 *
 * Throws a `SchemaError` on any other text, as every `make` of a branded
 * schema does: use it on texts that the program knows. For texts from outside
 * use {@link isSessionId} or decode with the schema {@link SessionId}.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (text: string): SessionId => SessionId.make(text)
