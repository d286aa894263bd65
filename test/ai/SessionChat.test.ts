import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Option, Ref, Schema, Stream } from "effect"
import { Redaction, type RunningSession, SessionError, Sessions } from "effect-reprise"
import { SessionChat } from "effect-reprise/ai"
import { TestSessions } from "effect-reprise/testing"
import { AiError, Chat, LanguageModel, Prompt, type Response } from "effect/ai"
import { config } from "../suites/rig.ts"
import * as Model from "./model.ts"
import * as Prompts from "./prompts.ts"
import * as Rules from "./rules.ts"
import * as Tools from "./tools.ts"

const create = Sessions.create({ project: "/project", config })

const test = <A, E>(
  name: string,
  body: () => Effect.Effect<A, E, Layer.Success<typeof TestSessions.layerMemory>>
) => it.effect(name, () => Effect.provide(body(), TestSessions.layerMemory, { local: true }))

const { call, finish, text } = Model

/** A turn with everything that a turn can hold, and the one after it. */
const turns: ReadonlyArray<ReadonlyArray<Response.PartEncoded>> = [
  [
    { type: "response-metadata", id: "r1", modelId: "m", timestamp: undefined, request: undefined },
    { type: "reasoning", text: "two at once", metadata: { provider: { signature: "x" } } },
    text("I add and read."),
    { type: "file", mediaType: "image/png", data: "AAEC" },
    call("c1", "add", { a: "1", b: 2 }),
    call("c2", "read", { path: "a.txt" }),
    call("c3", "log", { line: "x" }),
    call("c4", "refuse", {}),
    call("c5", "add", { a: "many", b: 2 }),
    finish("tool-calls")
  ].filter((part) => !("id" in part && part.id === "c5")),
  [text("Three."), finish()]
]

const plain = (prompt: Prompt.Prompt) => Prompts.plain(prompt.content)

const chatWith = (script: Model.Script, session: RunningSession, options: SessionChat.Options = {}) =>
  Effect.map(SessionChat.make(session, options), (chat) => ({ chat, model: Model.layer(script) }))

describe("SessionChat", () => {
  test("answers as a Chat does, with the same history", () =>
    Effect.gen(function*() {
      const toolkit = yield* Tools.toolkit
      const options = { prompt: "Add and read.", toolkit, concurrency: 1 } as const
      const plainChat = yield* Chat.empty
      const [expected, expectedNext] = yield* Effect.provide(
        Effect.all([plainChat.generateText(options), plainChat.generateText({ prompt: [], toolkit })]),
        Model.layer(Model.inTurn(...turns))
      )
      const chat = yield* SessionChat.make(yield* create)
      const [actual, actualNext] = yield* Effect.provide(
        Effect.all([chat.generateText(options), chat.generateText({ prompt: [], toolkit })]),
        Model.layer(Model.inTurn(...turns))
      )
      assert.deepStrictEqual(Prompts.plain(actual.content), Prompts.plain(expected.content))
      assert.deepStrictEqual(Prompts.plain(actualNext.content), Prompts.plain(expectedNext.content))
      assert.deepStrictEqual(plain(yield* chat.history), plain(yield* Ref.get(plainChat.history)))
      assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [])
    }).pipe(Effect.provide(Tools.layer())))
})
