/**
 * `reprise search`.
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
  "search",
  {
    text: Argument.String("text").pipe(Argument.withDescription("What to look for")),
    regex: Flag.Boolean("regex").pipe(
      Flag.withoutNegation,
      Flag.withAlias("e"),
      Flag.withDescription("It is a regular expression, tried on each line"),
      Flag.withDefault(false)
    ),
    case: Flag.Literals("case", ["ignore", "smart", "exact"]).pipe(
      Flag.withDescription("Whether capitals count; with smart they do where the text has one"),
      Flag.withDefault("ignore")
    ),
    role: Flag.Literals("role", ["user", "assistant", "system", "tool"]).pipe(
      Flag.withDescription("Only messages of this role; give it again for another one"),
      Flag.between(0, 4)
    ),
    tools: Flag.Boolean("tools").pipe(
      Flag.withDescription("Look into tool calls and results, too"),
      Flag.withDefault(true)
    ),
    all: Flag.Boolean("all").pipe(
      Flag.withoutNegation,
      Flag.withAlias("a"),
      Flag.withDescription("Sessions of every project, not only of this one"),
      Flag.withDefault(false)
    ),
    project: Flag.String("project").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("Sessions of that project instead of this one"),
      Flag.optional
    ),
    state: Flag.Literals("state", ["closed", "running", "interrupted", "elsewhere", "removed"]).pipe(
      Flag.withDescription("Sessions in this state; give it again for another one"),
      Flag.between(0, 5)
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("At most this many matches"),
      Flag.filter((limit) => limit > 0, (limit) => `${limit} is not a number from 1 on`),
      Flag.optional
    ),
    context: Flag.Int("context").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("Characters to show before and after a match"),
      Flag.filter((count) => count >= 0 && count <= 10_000, (count) => `${count} is not a number from 0 to 10000`),
      Flag.withDefault(60)
    ),
    ndjson: Flag.Boolean("ndjson").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Print JSON, one match a line"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/Search.ts"))
).pipe(
  Command.withDescription(
    "Search what was said in this project's sessions, the newest first. Ends with 1 where nothing is found."
  ),
  Command.withShortDescription("Search what was said"),
  Command.withExamples([
    { command: "reprise search \"message\"", description: "In this project's sessions, whatever the case" },
    {
      command: "reprise search --all --role user --case exact message",
      description: "What people said, in any project"
    },
    { command: "reprise search --regex \"message [0-9]+\" --limit 3", description: "The first three matches" },
    { command: "reprise search message --json", description: "The same for programs" }
  ])
)
