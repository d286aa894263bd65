import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Sessions } from "effect-reprise"
import { TestClock } from "effect/testing"
import * as Cli from "./cli-rig.ts"

/** Two sessions in the project and one elsewhere: "first", "second", "far". */
const three = Effect.gen(function*() {
  const cli = yield* Cli.inMemory
  const create = (name: string, project = cli.project) =>
    Effect.tap(cli.within(Cli.stored({ project, name })), TestClock.adjust("1 minute"))
  const first = yield* create("first")
  const second = yield* create("second")
  const far = yield* create("far", "/elsewhere")
  const nameOf = (...args: ReadonlyArray<string>) =>
    Effect.map(cli.run(["show", ...args]), ({ code, err, out }) => code === 0 ? out.split("\n")[0] ?? "" : err)
  return { ...cli, first, second, far, nameOf }
})

describe("A target", () => {
  it.effect("is a full id, or the beginning of one that is nobody else's", () =>
    Effect.gen(function*() {
      const { far, first, nameOf } = yield* three
      assert.strictEqual(yield* nameOf(first), "first")
      assert.strictEqual(yield* nameOf(first.toUpperCase()), "first")
      assert.strictEqual(yield* nameOf(first.slice(0, 13)), "first")
      assert.strictEqual(yield* nameOf(far.slice(0, 18)), "far")
    }))

  it.effect("is an exact name, in this project or any other", () =>
    Effect.gen(function*() {
      const { nameOf } = yield* three
      assert.strictEqual(yield* nameOf("second"), "second")
      assert.strictEqual(yield* nameOf("far"), "far")
      assert.include(yield* nameOf("sec"), "No session \"sec\".")
    }))

  it.effect("is this project's, where another project has one of the same name", () =>
    Effect.gen(function*() {
      const { nameOf, run, within } = yield* three
      yield* within(Cli.stored({ project: "/elsewhere", name: "first" }))
      assert.strictEqual(yield* nameOf("first"), "first")
      const elsewhere = yield* run(["show", "first"], { cwd: "/" })
      assert.strictEqual(elsewhere.code, 3)
      assert.include(elsewhere.err, "2 sessions answer to it.")
    }))

  it.effect("is last: the newest session of this project", () =>
    Effect.gen(function*() {
      const { nameOf, run } = yield* three
      assert.strictEqual(yield* nameOf("last"), "second")
      const nowhere = yield* run(["show", "last"], { cwd: "/" })
      assert.deepStrictEqual([nowhere.code, nowhere.err.includes("This project has none.")], [3, true])
    }))

  it.effect("that several sessions answer to is refused with all of them", () =>
    Effect.gen(function*() {
      const { first, project, run, within } = yield* three
      const twin = yield* within(Cli.stored({ project, name: "first" }))
      const { code, err } = yield* run(["show", "first"])
      assert.strictEqual(code, 3)
      assert.include(err, "error: \"first\" is not one session.\n  why: 2 sessions answer to it.\n")
      assert.include(err, `${first}  first\n`)
      assert.include(err, `${twin}  first\n`)
    }))

  it.effect("that nothing answers to is refused with what it may have meant", () =>
    Effect.gen(function*() {
      const { run, second } = yield* three
      const { code, err } = yield* run(["show", "Secon"])
      assert.strictEqual(code, 3)
      assert.include(err, `${second}  second\n`)
      assert.include(err, "reprise list --all")
      const json = yield* run(["show", "Secon", "--json"])
      const error = yield* Cli.errorOf(json.err)
      assert.deepStrictEqual([error.error, error.exitCode, error.candidates], [
        "TargetUnknown",
        3,
        [{ id: second, name: "second" }]
      ])
    }))
})

describe("A number", () => {
  it.effect("means what stood there when the project's list was last shown", () =>
    Effect.gen(function*() {
      const { nameOf, run } = yield* three
      yield* run(["list"])
      assert.strictEqual(yield* nameOf("1"), "second")
      assert.strictEqual(yield* nameOf("2"), "first")
      yield* run(["list", "--all"])
      assert.strictEqual(yield* nameOf("1"), "far")
      yield* run(["list", "--search", "firs"])
      assert.strictEqual(yield* nameOf("1"), "first")
    }))

  it.effect("means the same session still, when the order changed since", () =>
    Effect.gen(function*() {
      const { first, nameOf, project, run, within } = yield* three
      yield* run(["list"])
      yield* within(Effect.andThen(Sessions.resume(first), Sessions.close(first)))
      yield* within(Cli.stored({ project, name: "newest" }))
      assert.strictEqual(yield* nameOf("2"), "first")
      assert.strictEqual(yield* nameOf("1"), "second")
    }))

  it.effect("is refused when that session is gone, whatever stands there now", () =>
    Effect.gen(function*() {
      const { nameOf, run, second } = yield* three
      yield* run(["list"])
      yield* run(["delete", "1"])
      const { code, err } = yield* run(["delete", "1"])
      assert.strictEqual(code, 3)
      assert.include(err, `What was shown there, ${second}, is gone or in the trash.`)
      assert.strictEqual(yield* nameOf("2"), "first")
    }))

  it.effect("is refused before a list was shown, after its end, and in another project", () =>
    Effect.gen(function*() {
      const { nameOf, root, run } = yield* three
      assert.include(yield* nameOf("1"), "No list was shown in this project yet.")
      yield* run(["list"])
      assert.include(yield* nameOf("3"), "has 2 entries")
      assert.include((yield* run(["show", "1"], { cwd: root })).err, "No list was shown in this project yet.")
    }))

  it.effect("stays what it was when programs read the list", () =>
    Effect.gen(function*() {
      const { nameOf, run } = yield* three
      yield* run(["list"])
      yield* run(["list", "--all", "--json"])
      yield* run(["list", "--all", "--ndjson"])
      assert.strictEqual(yield* nameOf("1"), "second")
    }))

  it.effect("is remembered in a file that nobody else can read", () =>
    Effect.gen(function*() {
      const { root, run } = yield* three
      yield* run(["list"])
      const NodeFs = yield* Effect.promise(() => import("node:fs"))
      const names = NodeFs.readdirSync(`${root}/listings`)
      assert.lengthOf(names, 1)
      assert.strictEqual(NodeFs.statSync(`${root}/listings/${names[0]}`).mode & 0o777, 0o600)
      assert.strictEqual(NodeFs.statSync(`${root}/listings`).mode & 0o777, 0o700)
    }))

  it.effect("is refused, and nothing else fails, where the list can't be remembered", () =>
    Effect.gen(function*() {
      const { nameOf, root, run } = yield* three
      const NodeFs = yield* Effect.promise(() => import("node:fs"))
      NodeFs.writeFileSync(`${root}/listings`, "in the way")
      assert.strictEqual((yield* run(["list"])).code, 0)
      assert.include(yield* nameOf("1"), "No list was shown in this project yet.")
    }))
})
