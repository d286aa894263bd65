/**
 * Sessions in a database, for one machine or many.
 *
 * @since 0.1.0
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Semaphore from "effect/Semaphore"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import * as Head from "../core/Head.ts"
import { type AlreadyRunning, InvalidJson, NotFound, StoreError, TooLarge } from "../core/SessionError.ts"
import * as SessionId from "../core/SessionId.ts"
import * as Text from "../core/Text.ts"
import { toMillis } from "../core/Timestamp.ts"
import { Liveness } from "../services/Liveness.ts"
import { now } from "../services/Now.ts"
import { SessionFormat } from "../services/SessionFormat.ts"
import { SessionLimits } from "../services/SessionLimits.ts"
import { firstEpoch, SessionStore, type Stored } from "../services/store/Contract.ts"
import * as Blobs from "./Blobs.ts"
import * as Change from "./Change.ts"
import * as Claims from "./Claims.ts"
import * as Database from "./Database.ts"
import * as Deposit from "./Deposit.ts"
import * as Heartbeat from "./Heartbeat.ts"
import * as Inspection from "./Inspection.ts"
import * as Lists from "./Lists.ts"
import * as Shown from "./Shown.ts"
import * as Standing from "./Standing.ts"
import * as Tables from "./Tables.ts"

export type { Contents, Count, Inspection, Outside, TablesFound } from "./Inspection.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * How long a session stays with a holder that no longer says that it lives. It
   * says so three times in that time. Shorter, and a session is free sooner after a
   * crash; longer, and a database that stands still takes it from nobody. Default 15 seconds.
   */
  readonly leaseFor?: Duration.Input
  /** Whether the tables are made, and brought up to date, when the layer is built. Default true. */
  readonly migrate?: boolean
}

/** How often a race for a row is run again before it is given up. */
const attempts = 100

/** A row as a claim finds it. */
interface Claimed {
  readonly epoch: Standing.Integer
  readonly is_open: Standing.Integer
  readonly journal_epoch: Standing.Integer
  readonly journal_part: Standing.Integer
  readonly journal_bytes: Standing.Integer
  readonly recency: Standing.Integer
}

/** A piece of a session: its snapshot, which has number -1, or lines of its journal. */
interface Piece extends Standing.Standing {
  readonly total: Standing.Integer
  readonly number: Standing.Integer
  readonly bytes: Uint8Array | null
}

/** Long enough for a database to come back, short enough to wait for after a crash. */
const defaultLeaseFor = Duration.seconds(15)

const make = Effect.fnUntraced(function*(options: Options) {
  const database = yield* Database.make
  const random = yield* SecureRandom.SecureRandom
  const { self } = yield* Liveness
  const limits = yield* SessionLimits
  const format = yield* SessionFormat
  const turns = yield* Semaphore.make(1)
  yield* options.migrate === false ? Tables.check(database) : Tables.migrate(database)

  const { now: databaseNow, run, sql } = database
  const apply = Change.make(database)
  const holder = JSON.stringify(self)
  const leaseFor = Duration.fromInputUnsafe(options.leaseFor ?? defaultLeaseFor)
  const leaseUntil = sql`${databaseNow} + ${Duration.toMillis(leaseFor)}`
  const blobs = Blobs.make(database)
  const claims = Claims.make({ blobs, database, format, leaseFor })
  const deposit = Deposit.make({ blobs, database, format, random, self })
  const { entries, list } = Lists.make({ database, format })

  /** An id that no row can have is asked of no database. */
  const checkId = (id: SessionId.SessionId) =>
    SessionId.isSessionId(id) ? Effect.void : new NotFound({ target: "with that id" })

  const standingOf = (operation: string, id: SessionId.SessionId) =>
    run(operation)(sql<Standing.Standing>`
      SELECT ${Standing.columns(database)} FROM reprise_sessions WHERE id = ${id}
    `).pipe(
      Effect.flatMap(([row]) => row === undefined ? new NotFound({ target: id }) : Effect.succeed(row))
    )

  /** Snapshot and journal in one statement, so of one moment; neither where both are too large together. */
  const read = (operation: string) => (id: SessionId.SessionId) =>
    Effect.gen(function*() {
      yield* checkId(id)
      const pieces = yield* run(operation)(sql<Piece>`WITH found AS (
          SELECT ${Standing.columns(database)}, bytes, journal_epoch, journal_part, octet_length(bytes) + COALESCE((
            SELECT SUM(octet_length(reprise_journal.bytes)) FROM reprise_journal
            WHERE session_id = id AND epoch = journal_epoch AND part = journal_part
          ), 0) AS total
          FROM reprise_sessions JOIN reprise_snapshots ON session_id = id WHERE id = ${id}
        )
        SELECT nonce, state, is_open, is_alive, holder, since, total, -1 AS number,
          CASE WHEN total <= ${limits.maxBytes} THEN bytes END AS bytes FROM found
        UNION ALL
        SELECT '', '', 0, 0, '', '', total, number, reprise_journal.bytes FROM found
          JOIN reprise_journal ON session_id = ${id} AND epoch = journal_epoch AND part = journal_part
          WHERE total <= ${limits.maxBytes}`)
      const [first, ...lines] = pieces.toSorted((self, that) => Number(self.number) - Number(that.number))
      if (first === undefined) return yield* new NotFound({ target: id })
      if (first.bytes === null) {
        const reason = new TooLarge({ bytes: Number(first.total), limit: limits.maxBytes })
        return yield* new InvalidJson({ id, reason })
      }
      const journal = Text.concat(lines.flatMap(({ bytes }) => bytes === null ? [] : [bytes]))
      const stored: Stored = {
        snapshot: first.bytes,
        journals: lines.length === 0 ? [] : [journal],
        status: Standing.status(first),
        version: `${Option.getOrElse(Head.signatureAtEnd(first.bytes), () => "")} ${journal.length}`,
        ...Standing.lastHolder(first)
      }
      return stored
    })

  /** Gives back what may have been won by a statement that failed. */
  const undo = (operation: string, change: Change.Change) => Effect.ignore(run(operation)(apply(change)))

  const create: SessionStore["Service"]["create"] = (id, snapshot, firstLine, given = {}) =>
    Effect.gen(function*() {
      const nonce = yield* random.uuidV4()
      const since = yield* now
      const asked = yield* Heartbeat.currentMoment
      const shown = Shown.fromSnapshot(id, snapshot, format)
      const recency = Shown.recencyOf(Math.max(toMillis(since), Option.getOrElse(shown.updatedAt, () => 0)))
      const journal: Claims.Journal = { epoch: firstEpoch, part: 0, bytes: firstLine.length, recency }
      const isNew = yield* run("create")(apply({
        row: sql`INSERT INTO reprise_sessions (
            id, epoch, nonce, state, holder, since, lease_until, is_open,
            journal_epoch, journal_part, journal_bytes, snapshot_bytes, project, recency
          ) VALUES (
            ${id}, ${firstEpoch}, ${nonce}, 'held', ${holder}, ${since}, ${leaseUntil}, 1,
            ${journal.epoch}, ${journal.part}, ${journal.bytes}, ${snapshot.length}, ${shown.project}, ${recency}
          ) ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until
          WHERE reprise_sessions.nonce = excluded.nonce RETURNING id`,
        rest: (where) => [
          sql`INSERT INTO reprise_snapshots (session_id, bytes, head, is_signed, name_text, path_text)
            SELECT ${id}, ${snapshot}, ${shown.head}, ${shown.isSigned ? 1 : 0}, ${shown.nameText}, ${shown.pathText}
            WHERE ${where} ON CONFLICT DO NOTHING`,
          sql`INSERT INTO reprise_journal (session_id, epoch, part, number, bytes)
            SELECT ${id}, ${journal.epoch}, ${journal.part}, 0, ${firstLine} WHERE ${where} ON CONFLICT DO NOTHING`,
          ...blobs.prepare(id, given)(where)
        ]
      })).pipe(Effect.onError(() =>
        undo("create", {
          row: sql`DELETE FROM reprise_sessions WHERE id = ${id} AND nonce = ${nonce} RETURNING id`,
          rest: (where) => deleteAll(id, where)
        })
      ))
      if (Option.isNone(isNew)) {
        return yield* new StoreError({ operation: "create", cause: new Error("the id is taken") })
      }
      return yield* claims.make({
        won: { id, epoch: firstEpoch, nonce, asked, before: Option.none(), recency },
        opened: Option.some(journal),
        read: read("create")(id)
      })
    }).pipe(Effect.uninterruptible)

  /** The claim's own nonce counts as its own: the statement may run twice. */
  const win = (id: SessionId.SessionId, nonce: string, takeOver: boolean) =>
    Effect.gen(function*() {
      const since = yield* now
      const asked = yield* Heartbeat.currentMoment
      const isFree = takeOver ? sql`1 = 1` : sql`(state <> 'held' OR lease_until < ${databaseNow} OR nonce = ${nonce})`
      const won = yield* run("claim")(apply<Claimed>({
        row: sql`UPDATE reprise_sessions SET epoch = CASE WHEN nonce = ${nonce} THEN epoch ELSE epoch + 1 END,
          nonce = ${nonce}, state = 'held', holder = ${holder}, since = ${since}, lease_until = ${leaseUntil}
          WHERE id = ${id} AND state <> 'removed' AND ${isFree}
          RETURNING epoch, is_open, journal_epoch, journal_part, journal_bytes, recency`
      })).pipe(Effect.onError(() =>
        undo("claim", {
          row: sql`UPDATE reprise_sessions SET state = 'released' WHERE id = ${id} AND nonce = ${nonce} RETURNING id`
        })
      ))
      return Option.map(won, (row) => ({ asked, row }))
    })

  /** Tries again what others were faster at, as long as nobody stands in the way. */
  const againUntilDone = <A, E>(operation: string, attempt: Effect.Effect<Option.Option<A>, E>) =>
    attempt.pipe(
      Effect.repeat({ until: Option.isSome, times: attempts }),
      Effect.flatMap(Option.match({
        onNone: () => new StoreError({ operation, cause: new Error("others were faster each time") }),
        onSome: Effect.succeed
      }))
    )

  const claim: SessionStore["Service"]["claim"] = (id, options) =>
    Effect.gen(function*() {
      yield* checkId(id)
      const nonce = yield* random.uuidV4()
      const takeOver = options?.takeOver === true
      const { asked, row } = yield* againUntilDone(
        "claim",
        Effect.gen(function*() {
          const won = yield* win(id, nonce, takeOver)
          if (Option.isSome(won)) return won
          const standing = yield* standingOf("claim", id)
          if (Standing.isRemoved(standing)) return yield* new NotFound({ target: `${id} outside the trash` })
          if (Standing.isHeld(standing) && !takeOver) return yield* Standing.alreadyRunning(standing)
          return Option.none()
        })
      )
      const recency = Number(row.recency)
      const before: Claims.Journal = {
        epoch: Number(row.journal_epoch),
        part: Number(row.journal_part),
        bytes: Number(row.journal_bytes),
        recency
      }
      return yield* claims.make({
        won: {
          id,
          epoch: Number(row.epoch),
          nonce,
          asked,
          before: Number(row.is_open) === 1 ? Option.some(before) : Option.none(),
          recency
        },
        opened: Option.none(),
        read: read("claim")(id)
      })
    }).pipe(Effect.uninterruptible)

  /** Puts a session that nobody runs into another state, which ends every earlier claim. */
  const move = (
    operation: string,
    id: SessionId.SessionId,
    state: "removed" | "released",
    judge: (standing: Standing.Standing) => Effect.Effect<boolean, AlreadyRunning>
  ) =>
    againUntilDone(
      operation,
      Effect.gen(function*() {
        yield* checkId(id)
        const standing = yield* standingOf(operation, id)
        if (!(yield* judge(standing))) return Option.some(undefined)
        const since = yield* now
        const nonce = yield* random.uuidV4()
        // As it was judged, and nobody in between.
        const isSame = sql`nonce = ${standing.nonce} AND state = ${standing.state} AND is_open = ${standing.is_open}`
        const moved = yield* run(operation)(apply({
          row: sql`UPDATE reprise_sessions SET state = ${state}, epoch = epoch + 1, nonce = ${nonce},
          holder = ${holder}, since = ${since} WHERE id = ${id} AND ${isSame}
          AND (state <> 'held' OR lease_until < ${databaseNow}) RETURNING id`
        }))
        return Option.map(moved, () => undefined)
      })
    ).pipe(Effect.uninterruptible)

  const remove: SessionStore["Service"]["remove"] = (id, options) =>
    move("remove", id, "removed", (standing) => {
      if (Standing.isRemoved(standing)) return Effect.succeed(false)
      const isInTheWay = Standing.isHeld(standing) || (Standing.isOpen(standing) && options?.interrupted !== true)
      return isInTheWay ? Effect.fail(Standing.alreadyRunning(standing)) : Effect.succeed(true)
    })

  const restore: SessionStore["Service"]["restore"] = (id) =>
    move("restore", id, "released", (standing) => Effect.succeed(Standing.isRemoved(standing)))

  const isRemoved: SessionStore["Service"]["isRemoved"] = (id) =>
    Effect.andThen(checkId(id), Effect.map(standingOf("restore", id), Standing.isRemoved))

  const deleteAll = (id: SessionId.SessionId, where: Fragment): ReadonlyArray<Fragment> =>
    ["reprise_snapshots", "reprise_journal", "reprise_blobs", "reprise_originals"].map((table) =>
      sql`DELETE FROM ${sql(table)} WHERE session_id = ${id} AND ${where}`
    )

  const purge: SessionStore["Service"]["purge"] = (id) =>
    Effect.gen(function*() {
      yield* checkId(id)
      const gone = yield* run("purge")(apply({
        row: sql`DELETE FROM reprise_sessions WHERE id = ${id} AND state = 'removed' RETURNING id`,
        rest: (where) => deleteAll(id, where)
      }))
      if (Option.isNone(gone)) return yield* new NotFound({ target: `${id} in the trash` })
    }).pipe(Effect.uninterruptible)

  return SessionStore.of({
    limits,
    format,
    entries,
    list,
    read: read("read"),
    readBlob: blobs.read,
    create,
    deposit,
    claim,
    remove,
    restore,
    purge,
    isRemoved,
    alone: turns.withPermit,
    // What happens in one statement leaves nothing half done.
    sweep: Effect.void
  })
})

/**
 * Makes the tables in the client's database and brings them up to date: for
 * deployments whose programs may not.
 *
 * @category migrations
 * @since 0.1.0
 */
export const migrate: Effect.Effect<void, StoreError, SqlClient> = Effect.flatMap(Database.make, Tables.migrate)

/**
 * Stores sessions with any `effect/sql` client of PostgreSQL or SQLite.
 *
 * **Details**
 *
 * One row of a session decides who has it, on the database's clock: its holder says
 * all the while that it lives, and one that has not for `leaseFor` is replaced. Each
 * change names the claim that makes it and happens in one statement, so a former
 * holder changes nothing. What is acknowledged is durable as far as the database is:
 * PostgreSQL is told to wait for its disk, whatever `synchronous_commit` is.
 *
 * Snapshots and journals are stored as the bytes that were signed, and verified when
 * they are loaded. Lists are read from an index.
 *
 * **Gotchas**
 *
 * Nothing here joins a transaction of the application. Of the limits, `maxStored`
 * counts sessions of everybody in the database; with `Infinity` nothing is counted.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<SessionStore, StoreError, SqlClient | Liveness | SecureRandom.SecureRandom> =>
  Layer.effect(SessionStore, make(options))

/**
 * A client whose failure to open is told as the store tells its own, without what the
 * database may repeat.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerClient = <R>(
  client: Layer.Layer<SqlClient, SqlError, R>
): Layer.Layer<SqlClient, StoreError, R> =>
  Layer.catch(
    client,
    (error) => Layer.effectContext(new StoreError({ operation: "open", cause: Database.describe(error) }))
  )

/**
 * What there is to know of a database without changing it: what it is, who uses it,
 * its tables, its clock, and how many sessions it has.
 *
 * @category inspecting
 * @since 0.1.0
 */
export const inspect: Effect.Effect<Inspection.Inspection, StoreError, SqlClient> = Effect.flatMap(
  Database.make,
  Inspection.make
)

/**
 * What `inspect` tells of the database and its tables, without looking into them.
 *
 * @category inspecting
 * @since 0.1.0
 */
export const inspectTables: Effect.Effect<Inspection.Outside, StoreError, SqlClient> = Effect.flatMap(
  Database.make,
  Inspection.outside
)
