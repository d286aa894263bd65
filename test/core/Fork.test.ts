import { assert, describe, it } from "@effect/vitest"
import { Option, Result, Schema } from "effect"
import { Session, type SessionId } from "effect-reprise"
import * as Fork from "../../src/core/Fork.ts"
import * as Head from "../../src/core/Head.ts"
import * as Snapshot from "../../src/core/Snapshot.ts"
import * as Documents from "./documents.ts"

const said = (id: string, content: Session.Message["content"], role: Session.Role = "user"): Session.Message => ({
  id,
  role,
  content,
  timestamp: Documents.at
})
const calls = (id: string, ...of: ReadonlyArray<string>) =>
  said(id, of.map((call) => ({ type: "tool-call", id: call, name: "read", params: {} })), "assistant")
const answers = (id: string, ...of: ReadonlyArray<string>) =>
  said(
    id,
    of.map((call) => ({ type: "tool-result", id: call, name: "read", isFailure: false, result: "" })),
    "tool"
  )

const cut = (conversation: ReadonlyArray<Session.Message>, at?: number | string) =>
  Option.getOrThrow(Fork.cut(conversation, at))

const made = (from: Session.SessionState, messages: number) =>
  Fork.make(from, messages, { id: Documents.otherId, name: "b", projectPath: "/b", at: Documents.later })

/** A call, an answer, or a word, of one of a few calls whose ids come again. */
const Step = Schema.Struct({
  what: Schema.Literals(["word", "call", "answer"]),
  of: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 }))
})

const messageOf = ({ of, what }: typeof Step.Type, index: number): Session.Message => {
  const [id, call] = [String(index), `c${of}`]
  return what === "word" ? said(id, "word") : what === "call" ? calls(id, call) : answers(id, call)
}

/** Calls that are open behind so many messages, as a chat counts them. */
const openBehind = (conversation: ReadonlyArray<Session.Message>, messages: number): ReadonlyArray<string> => {
  const open: Array<string> = []
  for (
    const part of conversation.slice(0, messages).flatMap(({ content }) => typeof content === "string" ? [] : content)
  ) {
    if (part.type === "tool-call") open.push(part.id)
    if (part.type === "tool-result" && open.includes(part.id)) open.splice(open.lastIndexOf(part.id), 1)
  }
  return open
}

describe("A conversation that is forked", () => {
  it("is cut behind the message of that number, or with that id, the last of several", () => {
    const conversation = [said("a", "1"), said("b", "2"), said("a", "3"), said("c", "4")]
    assert.deepStrictEqual(cut(conversation, 2), { messages: 2, beyond: 0, openCalls: 0 })
    assert.deepStrictEqual(cut(conversation, "b"), { messages: 2, beyond: 0, openCalls: 0 })
    assert.deepStrictEqual(cut(conversation, "a"), { messages: 3, beyond: 0, openCalls: 0 })
    assert.deepStrictEqual(cut(conversation), { messages: 4, beyond: 0, openCalls: 0 })
    assert.deepStrictEqual(cut([]), { messages: 0, beyond: 0, openCalls: 0 })
  })

  it("is not cut behind a message that it does not have", () => {
    for (const at of [0, -1, 3, 1.5, Number.NaN, Infinity, "", "1"]) {
      assert.deepStrictEqual(Fork.cut([said("a", "1"), said("b", "2")], at), Option.none(), String(at))
    }
  })

  it("is cut behind the answers of its calls, and of those that are made on the way", () => {
    const conversation = [
      said("1", "go"),
      calls("2", "x", "y"),
      answers("3", "x"),
      said("4", "hurry"),
      calls("5", "z"),
      answers("6", "y"),
      answers("7", "z"),
      said("8", "done", "assistant")
    ]
    assert.deepStrictEqual([1, 2, 3, 4, 5, 6, 7, 8].map((at) => cut(conversation, at).messages), [
      1,
      7,
      7,
      7,
      7,
      7,
      7,
      8
    ])
    assert.strictEqual(cut(conversation, "2").beyond, 5)
  })

  it("keeps a call open that nobody has answered, and is not moved by it", () => {
    const conversation = [calls("1", "x"), said("2", "and?"), calls("3", "y"), answers("4", "y")]
    assert.deepStrictEqual(cut(conversation, 1), { messages: 1, beyond: 0, openCalls: 1 })
    assert.deepStrictEqual(cut(conversation, 3), { messages: 4, beyond: 1, openCalls: 1 })
  })

  it("is not moved by calls that their provider runs itself", () => {
    const own = said("1", [
      { type: "tool-call", id: "x", name: "search", params: {}, providerExecuted: true }
    ], "assistant")
    assert.deepStrictEqual(cut([own, answers("2", "x")], 1), { messages: 1, beyond: 0, openCalls: 0 })
  })

  it.prop(
    "leaves no call without the answer that it has, and takes no more than that needs",
    [Schema.Array(Step).check(Schema.isMaxLength(12))],
    ([steps]) => {
      const conversation = steps.map(messageOf)
      const all = openBehind(conversation, conversation.length)
      for (const [index] of conversation.entries()) {
        const { beyond, messages, openCalls } = cut(conversation, index + 1)
        assert.strictEqual(messages, index + 1 + beyond)
        assert.strictEqual(openBehind(conversation, messages).length, openCalls)
        const settled = Array.from({ length: conversation.length }, (_, at) => at + 1).filter((at) => {
          // What is open there stays open: nothing behind it answers a call before it.
          const rest = openBehind(conversation.slice(at), conversation.length - at)
          return openBehind(conversation, at).length + rest.length === all.length
        })
        assert.strictEqual(messages, settled.find((at) => at > index))
      }
    },
    { arbitrary: { runs: 200 } }
  )

  it.prop(
    "begins with the messages as they are, with their usage, and tells its parent",
    [Documents.states],
    ([from]) => {
      for (let messages = 0; messages <= from.conversation.length; messages++) {
        const { conversation, promptHistory, revision, session, todos, usage } = made(from, messages)
        const isWhole = messages === from.conversation.length
        assert.deepStrictEqual(conversation, from.conversation.slice(0, messages))
        assert.deepStrictEqual([session.id, session.name, session.projectPath], [Documents.otherId, "b", "/b"])
        assert.deepStrictEqual([session.createdAt, session.updatedAt], [Documents.later, Documents.later])
        assert.deepStrictEqual(session.parent, { id: from.session.id, revision: from.revision, messages })
        assert.deepStrictEqual([session.config, session.metadata], [from.session.config, from.session.metadata])
        assert.deepStrictEqual(promptHistory, from.promptHistory)
        assert.strictEqual(revision, 0)
        assert.deepStrictEqual(todos, isWhole ? from.todos : [])
        const sum = conversation.reduce(
          (sum, { usage = Session.noUsage }) => Session.addUsage(sum, usage),
          Session.noUsage
        )
        assert.deepStrictEqual(usage, isWhole ? from.usage : sum)
      }
    },
    { arbitrary: { runs: 50 } }
  )

  it("is called after its parent, once, in a name that is valid", () => {
    assert.strictEqual(Fork.nameOf("Fix the tests"), "Fork of Fix the tests")
    assert.strictEqual(Fork.nameOf("Fork of Fix the tests"), "Fork of Fix the tests")
    for (const name of ["x".repeat(50), "👩‍👩‍👧".repeat(50), "a\u0301".repeat(50)]) {
      assert.isTrue(Schema.is(Session.Name)(Fork.nameOf(name)))
    }
  })
})

describe("A lineage", () => {
  const forked: Session.SessionState = made(Documents.small, 1)

  it("stands in the head and in the document, and comes back", () => {
    const { bytes } = Documents.publish(forked)
    const id: SessionId.SessionId = Documents.otherId
    const head = Option.getOrThrow(Result.getOrThrow(Head.decode(id, bytes.subarray(0, 1000), true)))
    assert.deepStrictEqual(head.parent, { id: Documents.id, revision: 4, messages: 1 })
    const { state } = Result.getOrThrow(Snapshot.open(Documents.keyRing, id, bytes, Documents.rules))
    assert.deepStrictEqual(state, forked)
  })

  it("is kept where a program that does not know it wrote it behind everything else", () => {
    const document = { ...Documents.document, parent: { id: Documents.otherId, revision: 1, messages: 0 } }
    const { state } = Result.getOrThrow(
      Snapshot.open(Documents.keyRing, Documents.id, Documents.sign(document), Documents.rules)
    )
    assert.deepStrictEqual(state.session.parent, { id: Documents.otherId, revision: 1, messages: 0 })
    assert.deepStrictEqual(state.extra, {})
  })

  it("is not there in a document without it", () => {
    const { bytes } = Documents.publish(Documents.small)
    assert.notInclude(new TextDecoder().decode(bytes), "parent")
    const { head, state } = Result.getOrThrow(
      Snapshot.open(Documents.keyRing, Documents.id, bytes, Documents.rules)
    )
    assert.isFalse(Object.hasOwn(head, "parent") || Object.hasOwn(state.session, "parent"))
  })

  it("is refused where it is none, however it is signed", () => {
    for (
      const parent of ["x", {}, { id: "x", revision: 1, messages: 0 }, { id: Documents.id, revision: -1, messages: 0 }]
    ) {
      const opened = Snapshot.open(
        Documents.keyRing,
        Documents.id,
        Documents.sign({ ...Documents.document, parent }),
        Documents.rules
      )
      assert.include(Result.isFailure(opened) ? opened.failure.message : "", "parent")
    }
  })
})
