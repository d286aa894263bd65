/**
 * `reprise list`.
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
  "list",
  {
    all: Flag.Boolean("all").pipe(
      Flag.withoutNegation,
      Flag.withAlias("a"),
      Flag.withDescription("Sessions of every project, not only of this one"),
      Flag.withDefault(false)
    ),
    search: Flag.String("search").pipe(
      Flag.withMetavar("TEXT"),
      Flag.withDescription("Sessions whose name or project has this text in it"),
      Flag.optional
    ),
    state: Flag.Literals("state", ["closed", "running", "interrupted", "elsewhere", "removed", "broken"]).pipe(
      Flag.withDescription("Sessions in this state; give it again for another one"),
      Flag.between(0, 6)
    ),
    limit: Flag.Int("limit").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("At most this many"),
      Flag.filter((limit) => limit > 0, (limit) => `${limit} is not a number from 1 on`),
      Flag.optional
    ),
    ndjson: Flag.Boolean("ndjson").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Print JSON, one session a line"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/List.ts"))
).pipe(
  Command.withAlias("ls"),
  Command.withDescription(
    "List this project's sessions, newest first. The numbers stay good for other commands until the next list."
  ),
  Command.withShortDescription("List sessions"),
  Command.withExamples([
    { command: "reprise list", description: "This project's sessions" },
    {
      command: "reprise list --all --search parser",
      description: "Those of any project with a name or path like that"
    },
    { command: "reprise list --state interrupted --state broken", description: "What needs to be looked after" },
    { command: "reprise list --json", description: "The same for programs" }
  ])
)
