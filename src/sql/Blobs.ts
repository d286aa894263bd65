/**
 * The blobs of sessions, as rows.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Fragment } from "effect/sql/Statement"
import type { Blob, Digest } from "../core/Blob.ts"
import { BlobDamaged, BlobMissing, InvalidBlob, type StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import type { NewBlobs } from "../services/store/Contract.ts"
import type { Database } from "./Database.ts"

export const make = ({ run, sql }: Database) => {
  const read = (
    id: SessionId,
    digest: Digest,
    maxBytes: number
  ): Effect.Effect<Uint8Array, InvalidBlob | StoreError> =>
    Effect.gen(function*() {
      const [row] = yield* run("read")(sql<{ readonly bytes: Uint8Array | null }>`
        SELECT CASE WHEN octet_length(bytes) <= ${maxBytes} THEN bytes END AS bytes
        FROM reprise_blobs WHERE session_id = ${id} AND digest = ${digest}
      `)
      if (row === undefined) return yield* new InvalidBlob({ id, digest, reason: new BlobMissing({}) })
      return row.bytes ?? (yield* new InvalidBlob({ id, digest, reason: new BlobDamaged({}) }))
    })

  /** Stores a blob, or its equal instead of what is there. */
  const put = (id: SessionId, { bytes, digest }: Blob) => (where: Fragment) =>
    sql`INSERT INTO reprise_blobs (session_id, digest, bytes) SELECT ${id}, ${digest}, ${bytes} WHERE ${where}
      ON CONFLICT (session_id, digest) DO UPDATE SET bytes = excluded.bytes`

  const bring = (id: SessionId, from: SessionId, digests: ReadonlyArray<Digest>) => (where: Fragment) =>
    sql`INSERT INTO reprise_blobs (session_id, digest, bytes) SELECT ${id}, digest, bytes FROM reprise_blobs
      WHERE session_id = ${from} AND ${sql.in("digest", digests)} AND ${where} ON CONFLICT DO NOTHING`

  /** What a new session comes with. */
  const prepare = (id: SessionId, { from, put: given = [] }: NewBlobs) => (where: Fragment) => {
    const others = new Set(from?.digests)
    for (const { digest } of given) others.delete(digest)
    return [
      ...new Map(given.map((blob) => [blob.digest, put(id, blob)(where)])).values(),
      ...(from === undefined || others.size === 0 ? [] : [bring(id, from.id, [...others])(where)])
    ]
  }

  /** The blobs that are stored. */
  const stored = (id: SessionId) =>
    Effect.map(
      run("close")(sql<{ readonly digest: Digest }>`SELECT digest FROM reprise_blobs WHERE session_id = ${id}`),
      (rows) => rows.map(({ digest }) => digest)
    )

  const drop = (id: SessionId, digests: ReadonlyArray<Digest>) => (where: Fragment) =>
    digests.length === 0
      ? []
      : [sql`DELETE FROM reprise_blobs WHERE session_id = ${id} AND ${sql.in("digest", digests)} AND ${where}`]

  return { drop, prepare, put, read, stored }
}

export type Blobs = ReturnType<typeof make>
