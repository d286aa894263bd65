/**
 * `reprise rename`.
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
  "rename",
  {
    target: Argument.String("target").pipe(
      Argument.withDescription("Number, id, beginning of an id, exact name, or last")
    ),
    name: Argument.String("name").pipe(Argument.withDescription("The new name, 1 to 50 characters"))
  },
  Lazy.handler(() => import("../handlers/Rename.ts"))
).pipe(
  Command.withDescription("Give a session another name."),
  Command.withExamples([
    { command: "reprise rename last \"Fix the parser\"", description: "Rename this project's newest session" }
  ])
)
