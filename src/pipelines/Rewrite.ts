/**
 * A stored session that is read, changed and stored again, and stays closed or
 * interrupted as it was.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SessionState } from "../core/Session.ts"
import {
  type AlreadyRunning,
  type InvalidJson,
  type NotFound,
  type SchemaVersion,
  type SessionEnded,
  SessionFull,
  type StoreError
} from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as Snapshot from "../core/Snapshot.ts"
import * as StateSize from "../core/StateSize.ts"
import type { Verified } from "../core/StoredSession.ts"
import * as StoredSession from "../core/StoredSession.ts"
import { SessionStore } from "../services/SessionStore.ts"
import { signed, Signer } from "../services/Signer.ts"
import * as Load from "./Load.ts"

/**
 * What a rewrite can fail with. Whatever it is, nothing has changed.
 *
 * @category errors
 * @since 0.1.0
 */
export type RewriteError =
  | NotFound
  | AlreadyRunning
  | InvalidJson
  | SchemaVersion
  | SessionFull
  | SessionEnded
  | StoreError

/**
 * Claims a session that nobody runs, and replaces its snapshot by the state that
 * `change` makes of it, all its events included.
 *
 * @category operations
 * @since 0.1.0
 */
export const rewrite = Effect.fnUntraced(function*<E>(
  id: SessionId,
  change: (verified: Verified) => Effect.Effect<SessionState, E>
): Effect.fn.Return<void, E | RewriteError, SessionStore | Signer> {
  const store = yield* SessionStore
  const keyRing = yield* Signer
  const { version } = store.format
  // Before anything is claimed: one that can't be read stays as it is, byte for byte.
  const stored = yield* store.read(id)
  const loaded = yield* Load.open(id, stored)
  yield* Effect.scoped(Effect.gen(function*() {
    const claim = yield* store.claim(id, { seen: stored })
    const { epoch } = claim
    const { verified } = yield* Load.underClaim(claim, stored, loaded)
    const { messages } = verified
    const state = yield* change(verified)
    const bytes = StateSize.total(StateSize.measure(state, messages))
    if (bytes > store.limits.maxBytes) return yield* new SessionFull({ bytes, limit: store.limits.maxBytes })
    const older = StoredSession.olderVersion(verified, store.format)
    if (Option.isSome(older)) yield* claim.keepOriginal(older.value)
    if (!verified.isOpen) {
      const { closedAt } = verified.snapshot.head
      const closed = Snapshot.encode(keyRing, state, messages, { epoch, version, ...(closedAt && { closedAt }) })
      return yield* claim.close((yield* signed(closed)).bytes)
    }
    const { journal, snapshot } = yield* signed(
      StoredSession.begin(keyRing, state, messages, { epoch, part: 0, version })
    )
    yield* claim.checkpoint(snapshot.bytes, { part: 0, bytes: journal.firstLine })
  }))
})
