/**
 * `reprise new`.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Config from "effect/Config"
import * as Lazy from "../Lazy.ts"

/**
 * @category commands
 * @since 0.1.0
 */
export const command = Command.make(
  "new",
  {
    path: Argument.String("path").pipe(
      Argument.withDescription("The project's directory; the current one by default"),
      Argument.optional
    ),
    name: Flag.String("name").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("1 to 50 characters; the directory's name by default"),
      Flag.optional
    ),
    provider: Flag.String("provider").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Who runs the model (else REPRISE_PROVIDER)"),
      Flag.withFallbackConfig(Config.NonEmptyString("REPRISE_PROVIDER")),
      Flag.withDefault("none")
    ),
    model: Flag.String("model").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("Which model (else REPRISE_MODEL)"),
      Flag.withFallbackConfig(Config.NonEmptyString("REPRISE_MODEL")),
      Flag.withDefault("none")
    ),
    temperature: Flag.Finite("temperature").pipe(
      Flag.withMetavar("T"),
      Flag.withDescription("0 to 2"),
      Flag.withDefault(0.7)
    ),
    maxTokens: Flag.Int("max-tokens").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("The most tokens of an answer"),
      Flag.withDefault(4096)
    )
  },
  Lazy.handler(() => import("../handlers/New.ts"))
).pipe(
  Command.withDescription("Create a session for a project. It is stored, and waits to be resumed."),
  Command.withShortDescription("Create a session"),
  Command.withExamples([
    { command: "reprise new", description: "For the current directory" },
    {
      command: "reprise new . --name \"Fix the tests\" --provider anthropic --model claude-sonnet-4-5",
      description: "With a name and a model"
    }
  ])
)
