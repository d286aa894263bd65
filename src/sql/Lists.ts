/**
 * Lists by an index: what is shown is found by its place, so that so many entries
 * cost the same however many sessions there are.
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Fragment } from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import type { Format } from "../core/Migration.ts"
import type { StoreError } from "../core/SessionError.ts"
import type * as SessionId from "../core/SessionId.ts"
import * as SessionList from "../core/SessionList.ts"
import { toMillis } from "../core/Timestamp.ts"
import type { Database } from "./Database.ts"
import * as Shown from "./Shown.ts"
import type { Integer } from "./Standing.ts"
import * as Standing from "./Standing.ts"
import { indexedPathLength } from "./Tables.ts"

/** Entries that are read at once. */
const chunk = 100

/** The most that one look at the index finds. */
const mostAtOnce = 1000

/** Where a session stands. */
interface Place {
  readonly id: SessionId.SessionId
  readonly recency: Integer
}

/** The rows of a status, and what they must be beside their part of the index. */
interface Range {
  readonly state: "held" | "released" | "removed"
  readonly isOpen: boolean
  readonly isAlive?: boolean
}

/** Everything but the trash, which has an index of its own. */
const everything = "present"

const atRest = (isOpen: boolean): ReadonlyArray<Range> => [
  { state: "released", isOpen },
  { state: "held", isOpen, isAlive: false }
]

const ranges: { readonly [Status in SessionList.Status]: ReadonlyArray<Range> } = {
  running: [{ state: "held", isOpen: true, isAlive: true }, { state: "held", isOpen: false, isAlive: true }],
  interrupted: atRest(true),
  closed: atRest(false),
  removed: [{ state: "removed", isOpen: true }, { state: "removed", isOpen: false }],
  elsewhere: []
}

/** Everything but the trash, of one project. */
const present: ReadonlyArray<Range> = [
  { state: "held", isOpen: true },
  { state: "held", isOpen: false },
  { state: "released", isOpen: true },
  { state: "released", isOpen: false }
]

export const make = ({ database, format }: { readonly database: Database; readonly format: Format }) => {
  const { dialect, now, run, sql } = database

  const contains = (column: Fragment, text: string): Fragment =>
    dialect === "pg"
      ? sql`${column} LIKE ${`%${text.replaceAll(/[\\%_]/g, (sign) => `\\${sign}`)}%`}`
      : sql`instr(${column}, ${text}) > 0`

  const isLike = ({ after, project, text }: SessionList.Filter): ReadonlyArray<Fragment> => {
    const length = sql.literal(String(indexedPathLength))
    const path = project === undefined ? undefined : Shown.column(project)
    const wanted = text === undefined ? undefined : Shown.searched(text)
    return [
      ...(path === undefined
        ? []
        : [sql`substr(project, 1, ${length}) = substr(${path}, 1, ${length})`, sql`project = ${path}`]),
      ...(wanted === undefined ? [] : [
        sql`(${contains(sql`name_text`, wanted)} OR ${contains(sql`path_text`, wanted)})`
      ]),
      ...(after === undefined ? [] : [
        after.updatedAt === undefined
          ? sql`1 = 0`
          : sql`(recency, id) > (${Shown.recencyOf(toMillis(after.updatedAt))}, ${after.name})`
      ])
    ]
  }

  const isIn = ({ isAlive, isOpen, state }: Range): ReadonlyArray<Fragment> => [
    sql`state = ${sql.literal(`'${state}'`)}`,
    sql`is_open = ${sql.literal(isOpen ? "1" : "0")}`,
    ...(isAlive === undefined ? [] : [isAlive ? sql`lease_until >= ${now}` : sql`lease_until < ${now}`])
  ]

  /** The places of one part of the index, in order. */
  const placesIn = (filter: SessionList.Filter, limit: Option.Option<number>) => (range: Range | typeof everything) => {
    const snapshots = filter.text === undefined
      ? sql.literal("")
      : sql`JOIN reprise_snapshots ON session_id = id`
    const where = [...(range === everything ? [sql`state <> 'removed'`] : isIn(range)), ...isLike(filter)]
    return sql`SELECT id, recency FROM reprise_sessions ${snapshots} WHERE ${sql.and(where)}
      ORDER BY recency, id ${atMost(limit)}`
  }

  const atMost = Option.match({
    onNone: () => sql.literal(""),
    onSome: (limit: number) => sql`LIMIT ${limit}`
  })

  /** Where what a filter selects stands, in the order of a list: one statement, so at one moment. */
  const places = (
    filter: SessionList.Filter,
    limit: Option.Option<number>
  ): Effect.Effect<ReadonlyArray<Place>, StoreError> => {
    const unfiltered = filter.project === undefined ? [everything] as const : present
    const wanted = filter.status === undefined ? unfiltered : filter.status.flatMap((status) => ranges[status])
    if (wanted.length === 0) return Effect.succeed([])
    const parts = wanted.map(placesIn(filter, limit)).map((part, index) =>
      sql`SELECT * FROM (${part}) AS part${sql.literal(String(index))}`
    )
    const all = sql<Place>`${sql.join(" UNION ALL ", false)(parts)} ORDER BY recency, id ${atMost(limit)}`
    // Planned for the text that is asked for: how many have it decides which index helps.
    return run("list")(filter.text === undefined ? all : all.unprepared)
  }

  const rows = (where: Fragment) =>
    sql<Shown.Row>`SELECT id, recency, snapshot_bytes, journal_bytes, head, is_signed, ${Standing.columns(database)}
      FROM reprise_sessions JOIN reprise_snapshots ON session_id = id WHERE ${where}`

  /** The entries of these sessions as they are now, in the same order; what is gone is left out. */
  const entriesAt = (ids: ReadonlyArray<SessionId.SessionId>) =>
    run("list")(rows(sql.in("id", ids))).pipe(
      Effect.map((found) => {
        const byId = new Map(found.map((row) => [row.id, row]))
        return ids.flatMap((id) => {
          const row = byId.get(id)
          return row === undefined ? [] : [Shown.toEntry(row, format)]
        })
      })
    )

  const read = (ids: ReadonlyArray<SessionId.SessionId>) =>
    Stream.fromIterable(Array.chunksOf(ids, chunk)).pipe(
      Stream.mapEffect(entriesAt),
      Stream.flatMap(Stream.fromIterable)
    )

  /**
   * The first entries, and then all others: what moved to the front since is not
   * missed for that, since the second look is at the whole list at one moment.
   */
  const list = (filter: SessionList.Filter): Stream.Stream<SessionList.Entry, StoreError> => {
    const { limit, offset = 0 } = filter
    const wanted = limit === undefined ? Infinity : Math.max(0, limit) + Math.max(0, offset)
    if (wanted === 0) return Stream.empty
    const atFirst = wanted <= mostAtOnce ? wanted : chunk
    const all = Stream.unwrap(Effect.gen(function*() {
      const first = (yield* places(filter, Option.some(atFirst))).map(({ id }) => id)
      if (first.length < atFirst) return read(first)
      const seen = new Set(first)
      const others = Effect.map(
        places(filter, Option.none()),
        (found) => read(found.map(({ id }) => id).filter((id) => !seen.has(id)))
      )
      return Stream.concat(read(first), Stream.unwrap(others))
    }))
    const shown = Stream.drop(Stream.filter(all, SessionList.matches(filter)), Math.max(0, offset))
    return limit === undefined ? shown : Stream.take(shown, Math.max(0, limit))
  }

  /** Everything, by id: one that exists throughout is met, whatever happens to it meanwhile. */
  const entries: Stream.Stream<SessionList.Entry, StoreError> = Stream.paginate("", (after) =>
    Effect.map(
      run("list")(sql<Shown.Row>`${rows(sql`id > ${after}`)} ORDER BY id LIMIT ${chunk}`),
      (found) => [
        found.map((row) => Shown.toEntry(row, format)),
        Option.map(Option.filter(Array.last(found), () => found.length === chunk), ({ id }) => id)
      ]
    ))

  return { entries, list }
}
