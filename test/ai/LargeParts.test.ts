import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Blob, SessionError, Sessions } from "effect-reprise"
import { SessionChat } from "effect-reprise/ai"
import { TestSessions } from "effect-reprise/testing"
import { AiError, Prompt } from "effect/ai"
import { config } from "../suites/rig.ts"
import * as Model from "./model.ts"

const picture = Buffer.from(new Uint8Array(100_000).fill(7)).toString("base64")

const prompt = Prompt.make([{
  role: "user",
  content: [
    Prompt.textPart({ text: "What is on it?" }),
    Prompt.filePart({ mediaType: "image/png", data: picture })
  ]
}])

/** What models were given, as text. */
const asked: Array<string> = []

const answering = Model.layer((prompt) =>
  Effect.sync(() => {
    asked.push(JSON.stringify(prompt))
    return [Model.text("a cat"), Model.finish()]
  })
)

const failing = Model.layer(() =>
  Effect.fail(
    AiError.make({
      module: "Model",
      method: "generateText",
      reason: new AiError.InvalidRequestError({ description: "no" })
    })
  )
)

describe("A chat with large parts", () => {
  it.effect("stores them beside the session, and gives them to the model whole", () =>
    Effect.gen(function*() {
      const session = yield* Sessions.create({ project: "/project", config })
      const chat = yield* SessionChat.make(session)
      yield* Effect.provide(chat.generateText({ prompt }), answering)
      const [message] = (yield* session.state).conversation
      assert.strictEqual(message === undefined ? 0 : Blob.references(message).length, 1)
      assert.include(asked.at(-1), picture)
      assert.include(JSON.stringify(yield* chat.history), picture)
      const first = (yield* chat.history).content[0]
      assert.strictEqual((yield* chat.history).content[0], first)
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))

  it.effect("is told nothing twice when a turn that failed is taken again", () =>
    Effect.gen(function*() {
      const session = yield* Sessions.create({ project: "/project", config })
      const chat = yield* SessionChat.make(session)
      yield* Effect.flip(Effect.provide(chat.generateText({ prompt }), failing))
      yield* Effect.provide(chat.generateText({ prompt }), answering)
      assert.deepStrictEqual((yield* session.state).conversation.map(({ role }) => role), ["user", "assistant"])
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))

  it.effect("goes on without one that is missing, of which the model is told in words", () =>
    Effect.gen(function*() {
      const session = yield* Sessions.create({ project: "/project", config })
      yield* Effect.provide((yield* SessionChat.make(session)).generateText({ prompt }), answering)
      const missing = new SessionError.InvalidBlob({
        id: session.id,
        digest: "0".repeat(64),
        reason: new SessionError.BlobMissing({})
      })
      // A session that was resumed has messages that nobody has read yet.
      const resumed = {
        ...session,
        state: Effect.map(session.state, (state) => ({ ...state, conversation: structuredClone(state.conversation) })),
        materialise: () => Effect.fail(missing)
      }
      const chat = yield* SessionChat.make(resumed)
      yield* Effect.provide(chat.generateText({ prompt: "And what else?" }), answering)
      assert.include(asked.at(-1), "image/png of 100000 bytes: can't be read any more")
      assert.notInclude(asked.at(-1), picture)
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))

  it.effect("fails with what the store failed with, and can be taken again", () =>
    Effect.gen(function*() {
      const session = yield* Sessions.create({ project: "/project", config })
      yield* Effect.provide((yield* SessionChat.make(session)).generateText({ prompt }), answering)
      const error = new SessionError.StoreError({ operation: "read", cause: new Error("EIO") })
      const chat = yield* SessionChat.make({
        ...session,
        state: Effect.map(session.state, (state) => ({ ...state, conversation: structuredClone(state.conversation) })),
        materialise: () => Effect.fail(error)
      }).pipe(Effect.flip)
      assert.strictEqual(chat, error)
      assert.deepStrictEqual((yield* session.state).conversation.length, 2)
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))
})
