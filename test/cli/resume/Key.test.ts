/** What a terminal tells of keys. */
import { assert, describe, it } from "@effect/vitest"
import { Option } from "effect"
import * as Key from "../../../src/cli/resume/Key.ts"
import { input } from "./typing.ts"

const named = (key: Parameters<typeof input>[0]) => Option.getOrUndefined(Key.fromInput(input(key)))

describe("A key", () => {
  it("is text where it is something to print", () => {
    assert.deepStrictEqual(named({ input: "a", name: "a" }), Key.text("a"))
    assert.deepStrictEqual(named({ input: "A", name: "a", shift: true }), Key.text("A"))
    assert.deepStrictEqual(named({ input: " ", name: "space" }), Key.text(" "))
    assert.deepStrictEqual(named({ input: "語" }), Key.text("語"))
  })

  it("is named with what was held", () => {
    assert.deepStrictEqual(named({ input: "\u0003", name: "c", ctrl: true }), Key.press("ctrl-c"))
    assert.deepStrictEqual(named({ input: "\r", name: "return" }), Key.press("return"))
    assert.deepStrictEqual(named({ name: "b", meta: true }), Key.press("meta-b"))
    assert.deepStrictEqual(named({ name: "tab", shift: true }), Key.press("shift-tab"))
    assert.deepStrictEqual(named({ name: "up" }), Key.press("up"))
  })

  it("is Escape, though terminals tell it as one with meta", () => {
    assert.deepStrictEqual(named({ input: "\u001b", name: "escape", meta: true }), Key.press("escape"))
  })

  it("is none where nobody knows the sequence", () => {
    assert.isUndefined(named({ name: "undefined" }))
    assert.isUndefined(named({ input: "\u001b", name: "" }))
  })
})
