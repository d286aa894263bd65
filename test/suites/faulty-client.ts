/**
 * A client in which every statement passes a hook: by default it is executed.
 */
import { PgClient } from "@effect/sql-pg"
import { Effect, Layer } from "effect"
import { Reactivity } from "effect/reactivity"
import { SqlClient, type SqlConnection, SqlError, Statement } from "effect/sql"

/** Sees a statement and what executes it. */
export type Hook = <A>(sql: string, run: Effect.Effect<A, SqlError.SqlError>) => Effect.Effect<A, SqlError.SqlError>

/** What a client says whose connection broke. */
export const broken = new SqlError.SqlError({
  reason: new SqlError.ConnectionError({ cause: new Error("the connection broke"), operation: "execute" })
})

const watched = (connection: SqlConnection.Connection, hook: Hook): SqlConnection.Connection => {
  /** A database undoes what was begun on a connection that broke. */
  const rollback = Effect.ignore(connection.executeUnprepared("ROLLBACK", [], undefined))
  const watch: Hook = (sql, run) => {
    if (/^(BEGIN|ROLLBACK|SAVEPOINT|RELEASE)/.test(sql)) return run
    return sql === "COMMIT" ? Effect.tapError(hook(sql, run), () => rollback) : hook(sql, run)
  }
  return {
    execute: (sql, params, transform) => watch(sql, connection.execute(sql, params, transform)),
    executeRaw: (sql, params) => watch(sql, connection.executeRaw(sql, params)),
    executeStream: (sql, params, transform) => connection.executeStream(sql, params, transform),
    executeUnprepared: (sql, params, transform) => watch(sql, connection.executeUnprepared(sql, params, transform)),
    executeValues: (sql, params) => watch(sql, connection.executeValues(sql, params)),
    executeValuesUnprepared: (sql, params) => watch(sql, connection.executeValuesUnprepared(sql, params))
  }
}

/** The client below, with a hook in it. */
export const layer = (hook: Hook) =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function*() {
      const client = yield* SqlClient.SqlClient
      const compiler = client.onDialectOrElse({
        pg: () => PgClient.makeCompiler(),
        orElse: () => Statement.makeCompilerSqlite()
      })
      const acquirer = Effect.map(client.reserve, (connection) => watched(connection, hook))
      return yield* SqlClient.make({
        acquirer,
        compiler,
        driver: client.driver,
        spanAttributes: [],
        releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`
      })
    })
  ).pipe(Layer.provide(Reactivity.layer))
