/**
 * `reprise import`.
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
  "import",
  {
    files: Argument.String("file").pipe(
      Argument.withDescription("Files that reprise export wrote, or session files of JidoCode"),
      Argument.variadic({ min: 1 })
    ),
    from: Flag.Literals("from", ["reprise", "jido_code"]).pipe(
      Flag.withDescription("What kind of files they are; told from what is in them by default"),
      Flag.optional
    ),
    project: Flag.String("project").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("Where the project is on this machine"),
      Flag.optional
    ),
    root: Flag.String("root").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("Where the directory is here that the project was told relative to"),
      Flag.optional
    ),
    secretFile: Flag.String("secret-file").pipe(
      Flag.withMetavar("FILE"),
      Flag.withDescription("The secret that they were signed with; of JidoCode its machine secret"),
      Flag.optional
    ),
    host: Flag.String("host").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Of JidoCode, with a secret: the short name of the machine that wrote them"),
      Flag.optional
    ),
    application: Flag.String("application").pipe(
      Flag.withMetavar("SALT"),
      Flag.withDescription("Of JidoCode, with a secret: its application salt, if it was configured"),
      Flag.optional
    ),
    allowUnsigned: Flag.Boolean("allow-unsigned").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Take what can't be verified, too"),
      Flag.withDefault(false)
    ),
    copy: Flag.Boolean("copy").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Give them new ids, so that they can stand beside the same ones"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/Import.ts"))
).pipe(
  Command.withDescription(
    "Bring in sessions from files. The files stay as they are; what could not be taken over as it was is told."
  ),
  Command.withShortDescription("Bring in sessions from files"),
  Command.withExamples([
    {
      command: "reprise import session.json --copy",
      description: "A file that reprise export wrote, beside its original"
    },
    { command: "reprise import ~/.jido_code/sessions/*.json --allow-unsigned", description: "All sessions of JidoCode" }
  ])
)
