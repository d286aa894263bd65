/**
 * Saving what runs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { NotRunning, SessionEnded, type StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import { Supervisor } from "../services/Supervisor.ts"
import * as Telemetry from "./Telemetry.ts"

const running = Effect.fnUntraced(function*(id: SessionId) {
  const found = yield* Supervisor.use(({ get }) => get(id))
  return yield* Effect.fromOption(found).pipe(
    Effect.mapError(() => new SessionEnded({ id, reason: new NotRunning({}) }))
  )
})

/**
 * Writes a snapshot of a running session, which goes on.
 *
 * **Details**
 *
 * Called twice it writes twice. When it fails, snapshot and journal are as they
 * were, and everything acknowledged is in them.
 *
 * @category operations
 * @since 0.1.0
 */
export const checkpoint: (id: SessionId) => Effect.Effect<void, SessionEnded | StoreError, Supervisor> = Effect.fn(
  "Sessions.checkpoint"
)(function*(id: SessionId) {
  const session = yield* running(id)
  yield* session.checkpoint
}, Telemetry.ofSession("checkpoint"))

/**
 * Stops a running session's agent and saves the session.
 *
 * **Details**
 *
 * Called twice at once both calls share one close; called again later it fails
 * with `SessionEnded` (`NotRunning`). When it fails with `StoreError` the
 * session runs on without its agent: close it again once there is room, or leave
 * it, and it is resumable from its journal.
 *
 * @category operations
 * @since 0.1.0
 */
export const close: (id: SessionId) => Effect.Effect<void, SessionEnded | StoreError, Supervisor> = Effect.fn(
  "Sessions.close"
)(function*(id: SessionId) {
  yield* Supervisor.use(({ stop }) => stop(id))
}, Telemetry.ofSession("close"))
