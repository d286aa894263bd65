import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, Layer, Ref, Result, Schema, Stream } from "effect"
import { Redaction, type RunningSession, SessionError, Sessions } from "effect-reprise"
import { SessionChat } from "effect-reprise/ai"
import { TestSessions } from "effect-reprise/testing"
import { Chat, Prompt, type Response, Tool, Toolkit } from "effect/ai"
import { config } from "../suites/rig.ts"
import * as Model from "./model.ts"
import * as Prompts from "./prompts.ts"
import * as Rules from "./rules.ts"
import * as Tools from "./tools.ts"

const create = Sessions.create({ project: "/project", config })

type Services = Layer.Success<typeof TestSessions.layerMemory>

const test = <A, E>(name: string, body: () => Effect.Effect<A, E, Services>) =>
  it.effect(name, () => Effect.provide(body(), TestSessions.layerMemory, { local: true }))

const { call, finish, text } = Model

/** A turn with everything that a turn can hold, and the one after it. */
const turns: ReadonlyArray<ReadonlyArray<Response.PartEncoded>> = [
  [
    { type: "reasoning", text: "four at once", metadata: { provider: { signature: "x" } } },
    text("I add and read."),
    { type: "file", mediaType: "image/png", data: "AAEC" },
    call("c1", "add", { a: "1", b: 2 }),
    call("c2", "read", { path: "a.txt" }),
    call("c3", "log", { line: "x" }),
    call("c4", "refuse", {}),
    finish("tool-calls")
  ],
  [text("Three."), finish()]
]

const plainOf = (prompt: Prompt.Prompt) => prompt.content.map(Prompts.plain)

const plain = (prompt: Prompt.Prompt) => Prompts.plain(prompt.content)

const textsOf = ({ content }: Prompt.Prompt): ReadonlyArray<string> =>
  content.flatMap(({ content }) =>
    typeof content === "string" ? [content] : content.flatMap((part) => part.type === "text" ? [part.text] : [])
  )

const rolesOf = (session: RunningSession) =>
  Effect.map(session.state, ({ conversation }) => conversation.map(({ role }) => role))

/** A session that tells when a message is about to be appended and when it is durable. */
const watched = (
  session: RunningSession,
  tell: (event: string) => Effect.Effect<void, SessionError.StoreError>
): RunningSession => ({
  ...session,
  append: (message) =>
    Effect.andThen(tell(`append ${message.role}`), session.append(message)).pipe(
      Effect.tap(() => tell(`appended ${message.role}`))
    )
})

const storeError = new SessionError.StoreError({ operation: "append", cause: new Error("disk full") })

/** All that a stream gives, as one response. */
const collected = <Tools extends Record<string, Tool.Any>, Mode extends Response.ToolParametersMode, E, R>(
  stream: Stream.Stream<Response.StreamPart<Tools, Mode>, E, R>
) => Stream.runCollect(stream)

/** A session in which no assistant may speak. */
const layerSilent = TestSessions.layerMemory.pipe(
  Layer.provide(Layer.succeed(
    Redaction.Redaction,
    (event) =>
      event._tag === "MessageAppended" && event.message.role === "assistant"
        ? Effect.fail("no")
        : Effect.succeed(event)
  ))
)

describe("A SessionChat", () => {
  test("generates text as a Chat does, with the same history", () =>
    Effect.gen(function*() {
      const toolkit = yield* Tools.toolkit
      const options = { prompt: "Add and read.", toolkit, concurrency: 1 } as const
      const usual = yield* Chat.empty
      const expected = yield* Effect.provide(
        Effect.all([usual.generateText(options), usual.generateText({ prompt: [], toolkit })]),
        Model.layer(Model.inTurn(...turns))
      )
      const chat = yield* SessionChat.make(yield* create)
      const actual = yield* Effect.provide(
        Effect.all([chat.generateText(options), chat.generateText({ prompt: [], toolkit })]),
        Model.layer(Model.inTurn(...turns))
      )
      assert.deepStrictEqual(
        actual.map(({ content }) => Prompts.plain(content)),
        expected.map(({ content }) => Prompts.plain(content))
      )
      assert.strictEqual(actual[1].text, "Three.")
      assert.deepStrictEqual(plain(yield* chat.history), plain(yield* Ref.get(usual.history)))
      assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [])
    }).pipe(Effect.provide(Tools.layer())))

  test("streams text as a Chat does, with the same history", () =>
    Effect.gen(function*() {
      const toolkit = yield* Tools.toolkit
      const options = { prompt: "Add and read.", toolkit, concurrency: 1 } as const
      const usual = yield* Chat.empty
      const expected = yield* Effect.provide(
        Effect.all([collected(usual.streamText(options)), collected(usual.streamText({ prompt: [] }))]),
        Model.layer(Model.inTurn(...turns))
      )
      const chat = yield* SessionChat.make(yield* create)
      const actual = yield* Effect.provide(
        Effect.all([collected(chat.streamText(options)), collected(chat.streamText({ prompt: [] }))]),
        Model.layer(Model.inTurn(...turns))
      )
      const sorted = (parts: ReadonlyArray<Response.AnyPart>) =>
        parts.map((part) => JSON.stringify(Prompts.plain(part))).sort()
      assert.deepStrictEqual(actual.map(sorted), expected.map(sorted))
      assert.deepStrictEqual(actual.map((parts) => parts.at(-1)?.type), ["finish", "finish"])
      assert.deepStrictEqual(plain(yield* chat.history), plain(yield* Ref.get(usual.history)))
    }).pipe(Effect.provide(Tools.layer())))

  test("generates objects as a Chat does, with the same history", () =>
    Effect.gen(function*() {
      const toolkit = yield* Tools.toolkit
      const schema = Schema.Struct({ sum: Schema.FiniteFromString })
      const script = [[text("{\"sum\":\"3\"}"), call("c1", "read", { path: "a" }), finish()]]
      const options = { prompt: "Add.", schema, toolkit } as const
      const usual = yield* Chat.empty
      const expected = yield* Effect.provide(usual.generateObject(options), Model.layer(Model.inTurn(...script)))
      const chat = yield* SessionChat.make(yield* create)
      const actual = yield* Effect.provide(chat.generateObject(options), Model.layer(Model.inTurn(...script)))
      assert.deepStrictEqual(actual.value, { sum: 3 })
      assert.deepStrictEqual(Prompts.plain(actual.content), Prompts.plain(expected.content))
      assert.deepStrictEqual(plain(yield* chat.history), plain(yield* Ref.get(usual.history)))
    }).pipe(Effect.provide(Tools.layer())))

  test("makes each message durable before the next step begins, whether it streams or not", () =>
    Effect.forEach(["generateText", "streamText"] as const, (method) =>
      Effect.gen(function*() {
        const told: Array<string> = []
        const tell = (event: string) => Effect.sync(() => void told.push(event))
        const toolkit = yield* Effect.provide(Tools.toolkit, Tools.layer((began) => tell(`run ${began}`)))
        const session = yield* create
        const chat = yield* SessionChat.make(watched(session, tell))
        const script: Model.Script = () =>
          Effect.as(tell("model"), [text("I add."), call("c1", "add", { a: "1", b: 2 }), finish("tool-calls")])
        const options = { prompt: "Add.", toolkit }
        yield* Effect.provide(
          method === "generateText"
            ? chat.generateText(options)
            : Stream.runForEach(chat.streamText(options), ({ type }) => tell(`part ${type}`)),
          Model.layer(script)
        )
        yield* tell("end")
        assert.deepStrictEqual(told.filter((event) => !event.startsWith("part text")), [
          "append user",
          "appended user",
          "model",
          ...(method === "generateText" ? [] : ["part tool-call"]),
          "append assistant",
          "appended assistant",
          "run add 1 2",
          "append tool",
          "appended tool",
          ...(method === "generateText" ? [] : ["part tool-result", "part finish"]),
          "end"
        ])
        yield* Sessions.close(session.id)
      })))

  test("fails with the error of each append that fails, and goes on with nothing lost or said twice", () =>
    Effect.gen(function*() {
      const countOf = (texts: ReadonlyArray<string>, text: string) => texts.filter((other) => other === text).length
      let failures = 0
      for (let failing = 1; failing === failures + 1; failing++) {
        const runs: Array<string> = []
        const toolkit = yield* Effect.provide(
          Tools.toolkit,
          Tools.layer((began) => Effect.sync(() => void runs.push(began)))
        )
        const session = yield* create
        let appends = 0
        const chat = yield* SessionChat.make(
          watched(
            session,
            (event) => event.startsWith("append ") && ++appends === failing ? Effect.fail(storeError) : Effect.void
          )
        )
        const turn = Effect.provide(
          Effect.gen(function*() {
            let { toolCalls } = yield* chat.generateText({ prompt: "Work.", toolkit, concurrency: 1 })
            while (toolCalls.length > 0) ({ toolCalls } = yield* chat.generateText({ prompt: [], toolkit }))
          }),
          Model.layer(Model.working)
        )
        const outcome = yield* Effect.result(turn)
        if (Result.isSuccess(outcome)) break
        failures++
        assert.strictEqual(outcome.failure, storeError)
        if ((yield* rolesOf(session)).includes("assistant")) {
          yield* Effect.provide(chat.generateText({ prompt: [], toolkit }), Model.layer(Model.working))
        } else yield* turn
        const history = yield* chat.history
        assert.deepStrictEqual(Rules.mistakes(history), [])
        const texts = textsOf(history)
        assert.deepStrictEqual(texts, ["Work.", "Step 0.", "Answer 1."])
        assert.strictEqual(countOf(runs, "add 1 0"), 1)
        assert.isAtMost(countOf(runs, "log 0"), 1)
        yield* Sessions.close(session.id)
      }
      // The prompt, what the model says, three results, and what it says to them.
      assert.strictEqual(failures, 6)
    }))

  test("fails with what the session says where it refuses a message, and runs no tool then", () =>
    Effect.gen(function*() {
      const runs: Array<string> = []
      const toolkit = yield* Effect.provide(
        Tools.toolkit,
        Tools.layer((began) => Effect.sync(() => void runs.push(began)))
      )
      const chat = yield* SessionChat.make(yield* create)
      const ask = Effect.provide(chat.generateText({ prompt: "Work.", toolkit }), Model.layer(Model.working))
      const error = yield* Effect.flip(ask)
      assert.isTrue(error instanceof SessionError.EventRejected)
      assert.deepStrictEqual(runs, [])
    }).pipe(Effect.provide(layerSilent, { local: true })))

  test("fails with SessionEnded once the session is closed", () =>
    Effect.gen(function*() {
      const session = yield* create
      const chat = yield* SessionChat.make(session)
      yield* Sessions.close(session.id)
      const error = yield* Effect.flip(Effect.provide(chat.generateText({ prompt: "a" }), Model.layer(Model.working)))
      assert.isTrue(error instanceof SessionError.SessionEnded)
    }))

  test("answers with a failure what a tool gives and no session can hold, and fails", () =>
    Effect.gen(function*() {
      const Now = Tool.make("now", { success: Schema.Unknown })
      const toolkit = yield* Effect.provide(
        Toolkit.make(Now),
        Toolkit.make(Now).toLayer({ now: () => Effect.succeed(new Map([[1, 2]])) })
      )
      const chat = yield* SessionChat.make(yield* create)
      const script = Model.inTurn([call("c1", "now", {}), finish("tool-calls")])
      const error = yield* Effect.flip(
        Effect.provide(chat.generateText({ prompt: "a", toolkit }), Model.layer(script))
      )
      assert.isTrue(error instanceof SessionError.EventRejected)
      const history = yield* chat.history
      assert.deepStrictEqual(Rules.mistakes(history), [])
      assert.include(JSON.stringify(history), "The tool ran, but its result can't be stored")
    }))

  test("keeps what the model used and what it cost, in all and on each message", () =>
    Effect.gen(function*() {
      const session = yield* create
      const chat = yield* SessionChat.make(session, { cost: ({ outputTokens }) => (outputTokens.total ?? 0) / 8 })
      const model = Model.layer(Model.inTurn([text("a"), finish()], [finish()], [text("b")]))
      yield* Effect.provide(
        Effect.all([
          chat.generateText({ prompt: "1" }),
          Stream.runDrain(chat.streamText({ prompt: "2" })),
          chat.generateText({ prompt: [] })
        ]),
        model
      )
      const { conversation, usage } = yield* session.state
      const once = { inputTokens: 10, outputTokens: 4, totalCost: 0.5 }
      assert.deepStrictEqual(conversation.map(({ usage }) => usage), [undefined, once, undefined, once, undefined])
      assert.deepStrictEqual(usage, { inputTokens: 20, outputTokens: 8, totalCost: 1 })
      // A model that said nothing was still paid for; nobody is sent a message without content.
      assert.deepStrictEqual((yield* chat.history).content.map(({ role }) => role), [
        "user",
        "assistant",
        "user",
        "assistant"
      ])
    }))

  test("takes turns one after the other, whatever the number of chats on its session", () =>
    Effect.gen(function*() {
      const session = yield* create
      const [one, other] = yield* Effect.all([SessionChat.make(session), SessionChat.make(session)])
      const isAsked = yield* Deferred.make<void>()
      const mayAnswer = yield* Deferred.make<void>()
      let asked = 0
      const script: Model.Script = () =>
        Effect.gen(function*() {
          const number = asked++
          yield* Deferred.succeed(isAsked, undefined)
          yield* Deferred.await(mayAnswer)
          return [text(`answer ${number}`), finish()]
        })
      const turns = [
        one.generateText({ prompt: "0" }),
        Stream.runDrain(one.streamText({ prompt: "1" })),
        other.generateText({ prompt: "2" })
      ]
      const fiber = yield* Effect.forkChild(
        Effect.provide(Effect.all(turns, { concurrency: "unbounded" }), Model.layer(script))
      )
      yield* Deferred.await(isAsked)
      yield* Effect.yieldNow
      assert.strictEqual(asked, 1)
      yield* Deferred.succeed(mayAnswer, undefined)
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(textsOf(yield* one.history), ["0", "answer 0", "1", "answer 1", "2", "answer 2"])
    }))

  test("tells the model its system prompt first and does not store it", () =>
    Effect.gen(function*() {
      const session = yield* create
      const chat = yield* SessionChat.make(session, { system: "Be brief." })
      const seen: Array<unknown> = []
      const script: Model.Script = (prompt) =>
        Effect.sync(() => {
          seen.push(...plainOf(prompt))
          return [text("yes")]
        })
      yield* Effect.provide(chat.generateText({ prompt: "hello" }), Model.layer(script))
      assert.deepStrictEqual(seen[0], plainOf(Prompt.make([{ role: "system", content: "Be brief." }]))[0])
      assert.deepStrictEqual(yield* rolesOf(session), ["user", "assistant"])
    }))

  test("exports what Chat.fromExport and Chat.fromJson take", () =>
    Effect.gen(function*() {
      const toolkit = yield* Tools.toolkit
      const chat = yield* SessionChat.make(yield* create)
      yield* Effect.provide(chat.generateText({ prompt: "a", toolkit }), Model.layer(Model.inTurn(...turns)))
      const history = plain(yield* chat.history)
      const [one, other] = [
        yield* Chat.fromExport(yield* chat.export),
        yield* Chat.fromJson(yield* chat.exportJson)
      ]
      // JSON has no word for the result of a tool that gives none.
      const withNull = (value: unknown) => JSON.stringify(value, (_, member: unknown) => member ?? null)
      assert.deepStrictEqual(plain(yield* Ref.get(one.history)), history)
      assert.strictEqual(withNull(plain(yield* Ref.get(other.history))), withNull(history))
    }).pipe(Effect.provide(Tools.layer())))
})
