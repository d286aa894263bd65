/**
 * What every session store must do with blobs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Blob from "../core/Blob.ts"
import type { SessionId } from "../core/SessionId.ts"
import type * as SessionStore from "../services/SessionStore.ts"
import type { Case } from "./SessionStoreSuite.ts"
import { at, create as createSession, documents, expect, expectTag, id, other, stateOf, store } from "./StoreScene.ts"

/** What a claim may close its session with. */
const closing = ({ epoch, id }: SessionStore.Claim) =>
  Effect.map(documents(stateOf(id), { epoch, closedAt: at }), ({ snapshot }) => snapshot)

/** A new session, held. */
const create = (id: SessionId, blobs?: SessionStore.NewBlobs) =>
  Effect.map(createSession(id, undefined, blobs), ({ claim }) => claim)

const digest = (digit: string) => Blob.Digest.make(digit.repeat(64))

const blob = (digit: string, ...bytes: ReadonlyArray<number>): Blob.Blob => ({
  digest: digest(digit),
  bytes: new Uint8Array(bytes)
})

const one = blob("1", 1, 1)
const two = blob("2", 2, 2, 2)
const three = blob("3")

const read = (id: SessionId, { bytes, digest }: Blob.Blob) =>
  Effect.map(store.use(({ readBlob }) => readBlob(id, digest, bytes.length)), (found) => Array.from(found))

const has = (id: SessionId, ...blobs: ReadonlyArray<Blob.Blob>) =>
  Effect.forEach(
    blobs,
    (blob) => Effect.flatMap(read(id, blob), (bytes) => expect("blob", bytes, Array.from(blob.bytes))),
    { discard: true }
  )

const hasNot = (id: SessionId, ...blobs: ReadonlyArray<Blob.Blob>) =>
  Effect.forEach(
    blobs,
    (blob) =>
      Effect.flatMap(Effect.flip(read(id, blob)), (error) =>
        expect("reason", error._tag === "InvalidBlob" && [error.id, error.digest, error.reason._tag], [
          id,
          blob.digest,
          "BlobMissing"
        ])),
    { discard: true }
  )

const close = Effect.fnUntraced(function*(claim: SessionStore.Claim, needed?: ReadonlyArray<Blob.Blob>) {
  const snapshot = yield* closing(claim)
  yield* needed === undefined
    ? claim.close(snapshot)
    : claim.close(snapshot, () => new Set(needed.map(({ digest }) => digest)))
})

/** The cases, for a store of their own each. */
export const cases: ReadonlyArray<Case> = [
  {
    name: "reads the blobs that a claim stored, also after another one, and none of another session",
    test: Effect.gen(function*() {
      const claim = yield* create(id)
      yield* create(other)
      yield* hasNot(id, one)
      yield* claim.putBlobs([one, two])
      yield* claim.putBlobs([three, one])
      yield* claim.putBlobs([])
      yield* has(id, one, two, three)
      yield* hasNot(other, one, two, three)
      yield* close(claim)
      yield* has(id, one, two, three)
      const next = yield* store.use(({ claim }) => claim(id))
      yield* next.putBlobs([two])
      yield* next.release
      yield* has(id, one, two, three)
    }).pipe(Effect.scoped)
  },
  {
    name: "replaces a blob by its equal, whatever became of it",
    test: Effect.gen(function*() {
      const claim = yield* create(id)
      yield* claim.putBlobs([{ ...one, bytes: new Uint8Array([9, 9]) }])
      yield* claim.putBlobs([one])
      yield* has(id, one)
      yield* claim.release
      const next = yield* store.use(({ claim }) => claim(id))
      yield* next.putBlobs([{ ...one, bytes: new Uint8Array([8, 8]) }])
      yield* next.putBlobs([one])
      yield* has(id, one)
    }).pipe(Effect.scoped)
  },
  {
    name: "refuses a blob from its size when it is larger than asked for",
    test: Effect.gen(function*() {
      const claim = yield* create(id)
      yield* claim.putBlobs([two])
      const error = yield* Effect.flip(store.use(({ readBlob }) => readBlob(id, two.digest, 2)))
      yield* expect("reason", error._tag === "InvalidBlob" && error.reason._tag, "BlobDamaged")
    }).pipe(Effect.scoped)
  },
  {
    name: "takes blobs of the holder only",
    test: Effect.gen(function*() {
      const former = yield* create(id)
      const next = yield* store.use(({ claim }) => claim(id, { takeOver: true }))
      yield* expectTag("put", former.putBlobs([one]), "SessionEnded")
      yield* hasNot(id, one)
      yield* next.putBlobs([two])
      yield* expectTag("close", close(former, []), "SessionEnded")
      yield* has(id, two)
      yield* close(next, [two])
      yield* expectTag("put after the end", next.putBlobs([one]), "SessionEnded")
      yield* has(id, two)
    }).pipe(Effect.scoped)
  },
  {
    name: "deletes the blobs that are not needed when a session is closed, and no other",
    test: Effect.gen(function*() {
      const claim = yield* create(id)
      const others = yield* create(other)
      yield* others.putBlobs([one])
      yield* claim.putBlobs([one, two])
      yield* close(claim)
      yield* has(id, one, two)
      const next = yield* store.use(({ claim }) => claim(id))
      yield* next.putBlobs([three])
      yield* close(next, [two])
      yield* hasNot(id, one, three)
      yield* has(id, two)
      yield* has(other, one)
    }).pipe(Effect.scoped)
  },
  {
    name: "keeps blobs in the trash, and deletes them with the session",
    test: Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const claim = yield* create(id)
        yield* claim.putBlobs([one])
        yield* close(claim, [one])
      }))
      const { purge, remove, restore } = yield* store
      yield* remove(id)
      yield* has(id, one)
      yield* restore(id)
      yield* has(id, one)
      yield* remove(id)
      yield* purge(id)
      yield* hasNot(id, one)
      yield* create(id)
      yield* hasNot(id, one)
    }).pipe(Effect.scoped)
  },
  {
    name: "creates a session with blobs of its own and of another one, which it outlives",
    test: Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const parent = yield* create(id, { put: [one, two, one] })
        yield* close(parent)
      }))
      yield* has(id, one, two)
      const { purge, remove } = yield* store
      yield* remove(id)
      const missing = digest("f")
      const child = yield* create(other, {
        put: [three],
        from: { id, digests: [one.digest, three.digest, missing, one.digest] }
      })
      yield* purge(id)
      yield* has(other, one, three)
      yield* hasNot(other, two, { ...two, digest: missing })
      yield* close(child, [one, three])
      yield* has(other, one, three)
    }).pipe(Effect.scoped)
  }
]
