/**
 * What `store copy --json` prints.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { SessionId } from "../../core/SessionId.ts"
import { ErrorReport } from "./ErrorReport.ts"

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * What became of a session that was to be copied: a line of `store copy --ndjson`.
 * `revision` is that at the source and `found` that at the destination, where they
 * differ; `torn` counts bytes of a write that was cut short and left out.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Copied = Schema.Struct({
  /** `null` for a file of another format. */
  id: Schema.NullOr(SessionId),
  name: Schema.String,
  isRemoved: Schema.Boolean,
  outcome: Schema.Literals(["copied", "present", "different", "running", "elsewhere", "foreign", "gone", "failed"]),
  bytes: Schema.optionalKey(count),
  blobs: Schema.optionalKey(count),
  blobBytes: Schema.optionalKey(count),
  torn: Schema.optionalKey(count),
  isOutdated: Schema.optionalKey(Schema.Boolean),
  revision: Schema.optionalKey(count),
  found: Schema.optionalKey(count),
  at: Schema.optionalKey(Schema.Literals(["source", "destination"])),
  error: Schema.optionalKey(ErrorReport)
})

/**
 * The last line of `store copy --ndjson`. Places are shown without passwords;
 * `keyRing` is the file that verifies what was copied.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CopySummary = Schema.Struct({
  from: Schema.String,
  to: Schema.String,
  keyRing: Schema.NullOr(Schema.String),
  totals: Schema.Struct({
    sessions: count,
    copied: count,
    present: count,
    different: count,
    skipped: count,
    failed: count,
    bytes: count
  })
})

/**
 * `reprise store copy --json`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const StoreCopy = Schema.Struct({ ...CopySummary.fields, sessions: Schema.Array(Copied) })
