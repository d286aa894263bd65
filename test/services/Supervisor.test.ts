import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Logger, Option, Pull, Result, Scope, Stream } from "effect"
import { Agent, type RunningSession, type SessionError, SessionId, Sessions, Supervisor } from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import { TestClock } from "effect/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

type Services = Layer.Success<ReturnType<typeof Rig.layer>>

/** One process of a machine. */
interface Process {
  readonly run: <A, E, R extends Services | Scope.Scope>(
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, Exclude<R, Services>>
  /** Sees every call to the file system while it is set. */
  hook: FileSystemHooks.Hook
  /** Ends the process in good order. */
  readonly tearDown: Effect.Effect<void>
  readonly pid: number
}

/** A temporary directory, and a machine whose processes keep their sessions in it. */
const makeWorld = Effect.fnUntraced(function*(options: Omit<Rig.RigOptions, "sessions" | "hook" | "liveness"> = {}) {
  const space = yield* Rig.workspace
  const machine = TestLiveness.machine()
  const parent = yield* Effect.scope

  const startProcess = Effect.fnUntraced(function*(agent: Layer.Layer<never> = Layer.empty) {
    const { layer: liveness, pid } = machine.process()
    const hook: FileSystemHooks.Hook = (call) => (run) => Effect.suspend(() => process.hook(call)(run))
    const scope = yield* Scope.fork(parent)
    const layer = Layer.provide(Rig.layer({ ...options, sessions: space.sessions, hook, liveness }), agent)
    const context = yield* Scope.provide(Layer.build(Layer.fresh(layer)), scope)
    const process: Process = {
      run: (effect) => Effect.provide(effect, context),
      hook: FileSystemHooks.none,
      tearDown: Scope.close(scope, Exit.void),
      pid
    }
    return process
  })
  const projects = (count: number) =>
    Array.from({ length: count }, (_, index) => {
      const project = `${space.root}/project-${index}`
      NodeFs.mkdirSync(project)
      return project
    })
  return { ...space, startProcess, projects }
})

const create = (project: string) => Sessions.create({ project, config: Rig.config })
const running = Effect.map(Supervisor.Supervisor.use(({ running }) => running), (all) => all.map(({ id }) => id))
const say = (session: RunningSession, content: string) => session.append({ role: "user", content })
const contents = (session: RunningSession) =>
  Effect.map(session.state, ({ conversation }) => conversation.map(({ content }) => content))
const soon = <A, E>(effect: Effect.Effect<A, E>) => TestClock.withLive(Effect.timeout(effect, "5 seconds"))

const reasonOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

const failure = <A, E extends SessionError.SessionError, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), reasonOf)

/** No write reaches the disk. */
const diskFull: FileSystemHooks.Hook = (call) => (run) =>
  call.method === "file.write" ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "ENOSPC")) : run

/** What a session holds as another process sees it. */
const stored = Effect.fnUntraced(function*(process: Process, id: SessionId.SessionId) {
  const { report, state } = yield* process.run(Sessions.load(id))
  return { status: report.status, contents: state.conversation.map(({ content }) => content) }
})

/** Blocks the calls that `isMeant` picks until it is opened; `reached` tells of the first. */
const gate = Effect.fnUntraced(function*(isMeant: (call: FileSystemHooks.Call) => boolean) {
  const reached = yield* Deferred.make<void>()
  const opened = yield* Deferred.make<void>()
  const hook: FileSystemHooks.Hook = (call) => (run) =>
    isMeant(call)
      ? Effect.andThen(Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(opened)), run)
      : run
  return { hook, reached: Deferred.await(reached), open: Deferred.succeed(opened, undefined) }
})

describe("Sessions.close", () => {
  it.effect("saves the session, and it no longer runs", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const session = yield* process.run(create(project))
      yield* say(session, "hello")
      yield* process.run(Sessions.close(session.id))
      assert.deepStrictEqual(yield* process.run(running), [])
      assert.isTrue(Option.isNone(yield* process.run(Supervisor.Supervisor.use(({ get }) => get(session.id)))))
      assert.deepStrictEqual(yield* stored(process, session.id), { status: "closed", contents: ["hello"] })
    }))

  it.effect("is shared by callers that call it at the same time", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const session = yield* process.run(create(project))
      const calls: Array<FileSystemHooks.Call> = []
      process.hook = FileSystemHooks.recordInto(calls)
      const results = yield* Effect.forEach(
        Array.from({ length: 5 }),
        () => Effect.result(process.run(Sessions.close(session.id))),
        { concurrency: "unbounded" }
      )
      assert.isTrue(results.every(Result.isSuccess))
      assert.strictEqual(calls.filter(({ to }) => to?.endsWith("session.json")).length, 1)
    }))

  it.effect("fails with NotRunning when it is called again, or for a session that never ran here", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const other = yield* startProcess()
      const session = yield* process.run(create(project))
      assert.strictEqual(yield* failure(other.run(Sessions.close(session.id))), "SessionEnded/NotRunning")
      yield* process.run(Sessions.close(session.id))
      assert.strictEqual(yield* failure(process.run(Sessions.close(session.id))), "SessionEnded/NotRunning")
      assert.strictEqual(yield* failure(process.run(Sessions.checkpoint(session.id))), "SessionEnded/NotRunning")
      const unknown = SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
      assert.strictEqual(yield* failure(process.run(Sessions.close(unknown))), "SessionEnded/NotRunning")
    }))

  it.effect("goes on when the one who called it gives up waiting, and others that wait learn its outcome", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const session = yield* process.run(create(project))
      const { hook, open, reached } = yield* gate(({ method }) => method === "rename")
      process.hook = hook
      const first = yield* Effect.forkChild(process.run(Sessions.close(session.id)))
      yield* reached
      const second = yield* Effect.forkChild(process.run(Sessions.close(session.id)), { startImmediately: true })
      yield* Fiber.interrupt(first)
      yield* open
      yield* Fiber.join(second)
      assert.strictEqual((yield* stored(process, session.id)).status, "closed")
    }))

  it.effect("stores what was on its way when it was called", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const session = yield* process.run(create(project))
      const appends = yield* Effect.forEach(
        ["a", "b", "c"],
        (content) => Effect.forkChild(say(session, content), { startImmediately: true })
      )
      yield* process.run(Sessions.close(session.id))
      yield* Effect.forEach(appends, Fiber.join)
      assert.deepStrictEqual(yield* stored(process, session.id), { status: "closed", contents: ["a", "b", "c"] })
    }))

  it.effect("that can't save fails with StoreError: the session runs on, and is closed by another call", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const session = yield* process.run(create(project))
      yield* say(session, "one")
      process.hook = diskFull
      assert.strictEqual(yield* failure(process.run(Sessions.close(session.id))), "StoreError")
      assert.deepStrictEqual(yield* process.run(running), [session.id])
      assert.deepStrictEqual(yield* stored(process, session.id), { status: "running", contents: ["one"] })
      process.hook = FileSystemHooks.none
      yield* say(session, "two")
      assert.deepStrictEqual(yield* stored(process, session.id), { status: "running", contents: ["one", "two"] })
      yield* process.run(Sessions.close(session.id))
      assert.deepStrictEqual(yield* stored(process, session.id), { status: "closed", contents: ["one", "two"] })
    }))
})

describe("a handle after the close of its session", () => {
  const mutators: ReadonlyArray<{
    readonly name: string
    readonly change: (session: RunningSession) => Effect.Effect<unknown, SessionError.SessionError>
  }> = [
    { name: "append", change: (session) => say(session, "late") },
    { name: "replaceTodos", change: (session) => session.replaceTodos([]) },
    { name: "recordPrompt", change: (session) => session.recordPrompt("late") },
    { name: "configure", change: (session) => session.configure(Rig.config) },
    { name: "rename", change: (session) => session.rename("late") },
    { name: "annotate", change: (session) => session.annotate({}) },
    { name: "checkpoint", change: (session) => session.checkpoint }
  ]
  for (const { change, name } of mutators) {
    it.effect(`refuses ${name} with Closed, and its state stays readable and as it was`, () =>
      Effect.gen(function*() {
        const { project, startProcess } = yield* makeWorld()
        const process = yield* startProcess()
        const session = yield* process.run(create(project))
        yield* say(session, "hello")
        const state = yield* session.state
        yield* process.run(Sessions.close(session.id))
        assert.strictEqual(yield* failure(change(session)), "SessionEnded/Closed")
        assert.deepStrictEqual(yield* session.state, state)
        assert.deepStrictEqual((yield* process.run(Sessions.load(session.id))).state, state)
      }))
  }

  it.effect("has nothing to do with the handle that a resume gives", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const before = yield* process.run(create(project))
      yield* process.run(Sessions.close(before.id))
      const after = yield* process.run(Sessions.resume(before.id))
      assert.strictEqual(yield* failure(say(before, "late")), "SessionEnded/Closed")
      yield* say(after, "hello")
      assert.deepStrictEqual(yield* contents(before), [])
      assert.deepStrictEqual(yield* contents(after), ["hello"])
    }))
})

describe("changes", () => {
  it.effect("begins with the present state, shows later ones, and ends with the session", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const session = yield* process.run(create(project))
      yield* say(session, "before")
      yield* Effect.scoped(Effect.gen(function*() {
        const pull = yield* Stream.toPull(session.changes)
        const texts = Effect.map(pull, (states) => states.map(({ conversation }) => conversation.at(-1)?.content))
        assert.deepStrictEqual(yield* texts, ["before"])
        for (const content of ["one", "two"]) {
          const next = yield* Effect.forkChild(texts, { startImmediately: true })
          yield* say(session, content)
          assert.deepStrictEqual(yield* Fiber.join(next), [content])
        }
        const next = yield* Effect.forkChild(Pull.catchDone(pull, () => Effect.succeed("done")), {
          startImmediately: true
        })
        yield* process.run(Sessions.close(session.id))
        assert.strictEqual(yield* soon(Fiber.join(next)), "done")
      }))
      const after = yield* soon(Stream.runCollect(session.changes))
      assert.deepStrictEqual(after, [yield* session.state])
    }))

  it.effect("shows a slow reader the latest state and none of those in between", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const session = yield* process.run(create(project))
      yield* Effect.scoped(Effect.gen(function*() {
        const pull = yield* Stream.toPull(session.changes)
        yield* pull
        for (const content of ["one", "two", "three"]) yield* say(session, content)
        const [latest, ...others] = yield* pull
        assert.deepStrictEqual(latest, yield* session.state)
        assert.deepStrictEqual(others, [])
      }))
    }))

  it.effect("and state show only what is on disk", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const session = yield* process.run(create(project))
      const { hook, open, reached } = yield* gate(({ method }) => method === "file.sync")
      process.hook = hook
      const seen: Array<number> = []
      const reading = yield* Effect.forkChild(
        Stream.runForEach(session.changes, ({ conversation }) => Effect.sync(() => seen.push(conversation.length)))
      )
      const append = yield* Effect.forkChild(say(session, "hello"))
      yield* reached
      assert.deepStrictEqual(yield* contents(session), [])
      assert.deepStrictEqual(seen, [0])
      yield* open
      yield* Fiber.join(append)
      yield* process.run(Sessions.close(session.id))
      yield* soon(Fiber.join(reading))
      assert.deepStrictEqual(seen, [0, 1])
    }))

  it.effect("shows nothing of an event whose write failed", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const session = yield* process.run(create(project))
      const reading = yield* Effect.forkChild(Stream.runCollect(session.changes), { startImmediately: true })
      process.hook = diskFull
      assert.strictEqual(yield* failure(say(session, "lost")), "StoreError")
      process.hook = FileSystemHooks.none
      yield* say(session, "kept")
      yield* process.run(Sessions.close(session.id))
      const shown = yield* soon(Fiber.join(reading))
      assert.deepStrictEqual(
        shown.filter(({ conversation }) => conversation.some(({ content }) => content === "lost")),
        []
      )
      assert.deepStrictEqual(shown.at(-1), yield* session.state)
    }))
})

describe("Sessions.resumeScoped", () => {
  it.effect("closes the session, and so saves it, when the caller's scope closes", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const { id } = yield* process.run(create(project))
      yield* process.run(Sessions.close(id))
      const session = yield* Effect.scoped(Effect.tap(process.run(Sessions.resumeScoped(id)), (session) =>
        Effect.gen(function*() {
          yield* say(session, "hello")
          assert.deepStrictEqual(yield* process.run(running), [id])
        })))
      assert.deepStrictEqual(yield* process.run(running), [])
      assert.deepStrictEqual(yield* stored(process, id), { status: "closed", contents: ["hello"] })
      assert.strictEqual(yield* failure(say(session, "late")), "SessionEnded/Closed")
    }))

  it.effect("closes the session also when the caller fails, dies or is interrupted", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const { id } = yield* process.run(create(project))
      yield* process.run(Sessions.close(id))
      for (const end of [Effect.fail("refused"), Effect.die("broken"), Effect.interrupt]) {
        const exit = yield* Effect.exit(Effect.scoped(Effect.andThen(process.run(Sessions.resumeScoped(id)), end)))
        assert.isTrue(Exit.isFailure(exit))
        assert.strictEqual((yield* stored(process, id)).status, "closed")
      }
    }))

  it.effect("does nothing at the end of the scope when the session was closed before", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const { id } = yield* process.run(create(project))
      yield* process.run(Sessions.close(id))
      yield* Effect.scoped(Effect.andThen(process.run(Sessions.resumeScoped(id)), process.run(Sessions.close(id))))
      assert.strictEqual((yield* stored(process, id)).status, "closed")
    }))

  it.effect("leaves a session alone that somebody else resumed after it was closed", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const { id } = yield* process.run(create(project))
      yield* process.run(Sessions.close(id))
      const anew = yield* Effect.gen(function*() {
        yield* process.run(Sessions.resumeScoped(id))
        yield* process.run(Sessions.close(id))
        return yield* process.run(Sessions.resume(id))
      }).pipe(Effect.scoped)
      assert.deepStrictEqual(yield* process.run(running), [id])
      yield* say(anew, "still here")
    }))

  it.effect("lets the scope close when the session can't be saved, tells it, and the session stays resumable", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const other = yield* startProcess()
      const { id } = yield* process.run(create(project))
      yield* process.run(Sessions.close(id))
      const errors: Array<unknown> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === "Error") errors.push(message)
      })
      yield* Effect.gen(function*() {
        const session = yield* process.run(Sessions.resumeScoped(id))
        yield* say(session, "kept")
        process.hook = diskFull
      }).pipe(Effect.scoped, Effect.provide(Logger.layer([logger])))
      assert.strictEqual(errors.length, 1)
      assert.deepStrictEqual((yield* stored(other, id)).contents, ["kept"])
      yield* process.tearDown
      const session = yield* other.run(Sessions.resume(id, { takeOver: true }))
      assert.deepStrictEqual(yield* contents(session), ["kept"])
    }))
})

describe("the teardown of the layer", () => {
  it.effect("closes every running session, and so saves it", () =>
    Effect.gen(function*() {
      const { projects, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const observer = yield* startProcess()
      const sessions = yield* Effect.forEach(projects(5), (project) => process.run(create(project)))
      yield* Effect.forEach(sessions, (session) => say(session, session.id))
      yield* process.tearDown
      for (const session of sessions) {
        assert.deepStrictEqual(yield* stored(observer, session.id), { status: "closed", contents: [session.id] })
        assert.strictEqual(yield* failure(say(session, "late")), "SessionEnded/Closed")
      }
      assert.deepStrictEqual(yield* process.run(running), [])
    }))

  it.effect("saves the others when one can't be saved, which is given back as it is stored", () =>
    Effect.gen(function*() {
      const { projects, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const observer = yield* startProcess()
      const sessions = yield* Effect.forEach(projects(3), (project) => process.run(create(project)))
      yield* Effect.forEach(sessions, (session) => say(session, session.id))
      const [broken, ...others] = sessions
      if (broken === undefined) return assert.fail("no session")
      process.hook = (call) => (run) =>
        call.method === "rename" && call.path.includes(broken.id)
          ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO"))
          : run
      yield* process.tearDown
      for (const { id } of others) assert.strictEqual((yield* stored(observer, id)).status, "closed")
      assert.deepStrictEqual(yield* stored(observer, broken.id), { status: "interrupted", contents: [broken.id] })
      yield* observer.run(Sessions.resume(broken.id))
    }))

  it.effect("leaves nothing running and nothing held of a resume that is under way", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const other = yield* startProcess()
      const { id } = yield* process.run(create(project))
      yield* process.run(Sessions.close(id))
      const { hook, open, reached } = yield* gate(({ method }) => method === "link")
      process.hook = hook
      const resuming = yield* Effect.forkChild(process.run(Sessions.resume(id)))
      yield* reached
      const end = yield* Effect.forkChild(process.tearDown, { startImmediately: true })
      yield* open
      assert.isTrue(Exit.isFailure(yield* Fiber.await(resuming)))
      yield* soon(Fiber.join(end))
      assert.deepStrictEqual(yield* process.run(running), [])
      yield* other.run(Sessions.resume(id))
    }))

  it.effect("stops every agent", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess(
        Agent.layer((session) => Effect.onInterrupt(Effect.never, () => Effect.ignore(session.recordPrompt("bye"))))
      )
      const observer = yield* startProcess()
      const { awaitExit, id } = yield* process.run(create(project))
      yield* process.tearDown
      assert.isTrue(Exit.isFailure(yield* soon(awaitExit)))
      assert.deepStrictEqual((yield* observer.run(Sessions.load(id))).state.promptHistory, ["bye"])
    }))
})

describe("a session that was taken over from a living process", () => {
  /** A session that ran in `former` with an agent, and was taken over by `holder`. */
  const takenOver = Effect.gen(function*() {
    const { project, startProcess } = yield* makeWorld()
    const former = yield* startProcess(Agent.layer(() => Effect.never))
    const holder = yield* startProcess()
    const lost = yield* former.run(create(project))
    yield* say(lost, "before")
    const session = yield* holder.run(Sessions.resume(lost.id, { takeOver: true }))
    return { former, holder, lost, session }
  })

  it.effect("ends in the former process with its next event, and the error names the new holder", () =>
    Effect.gen(function*() {
      const { former, holder, lost, session } = yield* takenOver
      assert.deepStrictEqual(yield* session.state, yield* lost.state)
      const reading = yield* Effect.forkChild(Stream.runDrain(lost.changes), { startImmediately: true })
      const ended = yield* Effect.flip(say(lost, "late"))
      if (ended._tag !== "SessionEnded" || ended.reason._tag !== "LeaseLost") return assert.fail(reasonOf(ended))
      assert.strictEqual(ended.reason.holder?.pid, holder.pid)
      yield* soon(Fiber.join(reading))
      const agent = yield* soon(lost.awaitExit)
      assert.isTrue(Exit.isFailure(agent))
      yield* soon(Effect.repeat(former.run(running), { until: (ids) => ids.length === 0 }))
      assert.strictEqual(yield* failure(say(lost, "later")), "SessionEnded/LeaseLost")
      assert.strictEqual(yield* failure(former.run(Sessions.close(lost.id))), "SessionEnded/NotRunning")
      assert.deepStrictEqual(yield* contents(lost), ["before"])
    }))

  it.effect("keeps nothing that the former process tried, and everything that the new one does", () =>
    Effect.gen(function*() {
      const { former, holder, lost, session } = yield* takenOver
      yield* say(session, "one")
      assert.strictEqual(yield* failure(say(lost, "late")), "SessionEnded/LeaseLost")
      yield* say(session, "two")
      yield* former.tearDown
      yield* say(session, "three")
      assert.deepStrictEqual(yield* stored(holder, session.id), {
        status: "running",
        contents: ["before", "one", "two", "three"]
      })
      yield* holder.run(Sessions.close(session.id))
      assert.deepStrictEqual(yield* stored(holder, session.id), {
        status: "closed",
        contents: ["before", "one", "two", "three"]
      })
    }))

  const operations = [
    { name: "closed", operation: Sessions.close },
    { name: "checkpointed", operation: Sessions.checkpoint }
  ]
  for (const { name, operation } of operations) {
    it.effect(`can be ${name} by the former process no more`, () =>
      Effect.gen(function*() {
        const { former, holder, lost, session } = yield* takenOver
        yield* say(session, "after")
        assert.strictEqual(yield* failure(former.run(operation(lost.id))), "SessionEnded/LeaseLost")
        yield* soon(Effect.repeat(former.run(running), { until: (ids) => ids.length === 0 }))
        assert.deepStrictEqual(yield* stored(holder, lost.id), { status: "running", contents: ["before", "after"] })
        yield* say(session, "on")
      }))
  }

  it.effect("is not saved by the teardown of a former process that noticed nothing", () =>
    Effect.gen(function*() {
      const { former, holder, lost, session } = yield* takenOver
      yield* say(session, "after")
      yield* former.tearDown
      assert.deepStrictEqual(yield* stored(holder, lost.id), { status: "running", contents: ["before", "after"] })
      yield* say(session, "on")
    }))

  it.effect("can be taken back, and the other one is the former process then", () =>
    Effect.gen(function*() {
      const { former, lost, session } = yield* takenOver
      assert.strictEqual(yield* failure(say(lost, "late")), "SessionEnded/LeaseLost")
      yield* soon(Effect.repeat(former.run(running), { until: (ids) => ids.length === 0 }))
      yield* say(session, "there")
      const back = yield* former.run(Sessions.resume(lost.id, { takeOver: true }))
      assert.deepStrictEqual(yield* contents(back), ["before", "there"])
      assert.strictEqual(yield* failure(say(session, "late")), "SessionEnded/LeaseLost")
      yield* say(back, "here")
    }))
})

describe("Supervisor.discard", () => {
  it.effect("gives a session back as it is stored, and does nothing to one that does not run", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess()
      const other = yield* startProcess()
      const session = yield* process.run(create(project))
      yield* say(session, "kept")
      const discard = process.run(Supervisor.Supervisor.use(({ discard }) => discard(session.id)))
      yield* discard
      yield* discard
      assert.deepStrictEqual(yield* process.run(running), [])
      assert.strictEqual(yield* failure(say(session, "late")), "SessionEnded/NotRunning")
      assert.deepStrictEqual(yield* stored(other, session.id), { status: "interrupted", contents: ["kept"] })
      yield* other.run(Sessions.resume(session.id))
    }))
})
