/**
 * `reprise clear`.
 *
 * @since 0.1.0
 */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Lazy from "../Lazy.ts"

/**
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "clear",
  {
    all: Flag.Boolean("all").pipe(
      Flag.withoutNegation,
      Flag.withAlias("a"),
      Flag.withDescription("Those of every project, not only of this one"),
      Flag.withDefault(false)
    ),
    yes: Flag.Boolean("yes").pipe(
      Flag.withoutNegation,
      Flag.withAlias("y"),
      Flag.withDescription("Don't ask"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/Clear.ts"))
).pipe(
  Command.withDescription(
    "Move every closed session of this project to the trash. Running, interrupted and broken ones are left alone."
  ),
  Command.withShortDescription("Move every closed session to the trash"),
  Command.withExamples([
    { command: "reprise clear", description: "Those of this project, after asking" },
    { command: "reprise clear --all --yes", description: "Those of every project, without asking" }
  ])
)
