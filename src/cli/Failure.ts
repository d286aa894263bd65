/**
 * A failure as people read it: what failed, why, and what to do next.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { ExitCode } from "./ExitCode.ts"

/**
 * A failure of the command line itself. Texts are one line each, and hold
 * nothing that was not made printable.
 *
 * @category errors
 * @since 0.1.0
 */
export class Failure extends Schema.TaggedError<Failure>("effect-reprise/cli/Failure")("Failure", {
  /** What this is, for programs: `TargetUnknown`, `TargetAmbiguous`, … */
  kind: Schema.String,
  exitCode: Schema.Literals(Object.values(ExitCode)),
  what: Schema.String,
  why: Schema.String,
  next: Schema.String,
  /** Sessions that the words may have meant. */
  candidates: Schema.optionalKey(Schema.Array(Schema.Struct({ id: Schema.String, name: Schema.String })))
}) {
  override get message(): string {
    return `${this.what} ${this.why} ${this.next}`
  }
}
