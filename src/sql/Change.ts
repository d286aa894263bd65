/**
 * One change of one stored session: its row decides whether it happens, and what
 * goes with it happens with it or not at all.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { BeginTransaction } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import type { Database } from "./Database.ts"

/** Statements that count together. */
export interface Change {
  /** Changes the session's row where it is as it must be, and returns it. */
  readonly row: Fragment
  /** What goes with it, `where` the row was changed. */
  readonly rest?: (where: Fragment) => ReadonlyArray<Fragment>
  /** A change that may be forgotten when the database crashes need not wait for its disk. */
  readonly isForgettable?: boolean
}

/** The row after its change; none where it was not as it must be. */
export type Run = <Row extends object>(change: Change) => Effect.Effect<Option.Option<Row>, SqlError>

/** Makes PostgreSQL wait for its disk before it acknowledges, whatever it was told. */
export const durable =
  "CASE WHEN current_setting('synchronous_commit') = 'off' THEN set_config('synchronous_commit', 'on', true) END"

/**
 * PostgreSQL makes a change in one statement: one round trip, and no lock that is
 * left to a client which was suspended. A server that commits before its disk has
 * it is told to wait.
 */
const makePg = ({ sql }: Database): Run => {
  const whereChanged = sql`EXISTS (SELECT 1 FROM changed)`
  const forgettable = sql`set_config('synchronous_commit', 'off', true)`
  const asPart = (statement: Fragment, index: number) => sql`part${sql.literal(String(index))} AS (${statement})`
  return <Row extends object>({ isForgettable = false, rest, row }: Change) =>
    Effect.map(
      sql<Row>`WITH ${
        sql.csv([sql`changed AS (${row})`, ...(rest === undefined ? [] : rest(whereChanged).map(asPart))])
      } SELECT changed.*, ${isForgettable ? forgettable : sql.literal(durable)} AS commits FROM changed`,
      ([found]) => Option.fromUndefinedOr(found)
    )
}

/** SQLite knows no statement with several changes: a transaction that writes from its start. */
const makeSqlite = ({ sql }: Database): Run => {
  const always = sql`1 = 1`
  const one = <Row extends object>(statement: Fragment) =>
    Effect.map(sql<Row>`${statement}`, ([found]) => Option.fromUndefinedOr(found))
  return <Row extends object>({ rest, row }: Change) => {
    if (rest === undefined) return one<Row>(row)
    return Effect.gen(function*() {
      const found = yield* one<Row>(row)
      if (Option.isSome(found)) yield* Effect.forEach(rest(always), one, { discard: true })
      return found
    }).pipe(sql.withTransaction, Effect.provideService(BeginTransaction, "BEGIN IMMEDIATE"))
  }
}

export const make = (database: Database): Run => database.dialect === "pg" ? makePg(database) : makeSqlite(database)
