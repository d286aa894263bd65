import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Option, Result, Schema } from "effect"
import { Session, type SessionId, Sessions } from "effect-reprise"
import { SessionPrompt } from "effect-reprise/ai"
import { TestSessions } from "effect-reprise/testing"
import { Prompt } from "effect/ai"
import { at } from "../core/documents.ts"
import { config } from "../suites/rig.ts"
import * as Prompts from "./prompts.ts"

const messages = Schema.Array(Schema.toType(Prompt.Message))

const stored = (prompt: Prompt.Prompt): ReadonlyArray<Session.Message> =>
  Result.getOrThrow(SessionPrompt.toMessages(prompt)).map((message, index) => {
    const given = { id: String(index), timestamp: at, ...message }
    assert.isTrue(Schema.is(Session.Message)(given))
    return Option.getOrThrow(Schema.decodeOption(Session.Message)(given))
  })

const back = (prompt: Prompt.Prompt) => SessionPrompt.fromMessages(stored(prompt))

const assertSame = (actual: Prompt.Prompt, expected: Prompt.Prompt) => {
  assert.deepStrictEqual(Prompts.plain(actual.content), Prompts.plain(expected.content))
}

/** Says it in a session, closes that, and loads it. */
const throughStore = Effect.fnUntraced(function*(prompt: Prompt.Prompt) {
  const session = yield* Sessions.create({ project: "/project", config })
  yield* Effect.forEach(yield* Effect.fromResult(SessionPrompt.toMessages(prompt)), session.append)
  const id: SessionId.SessionId = session.id
  yield* Sessions.close(id)
  return SessionPrompt.fromMessages((yield* Sessions.load(id)).state.conversation)
})

const everyPart: ReadonlyArray<Prompt.AssistantMessagePart> = [
  Prompt.textPart({ text: "", options: { provider: { cache: true } } }),
  Prompt.reasoningPart({ text: "hm", options: { provider: { signature: "x" }, other: null } }),
  Prompt.filePart({ mediaType: "image/png", fileName: "a.png", data: new Uint8Array([0, 1, 255]) }),
  Prompt.filePart({ mediaType: "image/png", data: new URL("https://example.com/a.png?b=ä#c") }),
  Prompt.filePart({ mediaType: "text/plain", data: "data:text/plain;base64,eA==" }),
  Prompt.toolCallPart({ id: "1", name: "a", params: { path: ["x"] }, providerExecuted: false }),
  Prompt.toolCallPart({ id: "2", name: "b", params: undefined, providerExecuted: true }),
  Prompt.toolResultPart({ id: "2", name: "b", isFailure: true, result: undefined, providerExecuted: true }),
  Prompt.toolResultPart({
    id: "3",
    name: "c",
    isFailure: false,
    result: null,
    modelOutput: [
      Prompt.textPart({ text: "seen" }),
      Prompt.filePart({ mediaType: "image/png", data: new Uint8Array([7]) })
    ],
    providerExecuted: true
  }),
  Prompt.toolApprovalRequestPart({ approvalId: "a", toolCallId: "1" })
]

describe("SessionPrompt", () => {
  it.effect("keeps any prompt through a session that is closed and loaded again", () =>
    Effect.gen(function*() {
      for (const size of [1, 3, 8]) {
        const prompts = yield* Arbitrary.sampleEffect(Arbitrary.schema(messages), { count: 10, seed: size, size })
        for (const content of prompts) {
          const prompt = Prompts.mend(Prompt.fromMessages(content))
          const { leftOut, prompt: read } = yield* throughStore(prompt)
          assert.deepStrictEqual(leftOut, [])
          assertSame(read, prompt)
        }
      }
    }).pipe(Effect.provide(TestSessions.layerMemory)))

  it.prop(
    "keeps what it takes, and refuses what JSON can't hold",
    [messages],
    ([content]) => {
      const prompt = Prompt.fromMessages(content)
      const taken = SessionPrompt.toMessages(prompt)
      const isMended = JSON.stringify(Prompts.plain(Prompts.mend(prompt))) === JSON.stringify(Prompts.plain(prompt))
      if (Result.isFailure(taken)) assert.isFalse(isMended)
      else assertSame(back(prompt).prompt, Prompts.mend(prompt))
    },
    { arbitrary: { runs: 100, size: 8, seed: 3 } }
  )

  it("keeps every kind of part with all its members", () => {
    const prompt = Prompt.fromMessages([
      Prompt.systemMessage({ content: "Be kind.", options: { provider: { cache: true } } }),
      Prompt.userMessage({ content: [Prompt.textPart({ text: "hello" })] }),
      Prompt.assistantMessage({ content: everyPart, options: { provider: ["x"] } }),
      Prompt.toolMessage({
        content: [
          Prompt.toolApprovalResponsePart({ approvalId: "a", approved: false, reason: "no" }),
          Prompt.toolResultPart({ id: "1", name: "a", isFailure: false, result: undefined, providerExecuted: false })
        ]
      }),
      Prompt.userMessage({ content: [] })
    ])
    assertSame(back(prompt).prompt, prompt)
  })

  it("keeps prompts that stop at the end of a message, and those that go on with the same role", () => {
    const user = (text: string) => Prompt.userMessage({ content: [Prompt.textPart({ text })] })
    const result = (id: string) =>
      Prompt.toolMessage({
        content: [Prompt.toolResultPart({ id, name: "a", isFailure: false, result: id, providerExecuted: false })]
      })
    const prompt = Prompt.fromMessages([user("a"), user("b"), result("1"), result("2")])
    assertSame(back(prompt).prompt, prompt)
    assertSame(back(Prompt.empty).prompt, Prompt.empty)
  })

  it("stores a message of one text as text, as people write them", () => {
    const [message] = Result.getOrThrow(SessionPrompt.toMessages(Prompt.make("hello")))
    assert.deepStrictEqual(message, { role: "user", content: "hello" })
  })

  it("says where a prompt has what JSON can't hold", () => {
    const call = Prompt.toolCallPart({ id: "1", name: "a", params: { when: new Date(0) }, providerExecuted: false })
    const refused = SessionPrompt.toMessages(Prompt.fromMessages([Prompt.assistantMessage({ content: [call] })]))
    assert.isTrue(Result.isFailure(refused))
    if (Result.isFailure(refused)) assert.strictEqual(refused.failure.path, "content[0].params.when")
  })

  it("reads messages of any other program, and tells what has no place in a prompt", () => {
    const { leftOut, prompt } = SessionPrompt.fromMessages([
      {
        id: "1",
        role: "system",
        content: [{ type: "text", text: "a" }, { type: "reasoning", text: "b" }, { type: "text", text: "c" }],
        timestamp: at
      },
      { id: "2", role: "tool", content: "done", timestamp: at },
      {
        id: "3",
        role: "user",
        content: [{ type: "text", text: "d" }, { type: "file", mediaType: "a", data: { of: "others" } }],
        timestamp: at,
        options: "none"
      }
    ])
    assert.deepStrictEqual(leftOut, [
      { messageId: "1", index: 1, type: "reasoning" },
      { messageId: "2", index: 0, type: "text" },
      { messageId: "3", index: 1, type: "file" }
    ])
    assert.deepStrictEqual(
      prompt.content.map(({ content, options, role }) => [role, Prompts.plain(content), options]),
      [
        ["system", "a\nc", {}],
        ["tool", [], {}],
        ["user", Prompts.plain([Prompt.textPart({ text: "d" })]), {}]
      ]
    )
  })

  it("gives the same messages as objects each time, so that providers recognise what they have seen", () => {
    const all = stored(Prompt.make([{ role: "user", content: "a" }, { role: "assistant", content: "b" }]))
    const [first, second] = [SessionPrompt.fromMessages(all), SessionPrompt.fromMessages([...all])]
    for (const [index, message] of first.prompt.content.entries()) {
      assert.strictEqual(second.prompt.content[index], message)
    }
  })
})
