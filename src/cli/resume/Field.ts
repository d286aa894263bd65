/**
 * How a text that is being typed looks.
 *
 * @since 0.1.0
 */
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import type { Editor } from "./Editor.ts"
import type { Frame } from "./Frame.ts"

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

interface Row {
  text: string
  cells: number
}

/**
 * The rows of an editor's text and its cursor, in a number of cells. Where there
 * are more rows than there is room for, those around the cursor.
 *
 * **Details**
 *
 * Text is broken anywhere, not between words. `lead` stands before the first
 * row; the others are set in as far. Behind a full row the cursor takes a cell
 * more.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render = (editor: Pick<Editor, "cursor" | "text">, options: {
  readonly lead: string
  readonly cells: number
  readonly rows: number
}): Frame => {
  const margin = Output.width(options.lead)
  const room = Math.max(2, options.cells - margin)
  let row: Row = { text: "", cells: 0 }
  const rows = [row]
  let cursor = { row: 0, column: 0 }
  const begin = () => {
    row = { text: "", cells: 0 }
    rows.push(row)
  }
  const place = (index: number) => {
    if (index === editor.cursor) cursor = { row: rows.length - 1, column: row.cells }
  }
  for (const { index, segment } of graphemes.segment(editor.text)) {
    const isBreak = segment === "\n" || segment === "\r\n"
    const shown = isBreak ? "" : Printable.line(segment)
    const cells = Output.width(shown)
    if (row.cells + cells > room) begin()
    place(index)
    if (isBreak) begin()
    row.text += shown
    row.cells += cells
  }
  place(editor.text.length)

  const first = Math.max(0, Math.min(cursor.row - options.rows + 1, rows.length - options.rows))
  const shown = rows.slice(first, first + options.rows)
  const indent = " ".repeat(margin)
  return {
    lines: shown.map(({ text }, index) => `${first + index === 0 ? options.lead : indent}${text}`),
    cursor: { row: cursor.row - first, column: margin + cursor.column }
  }
}
