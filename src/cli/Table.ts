/**
 * Rows that fit a number of cells: columns that matter less are left out, wide
 * texts are cut.
 *
 * @since 0.1.0
 */
import * as Output from "./Output.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Column {
  readonly title: string
  readonly align?: "start" | "end"
  /** The fewest cells that this column is cut to. Without it, it is never cut. */
  readonly minimum?: number
  /** Columns with the greatest number are left out first; without one never. */
  readonly drop?: number
  readonly style?: (text: string) => string
}

const gap = 2

const total = (widths: ReadonlyArray<number>): number =>
  widths.reduce((sum, width) => sum + width, 0) + gap * Math.max(0, widths.length - 1)

/** Takes cells from the widest of the columns that can be cut, one by one. */
const shrink = (widths: Array<number>, minimums: ReadonlyArray<number>, cells: number): Array<number> => {
  const result = [...widths]
  let excess = total(result) - cells
  while (excess > 0) {
    let widest = -1
    for (const [index, width] of result.entries()) {
      if (width > (minimums[index] ?? 0) && width > (result[widest] ?? 0)) widest = index
    }
    if (widest < 0) break
    result[widest] = (result[widest] ?? 0) - 1
    excess -= 1
  }
  return result
}

/**
 * The lines of a table, titles first, none wider than `cells` where that can
 * be. Cells of a row are printable, and styled after they are measured.
 *
 * @category rendering
 * @since 0.1.0
 */
export const render = (options: {
  readonly columns: ReadonlyArray<Column>
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
  readonly cells: number
  readonly title: (text: string) => string
  /** Styles the cell of a row, instead of its column's style. */
  readonly styleCell?: (row: number, column: number) => ((text: string) => string) | undefined
}): ReadonlyArray<string> => {
  const { cells, columns, rows, styleCell, title } = options
  const natural = columns.map((column, index) =>
    Math.max(Output.width(column.title), ...rows.map((row) => Output.width(row[index] ?? "")))
  )
  const minimums = columns.map((column, index) => Math.min(column.minimum ?? Infinity, natural[index] ?? 0))
  let kept = columns.map((_, index) => index)
  const at = (values: ReadonlyArray<number>) => kept.map((index) => values[index] ?? 0)
  while (total(at(minimums)) > cells) {
    const last = kept.reduce(
      (found, index) => (columns[index]?.drop ?? 0) > (columns[found]?.drop ?? 0) ? index : found,
      kept[0] ?? 0
    )
    if ((columns[last]?.drop ?? 0) === 0) break
    kept = kept.filter((index) => index !== last)
  }
  const widths = shrink(at(natural), at(minimums), cells)
  const line = (texts: ReadonlyArray<string>, style: (column: number) => (text: string) => string) =>
    kept.map((index, place) => {
      const text = Output.truncate(texts[index] ?? "", widths[place] ?? 0)
      const isLast = place === kept.length - 1
      const spaces = " ".repeat(Math.max(0, (widths[place] ?? 0) - Output.width(text)))
      const styled = style(index)(text)
      if (columns[index]?.align === "end") return spaces + styled
      return isLast ? styled : styled + spaces
    }).join(" ".repeat(gap)).trimEnd()
  const plain = (text: string) => text
  return [
    line(columns.map((column) => column.title), () => title),
    ...rows.map((row, number) => line(row, (index) => styleCell?.(number, index) ?? columns[index]?.style ?? plain))
  ]
}
