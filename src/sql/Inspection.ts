/**
 * What a look at a database tells, without changing it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { StoreError } from "../core/SessionError.ts"
import type { Database } from "./Database.ts"
import type { Integer } from "./Standing.ts"
import * as Tables from "./Tables.ts"

/**
 * A count that ends somewhere: `isMore` where there are more than were counted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Count {
  readonly count: number
  readonly isMore: boolean
}

/**
 * The tables of sessions: which version they are of, and what this user may do.
 *
 * @category models
 * @since 0.1.0
 */
export interface TablesFound {
  /** None where this user may not see it. */
  readonly version: Option.Option<number>
  /** Who they belong to; empty where the database has no owners. */
  readonly owner: string
  readonly canWrite: boolean
}

/**
 * What is in the tables.
 *
 * **Details**
 *
 * `held` sessions have a holder that says that it lives, `stale` ones a holder that no
 * longer does: whoever resumes them next has them. `orphans` are large parts of
 * sessions that are not there; none where that could not be told in a few seconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Contents {
  readonly sessions: Count
  readonly removed: Count
  readonly held: Count
  readonly stale: Count
  readonly orphans: Option.Option<Count>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Inspection {
  readonly dialect: "pg" | "sqlite"
  /** Of the database program. */
  readonly version: string
  /** Who asks, and where tables are looked for; empty where the database has neither. */
  readonly user: string
  readonly schema: string
  /** Whether tables can be made there. */
  readonly canCreate: boolean
  /** The version of the tables that this program needs. */
  readonly needed: number
  /** None where there are none. */
  readonly tables: Option.Option<TablesFound>
  /** None unless the tables are those that this program knows. */
  readonly contents: Option.Option<Contents>
  /** How far the database's clock is ahead of this machine's, in milliseconds; known to half of `roundTrip`. */
  readonly clockAhead: number
  /** How long it takes to ask and be answered, in milliseconds. */
  readonly roundTrip: number
}

/** Enough to tell many from few. */
const most = 100_000

/** How long a look at every large part may take. */
const patience = Duration.seconds(5)

interface Counted {
  readonly count: Integer
}

interface Server {
  readonly version: string
  readonly user: string
  readonly schema: string
  readonly can_create: Integer
}

const unknownServer: Server = { version: "", user: "", schema: "", can_create: 0 }

interface Found {
  readonly owner: string
  readonly can_read: Integer
  readonly can_write: Integer
}

/**
 * Who asks, and what is there, without looking into it.
 *
 * @category models
 * @since 0.1.0
 */
export type Outside = Pick<Inspection, "dialect" | "version" | "user" | "schema" | "canCreate" | "needed" | "tables">

/** Looks at the tables from outside. */
export const outside = (database: Database): Effect.Effect<Outside, StoreError> => {
  const { dialect, run: runAs, sql } = database
  const run = runAs("looking at the database")
  const isPg = dialect === "pg"

  const server = isPg
    ? sql<Server>`SELECT current_setting('server_version') AS version, current_user AS user,
        COALESCE(current_schema(), '') AS schema,
        CASE WHEN has_schema_privilege(current_schema(), 'CREATE') THEN 1 ELSE 0 END AS can_create`
    : sql<Server>`SELECT sqlite_version() AS version, '' AS user, '' AS schema, 1 AS can_create`

  const rights = sql`has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT')
    AND has_table_privilege(c.oid, 'UPDATE') AND has_table_privilege(c.oid, 'DELETE')`
  /** Whether it can be seen which steps were made, and who may do what with what they made. */
  const found = isPg
    ? sql<
      Found
    >`SELECT COALESCE(pg_get_userbyid(c.relowner), '') AS owner,
        CASE WHEN has_table_privilege(to_regclass('reprise_migrations'), 'SELECT') THEN 1 ELSE 0 END AS can_read, CASE WHEN ${rights} THEN 1 ELSE 0 END AS can_write
        FROM pg_class c WHERE c.oid = to_regclass('reprise_sessions') AND to_regclass('reprise_migrations') IS NOT NULL`
    : sql<Found>`SELECT '' AS owner, 1 AS can_read, 1 AS can_write FROM sqlite_master WHERE name = 'reprise_migrations'`

  const tables = Effect.gen(function*() {
    const [row] = yield* run(found)
    if (row === undefined) return Option.none<TablesFound>()
    const tables: TablesFound = {
      version: Number(row.can_read) === 1 ? Option.some(yield* run(Tables.reached(sql))) : Option.none(),
      owner: row.owner,
      canWrite: Number(row.can_write) === 1
    }
    return Option.some(tables)
  })

  return Effect.gen(function*() {
    const [{ can_create, schema, user, version } = unknownServer] = yield* run(server)
    return {
      dialect,
      version,
      user,
      schema,
      canCreate: Number(can_create) === 1,
      needed: Tables.newest,
      tables: yield* tables
    }
  })
}

/** Looks at everything. */
export const make = (database: Database): Effect.Effect<Inspection, StoreError> => {
  const { now, run: runAs, sql } = database
  const run = runAs("looking at the database")

  const counted = (rows: ReadonlyArray<Counted>): Count => {
    const count = Number(rows[0]?.count ?? 0)
    return { count: Math.min(count, most), isMore: count > most }
  }

  const count = (where: string) =>
    Effect.map(
      run(sql<Counted>`SELECT COUNT(*) AS count FROM (
        SELECT 1 FROM reprise_sessions WHERE ${sql.literal(where)} LIMIT ${most + 1}
      ) AS found`),
      counted
    )
  const leased = (how: ">=" | "<") =>
    Effect.map(
      run(sql<Counted>`SELECT COUNT(*) AS count FROM (
        SELECT 1 FROM reprise_sessions WHERE state = 'held' AND lease_until ${sql.literal(how)} ${now} LIMIT ${most + 1}
      ) AS found`),
      counted
    )

  const orphans = run(sql<Counted>`SELECT COUNT(*) AS count FROM (
      SELECT 1 FROM reprise_blobs WHERE NOT EXISTS (SELECT 1 FROM reprise_sessions WHERE id = session_id) LIMIT ${
    most + 1
  }
    ) AS found`).pipe(Effect.map(counted), Effect.timeoutOption(patience))

  const contents = Effect.all({
    sessions: count("state <> 'removed'"),
    removed: count("state = 'removed'"),
    held: leased(">="),
    stale: leased("<"),
    orphans
  })

  /** Asked after everything else, so that the connection is warm. */
  const clocks = Effect.gen(function*() {
    const before = yield* Clock.currentTimeMillis
    const [row] = yield* run(sql<{ readonly now: Integer }>`SELECT ${now} AS now`)
    const roundTrip = (yield* Clock.currentTimeMillis) - before
    return { clockAhead: Math.round(Number(row?.now ?? 0) - (before + roundTrip / 2)), roundTrip }
  })

  return Effect.gen(function*() {
    const seen = yield* outside(database)
    const isKnown = Option.exists(
      seen.tables,
      ({ canWrite, version }) => canWrite && Option.contains(version, Tables.newest)
    )
    const inside = isKnown ? Option.some(yield* contents) : Option.none()
    const inspection: Inspection = { ...seen, contents: inside, ...(yield* clocks) }
    return inspection
  })
}
