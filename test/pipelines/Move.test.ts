import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Result } from "effect"
import { Sessions } from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as Rig from "../suites/rig.ts"

/** A closed session with a message, whose project directory is then gone. */
const abandoned = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const space = yield* Rig.workspace
  const elsewhere = `${space.root}/elsewhere`
  yield* fs.makeDirectory(elsewhere)
  const machine = TestLiveness.machine()
  const within = <A, E>(effect: Effect.Effect<A, E, Rig.Services>) =>
    Effect.provide(effect, Rig.layer({ sessions: space.sessions, liveness: machine.process().layer }), { local: true })
  const id = yield* within(Effect.gen(function*() {
    const session = yield* Sessions.create({ project: space.project, name: "moves", config: Rig.config })
    yield* session.append({ role: "user", content: "here" })
    yield* Sessions.close(session.id)
    return session.id
  }))
  yield* fs.remove(space.project, { recursive: true })
  return { elsewhere, id, within, space }
}).pipe(Effect.provide(Rig.layerPlatform))

describe("A session whose project moved", () => {
  it.effect("is not resumed without its project, and the error tells how", () =>
    Effect.scoped(Effect.gen(function*() {
      const { id, within } = yield* abandoned
      const refused = yield* within(Effect.result(Sessions.resume(id)))
      assert.isTrue(Result.isFailure(refused))
      if (Result.isFailure(refused)) {
        assert.include(refused.failure.message, "project")
        assert.strictEqual(refused.failure._tag === "RestoreFailed" && refused.failure.reason._tag, "ProjectMissing")
      }
    })))

  it.effect("is resumed in another directory, and that is an event of its history", () =>
    Effect.scoped(Effect.gen(function*() {
      const { elsewhere, id, within } = yield* abandoned
      const before = yield* within(Sessions.load(id))
      yield* within(Effect.gen(function*() {
        const session = yield* Sessions.resume(id, { project: elsewhere })
        const state = yield* session.state
        assert.strictEqual(state.session.projectPath, elsewhere)
        assert.strictEqual(state.revision, before.state.revision + 1)
        assert.deepStrictEqual(state.conversation, before.state.conversation)
        const open = yield* Sessions.load(id)
        assert.deepStrictEqual(open.state, state)
        assert.strictEqual(open.report.events, 1)
        yield* session.append({ role: "user", content: "there" })
        yield* Sessions.close(id)
        const found = yield* Sessions.find({ project: elsewhere, pick: "only" })
        assert.strictEqual(found.id, id)
      }))
      const { state } = yield* within(Sessions.load(id))
      assert.strictEqual(state.session.projectPath, elsewhere)
      assert.deepStrictEqual(state.conversation.map(({ content }) => content), ["here", "there"])
    })))

  it.effect("is left as it was where the other directory is none, or a resume in it fails", () =>
    Effect.scoped(Effect.gen(function*() {
      const { id, space, within } = yield* abandoned
      const before = yield* within(Sessions.load(id))
      for (const project of [`${space.root}/nowhere`, "elsewhere", `${space.sessions}/${id}/session.json`]) {
        const refused = yield* within(Effect.flip(Sessions.resume(id, { project })))
        assert.strictEqual(refused._tag, "RestoreFailed")
      }
      assert.deepStrictEqual((yield* within(Sessions.load(id))).state, before.state)
    })))

  it.effect("stays in the other directory where it could not be saved at the end", () =>
    Effect.scoped(Effect.gen(function*() {
      const { elsewhere, id, space, within } = yield* abandoned
      let isFull = false
      const hook: FileSystemHooks.Hook = (call) => (run) =>
        Effect.suspend(() =>
          isFull && call.method === "rename" && call.to?.endsWith("/session.json") === true
            ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "ENOSPC"))
            : run
        )
      yield* Effect.provide(
        Effect.andThen(
          Sessions.resume(id, { project: elsewhere }),
          Effect.sync(() => {
            isFull = true
          })
        ),
        Rig.layer({ sessions: space.sessions, hook }),
        { local: true }
      )
      const { report, state } = yield* within(Sessions.load(id))
      assert.strictEqual(state.session.projectPath, elsewhere)
      assert.strictEqual(report.status, "interrupted")
    })))
})
