/** A line that is being typed, a key at a time. */
import { assert, describe, it } from "@effect/vitest"
import * as Editor from "../../../src/cli/resume/Editor.ts"
import * as Typing from "./typing.ts"

/** Types into an empty line, and shows it with `|` where the cursor is. */
const typed = (keys: string, history: ReadonlyArray<string> = []): string =>
  shown(Typing.keys(keys).reduce(Editor.press, Editor.make(history)))

const shown = ({ cursor, text }: Editor.Editor): string => `${text.slice(0, cursor)}|${text.slice(cursor)}`

describe("A line", () => {
  it("takes text where the cursor is", () => {
    assert.strictEqual(typed("hllo<left><left><left>e"), "he|llo")
  })

  it("moves by whole characters, of however many units they are", () => {
    assert.strictEqual(typed("a👩‍👩‍👧b<left><left>"), "a|👩‍👩‍👧b")
    assert.strictEqual(typed("a👩‍👩‍👧b<left><backspace>"), "a|b")
    assert.strictEqual(typed("né<left><left><delete>"), "|é")
  })

  it("does not move out of itself", () => {
    assert.strictEqual(typed("a<left><left><left>"), "|a")
    assert.strictEqual(typed("a<right>"), "a|")
    assert.strictEqual(typed("a<left><backspace>"), "|a")
    assert.strictEqual(typed("a<delete>"), "a|")
  })

  it("goes to its start and end, and over words", () => {
    assert.strictEqual(typed("one two<ctrl-a>"), "|one two")
    assert.strictEqual(typed("one two<ctrl-a><ctrl-e>"), "one two|")
    assert.strictEqual(typed("one two <meta-b>"), "one |two ")
    assert.strictEqual(typed("one two<home><meta-f>"), "one| two")
    assert.strictEqual(typed("one two<home><end>"), "one two|")
    assert.strictEqual(typed("one two<ctrl-left><ctrl-left>"), "|one two")
    assert.strictEqual(typed("one two<home><ctrl-right><ctrl-right>"), "one two|")
  })

  it("is cut, and what was cut is put back", () => {
    assert.strictEqual(typed("one two<ctrl-w>"), "one |")
    assert.strictEqual(typed("one two<meta-b><ctrl-k>"), "one |")
    assert.strictEqual(typed("one two<meta-b><ctrl-u>"), "|two")
    assert.strictEqual(typed("one two<home><meta-d>"), "| two")
    assert.strictEqual(typed("one two<ctrl-w><ctrl-a><ctrl-y>"), "two|one ")
    assert.strictEqual(typed("one<ctrl-y>"), "one|")
  })

  it("has several lines when it is told to, and the arrows go between them", () => {
    assert.strictEqual(typed("one<enter>two"), "one\ntwo|")
    assert.strictEqual(typed("one<meta-return>two<up>"), "one|\ntwo")
    assert.strictEqual(typed("three<enter>two<up><down>"), "three\ntwo|")
    assert.strictEqual(typed("o<enter>three<up>"), "o|\nthree")
    assert.strictEqual(typed("one<enter>two<ctrl-a>"), "one\n|two")
    assert.strictEqual(typed("one<enter>two<up><ctrl-e><delete>"), "one|two")
  })

  it("keeps the lines and tabs of what is pasted", () => {
    assert.strictEqual(typed("<paste-start>one<return><tab>two<return><paste-end>"), "one\n\ttwo\n|")
  })

  it("is as it was after keys that mean nothing to it", () => {
    const editor = Editor.withText(Editor.make(), "one")
    for (const key of Typing.keys("<return><tab><f1><ctrl-c><escape><undefined>")) {
      assert.strictEqual(Editor.press(editor, key), editor)
    }
  })
})

describe("What was typed before", () => {
  it("comes back from the last to the first, and then stays", () => {
    assert.strictEqual(typed("<up>", ["one", "two"]), "two|")
    assert.strictEqual(typed("<up><up><up>", ["one", "two"]), "one|")
    assert.strictEqual(typed("<ctrl-p><ctrl-p><ctrl-n>", ["one", "two"]), "two|")
  })

  it("ends with what is being typed now", () => {
    assert.strictEqual(typed("dra<up><up><down><down>ft", ["one", "two"]), "draft|")
    assert.strictEqual(typed("draft<down>", ["one"]), "draft|")
  })

  it("is remembered, once where it is the same again, and not where it is nothing", () => {
    const history = ["one", "two", "two", ""].reduce(Editor.remember, Editor.make()).history
    assert.deepStrictEqual(history, ["one", "two"])
  })
})
