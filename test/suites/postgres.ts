/**
 * Places for tables in a PostgreSQL server: a schema each, which nobody else uses.
 * Spawned processes run this, so it imports single modules.
 */
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SqlClient from "effect/sql/SqlClient"
import * as NodeCrypto from "node:crypto"

/** A place for tables that nobody else uses. */
export interface Database {
  readonly url: string
  readonly schema: string
}

/** A client that sees one schema. */
export const layerClient = (
  { schema, url }: Database,
  options: { readonly maxConnections?: number; readonly settings?: Readonly<Record<string, string>> } = {}
) =>
  PgClient.layer({
    url: Redacted.make(url),
    maxConnections: options.maxConnections ?? 4,
    startupParameters: { search_path: `${schema},public`, ...options.settings }
  })

/** What a new schema needs: the extension in none that goes with a test. */
const prepare = (schema: string) =>
  SqlClient.SqlClient.use((sql) =>
    Effect.andThen(
      Effect.ignore(sql`CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public`),
      sql`CREATE SCHEMA ${sql(schema)}`
    )
  )

/** A server that was only lent gets back what it lent; one of these tests goes with all that is in it. */
const drop = (schema: string) =>
  SqlClient.SqlClient.use((sql) =>
    process.env["REPRISE_TEST_PG"] === undefined ? Effect.void : Effect.asVoid(sql`DROP SCHEMA ${sql(schema)} CASCADE`)
  )

/** A schema that goes with the scope. */
export const schemaIn = Effect.fnUntraced(function*(url: string) {
  const place: Database = { url, schema: `test_${NodeCrypto.randomUUID().replaceAll("-", "")}` }
  const client = layerClient(place, { maxConnections: 1 })
  yield* Effect.acquireRelease(
    Effect.provide(prepare(place.schema), client, { local: true }),
    () => Effect.orDie(Effect.provide(drop(place.schema), client, { local: true }))
  )
  return place
})
