import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option, type PlatformError, Result } from "effect"
import { NodeFiles } from "effect-reprise/node"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

const modes = ["threads", "synchronous"] as const

/** An empty directory, gone afterwards. */
const workspace = Effect.acquireRelease(
  Effect.sync(() => NodeFs.realpathSync(NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reprise-files-")))),
  (root) => Effect.sync(() => NodeFs.rmSync(root, { recursive: true, force: true }))
)

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** What a call came to, as far as callers rely on it. */
const outcome = <A, R>(effect: Effect.Effect<A, PlatformError.PlatformError, R>) =>
  Effect.map(
    Effect.result(effect),
    Result.match({
      onFailure: ({ reason }) => `${reason._tag} ${reason.method} ${"pathOrDescriptor" in reason ? "of a path" : ""}`,
      onSuccess: (value) => value === undefined ? "done" : value
    })
  )

type Deed = (fs: FileSystem.FileSystem, root: string) => Effect.Effect<unknown, PlatformError.PlatformError>

const reading =
  <A>(use: (file: FileSystem.File) => Effect.Effect<A, PlatformError.PlatformError>): Deed => (fs, root) =>
    Effect.scoped(Effect.flatMap(fs.open(`${root}/file`, { flag: "r", noFollow: true }), use))

const creating =
  <A>(use: (file: FileSystem.File) => Effect.Effect<A, PlatformError.PlatformError>): Deed => (fs, root) =>
    Effect.andThen(
      Effect.scoped(Effect.flatMap(fs.open(`${root}/new`, { flag: "ax", mode: 0o600 }), use)),
      Effect.all([Effect.map(fs.readFile(`${root}/new`), text), Effect.map(fs.stat(`${root}/new`), ({ mode }) => mode)])
    )

/** What anybody may do with a file system, by what it is. */
const deeds: Record<string, Deed> = {
  "asking whether a file is there": (fs, root) => fs.exists(`${root}/file`),
  "asking whether nothing is there": (fs, root) => fs.exists(`${root}/nothing`),
  "asking whether a file can be written": (fs, root) => fs.access(`${root}/file`, { writable: true }),
  "listing a directory": (fs, root) => Effect.map(fs.readDirectory(root), (names) => names.sort()),
  "listing all below a directory": (fs, root) =>
    Effect.map(fs.readDirectory(root, { recursive: true }), (names) => names.sort()),
  "listing a file": (fs, root) => fs.readDirectory(`${root}/file`),
  "listing nothing": (fs, root) => fs.readDirectory(`${root}/nothing`),
  "looking at a file": (fs, root) => Effect.map(fs.lstat(`${root}/file`), ({ mode, size, type }) => [type, mode, size]),
  "looking at a link": (fs, root) => Effect.map(fs.lstat(`${root}/link`), ({ type }) => type),
  "looking through a link": (fs, root) => Effect.map(fs.stat(`${root}/link`), ({ type }) => type),
  "looking at a FIFO": (fs, root) => Effect.map(fs.lstat(`${root}/fifo`), ({ type }) => type),
  "looking at nothing": (fs, root) => fs.lstat(`${root}/nothing`),
  "looking below a file": (fs, root) => fs.lstat(`${root}/file/below`),
  "resolving a link": (fs, root) => fs.realPath(`${root}/link`),
  "resolving nothing": (fs, root) => fs.realPath(`${root}/nothing`),
  "making a directory": (fs, root) =>
    Effect.andThen(
      fs.makeDirectory(`${root}/made`, { mode: 0o700 }),
      Effect.map(fs.stat(`${root}/made`), ({ mode }) => mode)
    ),
  "making a directory that is there": (fs, root) => fs.makeDirectory(`${root}/directory`),
  "making directories": (fs, root) => fs.makeDirectory(`${root}/a/b/c`, { recursive: true }),
  "linking": (fs, root) =>
    Effect.andThen(fs.link(`${root}/file`, `${root}/second`), fs.readFileString(`${root}/second`)),
  "linking over a file": (fs, root) => fs.link(`${root}/file`, `${root}/directory/inner`),
  "renaming": (fs, root) =>
    Effect.andThen(fs.rename(`${root}/file`, `${root}/moved`), fs.readFileString(`${root}/moved`)),
  "renaming nothing": (fs, root) => fs.rename(`${root}/nothing`, `${root}/moved`),
  "removing a file": (fs, root) => Effect.andThen(fs.remove(`${root}/file`), fs.exists(`${root}/file`)),
  "removing nothing": (fs, root) => fs.remove(`${root}/nothing`),
  "removing nothing, which may be gone": (fs, root) => fs.remove(`${root}/nothing`, { force: true }),
  "removing a link, not what it leads to": (fs, root) =>
    Effect.andThen(fs.remove(`${root}/link`, { recursive: true }), fs.exists(`${root}/file`)),
  "removing a directory and all in it": (fs, root) =>
    Effect.andThen(fs.remove(`${root}/directory`, { recursive: true, force: true }), fs.exists(`${root}/directory`)),
  "opening nothing": (fs, root) => Effect.scoped(fs.open(`${root}/nothing`)),
  "opening a link that must not be followed": (fs, root) =>
    Effect.scoped(fs.open(`${root}/link`, { flag: "r", noFollow: true })),
  "opening a link": (fs, root) =>
    Effect.scoped(Effect.flatMap(fs.open(`${root}/link`), (file) => Effect.map(file.stat, ({ type }) => type))),
  "creating a file that is there": (fs, root) => Effect.scoped(fs.open(`${root}/file`, { flag: "ax" })),
  "syncing a directory": (fs, root) =>
    Effect.scoped(Effect.flatMap(fs.open(root, { flag: "r" }), (directory) => directory.sync)),
  "reading from a position": reading((file) => {
    const buffer = new Uint8Array(4)
    return Effect.map(file.read(buffer, { position: 2n }), (count) => [count, text(buffer)])
  }),
  "reading on from where the last read ended": reading(Effect.fnUntraced(function*(file) {
    const [first, second] = [new Uint8Array(3), new Uint8Array(3)]
    return [yield* file.read(first), yield* file.read(second), text(first), text(second)]
  })),
  "reading behind the end": reading((file) => file.read(new Uint8Array(4), { position: 10_000n })),
  "reading before the start": reading((file) => file.read(new Uint8Array(4), { position: -1n })),
  "seeking": reading(Effect.fnUntraced(function*(file) {
    const to = [yield* file.seek(4n, "start"), yield* file.seek(-1n, "current")]
    const rest = yield* file.readAlloc(100)
    return [String(to), Option.map(rest, text), yield* file.readAlloc(1)]
  })),
  "seeking before the start": reading((file) => file.seek(-1n, "start")),
  "looking at an open file": reading((file) => Effect.map(file.stat, ({ size, type }) => [type, size])),
  "writing to a file that is open for reading": reading((file) => file.writeAll(bytes("x"))),
  "writing a new file": creating((file) => Effect.andThen(file.writeAll(bytes("one ")), file.writeAll(bytes("two")))),
  "writing some and syncing": creating((file) => Effect.andThen(file.write(bytes("some")), file.sync)),
  "writing more than one slice": creating((file) => file.writeAll(new Uint8Array(600_000).fill(0x61))),
  "truncating": creating((file) => Effect.andThen(file.writeAll(bytes("12345")), file.truncate(2))),
  "writing with another flag": (fs, root) =>
    Effect.andThen(
      Effect.scoped(Effect.flatMap(fs.open(`${root}/file`, { flag: "r+" }), (file) => file.writeAll(bytes("CON")))),
      fs.readFileString(`${root}/file`)
    ),
  "streaming": (fs, root) => Effect.map(fs.readFile(`${root}/file`), text)
}

const furnish = (root: string) => {
  NodeFs.writeFileSync(`${root}/file`, "content", { mode: 0o640 })
  NodeFs.mkdirSync(`${root}/directory/deep`, { recursive: true })
  NodeFs.writeFileSync(`${root}/directory/inner`, "inner")
  NodeFs.writeFileSync(`${root}/directory/deep/er`, "deeper")
  NodeFs.symlinkSync(`${root}/file`, `${root}/link`)
  NodeFs.symlinkSync(root, `${root}/directory/up`)
  NodeChildProcess.execFileSync("mkfifo", [`${root}/fifo`])
}

/** What a deed comes to on this file system, in a directory with something of everything. */
const done = (deed: Deed, layer: (root: string) => ReturnType<typeof NodeFiles.layer>) =>
  Effect.gen(function*() {
    const root = yield* workspace
    furnish(root)
    const result = yield* Effect.provide(
      Effect.flatMap(FileSystem.FileSystem, (fs) => outcome(deed(fs, root))),
      layer(root),
      { local: true }
    )
    return JSON.stringify(result, (_key, value: unknown) => typeof value === "bigint" ? Number(value) : value)
      .replaceAll(root, "")
  }).pipe(Effect.scoped)

describe("NodeFiles", () => {
  for (const [name, deed] of Object.entries(deeds)) {
    it.effect(`does as platform-node does: ${name}`, () =>
      Effect.gen(function*() {
        const expected = yield* done(deed, () => NodeFileSystem.layer)
        for (const smallCalls of modes) {
          assert.strictEqual(yield* done(deed, () => NodeFiles.layer({ smallCalls })), expected, smallCalls)
          assert.strictEqual(yield* done(deed, (below) => NodeFiles.layer({ below, smallCalls })), expected, smallCalls)
        }
      }))
  }

  for (const smallCalls of modes) {
    describe(`${smallCalls} calls`, () => {
      it.effect("does not wait for whoever writes to a FIFO", () =>
        Effect.gen(function*() {
          const root = yield* workspace
          furnish(root)
          const fs = yield* FileSystem.FileSystem
          const type = yield* Effect.scoped(
            Effect.flatMap(fs.open(`${root}/fifo`, { flag: "r", noFollow: true }), ({ stat }) => stat)
          )
          assert.strictEqual(type.type, "FIFO")
        }).pipe(Effect.scoped, Effect.provide(NodeFiles.layer({ smallCalls }))))

      it.effect("writes a slice at a time where nothing else runs meanwhile, and elsewhere all of it", () =>
        Effect.gen(function*() {
          const root = yield* workspace
          const fs = yield* FileSystem.FileSystem
          const file = yield* fs.open(`${root}/new`, { flag: "ax" })
          const count = yield* file.write(new Uint8Array(600_000))
          assert.strictEqual(count, smallCalls === "synchronous" ? 256 * 1024 : 600_000)
        }).pipe(Effect.scoped, Effect.provide(NodeFiles.layer({ smallCalls }))))

      it.effect("follows no link in place of a directory below its own", () =>
        Effect.gen(function*() {
          const root = yield* workspace
          const [base, outside] = [`${root}/sessions`, `${root}/outside`]
          for (const directory of [base, outside]) NodeFs.mkdirSync(directory)
          NodeFs.writeFileSync(`${outside}/file`, "outside")
          NodeFs.symlinkSync(outside, `${base}/linked`)
          const inside = `${base}/linked`
          const before = NodeFs.readdirSync(outside)
          const tags = yield* Effect.gen(function*() {
            const fs = yield* FileSystem.FileSystem
            const calls = [
              fs.access(`${inside}/file`),
              fs.link(`${inside}/file`, `${inside}/new`),
              fs.lstat(`${inside}/file`),
              fs.makeDirectory(`${inside}/new`),
              Effect.scoped(fs.open(`${inside}/file`, { flag: "r" })),
              Effect.scoped(fs.open(`${inside}/new`, { flag: "ax" })),
              fs.readDirectory(inside),
              fs.remove(`${inside}/file`),
              fs.remove(`${inside}/file`, { recursive: true, force: true }),
              fs.rename(`${inside}/file`, `${inside}/new`)
            ]
            return yield* Effect.forEach(calls, (call) =>
              Effect.map(Effect.flip(Effect.asVoid(call)), ({ reason }) => reason._tag))
          }).pipe(Effect.provide(NodeFiles.layer({ below: base, smallCalls })))
          assert.deepStrictEqual([...new Set(tags)], ["BadResource"])
          assert.deepStrictEqual(NodeFs.readdirSync(outside), before)
          assert.strictEqual(NodeFs.readFileSync(`${outside}/file`, "utf8"), "outside")
        }).pipe(Effect.scoped))

      it.effect("leaves no descriptor open, whatever a call comes to", () =>
        Effect.gen(function*() {
          const root = yield* workspace
          const before = NodeFs.readdirSync("/proc/self/fd").length
          for (const [index, deed] of Object.values(deeds).entries()) {
            const own = `${root}/${index}`
            NodeFs.mkdirSync(own)
            furnish(own)
            yield* Effect.flatMap(FileSystem.FileSystem, (fs) => outcome(deed(fs, own)))
          }
          assert.strictEqual(NodeFs.readdirSync("/proc/self/fd").length, before)
        }).pipe(Effect.scoped, Effect.provide(NodeFiles.layer({ below: "/", smallCalls }))))
    })
  }
})
