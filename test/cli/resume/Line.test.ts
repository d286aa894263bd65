/** What a typed line means. */
import { assert, describe, it } from "@effect/vitest"
import * as Line from "../../../src/cli/resume/Line.ts"

const why = (typed: string): string => {
  const line = Line.parse(typed)
  return line._tag === "Unknown" ? `${line.why} ${line.next}` : line._tag
}

describe("A line", () => {
  it("without a slash is said as it is", () => {
    assert.deepStrictEqual(Line.parse("hello /todo"), { _tag: "Say", text: "hello /todo" })
    assert.deepStrictEqual(Line.parse("  indented\n  code "), { _tag: "Say", text: "  indented\n  code " })
    assert.deepStrictEqual(Line.parse(" /todo x"), { _tag: "Say", text: " /todo x" })
  })

  it("with two slashes is said with one", () => {
    assert.deepStrictEqual(Line.parse("//etc/hosts is gone"), { _tag: "Say", text: "/etc/hosts is gone" })
  })

  it("of nothing but spaces is nothing", () => {
    assert.deepStrictEqual(Line.parse(""), { _tag: "Nothing" })
    assert.deepStrictEqual(Line.parse(" \n\t"), { _tag: "Nothing" })
  })

  it("with a slash is a command", () => {
    assert.deepStrictEqual(Line.parse("/todo  Write tests "), { _tag: "AddTodo", content: "Write tests" })
    assert.deepStrictEqual(Line.parse("/todo one\ntwo"), { _tag: "AddTodo", content: "one\ntwo" })
    assert.deepStrictEqual(Line.parse("/todo"), { _tag: "Todos" })
    assert.deepStrictEqual(Line.parse("/done 12"), { _tag: "FinishTodo", number: 12 })
    assert.deepStrictEqual(["/save", "/show", "/help", "/quit "].map((typed) => Line.parse(typed)._tag), [
      "Save",
      "Show",
      "Help",
      "Quit"
    ])
  })

  it("that is no command says what would be one", () => {
    assert.include(why("/etc/hosts is gone"), "begin with //")
    assert.include(why("/todos"), "Did you mean /todo?")
    assert.include(why("/do"), "Did you mean /done?")
    assert.notInclude(why("/"), "Did you mean")
    assert.include(why("/quit now"), "Type /quit alone.")
  })

  it("needs a number where a todo is done", () => {
    for (const typed of ["/done", "/done x", "/done 0", "/done -1", "/done 1 2", "/done 1e3", "/done 9999999"]) {
      assert.include(why(typed), "needs the number of a todo")
    }
  })
})
