/**
 * `reprise restore`.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Lazy from "../Lazy.ts"

/**
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "restore",
  {
    target: Argument.String("target").pipe(
      Argument.withDescription("Number, id, beginning of an id, exact name, or last: of a session in the trash")
    )
  },
  Lazy.handler(() => import("../handlers/Restore.ts"))
).pipe(
  Command.withDescription("Take a session out of the trash."),
  Command.withExamples([
    { command: "reprise list --state removed", description: "See what is in the trash" },
    { command: "reprise restore last", description: "Take this project's newest one out of it" }
  ])
)
