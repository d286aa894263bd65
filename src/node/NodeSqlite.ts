/**
 * An `effect/sql` client on Node's own SQLite.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as Semaphore from "effect/Semaphore"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import * as SqlError from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import * as Stream from "effect/Stream"
import * as NodeFs from "node:fs"
import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** The database's file, created with mode 0600; `:memory:` for one that ends with its layer. */
  readonly filename: string
  /** How long a statement waits for another process that writes. Milliseconds, default 10,000. */
  readonly busyMillis?: number
}

/** A failure of SQLite, with its own code where effect/sql looks for it. */
const failed = (operation: string) => (cause: unknown) => {
  const error = new Error(cause instanceof Error ? cause.message : "SQLite failed")
  const code = Predicate.hasProperty(cause, "errcode") ? cause.errcode : undefined
  return new SqlError.SqlError({
    reason: SqlError.classifySqliteError(Object.assign(error, { code }), { operation })
  })
}

/** Whether another connection is writing. */
const isBusy = ({ reason }: SqlError.SqlError): boolean => reason._tag === "LockTimeoutError"

/** Real time, which other processes live in, whatever the `Clock` shows. */
const pause = Effect.callback<void>((resume) => {
  const timer = setTimeout(() => resume(Effect.void), 1 + Math.random() * 4)
  return Effect.sync(() => clearTimeout(timer))
})

const isInput = (value: unknown): value is SQLInputValue =>
  value === null || typeof value === "number" || typeof value === "bigint" || typeof value === "string" ||
  value instanceof Uint8Array

/** A value as SQLite has it: without booleans and `undefined`, and whole numbers as such. */
const toInput = (value: unknown): SQLInputValue => {
  if (value === undefined) return null
  if (Number.isSafeInteger(value)) return BigInt(Number(value))
  if (typeof value === "boolean") return value ? 1 : 0
  if (isInput(value)) return value
  throw new TypeError("SQLite stores null, numbers, texts and bytes")
}

/** Prepared statements that are kept. */
const kept = 200

const makeConnection = (database: DatabaseSync, busyMillis: number): Connection => {
  const statements = new Map<string, StatementSync>()
  const prepare = (sql: string): StatementSync => {
    const known = statements.get(sql)
    if (known !== undefined) return known
    const statement = database.prepare(sql)
    if (statements.size >= kept) statements.clear()
    statements.set(sql, statement)
    return statement
  }

  const once = <A>(sql: string, use: (statement: StatementSync) => A) =>
    Effect.flatMap(SqlClient.SafeIntegers, (areSafe) =>
      Effect.try({
        try: () => {
          const statement = prepare(sql)
          statement.setReadBigInts(areSafe)
          return use(statement)
        },
        catch: failed("execute")
      }))

  /** Waits for other processes without keeping this one from its other work. */
  const run = <A>(sql: string, use: (statement: StatementSync) => A): Effect.Effect<A, SqlError.SqlError> =>
    Effect.suspend(() => {
      if (!database.isOpen || database.isTransaction) return once(sql, use)
      const until = performance.now() + busyMillis
      const attempt: Effect.Effect<A, SqlError.SqlError> = Effect.catchIf(
        once(sql, use),
        (error) => isBusy(error) && performance.now() < until,
        () => Effect.andThen(pause, attempt)
      )
      return attempt
    })

  const execute: Connection["execute"] = (sql, params, transform) =>
    Effect.map(
      run(sql, (statement) => statement.all(...params.map(toInput))),
      (rows) => transform === undefined ? rows : transform(rows)
    )
  const executeValues: Connection["executeValues"] = (sql, params) =>
    Effect.map(
      run(sql, (statement) => statement.all(...params.map(toInput))),
      (rows) => rows.map((row) => Object.values(row))
    )

  return {
    execute,
    executeRaw: (sql, params) => run(sql, (statement) => statement.run(...params.map(toInput))),
    executeStream: (sql, params, transform) =>
      Stream.unwrap(Effect.map(execute(sql, params, transform), Stream.fromIterable)),
    executeUnprepared: execute,
    executeValues,
    executeValuesUnprepared: executeValues
  }
}

const open = ({ filename }: Options) =>
  Effect.tryPromise({
    try: async () => {
      const { DatabaseSync } = await import("node:sqlite")
      // SQLite would let others read it: its further files take their mode from this one.
      if (filename !== ":memory:") NodeFs.closeSync(NodeFs.openSync(filename, "a", 0o600))
      return new DatabaseSync(filename, { timeout: 0 })
    },
    catch: (cause) => new SqlError.SqlError({ reason: new SqlError.ConnectionError({ cause, operation: "open" }) })
  })

const make = Effect.fnUntraced(function*(options: Options) {
  const database = yield* Effect.acquireRelease(open(options), (database) => Effect.sync(() => database.close()))
  const connection = makeConnection(database, options.busyMillis ?? 10_000)
  // Readers don't wait for writers, and what is committed is on the disk.
  yield* connection.executeRaw("PRAGMA journal_mode = WAL", [])
  yield* connection.executeRaw("PRAGMA synchronous = FULL", [])
  return yield* SqlClient.make({
    ...SqlClient.makeSqliteAcquirers({
      connection: Effect.succeed(connection),
      semaphore: yield* Semaphore.make(1),
      isTransaction: () => database.isOpen && database.isTransaction
    }),
    compiler: Statement.makeCompilerSqlite(),
    driver: "sqlite-node",
    beginTransaction: "BEGIN IMMEDIATE",
    releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
    spanAttributes: [["db.system.name", "sqlite"]]
  })
})

/**
 * A client of one database file, which any number of processes of one machine may
 * use at once, or of a database in memory.
 *
 * **Details**
 *
 * One connection, whose statements and transactions take turns. It writes ahead
 * (WAL) and waits for the disk at each commit.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<SqlClient.SqlClient, SqlError.SqlError> =>
  Layer.provide(Layer.effect(SqlClient.SqlClient, make(options)), Reactivity.layer)
