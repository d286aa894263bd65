/**
 * `reprise resume`.
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
  "resume",
  {
    target: Argument.String("target").pipe(
      Argument.withDescription("Number, id, beginning of an id, exact name, or last; without it you pick one"),
      Argument.optional
    ),
    project: Flag.String("project").pipe(
      Flag.withMetavar("DIR"),
      Flag.withDescription("Where the project is now, if it moved"),
      Flag.optional
    ),
    takeOver: Flag.Boolean("take-over").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Take the session from another process that holds it"),
      Flag.withDefault(false)
    ),
    agent: Flag.String("agent").pipe(
      Flag.withMetavar("MODULE"),
      Flag.withDescription("An ES module whose default export is the agent that runs in the session"),
      Flag.optional
    )
  },
  Lazy.handler(() => import("../resume/Resume.ts"))
).pipe(
  Command.withDescription(
    "Resume a session: see where it was, and go on. Without a target you pick one of this project's."
  ),
  Command.withShortDescription("Go on with a session"),
  Command.withExamples([
    { command: "reprise resume", description: "Pick one of this project's sessions" },
    { command: "reprise resume last", description: "Go on with the newest one" },
    { command: "reprise resume 2 --take-over", description: "Take the second of the list from who holds it" }
  ])
)
