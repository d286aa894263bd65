/**
 * Why a message to a session has no answer.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * No runner answered in time. Whether the message was applied is not known: a
 * message with an id of its own can be appended again, and is applied once.
 *
 * **Details**
 *
 * `last` is what stood in the way when it was given up: no runner had the
 * session (`NoRunner`), its queue was full (`Busy`), or whoever had the message
 * did not finish it (`Unfinished`).
 *
 * @category errors
 * @since 0.1.0
 */
export class Unreachable extends Schema.TaggedError<Unreachable>("effect-reprise/cluster/Unreachable")(
  "Unreachable",
  {
    id: Schema.String,
    operation: Schema.String,
    last: Schema.Literals(["NoRunner", "Busy", "Unfinished"])
  }
) {
  override get message(): string {
    return `No runner answered ${this.operation} of session ${this.id} in time, and its outcome is unknown. ` +
      "See that runners are up and have room, then try again: an append with the same message id is applied once."
  }
}
