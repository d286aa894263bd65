/**
 * Another name for a session.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Check from "../core/Check.ts"
import * as Journal from "../core/Journal.ts"
import { Name } from "../core/Session.ts"
import {
  EventRejected,
  Invalid,
  type InvalidJson,
  type NotFound,
  RestoreFailed,
  type SchemaVersion,
  type SessionEnded,
  SessionFull,
  type StoreError
} from "../core/SessionError.ts"
import * as SessionEvent from "../core/SessionEvent.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as Snapshot from "../core/Snapshot.ts"
import * as StateSize from "../core/StateSize.ts"
import { now } from "../services/Now.ts"
import { SessionStore } from "../services/SessionStore.ts"
import { signed, Signer } from "../services/Signer.ts"
import { Supervisor } from "../services/Supervisor.ts"
import * as Load from "./Load.ts"
import * as Telemetry from "./Telemetry.ts"

const isName = Check.make(Name)

/** Renames a session that does not run here: it stays closed, or interrupted. */
const renameStored = Effect.fnUntraced(function*(id: SessionId, name: string) {
  const store = yield* SessionStore
  const keyRing = yield* Signer
  yield* Effect.mapError(
    Effect.fromResult(isName(name)),
    ([{ expected }]) => new EventRejected({ id, reason: new Invalid({ path: "name", expected }) })
  )
  const claim = yield* Effect.mapError(
    store.claim(id),
    (error) => error._tag === "AlreadyRunning" ? new RestoreFailed({ id, reason: error }) : error
  )
  const verified = yield* Load.open(id, yield* claim.stored)
  const state = yield* Effect.mapError(
    Effect.fromResult(SessionEvent.apply(verified.state, { at: yield* now, event: { _tag: "Renamed", name } })),
    ({ expected }) => new EventRejected({ id, reason: new Invalid({ path: "name", expected }) })
  )
  const bytes = StateSize.total(StateSize.measure(state, verified.messages))
  if (bytes > store.limits.maxBytes) {
    return yield* new EventRejected({ id, reason: new SessionFull({ bytes, limit: store.limits.maxBytes }) })
  }
  const { closedAt } = verified.snapshot.head
  const publication = { epoch: claim.epoch, ...(verified.isOpen || closedAt === undefined ? {} : { closedAt }) }
  const snapshot = yield* signed(Snapshot.encode(keyRing, state, verified.messages, publication))
  if (!verified.isOpen) return yield* claim.close(snapshot.bytes)
  const journal = yield* signed(
    Journal.writer(keyRing, { id, epoch: claim.epoch, part: 0, snapshot: snapshot.signature, revision: state.revision })
  )
  yield* claim.checkpoint(snapshot.bytes, { part: 0, bytes: journal.firstLine })
}, Effect.scoped)

/**
 * Renames a session, wherever it is: one that runs here through its handle, a
 * stored one in its snapshot.
 *
 * **Details**
 *
 * Called twice it is renamed twice. A session that runs elsewhere is left alone
 * (`RestoreFailed` with `AlreadyRunning`). When it fails nothing has changed.
 *
 * @category operations
 * @since 0.1.0
 */
export const rename: (id: SessionId, name: string) => Effect.Effect<
  void,
  NotFound | InvalidJson | SchemaVersion | RestoreFailed | EventRejected | SessionEnded | StoreError,
  SessionStore | Signer | Supervisor
> = Effect.fn("Sessions.rename")(function*(id: SessionId, name: string) {
  const session = yield* Supervisor.use(({ get }) => get(id))
  yield* Option.match(session, {
    onNone: () => renameStored(id, name),
    onSome: (running) => running.rename(name)
  })
  yield* Effect.logInfo("renamed")
}, Telemetry.ofSession("rename"))
