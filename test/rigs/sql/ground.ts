/** Sessions in a schema of a PostgreSQL server. */
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql"
import * as Lease from "../../../src/core/Lease.ts"
import * as Layout from "../../../src/services/store/Layout.ts"
import * as Postgres from "../../suites/postgres.ts"
import type { Ground, Standing } from "../ground.ts"
import * as Database from "./database.ts"
import * as Process from "./process.ts"

interface Row {
  readonly epoch: string
  readonly nonce: string
  readonly state: string
  readonly holder: string
  readonly since: string
  readonly is_open: number
  readonly journal_epoch: string
  readonly journal_part: string
  readonly snapshot: Uint8Array | null
}

const asLease = Schema.decodeUnknownOption(Schema.Struct({
  ...Lease.Lease.fields,
  holder: Schema.fromJsonString(Lease.Lease.fields.holder)
}))

const parts = (names: ReadonlyArray<string>) => names.filter((name) => name.startsWith("journal."))

/** Tables whose rows belong to a session, and what tells one of its rows from another. */
const tables = {
  reprise_journal: "'journal.' || epoch || '.' || part || '.' || number",
  reprise_snapshots: `'${Layout.snapshot}'`,
  reprise_blobs: "'blob ' || digest",
  reprise_originals: "'original ' || version"
}

/** A schema that goes with the scope. */
export const make = Effect.fnUntraced(function*(url: string, options: { readonly leaseFor?: number } = {}) {
  const { leaseFor = Database.noLease } = options
  const place = yield* Postgres.schemaIn(url)
  const root = Database.toRoot({ ...place, leaseFor })
  const context = yield* Layer.build(Postgres.layerClient(place, { maxConnections: 2 }))
  const query = <A, E>(program: (sql: SqlClient.SqlClient) => Effect.Effect<A, E>) =>
    Effect.orDie(Effect.provideContext(SqlClient.SqlClient.use(program), context))
  const layer = Process.layer(root)
  // The tables are there before anybody looks at them.
  yield* Effect.scoped(Layer.build(layer))

  const namesOf = (where: string) =>
    query((sql) =>
      Effect.map(
        sql.unsafe<{ readonly name: string }>(
          Object.entries(tables).map(([table, name]) => `SELECT ${name} AS name FROM ${table} WHERE ${where}`)
            .join(" UNION ALL ")
        ),
        (rows) => rows.map(({ name }) => name).sort()
      )
    )

  const look = Effect.fnUntraced(function*(id: string) {
    const [row] = yield* query((sql) =>
      sql<Row>`SELECT epoch, nonce, state, holder, since, is_open, journal_epoch, journal_part,
        (SELECT bytes FROM reprise_snapshots WHERE session_id = id) AS snapshot
        FROM reprise_sessions WHERE id = ${id}`
    )
    if (row === undefined) return yield* Effect.fail({ message: `there is no session ${id}` })
    const { holder, nonce, since, state } = row
    const epoch = Number(row.epoch)
    const standing: Standing = {
      names: [...yield* namesOf(`session_id = '${id}'`), Layout.lease(epoch)].sort(),
      epoch,
      lease: asLease({ version: 1, state, epoch, nonce, holder, since }),
      snapshot: row.snapshot === null ? "" : new TextDecoder().decode(row.snapshot)
    }
    return { ...row, ...standing }
  })

  const untidiness = ({ epoch, names }: Standing) =>
    names.filter((name) => name !== Layout.snapshot && name !== Layout.lease(epoch)).map((name) => `${name} survived`)

  const ground: Ground = {
    root,
    layer,
    look,
    freed: (pid) =>
      query((sql) =>
        sql`SELECT 1 FROM pg_stat_activity WHERE application_name = ${Database.nameOf(pid)}`.pipe(
          Effect.repeat({ until: (found) => found.length === 0 }),
          Effect.andThen(
            sql`UPDATE reprise_sessions SET lease_until = 0
              WHERE state = 'held' AND (holder::json ->> 'pid')::bigint = ${pid}`
          ),
          Effect.asVoid
        )
      ),
    unlike: (id, state) =>
      Effect.map(Effect.orDie(look(id)), (found) => {
        const journal = parts(found.names)
        const others = untidiness({ ...found, names: found.names.filter((name) => !/^(journal\.|blob )/.test(name)) })
        if (state === "closed") return [...others, ...journal.map((name) => `${name} survived`)]
        const own = Array.from(
          { length: journal.length },
          (_, number) => `journal.${found.journal_epoch}.${found.journal_part}.${number}`
        )
        return journal.length > 0 && found.is_open === 1 && own.every((name) => journal.includes(name))
          ? others
          : [...others, `a running session has ${journal.join()}`]
      }),
    strays: (only) =>
      Effect.gen(function*() {
        const orphans = yield* namesOf("session_id NOT IN (SELECT id FROM reprise_sessions)")
        const ids = yield* query((sql) => sql<{ readonly id: string }>`SELECT id FROM reprise_sessions`)
        const others = only === undefined ? [] : ids.filter(({ id }) => id !== only).map(({ id }) => id)
        return [...orphans, ...others].map((name) => `${name} survived`)
      })
  }
  return { ...ground, settle: query((sql) => sql`CHECKPOINT`) }
})
