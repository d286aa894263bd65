/**
 * A real terminal: a tmux server of its own, keys that are typed into it, and
 * the screen that it shows.
 */
import { Data, Effect, Option, Schedule } from "effect"
import { execFile, execFileSync } from "node:child_process"
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { promisify } from "node:util"

const run = promisify(execFile)

/** The version of tmux, where it is installed. */
export const version: Option.Option<string> = Option.liftThrowable(() =>
  execFileSync("tmux", ["-V"], { encoding: "utf8" }).trim()
)()

/** What was waited for never showed. */
class NotShown extends Data.TaggedError("NotShown")<{ readonly expected: string; readonly screen: string }> {
  override get message(): string {
    return `The terminal does not show ${this.expected}. It shows:\n${this.screen}`
  }
}

const configuration = [
  "set -g status off",
  "set -g remain-on-exit on",
  "set -g escape-time 0",
  "set -g default-terminal screen-256color"
].join("\n")

export interface Terminal {
  /** The process that runs in it. */
  readonly pid: Effect.Effect<number>
  /** The one that the process started: a shell's command. */
  readonly child: Effect.Effect<number>
  /** Types text as it is. */
  readonly type: (text: string) => Effect.Effect<void>
  /** Presses keys by tmux's names: `Enter`, `Escape`, `Up`, `C-c`. */
  readonly press: (...keys: ReadonlyArray<string>) => Effect.Effect<void>
  /** Pastes text as terminals do that mark what is pasted. */
  readonly paste: (text: string) => Effect.Effect<void>
  readonly resize: (columns: number, rows: number) => Effect.Effect<void>
  readonly screen: Effect.Effect<string>
  /** The screen, as soon as it shows all of these. */
  readonly shows: (...expected: ReadonlyArray<string>) => Effect.Effect<string, NotShown>
  readonly modes: Effect.Effect<{ readonly isAlternate: boolean; readonly isCursorVisible: boolean }>
  /** Closes it, as a window is closed: what runs in it gets SIGHUP. */
  readonly hangUp: Effect.Effect<void>
}

const interval = Schedule.spaced("20 millis")
const patience = Schedule.upTo(interval, { duration: "20 seconds" })

/** What an effect gives as soon as it is as it should be, or at last. */
export const until = <A>(effect: Effect.Effect<A>, isReached: (value: A) => boolean): Effect.Effect<A> =>
  effect.pipe(
    Effect.filterOrFail(isReached, (value) => value),
    Effect.retry(patience),
    Effect.catch((value) => Effect.succeed(value))
  )

/** A screen that has not changed for half a second. */
export const still = Effect.fnUntraced(function*(screen: Effect.Effect<string>) {
  let [last, times] = ["", 0]
  return yield* until(screen, (screen) => {
    times = screen === last ? times + 1 : 0
    last = screen
    return times >= 20
  })
})

/** Waits for the end of a process, whether its parent took notice of it or not. */
export const gone = (pid: number): Effect.Effect<boolean> =>
  until(
    Effect.sync(() => {
      const stat = Option.liftThrowable(() => readFileSync(`/proc/${pid}/stat`, "utf8"))()
      return Option.match(stat, { onNone: () => true, onSome: (stat) => stat.includes(") Z ") })
    }),
    (isGone) => isGone
  )

/** Opens a terminal with a command in it. It is closed with the scope. */
export const open = Effect.fnUntraced(function*(options: {
  readonly directory: string
  readonly cwd: string
  readonly columns: number
  readonly rows: number
  readonly command: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
}) {
  const { columns, command, cwd, directory, env, rows } = options
  const socket = join(directory, "tmux")
  const conf = join(directory, "tmux.conf")
  writeFileSync(conf, configuration)
  const tmux = (...args: ReadonlyArray<string>): Effect.Effect<string> =>
    Effect.promise(() => run("tmux", ["-u", "-S", socket, "-f", conf, ...args])).pipe(
      Effect.map(({ stdout }) => stdout)
    )
  const assignments = Object.entries(env).flatMap(([name, value]) => ["-e", `${name}=${value}`])
  const ask = (format: string) => Effect.map(tmux("display-message", "-p", format), (answer) => answer.trim())
  const pid = Effect.map(ask("#{pane_pid}"), Number)
  const children = Effect.flatMap(pid, (pid) =>
    Effect.map(
      Effect.promise(() => run("ps", ["-o", "pid=", "--ppid", String(pid)])),
      ({ stdout }) => stdout.trim().split(/\s+/).map(Number)
    ))
  const close = Effect.gen(function*() {
    const pids = [yield* pid, ...yield* Effect.catchCause(children, () => Effect.succeed([]))]
    yield* tmux("kill-server")
    // They hang up, and save: nothing of them may be there when the next test begins.
    yield* Effect.forEach(pids, gone, { discard: true })
  })
  yield* Effect.acquireRelease(
    tmux("new-session", "-d", "-x", String(columns), "-y", String(rows), "-c", cwd, ...assignments, "--", ...command),
    () => Effect.ignoreCause(close)
  )
  const screen = Effect.map(
    tmux("capture-pane", "-p"),
    (text) =>
      text.split("\n").map((line) => line.trimEnd()).filter((line) => !line.startsWith("Pane is dead")).join("\n")
        .trimEnd()
  )
  const expect = (isReached: Effect.Effect<boolean>, expected: string) =>
    Effect.flatMap(until(isReached, (reached) => reached), (reached) =>
      reached
        ? screen
        : Effect.flatMap(screen, (screen) => Effect.fail(new NotShown({ expected, screen }))))
  const terminal: Terminal = {
    pid,
    child: Effect.map(children, ([child = 0]) => child),
    type: (text) => Effect.asVoid(tmux("send-keys", "-l", "--", text)),
    press: (...keys) => Effect.asVoid(tmux("send-keys", ...keys)),
    paste: (text) => Effect.andThen(tmux("set-buffer", "--", text), Effect.asVoid(tmux("paste-buffer", "-p", "-r"))),
    resize: (columns, rows) => Effect.asVoid(tmux("resize-window", "-x", String(columns), "-y", String(rows))),
    screen,
    shows: (...expected) =>
      expect(Effect.map(screen, (screen) => expected.every((text) => screen.includes(text))), expected.join(" and ")),
    modes: Effect.map(ask("#{alternate_on} #{cursor_flag}"), (answer) => {
      const [alternate, cursor] = answer.split(" ")
      return { isAlternate: alternate === "1", isCursorVisible: cursor === "1" }
    }),
    hangUp: Effect.asVoid(tmux("kill-pane"))
  }
  return terminal
})
