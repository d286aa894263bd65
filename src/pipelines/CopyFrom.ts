/**
 * From one store to another: every session, as it is.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Blob from "../core/Blob.ts"
import type { Holder } from "../core/Holder.ts"
import {
  CreateFailed,
  type InvalidBlob,
  type InvalidJson,
  type NotFound,
  type SchemaVersion,
  StoreError,
  TooManyStored
} from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as SessionList from "../core/SessionList.ts"
import * as StoredSession from "../core/StoredSession.ts"
import type { Verified } from "../core/StoredSession.ts"
import * as Blobs from "../services/Blobs.ts"
import { now } from "../services/Now.ts"
import * as SessionStore from "../services/SessionStore.ts"
import * as Signer from "../services/Signer.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface CopyOptions {
  /** Verifies what is stored there. By default what signs here. */
  readonly signer?: Signer.Signer["Service"]
}

/**
 * Why a session could not be copied.
 *
 * @category models
 * @since 0.1.0
 */
export type CopyError = NotFound | InvalidJson | SchemaVersion | InvalidBlob | CreateFailed | StoreError

/**
 * What became of one session.
 *
 * **Details**
 *
 * *Copied*: it was verified there, stored here, read back, and verified again;
 * `bytes` are those of snapshot and journal, `blobs` and `blobBytes` its large parts,
 * `torn` bytes at its end that a crash had cut short and that were left out.
 * `isOutdated` where it was changed there meanwhile: what is here is an earlier state.
 *
 * *Present*: it was here, byte for byte the same, and was verified. *Different*: one
 * with its id is here that is not the same, and stays as it is; `revision` is that of
 * the one there, `found` that of the one here where it can be verified, and
 * `isOnlyTrash` tells that only one of them is in the trash.
 *
 * *Skipped* is what somebody runs (`running`, or `elsewhere`: held by somebody that
 * can't be judged), what is no session of this format (`foreign`), and what went
 * meanwhile (`gone`). *Failed* is what can't be read or verified at the `source`, or
 * could not be stored or verified at the `destination`; nothing of it is seen there,
 * unless it was there before.
 *
 * @category models
 * @since 0.1.0
 */
export type CopyOutcome =
  | {
    readonly _tag: "Copied"
    readonly bytes: number
    readonly blobs: number
    readonly blobBytes: number
    readonly torn: number
    readonly isOutdated: boolean
  }
  | { readonly _tag: "Present" }
  | {
    readonly _tag: "Different"
    readonly revision: number
    readonly found: Option.Option<number>
    readonly isOnlyTrash: boolean
  }
  | {
    readonly _tag: "Skipped"
    readonly reason: "running" | "elsewhere" | "foreign" | "gone"
    readonly holder?: Holder
  }
  | { readonly _tag: "Failed"; readonly at: "source" | "destination"; readonly error: CopyError }

/**
 * One session of a copy: `index` of `total`, from 0, in no order. `name` is the
 * session's where it can be read, else that of its entry.
 *
 * @category models
 * @since 0.1.0
 */
export interface Copy {
  readonly index: number
  readonly total: number
  readonly id: Option.Option<SessionId>
  readonly name: string
  readonly isRemoved: boolean
  readonly outcome: CopyOutcome
}

/** Sessions that are on their way at once: each may hold a whole session and one of its large parts. */
const atOnce = 4

/** A store, and what verifies it. */
interface Place {
  readonly store: SessionStore.SessionStore["Service"]
  readonly signer: Signer.Signer["Service"]
}

/** What is known of a session before it is read. */
type Known = Pick<Copy, "id" | "name" | "isRemoved">

const knownOf = (entry: SessionList.Entry): Known => ({
  id: entry._tag === "Foreign" ? Option.none() : Option.some(entry.id),
  name: entry.name,
  isRemoved: SessionList.isRemoved(entry)
})

const failed = (at: "source" | "destination") => (error: CopyError): Effect.Effect<never, CopyOutcome> =>
  Effect.fail({ _tag: "Failed", at, error })

const verify = ({ signer, store }: Place, id: SessionId, stored: StoredSession.StoredBytes) =>
  Signer.verified(
    signer,
    () => StoredSession.open(signer, id, stored, { format: store.format, maxDepth: store.limits.maxDepth })
  )

/** The large parts that a conversation refers to, each once. */
const referencesOf = ({ state }: Verified): ReadonlyArray<Blob.Reference> => [
  ...new Map(state.conversation.flatMap(Blob.references).map((reference) => [reference.sha256, reference])).values()
]

/** Reads every large part once, one at a time. */
const verifyBlobs = ({ store }: Place, id: SessionId, references: ReadonlyArray<Blob.Reference>) =>
  Effect.forEach(references, (reference) => Blobs.read({ id, readBlob: store.readBlob }, reference), { discard: true })

/** What counts of a session, for comparing and for storing it. */
const wholeOf = (stored: SessionStore.Stored, { journal }: Verified): StoredSession.StoredBytes => ({
  snapshot: stored.snapshot,
  journals: Option.toArray(Option.map(journal, ({ bytes }) => bytes))
})

/** Everything of a session, read at one moment and verified. */
interface Read {
  readonly stored: SessionStore.Stored
  readonly verified: Verified
}

const isSame = (self: Read, that: Read): boolean =>
  StoredSession.isSame(wholeOf(self.stored, self.verified), wholeOf(that.stored, that.verified))

/** What is to be stored: above every epoch that its snapshot and its journal name. */
const atRest = Effect.fnUntraced(function*(from: Place, id: SessionId, { stored, verified }: Read) {
  const { journal, snapshot, state } = verified
  const since = stored.since ?? (yield* now)
  const session: SessionStore.AtRest<CopyOutcome> = {
    snapshot: stored.snapshot,
    journal: Option.getOrUndefined(journal),
    blobs: referencesOf(verified).map((reference) => ({
      digest: reference.sha256,
      bytes: Effect.catch(Blobs.read({ id, readBlob: from.store.readBlob }, reference), failed("source"))
    })),
    epoch: 1 + Math.max(snapshot.head.epoch, Option.match(journal, { onNone: () => 0, onSome: ({ epoch }) => epoch })),
    state: stored.status === "removed" ? "removed" : "released",
    since,
    updatedAt: state.session.updatedAt,
    holder: stored.holder
  }
  return session
})

/** A session at its source. Whoever runs it is still changing it. */
const readSource = (from: Place, id: SessionId): Effect.Effect<Read, CopyOutcome> =>
  Effect.gen(function*() {
    const stored = yield* Effect.catch(from.store.read(id), (error): Effect.Effect<never, CopyOutcome> =>
      error._tag === "NotFound" ? Effect.fail({ _tag: "Skipped", reason: "gone" }) : failed("source")(error))
    const { holder, status } = stored
    if (status === "running" || status === "elsewhere") {
      const skipped: CopyOutcome = { _tag: "Skipped", reason: status, ...(holder === undefined ? {} : { holder }) }
      return yield* Effect.fail(skipped)
    }
    return { stored, verified: yield* Effect.catch(verify(from, id, stored), failed("source")) }
  })

/** What is at the destination already, if anything is. */
const compare = (to: Place, id: SessionId, source: Read): Effect.Effect<CopyOutcome, CopyError> =>
  Effect.gen(function*() {
    const stored = yield* to.store.read(id)
    const read = yield* Effect.result(verify(to, id, stored))
    const { revision } = source.verified.state
    if (read._tag === "Failure") {
      const isDamagedCopy = StoredSession.isSame(stored, source.stored)
      if (isDamagedCopy) return yield* read.failure
      return { _tag: "Different", revision, found: Option.none(), isOnlyTrash: false }
    }
    const verified = read.success
    const isTrash = [stored, source.stored].map(({ status }) => status === "removed")
    const isEqual = isSame(source, { stored, verified })
    if (!isEqual || isTrash[0] !== isTrash[1]) {
      return { _tag: "Different", revision, found: Option.some(verified.state.revision), isOnlyTrash: isEqual }
    }
    yield* verifyBlobs(to, id, referencesOf(verified))
    return { _tag: "Present" }
  })

/** Fails unless what was stored is there and can be verified. Somebody may have gone on with it already. */
const arrived = Effect.fnUntraced(function*(to: Place, id: SessionId, source: Read) {
  const stored = yield* to.store.read(id)
  const verified = yield* verify(to, id, stored)
  if (isSame(source, { stored, verified })) return yield* verifyBlobs(to, id, referencesOf(verified))
  if (verified.state.revision < source.verified.state.revision) {
    return yield* new StoreError({ operation: "deposit", cause: new Error("it was stored and is not what it was") })
  }
})

const copyOne = Effect.fnUntraced(function*(from: Place, to: Place, id: SessionId, takeRoom: TakeRoom) {
  const source = yield* readSource(from, id)
  const isThere = yield* Effect.matchEffect(to.store.isRemoved(id), {
    onSuccess: () => Effect.succeed(true),
    onFailure: (error) => error._tag === "NotFound" ? Effect.succeed(false) : failed("destination")(error)
  })
  if (isThere) return yield* Effect.catch(compare(to, id, source), failed("destination"))

  // What can't be verified here is not stored here.
  if (to.signer !== from.signer) yield* Effect.catch(verify(to, id, source.stored), failed("destination"))
  yield* Effect.catch(takeRoom(source.stored), failed("destination"))
  const session = yield* atRest(from, id, source)
  yield* Effect.catchTag(to.store.deposit(id, session), "StoreError", failed("destination"))
  yield* Effect.catch(arrived(to, id, source), failed("destination"))

  const again = yield* Effect.option(from.store.read(id))
  const references = referencesOf(source.verified)
  const outcome: CopyOutcome = {
    _tag: "Copied",
    bytes: session.snapshot.length + (session.journal?.bytes.length ?? 0),
    blobs: references.length,
    blobBytes: references.reduce((sum, { bytes }) => sum + bytes, 0),
    torn: source.verified.torn,
    isOutdated: !Option.exists(again, ({ version }) => version === source.stored.version)
  }
  return outcome
})

type TakeRoom = (stored: SessionStore.Stored) => Effect.Effect<void, CreateFailed>

/** Lets in as many as there is room for. What is there already is counted once. */
const roomIn = Effect.fnUntraced(function*({ store }: Place) {
  const { limits: { maxStored }, entries, list = () => entries } = store
  const isKept = (entry: SessionList.Entry) => entry._tag !== "Foreign" && !SessionList.isRemoved(entry)
  let stored = maxStored === Infinity
    ? 0
    : yield* Stream.runCount(Stream.filter(list({ limit: maxStored + 1 }), isKept))
  const takeRoom: TakeRoom = ({ status }) =>
    Effect.suspend(() => {
      if (status === "removed") return Effect.void
      if (stored >= maxStored) return new CreateFailed({ reason: new TooManyStored({ stored, limit: maxStored }) })
      stored++
      return Effect.void
    })
  return takeRoom
})

/** After a failure of a store: whether it is that session's, or everything's. */
const stillThere = (outcome: CopyOutcome, { from, to }: { readonly from: Place; readonly to: Place }) =>
  outcome._tag === "Failed" && outcome.error._tag === "StoreError"
    ? Effect.as(Stream.runHead((outcome.at === "source" ? from : to).store.entries), outcome)
    : Effect.succeed(outcome)

/**
 * Copies every session of another store to this one, under its own id, with its
 * journal, its large parts and its place in the trash, and verifies it there before
 * and here afterwards. The other store is only read.
 *
 * **Details**
 *
 * Documents are copied as the bytes that were signed: the key ring here must know the
 * keys they were signed with (`UnknownKey` if not, and nothing is stored). A store that
 * encrypts encrypts them with its own key on the way. A session that was interrupted
 * arrives as interrupted. One that somebody runs is skipped: close it and copy again.
 *
 * A session is seen here complete or not at all. What is here is never overwritten, so
 * it can be interrupted, also by a crash, and called again: it goes on with what is
 * missing and comes to the same. A session that can't be copied does not stop the
 * others; a store that can't be reached any more ends the stream with its error.
 *
 * `SessionLimits.maxStored` is kept to: what there is no room for fails with
 * `TooManyStored`, and nothing is removed to make room.
 *
 * **Gotchas**
 *
 * Originals of older format versions, kept beside migrated sessions, are not copied.
 *
 * @category operations
 * @since 0.1.0
 */
export const copyFrom = (
  store: SessionStore.SessionStore["Service"],
  options: CopyOptions = {}
): Stream.Stream<Copy, StoreError, SessionStore.SessionStore | Signer.Signer> =>
  Stream.unwrap(
    Effect.gen(function*() {
      const signer = yield* Signer.Signer
      const to: Place = { store: yield* SessionStore.SessionStore, signer }
      const from: Place = { store, signer: options.signer ?? signer }
      const all = yield* Stream.runCollect(Stream.map(store.entries, knownOf))
      const takeRoom = yield* roomIn(to)
      const outcomeOf = ({ id }: Known): Effect.Effect<CopyOutcome> =>
        Option.match(id, {
          onNone: () => Effect.succeed<CopyOutcome>({ _tag: "Skipped", reason: "foreign" }),
          onSome: (id) => copyOne(from, to, id, takeRoom).pipe(Telemetry.observed("copy"), Effect.catch(Effect.succeed))
        })
      return Stream.fromIterable(all.entries()).pipe(
        Stream.mapEffect(([index, known]) =>
          Effect.map(
            Effect.flatMap(outcomeOf(known), (outcome) => stillThere(outcome, { from, to })),
            (outcome): Copy => ({ ...known, index, total: all.length, outcome })
          ), { concurrency: atOnce, unordered: true })
      )
    }).pipe(Effect.withSpan("Sessions.copyFrom"))
  )
