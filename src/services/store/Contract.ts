/**
 * Durable bytes of sessions, and who may change them.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { Blob, Digest } from "../../core/Blob.ts"
import type { Holder } from "../../core/Holder.ts"
import type { Format } from "../../core/Migration.ts"
import type {
  AlreadyRunning,
  InvalidBlob,
  InvalidJson,
  NotFound,
  SessionEnded,
  StoreError
} from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type * as SessionList from "../../core/SessionList.ts"
import type { StoredBytes } from "../../core/StoredSession.ts"
import type { Timestamp } from "../../core/Timestamp.ts"
import type { Limits } from "../SessionLimits.ts"

/**
 * One session as it is stored at one moment, and who runs it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stored extends StoredBytes {
  readonly status: SessionList.Status
  /** What tells these bytes from those that are stored at another moment. */
  readonly version: string
  /** The last holder, where its lease can be read. */
  readonly holder?: Holder
  /** Since when the session is in its status, where its lease can be read. */
  readonly since?: Timestamp
  /**
   * Whether it is not encrypted, or not with the newest key, in a store that
   * encrypts: storing it again mends that.
   */
  readonly isOutdated?: boolean
}

/**
 * A new journal: its number within the claim, and what it begins with. One that
 * `isEmpty` holds no event, and no other journal names the snapshot: it comes to be
 * with its first event.
 *
 * @category models
 * @since 0.1.0
 */
export interface NewJournal {
  readonly part: number
  readonly bytes: Uint8Array
  readonly isEmpty?: boolean
}

/**
 * The blobs that a session is created with.
 *
 * @category models
 * @since 0.1.0
 */
export interface NewBlobs {
  /** New ones. */
  readonly put?: ReadonlyArray<Blob>
  /** Those of another session, as they are stored there. One that is missing there is left out. */
  readonly from?: { readonly id: SessionId; readonly digests: ReadonlyArray<Digest> }
}

/**
 * A session that nobody runs, as it is stored elsewhere.
 *
 * **Details**
 *
 * `epoch` is higher than that of any claim that wrote any of it. The journal, of a
 * session that was interrupted, is whole: its claim and part are those that its first
 * line names. Blobs are read one after the other while they are stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface AtRest<E = never> {
  readonly snapshot: Uint8Array
  readonly journal?: { readonly epoch: number; readonly part: number; readonly bytes: Uint8Array } | undefined
  readonly blobs: ReadonlyArray<{ readonly digest: Digest; readonly bytes: Effect.Effect<Uint8Array, E> }>
  readonly epoch: number
  readonly state: "released" | "removed"
  /** Since when it is in that state. */
  readonly since: Timestamp
  /** When its last event happened. */
  readonly updatedAt: Timestamp
  /** Who held it last, where that is known. */
  readonly holder?: Holder | undefined
}

/**
 * The right to change one stored session, and the only way to.
 *
 * **Details**
 *
 * Every operation can't be interrupted, and fails with `SessionEnded` (`LeaseLost`)
 * once somebody else holds the session. It is durable when it succeeds, and with the
 * first one the claim itself; to `begin` an empty journal waits for that. After
 * a `StoreError` of `append` nothing more is appended until a `checkpoint`
 * succeeds. Closing the claim's scope gives the session back as it is stored,
 * unless it was closed before.
 *
 * @category models
 * @since 0.1.0
 */
export interface Claim {
  readonly id: SessionId
  /** Grows with each claim of the session and never comes again. */
  readonly epoch: number
  /** What is stored now. */
  readonly stored: Effect.Effect<Stored, NotFound | InvalidJson | StoreError>
  /** Whether what was read before is what is stored now: in a fraction of the time of reading it again. */
  readonly isStill: (before: Stored) => Effect.Effect<boolean>
  /** Opens a journal that names the present snapshot, or plans an empty one. */
  readonly begin: (journal: NewJournal) => Effect.Effect<void, SessionEnded | StoreError>
  /** Adds lines to the journal that was opened last. */
  readonly append: (lines: Uint8Array) => Effect.Effect<void, SessionEnded | StoreError>
  /**
   * Stores blobs, which lines that are appended after this may refer to. One that is
   * there already is replaced by its equal, whatever became of it.
   */
  readonly putBlobs: (blobs: ReadonlyArray<Blob>) => Effect.Effect<void, SessionEnded | StoreError>
  /** Keeps the snapshot as it is beside the next ones: it is of an older format version. */
  readonly keepOriginal: (version: number) => Effect.Effect<void, SessionEnded | StoreError>
  /** Replaces the snapshot, and opens the journal that names the new one. */
  readonly checkpoint: (
    snapshot: Uint8Array,
    journal: NewJournal
  ) => Effect.Effect<void, SessionEnded | StoreError>
  /**
   * Replaces the snapshot and ends the claim; then the journals go, and all blobs but
   * those that are `needed`. Without it all stay.
   */
  readonly close: (
    snapshot: Uint8Array,
    needed?: () => ReadonlySet<Digest>
  ) => Effect.Effect<void, SessionEnded | StoreError>
  /** Ends the claim and changes nothing else. */
  readonly release: Effect.Effect<void, SessionEnded | StoreError>
  /**
   * Comes as soon as it is known that somebody else holds the session: never,
   * where only the next change would tell.
   */
  readonly lost: Effect.Effect<SessionEnded>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface ClaimOptions {
  /** Claim it even from a holder that lives, or that can't be judged. */
  readonly takeOver?: boolean | undefined
  /** What was read of the session just before: what is known from that need not be looked up again. */
  readonly seen?: Stored | undefined
}

/**
 * Durable bytes of sessions. Knows no JSON beyond the head it lists.
 *
 * @category services
 * @since 0.1.0
 */
export class SessionStore extends Context.Service<SessionStore, {
  /** The limits that were in force when this layer was built. */
  readonly limits: Limits
  /** The format that was in force when this layer was built. */
  readonly format: Format
  /** Everything that is stored, in no order, broken entries included. Changes nothing. */
  readonly entries: Stream.Stream<SessionList.Entry, StoreError>
  /**
   * What `SessionList.select` makes of the entries, in its order, for a store that
   * keeps an index: `limit` of them cost the same however many there are. Of a
   * store without it all entries are read.
   */
  readonly list?: ((filter: SessionList.Filter) => Stream.Stream<SessionList.Entry, StoreError>) | undefined
  /** One session at one moment. Changes nothing. */
  readonly read: (id: SessionId) => Effect.Effect<Stored, NotFound | InvalidJson | StoreError>
  /**
   * A blob of a session, which nobody has verified. One of more than `maxBytes` is
   * refused as damaged, from its size. Changes nothing.
   */
  readonly readBlob: (
    id: SessionId,
    digest: Digest,
    maxBytes: number
  ) => Effect.Effect<Uint8Array, InvalidBlob | StoreError>
  /** Stores a new session, complete or not at all, and claims it. Its first journal has part 0. */
  readonly create: (
    id: SessionId,
    snapshot: Uint8Array,
    firstLine: Uint8Array,
    blobs?: NewBlobs
  ) => Effect.Effect<Claim, StoreError, Scope.Scope>
  /**
   * Stores a session as it is stored elsewhere, complete or not at all, held by nobody.
   * Fails with whatever its blobs can't be read for, and where the id is taken.
   */
  readonly deposit: <E>(id: SessionId, session: AtRest<E>) => Effect.Effect<void, E | StoreError>
  /**
   * Claims a stored session. A dead holder is replaced; any other only with `takeOver`.
   * Before its first change a power loss may end the claim without a trace.
   */
  readonly claim: (
    id: SessionId,
    options?: ClaimOptions
  ) => Effect.Effect<Claim, NotFound | AlreadyRunning | StoreError, Scope.Scope>
  /** Moves a session to the trash. Nothing happens to one that is there. */
  readonly remove: (
    id: SessionId,
    options?: { readonly interrupted?: boolean | undefined }
  ) => Effect.Effect<void, NotFound | AlreadyRunning | StoreError>
  /** Whether a session is in the trash. Asks its lease, so it need not be readable. */
  readonly isRemoved: (id: SessionId) => Effect.Effect<boolean, NotFound | StoreError>
  /** Takes a session out of the trash. Nothing happens to one that is not in it. */
  readonly restore: (id: SessionId) => Effect.Effect<void, NotFound | AlreadyRunning | StoreError>
  /** Deletes a session for ever, if it is in the trash; `NotFound` if not. */
  readonly purge: (id: SessionId) => Effect.Effect<void, NotFound | AlreadyRunning | StoreError>
  /** Runs what depends on how many sessions are stored, one at a time in this process. */
  readonly alone: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
  /** Deletes what processes that have ended left half created or half deleted. Best effort, never fails. */
  readonly sweep: Effect.Effect<void>
}>()("effect-reprise/services/SessionStore") {}

/**
 * The epoch of a session's first claim, whose first journal has part 0.
 *
 * @category constants
 * @since 0.1.0
 */
export const firstEpoch = 1
