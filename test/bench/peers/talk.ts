/** What the process of a peer is asked, and what it answers. */
import { Schema } from "effect"

/**
 * *store*: a session of so many messages, named after their number. *append* and
 * *load*: so often, to and from the session of that many messages; the milliseconds
 * of each are the answer. *written*: the same appends, answered with their bytes,
 * or nothing where nobody counts them.
 * *fill*: so many closed sessions, and nothing else, in a place of their own. *list*:
 * those, so often.
 */
export const Request = Schema.TaggedUnion({
  Store: { messages: Schema.Int },
  Append: { messages: Schema.Int, times: Schema.Int },
  Load: { messages: Schema.Int, times: Schema.Int },
  Written: { messages: Schema.Int, times: Schema.Int },
  Fill: { sessions: Schema.Int, messages: Schema.Int },
  List: { sessions: Schema.Int, times: Schema.Int }
})
export type Request = typeof Request.Type

export const Reply = Schema.TaggedUnion({
  Done: { values: Schema.Array(Schema.Finite) },
  Failed: { reason: Schema.String }
})
export type Reply = typeof Reply.Type

/** What a process of a peer is started with, as its one argument. */
export const Start = Schema.fromJsonString(Schema.Struct({
  peer: Schema.String,
  /** Where its packages are installed; none are where this is empty. */
  packages: Schema.String,
  directory: Schema.String,
  seed: Schema.Int,
  /** So many appends and an end, for whoever traces them, instead of answers to requests. */
  appends: Schema.optionalKey(Schema.Int)
}))
