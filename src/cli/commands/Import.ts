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
      Argument.withDescription(
        "Files that reprise export wrote, session files of JidoCode, or histories of other agents: " +
          "files, or directories of them"
      ),
      Argument.variadic({ min: 1 })
    ),
    from: Flag.Literals("from", [
      "reprise",
      "jido_code",
      "claude-code",
      "codex",
      "pi",
      "gemini",
      "opencode"
    ]).pipe(
      Flag.withDescription("Whose files they are; told from what is in them by default"),
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
    ),
    mainOnly: Flag.Boolean("main-only").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Of histories: leave out what sub-agents said, which else comes in as sessions of its own"),
      Flag.withDefault(false)
    ),
    whole: Flag.Boolean("whole").pipe(
      Flag.withoutNegation,
      Flag.withDescription("Of histories: refuse one that is larger than a session may be, instead of its oldest part"),
      Flag.withDefault(false)
    )
  },
  Lazy.handler(() => import("../handlers/Import.ts"))
).pipe(
  Command.withDescription(
    "Bring in sessions from files: exports, and the histories of Claude Code, Codex, pi, Gemini CLI and OpenCode. " +
      "The files stay as they are; what could not be taken over as it was is told. A history that was brought in " +
      "before is found again by its id, and stays as it is stored. Newer versions of OpenCode keep their sessions in " +
      "a database: opencode export SESSION > session.json prints one that can be brought in."
  ),
  Command.withShortDescription("Bring in sessions from files"),
  Command.withExamples([
    {
      command: "reprise import session.json --copy",
      description: "A file that reprise export wrote, beside its original"
    },
    {
      command: "reprise import ~/.claude/projects/-home-me-project",
      description: "What Claude Code keeps of a project"
    },
    {
      command: "reprise import ~/.codex/sessions/2026 ~/.pi/agent/sessions ~/.local/share/opencode/storage --json",
      description: "A year of Codex, and all of pi and OpenCode, with a report for programs"
    },
    {
      command: "reprise import ~/.gemini/tmp/project/chats/session-2026-11-23T02-04-5b3e1a52.jsonl --project .",
      description: "A session of Gemini CLI, to go on with it here"
    },
    { command: "reprise import ~/.jido_code/sessions/*.json --allow-unsigned", description: "All sessions of JidoCode" }
  ])
)
