import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Option, Stream } from "effect"
import { type SessionId, type SessionLimits, Sessions, Supervisor } from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as Rig from "../suites/rig.ts"

/** Stops the first call that it is asked to, says so, and waits to be let on. */
const gate = (isIt: (call: FileSystemHooks.Call) => boolean) =>
  Effect.gen(function*() {
    const reached = yield* Deferred.make<void>()
    const open = yield* Deferred.make<void>()
    let hasStopped = false
    const hook: FileSystemHooks.Hook = (call) => (run) =>
      Effect.suspend(() => {
        if (hasStopped || !isIt(call)) return run
        hasStopped = true
        return Effect.andThen(Deferred.succeed(reached, undefined), Effect.andThen(Deferred.await(open), run))
      })
    return { hook, reached: Deferred.await(reached), open: Deferred.succeed(open, undefined) }
  })

const twoProcesses = Effect.fnUntraced(function*(
  hook: FileSystemHooks.Hook,
  limits: Partial<SessionLimits.Limits> = {}
) {
  const { project, root, sessions } = yield* Rig.workspace
  const machine = TestLiveness.machine()
  const { layer: liveness, pid } = machine.process()
  const scope = yield* Effect.scope
  const hooked = yield* Layer.buildWithScope(
    Rig.layer({ sessions, hook, limits, liveness: machine.process().layer }),
    scope
  )
  const plain = yield* Layer.buildWithScope(Rig.layer({ sessions, limits, liveness }), scope)
  return {
    project,
    root,
    /** Moves the process without a hook out of the other one's sight. */
    hidePlain: Effect.sync(() => machine.hide(pid)),
    inHooked: <A, E>(effect: Effect.Effect<A, E, Rig.Services>) => Effect.provideContext(effect, hooked),
    inPlain: <A, E>(effect: Effect.Effect<A, E, Rig.Services>) => Effect.provideContext(effect, plain)
  }
})

describe("A purge", () => {
  it.effect("that is overtaken by a restore leaves the session, and what was appended to it", () =>
    Effect.scoped(Effect.gen(function*() {
      const { hook, open, reached } = yield* gate(({ method, to }) =>
        method === "rename" && to?.includes("deleting.") === true
      )
      const { inHooked, inPlain, project } = yield* twoProcesses(hook)
      const id = yield* inPlain(Effect.gen(function*() {
        const session = yield* Sessions.create({ project, name: "wanted", config: Rig.config })
        yield* Sessions.close(session.id)
        yield* Sessions.remove(session.id)
        return session.id
      }))
      const purge = yield* Effect.forkChild(Effect.exit(inHooked(Sessions.purge(id))))
      yield* reached
      yield* inPlain(Effect.gen(function*() {
        yield* Sessions.restore(id)
        const session = yield* Sessions.resume(id)
        yield* session.append({ role: "user", content: "kept" })
        yield* Sessions.close(id)
      }))
      yield* open
      const exit = yield* Fiber.join(purge)
      assert.isTrue(Exit.isFailure(exit))
      const { report, state } = yield* inPlain(Sessions.load(id))
      assert.strictEqual(report.status, "closed")
      assert.deepStrictEqual(state.conversation.map(({ content }) => content), ["kept"])
    })))
})

describe("A create", () => {
  it.effect("that is interrupted at its last step leaves nothing stored and nothing running", () =>
    Effect.scoped(Effect.gen(function*() {
      let created = false
      const { hook, open, reached } = yield* gate(({ method, path }) => {
        if (method === "rename" && path.includes("creating.")) created = true
        return created && method === "file.sync"
      })
      const { inHooked, inPlain, project } = yield* twoProcesses(hook)
      const create = yield* Effect.forkChild(
        inHooked(Sessions.create({ project, name: "unwanted", config: Rig.config }))
      )
      yield* reached
      const interrupted = yield* Effect.forkChild(Fiber.interrupt(create))
      yield* Effect.yieldNow
      yield* open
      yield* Fiber.join(interrupted)
      const status = ["closed", "running", "interrupted", "elsewhere", "removed"] as const
      assert.deepStrictEqual(yield* inPlain(Stream.runCollect(Sessions.list({ status }))), [])
      yield* inHooked(Sessions.create({ project, name: "wanted", config: Rig.config }))
    })))
})

describe("A former holder", () => {
  const discard = (id: SessionId.SessionId) => Supervisor.Supervisor.use(({ discard }) => discard(id))

  it.effect("that has written nothing leaves the journal that was found by whoever took it over", () =>
    Effect.scoped(Effect.gen(function*() {
      const { inHooked: inFormer, inPlain: inLater, project, root } = yield* twoProcesses(FileSystemHooks.none)
      const { id } = yield* inFormer(Sessions.create({ project, name: "moves", config: Rig.config }))
      yield* inFormer(Sessions.close(id))
      const former = yield* inFormer(Sessions.resume(id, { project: root }))
      yield* inLater(Effect.andThen(Sessions.resume(id, { takeOver: true }), discard(id)))
      const found = yield* inLater(Sessions.load(id))
      assert.strictEqual(found.report.status, "interrupted")
      assert.strictEqual(found.state.session.projectPath, root)
      assert.strictEqual((yield* Effect.flip(former.append({ role: "user", content: "late" })))._tag, "SessionEnded")
      yield* inFormer(discard(id))
      assert.deepStrictEqual(yield* inLater(Sessions.load(id)), found)
    })))
})

describe("A removal", () => {
  it.effect("that is overtaken by a holder out of sight names it", () =>
    Effect.scoped(Effect.gen(function*() {
      const { hook, open, reached } = yield* gate(({ method, path }) =>
        method === "open" && path.endsWith("/session.json")
      )
      const { hidePlain, inHooked, inPlain, project } = yield* twoProcesses(hook)
      const { id } = yield* inPlain(Sessions.create({ project, name: "wanted", config: Rig.config }))
      yield* inPlain(Sessions.close(id))
      const removal = yield* Effect.forkChild(Effect.flip(inHooked(Sessions.remove(id))))
      yield* reached
      yield* inPlain(Sessions.resume(id))
      yield* hidePlain
      yield* open
      const refused = yield* Fiber.join(removal)
      const { holder } = (yield* inPlain(Sessions.load(id))).report
      assert.isTrue(refused._tag === "RestoreFailed" && refused.reason._tag === "AlreadyRunning")
      if (refused._tag !== "RestoreFailed" || refused.reason._tag !== "AlreadyRunning") return
      assert.strictEqual(refused.reason.liveness, "unknown")
      assert.deepStrictEqual(refused.reason.holder, Option.getOrUndefined(holder))
    })))
})

describe("A restore", () => {
  it.effect("beside another one of the same session needs no room of its own", () =>
    Effect.scoped(Effect.gen(function*() {
      const { hook, open, reached } = yield* gate(({ method, path }) =>
        method === "readDirectory" && path.endsWith("/sessions")
      )
      const { inHooked, inPlain, project } = yield* twoProcesses(hook, { maxStored: 1 })
      const { id } = yield* inPlain(Sessions.create({ project, name: "wanted", config: Rig.config }))
      yield* inPlain(Effect.andThen(Sessions.close(id), Sessions.remove(id)))
      const restore = yield* Effect.forkChild(inHooked(Sessions.restore(id)))
      yield* reached
      yield* inPlain(Sessions.restore(id))
      yield* open
      yield* Fiber.join(restore)
      assert.strictEqual((yield* inPlain(Sessions.load(id))).report.status, "closed")
    })))
})
