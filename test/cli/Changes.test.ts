/** The commands that change what is stored. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { SessionList, Sessions } from "effect-reprise"
import { TestClock } from "effect/testing"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Cli from "./cli-rig.ts"

const decode = <S extends Schema.ConstraintDecoder<unknown>>(schema: S, text: string) =>
  Effect.orDie(Schema.decodeEffect(Schema.fromJsonString(schema))(text))

/** Names and states of everything that is stored, those in the trash too. */
const states = Effect.gen(function*() {
  const present = yield* Stream.runCollect(Sessions.list())
  const removed = yield* Stream.runCollect(Sessions.list({ status: ["removed"] }))
  return [...present, ...removed].filter(SessionList.isStored).map(({ name, status }) => `${name} ${status}`).sort()
})

describe("reprise new", () => {
  it.effect("stores a session of the current directory, and says how to go on", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* Cli.overFiles()
      const { code, out } = yield* run(["new"])
      assert.strictEqual(code, 0)
      const [, name, path, id] = /^Created (.+) in (.+)\.\nGo on with it: reprise resume (.+)\n$/.exec(out) ?? []
      assert.deepStrictEqual([name, path], ["project", project])
      const [entry] = (yield* within(Stream.runCollect(Sessions.list()))).filter(SessionList.isStored)
      assert.deepStrictEqual([entry?.id, entry?.status, entry?.projectPath], [id, "closed", project])
    }))

  it.effect("takes a path, a name and a model", () =>
    Effect.gen(function*() {
      const { root, run } = yield* Cli.overFiles()
      const args = [
        "--name",
        "Fix \"it\"",
        "--provider",
        "p",
        "--model",
        "m",
        "--temperature",
        "1",
        "--max-tokens",
        "5"
      ]
      const { out } = yield* run(["new", "..", ...args, "--json"])
      const made = yield* decode(CliJson.Named, out)
      assert.deepStrictEqual([made.name, made.project], ["Fix \"it\"", root])
      const shown = yield* decode(CliJson.Show, (yield* run(["show", made.id, "--json"])).out)
      assert.deepStrictEqual(shown.session.session.config, { provider: "p", model: "m", temperature: 1, maxTokens: 5 })
    }))

  it.effect("takes provider and model from the environment", () =>
    Effect.gen(function*() {
      const { run } = yield* Cli.overFiles()
      const env = { REPRISE_PROVIDER: "anthropic", REPRISE_MODEL: "claude" }
      const { id } = yield* decode(CliJson.Named, (yield* run(["new", "--json"], { env })).out)
      const { session } = yield* decode(CliJson.Show, (yield* run(["show", id, "--json"])).out)
      assert.deepInclude(session.session.config, { provider: "anthropic", model: "claude" })
    }))

  it.effect("is refused for a directory that is not there, and for a name that is none", () =>
    Effect.gen(function*() {
      const { root, run } = yield* Cli.overFiles()
      const missing = yield* run(["new", "../nowhere"])
      assert.deepStrictEqual([missing.code, missing.err.split("\n")[1]], [
        1,
        `  why: There is no directory ${root}/nowhere.`
      ])
      const nameless = yield* run(["new", "--name", ""])
      assert.deepStrictEqual([nameless.code, nameless.err.split("\n")[1]], [
        1,
        "  why: name is not a name of 1 to 50 characters."
      ])
    }))
})

describe("reprise rename", () => {
  it.effect("gives a session another name", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* Cli.inMemory
      yield* within(Cli.stored({ project, name: "one" }))
      assert.strictEqual((yield* run(["rename", "last", "two"])).out, "Renamed one to two.\n")
      assert.deepStrictEqual(yield* within(states), ["two closed"])
      const { name } = yield* decode(CliJson.Named, (yield* run(["rename", "two", "three", "--json"])).out)
      assert.strictEqual(name, "three")
    }))

  it.effect("is refused for a name that is too long, and changes nothing", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* Cli.inMemory
      yield* within(Cli.stored({ project, name: "one" }))
      assert.strictEqual((yield* run(["rename", "last", "x".repeat(51)])).code, 1)
      assert.deepStrictEqual(yield* within(states), ["one closed"])
    }))
})

describe("reprise delete", () => {
  it.effect("moves sessions to the trash, each of them once, and restore takes them out again", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* Cli.inMemory
      const one = yield* within(Cli.stored({ project, name: "one" }))
      yield* within(Cli.stored({ project, name: "two" }))
      const { code, out } = yield* run(["delete", "one", one, "two"])
      assert.strictEqual(code, 0)
      assert.include(out, `Deleted one. To have it back: reprise restore ${one}\n`)
      assert.include(out, "2 sessions deleted, 0 failed.\n")
      assert.deepStrictEqual(yield* within(states), ["one removed", "two removed"])
      assert.strictEqual(
        (yield* run(["restore", one])).out,
        `Restored one. Go on with it: reprise resume ${one}\n`
      )
      assert.deepStrictEqual(yield* within(states), ["one closed", "two removed"])
    }))

  it.effect("deletes nothing when one of its targets is unknown", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* Cli.inMemory
      yield* within(Cli.stored({ project, name: "one" }))
      assert.strictEqual((yield* run(["delete", "one", "nobody"])).code, 3)
      assert.deepStrictEqual(yield* within(states), ["one closed"])
    }))

  it.effect("leaves running and interrupted sessions alone, and goes on with the others", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* Cli.inMemory
      yield* within(
        Sessions.create({
          project,
          name: "running",
          config: { provider: "p", model: "m", temperature: 0, maxTokens: 1 }
        })
      )
      yield* within(Cli.interrupted({ project: "/elsewhere", name: "interrupted" }))
      yield* within(Cli.stored({ project: "/third", name: "closed" }))
      const { code, err, out } = yield* run(["delete", "running", "interrupted", "closed", "--json"])
      // Busy and interrupted share no code.
      assert.strictEqual(code, 1)
      const report = yield* decode(CliJson.Removal, out)
      assert.deepStrictEqual(report.removed.map(({ name }) => name), ["closed"])
      assert.deepStrictEqual(report.failed.map(({ error, exitCode }) => [error, exitCode]), [
        ["RestoreFailed/AlreadyRunning", 5],
        ["RestoreFailed/AlreadyRunning", 1]
      ])
      assert.strictEqual((yield* Cli.errorOf(err)).what, "2 of 3 were not deleted.")
      assert.strictEqual((yield* run(["delete", "running"])).code, 5)
      assert.deepStrictEqual(yield* within(states), ["closed removed", "interrupted interrupted", "running running"])
    }))

  it.effect("takes interrupted sessions, too, when it is told to", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* Cli.inMemory
      yield* within(Cli.interrupted({ project, name: "interrupted" }))
      assert.strictEqual((yield* run(["delete", "last", "--interrupted"])).code, 0)
      assert.deepStrictEqual(yield* within(states), ["interrupted removed"])
    }))

  it.effect("removes a session that can't be read", () =>
    Effect.gen(function*() {
      const { project, run, sessions, within } = yield* Cli.overFiles()
      const NodeFs = yield* Effect.promise(() => import("node:fs"))
      const id = yield* within(Cli.stored({ project, name: "broken" }))
      NodeFs.writeFileSync(`${sessions}/${id}/session.json`, "")
      yield* run(["list"])
      assert.strictEqual((yield* run(["delete", "1"])).code, 0)
      assert.strictEqual((yield* run(["list"])).out.includes("can't be read"), false)
      assert.strictEqual((yield* run(["restore", id])).code, 0)
      assert.include((yield* run(["list"])).out, "can't be read")
    }))
})

describe("reprise clear", () => {
  const some = Effect.gen(function*() {
    const cli = yield* Cli.inMemory
    const { project, within } = cli
    yield* within(Cli.stored({ project, name: "one" }))
    yield* within(Cli.stored({ project, name: "two" }))
    yield* within(Cli.stored({ project: "/elsewhere", name: "far" }))
    yield* within(Cli.interrupted({ project, name: "interrupted" }))
    return cli
  })

  it.effect("moves this project's closed sessions to the trash", () =>
    Effect.gen(function*() {
      const { run, within } = yield* some
      const { code, out } = yield* run(["clear", "--yes"])
      assert.deepStrictEqual([code, out.includes("2 sessions deleted, 0 failed.\n1 session left alone")], [0, true])
      assert.deepStrictEqual(yield* within(states), [
        "far closed",
        "interrupted interrupted",
        "one removed",
        "two removed"
      ])
      assert.include((yield* run(["clear", "-y"])).out, "No closed sessions in ")
    }))

  it.effect("moves those of every project with --all", () =>
    Effect.gen(function*() {
      const { run } = yield* some
      const report = yield* decode(CliJson.Removal, (yield* run(["clear", "--all", "--yes", "--json"])).out)
      assert.sameMembers(report.removed.map(({ name }) => name), ["one", "two", "far"])
      assert.deepStrictEqual(report.skipped.map(({ name, reason }) => [name, reason]), [["interrupted", "interrupted"]])
      const again = yield* decode(CliJson.Removal, (yield* run(["clear", "--json"])).out)
      assert.deepStrictEqual([again.removed.length, again.failed.length], [0, 0])
    }))

  it.effect("does nothing unless somebody confirms it", () =>
    Effect.gen(function*() {
      const { run, within } = yield* some
      const { code, err } = yield* run(["clear"])
      assert.deepStrictEqual([code, err.split("\n")[2]], [2, "  do:  Confirm it: reprise clear --yes"])
      assert.strictEqual((yield* within(states)).filter((state) => state.includes("closed")).length, 3)
    }))
})

describe("reprise cleanup", () => {
  const aged = Effect.gen(function*() {
    const cli = yield* Cli.inMemory
    const { project, within } = cli
    yield* within(Effect.flatMap(Cli.stored({ project, name: "trash" }), (id) => Sessions.remove(id)))
    yield* within(Cli.stored({ project, name: "old" }))
    yield* TestClock.adjust("40 days")
    yield* within(Cli.stored({ project, name: "young" }))
    return cli
  })

  it.effect("moves old sessions to the trash, and deletes for ever what was there that long", () =>
    Effect.gen(function*() {
      const { run, within } = yield* aged
      const { code, out } = yield* run(["cleanup"])
      assert.strictEqual(code, 0)
      assert.match(out, /^to the trash: old {2}\S+\ndeleted for ever: trash {2}\S+\n/)
      assert.include(out, "1 session to the trash, 1 deleted for ever, 1 left alone, 0 failed.\n")
      assert.deepStrictEqual(yield* within(states), ["old removed", "young closed"])
    }))

  it.effect("only tells what it would do with --dry-run", () =>
    Effect.gen(function*() {
      const { run, within } = yield* aged
      const report = yield* decode(CliJson.Cleanup, (yield* run(["cleanup", "--dry-run", "--json"])).out)
      assert.isTrue(report.dryRun)
      assert.deepStrictEqual(report.removed.map(({ name }) => name), ["old"])
      assert.deepStrictEqual(report.purged.map(({ name }) => name), ["trash"])
      assert.deepStrictEqual(report.skipped.map(({ name, reason }) => [name, reason]), [["young", "recent"]])
      assert.deepStrictEqual(yield* within(states), ["old closed", "trash removed", "young closed"])
      assert.include((yield* run(["cleanup", "-n"])).out, "1 session would go to the trash")
    }))

  it.effect("takes another age, never less than a day", () =>
    Effect.gen(function*() {
      const { run, within } = yield* aged
      yield* run(["cleanup", "--older-than", "7w"])
      assert.deepStrictEqual(yield* within(states), ["old closed", "trash removed", "young closed"])
      for (const age of ["23h", "soon", "-3d"]) {
        const { code, err } = yield* run(["cleanup", "--older-than", age])
        assert.strictEqual(code, 2, err)
      }
    }))
})

describe("Long work", () => {
  it.effect("tells its progress on a terminal, clears it, and sums up", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* Cli.inMemory
      for (let index = 0; index < 5; index++) yield* within(Cli.stored({ project, name: `number ${index}` }))
      yield* TestClock.adjust("40 days")
      let written = ""
      const onStderr = (text: string) => {
        written += text
      }
      const { out } = yield* run(["verify", "--color", "never"], { terminal: 60, onStderr })
      assert.include(written, "\r\u001b[Kverify 1/5")
      assert.isTrue(written.endsWith("\r\u001b[K"))
      // What went well needs no line there.
      assert.strictEqual(out, "5 sessions verified: 5 intact, 0 broken.\n")
      written = ""
      assert.lengthOf((yield* run(["verify"], { onStderr })).out.split("\n"), 7)
      assert.strictEqual(written, "")
      yield* run(["cleanup"], { terminal: 60, onStderr })
      assert.include(written, "cleanup 1/5")
    }))
})
