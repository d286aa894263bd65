/**
 * How picking a session looks.
 *
 * @since 0.1.0
 */
import type * as Session from "../../core/Session.ts"
import * as Timestamp from "../../core/Timestamp.ts"
import * as Explain from "../Explain.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import type { Style } from "../Style.ts"
import type { Target } from "../Target.ts"
import * as Transcript from "../Transcript.ts"
import * as Words from "../Words.ts"
import { wrap } from "../Wrap.ts"
import * as Field from "./Field.ts"
import type { Frame } from "./Frame.ts"
import type { Room } from "./Loop.ts"
import * as Picker from "./Picker.ts"

/** From so many cells on the preview stands beside the list, and not below it. */
const wide = 100

/** From so many cells on a row has room for words, and not only for marks. */
const roomy = 60

const isOpen = (status: string): boolean => status !== "closed"

const marks: Record<string, string> = { running: "*", interrupted: "!", elsewhere: "?", broken: "x" }

const statusOf = (entry: Target): string => entry._tag === "Stored" ? entry.status : "broken"

const paintOf = (status: string, style: Style) =>
  status === "running" ? style.green : status === "broken" ? style.red : style.yellow

interface Row {
  readonly name: string
  readonly project: string
  readonly status: string
  readonly messages: string
  readonly ago: string
}

const rowOf = (entry: Target, isRoomy: boolean, now: number): Row => {
  const status = statusOf(entry)
  const state = !isOpen(status) ? "" : isRoomy ? status : marks[status] ?? status
  return entry._tag === "Broken"
    ? { name: Printable.line(entry.name), project: "", status: state, messages: "", ago: "" }
    : {
      name: Printable.line(entry.name),
      project: Printable.line(entry.projectPath),
      status: state,
      messages: isRoomy ? Words.count(entry.messages, "message") : "",
      ago: Words.ago(Timestamp.toMillis(entry.updatedAt), now)
    }
}

const widest = (rows: ReadonlyArray<Row>, field: keyof Row): number =>
  Math.max(0, ...rows.map((row) => Output.width(row[field])))

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

/** The end of a path, which tells more than its beginning. */
const ending = (path: string, cells: number): string => {
  if (Output.width(path) <= cells) return path
  const units = Array.from(graphemes.segment(path), ({ segment }) => segment)
  while (units.length > 0 && Output.width(units.join("")) > cells - 1) units.shift()
  return cells < 1 ? "" : `…${units.join("")}`
}

/** The rows around the chosen one. */
const list = (
  picker: Picker.Picker,
  size: { readonly cells: number; readonly rows: number },
  style: Style,
  now: number
) => {
  const { cells, rows } = size
  const entries = Picker.shown(picker)
  const start = Math.max(0, Math.min(picker.chosen - Math.floor((rows - 1) / 2), entries.length - rows))
  const seen = entries.slice(start, start + rows)
  const isRoomy = cells >= roomy
  const texts = seen.map((entry) => rowOf(entry, isRoomy, now))
  const columns = (["status", "messages", "ago"] as const).map((field) => ({ field, cells: widest(texts, field) }))
    .filter((column) => column.cells > 0)
  const rest = cells - 2 - columns.reduce((sum, column) => sum + column.cells + 2, 0)
  const taken = Math.min(widest(texts, "name"), Math.floor(rest / 2)) + 2
  const projects = picker.isAll && isRoomy ? Math.min(widest(texts, "project"), rest - taken) : 0
  const names = rest - (projects > 0 ? projects + 2 : 0)
  return texts.map((text, index) => {
    const entry = seen[index]
    const isChosen = start + index === picker.chosen
    const name = Output.pad(Output.truncate(text.name, names), names)
    const project = projects > 0 ? `  ${style.dim(Output.pad(ending(text.project, projects), projects))}` : ""
    const facts = columns.map(({ cells, field }) => {
      const padded = Output.pad(text[field], cells, field === "status" ? "end" : "start")
      return field === "status" && entry !== undefined ? paintOf(statusOf(entry), style)(padded) : style.dim(padded)
    })
    return [`${isChosen ? style.cyan("❯") : " "} ${isChosen ? style.bold(name) : name}${project}`, ...facts].join("  ")
      .trimEnd()
  })
}

const todosOf = (todosDone: number, todosTotal: number): ReadonlyArray<string> =>
  todosTotal === 0 ? [] : [`todos ${todosDone}/${todosTotal}`]

const lastMessages = 12

const tail = (state: Session.SessionState, rows: number, options: Transcript.Options): ReadonlyArray<string> => {
  const lines = Transcript.messages(state.conversation.slice(-lastMessages), options)
  return lines.length === 0 ? [options.style.dim("Nothing was said yet.")] : lines.slice(-rows)
}

const troubled = (
  { next, why }: Pick<Explain.Explained, "next" | "why">,
  { cells, style }: Transcript.Options
): ReadonlyArray<string> => [
  style.red("It can't be read."),
  ...wrap(`why: ${why}`, cells),
  ...wrap(`do:  ${next}`, cells)
]

/** What is known of the chosen one: its facts, and the last that was said in it. */
const preview = (picker: Picker.Picker, rows: number, options: Transcript.Options): ReadonlyArray<string> => {
  const { cells, style } = options
  const entry = Picker.shown(picker)[picker.chosen]
  if (entry === undefined) return []
  const found = picker.previews.get(entry.id)
  if (entry._tag === "Broken") {
    return [
      style.bold(Output.truncate(Printable.line(entry.name), cells)),
      "",
      ...troubled(Explain.explain(entry.error), options)
    ]
      .slice(0, rows)
  }
  const loaded = found?._tag === "Loaded" ? found.state : undefined
  const done = loaded?.todos.filter(({ status }) => status === "completed").length ?? entry.todosDone
  const facts = [
    entry.status,
    Words.count(loaded?.conversation.length ?? entry.messages, "message"),
    ...todosOf(done, loaded?.todos.length ?? entry.todosDone + entry.todosOpen)
  ]
  const head = [
    style.bold(Output.truncate(Printable.line(entry.name), cells)),
    style.dim(Output.truncate(facts.join(" · "), cells)),
    style.dim(ending(Printable.line(entry.projectPath), cells)),
    ""
  ]
  const body = found === undefined
    ? [style.dim("Reading it …")]
    : found._tag === "Failed"
    ? troubled(found.explained, options)
    : tail(found.state, Math.max(0, rows - head.length), options)
  return [...head, ...body].slice(0, rows)
}

const title = (picker: Picker.Picker, cells: number, style: Style): string => {
  const shown = Picker.shown(picker).length
  const total = Picker.total(picker)
  const count = shown === total ? String(total) : `${shown} of ${total}`
  const where = picker.isAll ? "in all projects" : "in this project"
  const facts = Output.truncate(`  ${count} ${where}`, cells - Output.width("Resume a session"))
  return `${style.bold("Resume a session")}${style.dim(facts)}`
}

const keys = ({ isAll, query }: Picker.Picker): string =>
  `enter resume · ↑↓ choose · tab ${isAll ? "this project" : "all projects"} · esc ${
    query.text === "" ? "leave" : "clear"
  }`

const footer = (picker: Picker.Picker, cells: number, style: Style): ReadonlyArray<string> =>
  picker.notice === ""
    ? [style.dim(Output.truncate(keys(picker), cells))]
    : wrap(Printable.line(picker.notice), cells).slice(0, 4).map(style.yellow)

const nothing = ({ isAll, query }: Picker.Picker): string =>
  query.text !== ""
    ? `Nothing is like that${isAll ? "." : " in this project; tab looks in all."}`
    : isAll
    ? "There are no sessions."
    : "There are none in this project; tab shows all."

/** Fills up to a number of rows. */
const filled = (lines: ReadonlyArray<string>, rows: number): ReadonlyArray<string> =>
  lines.length >= rows ? lines.slice(0, rows) : [...lines, ...Array<string>(rows - lines.length).fill("")]

/**
 * The picker in as much room as there is: the preview beside the list, below it,
 * or not at all.
 *
 * @category rendering
 * @since 0.1.0
 */
export const view = (style: Style) => (picker: Picker.Picker, { columns, now, rows }: Room): Frame => {
  const query = Field.render(picker.query, { lead: "> ", cells: columns - 1, rows: 1 })
  const search = picker.query.text === ""
    ? [`> ${style.dim(Output.truncate("type to search", columns - 2))}`]
    : query.lines
  const foot = footer(picker, columns, style)
  const room = Math.max(0, rows - 2 - foot.length)
  const shown = Picker.shown(picker).length
  const options = (cells: number): Transcript.Options => ({ style, cells, now })

  const body = (): ReadonlyArray<string> => {
    if (shown === 0) return [style.dim(Output.truncate(nothing(picker), columns))]
    if (columns >= wide && room >= 4) {
      const left = Math.min(112, Math.floor(columns * 0.55))
      const entries = list(picker, { cells: left, rows: room }, style, now)
      const beside = preview(picker, room, options(columns - left - 3))
      return filled(entries, room).map((line, index) =>
        `${Output.pad(line, left)} ${style.dim("│")} ${beside[index] ?? ""}`.trimEnd()
      )
    }
    const entries = Math.min(shown, room < 9 ? room : Math.max(3, Math.floor(room / 3)))
    const below = room - entries - 1
    return [
      ...list(picker, { cells: columns, rows: entries }, style, now),
      ...(below < 3 ? [] : [style.dim("─".repeat(columns)), ...preview(picker, below, options(columns))])
    ]
  }

  return {
    lines: [title(picker, columns, style), ...search, ...filled(body(), room), ...foot].slice(0, rows),
    cursor: { row: Math.min(1, rows - 1), column: query.cursor.column }
  }
}
