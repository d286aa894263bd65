/**
 * Removing sessions, bringing them back, and deleting them for ever.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Retention from "../core/Retention.ts"
import {
  type AlreadyRunning,
  CreateFailed,
  type NotFound,
  RestoreFailed,
  type StoreError
} from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import type * as SessionList from "../core/SessionList.ts"
import { now } from "../services/Now.ts"
import { SessionStore } from "../services/SessionStore.ts"
import { ensureRoom } from "./Create.ts"
import * as Telemetry from "./Telemetry.ts"

const refused = (id: SessionId) => (reason: AlreadyRunning) => new RestoreFailed({ id, reason })

/**
 * Moves a session to the trash: it is kept, no longer listed, and can be
 * restored until it is purged.
 *
 * **Details**
 *
 * Nothing happens to one that is in the trash. A running session is left alone,
 * and so is an interrupted one unless `interrupted` is set (`RestoreFailed` with
 * `AlreadyRunning`). When it fails nothing has changed.
 *
 * @category operations
 * @since 0.1.0
 */
export const remove: (id: SessionId, options?: { readonly interrupted?: boolean }) => Effect.Effect<
  void,
  NotFound | RestoreFailed | StoreError,
  SessionStore
> = Effect.fn("Sessions.remove")(function*(id: SessionId, options?: { readonly interrupted?: boolean }) {
  const store = yield* SessionStore
  yield* Effect.catchTag(store.remove(id, options), "AlreadyRunning", refused(id))
  yield* Effect.logInfo("removed")
}, Telemetry.ofSession("remove"))

/**
 * Takes a session out of the trash. Nothing happens to one that is not in it.
 * Fails with `TooManyStored` where there is no room.
 *
 * @category operations
 * @since 0.1.0
 */
export const restore: (id: SessionId) => Effect.Effect<
  void,
  NotFound | RestoreFailed | CreateFailed | StoreError,
  SessionStore
> = Effect.fn("Sessions.restore")(function*(id: SessionId) {
  const store = yield* SessionStore
  if (!(yield* store.isRemoved(id))) return
  yield* store.alone(Effect.andThen(
    Effect.catchTag(ensureRoom(id), "TooManyStored", (reason) => new CreateFailed({ reason })),
    Effect.catchTag(store.restore(id), "AlreadyRunning", refused(id))
  ))
  yield* Effect.logInfo("restored from the trash")
}, Telemetry.ofSession("restore"))

/**
 * Deletes a session for ever. Only one that is in the trash: anything else is
 * `NotFound` there. Called twice, the second call fails with `NotFound`.
 *
 * @category operations
 * @since 0.1.0
 */
export const purge: (id: SessionId) => Effect.Effect<void, NotFound | RestoreFailed | StoreError, SessionStore> = Effect
  .fn("Sessions.purge")(function*(id: SessionId) {
    const store = yield* SessionStore
    yield* Effect.catchTag(store.purge(id), "AlreadyRunning", refused(id))
    yield* Effect.logInfo("purged")
  }, Telemetry.ofSession("purge"))

/**
 * @category models
 * @since 0.1.0
 */
export interface CleanupOptions {
  /** By default 30 days (`SessionLimits`); never less than a day. */
  readonly olderThan?: Duration.Input
  /** Only tell what would be done. */
  readonly dryRun?: boolean
}

/**
 * What a cleanup did, or would do.
 *
 * @category models
 * @since 0.1.0
 */
export interface CleanupReport {
  /** Closed sessions that went to the trash. */
  readonly removed: ReadonlyArray<SessionList.Stored>
  /** Sessions that were deleted for ever. */
  readonly purged: Retention.Plan["purge"]
  readonly skipped: Retention.Plan["skip"]
  readonly failed: ReadonlyArray<{
    readonly entry: SessionList.Stored | SessionList.Broken
    readonly error: NotFound | RestoreFailed | StoreError
  }>
}

/**
 * Moves closed sessions that are older than `olderThan` to the trash, and
 * deletes for ever what has been there that long, and what processes that ended
 * left half created or half deleted.
 *
 * **Details**
 *
 * Never runs by itself. Running, interrupted and unreadable sessions are left
 * alone. One session that can't be removed does not stop the others. Called
 * twice, the second call finds nothing to do.
 *
 * @category operations
 * @since 0.1.0
 */
export const cleanup: (options?: CleanupOptions) => Effect.Effect<CleanupReport, StoreError, SessionStore> = Effect.fn(
  "Sessions.cleanup"
)(function*(options: CleanupOptions = {}) {
  const store = yield* SessionStore
  const plan = Retention.plan(yield* Stream.runCollect(store.entries), {
    now: yield* now,
    olderThan: options.olderThan === undefined ? store.limits.cleanupAge : Duration.fromInputUnsafe(options.olderThan)
  })
  if (options.dryRun === true) return { removed: plan.remove, purged: plan.purge, skipped: plan.skip, failed: [] }
  const act = <Entry extends SessionList.Stored | SessionList.Broken>(
    entries: ReadonlyArray<Entry>,
    one: (id: SessionId) => Effect.Effect<void, CleanupError, SessionStore>
  ) =>
    Effect.partition(entries, (entry) =>
      Effect.mapBoth(one(entry.id), {
        onFailure: (error) => ({ entry, error }),
        onSuccess: () => entry
      }), { concurrency: store.limits.concurrency })
  const [removed, notRemoved] = yield* act(plan.remove, (id) => remove(id))
  const [purged, notPurged] = yield* act(plan.purge, purge)
  yield* store.sweep
  return { removed, purged, skipped: plan.skip, failed: [...notRemoved, ...notPurged] }
}, Telemetry.observed("cleanup"))

type CleanupError = NotFound | RestoreFailed | StoreError
