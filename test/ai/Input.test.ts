/** What a chat refuses before anything is stored: what every provider would refuse for ever. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { type Session, SessionError, Sessions } from "effect-reprise"
import { SessionChat } from "effect-reprise/ai"
import { TestSessions } from "effect-reprise/testing"
import { Prompt } from "effect/ai"
import { config } from "../suites/rig.ts"
import * as Model from "./model.ts"
import * as Tools from "./tools.ts"

const test = <A, E>(
  name: string,
  body: () => Effect.Effect<A, E, Layer.Success<typeof TestSessions.layerMemory>>
) => it.effect(name, () => Effect.provide(body(), TestSessions.layerMemory, { local: true }))

const result = (id: string): Prompt.MessageEncoded => ({
  role: "tool",
  content: [{ type: "tool-result", id, name: "add", isFailure: false, result: 3 }]
})

const call = (id: string): Prompt.MessageEncoded => ({
  role: "assistant",
  content: [{ type: "tool-call", id, name: "add", params: {} }]
})

const approval = (approvalId: string): Prompt.MessageEncoded => ({
  role: "tool",
  content: [{ type: "tool-approval-response", approvalId, approved: true }]
})

const user: Prompt.MessageEncoded = { role: "user", content: "hello" }

const awaiting: ReadonlyArray<Session.MessageInput> = [
  { role: "user", content: "delete it" },
  {
    role: "assistant",
    content: [
      { type: "tool-call", id: "1", name: "delete", params: { path: "/etc" } },
      { type: "tool-approval-request", approvalId: "a", toolCallId: "1" }
    ]
  }
]

/** Takes a turn on a session that holds something, and tells how it ended and what was added. */
const turn = Effect.fnUntraced(function*(before: ReadonlyArray<Session.MessageInput>, prompt: Prompt.RawInput) {
  const toolkit = yield* Effect.provide(Tools.toolkit, Tools.layer())
  const session = yield* Sessions.create({ project: "/project", config })
  yield* Effect.forEach(before, session.append)
  const chat = yield* SessionChat.make(session)
  const outcome = yield* chat.generateText({ prompt, toolkit }).pipe(
    Effect.provide(Model.layer(Model.inTurn([Model.text("done")]))),
    Effect.as("done"),
    Effect.catchTag("AiError", ({ reason }) => Effect.succeed(reason._tag))
  )
  const { conversation } = yield* session.state
  yield* Sessions.close(session.id)
  const added: ReadonlyArray<string> = conversation.slice(before.length).map(({ role }) => role)
  return [outcome, added] as const
})

describe("A chat", () => {
  test("refuses prompts that no provider would take, and stores nothing of them", () =>
    Effect.gen(function*() {
      const refused = ["InvalidUserInputError", []] as const
      assert.deepStrictEqual(yield* turn([], ""), refused)
      assert.deepStrictEqual(yield* turn([], [{ role: "user", content: [] }]), refused)
      assert.deepStrictEqual(yield* turn([], [user, result("1")]), refused)
      assert.deepStrictEqual(yield* turn([], [user, call("1")]), refused)
      assert.deepStrictEqual(yield* turn([], [user, call("1"), result("1"), result("1")]), refused)
      assert.deepStrictEqual(yield* turn([], [user, approval("a")]), refused)
      assert.deepStrictEqual(yield* turn(awaiting, [approval("b")]), refused)
      assert.deepStrictEqual(yield* turn(awaiting, [user]), refused)
      assert.deepStrictEqual(yield* turn(awaiting, []), refused)
    }))

  test("takes prompts that are whole conversations, and answers to what is pending", () =>
    Effect.gen(function*() {
      const whole: ReadonlyArray<Prompt.MessageEncoded> = [
        { role: "system", content: "Be brief." },
        user,
        call("1"),
        result("1"),
        { role: "assistant", content: "Three." },
        user
      ]
      const roles = ["system", "user", "assistant", "tool", "assistant", "user", "assistant"]
      assert.deepStrictEqual(yield* turn([], whole), ["done", roles])
      assert.deepStrictEqual(yield* turn(awaiting, [approval("a")]), ["done", ["tool", "tool", "assistant"]])
    }))

  test("takes up a prompt where it was cut off, and appends what was not there yet", () =>
    Effect.gen(function*() {
      const said = (...texts: ReadonlyArray<string>) => texts.map((content) => ({ role: "user" as const, content }))
      assert.deepStrictEqual(yield* turn(said("a"), said("a", "b")), ["done", ["user", "assistant"]])
      assert.deepStrictEqual(yield* turn(said("a", "b"), said("a", "b")), ["done", ["assistant"]])
      assert.deepStrictEqual(yield* turn(said("a", "b"), said("b")), ["done", ["assistant"]])
      assert.deepStrictEqual(yield* turn(said("a", "b"), said("a")), ["done", ["user", "assistant"]])
      const answered = [...said("a"), { role: "assistant" as const, content: "b" }]
      assert.deepStrictEqual(yield* turn(answered, said("a")), ["done", ["user", "assistant"]])
    }))

  test("refuses an answer to an approval where it has no tools, or not the one in question, and keeps it pending", () =>
    Effect.gen(function*() {
      const session = yield* Sessions.create({ project: "/project", config })
      yield* Effect.forEach(awaiting, session.append)
      const chat = yield* SessionChat.make(session)
      const error = yield* Effect.flip(
        Effect.provide(chat.generateText({ prompt: [approval("a")] }), Model.layer(Model.working))
      )
      assert.strictEqual(error._tag === "AiError" ? error.reason._tag : error._tag, "ToolkitRequiredError")
      assert.lengthOf(yield* chat.pendingApprovals, 1)
    }))

  test("refuses what no session can hold, and says where it is", () =>
    Effect.gen(function*() {
      const session = yield* Sessions.create({ project: "/project", config })
      const chat = yield* SessionChat.make(session)
      const error = yield* Effect.flip(
        Effect.provide(chat.generateText({ prompt: "lone \ud800" }), Model.layer(Model.working))
      )
      assert.isTrue(error instanceof SessionError.EventRejected && error.reason._tag === "Invalid")
      assert.lengthOf((yield* session.state).conversation, 0)
    }))

  test("refuses a prompt that is none with a typed error", () =>
    Effect.gen(function*() {
      const session = yield* Sessions.create({ project: "/project", config })
      const chat = yield* SessionChat.make(session)
      const foreign: unknown = JSON.parse("[{\"role\":\"user\",\"content\":[{\"type\":\"image\"}]}]")
      const isPrompt = (value: unknown): value is ReadonlyArray<Prompt.MessageEncoded> => Array.isArray(value)
      assert.isTrue(isPrompt(foreign))
      if (!isPrompt(foreign)) return
      const error = yield* Effect.flip(
        Effect.provide(chat.generateText({ prompt: foreign }), Model.layer(Model.working))
      )
      assert.strictEqual(error._tag === "AiError" ? error.reason._tag : error._tag, "InvalidUserInputError")
      assert.notInclude(error.message, "image")
    }))

  test("gives its model the same prompt whether it was a Prompt, messages or text", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const script: Model.Script = ({ content }) =>
        Effect.sync(() => {
          seen.push(JSON.stringify(content))
          return [Model.text("done")]
        })
      for (const prompt of ["hello", [user], Prompt.make("hello")]) {
        const session = yield* Sessions.create({ project: "/project", config })
        const chat = yield* SessionChat.make(session)
        yield* Effect.provide(chat.generateText({ prompt }), Model.layer(script))
        yield* Sessions.close(session.id)
      }
      assert.strictEqual(new Set(seen).size, 1)
    }))
})
