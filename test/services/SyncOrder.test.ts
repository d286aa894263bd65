/**
 * Acknowledged means durable (P1): whatever an operation wrote or named before
 * it succeeded had been synced by then, files before the names that lead to
 * them. Checked over the calls that were made.
 */
import { NodeCrypto, NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, type Scope } from "effect"
import { type RunningSession, Sessions, Signer } from "effect-reprise"
import { NodeHmac, NodeSessions } from "effect-reprise/node"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

type Call = FileSystemHooks.Call

const parent = (path: string) => path.slice(0, path.lastIndexOf("/"))

/** A file or a directory, whatever its names are. */
interface Node {
  readonly isDirectory: boolean
  /** Whether it holds bytes, or names, that were not synced. */
  isDirty: boolean
}

const isLease = (path: string): boolean => /\/lease\.\d+\.json$/.test(path)

/**
 * What a power loss could take, after these calls: files with bytes that were
 * not synced, and names that were not; and the calls that relied on either.
 * Files from before the calls are safe. Deleting needs no sync. A lease may be
 * linked first and synced later, before anything else in its directory changes.
 */
const losses = (calls: ReadonlyArray<Call>): ReadonlyArray<string> => {
  const names = new Map<string, Node>()
  /** Names that the directory they are in was not synced with. */
  const unsynced = new Map<string, string>()
  const found: Array<string> = []
  const opened = new Map<string, Node>()

  const give = (path: string, node: Node) => {
    names.set(path, node)
    unsynced.set(path, parent(path))
  }
  const below = (directory: string) => [...names.keys()].filter((path) => path.startsWith(`${directory}/`))
  const unsafe = (path: string) =>
    [path, ...below(path)].filter((each) => names.get(each)?.isDirty === true || (each !== path && unsynced.has(each)))
  const unsafeLeases = (directory: string) =>
    [...names].flatMap(([path, { isDirty }]) => isDirty && isLease(path) && parent(path) === directory ? [path] : [])
  const outstanding = () => [
    ...[...names].flatMap(([path, { isDirty }]) => isDirty ? [`${path} was synced`] : []),
    ...[...unsynced].map(([path, directory]) => `${directory} was synced with ${path}`)
  ]
  const drop = (path: string) => {
    for (const each of [path, ...below(path)]) {
      names.delete(each)
      unsynced.delete(each)
    }
  }

  for (const call of calls) {
    const { flag, method, path, to } = call
    if (method === "makeDirectory" && !names.has(path)) give(path, { isDirectory: true, isDirty: false })
    if (method === "open" && flag !== undefined && flag !== "r") {
      const node = names.get(path) ?? { isDirectory: false, isDirty: true }
      if (!names.has(path)) give(path, node)
      opened.set(path, node)
    }
    if (method === "file.write" || method === "file.truncate") {
      const node = opened.get(path)
      if (node !== undefined) node.isDirty = true
    }
    if (method === "file.sync") {
      const node = flag === "r" ? names.get(path) : opened.get(path)
      if (node?.isDirectory === false) node.isDirty = false
      else for (const [name, directory] of unsynced) if (directory === path) unsynced.delete(name)
    }
    if (method === "writeFile") give(path, { isDirectory: false, isDirty: true })
    if (method === "remove") {
      if (names.get(path)?.isDirty === false && !unsynced.has(path)) {
        for (const each of outstanding()) found.push(`${path} was deleted before ${each}`)
      }
      drop(path)
    }
    if ((method === "rename" || method === "link") && to !== undefined) {
      const early = isLease(to) ? [] : [...unsafe(path), ...unsafeLeases(parent(to))]
      for (const each of early) found.push(`${method} to ${to} before ${each} was synced`)
      const moved = [path, ...below(path)].flatMap((from) => {
        const node = names.get(from)
        return node === undefined ? [] : [{ from, to: to + from.slice(path.length), node }]
      })
      const inner = moved.filter(({ from }) => from !== path && unsynced.has(from))
      if (method === "rename") drop(path)
      for (const { node, to: name } of moved) names.set(name, node)
      for (const { to: name } of inner) unsynced.set(name, parent(name))
      unsynced.set(to, parent(to))
    }
  }
  return [...found, ...outstanding().map((each) => `it ended before ${each}`)]
}

/** The calls that took effect. Directories that a call makes on the way are calls of their own. */
const recordInto = (calls: Array<Call>): FileSystemHooks.Hook => (call) => (run) =>
  Effect.suspend(() => {
    const made: Array<Call> = []
    if (call.method === "makeDirectory") {
      for (let path = call.path; !NodeFs.existsSync(path); path = parent(path)) {
        made.unshift({ method: "makeDirectory", path })
      }
    }
    return Effect.tap(run, () => Effect.sync(() => calls.push(...(call.method === "makeDirectory" ? made : [call]))))
  })

const wx = (path: string): ReadonlyArray<Call> => [
  { method: "open", path, flag: "ax" },
  { method: "file.write", path, flag: "ax" }
]
const sync = (path: string): Call => ({ method: "file.sync", path, flag: "ax" })
const syncDirectory = (path: string): Call => ({ method: "file.sync", path, flag: "r" })
const publish: ReadonlyArray<Call> = [
  ...wx("/d/pending"),
  sync("/d/pending"),
  { method: "rename", path: "/d/pending", to: "/d/file" },
  syncDirectory("/d")
]
const without = (calls: ReadonlyArray<Call>, ...indices: ReadonlyArray<number>) =>
  calls.filter((_, index) => !indices.includes(index))

describe("The check of sync order", () => {
  it("finds nothing in a file that is written, synced, renamed and its directory synced", () => {
    assert.deepStrictEqual(losses(publish), [])
  })

  it("finds a file that was renamed before it was synced", () => {
    assert.deepStrictEqual(losses(without(publish, 2)), [
      "rename to /d/file before /d/pending was synced",
      "it ended before /d/file was synced"
    ])
  })

  it("finds a directory that was not synced after a rename", () => {
    assert.deepStrictEqual(losses(without(publish, 4)), ["it ended before /d was synced with /d/file"])
  })

  it("finds a sync of a directory that came before the rename", () => {
    assert.deepStrictEqual(
      losses([...publish.slice(0, 3), syncDirectory("/d"), ...publish.slice(3, 4)]),
      ["it ended before /d was synced with /d/file"]
    )
  })

  it("finds a write after the sync", () => {
    const late: Call = { method: "file.write", path: "/d/pending", flag: "ax" }
    assert.deepStrictEqual(losses([...publish, late]), ["it ended before /d/file was synced"])
    assert.deepStrictEqual(losses([...publish, late, sync("/d/pending")]), [])
  })

  it("finds a link to a file that was not synced, and its directory", () => {
    assert.deepStrictEqual(losses([...wx("/d/a"), { method: "link", path: "/d/a", to: "/d/b" }]), [
      "link to /d/b before /d/a was synced",
      "it ended before /d/a was synced",
      "it ended before /d/b was synced",
      "it ended before /d was synced with /d/a",
      "it ended before /d was synced with /d/b"
    ])
  })

  it("finds a new directory whose parent was not synced", () => {
    assert.deepStrictEqual(losses([{ method: "makeDirectory", path: "/d/e" }]), [
      "it ended before /d was synced with /d/e"
    ])
    assert.deepStrictEqual(losses([{ method: "makeDirectory", path: "/d/e" }, syncDirectory("/d")]), [])
  })

  it("finds a directory that was renamed before the names in it were synced", () => {
    assert.deepStrictEqual(
      losses([
        { method: "makeDirectory", path: "/d/private" },
        ...wx("/d/private/file"),
        sync("/d/private/file"),
        { method: "rename", path: "/d/private", to: "/d/public" },
        syncDirectory("/d")
      ]),
      [
        "rename to /d/public before /d/private/file was synced",
        "it ended before /d/public was synced with /d/public/file"
      ]
    )
  })

  it("finds a file that was deleted before its successor was durable", () => {
    const old = [...wx("/d/old"), sync("/d/old"), syncDirectory("/d")]
    const remove: Call = { method: "remove", path: "/d/old" }
    assert.deepStrictEqual(losses([...old, ...publish, remove]), [])
    assert.deepStrictEqual(losses([...old, ...without(publish, 4), remove, syncDirectory("/d")]), [
      "/d/old was deleted before /d was synced with /d/file"
    ])
  })

  it("finds a file that was renamed before the lease beside it was synced", () => {
    const lease: ReadonlyArray<Call> = [
      ...wx("/d/pending.2"),
      { method: "link", path: "/d/pending.2", to: "/d/lease.2.json" },
      { method: "remove", path: "/d/pending.2" }
    ]
    assert.deepStrictEqual(losses([...lease, syncDirectory("/d/lease.2.json"), ...publish]), [])
    assert.deepStrictEqual(losses([...lease, ...publish]), [
      "rename to /d/file before /d/lease.2.json was synced",
      "it ended before /d/lease.2.json was synced"
    ])
  })

  it("does not ask for what was deleted again", () => {
    assert.deepStrictEqual(losses([...wx("/d/a"), { method: "remove", path: "/d/a" }]), [])
  })
})

/** One process whose calls are written down, over a directory that is yet to be made. */
const makeScene = Effect.gen(function*() {
  const { project, root } = yield* Rig.workspace
  const sessions = `${root}/some/where/sessions`
  const calls: Array<Call> = []
  const machine = TestLiveness.machine()
  const boot = Effect.fnUntraced(function*() {
    const { layer, pid } = machine.process()
    const context = yield* Layer.build(
      Layer.fresh(Rig.layer({ sessions, hook: recordInto(calls), liveness: layer }))
    )
    return {
      kill: Effect.sync(() => machine.kill(pid)),
      run: <A, E>(effect: Effect.Effect<A, E, Layer.Success<ReturnType<typeof Rig.layer>>>) =>
        Effect.provideContext(effect, context)
    }
  })
  const first = yield* boot()
  const session = yield* first.run(Sessions.create({ project, name: "synced", config: Rig.config }))
  return { boot, calls, first, root, session, id: session.id }
})

type Scene = Effect.Success<typeof makeScene>

const closed = Effect.fnUntraced(function*({ first: { run }, id }: Scene) {
  yield* run(Sessions.close(id))
})

const say = (session: RunningSession) => session.append({ role: "user", content: "hello" })

const operations: ReadonlyArray<{
  readonly name: string
  readonly act: (scene: Scene) => Effect.Effect<unknown, unknown, Scope.Scope>
}> = [
  { name: "create", act: () => Effect.void },
  { name: "append", act: ({ session }) => say(session) },
  {
    name: "many appends at once",
    act: ({ session }) => Effect.forEach(Array.from({ length: 50 }), () => say(session), { concurrency: "unbounded" })
  },
  { name: "checkpoint", act: ({ first: { run }, id }) => run(Sessions.checkpoint(id)) },
  {
    name: "append after a checkpoint",
    act: ({ first: { run }, id, session }) => Effect.andThen(run(Sessions.checkpoint(id)), say(session))
  },
  { name: "close", act: closed },
  {
    name: "append after a resume",
    act: (scene) => Effect.andThen(closed(scene), Effect.flatMap(scene.first.run(Sessions.resume(scene.id)), say))
  },
  {
    name: "resume of an interrupted session",
    act: Effect.fnUntraced(function*({ boot, first, id, session }) {
      yield* say(session)
      yield* first.kill
      const second = yield* boot()
      yield* second.run(Sessions.resume(id))
    })
  },
  {
    name: "takeover",
    act: Effect.fnUntraced(function*({ boot, id, session }) {
      yield* say(session)
      const second = yield* boot()
      yield* say(yield* second.run(Sessions.resume(id, { takeOver: true })))
    })
  },
  {
    name: "rename",
    act: (scene) => Effect.andThen(closed(scene), scene.first.run(Sessions.rename(scene.id, "another")))
  },
  { name: "remove", act: (scene) => Effect.andThen(closed(scene), scene.first.run(Sessions.remove(scene.id))) },
  {
    name: "restore",
    act: Effect.fnUntraced(function*(scene) {
      yield* closed(scene)
      yield* scene.first.run(Sessions.remove(scene.id))
      yield* scene.first.run(Sessions.restore(scene.id))
    })
  },
  {
    name: "purge",
    act: Effect.fnUntraced(function*(scene) {
      yield* closed(scene)
      yield* scene.first.run(Sessions.remove(scene.id))
      yield* scene.first.run(Sessions.purge(scene.id))
    })
  }
]

describe("When it succeeds, everything that it wrote is durable:", () => {
  for (const { act, name } of operations) {
    it.effect(name, () =>
      Effect.gen(function*() {
        const scene = yield* makeScene
        yield* act(scene)
        assert.deepStrictEqual(losses(scene.calls), [])
      }))
  }
})

it.effect("A resumed session that nothing happens to needs no sync: only its lease is not durable", () =>
  Effect.gen(function*() {
    const scene = yield* makeScene
    yield* closed(scene)
    scene.calls.length = 0
    yield* scene.first.run(Sessions.resume(scene.id))
    assert.isFalse(scene.calls.some(({ method }) => method === "file.sync"))
    const found = losses(scene.calls)
    assert.lengthOf(found, 2)
    assert.isTrue(found.every((loss) => loss.includes("lease.3.json")))
  }))

it.effect("No sync of creating, appending and saving can be left out without being missed", () =>
  Effect.gen(function*() {
    const { calls, first, id, session } = yield* makeScene
    const acknowledged = [calls.length]
    for (const act of [say(session), first.run(Sessions.checkpoint(id)), say(session)]) {
      yield* act
      acknowledged.push(calls.length)
    }
    const syncs = calls.flatMap(({ method }, index) => method === "file.sync" ? [index] : [])
    assert.isAbove(syncs.length, 8)
    for (const index of syncs) {
      const isMissed = acknowledged.some((length) => losses(without(calls.slice(0, length), index)).length > 0)
      assert.isTrue(isMissed, `call ${index}`)
    }
  }))

describe("A create that is called again after the sync", () => {
  for (
    const { name, sessions } of [
      { name: "of the directory that the sessions directory is made in failed", sessions: "sessions" },
      { name: "of a directory further up failed", sessions: "some/where/sessions" }
    ]
  ) {
    it.effect(`${name} makes that durable, too`, () =>
      Effect.gen(function*() {
        const { project, root } = yield* Rig.workspace
        const calls: Array<Call> = []
        let failures = 0
        const hook: FileSystemHooks.Hook = (call) => (run) =>
          Effect.suspend(() =>
            call.method === "file.sync" && call.path === root && failures++ === 0
              ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO"))
              : recordInto(calls)(call)(run)
          )
        yield* Effect.gen(function*() {
          const create = Sessions.create({ project, name: "synced", config: Rig.config })
          assert.strictEqual((yield* Effect.flip(create))._tag, "StoreError")
          yield* create
        }).pipe(Effect.provide(Rig.layer({ sessions: `${root}/${sessions}`, hook }), { local: true }))
        assert.isAbove(failures, 0)
        assert.deepStrictEqual(losses(calls), [])
      }))
  }
})

describe("A key ring that was created is durable:", () => {
  const platform = (hook: FileSystemHooks.Hook) =>
    Layer.mergeAll(
      Layer.provide(FileSystemHooks.layer(hook), NodeFileSystem.layer),
      NodePath.layer,
      NodeCrypto.layerSecureRandom,
      NodeHmac.layer,
      TestLiveness.machine().process().layer
    )

  it.effect("itself", () =>
    Effect.gen(function*() {
      const { root } = yield* Rig.workspace
      const calls: Array<Call> = []
      yield* Layer.build(
        Layer.provide(
          Signer.layerMachineSecret({ file: `${root}/keyring.json`, sessions: `${root}/sessions` }),
          platform(recordInto(calls))
        )
      )
      assert.isTrue(NodeFs.existsSync(`${root}/keyring.json`))
      assert.deepStrictEqual(losses(calls), [])
    }))

  it.effect("with the directories that lead to it", () =>
    Effect.gen(function*() {
      const { root } = yield* Rig.workspace
      const calls: Array<Call> = []
      yield* Layer.build(
        Layer.provide(
          Signer.layerMachineSecret({ file: `${root}/a/b/keyring.json`, sessions: `${root}/a/b/sessions` }),
          platform(recordInto(calls))
        )
      )
      assert.deepStrictEqual(losses(calls), [])
    }))

  it.effect("when the first session is signed with it, in a directory that neither had", () =>
    Effect.gen(function*() {
      const { project, root } = yield* Rig.workspace
      const calls: Array<Call> = []
      const layer = Layer.provideMerge(
        NodeSessions.layerServices({ directory: `${root}/some/where/sessions` }),
        platform(recordInto(calls))
      )
      yield* Effect.provide(Sessions.create({ project, name: "first", config: Rig.config }), layer, { local: true })
      assert.deepStrictEqual(losses(calls), [])
    }))

  it.effect("when it is opened again after the sync of its directory failed", () =>
    Effect.gen(function*() {
      const { root } = yield* Rig.workspace
      const calls: Array<Call> = []
      let failures = 0
      const hook: FileSystemHooks.Hook = (call) => (run) =>
        Effect.suspend(() =>
          call.method === "file.sync" && call.path === root && failures++ === 0
            ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO"))
            : recordInto(calls)(call)(run)
        )
      const open = Layer.build(
        Layer.fresh(Layer.provide(
          Signer.layerMachineSecret({ file: `${root}/keyring.json`, sessions: `${root}/sessions` }),
          platform(hook)
        ))
      )
      assert.strictEqual((yield* Effect.flip(open))._tag, "StoreError")
      yield* open
      assert.deepStrictEqual(losses(calls), [])
    }))
})
