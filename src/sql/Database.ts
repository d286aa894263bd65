/**
 * The database below the store: which dialect it speaks, how its failures are
 * told, and that nothing of the store joins a transaction of the application.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as SqlClient from "effect/sql/SqlClient"
import * as SqlError from "effect/sql/SqlError"
import type { Fragment } from "effect/sql/Statement"
import { StoreError } from "../core/SessionError.ts"

/**
 * What went wrong in the database, without what it was asked: its own details may
 * repeat what is stored.
 *
 * **Details**
 *
 * `reason` is the tag of effect/sql, `code` the database's own code, `constraint`
 * the name of the rule that was broken. `detail` says where it could not be
 * reached, and nothing in any other case.
 */
export class DatabaseError extends Data.TaggedError("effect-reprise/sql/Database/DatabaseError")<{
  readonly reason: SqlError.SqlErrorReason["_tag"]
  readonly code?: string
  readonly constraint?: string
  readonly detail?: string
}> {
  override get message(): string {
    const facts = [this.code, this.constraint, this.detail].filter((fact) => fact !== undefined)
    return facts.length === 0 ? this.reason : `${this.reason}: ${facts.join(", ")}`
  }
}

const codeOf = (cause: unknown): string | undefined => {
  if (!Predicate.hasProperty(cause, "code")) return undefined
  return typeof cause.code === "string" || typeof cause.code === "number" ? String(cause.code) : undefined
}

const textOf = ({ cause, message }: SqlError.SqlErrorReason): string | undefined =>
  Predicate.hasProperty(cause, "message") && typeof cause.message === "string" ? cause.message : message

/** What a server says to whom it does not let in, or has nothing for: it has not read anything yet. */
const atTheDoor = /^(28|3D|3F|53|57P)/

const isAboutReaching = ({ _tag, cause }: SqlError.SqlErrorReason): boolean =>
  _tag === "ConnectionError" || _tag === "AuthenticationError" || _tag === "AuthorizationError" ||
  atTheDoor.test(codeOf(cause) ?? "")

/**
 * A failure of the database as what it is safe to tell.
 */
export const describe = ({ reason }: SqlError.SqlError): DatabaseError => {
  const code = codeOf(reason.cause)
  const detail = isAboutReaching(reason) ? textOf(reason) : undefined
  return new DatabaseError({
    reason: reason._tag,
    ...(code === undefined ? {} : { code }),
    ...(reason._tag === "UniqueViolation" ? { constraint: reason.constraint } : {}),
    ...(detail === undefined ? {} : { detail })
  })
}

/** The server ended the connection: it shuts down, or was told to. */
const isEnded = (reason: SqlError.SqlErrorReason): boolean => /^57P0\d$/.test(codeOf(reason.cause) ?? "")

/**
 * Whether the connection broke, so that nobody knows what became of a statement.
 */
const isBroken = ({ reason }: SqlError.SqlError): boolean => reason._tag === "ConnectionError" || isEnded(reason)

/**
 * Whether the database undid a statement because others were at the same rows.
 */
const isConflict = ({ reason }: SqlError.SqlError): boolean =>
  reason._tag === "SerializationError" || reason._tag === "DeadlockError"

/** How often a statement that others got in the way of is tried again. */
const conflicts = 20

/** Makes a statement again that others got in the way of, and once more where the connection broke. */
const again = <A, E>(effect: Effect.Effect<A, E>, left = { conflicts, breaks: 1 }): Effect.Effect<A, E> =>
  Effect.catch(effect, (error) => {
    if (!SqlError.isSqlError(error)) return Effect.fail(error)
    if (isConflict(error) && left.conflicts > 0) return again(effect, { ...left, conflicts: left.conflicts - 1 })
    if (isBroken(error) && left.breaks > 0) return again(effect, { conflicts, breaks: left.breaks - 1 })
    return Effect.fail(error)
  })

/** PostgreSQL's own clock, in milliseconds. */
export const pgNow = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)"

/** The SQL that the store knows. */
export type Dialect = "pg" | "sqlite"

/**
 * Fails for a database whose SQL the store does not know.
 */
export const make = Effect.gen(function*() {
  const client = yield* SqlClient.SqlClient
  const sql = client.withoutTransforms()
  const dialect = sql.onDialectOrElse({
    pg: (): Dialect | undefined => "pg",
    sqlite: () => "sqlite" as const,
    orElse: () => undefined
  })
  if (dialect === undefined) {
    return yield* new StoreError({
      operation: "open",
      cause: new Error("Sessions are stored in PostgreSQL or SQLite, and this client is of neither")
    })
  }
  /** The database's own clock, in milliseconds. */
  const now: Fragment = dialect === "pg"
    ? sql.literal(pgNow)
    : sql`CAST(unixepoch('subsec') * 1000 AS INTEGER)`

  const outside = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E> =>
    Effect.flatMap(
      Effect.serviceOption(sql.transactionService),
      (transaction) =>
        Option.isNone(transaction) ? effect : Effect.updateContext(effect, Context.omit(sql.transactionService))
    )

  /** SQLite's only connection is the transaction's that the caller is in. */
  const unlessTaken = (operation: string) =>
    Effect.flatMap(Effect.serviceOption(sql.transactionService), (transaction) =>
      Option.isNone(transaction)
        ? Effect.void
        : new StoreError({ operation, cause: new Error("the transaction around it has the only connection") }))

  /**
   * Runs statements on their own, outside any transaction that the caller is in:
   * what is acknowledged must not be rolled back with it. Failures are of `operation`.
   *
   * They may run twice, where a connection broke and nobody knows whether the first
   * time counts: they must come to the same then.
   */
  const run = (operation: string) => <A, E>(effect: Effect.Effect<A, E>) => {
    const told = again(effect).pipe(
      // A rollback that fails is a defect to effect/sql: to the store the database failed.
      Effect.catchDefect((defect) => SqlError.isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)),
      Effect.catchIf(
        (error: E | SqlError.SqlError): error is (E | SqlError.SqlError) & SqlError.SqlError =>
          SqlError.isSqlError(error),
        (error) => new StoreError({ operation, cause: describe(error) })
      )
    )
    return dialect === "pg" ? outside(told) : Effect.andThen(unlessTaken(operation), outside(told))
  }

  return { sql, dialect, now, run }
})

export type Database = Effect.Success<typeof make>
