/**
 * Turns events into durable, acknowledged state: one at a time through the
 * reducer, many at once through one write and one sync.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Latch from "effect/Latch"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { Blob } from "../core/Blob.ts"
import type { Entry, Writer } from "../core/Journal.ts"
import * as Journal from "../core/Journal.ts"
import type { Format } from "../core/Migration.ts"
import type { Message, SessionState } from "../core/Session.ts"
import {
  Closed,
  EventRejected,
  Invalid,
  type InvalidJson,
  NotRunning,
  PartsFull,
  SessionEnded,
  SessionFull,
  type StoreError
} from "../core/SessionError.ts"
import * as SessionEvent from "../core/SessionEvent.ts"
import type { KeyRing } from "../core/Signature.ts"
import * as Snapshot from "../core/Snapshot.ts"
import * as StateSize from "../core/StateSize.ts"
import * as StoredMessages from "../core/StoredMessages.ts"
import * as StoredSession from "../core/StoredSession.ts"
import type * as Timestamp from "../core/Timestamp.ts"
import type * as Blobs from "./Blobs.ts"
import { now } from "./Now.ts"
import { once } from "./Once.ts"
import type { ChangeError } from "./RunningSession.ts"
import * as SessionBlobs from "./SessionBlobs.ts"
import type { Limits } from "./SessionLimits.ts"
import type { Claim } from "./SessionStore.ts"
import { signed } from "./Signer.ts"

/**
 * The journal that is being written, and the snapshot it extends.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenJournal {
  readonly writer: Writer
  readonly part: number
  /** Bytes of the journal so far: the most that they can be where nothing is in it. */
  readonly bytes: number
  readonly snapshotBytes: number
}

/**
 * @category models
 * @since 0.1.0
 */
export interface SessionWriter {
  /** The acknowledged state. */
  readonly state: Effect.Effect<SessionState>
  /** The messages before those of the state. */
  readonly earlier: Effect.Effect<ReadonlyArray<Message>, InvalidJson>
  readonly changes: Stream.Stream<SessionState>
  /** Where the blobs of its messages are read. */
  readonly source: Blobs.Source
  /**
   * Succeeds when the event is durable, and the blobs that it refers to. Interrupted
   * while it waits, it never happens.
   */
  readonly submit: (
    event: SessionEvent.SessionEvent,
    blobs?: ReadonlyArray<Blob>
  ) => Effect.Effect<void, ChangeError>
  readonly checkpoint: Effect.Effect<void, SessionEnded | StoreError>
  /** Writes the final snapshot and ends. After a failure the session can go on. */
  readonly close: Effect.Effect<void, SessionEnded | StoreError>
  /** Ends without saving. */
  readonly end: (reason: SessionEnded) => Effect.Effect<void>
  readonly isOver: Effect.Effect<boolean>
  /** Why it ended, once it has. */
  readonly ended: Effect.Effect<SessionEnded>
}

/** An event on its way. */
interface Item {
  readonly event: SessionEvent.SessionEvent
  readonly json: Uint8Array
  readonly message: Uint8Array | undefined
  readonly blobs: ReadonlyArray<Blob>
  /** Tells who waits for it what became of it. */
  readonly settle: (outcome: Effect.Effect<void, ChangeError>) => void
}

/** What a batch comes to, before it is written. */
interface Batch {
  readonly accepted: ReadonlyArray<Item>
  readonly entries: ReadonlyArray<Entry>
  readonly next: Saved
}

/** A moment of the session, and what it takes to save it. */
interface Saved {
  readonly moment: SessionEvent.Moment
  /** The state then: made when it is asked for, since it takes as long as there are messages. */
  readonly state: () => SessionState
  /** How many pieces of messages are encoded, and the size of all. */
  readonly stored: () => { readonly pieces: number; readonly size: StateSize.StateSize }
}

/**
 * Starts writing to a claimed session whose journal was begun.
 *
 * **Details**
 *
 * All of this is made for each session that runs, so its functions are made of
 * `Effect.gen`: to define one of Effect costs more than to call it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(options: {
  readonly claim: Claim
  readonly readBlob: Blobs.Source["readBlob"]
  readonly keyRing: KeyRing
  readonly limits: Limits
  readonly format: Format
  /** The older format version of the stored snapshot, if it is of one. */
  readonly original: Option.Option<number>
  readonly state: SessionState
  /** As they are stored: asked for when they are needed, with the first change. */
  readonly messages: () => ReadonlyArray<Uint8Array>
  /** Those of the messages that are not in the state. */
  readonly earlier?: StoredMessages.Earlier
  readonly journal: OpenJournal
}) {
  const { claim, format: { version }, keyRing, limits } = options
  const { id } = claim
  const { earlier = StoredMessages.none } = options
  const lock = yield* Semaphore.make(1)
  const room = yield* Semaphore.make(limits.maxQueuedBytes)
  const waiting = yield* Latch.make()
  const over = yield* Deferred.make<SessionEnded>()
  const draft = SessionEvent.draft(options.state)
  const begun = once(options, ({ messages, state }) => {
    const encoded = [...messages()]
    return { encoded, pieces: encoded.length, size: StateSize.measure(state, encoded) }
  })
  /** All messages as they are stored, and behind the saved ones those that are being written. */
  const encoded = () => begun().encoded

  const reached = (stored: Saved["stored"]): Saved => {
    const moment = draft.moment()
    return { moment, state: once(moment, draft.state), stored }
  }

  let saved = reached(begun)
  let journal = options.journal
  const blobs = SessionBlobs.make({ claim, messages: () => saved.state().conversation, earlier: earlier.bytes })
  let queue: Array<Item> = []
  let needsCheckpoint = false
  let ended: SessionEnded | undefined
  let hasWarned = false
  let original = options.original
  let changed = Deferred.makeUnsafe<void>()

  const announce = () => {
    const previous = changed
    changed = Deferred.makeUnsafe<void>()
    Deferred.doneUnsafe(previous, Exit.void)
  }

  const end = (reason: SessionEnded): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (ended !== undefined) return Effect.void
      ended = reason
      const left = queue
      queue = []
      for (const { settle } of left) settle(Effect.fail(reason))
      announce()
      return Effect.asVoid(Deferred.succeed(over, reason))
    })

  /** A lease that was lost ends the session, whoever notices. */
  const endsWhenLost = <A>(effect: Effect.Effect<A, SessionEnded | StoreError>) =>
    Effect.tapError(effect, (error) => error._tag === "SessionEnded" ? end(error) : Effect.void)

  const unlessEnded = Effect.suspend(() => ended === undefined ? Effect.void : Effect.fail(ended))

  /** What is stored is replaced for ever next: of an older format it stays beside. */
  const keepOriginal = Effect.suspend(() =>
    Option.match(original, { onNone: () => Effect.void, onSome: claim.keepOriginal })
  ).pipe(
    Effect.andThen(Effect.sync(() => {
      original = Option.none()
    }))
  )

  /** Makes a state durable as a snapshot with a journal of its own. */
  const writeSnapshot = (next: Saved) =>
    endsWhenLost(Effect.gen(function*() {
      needsCheckpoint = true
      const part = journal.part + 1
      const { journal: writer, snapshot } = yield* signed(
        StoredSession.begin(keyRing, next.state(), encoded().slice(0, next.stored().pieces), {
          epoch: claim.epoch,
          earlier: earlier.count,
          part,
          version
        })
      )
      journal = { ...journal, part }
      yield* keepOriginal
      yield* claim.checkpoint(snapshot.bytes, { part, bytes: writer.firstLine })
      needsCheckpoint = false
      journal = { writer, part, bytes: writer.firstLine.length, snapshotBytes: snapshot.bytes.length }
      saved = next
    }))

  /** Applies what is queued, event by event; the refused ones learn it at once. */
  const assemble = (items: ReadonlyArray<Item>, at: Timestamp.Timestamp): Batch => {
    draft.rewind(saved.moment)
    const pieces = encoded()
    pieces.length = saved.stored().pieces
    const accepted: Array<Item> = []
    const tally = blobs.tally()
    let { size } = saved.stored()
    for (const item of items) {
      const after = StateSize.after(size, item.event, draft.session(), item.message)
      const bytes = StateSize.total(after)
      const withBlobs = tally.with(item.blobs)
      const applied: Result.Result<void, Invalid | SessionFull | PartsFull> = bytes > limits.maxBytes
        ? Result.fail(new SessionFull({ bytes, limit: limits.maxBytes }))
        : withBlobs > limits.maxBlobsBytes
        ? Result.fail(new PartsFull({ bytes: withBlobs, limit: limits.maxBlobsBytes }))
        : Result.mapError(draft.apply({ at, event: item.event }), ({ expected }) => new Invalid({ path: "", expected }))
      if (Result.isFailure(applied)) {
        item.settle(Effect.fail(new EventRejected({ id, reason: applied.failure })))
      } else {
        accepted.push(item)
        if (item.message !== undefined) pieces.push(item.message)
        tally.add(item.blobs)
        size = after
      }
    }
    const stored = { pieces: pieces.length, size }
    return { accepted, entries: accepted.map(({ json }) => ({ at, json })), next: reached(() => stored) }
  }

  const writeBatch = ({ entries, next }: Batch) =>
    endsWhenLost(Effect.gen(function*() {
      if (needsCheckpoint) yield* writeSnapshot(saved)
      const lines = journal.writer.encode(entries)
      if (journal.snapshotBytes + journal.bytes + lines.length > limits.maxBytes - Journal.maxFirstLineBytes) {
        return yield* writeSnapshot(next)
      }
      needsCheckpoint = true
      yield* claim.append(lines)
      needsCheckpoint = false
      journal = { ...journal, bytes: journal.bytes + lines.length }
      saved = next
    }))

  const isOverdue = () => journal.bytes > limits.checkpointBytes && journal.bytes > journal.snapshotBytes / 4

  const warnWhenNearlyFull = Effect.suspend(() => {
    const bytes = StateSize.total(saved.stored().size)
    if (hasWarned || bytes < limits.maxBytes * limits.warnAt) return Effect.void
    hasWarned = true
    return Effect.logWarning("the session is nearly full").pipe(
      Effect.annotateLogs({ sessionId: id, bytes, limit: limits.maxBytes })
    )
  })

  const hasBlobs = ({ accepted }: Batch) => accepted.some(({ blobs }) => blobs.length > 0)

  /** Stores the blobs of a batch, before anything refers to them. Where that fails, only what has some does. */
  const storeBlobs = (batch: Batch, at: Timestamp.Timestamp) =>
    Effect.gen(function*() {
      const items = batch.accepted.filter(({ blobs }) => blobs.length > 0)
      const stored = yield* Effect.exit(endsWhenLost(blobs.store(items.flatMap(({ blobs }) => blobs))))
      if (Exit.isSuccess(stored)) return batch
      for (const { settle } of items) settle(stored)
      return assemble(batch.accepted.filter(({ blobs }) => blobs.length === 0), at)
    })

  /** Writes everything that is queued: one write, one sync. */
  const flush = Effect.gen(function*() {
    yield* Effect.yieldNow
    if (queue.length === 0) return
    const items = queue
    queue = []
    const at = yield* now
    const assembled = assemble(items, at)
    const batch = hasBlobs(assembled) ? yield* storeBlobs(assembled, at) : assembled
    if (batch.accepted.length === 0) return
    const outcome = yield* Effect.exit(writeBatch(batch))
    if (Exit.isSuccess(outcome)) announce()
    for (const { settle } of batch.accepted) settle(outcome)
    if (Exit.isFailure(outcome)) return
    yield* warnWhenNearlyFull
    if (!isOverdue()) return
    yield* Effect.catch(
      writeSnapshot(saved),
      (error) =>
        Effect.annotateLogs(Effect.logWarning("a checkpoint failed and is tried again with the next event", error), {
          sessionId: id
        })
    )
  }).pipe(Effect.uninterruptible)

  const submit: SessionWriter["submit"] = (event, blobs = []) =>
    Effect.suspend(() => {
      const { json, message } = SessionEvent.encode(event)
      const bytes = blobs.reduce((sum, { bytes }) => sum + bytes.length, json.length)
      const settled = Effect.callback<void, ChangeError>((settle) => {
        if (ended !== undefined) return settle(Effect.fail(ended))
        const item: Item = { event, json, message, blobs, settle }
        queue.push(item)
        waiting.openUnsafe()
        return Effect.sync(() => {
          queue = queue.filter((queued) => queued !== item)
        })
      })
      return room.withPermits(Math.min(bytes, limits.maxQueuedBytes))(settled)
    })

  const checkpoint = lock.withPermit(
    Effect.gen(function*() {
      yield* unlessEnded
      yield* flush
      yield* unlessEnded
      yield* writeSnapshot(saved)
    }).pipe(Effect.uninterruptible)
  )

  const close = lock.withPermit(
    Effect.gen(function*() {
      yield* unlessEnded
      yield* flush
      yield* unlessEnded
      const closedAt = yield* now
      const snapshot = yield* signed(
        Snapshot.encode(keyRing, saved.state(), encoded().slice(0, saved.stored().pieces), {
          epoch: claim.epoch,
          earlier: earlier.count,
          closedAt,
          version
        })
      )
      needsCheckpoint = true
      yield* endsWhenLost(Effect.andThen(keepOriginal, claim.close(snapshot.bytes, blobs.needed)))
      yield* end(new SessionEnded({ id, reason: new Closed({}) }))
    }).pipe(Effect.uninterruptible)
  )

  const changes = Stream.unfold<number, SessionState, never, never>(-1, (seen) =>
    Effect.gen(function*() {
      while (saved.moment.revision <= seen) {
        if (ended !== undefined) return undefined
        yield* Deferred.await(changed)
      }
      return [saved.state(), saved.moment.revision] as const
    }))

  // A scope that closes before the session was closed ends it too: no caller waits for a fiber that is gone.
  const endHere = Effect.suspend(() =>
    ended === undefined ? end(new SessionEnded({ id, reason: new NotRunning({}) })) : Effect.void
  )
  yield* Effect.addFinalizer(() => lock.withPermit(endHere))
  // A fiber that would wait for ever is none.
  if (claim.lost !== Effect.never) yield* Effect.forkScoped(Effect.flatMap(claim.lost, end))
  yield* Effect.gen(function*() {
    while (true) {
      yield* waiting.await
      waiting.closeUnsafe()
      yield* lock.withPermit(flush)
    }
  }).pipe(Effect.onError(() => endHere), Effect.forkScoped)

  const writer: SessionWriter = {
    state: Effect.sync(() => saved.state()),
    earlier: Effect.suspend(() => Effect.fromResult(StoredMessages.parseEarlier(id, earlier, limits.maxDepth))),
    changes,
    source: { id, readBlob: options.readBlob },
    submit,
    checkpoint,
    close,
    end,
    isOver: Effect.sync(() => ended !== undefined),
    ended: Deferred.await(over)
  }
  return writer
})
