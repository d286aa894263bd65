/**
 * Printable text in lines of a number of cells.
 *
 * @since 0.1.0
 */
import * as Output from "./Output.ts"

/** Cuts a word that is wider than a line. */
const cut = (word: string, cells: number): ReadonlyArray<string> => {
  const pieces: Array<string> = []
  let piece = ""
  let taken = 0
  for (const segment of Output.graphemes(word)) {
    const size = Output.width(segment)
    if (taken + size > cells && piece !== "") {
      pieces.push(piece)
      piece = ""
      taken = 0
    }
    piece += segment
    taken += size
  }
  return [...pieces, piece]
}

/**
 * Breaks a line between words, or within a word that is wider than a line. The
 * spaces that it begins with stay: they may be the indentation of code.
 *
 * @category rendering
 * @since 0.1.0
 */
export const wrap = (line: string, cells: number): ReadonlyArray<string> => {
  const room = Math.max(1, cells)
  if (line.length <= room && Output.width(line) <= room) return [line]
  if (!Number.isFinite(room)) return [line]
  const result: Array<string> = []
  let current = ""
  let taken = 0
  for (const word of line.split(/(?<=\s)(?=\S)/)) {
    const size = Output.width(word.trimEnd())
    if (taken + size > room && current !== "") {
      result.push(current.trimEnd())
      current = ""
      taken = 0
    }
    const bare = word.trimEnd()
    const spaces = word.slice(bare.length)
    const pieces = size > room ? cut(bare, room) : [bare]
    result.push(...pieces.slice(0, -1))
    const last = `${pieces.at(-1) ?? ""}${spaces}`
    current += last
    taken += Output.width(last)
  }
  return [...result, current.trimEnd()]
}
