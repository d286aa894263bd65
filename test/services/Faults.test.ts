/**
 * A running session whose disk fails at any call, and whose process then ends:
 * another one recovers all that was acknowledged, and the first can't spoil it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Result, Scope, Stream } from "effect"
import { type RunningSession, type Session, type SessionId, SessionList, Sessions } from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
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

const fail = (call: FileSystemHooks.Call, code: "EIO" | "ENOSPC") =>
  Effect.fail(FileSystemHooks.systemError(call, "Unknown", code))

const changes = ({ flag, method }: FileSystemHooks.Call): boolean =>
  ["file.sync", "file.write", "link", "makeDirectory", "remove", "rename"].includes(method) ||
  (method === "open" && flag === "ax")

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

const gone: Fault = {
  name: "EIO from then on",
  isOnce: false,
  concerns: changes,
  strike: (call) => () => fail(call, "EIO")
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

interface Operation {
  readonly name: string
  readonly prepare: (scene: Scene) => Effect.Effect<Subject, { readonly _tag: string }>
  readonly act: (subject: Subject) => Effect.Effect<unknown, { readonly _tag: string }, Services>
}

/** Runs a scenario once for each call that the operation makes, with a fault there. */
const everyCall = Effect.fnUntraced(function*<E>(
  { act, prepare }: Operation,
  fault: Fault,
  scenario: (scene: Scene, subject: Subject, failed: boolean) => Effect.Effect<void, E>
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
      const outcome = yield* scene.disk.withFault(fault, number)(scene.inFirst(Effect.result(act(subject))))
      if (Result.isFailure(outcome)) assert.strictEqual(outcome.failure._tag, "StoreError")
      if (fault.isOnce) assert.deepStrictEqual(debris(scene.sessions), [])
      yield* scenario(scene, subject, Result.isFailure(outcome))
    }, Effect.scoped),
    { concurrency: 8, discard: true }
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

const append: Operation = { name: "append", prepare: running, act: (subject) => say(subject, "c") }
const checkpoint: Operation = {
  name: "checkpoint",
  prepare: running,
  act: ({ session }) => Sessions.checkpoint(session.id)
}
const close: Operation = { name: "close", prepare: running, act: ({ session }) => Sessions.close(session.id) }

for (const fault of [half, gone]) {
  describe(`A running session, with ${fault.name} at any one call`, () => {
    for (const operation of [append, checkpoint, close]) {
      it.effect(`${operation.name}: another process recovers all that was acknowledged`, () =>
        everyCall(
          operation,
          fault,
          (scene, subject, failed) => recover(scene, subject, operation === append && failed ? ["c"] : [])
        ))
    }
  })
}

describe("A disk that fails one call", () => {
  /** Lets one call pass that is asked for, then fails it, as often as it is told to. */
  const makeFault = () => {
    let isIt: (call: FileSystemHooks.Call) => boolean = () => false
    let tag: "PermissionDenied" | "Unknown" = "Unknown"
    const hook: FileSystemHooks.Hook = (call) => (run) =>
      Effect.suspend(() => {
        if (!isIt(call)) return run
        isIt = () => false
        return Effect.andThen(Effect.exit(run), Effect.fail(FileSystemHooks.systemError(call, tag, "injected")))
      })
    return {
      hook,
      once: (concerns: typeof isIt, as: typeof tag = "Unknown") =>
        Effect.sync(() => {
          isIt = concerns
          tag = as
        })
    }
  }

  const makeWorld = Effect.gen(function*() {
    const { project, sessions } = yield* Rig.workspace
    const machine = TestLiveness.machine()
    const { layer: liveness, pid } = machine.process()
    const { hook, once } = makeFault()
    const run = yield* boot({ sessions, hook, liveness })
    const inAnother = yield* boot({ sessions, liveness: machine.process().layer })
    const session = yield* run(Sessions.create({ project, name: "unsure", config: Rig.config }))
    return { inAnother, kill: Effect.sync(() => machine.kill(pid)), once, run, session }
  })

  const statusOf = (id: SessionId.SessionId) => Effect.map(Sessions.load(id), ({ report }) => report.status)

  it.effect("after it replaced the snapshot leaves a session that shows as interrupted when its process dies", () =>
    Effect.scoped(Effect.gen(function*() {
      const { inAnother, kill, once, session } = yield* makeWorld
      yield* session.append({ role: "user", content: "a" })
      yield* once(({ method, to }) => method === "rename" && to?.endsWith("/session.json") === true)
      assert.strictEqual((yield* Effect.flip(session.checkpoint))._tag, "StoreError")
      assert.strictEqual(yield* inAnother(statusOf(session.id)), "running")
      yield* kill
      assert.strictEqual(yield* inAnother(statusOf(session.id)), "interrupted")
    })))

  it.effect("while a session is taken in hand again after a failed close leaves it to its holder", () =>
    Effect.scoped(Effect.gen(function*() {
      const { inAnother, once, run, session } = yield* makeWorld
      let isLinked = false
      const syncOfLease = ({ method, path }: FileSystemHooks.Call) => {
        isLinked = isLinked || method === "link"
        return isLinked && method === "file.sync" && path.endsWith(session.id)
      }
      yield* once(syncOfLease)
      assert.strictEqual((yield* Effect.flip(run(Sessions.close(session.id))))._tag, "StoreError")
      isLinked = false
      yield* once(syncOfLease)
      assert.strictEqual((yield* Effect.flip(session.append({ role: "user", content: "a" })))._tag, "StoreError")
      yield* session.append({ role: "user", content: "b" })
      assert.strictEqual(yield* inAnother(statusOf(session.id)), "running")
      yield* run(Sessions.close(session.id))
      const { report, state } = yield* inAnother(Sessions.load(session.id))
      assert.strictEqual(report.status, "closed")
      assert.deepStrictEqual(textsOf(state), ["b"])
    })))

  it.effect("of a takeover that reads a lease does not bring a session back from the trash", () =>
    Effect.scoped(Effect.gen(function*() {
      const { once, run, session: { id } } = yield* makeWorld
      yield* run(Effect.andThen(Sessions.close(id), Sessions.remove(id)))
      let reads = 0
      yield* once(
        ({ method, path }) => method === "open" && path.includes("/lease.") && ++reads === 2,
        "PermissionDenied"
      )
      assert.strictEqual((yield* Effect.flip(run(Sessions.resume(id, { takeOver: true }))))._tag, "NotFound")
      yield* once(() => false)
      assert.strictEqual(yield* run(statusOf(id)), "removed")
    })))
})
