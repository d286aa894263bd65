/**
 * From stored bytes to a verified session.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Holder } from "../core/Holder.ts"
import type { SessionState } from "../core/Session.ts"
import type { InvalidBlob, InvalidJson, NotFound, SchemaVersion, StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import type { Status } from "../core/SessionList.ts"
import type { Verified } from "../core/StoredSession.ts"
import * as StoredSession from "../core/StoredSession.ts"
import type { Timestamp } from "../core/Timestamp.ts"
import * as SessionStore from "../services/SessionStore.ts"
import * as Signer from "../services/Signer.ts"
import * as Materialise from "./Materialise.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * What a load found beside the state.
 *
 * @category models
 * @since 0.1.0
 */
export interface LoadReport {
  readonly status: Status
  /** The last holder, and since when the session is in its status. */
  readonly holder: Option.Option<Holder>
  readonly since: Option.Option<Timestamp>
  readonly closedAt: Option.Option<Timestamp>
  /** Bytes of snapshot and journal. */
  readonly bytes: number
  /** Events that the journal added to the snapshot. */
  readonly events: number
  /**
   * Bytes at the journal's end that were left out: damage in the last batch,
   * which is what a write leaves that a crash cut short, or that is under way.
   */
  readonly torn: number
}

/**
 * A verified session, and what was found on the way.
 *
 * @category models
 * @since 0.1.0
 */
export interface LoadedSession {
  readonly state: SessionState
  readonly report: LoadReport
}

/**
 * Verifies what was read, and folds it. With `tail` only so many of the last
 * messages of the snapshot are parsed.
 *
 * @category decoding
 * @since 0.1.0
 */
export const open = (id: SessionId, stored: SessionStore.Stored, tail?: number) =>
  Effect.flatMap(Signer.Signer, (signer) =>
    SessionStore.SessionStore.use(({ format, limits }) => {
      const rules = { format, maxDepth: limits.maxDepth, ...(tail === undefined ? {} : { tail }) }
      return Signer.verified(signer, () => StoredSession.open(signer, id, stored, rules))
    }))

/**
 * What a claim holds: what was loaded before it, where that is still stored.
 *
 * @category decoding
 * @since 0.1.0
 */
export const underClaim = Effect.fnUntraced(
  function*(claim: SessionStore.Claim, stored: SessionStore.Stored, loaded: Verified, tail?: number) {
    if (yield* claim.isStill(stored)) return { claimed: stored, verified: loaded }
    const claimed = yield* claim.stored
    return { claimed, verified: StoredSession.isSame(stored, claimed) ? loaded : yield* open(claim.id, claimed, tail) }
  }
)

const reportOf = (stored: SessionStore.Stored, verified: Verified): LoadReport => ({
  status: stored.status,
  holder: Option.fromUndefinedOr(stored.holder),
  since: Option.fromUndefinedOr(stored.since),
  closedAt: Option.fromUndefinedOr(verified.snapshot.head.closedAt),
  bytes: stored.journals.reduce((bytes, journal) => bytes + journal.length, stored.snapshot.length),
  events: verified.recorded.length,
  torn: verified.torn
})

/**
 * Loads a stored session: reads it within the size limit, verifies its
 * signature, then its version, shape and journal.
 *
 * **Details**
 *
 * Changes nothing and holds nothing, so it can be called as often as you like,
 * also on a session that runs elsewhere: it returns the acknowledged state at
 * that moment, and the report says that it runs and where.
 *
 * Large parts of messages stay where they are, and messages refer to them:
 * `Sessions.materialise` reads them.
 *
 * @category operations
 * @since 0.1.0
 */
export const load: (id: SessionId) => Effect.Effect<
  LoadedSession,
  NotFound | InvalidJson | SchemaVersion | StoreError,
  SessionStore.SessionStore | Signer.Signer
> = Effect.fn("Sessions.load")(function*(id: SessionId) {
  const stored = yield* SessionStore.SessionStore.use((store) => store.read(id))
  const verified = yield* open(id, stored)
  return { state: verified.state, report: reportOf(stored, verified) }
}, Telemetry.ofSession("load"))

/**
 * Checks everything that a load checks, and every large part that is stored beside
 * the session. Returns the report without the session.
 *
 * **Details**
 *
 * Fails with the first part that can't be read: the session is loaded all the same.
 *
 * @category operations
 * @since 0.1.0
 */
export const verify: (id: SessionId) => Effect.Effect<
  LoadReport,
  NotFound | InvalidJson | SchemaVersion | InvalidBlob | StoreError,
  SessionStore.SessionStore | Signer.Signer
> = Effect.fn("Sessions.verify")(function*(id: SessionId) {
  const stored = yield* SessionStore.SessionStore.use((store) => store.read(id))
  const verified = yield* open(id, stored)
  yield* Materialise.check(id, verified.state.conversation)
  return reportOf(stored, verified)
}, Telemetry.ofSession("verify"))
