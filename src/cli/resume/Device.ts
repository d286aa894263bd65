/**
 * The terminal that somebody sits at.
 *
 * @since 0.1.0
 */
import * as NodeTerminal from "@effect/platform-node/NodeTerminal"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Stdio from "effect/Stdio"
import type * as Terminal from "effect/Terminal"
import * as NodeFs from "node:fs"

/** Leaves errors of a terminal that hung up to the end of its input. */
const ignored = () => undefined

const open = Effect.gen(function*() {
  yield* Effect.acquireRelease(
    Effect.sync(() => process.stdin.on("error", ignored)),
    () => Effect.sync(() => process.stdin.off("error", ignored))
  )
  return yield* NodeTerminal.make(() => false)
})

/** Writes at once: a process that exits waits for no stream. */
const atExit = (sequence: () => string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const write = () =>
        Effect.runSync(Effect.ignore(Effect.try(() => NodeFs.writeSync(process.stdout.fd, sequence()))))
      process.on("exit", write)
      return write
    }),
    (write) => Effect.sync(() => process.off("exit", write))
  )

const setRaw = (isRaw: boolean) =>
  Effect.sync(() => {
    if (process.stdin.isTTY) process.stdin.setRawMode(isRaw)
  })

const stopped = Effect.callback<void>((resume) => {
  const onContinue = () => resume(Effect.void)
  process.once("SIGCONT", onContinue)
  // The whole group, as the terminal itself would stop it: npm may have started us.
  process.kill(0, "SIGTSTP")
  return Effect.sync(() => process.off("SIGCONT", onContinue))
})

/** Where no shell waits for us nothing stops, and nothing continues. */
const suspend = Effect.acquireUseRelease(
  setRaw(false),
  () => process.platform === "win32" ? Effect.void : Effect.asVoid(Effect.timeoutOption(stopped, "200 millis")),
  () => setRaw(true)
)

/**
 * A terminal that tells of every key: the usual one stops at Escape, Ctrl-C and
 * Ctrl-D. It is raw, and restored, for as long as keys are read.
 *
 * @category services
 * @since 0.1.0
 */
export class Device extends Context.Reference<{
  readonly open: Effect.Effect<Terminal.Terminal, never, Scope.Scope>
  /** What the terminal gets if the process exits while the scope is open. */
  readonly atExit: (sequence: () => string) => Effect.Effect<unknown, never, Scope.Scope>
  /** Gives the terminal back to the shell, until that continues us. */
  readonly suspend: Effect.Effect<void>
}>("effect-reprise/cli/resume/Device", { defaultValue: () => ({ open, atExit, suspend }) }) {}

/**
 * Whether somebody sits there: keys come from a terminal that can draw, and
 * output goes to one.
 *
 * @category getters
 * @since 0.1.0
 */
export const isInteractive = Effect.gen(function*() {
  const { stdinIsTerminal, stdoutIsTerminal } = yield* Stdio.Stdio
  const term = yield* Effect.orElseSucceed(Config.String("TERM"), () => "")
  return (yield* stdinIsTerminal) && (yield* stdoutIsTerminal) && term !== "dumb"
})
