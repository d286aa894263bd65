/** What a run found: as a table for people, as JSON for programs. */
import { Schema } from "effect"
import { Machine } from "./machine.ts"
import type { Spread } from "./rows.ts"
import { judge, Row, slack } from "./rows.ts"

export const Report = Schema.Struct({
  at: Schema.String,
  seed: Schema.Int,
  rounds: Schema.Int,
  slack: Schema.Finite,
  machine: Machine,
  rows: Schema.Array(Schema.Struct({ ...Row.fields, verdict: Schema.String })),
  failed: Schema.Int
})
export type Report = typeof Report.Type

export const make = (
  run: { readonly at: string; readonly seed: number; readonly rounds: number; readonly machine: Machine },
  rows: ReadonlyArray<Row>
): Report => {
  const judged = rows.map((row) => ({ ...row, verdict: judge(row) }))
  return { ...run, slack, rows: judged, failed: judged.filter(({ verdict }) => verdict === "FAILED").length }
}

/** Three digits that count. */
export const digits = (value: number): string =>
  Math.abs(value) >= 100 ? value.toFixed(0) : Math.abs(value) >= 10 ? value.toFixed(1) : value.toFixed(2)

const range = ({ max, min }: Spread): string => `${digits(min)}–${digits(max)}`

const limit = (value: number | undefined): string => value === undefined ? "" : `≤ ${value}`

const titles = ["operation", "of", "variant", "median", "min–max", "unit", "must", "aim", "floor", "taken", "cpu", ""]

const cells = (row: Row): ReadonlyArray<string> => [
  row.operation,
  row.of,
  row.variant,
  digits(row.value.median),
  range(row.value),
  row.unit,
  limit(row.must),
  limit(row.aim),
  row.millis === undefined ? "" : `${digits(row.millis.floor)} ms`,
  row.millis === undefined ? "" : `${digits(row.millis.taken)} ms`,
  row.cpu === undefined ? "" : digits(row.cpu),
  judge(row)
]

/** Columns as wide as their widest cell: the first ones are texts, the others numbers. */
export const align = (lines: ReadonlyArray<ReadonlyArray<string>>, texts: number): string => {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)))
  return lines.map((line) =>
    line.map((cell, column) => {
      const width = widths[column] ?? 0
      return column < texts ? cell.padEnd(width) : cell.padStart(width)
    }).join("  ").trimEnd()
  ).join("\n")
}

export const table = (rows: ReadonlyArray<Row>): string => align([titles, ...rows.map(cells)], 3)

export const heading = ({ cores, cpu, directory, fileSystem, load, memory, node, platform }: Machine): string =>
  [
    `Node ${node} on ${platform}, ${cpu} (${cores} cores, ${memory}), load ${digits(load)}`,
    `files in ${directory} (${fileSystem})`
  ].join("\n")
