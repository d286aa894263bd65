/**
 * Appends to journals. What many sessions append at once is durable together: one
 * statement, one round trip and one wait for the disk, and still each of them
 * counts only if its row is its claim's.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type { StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as Change from "./Change.ts"
import { type Database, DatabaseError, pgNow } from "./Database.ts"

/** Lines for a journal, and what its session's row says of it from then on. */
export interface Append {
  readonly id: SessionId
  readonly epoch: number
  readonly nonce: string
  readonly part: number
  /** The number of the lines in their journal. */
  readonly number: number
  readonly lines: Uint8Array
  /** Bytes of the journal with the lines. */
  readonly bytes: number
  readonly recency: number
}

/** Tells whether the row was the claim's, so that the lines count. */
export type Run = (append: Append) => Effect.Effect<boolean, StoreError>

/** The most appends that one statement makes, and the most statements that are under way at once. */
const [most, mostUnderWay] = [64, 4]

interface Item {
  readonly append: Append
  readonly outcome: Deferred.Deferred<boolean, StoreError>
}

/** The texts are always the same: nothing is made of them twice, here or in the database. */
const makeStatements = ({ run, sql }: Database, leaseFor: Duration.Duration) => {
  const leaseUntil = `${pgNow} + ${Duration.toMillis(leaseFor)}`
  const oneText = `WITH changed AS (
      UPDATE reprise_sessions SET state = 'held', lease_until = ${leaseUntil}, is_open = 1,
        journal_epoch = $2, journal_part = $4, journal_bytes = $6, recency = $7
      WHERE id = $1 AND epoch = $2 AND nonce = $3 AND state <> 'removed' RETURNING nonce
    ), lines AS (
      INSERT INTO reprise_journal (session_id, epoch, part, number, bytes)
      SELECT $1, $2, $4, $5, $8 WHERE EXISTS (SELECT 1 FROM changed) ON CONFLICT DO NOTHING
    ) SELECT nonce, ${Change.durable} AS commits FROM changed`
  const manyText = `WITH given AS (
      SELECT * FROM unnest(
        $1::text[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bytea[]
      ) AS given (id, epoch, nonce, part, number, journal_bytes, recency, bytes)
    ), changed AS (
      UPDATE reprise_sessions SET state = 'held', lease_until = ${leaseUntil}, is_open = 1,
        journal_epoch = given.epoch, journal_part = given.part, journal_bytes = given.journal_bytes,
        recency = given.recency
      FROM given WHERE reprise_sessions.id = given.id
        AND reprise_sessions.epoch = given.epoch AND reprise_sessions.nonce = given.nonce AND state <> 'removed'
      RETURNING given.nonce
    ), lines AS (
      INSERT INTO reprise_journal (session_id, epoch, part, number, bytes)
      SELECT given.id, given.epoch, given.part, given.number, given.bytes
      FROM given JOIN changed ON changed.nonce = given.nonce ON CONFLICT DO NOTHING
    ) SELECT nonce, ${Change.durable} AS commits FROM changed`

  const columns = (appends: ReadonlyArray<Append>) => [
    appends.map(({ id }) => id),
    appends.map(({ epoch }) => epoch),
    appends.map(({ nonce }) => nonce),
    appends.map(({ part }) => part),
    appends.map(({ number }) => number),
    appends.map(({ bytes }) => bytes),
    appends.map(({ recency }) => recency),
    appends.map(({ lines }) => lines)
  ]

  const one = ({ bytes, epoch, id, lines, nonce, number, part, recency }: Append) =>
    Effect.map(
      run("append")(sql.unsafe(oneText, [id, epoch, nonce, part, number, bytes, recency, lines])),
      ([found]) => found !== undefined
    )

  /** The nonces of the claims whose rows were theirs. */
  const many = (appends: ReadonlyArray<Append>) =>
    Effect.map(
      run("append")(sql.unsafe<{ readonly nonce: string }>(manyText, columns(appends))),
      (rows) => new Set(rows.map(({ nonce }) => nonce))
    )

  return { many, one }
}

/** Whether the database could be asked, so that what it refused may be some of a statement's appends alone. */
const isRefusal = ({ cause }: StoreError): boolean =>
  cause instanceof DatabaseError && cause.reason !== "ConnectionError"

/** In PostgreSQL what comes while statements are under way goes with the next one. */
const makePg = (database: Database, leaseFor: Duration.Duration): Run => {
  const { many, one } = makeStatements(database, leaseFor)
  let queue: Array<Item> = []
  let underWay = 0

  const tell = (items: ReadonlyArray<Item>, told: (append: Append) => Exit.Exit<boolean, StoreError>) =>
    Effect.sync(() => {
      for (const { append, outcome } of items) Deferred.doneUnsafe(outcome, told(append))
    })

  const each = (items: ReadonlyArray<Item>) =>
    Effect.forEach(items, (item) => Effect.flatMap(Effect.exit(one(item.append)), (exit) => tell([item], () => exit)), {
      discard: true
    })

  /** One statement; where the database refuses it, one for each, so that nobody fails for another's. */
  const write = (items: ReadonlyArray<Item>) =>
    items.length === 1 ? each(items) : Effect.matchCauseEffect(many(items.map(({ append }) => append)), {
      onFailure: (cause) =>
        Option.exists(Cause.findErrorOption(cause), isRefusal) ? each(items) : tell(items, () => Exit.failCause(cause)),
      onSuccess: (nonces) => tell(items, ({ nonce }) => Exit.succeed(nonces.has(nonce)))
    })

  /** One of each claim, so that a statement changes no row twice. */
  const take = (): ReadonlyArray<Item> => {
    const taken = new Map<string, Item>()
    for (const item of queue) {
      if (taken.size < most && !taken.has(item.append.nonce)) taken.set(item.append.nonce, item)
    }
    const items = [...taken.values()]
    queue = queue.length === items.length ? [] : queue.filter((item) => taken.get(item.append.nonce) !== item)
    return items
  }

  const drain: Effect.Effect<void> = Effect.suspend(() => {
    if (queue.length > 0) return Effect.andThen(write(take()), drain)
    underWay--
    return Effect.void
  })

  /** Whoever was first makes the statement; what came meanwhile is none of its business. */
  const lead = (own: Item) =>
    Effect.suspend(() => {
      const items = take()
      const isAlone = items.length === 1 && items[0] === own
      // Another statement may have taken it along.
      const others = items.length === 0 ? Effect.void : write(items)
      const written = isAlone ? one(own.append) : Effect.andThen(others, Deferred.await(own.outcome))
      return Effect.onExit(written, () =>
        Effect.suspend(() => queue.length > 0 ? Effect.asVoid(Effect.forkDetach(drain)) : drain))
    })

  return (append) =>
    Effect.suspend(() => {
      const item: Item = { append, outcome: Deferred.makeUnsafe() }
      queue.push(item)
      if (underWay >= mostUnderWay || queue.length > 1) return Deferred.await(item.outcome)
      underWay++
      // What others append in the same turn goes with it.
      return Effect.andThen(Effect.yieldNow, lead(item))
    }).pipe(Effect.uninterruptible)
}

/** SQLite has one connection, and each append waits for it. */
const makeSqlite = (database: Database, leaseFor: Duration.Duration): Run => {
  const { now, run, sql } = database
  const apply = Change.make(database)
  return ({ bytes, epoch, id, lines, nonce, number, part, recency }) =>
    Effect.map(
      run("append")(apply({
        row: sql`UPDATE reprise_sessions SET state = 'held', lease_until = ${now} + ${Duration.toMillis(leaseFor)},
          is_open = 1, journal_epoch = ${epoch}, journal_part = ${part}, journal_bytes = ${bytes}, recency = ${recency}
          WHERE id = ${id} AND epoch = ${epoch} AND nonce = ${nonce} AND state <> 'removed' RETURNING id`,
        rest: (where) => [sql`INSERT INTO reprise_journal (session_id, epoch, part, number, bytes)
          SELECT ${id}, ${epoch}, ${part}, ${number}, ${lines} WHERE ${where} ON CONFLICT DO NOTHING`]
      })),
      Option.isSome
    )
}

export const make = (database: Database, leaseFor: Duration.Duration): Run =>
  database.dialect === "pg" ? makePg(database, leaseFor) : makeSqlite(database, leaseFor)
