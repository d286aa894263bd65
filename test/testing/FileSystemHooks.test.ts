import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import { FileSystemHooks } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

const hooked = (hook: FileSystemHooks.Hook) => Layer.provide(FileSystemHooks.layer(hook), NodeFileSystem.layer)

/** One of everything that the hooks know. */
const everything = Effect.fnUntraced(function*(root: string) {
  const fs = yield* FileSystem.FileSystem
  const at = (name: string) => `${root}/${name}`
  yield* fs.makeDirectory(at("directory"))
  yield* fs.writeFile(at("file"), new Uint8Array([1]))
  yield* Effect.scoped(Effect.gen(function*() {
    const file = yield* fs.open(at("log"), { flag: "ax" })
    yield* file.writeAll(new Uint8Array([1, 2, 3]))
    yield* file.write(new Uint8Array([4]))
    yield* file.truncate(3)
    yield* file.sync
    yield* file.stat
  }))
  yield* Effect.scoped(Effect.gen(function*() {
    const file = yield* fs.open(at("log"))
    yield* file.read(new Uint8Array(1))
    yield* file.readAlloc(1)
  }))
  yield* fs.access(at("file"))
  yield* fs.chmod(at("file"), 0o600)
  yield* fs.stat(at("file"))
  yield* fs.lstat(at("file"))
  yield* fs.realPath(at("file"))
  yield* fs.link(at("file"), at("linked"))
  yield* fs.rename(at("linked"), at("renamed"))
  yield* fs.remove(at("renamed"))
  yield* fs.readDirectory(root)
  return yield* fs.readFile(at("log"))
})

const expected: ReadonlyArray<FileSystemHooks.Call["method"]> = [
  "makeDirectory",
  "writeFile",
  "open",
  "file.write",
  "file.write",
  "file.truncate",
  "file.sync",
  "file.stat",
  "open",
  "file.read",
  "file.read",
  "access",
  "chmod",
  "stat",
  "lstat",
  "realPath",
  "link",
  "rename",
  "remove",
  "readDirectory",
  "readFile"
]

describe("A hooked file system", () => {
  it.effect("does what the one below it does", () =>
    Effect.gen(function*() {
      const { root } = yield* Rig.workspace
      const read = yield* Effect.provide(everything(root), hooked(FileSystemHooks.none))
      assert.deepStrictEqual([...read], [1, 2, 3])
      assert.deepStrictEqual(NodeFs.readdirSync(root).sort(), ["directory", "file", "log", "project"])
    }))

  it.effect("shows every call, in order, with its paths, bytes and flag", () =>
    Effect.gen(function*() {
      const { root } = yield* Rig.workspace
      const calls: Array<FileSystemHooks.Call> = []
      yield* Effect.provide(everything(root), hooked(FileSystemHooks.recordInto(calls)))
      assert.deepStrictEqual(calls.map(({ method }) => method), expected)
      const find = (method: FileSystemHooks.Call["method"]) => calls.find((call) => call.method === method)
      assert.deepStrictEqual(find("rename"), { method: "rename", path: `${root}/linked`, to: `${root}/renamed` })
      assert.deepStrictEqual(find("link"), { method: "link", path: `${root}/file`, to: `${root}/linked` })
      assert.deepStrictEqual(find("open"), { method: "open", path: `${root}/log`, flag: "ax" })
      assert.deepStrictEqual(find("file.write"), {
        method: "file.write",
        path: `${root}/log`,
        bytes: new Uint8Array([1, 2, 3]),
        flag: "ax"
      })
      assert.deepStrictEqual(calls.findLast(({ method }) => method === "open")?.flag, "r")
    }))

  it.effect("fails the call of a number instead of running it, and counts all", () =>
    Effect.gen(function*() {
      for (const number of expected.keys()) {
        const { root } = yield* Rig.workspace
        const { counter, hook } = FileSystemHooks.failAt([number])
        const error = yield* Effect.flip(Effect.provide(everything(root), hooked(hook)))
        assert.strictEqual(error.reason._tag, "Unknown")
        assert.deepStrictEqual(counter.failed.map(({ method }) => method), [expected[number]])
        assert.strictEqual(counter.seen, number + 1)
      }
    }))

  it.effect("leaves the disk as it was when a call is failed", () =>
    Effect.gen(function*() {
      const { root } = yield* Rig.workspace
      const { hook } = FileSystemHooks.failAt([0, 1])
      const failed = Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        yield* Effect.flip(fs.makeDirectory(`${root}/directory`))
        yield* Effect.flip(fs.writeFile(`${root}/file`, new Uint8Array(1)))
      })
      yield* Effect.provide(failed, hooked(hook))
      assert.deepStrictEqual(NodeFs.readdirSync(root), ["project"])
    }))

  it.effect("fails with the error that it is given", () =>
    Effect.gen(function*() {
      const { hook } = FileSystemHooks.failAt(
        [0],
        (call) => FileSystemHooks.systemError(call, "PermissionDenied", "EACCES")
      )
      const error = yield* FileSystem.FileSystem.use((fs) => fs.exists("/")).pipe(
        Effect.provide(hooked(hook)),
        Effect.flip
      )
      assert.strictEqual(error.reason._tag, "PermissionDenied")
    }))

  it.effect("sees calls that go through a convenience, too", () =>
    Effect.gen(function*() {
      const { root } = yield* Rig.workspace
      const calls: Array<FileSystemHooks.Call> = []
      yield* FileSystem.FileSystem.use((fs) =>
        Effect.gen(function*() {
          yield* fs.writeFileString(`${root}/file`, "text")
          assert.strictEqual(yield* fs.readFileString(`${root}/file`), "text")
          assert.isTrue(yield* fs.exists(`${root}/file`))
        })
      ).pipe(Effect.provide(hooked(FileSystemHooks.recordInto(calls))))
      assert.deepStrictEqual(calls.map(({ method }) => method), ["writeFile", "readFile", "access"])
    }))
})
