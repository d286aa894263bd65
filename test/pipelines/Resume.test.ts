import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, FileSystem, Layer, Option, Path, Result, Scope } from "effect"
import {
  RestoreStep,
  type RunningSession,
  Session,
  type SessionError,
  SessionId,
  Sessions,
  SessionStore,
  Signer,
  Supervisor,
  Timestamp
} from "effect-reprise"
import { FileSystemHooks, TestLiveness, TestSessions } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Journal from "../../src/core/Journal.ts"
import * as Snapshot from "../../src/core/Snapshot.ts"
import { signed } from "../../src/services/Signer.ts"
import * as Rig from "../suites/rig.ts"

type Services = Layer.Success<ReturnType<typeof Rig.layer>>

/** One process of a machine. */
interface Process {
  readonly run: <A, E, R extends Services | Scope.Scope>(
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, Exclude<R, Services>>
  /** Sees every call to the file system while it is set. */
  hook: FileSystemHooks.Hook
  readonly kill: Effect.Effect<void>
  readonly hide: Effect.Effect<void>
  readonly pid: number
}

/** A temporary directory, and a machine whose processes keep their sessions in it. */
const makeWorld = Effect.fnUntraced(function*(options: Omit<Rig.RigOptions, "sessions" | "hook" | "liveness"> = {}) {
  const space = yield* Rig.workspace
  const machine = TestLiveness.machine()
  const scope = yield* Effect.scope

  const startProcess = Effect.gen(function*() {
    const { layer: liveness, pid } = machine.process()
    const hook: FileSystemHooks.Hook = (call) => (run) => Effect.suspend(() => process.hook(call)(run))
    const layer = Layer.fresh(Rig.layer({ ...options, sessions: space.sessions, hook, liveness }))
    const context = yield* Scope.provide(Layer.build(layer), scope)
    const process: Process = {
      run: (effect) => Effect.provide(effect, context),
      hook: FileSystemHooks.none,
      kill: Effect.sync(() => machine.kill(pid)),
      hide: Effect.sync(() => machine.hide(pid)),
      pid
    }
    return process
  })
  return { ...space, startProcess }
})

const running = Supervisor.Supervisor.use(({ running }) => running)

const reasonOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

/** Something of everything a session holds. */
const fill = Effect.fnUntraced(function*(session: RunningSession) {
  yield* session.append({ role: "user", content: "how are you, Grüße 🦊" })
  yield* session.append({
    role: "assistant",
    content: [{ type: "tool-call", id: "1", name: "read", params: { path: "a" }, providerOptions: { cache: true } }],
    usage: { inputTokens: 12, outputTokens: 3, totalCost: 0.25 },
    source: { further: "member" }
  })
  yield* session.replaceTodos([{ content: "one", status: "in_progress", activeForm: "doing one" }])
  yield* session.recordPrompt("how are you")
  yield* session.configure({ ...Rig.config, temperature: 1, topP: 0.5 })
  yield* session.annotate({ origin: "test" })
  yield* session.rename("filled")
})

/** A closed session with something of everything. */
const createClosed = Effect.fnUntraced(function*(project: string) {
  const session = yield* Sessions.create({ project, config: Rig.config })
  yield* fill(session)
  const state = yield* session.state
  yield* Sessions.close(session.id)
  return { id: session.id, state }
})

/** Every name and every byte below a directory. */
const everything = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = yield* fs.readDirectory(directory)
  return yield* Effect.forEach(
    names.toSorted(),
    (name) => Effect.map(fs.readFileString(path.join(directory, name)), (text) => ({ name, text }))
  )
}, Effect.provide(Rig.layerPlatform))

/** What must not change when a resume fails: everything but the leases. */
const content = (directory: string) =>
  Effect.map(everything(directory), (files) => files.filter(({ name }) => !name.startsWith("lease.")))

describe("Sessions.resume", () => {
  it.effect("runs a closed session in the state that was stored", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const first = yield* startProcess
      const { id, state } = yield* first.run(createClosed(project))
      const second = yield* startProcess
      const loaded = yield* second.run(Sessions.load(id))
      const session = yield* second.run(Sessions.resume(id))
      assert.deepStrictEqual(yield* session.state, state)
      assert.deepStrictEqual(yield* session.state, loaded.state)
      assert.deepStrictEqual((yield* second.run(running)).map(({ id }) => id), [id])
      assert.strictEqual((yield* first.run(Sessions.load(id))).report.status, "running")
    }))

  it.effect("runs an interrupted session with everything that was acknowledged", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const first = yield* startProcess
      const { id } = yield* first.run(createClosed(project))
      const interrupted = yield* first.run(Sessions.resume(id))
      yield* fill(interrupted)
      yield* interrupted.checkpoint
      yield* fill(interrupted)
      yield* first.kill
      const second = yield* startProcess
      const loaded = yield* second.run(Sessions.load(id))
      assert.strictEqual(loaded.report.status, "interrupted")
      const session = yield* second.run(Sessions.resume(id))
      assert.deepStrictEqual(yield* session.state, yield* interrupted.state)
      assert.deepStrictEqual(yield* session.state, loaded.state)
    }))

  it.effect("goes on where the session was: later events follow the restored ones", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const { id, state } = yield* run(createClosed(project))
      const session = yield* run(Sessions.resume(id))
      const message = yield* session.append({
        role: "user",
        content: "and then",
        usage: { inputTokens: 1, outputTokens: 1, totalCost: 0 }
      })
      const after = yield* session.state
      assert.deepStrictEqual(after.conversation, [...state.conversation, message])
      assert.strictEqual(after.revision, state.revision + 1)
      assert.deepStrictEqual(after.usage, { inputTokens: 13, outputTokens: 4, totalCost: 0.25 })
      yield* run(Sessions.close(id))
      assert.deepStrictEqual((yield* run(Sessions.load(id))).state, after)
    }))

  it.effect("survives one crash after another without an event in between", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const first = yield* startProcess
      const created = yield* first.run(Sessions.create({ project, config: Rig.config }))
      yield* fill(created)
      yield* first.kill
      const state = yield* created.state
      for (let crash = 0; crash < 3; crash++) {
        const next = yield* startProcess
        const session = yield* next.run(Sessions.resume(created.id))
        assert.deepStrictEqual(yield* session.state, state)
        yield* next.kill
        const observer = yield* startProcess
        const loaded = yield* observer.run(Sessions.load(created.id))
        assert.strictEqual(loaded.report.status, "interrupted")
        assert.deepStrictEqual(loaded.state, state)
      }
    }))

  it.effect("restores 1,000 messages in their order", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const created = yield* run(Sessions.create({ project, config: Rig.config }))
      const contents = Array.from({ length: 1000 }, (_, index) => `message ${index}`)
      yield* Effect.forEach(contents, (content) => created.append({ role: "user", content }), {
        concurrency: "unbounded",
        discard: true
      })
      yield* run(Sessions.close(created.id))
      const steps: Array<number> = []
      const session = yield* run(Sessions.resume(created.id)).pipe(
        Effect.provideService(
          RestoreStep.RestoreStep,
          Option.some(({ index, step }) => Effect.sync(() => step === "message" && steps.push(index)))
        )
      )
      const { conversation } = yield* session.state
      assert.deepStrictEqual(conversation.map(({ content }) => content), contents)
      assert.deepStrictEqual(steps, contents.map((_, index) => index))
    }))

  it.effect("resumes, crashes and resumes again a session whose files are about as large as they may be", () =>
    Effect.gen(function*() {
      const maxBytes = 40_000
      const largest: Array<number> = []
      for (const room of [0, 100, 300, 500, 600]) {
        const { project, startProcess } = yield* makeWorld({ limits: { maxBytes, checkpointBytes: maxBytes } })
        const first = yield* startProcess
        const created = yield* first.run(Sessions.create({ project, config: Rig.config }))
        const { id } = created
        yield* Effect.forEach(Array.from({ length: 150 }), () => created.recordPrompt("x"), {
          concurrency: "unbounded",
          discard: true
        })
        const verify = first.run(Sessions.verify(id))
        const before = (yield* verify).bytes
        yield* created.recordPrompt("x")
        const line = (yield* verify).bytes - before
        yield* created.recordPrompt("x".repeat(maxBytes - room - before - 2 * line + 1))
        const { bytes, events } = yield* verify
        assert.isAtMost(bytes, maxBytes)
        if (events > 150) largest.push(bytes)
        yield* first.kill
        const state = yield* created.state
        for (let crash = 0; crash < 12; crash++) {
          const next = yield* startProcess
          const session = yield* next.run(Sessions.resume(id))
          assert.deepStrictEqual(yield* session.state, state)
          yield* next.kill
        }
      }
      // Some were not checkpointed before: what is resumed is a long journal.
      assert.isAbove(Math.max(...largest), maxBytes - 700)
    }))

  it.effect("takes what another process stored between its load and its claim", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const slow = yield* startProcess
      const fast = yield* startProcess
      const { id } = yield* slow.run(createClosed(project))
      slow.hook = (call) => (run) => {
        if (call.method !== "realPath") return run
        slow.hook = FileSystemHooks.none
        const meanwhile = Effect.gen(function*() {
          const session = yield* fast.run(Sessions.resume(id))
          yield* session.recordPrompt("meanwhile")
          yield* fast.run(Sessions.close(id))
        })
        return Effect.andThen(Effect.orDie(meanwhile), run)
      }
      const session = yield* slow.run(Sessions.resume(id))
      const { promptHistory } = yield* session.state
      assert.deepStrictEqual(promptHistory, ["how are you", "meanwhile"])
      yield* session.recordPrompt("later")
      yield* slow.run(Sessions.close(id))
      assert.deepStrictEqual((yield* fast.run(Sessions.load(id))).state.promptHistory, [
        "how are you",
        "meanwhile",
        "later"
      ])
    }))

  it.effect("works on a store without a disk, and leaves nothing there when it fails", () =>
    Effect.gen(function*() {
      const { id, state } = yield* createClosed("/anywhere")
      const failure = yield* Effect.flip(Sessions.resume(id)).pipe(
        Effect.provideService(RestoreStep.RestoreStep, Option.some(() => Effect.fail("refused")))
      )
      assert.strictEqual(reasonOf(failure), "RestoreFailed/StepFailed")
      assert.deepStrictEqual(yield* running, [])
      assert.strictEqual((yield* Sessions.load(id)).report.status, "closed")
      const session = yield* Sessions.resume(id)
      assert.deepStrictEqual(yield* session.state, state)
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))

  it.effect("knows no session that was never stored, nor one that is in the trash", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const unknown = SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
      assert.strictEqual(reasonOf(yield* Effect.flip(run(Sessions.resume(unknown)))), "NotFound")
      const { id } = yield* run(createClosed(project))
      yield* run(Sessions.remove(id))
      assert.strictEqual(reasonOf(yield* Effect.flip(run(Sessions.resume(id)))), "NotFound")
      assert.deepStrictEqual(yield* run(running), [])
      yield* run(Sessions.restore(id))
      yield* run(Sessions.resume(id))
    }))
})

describe("a resume of a session that runs", () => {
  it.effect("has one winner of twenty at once in one process", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const { id } = yield* run(createClosed(project))
      const results = yield* Effect.forEach(
        Array.from({ length: 20 }),
        () => Effect.result(run(Sessions.resume(id))),
        { concurrency: "unbounded" }
      )
      assert.strictEqual(results.filter(Result.isSuccess).length, 1)
      const losers = results.filter(Result.isFailure).map(({ failure }) => reasonOf(failure))
      assert.deepStrictEqual(losers, Array.from({ length: 19 }, () => "RestoreFailed/AlreadyRunning"))
      assert.strictEqual((yield* run(running)).length, 1)
    }))

  it.effect("has one winner of twenty at once in as many processes, and the others learn who it is", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const { id } = yield* (yield* startProcess).run(createClosed(project))
      const processes = yield* Effect.all(Array.from({ length: 20 }, () => startProcess))
      const results = yield* Effect.forEach(
        processes,
        ({ pid, run }) => Effect.map(Effect.result(run(Sessions.resume(id))), (result) => ({ pid, result })),
        { concurrency: "unbounded" }
      )
      const winners = results.filter(({ result }) => Result.isSuccess(result)).map(({ pid }) => pid)
      assert.strictEqual(winners.length, 1)
      for (const { result } of results) {
        if (Result.isSuccess(result)) continue
        const { failure } = result
        if (failure._tag !== "RestoreFailed" || failure.reason._tag !== "AlreadyRunning") {
          return assert.fail(reasonOf(failure))
        }
        assert.strictEqual(failure.reason.liveness, "alive")
        assert.strictEqual(failure.reason.holder?.pid, winners[0])
      }
    }))

  it.effect("fails before anything is spent: no attempt, no look at the disk", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const process = yield* startProcess
      const { id } = yield* process.run(createClosed(project))
      const session = yield* process.run(Sessions.resume(id))
      const calls: Array<FileSystemHooks.Call> = []
      process.hook = FileSystemHooks.recordInto(calls)
      assert.strictEqual(
        reasonOf(yield* Effect.flip(process.run(Sessions.resume(id)))),
        "RestoreFailed/AlreadyRunning"
      )
      assert.deepStrictEqual(calls, [])
      yield* session.append({ role: "user", content: "undisturbed" })
    }))

  it.effect("is refused where nobody can tell whether the holder lives, unless it takes over", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const hidden = yield* startProcess
      const session = yield* hidden.run(Sessions.create({ project, config: Rig.config }))
      yield* session.recordPrompt("out of sight")
      yield* hidden.hide
      const { run } = yield* startProcess
      assert.strictEqual((yield* run(Sessions.load(session.id))).report.status, "elsewhere")
      const failure = yield* Effect.flip(run(Sessions.resume(session.id)))
      if (failure._tag !== "RestoreFailed" || failure.reason._tag !== "AlreadyRunning") {
        return assert.fail(reasonOf(failure))
      }
      assert.strictEqual(failure.reason.liveness, "unknown")
      assert.strictEqual(failure.reason.holder?.pid, hidden.pid)
      assert.deepStrictEqual(yield* run(running), [])
      const resumed = yield* run(Sessions.resume(session.id, { takeOver: true }))
      assert.deepStrictEqual(yield* resumed.state, yield* session.state)
    }))
})

describe("limits on what runs", () => {
  it.effect("refuses the eleventh session, created or resumed, until one is closed", () =>
    Effect.gen(function*() {
      const { root, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const projects = Array.from({ length: 12 }, (_, index) => `${root}/project-${index}`)
      for (const project of projects) NodeFs.mkdirSync(project)
      const [eleventh = "", stored = "", ...others] = projects
      const { id } = yield* run(createClosed(stored))
      const sessions = yield* Effect.forEach(others, (project) => run(Sessions.create({ project, config: Rig.config })))
      assert.strictEqual(sessions.length, 10)

      const created = yield* Effect.flip(run(Sessions.create({ project: eleventh, config: Rig.config })))
      const resumed = yield* Effect.flip(run(Sessions.resume(id)))
      for (const failure of [created, resumed]) {
        assert.include(["CreateFailed/TooManyRunning", "RestoreFailed/TooManyRunning"], reasonOf(failure))
        assert.deepInclude("reason" in failure ? failure.reason : {}, { running: 10, limit: 10 })
      }
      assert.strictEqual((yield* run(running)).length, 10)
      assert.strictEqual((yield* run(Sessions.load(id))).report.status, "closed")

      const [first] = sessions
      if (first !== undefined) yield* run(Sessions.close(first.id))
      yield* run(Sessions.resume(id))
      assert.strictEqual((yield* run(running)).length, 10)
    }))

  it.effect("takes the number of running sessions from SessionLimits", () =>
    Effect.gen(function*() {
      const { project, root, startProcess } = yield* makeWorld({ limits: { maxRunning: 1 } })
      const { run } = yield* startProcess
      const { id } = yield* run(createClosed(root))
      yield* run(Sessions.create({ project, config: Rig.config }))
      assert.strictEqual(reasonOf(yield* Effect.flip(run(Sessions.resume(id)))), "RestoreFailed/TooManyRunning")
    }))

  it.effect("gives the place of a resume that failed to the next", () =>
    Effect.gen(function*() {
      const { project, root, startProcess } = yield* makeWorld({ limits: { maxRunning: 1 } })
      const { run } = yield* startProcess
      const one = yield* run(createClosed(project))
      const other = yield* run(createClosed(root))
      yield* Effect.flip(run(Sessions.resume(one.id))).pipe(
        Effect.provideService(RestoreStep.RestoreStep, Option.some(() => Effect.fail("refused")))
      )
      yield* run(Sessions.resume(other.id))
    }))

  it.effect("refuses a second session in a project directory, created or resumed, also by another path to it", () =>
    Effect.gen(function*() {
      const { project, root, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const link = `${root}/link`
      const moved = `${root}/moved`
      NodeFs.symlinkSync(project, link)
      NodeFs.mkdirSync(moved)
      const same = yield* run(createClosed(project))
      const linked = yield* run(createClosed(moved))
      NodeFs.rmdirSync(moved)
      NodeFs.symlinkSync(project, moved)
      const first = yield* run(Sessions.create({ project, config: Rig.config }))
      const failures = [
        yield* Effect.flip(run(Sessions.create({ project, config: Rig.config }))),
        yield* Effect.flip(run(Sessions.create({ project: link, config: Rig.config }))),
        yield* Effect.flip(run(Sessions.resume(same.id))),
        yield* Effect.flip(run(Sessions.resume(linked.id)))
      ]
      assert.deepStrictEqual(failures.map(reasonOf), [
        "CreateFailed/ProjectAlreadyOpen",
        "CreateFailed/ProjectAlreadyOpen",
        "RestoreFailed/ProjectAlreadyOpen",
        "RestoreFailed/ProjectAlreadyOpen"
      ])
      for (const failure of failures) assert.deepInclude("reason" in failure ? failure.reason : {}, { id: first.id })
      assert.deepStrictEqual((yield* run(running)).map(({ id }) => id), [first.id])
      yield* run(Sessions.close(first.id))
      yield* run(Sessions.resume(same.id))
    }))

  it.effect("lets one of several sessions of a project win when they are resumed at once", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const stored = yield* Effect.all(Array.from({ length: 5 }, () => run(createClosed(project))))
      const results = yield* Effect.forEach(stored, ({ id }) => Effect.result(run(Sessions.resume(id))), {
        concurrency: "unbounded"
      })
      assert.strictEqual(results.filter(Result.isSuccess).length, 1)
      assert.deepStrictEqual(
        results.filter(Result.isFailure).map(({ failure }) => reasonOf(failure)),
        Array.from({ length: 4 }, () => "RestoreFailed/ProjectAlreadyOpen")
      )
      assert.strictEqual((yield* run(running)).length, 1)
    }))
})

describe("the project directory of a resume", () => {
  /** Ways in which the directory can be spoilt before the resume looks at it, and how to mend it. */
  const spoilt: ReadonlyArray<{
    readonly name: string
    readonly reason: string
    readonly spoil: (project: string) => void
    readonly mend: (project: string) => void
  }> = [
    {
      name: "does not exist",
      reason: "ProjectMissing",
      spoil: NodeFs.rmdirSync,
      mend: NodeFs.mkdirSync
    },
    {
      name: "is a file",
      reason: "ProjectNotDirectory",
      spoil: (project) => {
        NodeFs.rmdirSync(project)
        NodeFs.writeFileSync(project, "")
      },
      mend: (project) => {
        NodeFs.rmSync(project)
        NodeFs.mkdirSync(project)
      }
    },
    {
      name: "is a link to nowhere",
      reason: "ProjectMissing",
      spoil: (project) => {
        NodeFs.rmdirSync(project)
        NodeFs.symlinkSync(`${project}-nowhere`, project)
      },
      mend: (project) => {
        NodeFs.unlinkSync(project)
        NodeFs.mkdirSync(project)
      }
    },
    {
      name: "is a link to itself",
      reason: "ProjectNotDirectory",
      spoil: (project) => {
        NodeFs.rmdirSync(project)
        NodeFs.symlinkSync(project, project)
      },
      mend: (project) => {
        NodeFs.unlinkSync(project)
        NodeFs.mkdirSync(project)
      }
    }
  ]
  for (const { mend, name, reason, spoil } of spoilt) {
    it.effect(`is refused as ${reason} when it ${name}, and nothing is claimed`, () =>
      Effect.gen(function*() {
        const { project, sessions, startProcess } = yield* makeWorld()
        const { run } = yield* startProcess
        const { id, state } = yield* run(createClosed(project))
        const before = yield* everything(`${sessions}/${id}`)
        spoil(project)
        const failure = yield* Effect.flip(run(Sessions.resume(id)))
        assert.strictEqual(reasonOf(failure), `RestoreFailed/${reason}`)
        assert.deepInclude("reason" in failure ? failure.reason : {}, { path: project })
        assert.deepStrictEqual(yield* run(running), [])
        assert.deepStrictEqual(yield* everything(`${sessions}/${id}`), before)
        mend(project)
        const session = yield* run(Sessions.resume(id))
        assert.deepStrictEqual(yield* session.state, state)
      }))
  }

  it.effect("is refused as ProjectForbidden when it can't be read, and nothing is claimed", () =>
    Effect.gen(function*() {
      const { project, sessions, startProcess } = yield* makeWorld()
      const process = yield* startProcess
      const { id } = yield* process.run(createClosed(project))
      const before = yield* everything(`${sessions}/${id}`)
      process.hook = (call) => (run) =>
        call.method === "access" && call.path === project
          ? Effect.fail(FileSystemHooks.systemError(call, "PermissionDenied", "EACCES"))
          : run
      const failure = yield* Effect.flip(process.run(Sessions.resume(id)))
      assert.strictEqual(reasonOf(failure), "RestoreFailed/ProjectForbidden")
      assert.deepStrictEqual(yield* process.run(running), [])
      assert.deepStrictEqual(yield* everything(`${sessions}/${id}`), before)
    }))

  it.effect("is refused as InvalidSession when it was signed as a relative path, and nothing is claimed", () =>
    Effect.gen(function*() {
      const { sessions, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const at = Timestamp.Timestamp.make("2026-01-31T09:30:00.000Z")
      const state = Session.empty({
        id: SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10"),
        name: "relative",
        projectPath: "../project",
        config: Rig.config,
        createdAt: at,
        updatedAt: at,
        metadata: {}
      })
      const { id } = state.session
      yield* Effect.gen(function*() {
        const keyRing = yield* Signer.Signer
        const epoch = SessionStore.firstEpoch
        const { bytes, signature } = yield* signed(Snapshot.encode(keyRing, state, [], { epoch, closedAt: at }))
        const writer = yield* signed(Journal.writer(keyRing, { id, epoch, part: 0, snapshot: signature, revision: 0 }))
        const claim = yield* SessionStore.SessionStore.use(({ create }) => create(id, bytes, writer.firstLine))
        yield* claim.close(bytes)
      }).pipe(Effect.scoped, run)
      assert.deepStrictEqual((yield* run(Sessions.load(id))).state, state)
      const before = yield* everything(`${sessions}/${id}`)
      const failure = yield* Effect.flip(run(Sessions.resume(id)))
      assert.strictEqual(reasonOf(failure), "RestoreFailed/InvalidSession")
      assert.deepStrictEqual(yield* run(running), [])
      assert.deepStrictEqual(yield* everything(`${sessions}/${id}`), before)
    }))

  /** What can happen to the directory between check and use. */
  const meanwhile: ReadonlyArray<{
    readonly name: string
    readonly reason: string
    readonly change: (project: string) => void
  }> = [
    {
      name: "replaced by another directory",
      reason: "ProjectChanged",
      change: (project) => {
        NodeFs.renameSync(project, `${project}-before`)
        NodeFs.mkdirSync(project)
      }
    },
    {
      name: "replaced by a link to another directory",
      reason: "ProjectChanged",
      change: (project) => {
        NodeFs.renameSync(project, `${project}-before`)
        NodeFs.mkdirSync(`${project}-other`)
        NodeFs.symlinkSync(`${project}-other`, project)
      }
    },
    {
      name: "opened to everybody",
      reason: "ProjectChanged",
      change: (project) => NodeFs.chmodSync(project, 0o777)
    },
    { name: "removed", reason: "ProjectMissing", change: NodeFs.rmdirSync },
    {
      name: "replaced by a file",
      reason: "ProjectNotDirectory",
      change: (project) => {
        NodeFs.rmdirSync(project)
        NodeFs.writeFileSync(project, "")
      }
    }
  ]
  for (const { change, name, reason } of meanwhile) {
    it.effect(`is refused as ${reason} when it was ${name} between check and use, and all is given back`, () =>
      Effect.gen(function*() {
        const { project, sessions, startProcess } = yield* makeWorld()
        const process = yield* startProcess
        const other = yield* startProcess
        const { id } = yield* process.run(createClosed(project))
        const before = yield* content(`${sessions}/${id}`)
        process.hook = (call) => (run) => {
          if (call.method !== "link") return run
          process.hook = FileSystemHooks.none
          return Effect.tap(run, Effect.sync(() => change(project)))
        }
        const failure = yield* Effect.flip(process.run(Sessions.resume(id)))
        assert.strictEqual(reasonOf(failure), `RestoreFailed/${reason}`)
        assert.deepStrictEqual(yield* process.run(running), [])
        assert.deepStrictEqual(yield* content(`${sessions}/${id}`), before)
        assert.strictEqual((yield* other.run(Sessions.load(id))).report.status, "closed")
      }))
  }
})

describe("a resume of a session that can't be loaded", () => {
  const flip = (file: string) => {
    const bytes = NodeFs.readFileSync(file)
    const at = bytes.indexOf("Grüße")
    bytes[at] = (bytes[at] ?? 0) ^ 1
    NodeFs.writeFileSync(file, bytes)
  }

  it.effect("fails as its load does, and claims nothing", () =>
    Effect.gen(function*() {
      const { project, sessions, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const { id } = yield* run(createClosed(project))
      const directory = `${sessions}/${id}`
      flip(`${directory}/session.json`)
      const before = yield* everything(directory)
      const failure = yield* Effect.flip(run(Sessions.resume(id)))
      assert.strictEqual(reasonOf(failure), "InvalidJson/BadSignature")
      assert.deepStrictEqual(failure, yield* Effect.flip(run(Sessions.load(id))))
      assert.deepStrictEqual(yield* run(running), [])
      assert.deepStrictEqual(yield* everything(directory), before)
    }))

  it.effect("gives it back when it went bad between load and claim", () =>
    Effect.gen(function*() {
      const { project, sessions, startProcess } = yield* makeWorld()
      const process = yield* startProcess
      const other = yield* startProcess
      const { id, state } = yield* process.run(createClosed(project))
      const file = `${sessions}/${id}/session.json`
      const good = NodeFs.readFileSync(file)
      process.hook = (call) => (run) => {
        if (call.method !== "link") return run
        process.hook = FileSystemHooks.none
        return Effect.tap(run, Effect.sync(() => flip(file)))
      }
      assert.strictEqual(
        reasonOf(yield* Effect.flip(process.run(Sessions.resume(id)))),
        "InvalidJson/BadSignature"
      )
      assert.deepStrictEqual(yield* process.run(running), [])
      NodeFs.writeFileSync(file, good)
      const session = yield* other.run(Sessions.resume(id))
      assert.deepStrictEqual(yield* session.state, state)
    }))
})

describe("a resume that fails inside a scope of the caller", () => {
  it.effect("leaves nothing running and nothing held while that scope is still open", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const other = yield* startProcess
      const { id, state } = yield* run(createClosed(project))
      const over = yield* Deferred.make<void>()
      yield* Effect.gen(function*() {
        yield* Effect.addFinalizer(() => Deferred.succeed(over, undefined))
        const caught = yield* run(Sessions.resumeScoped(id)).pipe(
          Effect.provideService(
            RestoreStep.RestoreStep,
            Option.some(({ step }) => step === "todos" ? Effect.fail("refused") : Effect.void)
          ),
          Effect.as("resumed"),
          Effect.catchTag("RestoreFailed", ({ reason }) => Effect.succeed(reason._tag))
        )
        assert.strictEqual(caught, "StepFailed")
        assert.deepStrictEqual(yield* run(running), [])
        const session = yield* other.run(Sessions.resume(id))
        assert.deepStrictEqual(yield* session.state, state)
        yield* session.append({ role: "user", content: "elsewhere" })
        yield* other.run(Sessions.close(id))
        const again = yield* run(Sessions.resumeScoped(id))
        assert.strictEqual((yield* again.state).conversation.length, state.conversation.length + 1)
        assert.isFalse(yield* Deferred.isDone(over))
      }).pipe(Effect.scoped)
      assert.isTrue(yield* Deferred.isDone(over))
    }))
})
