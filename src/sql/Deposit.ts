/**
 * A session that comes as it is stored elsewhere, as rows that are seen together or
 * not at all.
 *
 * @since 0.1.0
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { BeginTransaction } from "effect/sql/SqlClient"
import type { Holder } from "../core/Holder.ts"
import type { Format } from "../core/Migration.ts"
import { StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import { toMillis } from "../core/Timestamp.ts"
import type { AtRest } from "../services/store/Contract.ts"
import { interruptibly } from "../services/store/Deposit.ts"
import type { Blobs } from "./Blobs.ts"
import * as Change from "./Change.ts"
import type { Database } from "./Database.ts"
import * as Shown from "./Shown.ts"

const taken = () => new StoreError({ operation: "deposit", cause: new Error("the id is taken") })

export const make = (services: {
  readonly blobs: Blobs
  readonly database: Database
  readonly format: Format
  readonly random: SecureRandom.SecureRandom["Service"]
  readonly self: Holder
}) => {
  const { blobs, database, format, random, self } = services
  const { dialect, run, sql } = database
  const apply = Change.make(database)

  const rows = <E>(id: SessionId, nonce: string, session: AtRest<E>): Change.Change => {
    const { epoch, holder = self, journal, since, snapshot, state, updatedAt } = session
    const shown = Shown.fromSnapshot(id, snapshot, format)
    return {
      row: sql`INSERT INTO reprise_sessions (
          id, epoch, nonce, state, holder, since, lease_until, is_open,
          journal_epoch, journal_part, journal_bytes, snapshot_bytes, project, recency
        ) VALUES (
          ${id}, ${epoch}, ${nonce}, ${state}, ${JSON.stringify(holder)}, ${since}, 0, ${journal === undefined ? 0 : 1},
          ${journal?.epoch ?? 0}, ${journal?.part ?? 0}, ${journal?.bytes.length ?? 0}, ${snapshot.length},
          ${shown.project}, ${Shown.recencyOf(toMillis(updatedAt))}
        ) ON CONFLICT (id) DO UPDATE SET lease_until = excluded.lease_until
        WHERE reprise_sessions.nonce = excluded.nonce RETURNING id`,
      rest: (where) => [
        sql`INSERT INTO reprise_snapshots (session_id, bytes, head, is_signed, name_text, path_text)
          SELECT ${id}, ${snapshot}, ${shown.head}, ${shown.isSigned ? 1 : 0}, ${shown.nameText}, ${shown.pathText}
          WHERE ${where} ON CONFLICT DO NOTHING`,
        ...(journal === undefined ? [] : [
          sql`INSERT INTO reprise_journal (session_id, epoch, part, number, bytes)
            SELECT ${id}, ${journal.epoch}, ${journal.part}, 0, ${journal.bytes} WHERE ${where} ON CONFLICT DO NOTHING`
        ])
      ]
    }
  }

  /**
   * One transaction, which holds no row but its own: blobs are written one after the
   * other, so that no more than one is held. The nonce tells its own row, where nobody
   * knows whether a commit counts.
   */
  return <E>(id: SessionId, given: AtRest<E>): Effect.Effect<void, E | StoreError> =>
    interruptibly(
      given,
      Effect.fnUntraced(function*(session) {
        const nonce = yield* random.uuidV4()
        const isNew = yield* run("deposit")(
          Effect.gen(function*() {
            const row = yield* apply(rows(id, nonce, session))
            if (Option.isNone(row)) return false
            for (const { bytes, digest } of session.blobs) {
              const blob = { digest, bytes: yield* bytes }
              yield* blobs.put(id, blob)(sql`1 = 1`)
            }
            return true
          }).pipe(
            sql.withTransaction,
            Effect.provideService(BeginTransaction, dialect === "pg" ? "BEGIN" : "BEGIN IMMEDIATE")
          )
        )
        if (!isNew) return yield* taken()
      })
    )
}
