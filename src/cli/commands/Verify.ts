/**
 * `reprise verify`.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Lazy from "../Lazy.ts"

/**
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "verify",
  {
    target: Argument.String("target").pipe(
      Argument.withDescription("Number, id, beginning of an id, exact name, or last; without it every session"),
      Argument.optional
    ),
    ndjson: Flag.Boolean("ndjson").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Print JSON, one session a line, as they are verified"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/Verify.ts"))
).pipe(
  Command.withDescription(
    "Read sessions as a whole and check signatures, journals and contents. Without a target those of every project."
  ),
  Command.withShortDescription("Check that stored sessions are intact"),
  Command.withExamples([
    { command: "reprise verify", description: "Every stored session" },
    { command: "reprise verify last", description: "This project's newest one" }
  ])
)
