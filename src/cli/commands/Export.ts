/**
 * `reprise export`.
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
  "export",
  {
    target: Argument.String("target").pipe(
      Argument.withDescription("Number, id, beginning of an id, exact name, or last")
    ),
    output: Flag.String("output").pipe(
      Flag.withAlias("o"),
      Flag.withMetavar("FILE"),
      Flag.withDescription("The file to write; by default a new one here, named after the session"),
      Flag.optional
    ),
    root: Flag.String("root").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("A directory above the project, which is told relative to it"),
      Flag.optional
    ),
    secretFile: Flag.String("secret-file").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("Sign with this file's bytes, 32 or more, instead of this machine's key"),
      Flag.optional
    ),
    overwrite: Flag.Boolean("overwrite").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Replace a file of that name"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/Export.ts"))
).pipe(
  Command.withDescription("Write a session to a signed file that another machine can import."),
  Command.withShortDescription("Write a session to a file"),
  Command.withExamples([
    { command: "reprise export last --output session.json", description: "This project's newest session" },
    {
      command: "reprise export last --root ..",
      description: "With the project's place told relative to the directory above"
    }
  ])
)
