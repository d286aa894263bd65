/**
 * Sessions in memory: the contract without a disk, for tests and for sessions
 * that need not outlive the process.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { Blob, Digest } from "../../core/Blob.ts"
import * as Envelope from "../../core/Envelope.ts"
import * as Head from "../../core/Head.ts"
import {
  AlreadyRunning,
  BlobDamaged,
  BlobMissing,
  InvalidBlob,
  InvalidJson,
  LeaseLost,
  NotFound,
  NotRunning,
  SessionEnded,
  StoreError,
  TooLarge
} from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type * as SessionList from "../../core/SessionList.ts"
import * as Text from "../../core/Text.ts"
import type * as Timestamp from "../../core/Timestamp.ts"
import { now } from "../Now.ts"
import { SessionFormat } from "../SessionFormat.ts"
import { SessionLimits } from "../SessionLimits.ts"
import { type Claim, firstEpoch, SessionStore, type Stored } from "./Contract.ts"

interface Row {
  readonly snapshot: Uint8Array
  readonly journal: Option.Option<Uint8Array>
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
  readonly epoch: number
  readonly state: "held" | "released" | "removed"
  readonly since: Timestamp.Timestamp
  readonly writtenAt: Timestamp.Timestamp
}

const noJournal = { operation: "append", cause: new Error("the journal needs a checkpoint first") }

const statusOf = ({ journal, state }: Row): SessionList.Status => {
  if (state === "held") return "running"
  if (state === "removed") return "removed"
  return Option.isSome(journal) ? "interrupted" : "closed"
}

const withBlobs = (blobs: Row["blobs"], added: ReadonlyArray<Blob>): Row["blobs"] =>
  new Map([...blobs, ...added.map(({ bytes, digest }) => [digest, bytes] as const)])

const onlyNeeded = (blobs: Row["blobs"], needed: (() => ReadonlySet<Digest>) | undefined): Row["blobs"] => {
  if (needed === undefined || blobs.size === 0) return blobs
  const kept = needed()
  return new Map([...blobs].filter(([digest]) => kept.has(digest)))
}

const versions = new WeakMap<Uint8Array, number>()
let lastVersion = 0

/** Bytes are replaced, never changed: so each array is a version of its own. */
const versionOf = ({ journal, snapshot }: Row): string =>
  [snapshot, ...Option.toArray(journal)].map((bytes) => {
    const version = versions.get(bytes) ?? ++lastVersion
    versions.set(bytes, version)
    return version
  }).join(" ")

const storedOf = (row: Row): Stored => ({
  snapshot: row.snapshot,
  journals: Option.toArray(row.journal),
  status: statusOf(row),
  version: versionOf(row),
  since: row.since
})

const bytesOf = (row: Row): number =>
  row.snapshot.length + Option.match(row.journal, {
    onNone: () => 0,
    onSome: (journal) => journal.length
  })

/**
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<SessionStore> = Layer.effect(
  SessionStore,
  Effect.gen(function*() {
    const limits = yield* SessionLimits
    const format = yield* SessionFormat
    const rows = new Map<SessionId, Row>()
    const turns = yield* Semaphore.make(1)

    const find = (id: SessionId) =>
      Effect.suspend(() => Effect.fromNullishOr(rows.get(id))).pipe(Effect.catch(() => new NotFound({ target: id })))

    const readRow = (id: SessionId) =>
      Effect.flatMap(find(id), (row) =>
        bytesOf(row) > limits.maxBytes
          ? Effect.fail(new InvalidJson({ id, reason: new TooLarge({ bytes: bytesOf(row), limit: limits.maxBytes }) }))
          : Effect.succeed(storedOf(row)))

    const readBlob: SessionStore["Service"]["readBlob"] = (id, digest, maxBytes) =>
      Effect.suspend(() => {
        const bytes = rows.get(id)?.blobs.get(digest)
        if (bytes === undefined) return new InvalidBlob({ id, digest, reason: new BlobMissing({}) })
        return bytes.length > maxBytes
          ? new InvalidBlob({ id, digest, reason: new BlobDamaged({}) })
          : Effect.succeed(bytes)
      })

    const refuseHeld = (row: Row) =>
      row.state === "held" ? Effect.fail(new AlreadyRunning({ liveness: "alive" })) : Effect.void

    const makeClaim = Effect.fnUntraced(function*(id: SessionId, epoch: number) {
      let isOver = false
      let before = Option.none<Option.Option<Uint8Array>>()
      /** An empty journal that comes to be with the first event. */
      let planned = Option.none<Uint8Array>()

      /** Changes the row, as long as it is this claim's. */
      const change = (update: (row: Row, now: Timestamp.Timestamp) => Row) =>
        Effect.flatMap(now, (now) =>
          Effect.suspend(() => {
            if (isOver) return new SessionEnded({ id, reason: new NotRunning({}) })
            const row = rows.get(id)
            if (row === undefined || row.epoch !== epoch) {
              return Effect.fail(new SessionEnded({ id, reason: new LeaseLost({}) }))
            }
            rows.set(id, update(row, now))
            return Effect.void
          }))

      const claim: Claim = {
        id,
        epoch,
        stored: readRow(id),
        isStill: ({ version }) =>
          Effect.map(Effect.option(readRow(id)), Option.exists((now) => now.version === version)),
        begin: ({ bytes, isEmpty = false }) =>
          change((row) => {
            if (isEmpty) {
              planned = Option.some(bytes)
              return row
            }
            before = Option.some(row.journal)
            return { ...row, journal: Option.some(bytes) }
          }),
        append: (lines) =>
          Effect.suspend((): Effect.Effect<void, SessionEnded | StoreError> => {
            const row = rows.get(id)
            const begun = Option.orElse(planned, () => row?.journal ?? Option.none())
            if (row?.epoch === epoch && Option.isNone(begun)) return new StoreError(noJournal)
            return change((row, writtenAt) => {
              before = Option.none()
              planned = Option.none()
              return { ...row, writtenAt, journal: Option.map(begun, (journal) => Text.concat([journal, lines])) }
            })
          }),
        putBlobs: (added) => change((row) => ({ ...row, blobs: withBlobs(row.blobs, added) })),
        // Nobody could read it: what is in memory goes with the program that wrote it.
        keepOriginal: () => change((row) => row),
        checkpoint: (snapshot, { bytes }) =>
          change((row, writtenAt) => {
            before = Option.none()
            planned = Option.none()
            return { ...row, writtenAt, snapshot, journal: Option.some(bytes) }
          }),
        close: (snapshot, needed) =>
          Effect.tap(
            change((row, since) => ({
              ...row,
              snapshot,
              blobs: onlyNeeded(row.blobs, needed),
              journal: Option.none(),
              epoch: epoch + 1,
              state: "released",
              since
            })),
            Effect.sync(() => {
              isOver = true
            })
          ),
        release: Effect.tap(
          change((row, since) => ({
            ...row,
            journal: Option.getOrElse(before, () => row.journal),
            epoch: epoch + 1,
            state: "released",
            since
          })),
          Effect.sync(() => {
            isOver = true
          })
        ),
        lost: Effect.never
      }
      yield* Effect.addFinalizer(() => isOver ? Effect.void : Effect.ignore(claim.release))
      return claim
    })

    const create: SessionStore["Service"]["create"] = (id, snapshot, firstLine, { from, put = [] } = {}) =>
      Effect.gen(function*() {
        if (rows.has(id)) return yield* new StoreError({ operation: "create", cause: new Error("the id is taken") })
        const since = yield* now
        const source = from === undefined ? undefined : rows.get(from.id)?.blobs
        const brought = (from?.digests ?? []).flatMap((digest) => {
          const bytes = source?.get(digest)
          return bytes === undefined ? [] : [{ digest, bytes }]
        })
        rows.set(id, {
          snapshot,
          journal: Option.some(firstLine),
          blobs: withBlobs(new Map(), [...brought, ...put]),
          epoch: firstEpoch,
          state: "held",
          since,
          writtenAt: since
        })
        return yield* makeClaim(id, firstEpoch)
      }).pipe(Effect.uninterruptible)

    const deposit: SessionStore["Service"]["deposit"] = (
      id,
      { blobs, epoch, journal, since, snapshot, state, updatedAt }
    ) =>
      Effect.gen(function*() {
        const given = yield* Effect.forEach(blobs, ({ bytes, digest }) =>
          Effect.map(bytes, (bytes) => ({ bytes, digest })))
        if (rows.has(id)) {
          return yield* new StoreError({ operation: "deposit", cause: new Error("the id is taken") })
        }
        rows.set(id, {
          snapshot,
          journal: Option.map(Option.fromUndefinedOr(journal), ({ bytes }) =>
            bytes),
          blobs: withBlobs(new Map(), given),
          epoch,
          state,
          since,
          writtenAt: updatedAt
        })
      })

    const claim: SessionStore["Service"]["claim"] = (id, options) =>
      Effect.gen(function*() {
        const since = yield* now
        const row = yield* find(id)
        if (row.state === "removed") return yield* new NotFound({ target: `${id} outside the trash` })
        if (options?.takeOver !== true) yield* refuseHeld(row)
        rows.set(id, { ...row, epoch: row.epoch + 1, state: "held", since })
        return yield* makeClaim(id, row.epoch + 1)
      }).pipe(Effect.uninterruptible)

    const move = (row: Row, id: SessionId, state: "removed" | "released", since: Timestamp.Timestamp) =>
      Effect.sync(() => void rows.set(id, { ...row, epoch: row.epoch + 1, state, since }))

    const remove: SessionStore["Service"]["remove"] = Effect.fnUntraced(function*(id, options) {
      const since = yield* now
      const row = yield* find(id)
      if (row.state === "removed") return
      yield* refuseHeld(row)
      if (statusOf(row) === "interrupted" && options?.interrupted !== true) {
        return yield* new AlreadyRunning({ liveness: "dead" })
      }
      yield* move(row, id, "removed", since)
    })

    const restore: SessionStore["Service"]["restore"] = Effect.fnUntraced(function*(id) {
      const since = yield* now
      const row = yield* find(id)
      if (row.state === "removed") yield* move(row, id, "released", since)
    })

    const purge: SessionStore["Service"]["purge"] = Effect.fnUntraced(function*(id) {
      const row = yield* find(id)
      if (row.state !== "removed") return yield* new NotFound({ target: `${id} in the trash` })
      rows.delete(id)
    })

    const entry = (id: SessionId, row: Row): SessionList.Entry => {
      const signature = Head.signatureAtEnd(row.snapshot)
      const head = Head.decode(id, row.snapshot, Option.isSome(signature), format)
      const removedAt = row.state === "removed" ? { removedAt: row.since } : {}
      const broken = (error: SessionList.Broken["error"]) => ({
        _tag: "Broken" as const,
        name: id,
        id,
        ...removedAt,
        ...Option.match(Envelope.headOf(row.snapshot), {
          onNone: () => ({}),
          onSome: (head) => ({
            encrypted: {
              head,
              status: statusOf(row),
              ...(Option.isNone(row.journal) ? {} : { writtenAt: row.writtenAt }),
              bytes: bytesOf(row)
            }
          })
        }),
        error
      })
      if (Result.isFailure(head)) return broken(head.failure)
      return Option.match(head.success, {
        onNone: () => broken(Head.missing(id)),
        onSome: ({ epoch: _epoch, revision: _revision, version: _version, ...head }) => ({
          _tag: "Stored" as const,
          ...head,
          updatedAt: Option.isNone(row.journal) || row.writtenAt < head.updatedAt ? head.updatedAt : row.writtenAt,
          status: statusOf(row),
          ...removedAt,
          bytes: bytesOf(row)
        })
      })
    }

    return SessionStore.of({
      limits,
      format,
      entries: Stream.suspend(() => Stream.fromIterable([...rows].map(([id, row]) => entry(id, row)))),
      read: readRow,
      readBlob,
      create,
      deposit,
      claim,
      remove,
      restore,
      purge,
      isRemoved: (id) => Effect.map(find(id), ({ state }) => state === "removed"),
      alone: turns.withPermit,
      sweep: Effect.void
    })
  })
)
