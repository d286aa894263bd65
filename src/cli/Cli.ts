/**
 * `reprise`: every command, below the one that they share.
 *
 * @since 0.1.0
 */
import * as CliConfig from "effect/cli/CliConfig"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Cleanup from "./commands/Cleanup.ts"
import * as Clear from "./commands/Clear.ts"
import * as Completions from "./commands/Completions.ts"
import * as Delete from "./commands/Delete.ts"
import * as Doctor from "./commands/Doctor.ts"
import * as Export from "./commands/Export.ts"
import * as Fork from "./commands/Fork.ts"
import * as Import from "./commands/Import.ts"
import * as Keys from "./commands/Keys.ts"
import * as List from "./commands/List.ts"
import * as New from "./commands/New.ts"
import * as Rename from "./commands/Rename.ts"
import * as Restore from "./commands/Restore.ts"
import * as Resume from "./commands/Resume.ts"
import * as Search from "./commands/Search.ts"
import * as Show from "./commands/Show.ts"
import * as Store from "./commands/Store.ts"
import * as Verify from "./commands/Verify.ts"
import { ExitCode } from "./ExitCode.ts"
import * as Package from "./Package.ts"
import * as Report from "./Report.ts"
import { root } from "./Root.ts"

const completions = Completions.make(() => cli)

/**
 * @category commands
 * @since 0.1.0
 */
export const cli = root.pipe(
  Command.withSubcommands([
    {
      group: "Sessions",
      commands: [New.command, List.command, Search.command, Show.command, Resume.command, Fork.command, Rename.command]
    },
    {
      group: "Removing",
      commands: [Delete.command, Restore.command, Cleanup.command, Clear.command]
    },
    {
      group: "Carrying elsewhere",
      commands: [Export.command, Import.command, Store.command]
    },
    {
      group: "Looking after",
      commands: [Verify.command, Keys.command, Doctor.command, completions]
    }
  ])
)

/**
 * Runs what was typed, without the name of the program, tells what went wrong,
 * and gives the exit code.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const stdio = yield* Stdio.Stdio
  return yield* Command.runWith(cli, { version: Package.version() })(args).pipe(
    Effect.as(ExitCode.done),
    Effect.catchCause((cause) => Report.report(cause, args)),
    Effect.provideService(CliConfig.CliConfig, { builtIns: [GlobalFlag.Help, GlobalFlag.Version] }),
    Effect.provideService(CliOutput.Presenter, Report.presenter(args, stdio)),
    Effect.provide(Report.layerLogger(args))
  )
})
