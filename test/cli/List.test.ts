import { assert, describe, it } from "@effect/vitest"
import { Clock, DateTime, Duration, Effect, FileSystem, Schema } from "effect"
import { Sessions, Timestamp } from "effect-reprise"
import { TestClock } from "effect/testing"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Output from "../../src/cli/Output.ts"
import * as Rig from "../suites/rig.ts"
import * as Cli from "./cli-rig.ts"

const decodeList = Schema.decodeEffect(Schema.fromJsonString(CliJson.List))
const decodeEntry = Schema.decodeEffect(Schema.fromJsonString(CliJson.Entry))

/** Sessions of every state, the oldest first; in the project but for one. */
const every = Effect.gen(function*() {
  const cli = yield* Cli.overFiles()
  const fs = yield* FileSystem.FileSystem
  const { project, root, within } = cli
  const other = `${root}/other`
  yield* fs.makeDirectory(other)
  // The time of a running session is that of its file, which no test clock moves.
  const now = yield* TestClock.withLive(Clock.currentTimeMillis)
  yield* TestClock.setTime(now - Duration.toMillis("20 days") - Duration.toMillis("1 hour"))
  const old = yield* within(Cli.stored({ project, name: "old", messages: 3 }))
  const began = DateTime.formatIso(yield* DateTime.now)
  yield* TestClock.adjust("20 days")
  const removed = yield* within(Cli.stored({ project, name: "removed" }))
  yield* within(Sessions.remove(removed))
  const elsewhere = yield* within(Cli.stored({ project: other, name: "日本語" }))
  const broken = yield* within(Cli.stored({ project, name: "broken" }))
  yield* fs.truncate(`${cli.sessions}/${broken}/session.json`)
  yield* TestClock.adjust("1 hour")
  const running = yield* within(Effect.gen(function*() {
    const session = yield* Sessions.create({ project, name: "running", config: Rig.config })
    yield* session.replaceTodos([
      { content: "a", status: "completed", activeForm: "" },
      { content: "b", status: "pending", activeForm: "" },
      { content: "c", status: "in_progress", activeForm: "" }
    ])
    yield* Sessions.checkpoint(session.id)
    return session.id
  }))
  return { ...cli, began, other, old, removed, elsewhere, broken, running }
}).pipe(Effect.provide(Rig.layerPlatform))

/** The names in the table. */
const names = (out: string) =>
  (out.split("\n\n")[0] ?? "").split("\n").slice(1).flatMap((line) => /^ *\d+ {2}(\S+)/.exec(line)?.[1] ?? [])

describe("reprise list", () => {
  it.effect("shows this project's sessions, newest first, and what can't be read with why and what to do", () =>
    Effect.gen(function*() {
      const { broken, old, run, running } = yield* every
      const { code, err, out } = yield* run(["list"])
      assert.deepStrictEqual([code, err], [0, ""])
      const ids = { broken: broken.slice(0, 8), old: old.slice(0, 8), running: running.slice(0, 8) }
      const [header = "", first = "", second = "", third = "", empty, ...why] = out.split("\n")
      assert.match(header, /^#  NAME +STATE +MESSAGES  TODOS +SIZE  UPDATED +ID$/)
      assert.match(first, new RegExp(`^1  running +running +0 +1/3 +[\\d.]+ \\S+  \\S.*  ${ids.running}$`))
      assert.match(second, new RegExp(`^2  old +closed +3 +[\\d.]+ \\S+  20 days ago  ${ids.old}$`))
      assert.match(third, new RegExp(`^3  \\(can't be read\\) +broken +${ids.broken}$`))
      assert.strictEqual(empty, "")
      assert.strictEqual(
        why.join("\n"),
        `3  ${broken} can't be read.\n   why: The file is not JSON from offset 0 on.\n` +
          `   do:  Put the file back from a backup, or remove the session: reprise delete ${broken}\n`
      )
    }))

  it.effect("shows every project's with --all, with their paths", () =>
    Effect.gen(function*() {
      const { other, project, run } = yield* every
      const { out } = yield* run(["list", "--all"])
      assert.match(out, /ID +PROJECT\n/)
      assert.include(out, `  ${project}\n`)
      assert.include(out, `  ${other}\n`)
      assert.deepStrictEqual(names(out).slice(0, 3), ["running", "日本語", "old"])
    }))

  it.effect("shows what is asked for: by state, by text, and not more than the limit", () =>
    Effect.gen(function*() {
      const { run } = yield* every
      const shown = (...args: ReadonlyArray<string>) => Effect.map(run(["ls", ...args]), ({ out }) => names(out))
      assert.deepStrictEqual(yield* shown("--state", "closed"), ["old"])
      assert.deepStrictEqual(yield* shown("--state", "removed"), ["removed"])
      assert.deepStrictEqual(yield* shown("--state", "running", "--state", "removed"), ["running", "removed"])
      assert.deepStrictEqual(yield* shown("--state", "broken"), ["(can't"])
      assert.deepStrictEqual(yield* shown("--search", "OL"), ["old"])
      assert.deepStrictEqual(yield* shown("--all", "--search", "other"), ["日本語"])
      assert.deepStrictEqual(yield* shown("--limit", "1"), ["running"])
      assert.include((yield* run(["list", "--limit", "1"])).err, "2 more: reprise list --limit 3")
    }))

  it.effect("says so where there is nothing, and where there is something", () =>
    Effect.gen(function*() {
      const { root, run } = yield* every
      const empty = `${root}/empty`
      const { out } = yield* run(["list", "--state", "closed"], { cwd: empty })
      assert.strictEqual(out, "No session is like that.\n")
      const cli = yield* Cli.overFiles()
      assert.strictEqual(
        (yield* cli.run(["list"])).out,
        `No sessions in ${cli.project} yet. Begin one with: reprise new\n`
      )
      yield* cli.within(Cli.stored({ project: cli.project, name: "one" }))
      assert.include((yield* cli.run(["list"], { cwd: cli.root })).out, "There are 1 in other projects")
    }))

  it.effect("changes nothing where there is nothing: no directory, no key", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { root, run, sessions } = yield* Cli.overFiles()
      yield* run(["list"])
      assert.isFalse(yield* fs.exists(sessions))
      assert.isFalse(yield* fs.exists(`${root}/keyring.json`))
    }).pipe(Effect.provide(Rig.layerPlatform)))

  it.effect("fits the terminal, from 40 columns to 200", () =>
    Effect.gen(function*() {
      const { run } = yield* every
      for (const terminal of [40, 60, 80, 120, 200]) {
        const { out } = yield* run(["list", "--all", "--color", "never"], { terminal })
        const table = out.slice(0, out.indexOf("\n\n")).split("\n")
        assert.lengthOf(table, 5)
        for (const line of table) assert.isAtMost(Output.width(line), terminal, `${terminal}: ${line}`)
      }
      const { out } = yield* run(["list"], { terminal: 40 })
      assert.match(out.split("\n")[0] ?? "", /#.*NAME.*STATE/)
      assert.notInclude(out.split("\n")[0] ?? "", "SIZE")
    }))

  it.effect("is colored on a terminal, and nowhere else", () =>
    Effect.gen(function*() {
      const { run } = yield* every
      const isColored = (args: ReadonlyArray<string>, options: Cli.RunOptions) =>
        Effect.map(run(["list", ...args], options), ({ out }) => out.includes("\u001b["))
      assert.isTrue(yield* isColored([], { terminal: 80 }))
      assert.isFalse(yield* isColored([], {}))
      assert.isFalse(yield* isColored([], { terminal: 80, env: { NO_COLOR: "1" } }))
      assert.isFalse(yield* isColored([], { terminal: 80, env: { TERM: "dumb" } }))
      assert.isFalse(yield* isColored(["--color", "never"], { terminal: 80 }))
      assert.isTrue(yield* isColored(["--color", "always"], { env: { NO_COLOR: "1" } }))
      assert.isTrue(yield* isColored(["--color=always"], {}))
    }))

  it.effect("prints nothing that a terminal acts on, whatever a name or a file is called", () =>
    Effect.gen(function*() {
      const { project, run, sessions, within } = yield* Cli.overFiles()
      const fs = yield* FileSystem.FileSystem
      yield* within(Cli.stored({ project, name: "a\u001b[2Jb\u202ec\nd\u0007" }))
      yield* fs.writeFileString(`${sessions}/0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f.json`, "\u001b[31m")
      for (const args of [["list"], ["list", "--json"], ["list", "--ndjson"], ["show", "last"], ["doctor"]]) {
        const { out } = yield* run(args)
        // oxlint-disable-next-line no-control-regex -- they are what is looked for
        assert.notMatch(out, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/, args.join(" "))
      }
      assert.include((yield* run(["list"])).out, "a\\x1b[2Jb\\u202ec d\\x07")
    }).pipe(Effect.provide(Rig.layerPlatform)))
})

describe("reprise list for programs", () => {
  it.effect("prints one document of its schema", () =>
    Effect.gen(function*() {
      const { began, broken, old, project, run, running, sessions } = yield* every
      const { code, err, out } = yield* run(["list", "--json"])
      assert.deepStrictEqual([code, err], [0, ""])
      const list = yield* decodeList(out)
      assert.deepStrictEqual([list.directory, list.project], [sessions, project])
      assert.deepStrictEqual(list.sessions.map(({ id, state }) => [id, state]), [
        [running, "running"],
        [old, "closed"],
        [broken, "broken"]
      ])
      const [first, second, third] = list.sessions
      assert.deepInclude(first, { name: "running", messages: 0, todosDone: 1, todosTotal: 3 })
      assert.deepInclude(second, { name: "old", messages: 3, updatedAt: Timestamp.Timestamp.make(began) })
      assert.deepInclude(third, { error: "InvalidJson/Syntax", why: "The file is not JSON from offset 0 on." })
      assert.isNull((yield* decodeList((yield* run(["list", "--all", "--json"])).out)).project)
    }))

  it.effect("prints a line a session with --ndjson", () =>
    Effect.gen(function*() {
      const { run } = yield* every
      const { out } = yield* run(["list", "--all", "--ndjson"])
      const lines = out.trimEnd().split("\n")
      const entries = yield* Effect.forEach(lines, (line) => decodeEntry(line))
      assert.deepStrictEqual(entries.map(({ state }) => state), ["running", "closed", "closed", "broken"])
    }))

  it.effect("tells files of other formats with the command that brings them in", () =>
    Effect.gen(function*() {
      const { run, sessions, within, project } = yield* Cli.overFiles()
      const fs = yield* FileSystem.FileSystem
      yield* within(Cli.stored({ project, name: "one" }))
      const name = "0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f.json"
      yield* fs.writeFileString(`${sessions}/${name}`, "{}")
      const { sessions: entries } = yield* decodeList((yield* run(["list", "--json"])).out)
      assert.deepInclude(entries[1], { id: null, name, state: "foreign", next: `reprise import ${sessions}/${name}` })
      yield* run(["list"])
      const number = yield* run(["show", "2"])
      assert.deepStrictEqual([number.code, number.err.includes("a file of another format")], [3, true])
    }).pipe(Effect.provide(Rig.layerPlatform)))
})
