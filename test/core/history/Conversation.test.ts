import { assert, describe, it } from "@effect/vitest"
import type { Session } from "effect-reprise"
import * as Branch from "../../../src/core/history/Branch.ts"
import * as Conversation from "../../../src/core/history/Conversation.ts"
import type { Said } from "../../../src/core/history/History.ts"
import * as Parts from "../../../src/core/history/Parts.ts"
import * as Tally from "../../../src/core/history/Tally.ts"

const says = (role: Said["role"], ...parts: ReadonlyArray<Session.Part>): Said => ({ role, parts })
const user = (text: string) => says("user", Parts.text(text))
const calls = (...ids: ReadonlyArray<string>) => says("assistant", ...ids.map((id) => Parts.call(id, `tool ${id}`, {})))
const answers = (...ids: ReadonlyArray<string>) => says("tool", ...ids.map((id) => Parts.result(id, "", `of ${id}`)))

/** The conversation in short: roles, and what each part is about. */
const assembled = (...said: ReadonlyArray<Said>) => {
  const tally = Tally.make()
  const told = Conversation.assemble(said.map((each, source) => ({ said: each, source })), tally)
  const short = told.map(({ parts, role }) =>
    `${role}: ${
      parts.map((part) => {
        switch (part.type) {
          case "text":
          case "reasoning":
            return part.text
          case "tool-call":
            return `call ${part.id}`
          case "tool-result":
            return `${part.id} ${part.result === Conversation.unknownResult ? "unknown" : JSON.stringify(part.result)}`
          default:
            return part.type
        }
      }).join(" | ")
    }`
  )
  const changes = Object.fromEntries(tally.counts().changes.map(({ change, count }) => [change, count]))
  return { short, changes, told }
}

describe("What was said, put together", () => {
  it("has the results of calls right after them, in their order, wherever they were written down", () => {
    assert.deepStrictEqual(assembled(user("go"), calls("a", "b"), user("wait"), answers("b"), answers("a")).short, [
      "user: go",
      "assistant: call a | call b",
      "tool: a \"of a\" | b \"of b\"",
      "user: wait"
    ])
  })

  it("names results after the calls that they answer", () => {
    const [, tool] = assembled(calls("a"), answers("a")).told
    assert.deepInclude(tool?.parts[0], { type: "tool-result", name: "tool a" })
  })

  it("answers calls without a result as interrupted, and counts them", () => {
    const { changes, short } = assembled(calls("a", "b"), answers("b"), user("on"))
    assert.deepStrictEqual(short, ["assistant: call a | call b", "tool: a unknown | b \"of b\"", "user: on"])
    assert.deepStrictEqual(changes, { "a call without a result: answered as interrupted": 1 })
  })

  it("tells a result without its call as a text, and leaves out a second one", () => {
    const { changes, short } = assembled(answers("x"), calls("a"), answers("a"), answers("a"))
    assert.deepStrictEqual(short, [
      "user: Result of a tool, whose call is not in this history:\nof x",
      "assistant: call a",
      "tool: a \"of a\""
    ])
    assert.deepStrictEqual(changes, {
      "a second result of a call: left out": 1,
      "a result without its call: told as a text": 1
    })
  })

  it("gives calls ids of their own where they share one, each with its own result", () => {
    const { short } = assembled(calls("a"), answers("a"), calls("a"), says("tool", Parts.result("a", "", "later")))
    assert.deepStrictEqual(short, [
      "assistant: call a",
      "tool: a \"of a\"",
      "assistant: call a~2",
      "tool: a~2 \"later\""
    ])
  })

  it("is one message for the pieces of a group, also when results stand between them", () => {
    const piece = (said: Said): Said => ({ ...said, group: "g" })
    assert.deepStrictEqual(
      assembled(
        piece(calls("a")),
        answers("a"),
        piece(calls("b")),
        answers("b"),
        piece(says("assistant", Parts.text("c")))
      )
        .short,
      ["assistant: call a | call b | c", "tool: a \"of a\" | b \"of b\""]
    )
  })

  it("is one message for pieces that join, until something is answered", () => {
    const joins = (said: Said): Said => ({ ...said, joins: true })
    assert.deepStrictEqual(
      assembled(joins(says("assistant", Parts.text("x"))), joins(calls("a")), answers("a"), joins(calls("b"))).short,
      ["assistant: x | call a", "tool: a \"of a\"", "assistant: call b", "tool: b unknown"]
    )
  })

  it("has no message in which nothing stands, and counts what it used for the answer before it", () => {
    const usage = { inputTokens: 1, outputTokens: 2, totalCost: 0 }
    const { short, told } = assembled(
      user("go"),
      { ...says("assistant", Parts.text("x")), usage },
      user("  "),
      says("assistant", Parts.reasoning("")),
      { ...says("assistant", Parts.text("\n")), usage }
    )
    assert.deepStrictEqual(short, ["user: go", "assistant: x"])
    assert.deepStrictEqual(told[1]?.usage, { inputTokens: 2, outputTokens: 4, totalCost: 0 })
  })

  it("keeps what the provider's own tools did in the message that did it", () => {
    const options = { byProvider: true }
    const { short } = assembled(
      says("assistant", Parts.call("", "search", {}, options), Parts.result("", "search", "found", options)),
      says("assistant", Parts.call("s", "search", {}, options))
    )
    assert.deepStrictEqual(short, ["assistant: call call-1 | call-1 \"found\"", "assistant: call s | s unknown"])
  })
})

describe("The branch of a tree that is the conversation", () => {
  const entry = (id: string, parent: string | null | undefined, said: ReadonlyArray<Said> = [user(id)]) => ({
    id,
    ...(parent === undefined ? {} : { parent }),
    said
  })
  const chosen = (shape: "tree" | "looseTree", ...entries: ReadonlyArray<Branch.Entry>) =>
    [...Branch.current(entries, shape)].sort((one, two) => one - two).map((index) => entries[index]?.id)

  it("ends with the last record, and leaves other branches out", () => {
    const tree = [entry("a", null), entry("b", "a"), entry("c", "b"), entry("d", "a"), entry("e", "d")]
    assert.deepStrictEqual(chosen("tree", ...tree), ["a", "d", "e"])
    assert.deepStrictEqual(chosen("tree", ...tree, entry("f", "c")), ["a", "b", "c", "f"])
  })

  it("begins anew where the tree does", () => {
    assert.deepStrictEqual(chosen("tree", entry("a", null), entry("b", null), entry("c", "b")), ["b", "c"])
  })

  it("goes on where a parent is missing, comes later, or is itself", () => {
    const entries = [entry("a", null), entry("b", "nowhere"), entry("c", "d"), entry("d", "d"), entry("e", undefined)]
    assert.deepStrictEqual(chosen("tree", ...entries), ["a", "b", "c", "d", "e"])
  })

  it("ends in a loose tree with what was said last, whatever notices hang elsewhere", () => {
    const entries = [entry("a", undefined), entry("b", "a"), entry("notice", "a", [])]
    assert.deepStrictEqual(chosen("looseTree", ...entries), ["a", "b"])
  })

  it("holds in a loose tree the pieces and the results beside it that belong to it", () => {
    const piece = (id: string, parent: string) => entry(id, parent, [{ ...calls(id), group: "g" }])
    const entries = [
      entry("a", undefined),
      piece("b", "a"),
      piece("c", "b"),
      entry("rc", "c", [answers("c")]),
      entry("rb", "b", [answers("b")]),
      entry("d", "rc"),
      entry("rb again", "b", [answers("b")])
    ]
    assert.deepStrictEqual(chosen("looseTree", ...entries.slice(0, 6)), ["a", "b", "c", "rc", "rb", "d"])
  })

  it("goes on in a loose tree after a compaction, also where a record names one before it", () => {
    const summary = entry("s", "b", [{ ...user("summary"), metadata: { isCompactSummary: true } }])
    const entries = [entry("a", undefined), entry("b", "a"), summary, entry("c", "s"), entry("d", "a")]
    assert.deepStrictEqual(chosen("looseTree", ...entries), ["a", "b", "s", "c", "d"])
  })
})
