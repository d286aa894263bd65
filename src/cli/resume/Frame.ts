/**
 * Lines on a terminal, and the sequences that put them there.
 *
 * @since 0.1.0
 */
import type * as Terminal from "effect/Terminal"
import * as Output from "../Output.ts"

/**
 * What is drawn: printable, styled lines, none wider than the terminal, and
 * where the cursor stands in them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Frame {
  readonly lines: ReadonlyArray<string>
  readonly cursor: { readonly row: number; readonly column: number }
}

/**
 * Asks a terminal for a screen of its own, and gives the former one back. In
 * both a paste is told from typing.
 *
 * @category sequences
 * @since 0.1.0
 */
export const modes = {
  full: { enter: "\u001b[?1049h\u001b[?2004h", leave: "\u001b[?2004l\u001b[?1049l\u001b[?25h" },
  inline: { enter: "\u001b[?2004h", leave: "\u001b[?2004l\u001b[?25h" }
} as const

/**
 * @category models
 * @since 0.1.0
 */
export type Mode = keyof typeof modes

const hidden = "\u001b[?25l"
const visible = "\u001b[?25h"

/** The cursor so many rows up. */
const up = (rows: number): string => rows > 0 ? `\u001b[${rows}A` : ""

const toColumn = (column: number): string => `\r${column > 0 ? `\u001b[${column}C` : ""}`

/**
 * The whole screen, line by line.
 *
 * **Details**
 *
 * A line is erased before it is written: erasing behind one that fills its row
 * takes its last cell away on some terminals.
 *
 * @category drawing
 * @since 0.1.0
 */
export const full = ({ cursor, lines }: Frame): string =>
  `${hidden}\u001b[H${lines.map((line) => `\u001b[2K${line}`).join("\r\n")}\u001b[J` +
  `\u001b[${cursor.row + 1};${cursor.column + 1}H${visible}`

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** A styled line, cut to a number of cells. Its styles end where they ended. */
const cut = (line: string, columns: number): string => {
  if (Output.width(line) <= columns) return line
  let taken = 0
  // oxlint-disable-next-line no-control-regex -- styles begin with an escape
  return line.replace(/\u001b\[[\d;]*m|[^\u001b]+/g, (piece) => {
    if (piece.startsWith("\u001b")) return piece
    let kept = ""
    for (const { segment } of graphemes.segment(piece)) {
      taken += Output.width(segment)
      if (taken > columns) break
      kept += segment
    }
    return kept
  })
}

/**
 * A frame with no line wider than the terminal: one that wraps takes the place
 * of others.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fit = ({ cursor, lines }: Frame, columns: number): Frame => ({
  lines: lines.map((line) => cut(line, columns)),
  cursor: { ...cursor, column: Math.min(cursor.column, columns - 1) }
})

/** How many rows a line takes on a terminal that wraps it. */
const rowsOf = (line: string, columns: number): number => Math.max(1, Math.ceil(Output.width(line) / columns))

/**
 * Takes a frame away that was drawn below what was printed.
 *
 * **Details**
 *
 * A terminal that became narrower has wrapped what it showed, and has taken the
 * cursor along.
 *
 * @category drawing
 * @since 0.1.0
 */
export const erase = ({ cursor, lines }: Frame, columns: number): string => {
  const above = lines.slice(0, cursor.row).reduce((rows, line) => rows + rowsOf(line, columns), 0)
  return `${up(above + Math.floor(cursor.column / columns))}\r\u001b[J`
}

/**
 * A frame below what was printed, in place of the one before.
 *
 * @category drawing
 * @since 0.1.0
 */
export const inline = (
  before: Frame | undefined,
  frame: Frame,
  options: { readonly columns: number; readonly printed?: ReadonlyArray<string>; readonly isCleared?: boolean }
): string => {
  const { columns, isCleared = false, printed = [] } = options
  const { cursor, lines } = frame
  return [
    hidden,
    before === undefined ? "" : erase(before, columns),
    isCleared ? "\u001b[H\u001b[2J" : "",
    ...printed.map((line) => `${line}\r\n`),
    lines.join("\r\n"),
    up(lines.length - 1 - cursor.row),
    toColumn(cursor.column),
    visible
  ].join("")
}

/**
 * Cells and rows to draw in, where a terminal does not tell its size, too.
 *
 * @category getters
 * @since 0.1.0
 */
export const sizeOf = ({ columns, rows }: Terminal.Size): Terminal.Size => ({
  columns: columns > 0 ? columns : 80,
  rows: rows > 0 ? rows : 24
})
