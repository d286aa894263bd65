/** What lists remember from one process to the next, in a file that nobody needs. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { SessionLimits, Sessions, SessionStore } from "effect-reprise"
import { FileSystemHooks } from "effect-reprise/testing"
import { TestClock } from "effect/testing"
import * as NodeFs from "node:fs"
import * as Encryption from "../suites/encryption.ts"
import * as Rig from "../suites/rig.ts"
import * as Stack from "../suites/stack.ts"

/** Enough that it is worth an index. */
const copies = 70

const nameOf = (copy: number, id: string) => `${copy.toString(16).padStart(8, "0")}${id.slice(8)}`

/** Copies a session under other ids. Lists tell heads as they are. */
const multiply = (sessions: string, id: string) => {
  const snapshot = NodeFs.readFileSync(`${sessions}/${id}/session.json`, "utf8")
  const [lease = ""] = NodeFs.readdirSync(`${sessions}/${id}`).filter((name) => name.startsWith("lease."))
  for (let copy = 1; copy < copies; copy++) {
    const directory = `${sessions}/${nameOf(copy, id)}`
    NodeFs.mkdirSync(directory, { mode: 0o700 })
    NodeFs.copyFileSync(`${sessions}/${id}/${lease}`, `${directory}/${lease}`)
    NodeFs.writeFileSync(`${directory}/session.json`, snapshot.replaceAll(id, nameOf(copy, id)))
  }
}

const create = (project: string, name: string) =>
  Effect.flatMap(Sessions.create({ project, name, config: Rig.config }), ({ id }) => Effect.as(Sessions.close(id), id))

/** Everything that is stored, in the order of the ids. */
const list = Effect.map(
  SessionStore.SessionStore.use(({ entries }) => Stream.runCollect(entries)),
  (entries) => entries.toSorted((one, other) => one.name < other.name ? -1 : 1)
)

/** Sessions at rest, and processes over them. */
const scene = Effect.gen(function*() {
  const { project, sessions } = yield* Rig.workspace
  const inProcess = <A, E>(program: Effect.Effect<A, E, Stack.Services>, hook = FileSystemHooks.none) =>
    Stack.run(program, { sessions, hook, limits: { maxStored: 10_000 } })
  const id = yield* inProcess(create(project, "first"))
  multiply(sessions, id)
  yield* TestClock.setTime(Date.now() + 60_000)
  const index = `${sessions}/index.json`
  /** What a list comes to in a process of its own, and the files that it opened. */
  const listed = Effect.gen(function*() {
    const calls: Array<FileSystemHooks.Call> = []
    const entries = yield* inProcess(list, FileSystemHooks.recordInto(calls))
    return { entries, opened: calls.filter(({ method }) => method === "open").map(({ path }) => path) }
  })
  /** The same without an index. */
  const withoutIndex = Effect.gen(function*() {
    NodeFs.renameSync(index, `${sessions}/aside`)
    const { entries } = yield* listed
    NodeFs.renameSync(`${sessions}/aside`, index)
    return entries
  })
  return { id, index, inProcess, listed, project, sessions, withoutIndex }
})

/** The same, after a process that listed them and created another one. */
const indexed = Effect.tap(
  scene,
  ({ inProcess, project }) => inProcess(Effect.andThen(list, create(project, "second")))
)

const heads = (opened: ReadonlyArray<string>) => opened.filter((path) => path.endsWith("/session.json"))

describe("The index of a sessions directory", () => {
  it.effect("spares the next process the heads of all sessions that are at rest, and tells the same", () =>
    Effect.gen(function*() {
      const { index, listed, withoutIndex } = yield* indexed
      const { entries, opened } = yield* listed
      assert.lengthOf(entries, copies + 1)
      assert.lengthOf(heads(opened), 1)
      assert.deepStrictEqual(entries, yield* withoutIndex)
      assert.strictEqual(NodeFs.statSync(index).mode & 0o777, 0o600)
    }))

  it.effect("is written by who creates or closes a session, and by no list", () =>
    Effect.gen(function*() {
      const { id, index, inProcess, listed, sessions } = yield* scene
      const before = Stack.everything(sessions)
      yield* listed
      assert.deepStrictEqual(Stack.everything(sessions), before)
      yield* inProcess(Effect.gen(function*() {
        yield* Sessions.resume(id)
        yield* list
        assert.isFalse(NodeFs.existsSync(index))
        yield* Sessions.close(id)
      }))
      assert.isTrue(NodeFs.existsSync(index))
      const after = Stack.everything(sessions)
      yield* listed
      assert.deepStrictEqual(Stack.everything(sessions), after)
    }))

  it.effect("is not worth it for a few sessions", () =>
    Effect.gen(function*() {
      const { index, inProcess, project, sessions } = yield* scene
      for (const name of NodeFs.readdirSync(sessions).slice(40)) {
        NodeFs.rmSync(`${sessions}/${name}`, { recursive: true })
      }
      yield* inProcess(Effect.andThen(list, create(project, "second")))
      assert.isFalse(NodeFs.existsSync(index))
    }))

  it.effect("does not hide what became of a session since: renamed, in the trash, gone, damaged, or running", () =>
    Effect.gen(function*() {
      const { id, inProcess, listed, project, sessions, withoutIndex } = yield* indexed
      const made = yield* inProcess(Effect.forEach(["renamed", "removed", "purged"], (name) => create(project, name)))
      const [renamed = id, removed = id, purged = id] = made
      yield* TestClock.adjust("1 hour")
      NodeFs.rmSync(`${sessions}/index.json`)
      yield* inProcess(Effect.andThen(list, create(project, "third")))
      yield* inProcess(Effect.gen(function*() {
        const session = yield* Sessions.resume(renamed)
        yield* session.rename("another name")
        yield* Sessions.close(renamed)
        yield* Sessions.remove(removed)
        yield* Sessions.remove(purged)
        yield* Sessions.purge(purged)
      }))
      const damaged = `${sessions}/${nameOf(7, id)}`
      NodeFs.writeFileSync(`${damaged}/aside`, "no session")
      NodeFs.renameSync(`${damaged}/aside`, `${damaged}/session.json`)
      yield* inProcess(Effect.gen(function*() {
        yield* Sessions.resume(id)
        const { entries } = yield* listed
        const told = new Map(entries.map((entry) => [entry.name, entry._tag === "Stored" ? entry.status : entry._tag]))
        assert.deepStrictEqual(
          ["another name", "removed", "purged", "renamed", nameOf(7, id)].map((name) => told.get(name)),
          ["closed", "removed", undefined, undefined, "Broken"]
        )
        assert.deepStrictEqual(entries, yield* withoutIndex)
        yield* Sessions.close(id)
      }))
    }))

  const useless: Readonly<Record<string, (index: string) => void>> = {
    "is no JSON": (index) => NodeFs.writeFileSync(index, "{\"index\":1,\"sessions\":["),
    "is empty": (index) => NodeFs.writeFileSync(index, ""),
    "is of zeroes": (index) => NodeFs.writeFileSync(index, Buffer.alloc(4096)),
    "is of another version": (index) =>
      NodeFs.writeFileSync(index, NodeFs.readFileSync(index, "utf8").replace("\"index\":1", "\"index\":2")),
    "tells what no head may tell": (index) =>
      NodeFs.writeFileSync(index, NodeFs.readFileSync(index, "utf8").replaceAll("\"messages\":0", "\"messages\":-1")),
    "is a link": (index) => {
      NodeFs.renameSync(index, `${index}.aside`)
      NodeFs.symlinkSync(`${index}.aside`, index)
    },
    "is a directory": (index) => {
      NodeFs.rmSync(index)
      NodeFs.mkdirSync(index)
    },
    "can't be read": (index) => NodeFs.chmodSync(index, 0o000)
  }

  it.effect(`is as none where it ${Object.keys(useless).join(", or ")}`, () =>
    Effect.gen(function*() {
      const { index, listed, withoutIndex } = yield* indexed
      const expected = yield* withoutIndex
      const bytes = NodeFs.readFileSync(index)
      for (const [what, spoil] of Object.entries(useless)) {
        spoil(index)
        assert.deepStrictEqual((yield* listed).entries, expected, what)
        NodeFs.rmSync(index, { recursive: true })
        NodeFs.writeFileSync(index, bytes)
      }
    }))

  it.effect("is believed for no other directory than the one that it was written of", () =>
    Effect.gen(function*() {
      const { id, index, listed, sessions } = yield* indexed
      NodeFs.writeFileSync(
        index,
        NodeFs.readFileSync(index, "utf8").replaceAll("\"name\":\"first\"", "\"name\":\"forged\"")
      )
      const own = `${sessions}/${id}`
      const { mtime } = NodeFs.statSync(own)
      NodeFs.cpSync(own, `${own}.aside`, { recursive: true, preserveTimestamps: true })
      NodeFs.rmSync(own, { recursive: true })
      NodeFs.renameSync(`${own}.aside`, own)
      NodeFs.utimesSync(own, mtime, mtime)
      const { entries } = yield* listed
      const names = entries.flatMap((entry) => entry._tag === "Stored" && entry.id === id ? [entry.name] : [])
      assert.deepStrictEqual(names, ["first"])
    }))

  it.effect("may fail to be written: the session is created all the same, and nothing is left", () =>
    Effect.gen(function*() {
      const { index, inProcess, project, sessions } = yield* scene
      for (const method of ["open", "file.write", "file.sync", "rename"] as const) {
        let failed = 0
        const fails: FileSystemHooks.Hook = (call) => (run) => {
          const isIts = call.to === index || (/\/creating\.[^/]*$/.test(call.path) && call.flag === "ax")
          if (!isIts || call.method !== method) return run
          failed++
          return Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO"))
        }
        const id = yield* inProcess(Effect.andThen(list, create(project, "second")), fails)
        assert.isAbove(failed, 0, method)
        assert.isTrue(NodeFs.existsSync(`${sessions}/${id}/session.json`))
        assert.isFalse(NodeFs.existsSync(index))
        assert.deepStrictEqual(NodeFs.readdirSync(sessions).filter((name) => name.startsWith("creating.")), [])
      }
    }))

  it.effect("goes with the first encrypted session, and never comes back in plain", () =>
    Effect.gen(function*() {
      const { index, project, sessions } = yield* indexed
      assert.include(NodeFs.readFileSync(index, "utf8"), project)
      const limits = Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, maxStored: 10_000 })
      const store = Encryption.layerFiles(sessions, { allowPlain: true })
      yield* Stack.run(
        Effect.gen(function*() {
          yield* Effect.andThen(list, create(project, "second"))
          assert.isFalse(NodeFs.existsSync(index))
          yield* Effect.andThen(list, create(project, "third"))
          assert.isFalse(NodeFs.existsSync(index))
        }).pipe(Effect.provide(store, { local: true }), Effect.provide(limits)),
        { sessions }
      )
    }))
})
