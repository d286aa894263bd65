/**
 * The right to change one session's rows. Each change is of the row that this
 * claim holds, or of none.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Fragment } from "effect/sql/Statement"
import type { Digest } from "../core/Blob.ts"
import type { Holder } from "../core/Holder.ts"
import type { Format } from "../core/Migration.ts"
import type { InvalidJson, NotFound } from "../core/SessionError.ts"
import { LeaseLost, NotRunning, SessionEnded, StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as StoredSession from "../core/StoredSession.ts"
import { now } from "../services/Now.ts"
import type { Claim, NewJournal, Stored } from "../services/store/Contract.ts"
import * as Appends from "./Appends.ts"
import type { Blobs } from "./Blobs.ts"
import * as Change from "./Change.ts"
import type { Database } from "./Database.ts"
import * as Heartbeat from "./Heartbeat.ts"
import * as Shown from "./Shown.ts"
import * as Standing from "./Standing.ts"

/** The journal that counts, and what a list shows of it. A part of -1 is none. */
export interface Journal {
  readonly epoch: number
  readonly part: number
  readonly bytes: number
  readonly recency: number
}

/** A row that was won. */
export interface Won {
  readonly id: SessionId
  readonly epoch: number
  readonly nonce: string
  /** When it was asked for: a moment of `Heartbeat`. */
  readonly asked: number
  /** What stood there before. */
  readonly before: Option.Option<Journal>
  readonly recency: number
}

/** The journal that lines are added to. */
interface Open extends Journal {
  /** The number of the next lines. */
  readonly next: number
  /** Whether it can be taken back: nothing in it was acknowledged to anybody. */
  readonly isProvisional: boolean
}

/** What a claim writes into its row beside the lease. */
const setJournal = ({ sql }: Database, journal: Option.Option<Journal>, recency: number): Fragment =>
  Option.match(journal, {
    onNone: () => sql`is_open = 0, journal_epoch = 0, journal_part = 0, journal_bytes = 0, recency = ${recency}`,
    onSome: ({ bytes, epoch, part }) =>
      sql`is_open = 1, journal_epoch = ${epoch}, journal_part = ${part}, journal_bytes = ${bytes}, recency = ${recency}`
  })

export const make = (services: {
  readonly blobs: Blobs
  readonly database: Database
  readonly format: Format
  readonly leaseFor: Duration.Duration
}) => {
  const { blobs, database, format, leaseFor } = services
  const { now: databaseNow, run, sql } = database
  const apply = Change.make(database)
  const appends = Appends.make(database, leaseFor)
  const leaseUntil = sql`lease_until = ${databaseNow} + ${Duration.toMillis(leaseFor)}`

  /**
   * A claim that was won, given back when the scope closes. `opened` is the journal
   * it begins with, if it made the session.
   */
  const make = Effect.fnUntraced(function*(options: {
    readonly won: Won
    readonly opened: Option.Option<Journal>
    readonly read: Effect.Effect<Stored, NotFound | InvalidJson | StoreError>
  }) {
    const { epoch, id, nonce } = options.won
    const lost = yield* Deferred.make<SessionEnded>()
    let current = Option.map(options.opened, (journal): Open => ({ ...journal, next: 1, isProvisional: false }))
    let recency = options.won.recency
    /** What a journal begins with that comes to be with the first event. */
    let planned = Option.none<Uint8Array>()
    let isSettled = true
    let isOver = false

    const isOurs = sql`id = ${id} AND epoch = ${epoch} AND nonce = ${nonce} AND state <> 'removed'`

    /** What the session's row says now of whoever holds it. */
    const endedBy = run("claim")(sql<Standing.Standing>`
      SELECT ${Standing.columns(database)} FROM reprise_sessions WHERE id = ${id}
    `).pipe(
      Effect.map(([row]) => row === undefined ? {} : Standing.lastHolder(row)),
      Effect.orElseSucceed(() => ({})),
      Effect.map(({ holder }: { readonly holder?: Holder }) =>
        new SessionEnded({ id, reason: new LeaseLost(holder === undefined ? {} : { holder }) })
      ),
      Effect.tap((ended) => Deferred.succeed(lost, ended))
    )

    /** A claim that changed no row has lost it. */
    const unlessLost = Option.match<Effect.Effect<void, SessionEnded>, unknown, Effect.Effect<void>>({
      onNone: () => Effect.flatMap(endedBy, Effect.fail),
      onSome: () => Effect.void
    })

    const { renewing } = yield* Heartbeat.make({
      leaseFor,
      since: options.won.asked,
      beat: run("claim")(
        apply({
          row: sql`UPDATE reprise_sessions SET ${leaseUntil} WHERE ${isOurs} RETURNING id`,
          isForgettable: true
        })
      ).pipe(
        Effect.flatMap((row) => isOver ? Effect.void : unlessLost(row)),
        Effect.tapErrorTag(
          "StoreError",
          (error) => Effect.annotateLogs(Effect.logDebug("a heartbeat failed", error), { sessionId: id })
        )
      ),
      onSilence: Effect.suspend(() =>
        isOver
          ? Effect.void
          : Effect.asVoid(Deferred.succeed(lost, new SessionEnded({ id, reason: new LeaseLost({}) })))
      )
    })

    /** One durable change of the row and what goes with it, as long as the row is this claim's. */
    const change = (operation: string, parts: {
      readonly set: Fragment
      readonly rest?: Change.Change["rest"]
    }): Effect.Effect<void, SessionEnded | StoreError> =>
      run(operation)(apply({
        row: sql`UPDATE reprise_sessions SET ${parts.set} WHERE ${isOurs} RETURNING id`,
        ...(parts.rest === undefined ? {} : { rest: parts.rest })
      })).pipe(Effect.flatMap(unlessLost), renewing)

    /** Further lines of a journal. */
    const addMore = (append: Appends.Append) =>
      renewing(
        Effect.flatMap(appends(append), (isHeld) => isHeld ? Effect.void : Effect.flatMap(endedBy, Effect.fail))
      )

    /** An operation of the claim, as long as it is not over. */
    const operation = <E>(effect: Effect.Effect<void, E>): Effect.Effect<void, E | SessionEnded> =>
      Effect.suspend((): Effect.Effect<void, E | SessionEnded> =>
        isOver ? Effect.fail(new SessionEnded({ id, reason: new NotRunning({}) })) : effect
      ).pipe(Effect.uninterruptible)

    /** A holder that changes its row says with it that it lives. */
    const held = (journal: Option.Option<Journal>, recency: number) =>
      sql`state = 'held', ${leaseUntil}, ${setJournal(database, journal, recency)}`

    const addLines = (journal: Pick<Open, "part" | "next">, bytes: Uint8Array) => (where: Fragment) =>
      sql`INSERT INTO reprise_journal (session_id, epoch, part, number, bytes)
        SELECT ${id}, ${epoch}, ${journal.part}, ${journal.next}, ${bytes} WHERE ${where} ON CONFLICT DO NOTHING`

    const dropJournals = (which: Fragment) => (where: Fragment) =>
      sql`DELETE FROM reprise_journal WHERE session_id = ${id} AND ${which} AND ${where}`

    const isNotOf = ({ part }: Pick<Open, "part">) => sql`NOT (epoch = ${epoch} AND part = ${part})`

    const putSnapshot = (bytes: Uint8Array, shown: Shown.Shown) => (where: Fragment) =>
      sql`UPDATE reprise_snapshots SET bytes = ${bytes}, head = ${shown.head}, is_signed = ${shown.isSigned ? 1 : 0},
        name_text = ${shown.nameText}, path_text = ${shown.pathText} WHERE session_id = ${id} AND ${where}`

    const snapshotFacts = (bytes: Uint8Array, { project }: Shown.Shown) =>
      sql`snapshot_bytes = ${bytes.length}, project = ${project}`

    const millis = Clock.currentTimeMillis

    const begin: Claim["begin"] = ({ bytes, isEmpty = false, part }) =>
      operation(Effect.gen(function*() {
        // In place even where this fails and nobody knows whether it counts: the release takes it back.
        const journal: Open = {
          epoch,
          part,
          bytes: bytes.length,
          recency: Math.min(options.won.recency, Shown.recencyOf(yield* millis)),
          next: 0,
          isProvisional: true
        }
        if (isEmpty) {
          yield* change("resume", { set: sql`state = 'held', ${leaseUntil}` })
          planned = Option.some(bytes)
          current = Option.some({ ...journal, next: 1 })
          return
        }
        isSettled = false
        current = Option.some(journal)
        yield* change("resume", {
          set: held(current, journal.recency),
          rest: (where) => [addLines(journal, bytes)(where)]
        })
        current = Option.some({ ...journal, next: 1 })
        recency = journal.recency
        isSettled = true
      }))

    const append: Claim["append"] = (lines) =>
      operation(Effect.gen(function*() {
        if (Option.isNone(current) || !isSettled) {
          return yield* new StoreError({
            operation: "append",
            cause: new Error("the journal needs a checkpoint first")
          })
        }
        const { isProvisional, ...open } = current.value
        const journal: Open = {
          ...open,
          bytes: open.bytes + lines.length,
          recency: Math.min(recency, Shown.recencyOf(yield* millis)),
          next: open.next + 1,
          isProvisional: false
        }
        isSettled = false
        current = Option.some({ ...open, isProvisional: false })
        yield* isProvisional
          ? change("append", {
            set: held(Option.some(journal), journal.recency),
            rest: (where) => [
              ...Option.toArray(planned).map((bytes) => addLines({ ...open, next: 0 }, bytes)(where)),
              addLines(open, lines)(where),
              dropJournals(isNotOf(open))(where)
            ]
          })
          : addMore({ ...journal, id, nonce, number: open.next, lines })
        current = Option.some(journal)
        recency = journal.recency
        isSettled = true
      }))

    const putBlobs: Claim["putBlobs"] = (given) =>
      operation(Effect.forEach(given, (blob) =>
        change("append", {
          set: sql`state = 'held', ${leaseUntil}`,
          rest: (where) => [blobs.put(id, blob)(where)]
        }), { discard: true }))

    const keepOriginal: Claim["keepOriginal"] = (version) =>
      operation(change("checkpoint", {
        set: sql`state = 'held', ${leaseUntil}`,
        rest: (where) => [
          sql`INSERT INTO reprise_originals (session_id, version, bytes)
            SELECT session_id, ${version}, bytes FROM reprise_snapshots WHERE session_id = ${id} AND ${where}
            ON CONFLICT (session_id, version) DO UPDATE SET bytes = excluded.bytes`
        ]
      }))

    const checkpoint: Claim["checkpoint"] = (snapshot: Uint8Array, { bytes, part }: NewJournal) =>
      operation(Effect.gen(function*() {
        isSettled = false
        const shown = Shown.fromSnapshot(id, snapshot, format)
        const written = yield* millis
        const journal: Open = {
          epoch,
          part,
          bytes: bytes.length,
          recency: Shown.recencyOf(Math.max(written, Option.getOrElse(shown.updatedAt, () => written))),
          next: 0,
          isProvisional: false
        }
        yield* change("checkpoint", {
          set: sql`${held(Option.some(journal), journal.recency)}, ${snapshotFacts(snapshot, shown)}`,
          rest: (where) => [
            putSnapshot(snapshot, shown)(where),
            dropJournals(isNotOf(journal))(where),
            addLines(journal, bytes)(where)
          ]
        })
        current = Option.some({ ...journal, next: 1 })
        recency = journal.recency
        isSettled = true
      }))

    const over = Effect.sync(() => {
      isOver = true
    })

    /** The row of nobody. Its nonce stays: a release that nobody knows to have counted can be made again. */
    const released = Effect.map(now, (since) => sql`state = 'released', since = ${since}`)

    /** Blobs that are stored, and not needed once the session is closed. */
    const surplus = Effect.fnUntraced(function*(needed: () => ReadonlySet<Digest>) {
      const stored = yield* blobs.stored(id)
      const kept = stored.length === 0 ? new Set<Digest>() : needed()
      return stored.filter((digest) => !kept.has(digest))
    })

    const close: Claim["close"] = (snapshot, needed) =>
      operation(Effect.gen(function*() {
        const dropped = needed === undefined ? [] : yield* surplus(needed)
        isSettled = false
        const shown = Shown.fromSnapshot(id, snapshot, format)
        const closed = yield* millis
        const at = Shown.recencyOf(Option.getOrElse(shown.updatedAt, () => closed))
        yield* change("close", {
          set: sql`${yield* released}, ${setJournal(database, Option.none(), at)}, ${snapshotFacts(snapshot, shown)}`,
          rest: (where) => [
            putSnapshot(snapshot, shown)(where),
            dropJournals(sql`1 = 1`)(where),
            ...blobs.drop(id, dropped)(where)
          ]
        })
        yield* over
      }))

    const giveBack = operation(Effect.gen(function*() {
      const provisional = Option.filter(current, ({ isProvisional }) => isProvisional)
      yield* change("release", {
        set: Option.isSome(provisional)
          ? sql`${yield* released}, ${setJournal(database, options.won.before, options.won.recency)}`
          : yield* released,
        ...(Option.isSome(provisional)
          ? { rest: (where: Fragment) => [dropJournals(sql`epoch = ${epoch}`)(where)] }
          : {})
      })
      yield* over
      yield* Effect.annotateLogs(Effect.logInfo("released"), { sessionId: id })
    }))

    yield* Effect.addFinalizer(() =>
      // Held by a process that lives, nobody else could have it before its time: so it is tried again.
      Effect.suspend(() => isOver ? Effect.void : giveBack).pipe(
        Effect.retry({ while: (error) => error._tag === "StoreError", times: 2 }),
        Effect.catchTags({
          SessionEnded: () => Effect.void,
          StoreError: (error) => Effect.logWarning("a lease was not given back; it ends by itself", error)
        }),
        Heartbeat.noLongerThan(leaseFor),
        Effect.ensuring(over)
      )
    )

    const claim: Claim = {
      id,
      epoch,
      stored: options.read,
      isStill: (before) =>
        Effect.map(Effect.option(options.read), Option.exists((now) => StoredSession.isSame(before, now))),
      begin,
      append,
      putBlobs,
      keepOriginal,
      checkpoint,
      close,
      release: giveBack,
      lost: Deferred.await(lost)
    }
    return claim
  })

  return { apply, leaseUntil, make }
}
