/**
 * `reprise fork`.
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
  "fork",
  {
    target: Argument.String("target").pipe(
      Argument.withDescription("Number, id, beginning of an id, exact name, or last")
    ),
    at: Flag.String("at").pipe(
      Flag.withMetavar("N"),
      Flag.withDescription("The last message to take: its number in reprise show, or its id; by default all"),
      Flag.optional
    ),
    name: Flag.String("name").pipe(
      Flag.withMetavar("NAME"),
      Flag.withDescription("1 to 50 characters; by default \"Fork of\" and the name of the session"),
      Flag.optional
    ),
    project: Flag.String("project").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("The directory that it works in; by default the session's"),
      Flag.optional
    )
  },
  Lazy.handler(() => import("../handlers/Fork.ts"))
).pipe(
  Command.withDescription(
    "Make a new session that begins as another one was, up to a message. The other one stays as it is, even while it " +
      "runs. A tool call is never cut off from its result: the results are taken, too."
  ),
  Command.withShortDescription("Begin a new session as another one was"),
  Command.withExamples([
    { command: "reprise fork last", description: "All of this project's newest session" },
    { command: "reprise fork last --at 1 --name \"Another way\"", description: "Go on from its first message" }
  ])
)
