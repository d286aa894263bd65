import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, type Scope } from "effect"
import { type SessionError, SessionId, Sessions, SessionStore, Supervisor } from "effect-reprise"
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
  readonly kill: Effect.Effect<void>
}

/** A machine whose processes keep their sessions in one directory. */
const makeWorld = Effect.fnUntraced(function*(limits: Rig.RigOptions["limits"] = {}) {
  const { project, sessions } = yield* Rig.workspace
  const machine = TestLiveness.machine()
  const startProcess = Effect.gen(function*() {
    const { layer: liveness, pid } = machine.process()
    const hook: FileSystemHooks.Hook = (call) => (run) => Effect.suspend(() => process.hook(call)(run))
    const context = yield* Layer.build(Layer.fresh(Rig.layer({ sessions, hook, liveness, limits })))
    const process: Process = {
      run: (effect) => Effect.provide(effect, context),
      hook: FileSystemHooks.none,
      kill: Effect.sync(() => machine.kill(pid))
    }
    return process
  })

  /** A session at rest in the status, and a process that could take it. */
  const makeSession = Effect.fnUntraced(function*(status: "closed" | "interrupted") {
    const first = yield* startProcess
    const session = yield* first.run(Sessions.create({ project, name: "before", config: Rig.config }))
    yield* session.append({ role: "user", content: "one" })
    yield* first.run(Sessions.close(session.id))
    if (status === "interrupted") {
      const resumed = yield* first.run(Sessions.resume(session.id))
      yield* resumed.append({ role: "user", content: "two" })
      yield* first.kill
    }
    const process = yield* startProcess
    return { process, id: session.id, directory: `${sessions}/${session.id}` }
  })
  return { project, sessions, startProcess, makeSession }
})

const reasonOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

const failure = <A, E extends SessionError.SessionError, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), reasonOf)

/** Snapshot and journals, byte for byte. */
const content = (directory: string) =>
  NodeFs.readdirSync(directory).filter((name) => /^(?:session\.json|journal\.)/.test(name)).toSorted().map((name) =>
    `${name} ${NodeFs.readFileSync(`${directory}/${name}`, "base64")}`
  )

describe("Sessions.rename", () => {
  it.effect("renames a running session through its handle, and it goes on", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const { run } = yield* startProcess
      const session = yield* run(Sessions.create({ project, name: "before", config: Rig.config }))
      yield* run(Sessions.rename(session.id, "after"))
      assert.strictEqual((yield* session.state).session.name, "after")
      yield* session.append({ role: "user", content: "goes on" })
      const { report, state } = yield* run(Sessions.load(session.id))
      assert.strictEqual(report.status, "running")
      assert.strictEqual(state.session.name, "after")
      assert.deepStrictEqual(state, yield* session.state)
    }))

  for (const status of ["closed", "interrupted"] as const) {
    it.effect(`renames a session that is ${status}, which stays so, with everything else that it holds`, () =>
      Effect.gen(function*() {
        const { makeSession } = yield* makeWorld()
        const { id, process: { run } } = yield* makeSession(status)
        const before = yield* run(Sessions.load(id))
        assert.strictEqual(before.report.status, status)
        yield* TestClock.adjust("1 hour")
        yield* run(Sessions.rename(id, "after"))
        const after = yield* run(Sessions.load(id))
        assert.strictEqual(after.report.status, status)
        assert.deepStrictEqual(after.report.closedAt, status === "closed" ? before.report.closedAt : Option.none())
        assert.deepStrictEqual(after.state, {
          ...before.state,
          revision: before.state.revision + 1,
          session: { ...before.state.session, name: "after", updatedAt: after.state.session.updatedAt }
        })
        assert.strictEqual(after.state.session.updatedAt, "1970-01-01T01:00:00.000Z")
        assert.deepStrictEqual(yield* run(Supervisor.Supervisor.use(({ running }) => running)), [])
        const session = yield* run(Sessions.resume(id))
        assert.deepStrictEqual(yield* session.state, after.state)
      }))

    it.effect(`renames a session that is ${status} as often as it is called`, () =>
      Effect.gen(function*() {
        const { makeSession } = yield* makeWorld()
        const { id, process: { run } } = yield* makeSession(status)
        for (const name of ["one", "two", "two"]) yield* run(Sessions.rename(id, name))
        const { report, state } = yield* run(Sessions.load(id))
        assert.strictEqual(state.session.name, "two")
        assert.strictEqual(report.status, status)
      }))

    it.effect(`holds nothing of a session that is ${status} afterwards`, () =>
      Effect.gen(function*() {
        const { makeSession, startProcess } = yield* makeWorld()
        const { id, process: { run } } = yield* makeSession(status)
        yield* run(Sessions.rename(id, "after"))
        const other = yield* startProcess
        const session = yield* other.run(Sessions.resume(id))
        assert.strictEqual((yield* session.state).session.name, "after")
        yield* session.append({ role: "user", content: "goes on" })
      }))

    it.effect(`leaves a session that is ${status} as it was when the new name can't be written`, () =>
      Effect.gen(function*() {
        const { makeSession, startProcess } = yield* makeWorld()
        const { directory, id, process } = yield* makeSession(status)
        const before = content(directory)
        process.hook = (call) => (run) =>
          call.to?.endsWith("session.json") === true
            ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO"))
            : run
        assert.strictEqual(yield* failure(process.run(Sessions.rename(id, "after"))), "StoreError")
        const other = yield* startProcess
        const { report, state } = yield* other.run(Sessions.load(id))
        assert.strictEqual(report.status, status)
        assert.strictEqual(state.session.name, "before")
        assert.includeMembers(content(directory), before)
        const session = yield* other.run(Sessions.resume(id))
        assert.deepStrictEqual(yield* session.state, state)
      }))
  }

  it.effect("can be done from the list on: the head shows the new name", () =>
    Effect.gen(function*() {
      const { makeSession } = yield* makeWorld()
      const { id, process: { run } } = yield* makeSession("closed")
      yield* run(Sessions.rename(id, "after"))
      const found = yield* run(Sessions.find({ text: "after", pick: "latest" }))
      assert.strictEqual(found.id, id)
      assert.strictEqual(found.name, "after")
    }))

  it.effect("leaves a session alone that runs in another process, and names it", () =>
    Effect.gen(function*() {
      const { project, startProcess } = yield* makeWorld()
      const holder = yield* startProcess
      const other = yield* startProcess
      const session = yield* holder.run(Sessions.create({ project, name: "before", config: Rig.config }))
      assert.strictEqual(
        yield* failure(other.run(Sessions.rename(session.id, "after"))),
        "RestoreFailed/AlreadyRunning"
      )
      yield* session.append({ role: "user", content: "undisturbed" })
      assert.strictEqual((yield* other.run(Sessions.load(session.id))).state.session.name, "before")
    }))

  it.effect("knows no session that was never stored, nor one that is in the trash", () =>
    Effect.gen(function*() {
      const { makeSession } = yield* makeWorld()
      const { id, process: { run } } = yield* makeSession("closed")
      const unknown = SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
      assert.strictEqual(yield* failure(run(Sessions.rename(unknown, "after"))), "NotFound")
      yield* run(Sessions.remove(id))
      assert.strictEqual(yield* failure(run(Sessions.rename(id, "after"))), "NotFound")
      assert.strictEqual((yield* run(SessionStore.SessionStore.use(({ read }) => read(id)))).status, "removed")
    }))

  it.effect("does not believe a stored session that was changed behind its back", () =>
    Effect.gen(function*() {
      const { makeSession } = yield* makeWorld()
      const { directory, id, process: { run } } = yield* makeSession("closed")
      const file = `${directory}/session.json`
      NodeFs.writeFileSync(file, NodeFs.readFileSync(file, "utf8").replace("\"one\"", "\"uno\""))
      const before = content(directory)
      assert.strictEqual(yield* failure(run(Sessions.rename(id, "after"))), "InvalidJson/BadSignature")
      assert.deepStrictEqual(content(directory), before)
    }))
})

describe("a session's new name", () => {
  const family = "👨‍👩‍👧‍👦"
  const names: ReadonlyArray<{ readonly name: string; readonly text: string; readonly isValid: boolean }> = [
    { name: "of one character", text: "x", isValid: true },
    { name: "of 50 characters", text: "x".repeat(50), isValid: true },
    { name: "of 40 characters of 25 bytes each", text: family.repeat(40), isValid: true },
    { name: "of 50 characters of several code points", text: "e\u0301".repeat(50), isValid: true },
    { name: "without a character", text: "", isValid: false },
    { name: "of 51 characters", text: "x".repeat(51), isValid: false },
    { name: "of 51 characters of several code points", text: "e\u0301".repeat(51), isValid: false },
    { name: "of one character of 3,001 bytes", text: "e" + "\u0301".repeat(1500), isValid: false },
    { name: "with half a character", text: "half \ud83e", isValid: false }
  ]
  const places = ["running", "closed", "interrupted"] as const
  for (const { isValid, name, text } of names) {
    it.effect(`${name} is ${isValid ? "accepted" : "refused"}, wherever the session is`, () =>
      Effect.gen(function*() {
        for (const place of places) {
          const { makeSession } = yield* makeWorld()
          const { directory, id, process: { run } } = yield* makeSession(place === "running" ? "closed" : place)
          if (place === "running") yield* run(Sessions.resume(id))
          const before = content(directory)
          const rename = run(Sessions.rename(id, text))
          if (isValid) {
            yield* rename
            assert.strictEqual((yield* run(Sessions.load(id))).state.session.name, text, place)
            continue
          }
          const refused = yield* Effect.flip(rename)
          assert.strictEqual(reasonOf(refused), "EventRejected/Invalid", place)
          assert.deepInclude("reason" in refused ? refused.reason : {}, { path: "name" }, place)
          assert.deepStrictEqual(content(directory), before, place)
          assert.strictEqual((yield* run(Sessions.load(id))).state.session.name, "before", place)
        }
      }))
  }

  for (const place of places) {
    it.effect(`is refused where the session would get too large, if it is ${place}`, () =>
      Effect.gen(function*() {
        const maxBytes = 12_000
        const { makeSession } = yield* makeWorld({ maxBytes })
        const { id, process } = yield* makeSession("closed")
        const session = yield* process.run(Sessions.resume(id))
        const full = yield* Effect.flip(session.recordPrompt("x".repeat(maxBytes)))
        if (full._tag !== "EventRejected" || full.reason._tag !== "TooLarge") return assert.fail(reasonOf(full))
        yield* session.recordPrompt("x".repeat(maxBytes - (full.reason.bytes - maxBytes)))
        if (place === "closed") yield* process.run(Sessions.close(id))
        if (place === "interrupted") {
          yield* process.run(Supervisor.Supervisor.use(({ discard }) => discard(id)))
        }
        assert.strictEqual((yield* process.run(Sessions.load(id))).report.status, place)
        const longer = ["a longer name", "e" + "\u0301".repeat(1000)]
        for (const name of longer) {
          assert.strictEqual(yield* failure(process.run(Sessions.rename(id, name))), "EventRejected/TooLarge")
        }
        assert.strictEqual((yield* process.run(Sessions.load(id))).state.session.name, "before")
        yield* process.run(Sessions.rename(id, "short"))
      }))
  }
})
