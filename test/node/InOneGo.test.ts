/** Several calls in one go: the same as one after the other, wherever they are made. */
import { NodeFileSystem } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Option, Result } from "effect"
import { NodeFiles } from "effect-reprise/node"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { type Calls, onThreadsOfNode } from "../../src/node/files/Ends.ts"
import { runLater } from "../../src/node/files/Visit.ts"
import * as Files from "../../src/services/store/Files.ts"
import * as InOneGo from "../../src/services/store/InOneGo.ts"
import * as Reading from "../../src/services/store/Reading.ts"

const layers = {
  "one after the other": NodeFileSystem.layer,
  "on threads": NodeFiles.layer(),
  "at once": NodeFiles.layer({ smallCalls: "synchronous" })
}

/** A directory, and what may be in one. */
const workspace = Effect.acquireRelease(
  Effect.sync(() => {
    const root = NodeFs.realpathSync(NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reprise-go-")))
    NodeFs.writeFileSync(`${root}/file`, "0123456789")
    NodeFs.mkdirSync(`${root}/directory`)
    NodeFs.symlinkSync(`${root}/directory`, `${root}/link`)
    NodeFs.symlinkSync(`${root}/nowhere`, `${root}/dangling`)
    NodeFs.symlinkSync(`${root}/file`, `${root}/linked`)
    NodeChildProcess.execFileSync("mkfifo", [`${root}/fifo`])
    return root
  }),
  (root) => Effect.sync(() => NodeFs.rmSync(root, { recursive: true, force: true }))
)

/** How many files this process has open. */
const openFiles = () => NodeFs.readdirSync("/proc/self/fd").length

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

const tagOf = Result.match({
  onFailure: ({ reason }: { readonly reason: { readonly _tag: string } }) => reason._tag,
  onSuccess: () => "found"
})

for (const [how, layer] of Object.entries(layers)) {
  describe(`Several calls ${how}`, () => {
    const files = Effect.map(FileSystem.FileSystem, Files.make)

    it.effect("read the ends of files, and tell which version is there of anything without opening it", () =>
      Effect.gen(function*() {
        const root = yield* workspace
        const { glance } = yield* files
        const found = yield* glance(root, function*(names) {
          const ends = yield { name: "file", ...Reading.ends(2, 3) }
          const refused = yield { name: "file", ...Reading.atMost(9) }
          const linked = yield { name: "linked", ...Reading.atMost(100) }
          const fifo = yield { name: "fifo", ...Reading.nothing }
          const none = yield { name: "none", ...Reading.nothing }
          return { names, ends, refused, linked, fifo, none }
        })
        assert.deepStrictEqual(found.names.toSorted(), ["dangling", "directory", "fifo", "file", "link", "linked"])
        assert.isTrue(Result.isSuccess(found.ends))
        if (Result.isFailure(found.ends)) return
        const { head, tail, version } = found.ends.success
        assert.deepStrictEqual([text(head), text(tail), version.size], ["01", "789", 10])
        assert.deepStrictEqual(Option.map(Result.getSuccess(found.refused), ({ head }) => head.length), Option.some(0))
        assert.deepStrictEqual([found.linked, found.fifo, found.none].map(tagOf), ["BadResource", "found", "NotFound"])
        const { ino } = NodeFs.lstatSync(`${root}/fifo`)
        assert.include(Reading.identityIn(found.fifo), `:${ino}:`)
      }).pipe(Effect.scoped, Effect.provide(layer)))

    it.effect("look into a directory itself, and not where a link leads", () =>
      Effect.gen(function*() {
        const root = yield* workspace
        const { namesNow } = yield* files
        const tags = yield* Effect.forEach(["directory", "link", "file", "none"], (name) =>
          Effect.map(Effect.result(namesNow(`${root}/${name}`)), tagOf))
        assert.deepStrictEqual(tags, ["found", "BadResource", "BadResource", "NotFound"])
      }).pipe(Effect.scoped, Effect.provide(layer)))

    it.effect("follow a path to what is there", () =>
      Effect.gen(function*() {
        const root = yield* workspace
        const follow = InOneGo.follow(yield* FileSystem.FileSystem)
        const what = (name: string) =>
          Effect.map(
            Effect.result(follow(`${root}/${name}`)),
            Result.match({
              onFailure: ({ reason }): string => reason._tag,
              onSuccess: ({ info, path }) =>
                Result.isFailure(info) ? info.failure.reason._tag : `${info.success.type} ${path.replace(root, "")}`
            })
          )
        assert.deepStrictEqual(yield* Effect.forEach(["directory", "link", "linked", "dangling", "none"], what), [
          "Directory /directory",
          "Directory /directory",
          "File /file",
          "NotFound",
          "NotFound"
        ])
        const [own, linked] = yield* Effect.forEach(["directory", "link"], (name) => follow(`${root}/${name}`))
        assert.deepStrictEqual(own, linked)
      }).pipe(Effect.scoped, Effect.provide(layer)))

    it.live("read a directory with what is large in it, and leave nothing open", () =>
      Effect.gen(function*() {
        const root = yield* workspace
        const { look } = yield* files
        NodeFs.writeFileSync(`${root}/large`, Buffer.alloc(700_000, "0123456789abcdef"))
        const before = openFiles()
        const { isSteady, value } = yield* look(root, function*() {
          const small = yield { name: "file", ...Reading.atMost(100) }
          const large = yield { name: "large", ...Reading.atMost(1_000_000) }
          const missing = yield { name: "none", ...Reading.atMost(1_000_000) }
          const after = yield { name: "file", ...Reading.ends(1, 1) }
          return [small, large, missing, after].map(Result.map(({ head, tail }) => [head.length, tail.length]))
        }, { watched: "large", isSame: (one, other) => one.length === other.length })
        assert.isTrue(isSteady)
        assert.deepStrictEqual(
          value.map(Result.match({ onFailure: ({ reason }): unknown => reason._tag, onSuccess: (lengths) => lengths })),
          [[10, 0], [700_000, 0], "NotFound", [1, 1]]
        )
        assert.strictEqual(openFiles(), before)
      }).pipe(Effect.scoped, Effect.provide(layer)))

    it.live("read what is expected next, whether it is asked for or not, and leave nothing open", () =>
      Effect.gen(function*() {
        const root = yield* workspace
        const { look } = yield* files
        NodeFs.writeFileSync(`${root}/large`, Buffer.alloc(700_000, "0123456789abcdef"))
        const before = openFiles()
        const watched = { watched: "large", isSame: () => true }
        const asked = yield* look(root, function*() {
          const none: Reading.Wish = { name: "none", ...Reading.atMost(100) }
          const large: Reading.Wish = { name: "large", ...Reading.atMost(1_000_000), ahead: [none] }
          const small = yield { name: "file", ...Reading.atMost(100), ahead: [large] }
          return [small, yield large, yield none].map(Result.map(({ head }) => text(head).slice(0, 20)))
        }, watched)
        assert.isTrue(asked.isSteady)
        assert.deepStrictEqual(
          asked.value.map(Result.match({ onFailure: ({ reason }): unknown => reason._tag, onSuccess: (head) => head })),
          ["0123456789", "0123456789abcdef0123", "NotFound"]
        )
        const left = yield* look(root, function*() {
          const large: Reading.Wish = { name: "large", ...Reading.atMost(1_000_000) }
          const none = yield { name: "none", ...Reading.atMost(100), ahead: [large] }
          return none
        }, watched)
        assert.strictEqual(tagOf(left.value), "NotFound")
        assert.isFalse(left.isSteady)
        assert.strictEqual(openFiles(), before)
      }).pipe(Effect.scoped, Effect.provide(layer)))

    it.live("give a new file its name and read what is there then, without the private name", () =>
      Effect.gen(function*() {
        const root = yield* workspace
        const { linkUnsynced } = yield* files
        const directory = `${root}/directory`
        const before = openFiles()
        const link = { directory, prepared: "private", name: "public", bytes: Buffer.from("new") }
        const found = yield* linkUnsynced(link, function*(names) {
          return { names, read: yield { name: "public", ...Reading.atMost(100) } }
        })
        assert.deepStrictEqual(found.names, ["public"])
        assert.strictEqual(Result.match(found.read, { onFailure: String, onSuccess: ({ head }) => text(head) }), "new")
        assert.deepStrictEqual(NodeFs.readdirSync(directory), ["public"])
        assert.strictEqual(NodeFs.statSync(`${directory}/public`).mode & 0o777, 0o600)

        const taken = yield* Effect.flip(linkUnsynced({ ...link, bytes: Buffer.from("other") }, Reading.namesAlone))
        assert.strictEqual(taken.reason._tag, "AlreadyExists")
        assert.deepStrictEqual(NodeFs.readdirSync(directory), ["public"])
        assert.strictEqual(NodeFs.readFileSync(`${directory}/public`, "utf8"), "new")

        const nowhere = yield* Effect.flip(linkUnsynced({ ...link, directory: `${root}/none` }, Reading.namesAlone))
        assert.strictEqual(nowhere.reason._tag, "NotFound")
        assert.strictEqual(openFiles(), before)
      }).pipe(Effect.scoped, Effect.provide(layer)))

    it.live("let others run while they read what is large", () =>
      Effect.gen(function*() {
        const root = yield* workspace
        const { readRegular } = yield* files
        const bytes = Buffer.alloc(3_000_000, "0123456789abcdef")
        NodeFs.writeFileSync(`${root}/large`, bytes)
        let turns = 0
        let isOver = false
        const count = () => {
          turns++
          if (!isOver) setImmediate(count)
        }
        setImmediate(count)
        const { head } = yield* readRegular(`${root}/large`, Reading.atMost(3_000_000))
        isOver = true
        assert.isTrue(bytes.equals(head))
        // As many as there are slices of 256 KiB, where they come one after the other.
        assert.isAtLeast(turns, how === "at once" ? 11 : 1)
      }).pipe(Effect.scoped, Effect.provide(layer)))
  })
}

describe("What is expected next", () => {
  const large: Reading.Wish = { name: "large", ...Reading.atMost(100) }

  /** Reads a small file with these calls, expecting to read a large one next. */
  const readAhead = (
    root: string,
    calls: Calls,
    rest: () => Generator<Reading.Wish, Reading.Found | undefined, Reading.Found>
  ) => {
    NodeFs.writeFileSync(`${root}/large`, "large")
    const steps = (function*(): Generator<Reading.Wish, Reading.Found | undefined, Reading.Found> {
      yield { name: "file", ...Reading.atMost(100), ahead: [large] }
      return yield* rest()
    })()
    const visit = { directory: { fd: 0, path: root }, path: root, steps, onFound: () => undefined }
    return Effect.promise(() => runLater(calls, visit, steps.next()))
  }

  it.live("is opened before what was asked for is there", () =>
    Effect.gen(function*() {
      const root = yield* workspace
      const opened = Promise.withResolvers<void>()
      const open: Calls["open"] = async (path, flags) => {
        if (path.endsWith("/large")) opened.resolve()
        else await opened.promise
        return onThreadsOfNode.open(path, flags)
      }
      const found = yield* readAhead(root, { ...onThreadsOfNode, open }, function*() {
        return yield large
      })
      assert.strictEqual(
        found && Result.match(found, { onFailure: String, onSuccess: ({ head }) => text(head) }),
        "large"
      )
    }).pipe(Effect.scoped))

  it.live("is waited for where it is not asked for", () =>
    Effect.gen(function*() {
      const root = yield* workspace
      const first = Promise.withResolvers<void>()
      let isOver = false
      const open: Calls["open"] = async (path, flags) => {
        if (path.endsWith("/large")) await first.promise
        const fd = await onThreadsOfNode.open(path, flags)
        isOver = path.endsWith("/large")
        return fd
      }
      yield* readAhead(root, { ...onThreadsOfNode, open }, function*() {
        first.resolve()
        return undefined
      })
      assert.isTrue(isOver)
    }).pipe(Effect.scoped))
})
