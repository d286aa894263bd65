/**
 * Encryption at rest, around any other store: what that one stores is ciphertext.
 *
 * @since 0.1.0
 */
import * as Aead from "effect/crypto/Aead"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { Digest } from "../../core/Blob.ts"
import * as Envelope from "../../core/Envelope.ts"
import * as Head from "../../core/Head.ts"
import {
  InvalidJson,
  NotEncrypted,
  type NotFound,
  type SessionEnded,
  StoreError,
  TooLarge
} from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type * as SessionList from "../../core/SessionList.ts"
import { Encryption } from "../Encryption.ts"
import { SessionLimits } from "../SessionLimits.ts"
import { type Claim, firstEpoch, type NewJournal, SessionStore, type Stored } from "./Contract.ts"
import * as SealedBlobs from "./SealedBlobs.ts"
import * as Sealing from "./Sealing.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * Whether sessions that are stored without encryption are listed and read too.
   * What is written is encrypted in any case, so `Sessions.rotate` encrypts them.
   * Default false: they are listed with `NotEncrypted`, and nothing is read of them.
   */
  readonly allowPlain?: boolean
}

/** What was read below, and what journals name it by. */
interface Source {
  readonly below: Stored
  readonly name: Option.Option<string>
}

const isMissingKey = ({ reason }: InvalidJson): boolean => reason._tag === "EncryptionKeyMissing"

const make = Effect.fnUntraced(function*({ allowPlain = false }: Options) {
  const store = yield* SessionStore
  const keyRing = yield* Encryption
  const limits = yield* SessionLimits
  const sealing = Sealing.make({ aead: yield* Aead.Aead, random: yield* SecureRandom.SecureRandom, keyRing })
  const blobs = SealedBlobs.make({ store, keyRing, sealing, allowPlain, maxBlobBytes: limits.maxBlobBytes })
  const sources = new WeakMap<Stored, Source>()

  /** Where a key is unknown, it is looked for once more among those that other processes have added. */
  const again = <A>(attempt: Effect.Effect<A, InvalidJson>): Effect.Effect<A, InvalidJson> =>
    Effect.catchIf(attempt, isMissingKey, (error) =>
      Effect.flatMap(
        Effect.orElseSucceed(keyRing.refresh, () => false),
        (isNew) => isNew ? attempt : Effect.fail(error)
      ))

  const isSealed = (snapshot: Uint8Array): boolean =>
    Envelope.isEncrypted(snapshot) || Option.isSome(Envelope.sealed(snapshot))

  const isCurrent = (name: Option.Option<string>): boolean =>
    Option.contains(Option.flatMap(name, Envelope.keyIdOf), keyRing.current)

  const tooLarge = (id: string, bytes: number) =>
    new InvalidJson({ id, reason: new TooLarge({ bytes, limit: limits.maxBytes }) })

  /** The limits are of what is stored, whatever encrypting adds. */
  const checkSize = (id: SessionId, { journals, snapshot }: Stored) => {
    const bytes = Envelope.plainSnapshotBytes(snapshot) +
      journals.reduce((sum, journal) => sum + Envelope.plainJournalBytes(journal), 0)
    return bytes > limits.maxBytes ? Effect.fail(tooLarge(id, bytes)) : Effect.void
  }

  /** What a session is without encryption. */
  const open = (id: SessionId, below: Stored): Effect.Effect<Stored, InvalidJson> =>
    Effect.gen(function*() {
      const isPlain = !isSealed(below.snapshot)
      if (isPlain && !allowPlain) return yield* new InvalidJson({ id, reason: new NotEncrypted({}) })
      yield* checkSize(id, below)
      const snapshot = isPlain ? below.snapshot : yield* sealing.openSnapshot(id, below.snapshot)
      const journals = yield* Effect.forEach(below.journals, (journal) =>
        Envelope.isEncrypted(journal) ? sealing.openJournal(id, journal) : Effect.succeed(journal))
      const name = Head.signatureAtEnd(below.snapshot)
      const names = [name, ...below.journals.map(Envelope.sealOf)]
      const isOutdated = !names.every(isCurrent)
      const stored: Stored = { ...below, snapshot, journals, ...(isOutdated ? { isOutdated } : {}) }
      sources.set(stored, { below, name })
      return stored
    })

  const opened = <E>(id: SessionId, reading: Effect.Effect<Stored, E | InvalidJson>) =>
    Effect.flatMap(
      Effect.mapError(reading, (error) => withOwnLimit(error)),
      (below) => again(open(id, below))
    )

  /** The store below has room for what encrypting adds. */
  const withOwnLimit = <E>(error: E | InvalidJson): E | InvalidJson =>
    error instanceof InvalidJson && error.reason._tag === "TooLarge" ? tooLarge(error.id, error.reason.bytes) : error

  const makeClaim = (
    below: Claim,
    begun: Option.Option<{ readonly name: string; readonly journal: Sealing.SealedJournal }>
  ) => {
    const { epoch, id } = below
    let name = Option.map(begun, ({ name }) => name)
    let journal = Option.map(begun, ({ journal }) => journal)
    /** What blobs are called below, as far as this claim knows. */
    const called = new Map<Digest, Digest>()
    let isAsked = false
    let isRenewed = false

    /** Once, before the first new snapshot: what it refers to is encrypted with the newest key like itself. */
    const renew = (snapshot: Uint8Array) =>
      Effect.gen(function*() {
        if (isAsked) return
        isRenewed = yield* blobs.renew(below, snapshot, called)
        isAsked = true
      })

    const remember = (stored: Stored) => {
      name = Option.flatMap(Option.fromUndefinedOr(sources.get(stored)), ({ name }) => name)
    }

    /** What the present snapshot is called, as a journal names it. */
    const nameOfSnapshot = Effect.suspend(() =>
      Option.isSome(name) ?
        Effect.succeed(name.value) :
        Effect.flatMap(below.stored, ({ snapshot }) => Effect.fromOption(Head.signatureAtEnd(snapshot)))
    ).pipe(Effect.mapError((cause) => new StoreError({ operation: "resume", cause })))

    const sealJournal = (snapshot: string, { bytes, part }: NewJournal) =>
      sealing.sealJournal(id, { epoch, part, snapshot }, bytes)

    const claim: Claim = {
      ...below,
      stored: Effect.tap(
        opened<NotFound | StoreError>(id, below.stored),
        (stored) => Effect.sync(() => remember(stored))
      ),
      isStill: (before) =>
        Effect.suspend(() => {
          const source = sources.get(before)
          if (source === undefined) return Effect.succeed(false)
          return Effect.tap(below.isStill(source.below), (isStill) =>
            Effect.sync(() => {
              if (isStill) remember(before)
            }))
        }),
      begin: (begun) =>
        Effect.gen(function*() {
          const sealed = yield* sealJournal(yield* nameOfSnapshot, begun)
          yield* below.begin({ ...begun, bytes: sealed.bytes })
          journal = Option.some(sealed)
        }).pipe(Effect.uninterruptible),
      append: (lines) =>
        Effect.suspend((): Effect.Effect<void, SessionEnded | StoreError> =>
          // Without a journal the store below refuses it, and there is nothing to encrypt it with.
          Option.isNone(journal) ? below.append(nothing) : Effect.flatMap(journal.value.encode(lines), below.append)
        ).pipe(Effect.uninterruptible),
      putBlobs: (given) =>
        Effect.gen(function*() {
          for (const [digest, name] of yield* blobs.put(below, given)) called.set(digest, name)
        }).pipe(Effect.uninterruptible),
      keepOriginal: below.keepOriginal,
      checkpoint: (snapshot, begun) =>
        Effect.gen(function*() {
          yield* renew(snapshot)
          const sealed = yield* sealing.sealSnapshot(id, epoch, snapshot)
          const next = yield* sealJournal(sealed.seal, begun)
          name = Option.none()
          yield* below.checkpoint(sealed.bytes, { part: begun.part, bytes: next.bytes })
          name = Option.some(sealed.seal)
          journal = Option.some(next)
        }).pipe(Effect.uninterruptible),
      close: (snapshot, needed) =>
        Effect.gen(function*() {
          yield* renew(snapshot)
          const sealed = yield* sealing.sealSnapshot(id, epoch, snapshot)
          name = Option.none()
          // What was stored again is not to stay beside itself.
          const kept = needed ?? (isRenewed ? blobs.referred(snapshot) : undefined)
          yield* below.close(sealed.bytes, kept && blobs.neededBelow(kept, called))
        }).pipe(Effect.uninterruptible)
    }
    return claim
  }

  const create: SessionStore["Service"]["create"] = (id, snapshot, firstLine, given = {}) =>
    Effect.gen(function*() {
      const sealed = yield* sealing.sealSnapshot(id, firstEpoch, snapshot)
      const place = { epoch: firstEpoch, part: 0, snapshot: sealed.seal }
      const journal = yield* sealing.sealJournal(id, place, firstLine)
      const claim = yield* store.create(id, sealed.bytes, journal.bytes, yield* blobs.seen(given))
      return makeClaim(claim, Option.some({ name: sealed.seal, journal }))
    }).pipe(Effect.uninterruptible)

  const deposit: SessionStore["Service"]["deposit"] = (id, session) =>
    Effect.gen(function*() {
      const { blobs: given, epoch, journal } = session
      const sealed = yield* sealing.sealSnapshot(id, epoch, session.snapshot)
      yield* store.deposit(id, {
        ...session,
        snapshot: sealed.bytes,
        journal: journal && { ...journal, bytes: yield* sealing.sealWholeJournal(id, sealed.seal, journal) },
        blobs: yield* blobs.deposited(given)
      })
    })

  const claim: SessionStore["Service"]["claim"] = (id, { seen, takeOver } = {}) =>
    Effect.map(
      store.claim(id, { takeOver, seen: seen && sources.get(seen)?.below }),
      (claim) => makeClaim(claim, Option.none())
    )

  /** What a list shows of an encrypted session, for who has its key. */
  const show = (
    { error: _error, name: _name, updatedAt: _updatedAt, encrypted: _encrypted, ...broken }: SessionList.Broken,
    { head: bytes, writtenAt, ...encrypted }: SessionList.Encrypted
  ) =>
    Effect.gen(function*() {
      const { id } = broken
      const { head, isSigned } = yield* again(sealing.openHead(id, bytes))
      const decoded = yield* Effect.fromResult(Head.decode(id, head, isSigned, store.format))
      if (Option.isNone(decoded)) return yield* Head.missing(id)
      const { epoch: _epoch, revision: _revision, version: _version, ...shown } = decoded.value
      const updatedAt = writtenAt !== undefined && writtenAt > shown.updatedAt ? writtenAt : shown.updatedAt
      const entry: SessionList.Entry = { ...broken, ...encrypted, ...shown, _tag: "Stored", updatedAt }
      return entry
    })

  const entryOf = (entry: SessionList.Entry): Effect.Effect<SessionList.Entry> => {
    if (entry._tag === "Broken" && entry.encrypted !== undefined) {
      return Effect.catch(show(entry, entry.encrypted), (error) => Effect.succeed({ ...entry, error }))
    }
    if (entry._tag !== "Stored" || allowPlain) return Effect.succeed(entry)
    const { id, removedAt, updatedAt } = entry
    const error = new InvalidJson({ id, reason: new NotEncrypted({}) })
    const removed = removedAt === undefined ? {} : { removedAt }
    return Effect.succeed({ _tag: "Broken", name: id, id, updatedAt, ...removed, error })
  }

  return SessionStore.of({
    limits,
    format: store.format,
    entries: Stream.mapEffect(store.entries, entryOf),
    read: (id) => opened<NotFound | StoreError>(id, store.read(id)),
    readBlob: blobs.read,
    create,
    deposit,
    claim,
    remove: store.remove,
    isRemoved: store.isRemoved,
    restore: store.restore,
    purge: store.purge,
    alone: store.alone,
    sweep: store.sweep
  })
})

const nothing = new Uint8Array(0)

/** The store below is built with room for what encrypting adds. */
const layerRoom = Layer.effect(
  SessionLimits,
  Effect.map(SessionLimits, (limits) => ({
    ...limits,
    maxBytes: Envelope.roomFor(limits.maxBytes),
    maxBlobBytes: limits.maxBlobBytes + Sealing.blobOverhead
  }))
)

/**
 * Encrypts everything that the store below stores: snapshots with their heads,
 * journals, originals. What is signed stays signed inside.
 *
 * **Details**
 *
 * ChaCha20-Poly1305 with a key for each file, derived from the newest key of
 * `Encryption`; all its keys decrypt. What can be seen without a key: ids, who holds
 * a session and in which state it is, when and how much was written, ids of keys.
 *
 * Without the key a session is listed by its id, as `Broken` with `Encrypted`,
 * `EncryptionKeyMissing` or `EncryptionKeyWrong`, and can be moved to the trash and
 * back; reading it fails with the same, and changes nothing. A line that a crash cut
 * short, and damage, are told as without encryption.
 *
 * `Sessions.rotate` stores with the newest key what is stored with another one, or,
 * with `allowPlain`, without any.
 *
 * **Gotchas**
 *
 * A list reads the head of every session: no database can search what is encrypted.
 * An original of an older format version that was kept before sessions were
 * encrypted, and one of a session that is encrypted by the migration itself, stays
 * as it was.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E, R>(
  below: Layer.Layer<SessionStore, E, R>,
  options: Options = {}
): Layer.Layer<SessionStore, E, R | Encryption | Aead.Aead | SecureRandom.SecureRandom> =>
  Layer.provide(
    Layer.effect(SessionStore, make(options)),
    Layer.provide(Layer.fresh(below), layerRoom)
  )
