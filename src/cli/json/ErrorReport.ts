/**
 * How `--json` tells of an error.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * An error, as it stands in reports and, as `{"error": …}`, on standard error.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ErrorReport = Schema.Struct({
  /** What it was about, where there were several: an id, a word or a file. */
  target: Schema.optionalKey(Schema.String),
  error: Schema.String,
  exitCode: Schema.Int,
  what: Schema.String,
  why: Schema.String,
  next: Schema.String,
  candidates: Schema.optionalKey(Schema.Array(Schema.Struct({ id: Schema.String, name: Schema.String })))
})
