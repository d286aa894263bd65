/** How a text looks that is being typed. */
import { assert, describe, it } from "@effect/vitest"
import * as Field from "../../../src/cli/resume/Field.ts"

/** Lines with `|` where the cursor stands, in cells of one character. */
const shown = (marked: string, cells: number, rows = 10) => {
  const cursor = marked.indexOf("|")
  const { cursor: { column, row }, lines } = Field.render({ text: marked.replace("|", ""), cursor }, {
    lead: "> ",
    cells,
    rows
  })
  return lines.map((line, index) => index === row ? `${line.slice(0, column)}|${line.slice(column)}` : line)
}

describe("A field", () => {
  it("shows a line and its cursor", () => {
    assert.deepStrictEqual(shown("one t|wo", 20), ["> one t|wo"])
    assert.deepStrictEqual(shown("|", 20), ["> |"])
  })

  it("breaks what is longer than a row, and sets it in", () => {
    assert.deepStrictEqual(shown("abcdefgh|ij", 6), ["> abcd", "  efgh", "  |ij"])
  })

  it("has the cursor behind a row that is full, until there is more", () => {
    assert.deepStrictEqual(shown("abcd|", 6), ["> abcd|"])
    assert.deepStrictEqual(shown("abcd|\nef", 6), ["> abcd|", "  ef"])
    assert.deepStrictEqual(shown("abcd|e", 6), ["> abcd", "  |e"])
  })

  it("shows the lines of a text", () => {
    assert.deepStrictEqual(shown("one\n|two\n", 20), ["> one", "  |two", "  "])
    assert.deepStrictEqual(shown("one|\n\ntwo", 20), ["> one|", "  ", "  two"])
  })

  it("shows the rows around the cursor where there is no room for all", () => {
    assert.deepStrictEqual(shown("a\nb\nc\nd|\ne", 20, 2), ["  c", "  d|"])
    assert.deepStrictEqual(shown("a|\nb\nc", 20, 2), ["> a|", "  b"])
  })

  it("counts the cells of wide characters", () => {
    const { cursor, lines } = Field.render({ text: "日本語です", cursor: 3 }, { lead: "> ", cells: 8, rows: 5 })
    assert.deepStrictEqual(lines, ["> 日本語", "  です"])
    assert.deepStrictEqual(cursor, { row: 1, column: 2 })
  })

  it("shows what a terminal would act on as escapes", () => {
    const { lines } = Field.render({ text: "a\u001b[2Jb\u202e\tc", cursor: 0 }, { lead: "> ", cells: 80, rows: 5 })
    assert.deepStrictEqual(lines, ["> a\\x1b[2Jb\\u202e c"])
  })
})
