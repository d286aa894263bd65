/**
 * `reprise` as a process: its services, its signals, its errors and its exit code.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as Cli from "./Cli.ts"
import { ExitCode } from "./ExitCode.ts"
import * as Platform from "./Platform.ts"
import * as Signals from "./Signals.ts"

/** What a run ends with: the code it gives, or that of its interruption. */
const exitCodeOf = (exit: Exit.Exit<ExitCode>): ExitCode => {
  if (Exit.isSuccess(exit)) return exit.value
  return Cause.hasInterruptsOnly(exit.cause) ? ExitCode.interrupted : ExitCode.failed
}

/** Runs the main effect: the first signal ends it in order, the second at once. */
const runMain = Runtime.makeRunMain(({ fiber, teardown }) => {
  let signals = 0
  const end = () => {
    signals += 1
    if (signals > 1) process.exit(ExitCode.interrupted)
    fiber.interruptUnsafe(fiber.id)
  }
  const onInterrupt = () => {
    if (!Signals.areHeld()) end()
  }
  process.on("SIGINT", onInterrupt)
  process.on("SIGTERM", end)
  process.on("SIGHUP", end)
  fiber.addObserver((exit) => teardown(exit, leave))
})

/** Ends once everything that was printed is with its reader: a pipe takes 64 KiB at a time. */
const leave = (code: number): void => {
  const isWaiting = [process.stdout, process.stderr].filter(({ writableLength }) => writableLength > 0)
  let left = isWaiting.length
  if (left === 0) return process.exit(code)
  for (const stream of isWaiting) {
    stream.write("", () => {
      left -= 1
      if (left === 0) process.exit(code)
    })
  }
}

/** A reader that went away, such as `head`, or a terminal that hung up, is no error of ours. */
const ignoreLostReaders = () => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EIO") throw error
      if (error.code === "EPIPE") process.exit(ExitCode.done)
    })
  }
}

/**
 * Runs the command line as this process, to its end.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (args: ReadonlyArray<string>): void => {
  ignoreLostReaders()
  let code: ExitCode = ExitCode.failed
  Cli.run(args).pipe(
    Effect.onExit((exit) => Effect.sync(() => code = exitCodeOf(exit))),
    Effect.provide(Platform.layer),
    (main) => runMain(main, { disableErrorReporting: true, teardown: (_exit, onExit) => onExit(code) })
  )
}
