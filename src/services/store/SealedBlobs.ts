/**
 * Blobs of an encrypted store: encrypted, under names that only a key makes of theirs.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { type Blob, type Digest, sizesIn } from "../../core/Blob.ts"
import { BlobDamaged, BlobMissing, InvalidBlob, StoreError } from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type { GrowingKeyRing } from "../signer/Keys.ts"
import type { AtRest, Claim, NewBlobs, SessionStore } from "./Contract.ts"
import { blobOverhead, type Sealing } from "./Sealing.ts"

export const make = (services: {
  readonly store: SessionStore["Service"]
  readonly keyRing: GrowingKeyRing
  readonly sealing: Sealing
  readonly allowPlain: boolean
  readonly maxBlobBytes: number
}) => {
  const { allowPlain, keyRing, maxBlobBytes, sealing, store } = services

  /** What a blob may be called below: with the newest key first. */
  const namesOf = (digest: Digest): ReadonlyArray<Digest> =>
    keyRing.ids.flatMap((keyId) => Option.toArray(sealing.blobName(keyId, digest)))

  const seal = (blobs: ReadonlyArray<Blob>): Effect.Effect<ReadonlyArray<Blob>, StoreError> =>
    Effect.forEach(blobs, sealing.sealBlob)

  const orMissing = <A>(reading: Effect.Effect<A, InvalidBlob | StoreError>) =>
    Effect.catchIf(
      Effect.asSome(reading),
      (error) => error._tag === "InvalidBlob" && error.reason._tag === "BlobMissing",
      () => Effect.succeedNone
    )

  const find = Effect.fnUntraced(function*(id: SessionId, digest: Digest, maxBytes: number) {
    for (const name of namesOf(digest)) {
      const stored = yield* orMissing(store.readBlob(id, name, maxBytes + blobOverhead))
      if (Option.isNone(stored)) continue
      const opened = yield* sealing.openBlob(digest, stored.value)
      // How much encrypting adds is not always the same.
      if (!Option.exists(opened, (bytes) => bytes.length <= maxBytes)) {
        return yield* new InvalidBlob({ id, digest, reason: new BlobDamaged({}) })
      }
      return opened
    }
    return allowPlain ? yield* orMissing(store.readBlob(id, digest, maxBytes)) : Option.none()
  })

  const read: SessionStore["Service"]["readBlob"] = (id, digest, maxBytes) =>
    find(id, digest, maxBytes).pipe(
      // It may have been encrypted with a key that another process has added.
      Effect.filterOrElse(Option.isSome, () =>
        Effect.flatMap(
          Effect.orElseSucceed(keyRing.refresh, () => false),
          (isNew) => isNew ? find(id, digest, maxBytes) : Effect.succeedNone
        )),
      Effect.mapError((error) =>
        error._tag === "InvalidBlob" ? new InvalidBlob({ id, digest, reason: error.reason }) : error
      ),
      Effect.flatMap(Option.match({
        onNone: () => new InvalidBlob({ id, digest, reason: new BlobMissing({}) }),
        onSome: Effect.succeed
      }))
    )

  /** Blobs of another session come as they are encrypted there; one that is not is encrypted on the way. */
  const seen = Effect.fnUntraced(function*({ from, put = [] }: NewBlobs) {
    const plain: Array<Blob> = []
    for (const digest of allowPlain && from !== undefined ? from.digests : []) {
      const bytes = from === undefined
        ? Option.none()
        : yield* Effect.option(store.readBlob(from.id, digest, maxBlobBytes))
      if (Option.isSome(bytes)) plain.push({ digest, bytes: bytes.value })
    }
    const below: NewBlobs = {
      put: yield* seal([...plain, ...put]),
      ...(from === undefined ? {} : { from: { id: from.id, digests: from.digests.flatMap(namesOf) } })
    }
    return below
  })

  /** Blobs of a session that comes from elsewhere, each encrypted when it is read. */
  const deposited = <E>(given: AtRest<E>["blobs"]): Effect.Effect<AtRest<E | StoreError>["blobs"], StoreError> =>
    Effect.forEach(given, ({ bytes, digest }) =>
      Effect.map(nameNow(digest), (name) => ({
        digest: name,
        bytes: Effect.flatMap(bytes, (bytes) => Effect.map(sealing.sealBlob({ bytes, digest }), ({ bytes }) => bytes))
      })))

  /** What a blob is called below from now on. */
  const nameNow = (digest: Digest): Effect.Effect<Digest, StoreError> =>
    Effect.mapError(
      Effect.fromOption(sealing.blobName(keyRing.current, digest)),
      (cause) => new StoreError({ operation: "encrypting", cause })
    )

  /** Whether there is such a blob below: asked for without a byte of it, it is refused from its size. */
  const has = (id: SessionId, name: Digest): Effect.Effect<boolean, StoreError> =>
    Effect.matchEffect(store.readBlob(id, name, 0), {
      onFailure: (error) =>
        error._tag === "InvalidBlob" ? Effect.succeed(error.reason._tag === "BlobDamaged") : Effect.fail(error),
      onSuccess: () => Effect.succeed(true)
    })

  /** Stores blobs with the newest key, and tells what they are called. */
  const put = (claim: Claim, given: ReadonlyArray<Blob>) =>
    Effect.gen(function*() {
      const sealed = yield* seal(given)
      yield* claim.putBlobs(sealed)
      return Arr.zip(given, sealed).map(([{ digest }, { digest: name }]) => [digest, name] as const)
    })

  /**
   * Stores with the newest key what a snapshot refers to and is stored with another,
   * or without any. What can't be read stays as it is. Whether there was anything.
   */
  const renew = Effect.fnUntraced(function*(claim: Claim, snapshot: Uint8Array, known: Map<Digest, Digest>) {
    let isRenewed = false
    if (keyRing.ids.length === 1 && !allowPlain) return isRenewed
    for (const digest of sizesIn(snapshot).keys()) {
      const [name] = namesOf(digest)
      if (name === undefined || known.has(digest)) continue
      if (yield* has(claim.id, name)) {
        known.set(digest, name)
        continue
      }
      const found = yield* Effect.catchTag(
        find(claim.id, digest, maxBlobBytes),
        "InvalidBlob",
        () => Effect.succeedNone
      )
      if (Option.isNone(found)) continue
      const renewed = yield* put(claim, [{ digest, bytes: found.value }])
      for (const [digest, name] of renewed) known.set(digest, name)
      isRenewed = true
    }
    return isRenewed
  })

  /** What is needed below: what it is called where that is known, else by any key that it may be encrypted with. */
  const neededBelow =
    (needed: () => ReadonlySet<Digest>, known: ReadonlyMap<Digest, Digest>) => (): ReadonlySet<Digest> =>
      new Set([...needed()].flatMap((digest) => {
        const name = known.get(digest)
        return name === undefined ? [...namesOf(digest), digest] : [name]
      }))

  /** What a snapshot refers to, and perhaps some more. */
  const referred = (snapshot: Uint8Array) => (): ReadonlySet<Digest> => new Set(sizesIn(snapshot).keys())

  return { deposited, neededBelow, put, read, referred, renew, seen }
}
