import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, Layer, Schema, Stream } from "effect"
import { Session, SessionLimits, Sessions } from "effect-reprise"
import { TestSessions } from "effect-reprise/testing"
import { TestClock } from "effect/testing"

const config: Session.SessionConfig = { provider: "test", model: "model", temperature: 0.5, maxTokens: 1000 }

/** What an application may do with sessions: a turn of a conversation with a tool. */
const turn = Effect.fn("turn")(function*(project: string, question: string) {
  const session = yield* Sessions.create({ project, name: "turn", config })
  yield* session.append({ role: "user", content: question })
  yield* session.append({
    role: "assistant",
    content: [{ type: "tool-call", id: "call-1", name: "search", params: { question } }]
  })
  yield* session.append({
    role: "tool",
    content: [{ type: "tool-result", id: "call-1", name: "search", isFailure: false, result: [question] }]
  })
  yield* session.replaceTodos([{ content: "answer", status: "in_progress", activeForm: "answering" }])
  yield* session.recordPrompt(question)
  yield* Sessions.close(session.id)
  return session.id
})

layer(TestSessions.layerMemory)("TestSessions.layerMemory", (it) => {
  it.effect("carries the program that runs over files: create, fill, close, load, list, resume, go on", () =>
    Effect.gen(function*() {
      const id = yield* turn("/project", "where?")
      const { report, state } = yield* Sessions.load(id)
      assert.strictEqual(report.status, "closed")
      assert.deepStrictEqual(state.conversation.map(({ role }) => role), ["user", "assistant", "tool"])
      assert.deepStrictEqual(state.promptHistory, ["where?"])

      const entries = yield* Stream.runCollect(Sessions.list({ project: "/project" }))
      assert.deepStrictEqual(entries.map((entry) => entry._tag === "Stored" ? entry.id : entry.name), [id])

      const running = yield* Sessions.resume(id)
      const resumed = yield* running.state
      assert.deepStrictEqual(
        { ...resumed, session: { ...resumed.session, updatedAt: "" } },
        { ...state, session: { ...state.session, updatedAt: "" } }
      )
      yield* running.append({ role: "user", content: "go on" })
      yield* Sessions.checkpoint(id)
      assert.lengthOf((yield* Sessions.load(id)).state.conversation, 4)
    }))
})

describe("An application's tests over TestSessions.layerMemory", () => {
  const name = Schema.String.check(Schema.isPattern(/^[a-z]{1,20}$/))
  const text = Schema.String.check(Schema.makeFilter((text: string) => text.isWellFormed()))
  const inMemory = <A, E>(program: Effect.Effect<A, E, Layer.Success<typeof TestSessions.layerMemory>>) =>
    Effect.provide(program, TestSessions.layerMemory, { local: true })

  it.effect.prop(
    "hold for any conversation: what was said is there after close and resume",
    { project: name, said: Schema.Array(Schema.Struct({ role: Session.Role, content: text })) },
    ({ project, said }) =>
      inMemory(Effect.gen(function*() {
        const session = yield* Sessions.create({ project: `/${project}`, config })
        for (const message of said) yield* session.append(message)
        const state = yield* session.state
        yield* Sessions.close(session.id)
        assert.deepStrictEqual((yield* Sessions.load(session.id)).state, state)
        const resumed = yield* Sessions.resume(session.id)
        assert.deepStrictEqual(
          (yield* resumed.state).conversation.map(({ content, role }) => ({ role, content })),
          [...said]
        )
        assert.strictEqual((yield* resumed.state).session.name, project)
      })),
    { arbitrary: { runs: 100, seed: 5 } }
  )

  it.effect("start with nothing each time", () =>
    Effect.gen(function*() {
      yield* inMemory(turn("/project", "one"))
      assert.deepStrictEqual(yield* inMemory(Stream.runCollect(Sessions.list())), [])
    }))

  it.effect("refuse what the real layers refuse", () =>
    inMemory(Effect.gen(function*() {
      const session = yield* Sessions.create({ project: "/project", config })
      const open = yield* Effect.flip(Sessions.create({ project: "/project", config }))
      assert.strictEqual(open._tag === "CreateFailed" ? open.reason._tag : open._tag, "ProjectAlreadyOpen")
      const twice = yield* Effect.flip(Sessions.resume(session.id))
      assert.strictEqual(twice._tag === "RestoreFailed" ? twice.reason._tag : twice._tag, "AlreadyRunning")
      const message = yield* Effect.flip(session.append({ role: "user", content: "\ud83d" }))
      assert.strictEqual(message._tag, "EventRejected")
      yield* Sessions.close(session.id)
      const ended = yield* Effect.flip(session.append({ role: "user", content: "late" }))
      assert.strictEqual(ended._tag, "SessionEnded")
      yield* Sessions.remove(session.id)
      assert.strictEqual((yield* Effect.flip(Sessions.resume(session.id)))._tag, "NotFound")
      yield* Sessions.purge(session.id)
      assert.strictEqual((yield* Effect.flip(Sessions.load(session.id)))._tag, "NotFound")
    })))

  it.effect("are not limited in how often they resume", () =>
    inMemory(Effect.gen(function*() {
      const id = yield* turn("/project", "again?")
      for (let round = 0; round < 30; round++) {
        yield* Sessions.resume(id)
        yield* Sessions.close(id)
      }
    })))

  it.effect("move time by TestClock alone: sessions age, and cleanup takes them", () =>
    inMemory(Effect.gen(function*() {
      const id = yield* turn("/project", "old?")
      assert.deepStrictEqual((yield* Sessions.cleanup()).removed, [])
      yield* TestClock.adjust("30 days")
      assert.deepStrictEqual((yield* Sessions.cleanup()).removed.map((entry) => entry.id), [id])
      yield* TestClock.adjust("30 days")
      assert.deepStrictEqual((yield* Sessions.cleanup()).purged.map((entry) => entry.id), [id])
    })))

  it.effect("take limits of their own", () =>
    Effect.gen(function*() {
      yield* turn("/one", "one")
      const error = yield* Effect.flip(turn("/two", "two"))
      assert.strictEqual(error._tag === "CreateFailed" ? error.reason._tag : error._tag, "TooManyStored")
    }).pipe(
      Effect.provide(
        Layer.provide(
          TestSessions.layerMemory,
          Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, maxStored: 1 })
        ),
        { local: true }
      )
    ))
})
