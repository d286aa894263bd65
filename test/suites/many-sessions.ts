/**
 * Many stored sessions at once: rows like that of a real one, written by the
 * database. Their heads are read like any other; none of them loads.
 */
import { Effect } from "effect"
import { Sessions } from "effect-reprise"
import { SqlClient } from "effect/sql"
import * as Rig from "./rig.ts"

/** Projects that they are spread over. */
export const projects = 100

/** 2026-01-01, and a second later for each session. */
const start = 1_767_225_600_000

/** What the one is called that has a name like no other. */
export const rareName = "needle"

const template = Effect.gen(function*() {
  const session = yield* Sessions.create({ project: "/template", name: "template", config: Rig.config })
  yield* session.append({ role: "user", content: "x".repeat(300) })
  yield* Sessions.close(session.id)
  return session.id
})

/**
 * Adds the sessions with the numbers from `from` to below `to`. Of a hundred, one
 * is in the trash and one interrupted; every fiftieth name has `fifty` in it.
 */
export const add = Effect.fnUntraced(function*(from: number, to: number) {
  const sql = yield* SqlClient.SqlClient
  const id = yield* template
  const isPg = sql.onDialectOrElse({ pg: () => true, orElse: () => false })
  const numbers = isPg
    ? sql`generate_series(${from}::bigint, ${to - 1}::bigint)`
    : sql`(WITH RECURSIVE numbers(n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM numbers WHERE n < ${to - 1})
      SELECT n FROM numbers)`
  const hex = isPg ? sql`lpad(to_hex(n), 12, '0')` : sql`printf('%012x', n)`
  const text = (value: string) => sql.literal(`'${value}'`)
  const name = sql`CASE WHEN n = ${from} THEN ${
    text(rareName)
  } WHEN n % 50 = 0 THEN 'fifty ' || n ELSE 'session ' || n END`
  const [decode, encode] = isPg
    ? [sql`convert_from(head, 'UTF8')`, sql.literal("convert_to")] as const
    : [sql`CAST(head AS TEXT)`, sql.literal("iif")] as const
  const head = sql`replace(replace(replace(${decode}, ${text(id)}, '00000000-0000-4000-8000-' || ${hex}),
    '"name":"template"', '"name":"' || ${name} || '"'), '"/template"', '"/project/' || (n % ${projects}) || '"')`
  const bytes = isPg ? sql`${encode}(${head}, 'UTF8')` : sql`CAST(${head} AS BLOB)`
  const all = sql`${numbers} AS numbers${isPg ? sql`(n)` : sql``}`
  yield* sql`INSERT INTO reprise_snapshots (session_id, bytes, head, is_signed, name_text, path_text)
    SELECT '00000000-0000-4000-8000-' || ${hex}, bytes, ${bytes}, 1, ${name}, '/project/' || (n % ${projects})
    FROM reprise_snapshots, ${all} WHERE session_id = ${id}`
  yield* sql`INSERT INTO reprise_sessions (
      id, epoch, nonce, state, holder, since, lease_until, is_open,
      journal_epoch, journal_part, journal_bytes, snapshot_bytes, project, recency
    ) SELECT '00000000-0000-4000-8000-' || ${hex}, epoch, nonce,
      CASE WHEN n % 100 = 7 THEN 'removed' ELSE 'released' END, holder, since, lease_until,
      CASE WHEN n % 100 = 8 THEN 1 ELSE 0 END, 0, 0, 0, snapshot_bytes,
      '/project/' || (n % ${projects}), -(${start} + n * 1000)
    FROM reprise_sessions, ${all} WHERE id = ${id}`
  yield* sql`DELETE FROM reprise_sessions WHERE id = ${id}`
  yield* sql`DELETE FROM reprise_snapshots WHERE session_id = ${id}`
})
