/**
 * `reprise show`.
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
  "show",
  {
    target: Argument.String("target").pipe(
      Argument.withDescription("Number, id, beginning of an id, exact name, or last")
    ),
    tail: Flag.Int("tail").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Only the last N messages"),
      Flag.filter((count) => count >= 0, (count) => `${count} is not a number from 0 on`),
      Flag.optional
    ),
    full: Flag.Boolean("full").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Tool calls, results and reasoning in full"),
      Flag.withDefault(false)
    ),
    raw: Flag.Boolean("raw").pipe(
      Flag.withoutNegation,
      Flag.withDescription("What is stored, as it is, even where it can't be believed"),
      Flag.withDefault(false)
    ),
    pager: Flag.Boolean("pager").pipe(
      Flag.withDescription("Page through $PAGER on a terminal"),
      Flag.withDefault(true)
    )
  },
  Lazy.handler(() => import("../handlers/Show.ts"))
).pipe(
  Command.withDescription(
    "Show a session: who said what and when, to-dos and usage. Tool calls and results are folded to a line each."
  ),
  Command.withShortDescription("Show a session's transcript"),
  Command.withExamples([
    { command: "reprise show last", description: "This project's newest session" },
    { command: "reprise show 2 --tail 10", description: "The last ten messages of the second of the list" },
    { command: "reprise show last --full --no-pager", description: "Everything, without a pager" },
    { command: "reprise show last --json", description: "The verified session for programs" },
    { command: "reprise show last --raw", description: "The stored files, snapshot first" }
  ])
)
