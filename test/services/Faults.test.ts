/**
 * Every operation, with every single call to the file system failing in turn:
 * it succeeds or says what failed, and nothing that was acknowledged is lost.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Result, Scope, Stream } from "effect"
import { type RunningSession, type Session, SessionList, Sessions } from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import { TestClock } from "effect/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

type Failure = ReturnType<typeof FileSystemHooks.systemError>

interface Fault {
  readonly name: string
  /** Whether the disk works again after one call. */
  readonly isOnce: boolean
  /** The calls that are counted, and one of which it hits. */
  readonly concerns: (call: FileSystemHooks.Call) => boolean
  /** What happens instead of the call. `file` is where the call's file is now. */
  readonly strike: (
    call: FileSystemHooks.Call,
    file: string
  ) => <A>(run: Effect.Effect<A, Failure>) => Effect.Effect<A, Failure>
}

const fail = (call: FileSystemHooks.Call, code: "EIO" | "ENOSPC" | "EACCES") =>
  Effect.fail(FileSystemHooks.systemError(call, code === "EACCES" ? "PermissionDenied" : "Unknown", code))

const needsRoom = ({ flag, method }: FileSystemHooks.Call): boolean =>
  ["file.write", "link", "makeDirectory"].includes(method) || (method === "open" && flag === "ax")

const changes = (call: FileSystemHooks.Call): boolean =>
  needsRoom(call) || ["file.sync", "rename", "remove"].includes(call.method)

const inputOutput: Fault = {
  name: "EIO",
  isOnce: true,
  concerns: () => true,
  strike: (call) => () => fail(call, "EIO")
}

const forbidden: Fault = { ...inputOutput, name: "EACCES", strike: (call) => () => fail(call, "EACCES") }

const half: Fault = {
  name: "ENOSPC after half of the bytes",
  isOnce: true,
  concerns: ({ bytes }) => bytes !== undefined,
  strike: (call, file) => () =>
    Effect.andThen(
      Effect.sync(() => {
        if (call.bytes !== undefined) NodeFs.appendFileSync(file, call.bytes.subarray(0, call.bytes.length / 2))
      }),
      fail(call, "ENOSPC")
    )
}

const late: Fault = {
  name: "EIO after the call was carried out",
  isOnce: true,
  concerns: changes,
  strike: (call) => (run) => Effect.andThen(run, fail(call, "EIO"))
}

const gone: Fault = {
  name: "EIO from then on",
  isOnce: false,
  concerns: changes,
  strike: (call) => () => fail(call, "EIO")
}

const full: Fault = {
  name: "ENOSPC from then on",
  isOnce: false,
  concerns: needsRoom,
  strike: (call) => () => fail(call, "ENOSPC")
}

/** A disk that can be told to fail at the call of a number, counted from there. */
const makeDisk = () => {
  const renames: Array<readonly [from: string, to: string]> = []
  let fault: Fault | undefined
  let from = 0
  let seen = 0
  const whereIsNow = (path: string) =>
    renames.reduce((at, [from, to]) => at === from || at.startsWith(`${from}/`) ? to + at.slice(from.length) : at, path)
  const hook: FileSystemHooks.Hook = (call) => (run) =>
    Effect.suspend(() => {
      const moved = call.method === "rename" && call.to !== undefined ? [[call.path, call.to] as const] : []
      const present = fault?.concerns(call) === true ? fault : undefined
      const number = present === undefined ? 0 : seen++
      const struck = present !== undefined && (present.isOnce ? number === from : number >= from)
        ? present.strike(call, whereIsNow(call.path))(run)
        : run
      return Effect.tap(struck, () => Effect.sync(() => renames.push(...moved)))
    })
  const withFault = (present: Fault, number: number) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.acquireUseRelease(
      Effect.sync(() => {
        fault = present
        from = number
        seen = 0
      }),
      () => effect,
      () =>
        Effect.sync(() => {
          fault = undefined
        })
    )
  return { hook, seen: () => seen, withFault }
}

type Services = Layer.Success<ReturnType<typeof Rig.layer>>

/** One process over a sessions directory; its services live as long as the scope. */
const boot = Effect.fnUntraced(function*(options: Rig.RigOptions) {
  const context = yield* Layer.build(Layer.fresh(Rig.layer(options)))
  return <A, E>(effect: Effect.Effect<A, E, Services>): Effect.Effect<A, E> => Effect.provideContext(effect, context)
})

/** Everything below a directory, byte for byte. */
const contents = (directory: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    NodeFs.existsSync(directory)
      ? NodeFs.readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ name, parentPath }) => `${parentPath}/${name}`)
        .sort()
        .map((file) => [file, NodeFs.readFileSync(file, "latin1")])
      : []
  )

/** What holds the sessions: snapshots and journals. */
const documents = (directory: string) =>
  Object.fromEntries(
    Object.entries(contents(directory)).filter(([file]) => /\/(session\.json|journal\.[^/]*)$/.test(file))
  )

/** Names that are only there while an operation is under way. */
const debris = (directory: string): ReadonlyArray<string> =>
  NodeFs.existsSync(directory)
    ? NodeFs.readdirSync(directory, { recursive: true, encoding: "utf8" })
      .filter((name) => /(^|\/)(pending|creating|deleting)\./.test(name))
    : []

const textsOf = ({ conversation }: Session.SessionState) => conversation.map(({ content }) => content)

/** A machine whose first process is about to meet a bad disk. */
const makeScene = Effect.gen(function*() {
  const workspace = yield* Rig.workspace
  const { project, sessions } = workspace
  const machine = TestLiveness.machine()
  const disk = makeDisk()
  const first = machine.process()
  const scope = yield* Scope.make()
  yield* Effect.addFinalizer(() => Scope.close(scope, Exit.void))
  const inFirst = yield* Scope.provide(boot({ sessions, hook: disk.hook, liveness: first.layer }), scope)
  const inAnother = <A, E>(effect: Effect.Effect<A, E, Services>) =>
    Effect.scoped(Effect.flatMap(boot({ sessions, liveness: machine.process().layer }), (run) => run(effect)))
  return {
    project,
    sessions,
    disk,
    inFirst,
    inAnother,
    kill: Effect.sync(() => machine.kill(first.pid)),
    /** What the first process does when it is torn down. */
    tearDown: Scope.close(scope, Exit.void)
  }
})

type Scene = Effect.Success<typeof makeScene>

/** A session as an operation finds it, and what it acknowledged. */
interface Subject {
  readonly session: RunningSession
  readonly acknowledged: Array<string>
}

const say = ({ acknowledged, session }: Subject, text: string) =>
  Effect.tap(session.append({ role: "user", content: text }), () => Effect.sync(() => acknowledged.push(text)))

const create = Effect.fnUntraced(function*({ project }: Scene) {
  const session = yield* Sessions.create({ project, name: "faulty", config: Rig.config })
  const subject: Subject = { session, acknowledged: [] }
  yield* say(subject, "a")
  yield* say(subject, "b")
  return subject
})

const running = (scene: Scene) => scene.inFirst(create(scene))

const closed = (scene: Scene) => scene.inFirst(Effect.tap(create(scene), ({ session }) => Sessions.close(session.id)))

const removed = (scene: Scene) => Effect.tap(closed(scene), ({ session }) => scene.inFirst(Sessions.remove(session.id)))

interface Operation<S> {
  readonly name: string
  readonly prepare: (scene: Scene) => Effect.Effect<S, { readonly _tag: string }>
  /** Whether scenarios share no moment, since they share the clock. */
  readonly movesClock?: boolean
  readonly act: (subject: S) => Effect.Effect<unknown, { readonly _tag: string }, Services>
}

/** How the operation ended, and the sessions' bytes before it. */
interface Outcome {
  readonly failed: boolean
  readonly before: Readonly<Record<string, string>>
}

/** Runs a scenario once for each call that the operation makes, with a fault there. */
const everyCall = Effect.fnUntraced(function*<S, E>(
  { act, movesClock, prepare }: Operation<S>,
  fault: Fault,
  scenario: (scene: Scene, subject: S, outcome: Outcome) => Effect.Effect<void, E>
) {
  const calls = yield* Effect.scoped(Effect.gen(function*() {
    const scene = yield* makeScene
    const subject = yield* prepare(scene)
    yield* scene.disk.withFault(fault, Number.POSITIVE_INFINITY)(scene.inFirst(act(subject)))
    return scene.disk.seen()
  }))
  assert.isAbove(calls, 0)
  yield* Effect.forEach(
    Array.from({ length: calls }, (_, number) => number),
    Effect.fnUntraced(function*(number) {
      const scene = yield* makeScene
      const subject = yield* prepare(scene)
      const before = documents(scene.sessions)
      const outcome = yield* scene.disk.withFault(fault, number)(scene.inFirst(Effect.result(act(subject))))
      if (Result.isFailure(outcome)) assert.strictEqual(outcome.failure._tag, "StoreError")
      if (fault.isOnce) assert.deepStrictEqual(debris(scene.sessions), [])
      yield* scenario(scene, subject, { failed: Result.isFailure(outcome), before })
    }, Effect.scoped),
    { concurrency: movesClock === true ? 1 : 8, discard: true }
  )
})

/** All of it went through, and nothing is left of how. */
const assertAtRest = (sessions: string) =>
  assert.deepStrictEqual(
    Object.keys(contents(sessions)).map((file) => file.replace(/^.*\//, "").replace(/\d+/, "N")).sort(),
    ["lease.N.json", "session.json"]
  )

/** Another process finds all that was acknowledged, goes on and closes; the first one can't spoil that. */
const recover = Effect.fnUntraced(function*(
  { inAnother, kill, sessions, tearDown }: Scene,
  { acknowledged, session: { id } }: Subject,
  unknown: ReadonlyArray<string>
) {
  yield* kill
  const { found, stored } = yield* inAnother(Effect.gen(function*() {
    const [entry, ...others] = yield* Stream.runCollect(Sessions.list())
    assert.deepStrictEqual(others, [])
    assert.isTrue(
      entry !== undefined && SessionList.isStored(entry) && ["interrupted", "closed"].includes(entry.status)
    )
    const session = yield* Sessions.resume(id)
    const found = textsOf(yield* session.state)
    yield* session.append({ role: "user", content: "z" })
    yield* Sessions.close(id)
    return { found, stored: textsOf((yield* Sessions.load(id)).state) }
  }))
  const extra = found.slice(acknowledged.length)
  assert.deepStrictEqual(found, [...acknowledged, ...(extra.length === 0 ? [] : unknown)])
  assert.deepStrictEqual(stored, [...found, "z"])
  assertAtRest(sessions)
  const after = contents(sessions)
  yield* tearDown
  assert.deepStrictEqual(contents(sessions), after)
})

const append: Operation<Subject> = { name: "append", prepare: running, act: (subject) => say(subject, "c") }
const checkpoint: Operation<Subject> = {
  name: "checkpoint",
  prepare: running,
  act: ({ session }) => Sessions.checkpoint(session.id)
}
const close: Operation<Subject> = { name: "close", prepare: running, act: ({ session }) => Sessions.close(session.id) }

for (const fault of [inputOutput, half, gone]) {
  describe(`A running session, with ${fault.name} at any one call`, () => {
    for (const operation of [append, checkpoint, close]) {
      it.effect(`${operation.name}: another process recovers all that was acknowledged`, () =>
        everyCall(
          operation,
          fault,
          (scene, subject, { failed }) => recover(scene, subject, operation === append && failed ? ["c"] : [])
        ))
    }
  })
}

for (const fault of [inputOutput, forbidden, half, late, full]) {
  describe(`A running session, with ${fault.name} at any one call`, () => {
    for (const operation of fault === forbidden ? [close] : [append, checkpoint, close]) {
      it.effect(`${operation.name}: succeeds when it is called again`, () =>
        everyCall(
          operation,
          fault,
          Effect.fnUntraced(function*({ inFirst, sessions }, subject, { failed }) {
            const { acknowledged, session } = subject
            if (failed) yield* inFirst(operation.act(subject))
            assert.deepStrictEqual(textsOf(yield* session.state), acknowledged)
            if (operation !== close) {
              yield* say(subject, "d")
              yield* inFirst(Sessions.close(session.id))
            }
            const { report, state } = yield* inFirst(Sessions.load(session.id))
            assert.deepStrictEqual(textsOf(state), acknowledged)
            assert.strictEqual(report.status, "closed")
            assert.deepStrictEqual(debris(sessions), [])
          })
        ))
    }
  })
}

const remove: Operation<Subject> = {
  name: "remove",
  prepare: closed,
  act: ({ session }) => Sessions.remove(session.id)
}
const restore: Operation<Subject> = {
  name: "restore",
  prepare: removed,
  act: ({ session }) => Sessions.restore(session.id)
}
const purge: Operation<Subject> = { name: "purge", prepare: removed, act: ({ session }) => Sessions.purge(session.id) }
const rename: Operation<Subject> = {
  name: "rename",
  prepare: closed,
  act: ({ session }) => Sessions.rename(session.id, "another name")
}

/** A month later: what a cleanup could not remove is what it fails with. */
const cleanup: Operation<Subject> = {
  name: "cleanup",
  movesClock: true,
  prepare: (scene) => Effect.tap(closed(scene), TestClock.adjust("31 days")),
  act: () =>
    Effect.flatMap(Sessions.cleanup(), ({ failed, removed, skipped }) => {
      const unreadable = skipped.flatMap(({ entry }) => SessionList.isStored(entry) ? [] : [entry])
      const [error] = [...failed, ...unreadable].map(({ error }) => error)
      assert.strictEqual(removed.length + skipped.length + failed.length, 1)
      return error === undefined ? Effect.void : Effect.fail(error)
    })
}

const entries = Stream.runCollect(
  Sessions.list({ status: ["closed", "running", "interrupted", "elsewhere", "removed"] })
)

const nameAndStatus = Effect.map(
  entries,
  (found) => found.map((entry) => SessionList.isStored(entry) ? [entry.name, entry.status] : [entry._tag])
)

for (const fault of [inputOutput, gone]) {
  describe(`A stored session, with ${fault.name} at any one call`, () => {
    for (
      const { operation, result } of [
        { operation: remove, result: [["faulty", "removed"]] },
        { operation: restore, result: [["faulty", "closed"]] },
        { operation: purge, result: [] },
        { operation: cleanup, result: [["faulty", "removed"]] },
        { operation: rename, result: [["another name", "closed"]] }
      ]
    ) {
      it.effect(`${operation.name}: leaves its bytes when it fails, and succeeds when it is called again`, () =>
        everyCall(
          operation,
          fault,
          Effect.fnUntraced(function*({ inFirst, sessions }, subject, { before, failed }) {
            if (failed && operation !== rename) assert.deepStrictEqual(documents(sessions), before)
            if (failed) yield* inFirst(operation.act(subject))
            assert.deepStrictEqual(yield* inFirst(nameAndStatus), result)
            if (fault.isOnce) assert.deepStrictEqual(debris(sessions), [])
            if (operation === purge) return
            if (operation === remove || operation === cleanup) yield* inFirst(Sessions.restore(subject.session.id))
            const { state } = yield* inFirst(Sessions.load(subject.session.id))
            assert.deepStrictEqual(textsOf(state), subject.acknowledged)
          })
        ))
    }
  })
}

it.effect("A session is not in the trash when removing it failed", () =>
  everyCall(remove, inputOutput, ({ inFirst }, _subject, { failed }) =>
    Effect.map(inFirst(nameAndStatus), (found) => {
      assert.deepStrictEqual(found, [["faulty", failed ? "closed" : "removed"]])
    })))

const createOnly: Operation<Scene> = {
  name: "create",
  prepare: Effect.succeed,
  act: ({ project }) => Sessions.create({ project, name: "faulty", config: Rig.config })
}

for (const fault of [inputOutput, half, full]) {
  describe(`Creating a session, with ${fault.name} at any one call`, () => {
    it.effect("stores nothing when it fails, succeeds when it is called again, and the next process sweeps", () =>
      everyCall(
        createOnly,
        fault,
        Effect.fnUntraced(function*(scene, _scene, { failed }) {
          const { inAnother, inFirst, kill, sessions } = scene
          assert.deepStrictEqual(yield* inFirst(nameAndStatus), failed ? [] : [["faulty", "running"]])
          if (failed) yield* closed(scene)
          yield* kill
          const { session } = yield* inAnother(create(scene))
          assert.deepStrictEqual(
            (yield* inAnother(nameAndStatus)).toSorted(([, self = ""], [, that = ""]) => self < that ? -1 : 1),
            [
              ["faulty", "closed"],
              ["faulty", failed ? "closed" : "interrupted"]
            ]
          )
          const { state } = yield* inAnother(Sessions.load(session.id))
          assert.deepStrictEqual(textsOf(state), ["a", "b"])
          assert.deepStrictEqual(debris(sessions), [])
        })
      ))
  })
}

it.effect("A session that could neither be created nor taken back from a disk that is gone runs nowhere", () =>
  everyCall(
    createOnly,
    gone,
    Effect.fnUntraced(function*({ inFirst }, _scene, { failed }) {
      const found = yield* inFirst(nameAndStatus)
      if (failed) {
        assert.include([JSON.stringify([]), JSON.stringify([["faulty", "interrupted"]])], JSON.stringify(found))
      }
    })
  ))
