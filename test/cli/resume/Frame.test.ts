/** The sequences that draw, on a terminal of our own that follows them. */
import { assert, describe, it } from "@effect/vitest"
import * as Frame from "../../../src/cli/resume/Frame.ts"
import * as Screen from "./screen.ts"

const frame = (lines: ReadonlyArray<string>, row = 0, column = 0): Frame.Frame => ({ lines, cursor: { row, column } })

describe("A frame below what was printed", () => {
  it("takes the place of the one before, whatever their heights and cursors", () => {
    const frames = [
      frame(["", "> ", "help"], 1, 2),
      frame(["", "> one", "  two", "help"], 2, 5),
      frame(["> "], 0, 2),
      frame(["a", "b", "c", "d"], 3, 1)
    ]
    const screen = Screen.make(20, 10)
    let before: Frame.Frame | undefined
    for (const next of frames) {
      screen.write(Frame.inline(before, next, { columns: 20, printed: [`printed ${next.lines.length}`] }))
      before = next
    }
    assert.deepStrictEqual(screen.lines(), ["printed 3", "printed 4", "printed 1", "printed 4", "a", "b", "c", "d"])
    assert.deepStrictEqual(screen.cursor(), { row: 7, column: 1 })
  })

  it("is taken away as a whole", () => {
    const screen = Screen.make(20, 10)
    const only = frame(["", "> one", "  two", "help"], 2, 5)
    screen.write(Frame.inline(undefined, only, { columns: 20, printed: ["printed"] }))
    screen.write(Frame.erase(only, 20))
    assert.deepStrictEqual(screen.lines(), ["printed"])
    assert.deepStrictEqual(screen.cursor(), { row: 1, column: 0 })
  })

  it("is found again by a terminal that became narrower and wrapped it", () => {
    const screen = Screen.make(30, 12)
    const wide = frame(["waiting waiting waiting", "> typed and typed and typed", "help and help"], 1, 27)
    screen.write(Frame.inline(undefined, wide, { columns: 30, printed: ["printed"] }))
    screen.resize(10)
    screen.write(Frame.inline(wide, frame(["> typed"], 0, 7), { columns: 10 }))
    assert.deepStrictEqual(screen.lines(), ["printed", "> typed"])
  })

  it("is drawn on an empty screen where it is cleared", () => {
    const screen = Screen.make(20, 10)
    const first = frame(["> a"], 0, 3)
    screen.write(Frame.inline(undefined, first, { columns: 20, printed: ["printed"] }))
    screen.write(Frame.inline(first, first, { columns: 20, isCleared: true }))
    assert.deepStrictEqual(screen.lines(), ["> a"])
  })
})

describe("A frame of the whole screen", () => {
  it("replaces all that was there, and keeps lines that fill their row", () => {
    const screen = Screen.make(6, 4)
    screen.write(Frame.full(frame(["abcdef", "ghijkl", "mnopqr", "stuvwx"], 1, 2)))
    assert.deepStrictEqual(screen.lines(), ["abcdef", "ghijkl", "mnopqr", "stuvwx"])
    assert.deepStrictEqual(screen.cursor(), { row: 1, column: 2 })
    screen.write(Frame.full(frame(["ab", "cd"])))
    assert.deepStrictEqual(screen.lines(), ["ab", "cd"])
  })
})

describe("A frame on a terminal that is too narrow", () => {
  const bold = (text: string) => `\u001b[1m${text}\u001b[22m`

  it("has its lines cut, and their styles ended", () => {
    const { cursor, lines } = Frame.fit(frame([`${bold("abc")}def${bold("ghi")}`, "日本語"], 0, 9), 5)
    assert.deepStrictEqual(lines, [`${bold("abc")}de${bold("")}`, "日本"])
    assert.deepStrictEqual(cursor, { row: 0, column: 4 })
  })

  it("stays as it is where it fits", () => {
    const fitting = frame([bold("abcde"), ""], 1, 0)
    assert.deepStrictEqual(Frame.fit(fitting, 5), fitting)
  })
})

describe("A size", () => {
  it("that a terminal does not tell is the usual one", () => {
    assert.deepStrictEqual(Frame.sizeOf({ columns: 0, rows: 0 }), { columns: 80, rows: 24 })
    assert.deepStrictEqual(Frame.sizeOf({ columns: 40, rows: 10 }), { columns: 40, rows: 10 })
  })
})
