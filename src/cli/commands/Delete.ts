/**
 * `reprise delete`.
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
  "delete",
  {
    targets: Argument.String("target").pipe(
      Argument.withDescription("Numbers, ids, beginnings of ids, exact names, or last"),
      Argument.variadic({ min: 1 })
    ),
    interrupted: Flag.Boolean("interrupted").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Interrupted sessions, too, with what was not saved yet"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/Delete.ts"))
).pipe(
  Command.withDescription(
    "Move sessions to the trash. They can be restored until a cleanup deletes them for ever. Running ones are left alone."
  ),
  Command.withShortDescription("Move sessions to the trash"),
  Command.withExamples([
    { command: "reprise delete last", description: "This project's newest session" },
    { command: "reprise delete 2 3", description: "Two of the list as it was last shown" }
  ])
)
