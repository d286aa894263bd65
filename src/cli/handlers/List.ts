/**
 * What `reprise list` does.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as SessionList from "../../core/SessionList.ts"
import * as Timestamp from "../../core/Timestamp.ts"
import * as List from "../../pipelines/List.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Entries from "../Entries.ts"
import * as Numbers from "../Numbers.ts"
import * as Output from "../Output.ts"
import * as Place from "../Place.ts"
import * as Printable from "../Printable.ts"
import type * as Style from "../Style.ts"
import * as Table from "../Table.ts"
import * as Where from "../Where.ts"
import * as Words from "../Words.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly all: boolean
  readonly search: Option.Option<string>
  readonly state: ReadonlyArray<SessionList.Status | "broken">
  readonly limit: Option.Option<number>
  readonly ndjson: boolean
}

/**
 * The entries that were asked for. What can't be read has no project, so it
 * shows in every one's list: nothing is hidden.
 */
const select = (entries: ReadonlyArray<SessionList.Entry>, input: Input, project: string) => {
  const text = Option.map(input.search, (text) => text.toLowerCase())
  return entries.filter((entry) => {
    if (!SessionList.isStored(entry)) {
      return Option.isNone(text) && (input.state.length === 0 || input.state.includes("broken"))
    }
    return (input.all || entry.projectPath === project) &&
      (input.state.length === 0 || input.state.includes(entry.status)) &&
      Option.match(text, {
        onNone: () => true,
        onSome: (text) => [entry.name, entry.projectPath].some((value) => value.toLowerCase().includes(text))
      })
  })
}

const stateStyle = (style: Style.Style, state: string): (text: string) => string => {
  switch (state) {
    case "running":
      return style.green
    case "interrupted":
    case "elsewhere":
      return style.yellow
    case "broken":
    case "foreign":
      return style.red
    default:
      return style.dim
  }
}

const columns = (style: Style.Style, isAll: boolean, hasForks: boolean): ReadonlyArray<Table.Column> => [
  { title: "#", align: "end", style: style.bold },
  { title: "NAME", minimum: 12 },
  { title: "STATE" },
  { title: "MESSAGES", align: "end", drop: 4 },
  { title: "TODOS", align: "end", drop: 5 },
  { title: "SIZE", align: "end", drop: 6 },
  { title: "UPDATED", drop: 2 },
  { title: "ID", drop: 8, style: style.dim },
  ...(hasForks ? [{ title: "FORK OF", drop: 7, style: style.dim }] : []),
  ...(isAll ? [{ title: "PROJECT", minimum: 12, drop: 1, style: style.dim }] : [])
]

const row = (
  entry: typeof CliJson.Entry.Type,
  number: number,
  { hasForks, now }: { readonly hasForks: boolean; readonly now: number }
): ReadonlyArray<string> => {
  if (Entries.isUnreadable(entry)) {
    const name = entry.id === null ? Printable.line(entry.name) : "(can't be read)"
    return [String(number), name, entry.state, "", "", "", "", entry.id?.slice(0, 8) ?? "", "", ""]
  }
  return [
    String(number),
    Printable.line(entry.name),
    entry.state,
    String(entry.messages),
    entry.todosTotal === 0 ? "" : `${entry.todosDone}/${entry.todosTotal}`,
    Words.size(entry.bytes),
    Words.ago(Timestamp.toMillis(entry.updatedAt), now),
    entry.id.slice(0, 8),
    ...(hasForks ? [entry.parent?.id.slice(0, 8) ?? ""] : []),
    Printable.line(entry.project)
  ]
}

const nothing = (input: Input, project: string, others: number): ReadonlyArray<string> => {
  if (Option.isSome(input.search) || input.state.length > 0) return ["No session is like that."]
  if (input.all) return ["No sessions yet. Begin one with: reprise new"]
  return [
    `No sessions in ${Printable.line(project)} yet. Begin one with: reprise new`,
    ...(others > 0 ? [`There are ${others} in other projects: reprise list --all`] : [])
  ]
}

/** The table, and below it why entries can't be read and what to do. */
const render = Effect.fnUntraced(function*(
  entries: ReadonlyArray<typeof CliJson.Entry.Type>,
  isAll: boolean
) {
  const { columns: cells, style } = yield* Output.current
  const now = DateTime.toEpochMillis(yield* DateTime.now)
  const hasForks = entries.some((entry) => !Entries.isUnreadable(entry) && entry.parent !== undefined)
  const unreadable = entries.flatMap((entry, index) =>
    Entries.isUnreadable(entry)
      ? [
        "",
        `${style.bold(String(index + 1))}  ${style.red(`${Printable.line(entry.name)} can't be read.`)}`,
        `   why: ${Printable.line(entry.why)}`,
        `   do:  ${Printable.line(entry.next)}`
      ]
      : []
  )
  return [
    ...Table.render({
      columns: columns(style, isAll, hasForks),
      rows: entries.map((entry, index) => row(entry, index + 1, { hasForks, now })),
      cells,
      title: style.dim,
      styleCell: (number, column) => column === 2 ? stateStyle(style, entries[number]?.state ?? "") : undefined
    }),
    ...unreadable
  ]
})

/**
 * Lists sessions, and remembers the numbers that it shows.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.list")(function*(input: Input) {
  const output = yield* Output.current
  const directory = yield* Where.directory
  const place = yield* Where.place
  const project = yield* Where.project()
  const present = yield* Stream.runCollect(List.list())
  const removed = input.state.includes("removed") ? yield* Stream.runCollect(List.list({ status: ["removed"] })) : []
  const asked = select([...present, ...removed].sort(SessionList.newestFirst), input, project)
  const entries = asked.slice(0, Option.getOrElse(input.limit, () => asked.length))
    .map((entry) => Entries.toJson(entry, directory))

  if (input.ndjson) {
    return yield* Effect.forEach(entries, (entry) => Output.printJson(CliJson.Entry, entry, { isOneLine: true }), {
      discard: true
    })
  }
  if (output.isJson) {
    return yield* Output.printJson(CliJson.List, {
      directory,
      ...(place._tag === "Files" ? {} : { store: Place.shown(place) }),
      project: input.all ? null : project,
      sessions: entries
    })
  }
  yield* Numbers.remember(entries.map(({ id }) => id))
  if (entries.length === 0) return yield* Output.print(...nothing(input, project, present.length))
  yield* Output.print(...(yield* render(entries, input.all)))
  if (asked.length > entries.length) {
    yield* Output.note(`${asked.length - entries.length} more: reprise list --limit ${asked.length}`)
  }
}, Backend.withListing)
