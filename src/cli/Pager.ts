/**
 * Long output on a terminal, page by page.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as ChildProcess from "effect/process/ChildProcess"
import * as ChildProcessSpawner from "effect/process/ChildProcessSpawner"
import * as Stream from "effect/Stream"
import * as Output from "./Output.ts"
import * as Signals from "./Signals.ts"

const variable = (name: string) => Effect.orElseSucceed(Config.option(Config.String(name)), () => Option.none())

/** Less, told to leave what fits the screen as it is. */
const usual = "less"

/**
 * Prints lines through `$PAGER`, else `less`, where standard output is a
 * terminal; prints them plainly elsewhere, with `PAGER=cat`, and where the pager
 * can't be run.
 *
 * @category printing
 * @since 0.1.0
 */
export const print = Effect.fn("Pager.print")(function*(lines: ReadonlyArray<string>) {
  const { isTerminal } = yield* Output.current
  const pager = Option.getOrElse(yield* variable("PAGER"), () => usual)
  if (!isTerminal || pager.trim() === "cat") return yield* Output.print(...lines)
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const less = yield* variable("LESS")
  const command = ChildProcess.make("sh", ["-c", pager], {
    stdin: Stream.encodeText(Stream.make(`${lines.join("\n")}\n`)),
    stdout: "inherit",
    stderr: "ignore",
    // In the terminal's foreground, or it could not read keys.
    detached: false,
    extendEnv: true,
    env: { LESS: Option.getOrElse(less, () => "FRX") }
  })
  const exitCode = yield* Signals.held(Effect.option(spawner.exitCode(command)))
  // 127: the shell found no such program.
  if (Option.isNone(exitCode) || exitCode.value === 127) yield* Output.print(...lines)
})
