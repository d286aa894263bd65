import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import type { Session } from "effect-reprise"
import * as Search from "../../src/core/Search.ts"
import * as Documents from "./documents.ts"

const said = (content: Session.Message["content"], role: Session.Role = "user"): Session.Message => ({
  id: "m",
  role,
  content,
  timestamp: Documents.at
})

const search = (conversation: ReadonlyArray<Session.Message>, query: Search.Query) =>
  Array.from(Search.search(conversation, query)).flatMap(({ found }) => found === undefined ? [] : [found])

/** Where it stands: number, place and match. */
const places = (conversation: ReadonlyArray<Session.Message>, query: Search.Query) =>
  search(conversation, query).map(({ number, place, text }) => [number, place, text])

const turn: ReadonlyArray<Session.Message> = [
  said("Read the FOX file"),
  said([
    { type: "reasoning", text: "a fox, hm" },
    { type: "text", text: "I'll read." },
    { type: "tool-call", id: "1", name: "fox-finder", params: { path: "fox.txt", fox: 7, deep: [{ is: "a fox" }] } },
    { type: "file", mediaType: "fox/png", data: "fox" }
  ], "assistant"),
  said([{
    type: "tool-result",
    id: "1",
    name: "fox-finder",
    isFailure: false,
    result: { lines: ["the \"fox\"\nruns"] }
  }], "tool")
]

const word = Schema.Literals(["a", "b", "ab", "B", " ", "\n", "É"])
const Text = Schema.Array(word).check(Schema.isMaxLength(12))

describe("A search in a conversation", () => {
  it("finds a text in what was said, thought, asked of tools and answered, in this order", () => {
    assert.deepStrictEqual(places(turn, { text: "fox" }), [
      [1, "text", "FOX"],
      [2, "reasoning", "fox"],
      [2, "tool-call", "fox"],
      [2, "tool-call", "fox"],
      [2, "tool-call", "fox"],
      [3, "tool-result", "fox"]
    ])
  })

  it("finds values as they were said, whatever JSON makes of them", () => {
    assert.deepStrictEqual(places(turn, { text: "\"fox\"\nruns" }), [[3, "tool-result", "\"fox\"\nruns"]])
    assert.deepStrictEqual(places(turn, { text: "7" }), [[2, "tool-call", "7"]])
  })

  it("looks only at the roles and places that are asked for", () => {
    assert.deepStrictEqual(places(turn, { text: "fox", roles: ["user", "tool"] }).map(([number]) => number), [1, 3])
    assert.deepStrictEqual(places(turn, { text: "fox", places: ["text"] }), [[1, "text", "FOX"]])
    assert.deepStrictEqual(places(turn, { text: "fox", roles: [] }), [])
  })

  it("minds the case where it is told to, or where the text has a capital", () => {
    const conversation = [said("Straße STRASSE straße ÉCOLE école")]
    const texts = (text: string, matchCase?: Search.Query["matchCase"]) =>
      search(conversation, { text, ...(matchCase === undefined ? {} : { matchCase }) }).map(({ text }) => text)
    assert.deepStrictEqual(texts("école"), ["ÉCOLE", "école"])
    assert.deepStrictEqual(texts("école", "smart"), ["ÉCOLE", "école"])
    assert.deepStrictEqual(texts("ÉCOLE", "smart"), ["ÉCOLE"])
    assert.deepStrictEqual(texts("école", "exact"), ["école"])
    assert.deepStrictEqual(texts("straße"), ["Straße", "straße"])
  })

  it("takes a text for what it is, not for an expression", () => {
    const hostile = "a.b*c(d)[e]{f}^$|\\g/h+?"
    assert.lengthOf(search([said(`x${hostile}x`)], { text: hostile }), 1)
    assert.lengthOf(search([said("axb")], { text: "a.b" }), 0)
  })

  it("tries an expression on each line, and leaves out what matches nothing", () => {
    const conversation = [said("one\r\ntwo\n\nthree one")]
    const texts = (text: RegExp) => search(conversation, { text }).map(({ text }) => text)
    assert.deepStrictEqual(texts(/^\w+$/), ["one", "two"])
    assert.deepStrictEqual(texts(/one$/g), ["one", "one"])
    assert.deepStrictEqual(texts(/x*/y), [])
    assert.deepStrictEqual(texts(/ONE/i), ["one", "one"])
  })

  it("tries an expression on pieces of a line that is long, and comes up between them", () => {
    const long = `${"a".repeat(20_000)}b`
    const steps = Array.from(Search.search([said(long)], { text: /b/ }))
    assert.deepStrictEqual(steps.map(({ characters }) => characters), [16_384, 0, 3_617])
    assert.strictEqual(steps[1]?.found?.before, "a".repeat(80))
  })

  it("tells what is around a match, and cuts no character in two", () => {
    const [found] = search([said("🦊🦊 fox 🦊🦊")], { text: "fox", context: 4 })
    assert.deepInclude(found, { before: "🦊 ", text: "fox", after: " 🦊" })
    const [bare] = search([said("🦊fox🦊")], { text: "fox", context: 0 })
    assert.deepInclude(bare, { before: "", after: "" })
  })

  it.prop(
    "finds what a plain filter finds, as often",
    [Schema.Array(Text).check(Schema.isMaxLength(5)), Schema.NonEmptyArray(word)],
    ([texts, words]) => {
      const text = words.join("")
      const contents = texts.map((words) => words.join(""))
      const conversation = contents.map((content) => said(content))
      const plain = (same: (text: string) => string) =>
        contents.map((content) => same(content).split(same(text)).length - 1)
      const counted = (query: Omit<Search.Query, "text">) =>
        conversation.map((_, index) =>
          search(conversation, { text, ...query }).filter(({ number }) => number === index + 1).length
        )
      assert.deepStrictEqual(counted({ matchCase: "exact" }), plain((text) => text))
      assert.deepStrictEqual(counted({}), plain((text) => text.toLowerCase()))
    },
    { arbitrary: { runs: 200 } }
  )
})
