/**
 * Several processes over one sessions directory: who may change what, whatever
 * call each of them is at; and what is in the place of a file.
 */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Result, Schema, Scope, Stream } from "effect"
import {
  type RunningSession,
  type Session,
  SessionError,
  type SessionId,
  SessionList,
  Sessions,
  SessionStore
} from "effect-reprise"
import { FileSystemHooks } from "effect-reprise/testing"
import { TestClock } from "effect/testing"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

type Call = FileSystemHooks.Call
type Services = Rig.Services

/** A machine, a directory, and processes as they are needed. They end with the test. */
const makeScene = Effect.gen(function*() {
  const { project, root, sessions } = yield* Rig.workspace
  const { boot, machine } = Rig.processesOver(sessions)
  return { boot, machine, project, root, sessions }
})

type Scene = Effect.Success<typeof makeScene>
type Process = Effect.Success<ReturnType<Scene["boot"]>>

/** Suspends a process at one call, counted from where it is told to. */
const makeBrake = Effect.gen(function*() {
  const reached = yield* Deferred.make<void>()
  const released = yield* Deferred.make<void>()
  let isOn = false
  let seen = 0
  let at = Number.POSITIVE_INFINITY
  const hook: FileSystemHooks.Hook = () => (run) =>
    Effect.suspend(() => {
      if (!isOn || seen++ !== at) return run
      return Deferred.succeed(reached, undefined).pipe(Effect.andThen(Deferred.await(released)), Effect.andThen(run))
    })
  return {
    hook,
    /** Runs until the call of that number, or to the end. */
    runUntil: <A, E, R>(number: number, effect: Effect.Effect<A, E, R>) =>
      Effect.gen(function*() {
        isOn = true
        at = number
        const fiber = yield* Effect.forkScoped(
          Effect.ensuring(Effect.result(effect), Deferred.succeed(reached, undefined))
        )
        yield* Deferred.await(reached)
        return fiber
      }),
    goOn: Deferred.succeed(released, undefined),
    seen: () => seen
  }
})

const textsOf = ({ conversation }: Session.SessionState) => conversation.map(({ content }) => content)

const say = (session: RunningSession, content: string) => session.append({ role: "user", content })

const create = ({ project }: Scene) =>
  Effect.tap(
    Sessions.create({ project, name: "shared", config: Rig.config }),
    (session) => Effect.andThen(say(session, "a"), say(session, "b"))
  )

/** Everything below a directory, byte for byte. */
const contents = (directory: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    NodeFs.readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ name, parentPath }) => `${parentPath}/${name}`)
      .sort()
      .map((file) => [file, NodeFs.readFileSync(file, "latin1")])
  )

/** Names that are only there while an operation is under way. */
const debris = (directory: string): ReadonlyArray<string> =>
  NodeFs.readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => /(^|\/)(pending|creating|deleting)\./.test(name))

const loadElsewhere = (scene: Scene, id: SessionId.SessionId) =>
  Effect.flatMap(scene.boot(), ({ run }) => run(Sessions.load(id)))

interface Operation {
  readonly name: string
  readonly act: (session: RunningSession) => Effect.Effect<unknown, { readonly _tag: string }, Services>
}

const append: Operation = { name: "append", act: (session) => say(session, "c") }

const operations: ReadonlyArray<Operation> = [
  append,
  { name: "checkpoint", act: ({ id }) => Sessions.checkpoint(id) },
  { name: "close", act: ({ id }) => Sessions.close(id) }
]

/** How many calls an operation makes. */
const countCalls = ({ act }: Operation) =>
  Effect.gen(function*() {
    const scene = yield* makeScene
    const brake = yield* makeBrake
    const { run } = yield* scene.boot(brake.hook)
    const session = yield* run(create(scene))
    yield* Effect.flatMap(brake.runUntil(Number.POSITIVE_INFINITY, run(act(session))), Fiber.join)
    return brake.seen()
  }).pipe(Effect.scoped)

/** Suspends a holder at each call of an operation in turn, while `meanwhile` happens elsewhere. */
const suspendedAtEveryCall = Effect.fnUntraced(function*<E>(
  operation: Operation,
  meanwhile: (scene: Scene, holder: {
    readonly process: Process
    readonly session: RunningSession
    /** Lets it go on to its end. */
    readonly goOn: Effect.Effect<Result.Result<unknown, unknown>>
  }) => Effect.Effect<void, E, Scope.Scope>
) {
  const calls = yield* countCalls(operation)
  assert.isAbove(calls, 2)
  yield* Effect.forEach(
    Array.from({ length: calls }, (_, number) => number),
    Effect.fnUntraced(function*(number) {
      const scene = yield* makeScene
      const brake = yield* makeBrake
      const process = yield* scene.boot(brake.hook)
      const session = yield* process.run(create(scene))
      const fiber = yield* brake.runUntil(number, process.run(operation.act(session)))
      yield* Effect.addFinalizer(() => brake.goOn)
      yield* meanwhile(scene, { process, session, goOn: Effect.andThen(brake.goOn, Fiber.join(fiber)) })
    }, Effect.scoped),
    { concurrency: 8, discard: true }
  )
})

/** What another one finds is what was acknowledged, and perhaps the event that was under way. */
const assertFound = (found: ReadonlyArray<unknown>, operation: Operation) => {
  const underWay = operation === append && found.length > 2 ? ["c"] : []
  assert.deepStrictEqual(found, ["a", "b", ...underWay])
}

const assertLost = (
  outcome: Result.Result<unknown, unknown>,
  found: ReadonlyArray<unknown>,
  operation: Operation
) => {
  if (Result.isSuccess(outcome)) {
    // Whatever it acknowledges now had happened before it was suspended.
    if (operation === append) assert.deepStrictEqual(found, ["a", "b", "c"])
    return
  }
  const { failure } = outcome
  assert.isTrue(failure instanceof SessionError.SessionEnded && failure.reason._tag === "LeaseLost", String(failure))
}

describe("A holder that is suspended at any call", () => {
  for (const operation of operations) {
    it.effect(`of ${operation.name}, taken over, and goes on after the other closed, changes nothing`, () =>
      suspendedAtEveryCall(
        operation,
        Effect.fnUntraced(function*(scene, { goOn, process, session }) {
          const other = yield* scene.boot()
          const resumed = yield* other.run(Sessions.resume(session.id, { takeOver: true }))
          const found = textsOf(yield* resumed.state)
          assertFound(found, operation)
          yield* say(resumed, "d")
          yield* other.run(Sessions.close(session.id))
          const after = contents(scene.sessions)
          assertLost(yield* goOn, found, operation)
          assert.deepStrictEqual(contents(scene.sessions), after)
          assert.strictEqual((yield* Effect.flip(say(session, "late")))._tag, "SessionEnded")
          assert.deepStrictEqual(contents(scene.sessions), after)
          const { report, state } = yield* process.run(Sessions.load(session.id))
          assert.deepStrictEqual(textsOf(state), [...found, "d"])
          assert.strictEqual(report.status, "closed")
        })
      ))

    it.effect(`of ${operation.name}, taken over, and goes on while the other runs, changes nothing`, () =>
      suspendedAtEveryCall(
        operation,
        Effect.fnUntraced(function*(scene, { goOn, session }) {
          const other = yield* scene.boot()
          const resumed = yield* other.run(Sessions.resume(session.id, { takeOver: true }))
          const found = textsOf(yield* resumed.state)
          yield* say(resumed, "d")
          assertLost(yield* goOn, found, operation)
          yield* say(resumed, "e")
          const { report, state } = yield* loadElsewhere(scene, session.id)
          assert.deepStrictEqual(textsOf(state), [...found, "d", "e"])
          assert.strictEqual(report.status, "running")
          yield* other.run(Sessions.close(session.id))
          assert.deepStrictEqual(textsOf((yield* loadElsewhere(scene, session.id)).state), [...found, "d", "e"])
          assert.deepStrictEqual(debris(scene.sessions), [])
        })
      ))

    it.effect(`of ${operation.name}, and killed there, leaves everything that it acknowledged`, () =>
      suspendedAtEveryCall(
        operation,
        Effect.fnUntraced(function*(scene, { process, session }) {
          yield* process.kill
          const other = yield* scene.boot()
          const [entry] = yield* other.run(Stream.runCollect(Sessions.list()))
          assert.isTrue(
            entry !== undefined && SessionList.isStored(entry) && ["interrupted", "closed"].includes(entry.status)
          )
          const resumed = yield* other.run(Sessions.resume(session.id))
          const found = textsOf(yield* resumed.state)
          assertFound(found, operation)
          yield* say(resumed, "d")
          yield* other.run(Sessions.close(session.id))
          assert.deepStrictEqual(textsOf((yield* loadElsewhere(scene, session.id)).state), [...found, "d"])
          assert.deepStrictEqual(
            Object.keys(contents(scene.sessions)).map((file) => file.replace(/^.*\//, "").replace(/\d+/, "N")).sort(),
            ["lease.N.json", "session.json"]
          )
        })
      ))
  }
})

const store = SessionStore.SessionStore

const closedSession = (scene: Scene) =>
  Effect.flatMap(scene.boot(), ({ run }) => run(Effect.tap(create(scene), ({ id }) => Sessions.close(id))))

const interruptedSession = (scene: Scene) =>
  Effect.flatMap(scene.boot(), ({ kill, run }) => Effect.tap(run(create(scene)), kill))

describe("A resume that is suspended at any call while another resumes, appends and closes", () => {
  for (
    const { name, prepare } of [
      { name: "a closed session", prepare: closedSession },
      { name: "an interrupted session", prepare: interruptedSession }
    ]
  ) {
    it.effect(`of ${name} begins where the other ended, or is refused`, () =>
      Effect.gen(function*() {
        const attempt = Effect.fnUntraced(function*(number: number) {
          const scene = yield* makeScene
          const { id } = yield* prepare(scene)
          const brake = yield* makeBrake
          const slow = yield* scene.boot(brake.hook)
          const fiber = yield* brake.runUntil(number, slow.run(Sessions.resume(id)))
          yield* Effect.addFinalizer(() => brake.goOn)
          if (number === Number.POSITIVE_INFINITY) return brake.seen()
          const other = yield* scene.boot()
          yield* say(yield* other.run(Sessions.resume(id, { takeOver: true })), "d")
          yield* other.run(Sessions.close(id))
          const after = contents(scene.sessions)
          yield* brake.goOn
          const outcome = yield* Fiber.join(fiber)
          if (Result.isSuccess(outcome)) {
            assert.deepStrictEqual(textsOf(yield* outcome.success.state), ["a", "b", "d"])
            yield* say(outcome.success, "e")
            yield* slow.run(Sessions.close(id))
          } else {
            assert.strictEqual(outcome.failure._tag, "RestoreFailed", String(outcome.failure))
            assert.deepStrictEqual(contents(scene.sessions), after)
          }
          const { report, state } = yield* loadElsewhere(scene, id)
          assert.deepStrictEqual(textsOf(state), ["a", "b", "d", ...(Result.isSuccess(outcome) ? ["e"] : [])])
          assert.strictEqual(report.status, "closed")
          assert.deepStrictEqual(debris(scene.sessions), [])
          return brake.seen()
        }, Effect.scoped)
        const calls = yield* attempt(Number.POSITIVE_INFINITY)
        assert.isAbove(calls, 20)
        // Every call is the matter of a rig that runs longer.
        yield* Effect.forEach(Array.from({ length: Math.floor(calls / 3) }, (_, number) => 3 * number), attempt, {
          concurrency: 8,
          discard: true
        })
      }))
  }
})

/** Suspends the first call of a kind, before it or after it. */
const makeGate = Effect.fnUntraced(function*(isMeant: (call: Call) => boolean, when: "before" | "after") {
  const reached = yield* Deferred.make<void>()
  const released = yield* Deferred.make<void>()
  let isOpen = false
  const hook: FileSystemHooks.Hook = (call) => (run) =>
    Effect.suspend(() => {
      if (isOpen || !isMeant(call)) return run
      isOpen = true
      const wait = Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(released))
      return when === "before" ? Effect.andThen(wait, run) : Effect.tap(run, wait)
    })
  return { hook, reached: Deferred.await(reached), goOn: Deferred.succeed(released, undefined) }
})

const claimAndRelease = (id: SessionId.SessionId, options?: SessionStore.ClaimOptions) =>
  Effect.scoped(Effect.map(store.use(({ claim }) => claim(id, options)), ({ epoch }) => epoch))

const isLeaseLink = ({ method }: Call) => method === "link"

describe("A claimant that is slow to link its lease", () => {
  it.effect("does not win with a number that was used and deleted meanwhile", () =>
    Effect.gen(function*() {
      const scene = yield* makeScene
      const { id } = yield* closedSession(scene)
      const gate = yield* makeGate(isLeaseLink, "before")
      const slow = yield* scene.boot(gate.hook)
      const fiber = yield* Effect.forkScoped(slow.run(Effect.flip(store.use(({ claim }) => claim(id)))))
      yield* gate.reached
      const quick = yield* scene.boot()
      for (let round = 0; round < 3; round++) yield* quick.run(claimAndRelease(id))
      const holder = yield* scene.boot()
      yield* holder.run(Sessions.resume(id))
      yield* gate.goOn
      const failure = yield* Fiber.join(fiber)
      assert.isTrue(
        failure._tag === "AlreadyRunning" && failure.liveness === "alive" && failure.holder?.pid === holder.pid
      )
      yield* holder.run(Effect.flatMap(Sessions.resume(id), (session) => say(session, "never"))).pipe(Effect.flip)
      yield* holder.run(Sessions.close(id))
      assert.strictEqual((yield* loadElsewhere(scene, id)).report.status, "closed")
    }))

  it.effect("wins with a number that nobody had, when the session is free again", () =>
    Effect.gen(function*() {
      const scene = yield* makeScene
      const { id } = yield* closedSession(scene)
      const gate = yield* makeGate(isLeaseLink, "before")
      const slow = yield* scene.boot(gate.hook)
      const fiber = yield* Effect.forkScoped(slow.run(claimAndRelease(id)))
      yield* gate.reached
      const quick = yield* scene.boot()
      const epochs = yield* Effect.forEach(Array.from({ length: 3 }), () => quick.run(claimAndRelease(id)))
      yield* gate.goOn
      assert.isAbove(yield* Fiber.join(fiber), Math.max(...epochs))
    }))

  it.effect("has lost when it is taken over before it looked again", () =>
    Effect.gen(function*() {
      const scene = yield* makeScene
      const { id } = yield* closedSession(scene)
      const gate = yield* makeGate(isLeaseLink, "after")
      const slow = yield* scene.boot(gate.hook)
      const fiber = yield* Effect.forkScoped(slow.run(Effect.flip(store.use(({ claim }) => claim(id)))))
      yield* gate.reached
      const other = yield* scene.boot()
      const session = yield* other.run(Sessions.resume(id, { takeOver: true }))
      yield* gate.goOn
      const failure = yield* Fiber.join(fiber)
      assert.isTrue(failure._tag === "AlreadyRunning" && failure.holder?.pid === other.pid)
      yield* say(session, "d")
      yield* other.run(Sessions.close(id))
      assert.deepStrictEqual(textsOf((yield* loadElsewhere(scene, id)).state), ["a", "b", "d"])
    }))
})

it.effect("A dead holder's session is claimed by exactly one of many claimants in two processes", () =>
  Effect.gen(function*() {
    const scene = yield* makeScene
    const { id } = yield* interruptedSession(scene)
    const processes = [yield* scene.boot(), yield* scene.boot()]
    const scope = yield* Effect.scope
    const outcomes = yield* Effect.forEach(
      Array.from({ length: 32 }, (_, index) => processes[index % 2]).flatMap((process) => process ?? []),
      (process) =>
        Effect.result(process.run(Scope.provide(store.use(({ claim }) => claim(id)), scope))).pipe(
          Effect.map((result) => ({ result, pid: process.pid }))
        ),
      { concurrency: "unbounded" }
    )
    const [winner, ...others] = outcomes.filter(({ result }) => Result.isSuccess(result))
    assert.lengthOf(others, 0)
    for (const { result } of outcomes) {
      if (Result.isSuccess(result)) continue
      const { failure } = result
      assert.isTrue(failure._tag === "AlreadyRunning" && failure.holder?.pid === winner?.pid, String(failure))
    }
  }))

const Step = Schema.Struct({
  process: Schema.Literals([0, 1, 2]),
  action: Schema.Literals(["claim", "takeOver", "release", "die"])
})

it.effect.prop(
  "An epoch is never given twice, whoever claims, takes over, gives back and dies",
  { steps: Schema.Array(Step).check(Schema.isMaxLength(24)) },
  ({ steps }) =>
    Effect.gen(function*() {
      const scene = yield* makeScene
      const { id } = yield* closedSession(scene)
      const processes = [yield* scene.boot(), yield* scene.boot(), yield* scene.boot()]
      const claims = new Map<number, Scope.Closeable>()
      const epochs: Array<number> = []
      for (const { action, process: index } of steps) {
        const process = processes[index]
        const held = claims.get(index)
        if (process === undefined) continue
        if (action === "die") {
          yield* process.kill
          processes[index] = yield* scene.boot()
          claims.delete(index)
        } else if (action === "release") {
          if (held !== undefined) yield* Scope.close(held, Exit.void)
          claims.delete(index)
        } else {
          const scope = yield* Scope.fork(yield* Effect.scope)
          const claim = yield* process.run(
            Effect.result(
              Scope.provide(store.use(({ claim }) => claim(id, { takeOver: action === "takeOver" })), scope)
            )
          )
          if (Result.isSuccess(claim)) {
            epochs.push(claim.success.epoch)
            claims.set(index, scope)
          } else assert.isTrue(claim.failure._tag === "AlreadyRunning" && action === "claim")
        }
      }
      assert.deepStrictEqual(epochs, [...new Set(epochs)].sort((self, that) => self - that))
    }).pipe(Effect.scoped),
  { arbitrary: { runs: 15, seed: 1 } }
)

describe("A claim that can't be made durable", () => {
  const dyingAt = [
    { name: "at its first attempt to undo it", isDying: ({ path }: Call) => path.includes("/pending.3.") },
    { name: "when it looks whether it is there", isDying: ({ path }: Call) => path.endsWith("/lease.2.json") }
  ]
  for (const { isDying, name } of dyingAt) {
    it.effect(`is undone, also by a disk that dies ${name}`, () =>
      Effect.gen(function*() {
        const scene = yield* makeScene
        const first = yield* scene.boot()
        const { id } = yield* first.run(create(scene))
        const struck: Array<string> = []
        const second = yield* scene.boot((call) => (run) =>
          Effect.suspend(() => {
            if (call.method === "file.sync" && call.path.endsWith(id) && struck.length === 0) {
              struck.push("sync")
              return Effect.fail(FileSystemHooks.systemError(call, "PermissionDenied", "EPERM"))
            }
            if (call.method === "open" && isDying(call) && struck.length === 1) {
              struck.push("undo")
              return Effect.die(new Error("injected"))
            }
            return run
          })
        )
        assert.isTrue(Result.isFailure(yield* Effect.result(second.run(Sessions.resume(id, { takeOver: true })))))
        assert.deepStrictEqual(struck, ["sync", "undo"])
        const third = yield* scene.boot()
        const again = yield* third.run(Sessions.resume(id))
        assert.strictEqual(again.id, id)
      }).pipe(Effect.scoped))
  }
})

describe("A takeover whose disk does not let it delete what the former holder had under way", () => {
  const isSnapshotRename = ({ method, to }: Call) => method === "rename" && to?.endsWith("/session.json") === true

  const attempt = (fails: (call: Call, readDirectories: number) => boolean) =>
    Effect.gen(function*() {
      const scene = yield* makeScene
      const gate = yield* makeGate(isSnapshotRename, "before")
      const former = yield* scene.boot(gate.hook)
      const session = yield* former.run(create(scene))
      const fiber = yield* Effect.forkScoped(former.run(Effect.result(Sessions.close(session.id))))
      yield* gate.reached
      let isOn = false
      let seen = 0
      const other = yield* scene.boot((call) => (run) =>
        Effect.suspend(() => {
          if (!isOn) return run
          if (call.method === "readDirectory") seen++
          return fails(call, seen) ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO")) : run
        })
      )
      isOn = true
      const first = yield* Effect.result(other.run(Sessions.resume(session.id, { takeOver: true })))
      isOn = false
      if (Result.isFailure(first)) assert.strictEqual(first.failure._tag, "StoreError")
      const resumed = Result.isSuccess(first)
        ? first.success
        : yield* other.run(Sessions.resume(session.id, { takeOver: true }))
      yield* say(resumed, "d")
      yield* gate.goOn
      assert.isTrue(Result.isFailure(yield* Fiber.join(fiber)))
      yield* say(resumed, "e")
      assert.deepStrictEqual(textsOf((yield* loadElsewhere(scene, session.id)).state), ["a", "b", "d", "e"])
      return seen
    }).pipe(Effect.scoped)

  it.effect("keeps its own events, when no pending file can be deleted", () =>
    attempt(({ method, path }) => method === "remove" && path.includes("/pending.")))

  it.effect("keeps its own events, when a directory can't be read once", () =>
    Effect.gen(function*() {
      const reads = yield* attempt(() => false)
      assert.isAbove(reads, 2)
      for (let number = 1; number <= reads; number++) {
        yield* attempt(({ method }, seen) => method === "readDirectory" && seen === number)
      }
    }))
})

describe("A reader that is suspended at any call", () => {
  const meanwhile: ReadonlyArray<{
    readonly name: string
    readonly act: (
      scene: Scene,
      owner: Process,
      session: RunningSession
    ) => Effect.Effect<unknown, unknown, Scope.Scope>
  }> = [
    {
      name: "the session is saved and goes on",
      act: (_scene, { run }, session) =>
        Effect.all([say(session, "c"), run(Sessions.checkpoint(session.id)), say(session, "d")])
    },
    {
      name: "the session is closed, resumed elsewhere and goes on there",
      act: Effect.fnUntraced(function*(scene, { run }, session) {
        yield* say(session, "c")
        yield* run(Sessions.close(session.id))
        const other = yield* scene.boot()
        yield* say(yield* other.run(Sessions.resume(session.id)), "d")
      })
    }
  ]
  const readers: ReadonlyArray<{
    readonly name: string
    readonly read: (id: SessionId.SessionId) => Effect.Effect<void, { readonly _tag: string }, Services>
  }> = [
    {
      name: "load",
      read: (id: SessionId.SessionId) =>
        Effect.map(Sessions.load(id), ({ report, state }) => {
          assert.deepStrictEqual(textsOf(state), ["a", "b", "c", "d"].slice(0, Math.max(2, textsOf(state).length)))
          assert.include(["running", "closed"], report.status)
        })
    },
    {
      name: "list",
      read: () =>
        Effect.map(Stream.runCollect(Sessions.list()), (entries) => {
          assert.deepStrictEqual(entries.map((entry) => SessionList.isStored(entry) ? entry.name : entry), ["shared"])
        })
    }
  ]

  for (const { act, name } of meanwhile) {
    for (const { name: reader, read } of readers) {
      it.effect(`of ${reader}, while ${name}, sees one moment of it`, () =>
        Effect.gen(function*() {
          const attempt = Effect.fnUntraced(function*(number: number) {
            const scene = yield* makeScene
            const owner = yield* scene.boot()
            const session = yield* owner.run(create(scene))
            const brake = yield* makeBrake
            const { run } = yield* scene.boot(brake.hook)
            const fiber = yield* brake.runUntil(number, run(read(session.id)))
            yield* Effect.addFinalizer(() => brake.goOn)
            if (number !== Number.POSITIVE_INFINITY) yield* act(scene, owner, session)
            const before = contents(scene.sessions)
            yield* brake.goOn
            yield* Effect.fromResult(yield* Fiber.join(fiber))
            assert.deepStrictEqual(contents(scene.sessions), before)
            return brake.seen()
          }, Effect.scoped)
          const calls = yield* attempt(Number.POSITIVE_INFINITY)
          assert.isAbove(calls, 8)
          yield* Effect.forEach(Array.from({ length: calls }, (_, number) => number), attempt, {
            concurrency: 8,
            discard: true
          })
        }))
    }
  }
})

const leaseFile = (directory: string) =>
  `${directory}/${NodeFs.readdirSync(directory).find((name) => name.startsWith("lease.")) ?? ""}`

const makeFifo = (path: string) => void NodeChildProcess.execFileSync("mkfifo", [path])

/** Ways to spoil a file that is there. */
const spoilt: ReadonlyArray<{ readonly name: string; readonly spoil: (file: string) => void }> = [
  { name: "is empty", spoil: (file) => NodeFs.writeFileSync(file, "") },
  { name: "is not JSON", spoil: (file) => NodeFs.writeFileSync(file, "\0\u{1F600}{{") },
  { name: "is JSON of another kind", spoil: (file) => NodeFs.writeFileSync(file, "{\"state\":\"released\"}\n") },
  {
    name: "is of another epoch",
    spoil: (file) => NodeFs.writeFileSync(file, NodeFs.readFileSync(file, "utf8").replace("\"epoch\":1", "\"epoch\":7"))
  },
  { name: "is cut short", spoil: (file) => NodeFs.truncateSync(file, 60) },
  { name: "is huge", spoil: (file) => NodeFs.writeFileSync(file, " ".repeat(100_000)) },
  {
    name: "is a directory",
    spoil: (file) => {
      NodeFs.rmSync(file)
      NodeFs.mkdirSync(file)
    }
  },
  {
    name: "is a FIFO",
    spoil: (file) => {
      NodeFs.rmSync(file)
      makeFifo(file)
    }
  },
  {
    name: "is a link to itself elsewhere",
    spoil: (file) => {
      NodeFs.renameSync(file, `${file.slice(0, file.indexOf("/sessions/"))}/elsewhere`)
      NodeFs.symlinkSync(`${file.slice(0, file.indexOf("/sessions/"))}/elsewhere`, file)
    }
  }
]

describe("A session whose lease", () => {
  for (const { name, spoil } of spoilt) {
    it.effect(`${name} is held elsewhere for all one can tell, and resumed by takeover only`, () =>
      Effect.gen(function*() {
        const scene = yield* makeScene
        const { id } = yield* interruptedSession(scene)
        spoil(leaseFile(`${scene.sessions}/${id}`))
        const { run } = yield* scene.boot()
        assert.strictEqual((yield* run(Sessions.load(id))).report.status, "elsewhere")
        const [entry] = yield* run(Stream.runCollect(Sessions.list()))
        assert.isTrue(entry !== undefined && SessionList.isStored(entry) && entry.status === "elsewhere")
        const refused: ReadonlyArray<Effect.Effect<unknown, unknown, Services>> = [
          Sessions.resume(id),
          Sessions.remove(id),
          Sessions.rename(id, "another")
        ]
        for (const operation of refused) {
          const failure = yield* run(Effect.flip(operation))
          assert.isTrue(
            failure instanceof SessionError.RestoreFailed && failure.reason._tag === "AlreadyRunning" &&
              failure.reason.liveness === "unknown"
          )
        }
        const session = yield* run(Sessions.resume(id, { takeOver: true }))
        yield* say(session, "c")
        yield* run(Sessions.close(id))
        assert.deepStrictEqual(textsOf((yield* loadElsewhere(scene, id)).state), ["a", "b", "c"])
      }))
  }

  it.effect("can't be read for want of permission is held elsewhere for all one can tell", () =>
    Effect.gen(function*() {
      const scene = yield* makeScene
      const { id } = yield* interruptedSession(scene)
      const { run } = yield* scene.boot((call) => (run) =>
        call.method === "open" && call.flag === "r" && call.path.endsWith("/lease.1.json")
          ? Effect.fail(FileSystemHooks.systemError(call, "PermissionDenied", "EACCES"))
          : run
      )
      assert.strictEqual((yield* run(Sessions.load(id))).report.status, "elsewhere")
      assert.strictEqual((yield* run(Effect.flip(Sessions.resume(id))))._tag, "RestoreFailed")
      assert.deepStrictEqual(textsOf(yield* (yield* run(Sessions.resume(id, { takeOver: true }))).state), ["a", "b"])
    }))
})

/** What should not be where a file or directory of ours is. Each gives back what to compare later. */
const impostors: ReadonlyArray<{ readonly name: string; readonly put: (path: string, outside: string) => void }> = [
  {
    name: "a link to the very thing",
    put: (path, outside) => {
      NodeFs.renameSync(path, `${outside}/moved`)
      NodeFs.symlinkSync(`${outside}/moved`, path)
    }
  },
  {
    name: "a link to a file",
    put: (path, outside) => {
      NodeFs.rmSync(path, { recursive: true })
      NodeFs.symlinkSync(`${outside}/canary`, path)
    }
  },
  {
    name: "a link to nothing",
    put: (path, outside) => {
      NodeFs.rmSync(path, { recursive: true })
      NodeFs.symlinkSync(`${outside}/nothing`, path)
    }
  },
  {
    name: "a link to itself",
    put: (path) => {
      NodeFs.rmSync(path, { recursive: true })
      NodeFs.symlinkSync(path, path)
    }
  },
  {
    name: "a FIFO",
    put: (path) => {
      NodeFs.rmSync(path, { recursive: true })
      makeFifo(path)
    }
  },
  {
    name: "a directory where a file should be, or a file where a directory should be",
    put: (path) => {
      const isDirectory = NodeFs.statSync(path).isDirectory()
      NodeFs.rmSync(path, { recursive: true })
      if (isDirectory) NodeFs.writeFileSync(path, "a file")
      else NodeFs.mkdirSync(path)
    }
  }
]

const places: ReadonlyArray<{ readonly name: string; readonly of: (sessions: string, id: string) => string }> = [
  { name: "the snapshot", of: (sessions, id) => `${sessions}/${id}/session.json` },
  { name: "the journal", of: (sessions, id) => `${sessions}/${id}/journal.1.0.jsonl` },
  { name: "the lease", of: (sessions, id) => `${sessions}/${id}/lease.1.json` },
  { name: "the session's directory", of: (sessions, id) => `${sessions}/${id}` },
  { name: "the sessions directory", of: (sessions) => sessions }
]

const typed = ["CreateFailed", "InvalidJson", "NotFound", "RestoreFailed", "SessionEnded", "StoreError"]

describe("In the place of", () => {
  for (const { name: place, of } of places) {
    for (const { name, put } of impostors) {
      it.effect(`${place}, ${name} is not followed and makes nothing hang`, () =>
        Effect.gen(function*() {
          const scene = yield* makeScene
          const { id } = yield* interruptedSession(scene)
          const outside = `${scene.root}/outside`
          NodeFs.mkdirSync(outside)
          NodeFs.writeFileSync(`${outside}/canary`, "canary")
          put(of(scene.sessions, id), outside)
          const before = contents(outside)
          const { run } = yield* scene.boot()
          const isLease = place === "the lease"
          const operations: Record<string, Effect.Effect<unknown, { readonly _tag: string }, Services>> = {
            load: Sessions.load(id),
            verify: Sessions.verify(id),
            list: Stream.runCollect(Sessions.list()),
            resume: Sessions.resume(id),
            takeOver: Sessions.resume(id, { takeOver: true }),
            close: Sessions.close(id),
            rename: Sessions.rename(id, "another"),
            remove: Sessions.remove(id),
            restore: Sessions.restore(id),
            purge: Sessions.purge(id),
            create: Sessions.create({ project: scene.project, name: "new", config: Rig.config })
          }
          for (const [operation, effect] of Object.entries(operations)) {
            const result = yield* run(Effect.result(effect)).pipe(
              Effect.timeout("5 seconds"),
              TestClock.withLive
            )
            if (Result.isFailure(result)) assert.include(typed, result.failure._tag, operation)
            else if (!isLease) assert.include(["list", "create", "remove", "restore", "purge"], operation)
            assert.deepStrictEqual(contents(outside), before, operation)
          }
        }))
    }
  }
})
