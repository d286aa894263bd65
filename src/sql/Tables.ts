/**
 * The tables that sessions are stored in, and the steps that make them.
 *
 * ```
 * reprise_sessions   a row for each session: who holds it, and where it stands in a list
 * reprise_snapshots  the snapshot, and what a list shows and searches of it
 * reprise_journal    what happened since: a row for each write, in the order of its numbers
 * reprise_blobs      large parts of its messages, by the SHA-256 of their bytes
 * reprise_originals  the last snapshot of each older format version
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Migrator from "effect/sql/Migrator"
import { BeginTransaction, SqlClient } from "effect/sql/SqlClient"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { StoreError } from "../core/SessionError.ts"
import { type Database, DatabaseError } from "./Database.ts"

/** Where it is written down which steps were made. */
const migrations = "reprise_migrations"

/** Whoever makes tables holds this lock of the database meanwhile. */
const lock = 7_290_734_311

/** An index row has room for this much of a path, in any alphabet. */
export const indexedPathLength = 256

/** What bytes and texts are in the database. */
const columnTypes = (sql: SqlClient) =>
  sql.onDialectOrElse({
    pg: () => [sql.literal("BYTEA"), sql.literal("TEXT COLLATE \"C\"")] as const,
    orElse: () => [sql.literal("BLOB"), sql.literal("TEXT")] as const
  })

const first = Effect.gen(function*() {
  const sql = (yield* SqlClient).withoutTransforms()
  const [bytes, text] = columnTypes(sql)
  yield* sql`CREATE TABLE reprise_sessions (
    id ${text} NOT NULL PRIMARY KEY,
    epoch BIGINT NOT NULL,
    nonce ${text} NOT NULL,
    state ${text} NOT NULL,
    holder ${text} NOT NULL,
    since ${text} NOT NULL,
    lease_until BIGINT NOT NULL,
    is_open SMALLINT NOT NULL,
    journal_epoch BIGINT NOT NULL,
    journal_part BIGINT NOT NULL,
    journal_bytes BIGINT NOT NULL,
    snapshot_bytes BIGINT NOT NULL,
    project ${text} NOT NULL,
    recency BIGINT NOT NULL
  )`
  yield* sql`CREATE INDEX reprise_sessions_recency ON reprise_sessions (state, is_open, recency, id)`
  yield* sql`CREATE INDEX reprise_sessions_project ON reprise_sessions
    (substr(project, 1, ${sql.literal(String(indexedPathLength))}), state, is_open, recency, id)`
  yield* sql`CREATE TABLE reprise_snapshots (
    session_id ${text} NOT NULL PRIMARY KEY,
    bytes ${bytes} NOT NULL,
    head ${bytes} NOT NULL,
    is_signed SMALLINT NOT NULL,
    name_text ${text} NOT NULL,
    path_text ${text} NOT NULL
  )`
  yield* sql`CREATE TABLE reprise_journal (
    session_id ${text} NOT NULL,
    epoch BIGINT NOT NULL,
    part BIGINT NOT NULL,
    number BIGINT NOT NULL,
    bytes ${bytes} NOT NULL,
    PRIMARY KEY (session_id, epoch, part, number)
  )`
  yield* sql`CREATE TABLE reprise_originals (
    session_id ${text} NOT NULL,
    version BIGINT NOT NULL,
    bytes ${bytes} NOT NULL,
    PRIMARY KEY (session_id, version)
  )`
})

const second = Effect.gen(function*() {
  const sql = (yield* SqlClient).withoutTransforms()
  const [bytes, text] = columnTypes(sql)
  yield* sql`CREATE TABLE reprise_blobs (
    session_id ${text} NOT NULL,
    digest ${text} NOT NULL,
    bytes ${bytes} NOT NULL,
    PRIMARY KEY (session_id, digest)
  )`
})

/** The list that most ask for is one walk in its order, however the sessions in it are doing. */
const third = Effect.gen(function*() {
  const sql = (yield* SqlClient).withoutTransforms()
  yield* sql`CREATE INDEX reprise_sessions_present ON reprise_sessions (recency, id) WHERE state <> 'removed'`
})

const steps = { "0001_sessions": first, "0002_blobs": second, "0003_present": third }

/** The last step that this program knows. */
export const newest = Object.keys(steps).length

/**
 * Finds a text in names and paths without looking at all of them, where PostgreSQL
 * has `pg_trgm` or may have it. Without it a text that few sessions have is looked
 * for in every one.
 */
const ensureTextIndex = (sql: SqlClient) =>
  Effect.gen(function*() {
    const [existing] = yield* sql`SELECT 1 AS found WHERE to_regclass('reprise_snapshots_text') IS NOT NULL`
    if (existing !== undefined) return
    yield* sql`CREATE EXTENSION IF NOT EXISTS pg_trgm`
    const [extension] = yield* sql<{ readonly name: string }>`SELECT nspname AS name
      FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace WHERE extname = 'pg_trgm'`
    if (extension === undefined) return
    const operators = sql`${sql(extension.name)}.gin_trgm_ops`
    yield* sql`CREATE INDEX reprise_snapshots_text ON reprise_snapshots
      USING gin (name_text ${operators}, path_text ${operators})`
  }).pipe(
    sql.withTransaction,
    Effect.catch(() => Effect.logInfo("no pg_trgm: texts that few sessions have are looked for in every session"))
  )

/** The last step that was made. */
export const reached = (sql: SqlClient) =>
  Effect.map(
    sql<{ readonly step: number | null }>`SELECT MAX(migration_id) AS step FROM ${sql(migrations)}`,
    ([row]) => row?.step ?? 0
  )

const refuseOther = (step: number) =>
  step === newest ? Effect.void : new StoreError({
    operation: "migrate",
    cause: new Error(
      step > newest
        ? `The tables are of version ${step} and this program knows ${newest}. Update the program.`
        : `The tables are of version ${step} and this program needs ${newest}. Run SqlSessionStore.migrate.`
    )
  })

/**
 * Whether tables can be made. Asked before: effect's migrator does not notice that it
 * may make none, and tells of what follows from that.
 */
const canCreate = ({ dialect, sql }: Database) =>
  dialect === "sqlite"
    ? Effect.succeed(true)
    : Effect.map(
      sql<{ readonly can: boolean | null }>`SELECT has_schema_privilege(current_schema(), 'CREATE') AS can`,
      ([row]) => row?.can === true
    )

/** Tables that are up to date need no right to make any. */
const unlessDone = (sql: SqlClient) =>
  Effect.orElseSucceed(reached(sql), () => 0).pipe(
    Effect.flatMap((step) =>
      step === newest ? Effect.void : new StoreError({
        operation: "migrate",
        cause: new DatabaseError({ reason: "AuthorizationError", code: "42501", detail: "no tables can be made" })
      })
    )
  )

/**
 * Makes the tables and brings them up to date. Any number of processes may do so
 * at once: one does, and the others wait and find it done.
 */
export const migrate = (database: Database): Effect.Effect<void, StoreError> => {
  const { dialect, run, sql } = database
  const make = Migrator.make({})({ loader: Migrator.fromRecord(steps), table: migrations }).pipe(
    Effect.provideService(SqlClient, sql),
    Effect.catchTag(
      "MigrationError",
      ({ cause, kind }): Effect.Effect<never, SqlError | StoreError> =>
        isSqlError(cause) ? Effect.fail(cause) : new StoreError({ operation: "migrate", cause: new Error(kind) })
    )
  )
  const alone = dialect === "pg" ? Effect.asVoid(sql`SELECT pg_advisory_xact_lock(${lock})`) : Effect.void
  const made = run("migrate")(
    alone.pipe(
      Effect.andThen(make),
      Effect.andThen(dialect === "pg" ? ensureTextIndex(sql) : Effect.void),
      sql.withTransaction,
      Effect.provideService(BeginTransaction, dialect === "pg" ? "BEGIN" : "BEGIN IMMEDIATE"),
      Effect.andThen(reached(sql)),
      Effect.flatMap(refuseOther)
    )
  )
  return Effect.flatMap(run("migrate")(canCreate(database)), (can) => can ? made : run("migrate")(unlessDone(sql)))
}

/** Fails unless the tables are those that this program knows. */
export const check = ({ run, sql }: Database): Effect.Effect<void, StoreError> =>
  run("open")(Effect.flatMap(reached(sql), refuseOther))
