/**
 * `reprise completions`.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Effect from "effect/Effect"
import * as Output from "../Output.ts"

/**
 * The command, for all commands that there are.
 *
 * @category commands
 * @since 0.1.0
 */
export const make = (cli: () => Command.Command.Any) =>
  Command.make(
    "completions",
    {
      shell: Argument.Literals("shell", ["bash", "zsh", "fish", "powershell"]).pipe(
        Argument.withDescription("The shell that you use")
      )
    },
    Effect.fn("reprise.completions")(function*({ shell }) {
      const Completions = yield* Effect.promise(() => import("effect/cli/Completions"))
      yield* Output.print(Completions.generate("reprise", shell, Completions.fromCommand(cli())))
    })
  ).pipe(
    Command.withDescription("Print what makes a shell complete the commands and flags of reprise."),
    Command.withShortDescription("Print completions for a shell"),
    Command.withExamples([
      {
        command: "reprise completions bash",
        description: "For bash: put it into ~/.local/share/bash-completion/completions/reprise"
      },
      { command: "reprise completions zsh", description: "For zsh: put it as _reprise into a directory of $fpath" },
      {
        command: "reprise completions fish",
        description: "For fish: put it into ~/.config/fish/completions/reprise.fish"
      }
    ])
  )
