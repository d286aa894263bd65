/**
 * What `doctor --json` prints.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * `reprise doctor --json`. `next` says how to mend what is not `ok`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Doctor = Schema.Struct({
  directory: Schema.String,
  /** Where sessions are instead, without a password. */
  store: Schema.optionalKey(Schema.String),
  checks: Schema.Array(Schema.Struct({
    name: Schema.Literals([
      "directory",
      "permissions",
      "key",
      "space",
      "versions",
      "interrupted",
      "broken",
      "foreign",
      "database",
      "tables",
      "sessions",
      "holders",
      "clock",
      "orphans",
      "verified"
    ]),
    status: Schema.Literals(["ok", "warning", "failed"]),
    found: Schema.String,
    next: Schema.optionalKey(Schema.String)
  }))
})
