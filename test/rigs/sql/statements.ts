/** A client whose statements are seen on their way, and rewritten where it is broken on purpose. */
import { makeCompiler } from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import type { SqlError } from "effect/sql/SqlError"

/** Sees a statement and what executes it. */
export type Hook = <A>(sql: string, run: Effect.Effect<A, SqlError>) => Effect.Effect<A, SqlError>

export const unseen: Hook = (_, run) => run

const through = (connection: Connection, hook: Hook, rewrite: (sql: string) => string): Connection => ({
  execute: (sql, params, transform) => hook(sql, connection.execute(rewrite(sql), params, transform)),
  executeRaw: (sql, params) => hook(sql, connection.executeRaw(rewrite(sql), params)),
  executeStream: (sql, params, transform) => connection.executeStream(rewrite(sql), params, transform),
  executeUnprepared: (sql, params, transform) =>
    hook(sql, connection.executeUnprepared(rewrite(sql), params, transform)),
  executeValues: (sql, params) => hook(sql, connection.executeValues(rewrite(sql), params)),
  executeValuesUnprepared: (sql, params) => hook(sql, connection.executeValuesUnprepared(rewrite(sql), params))
})

/** PostgreSQL's client below, seen and rewritten. */
export const layer = (hook: Hook, rewrite: (sql: string) => string) =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.flatMap(SqlClient.SqlClient, (client) =>
      SqlClient.make({
        acquirer: Effect.map(client.reserve, (connection) => through(connection, hook, rewrite)),
        compiler: makeCompiler(),
        driver: client.driver,
        spanAttributes: []
      }))
  ).pipe(Layer.provide(Reactivity.layer))
