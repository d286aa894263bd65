/**
 * Takes what is large out of messages before they are stored, and puts it back
 * where it is asked for.
 *
 * @since 0.1.0
 */
import * as Sha256 from "effect/crypto/Digest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Blob from "../core/Blob.ts"
import * as Content from "../core/blob/Content.ts"
import * as Splitting from "../core/blob/Splitting.ts"
import type { Message } from "../core/Session.ts"
import { BlobDamaged, InvalidBlob, PartTooLarge, type StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import type { Limits } from "./SessionLimits.ts"
import type { SessionStore } from "./SessionStore.ts"

/** The name of bytes. */
const digestOf = (bytes: Uint8Array): Effect.Effect<Blob.Digest> =>
  Sha256.Digest.use(({ digestHex }) => digestHex(Sha256.sha256, bytes)).pipe(
    Effect.map((digest) => Blob.Digest.make(digest)),
    Effect.provide(Sha256.layerWebCrypto)
  )

/**
 * A message as it is stored, and the blobs that it refers to.
 *
 * @category models
 * @since 0.1.0
 */
export interface Split {
  readonly message: Message
  readonly blobs: ReadonlyArray<Blob.Blob>
}

/**
 * Takes out what is larger than `blobOver`: files, what tools are given and what
 * they return. What people and models write stays.
 *
 * @category splitting
 * @since 0.1.0
 */
export const split = (given: Message, limits: Limits): Effect.Effect<Split, PartTooLarge> =>
  Effect.suspend(() => {
    const message = Splitting.escape(given)
    const pieces = Splitting.find(message, limits.blobOver)
    return pieces.length === 0 ? Effect.succeed({ message, blobs: [] }) : takeOut(message, pieces, limits)
  })

const takeOut = Effect.fnUntraced(function*(
  message: Message,
  pieces: ReadonlyArray<Splitting.Piece>,
  { maxBlobBytes, maxDepth }: Limits
) {
  const tooLarge = pieces.find(({ bytes }) => bytes.length > maxBlobBytes)
  if (tooLarge !== undefined) {
    return yield* new PartTooLarge({ bytes: tooLarge.bytes.length, limit: maxBlobBytes })
  }
  const named = yield* Effect.forEach(
    pieces,
    (piece) => Effect.map(digestOf(piece.bytes), (digest): Splitting.Named => ({ ...piece, digest }))
  )
  // A document holds a message two levels deep.
  return Option.match(Splitting.take(message, named, maxDepth - 2), {
    onNone: (): Split => ({ message, blobs: [] }),
    onSome: (message): Split => ({ message, blobs: named })
  })
})

/**
 * Splits messages one by one, and returns what each blob is once.
 *
 * @category splitting
 * @since 0.1.0
 */
export const splitAll = Effect.fnUntraced(function*(messages: ReadonlyArray<Message>, limits: Limits) {
  const all = yield* Effect.forEach(messages, (message) => split(message, limits))
  const blobs = new Map(all.flatMap(({ blobs }) => blobs).map(({ bytes, digest }) => [digest, bytes]))
  return {
    messages: all.map(({ message }) => message),
    blobs: [...blobs].map(([digest, bytes]): Blob.Blob => ({ bytes, digest }))
  }
})

/**
 * Where the blobs of a session are read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Source {
  readonly id: SessionId
  readonly readBlob: SessionStore["Service"]["readBlob"]
}

/**
 * The bytes that a message refers to, verified.
 *
 * @category reading
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(
  function*({ id, readBlob }: Source, { bytes: length, sha256: digest }: Blob.Reference) {
    const bytes = yield* readBlob(id, digest, length)
    const isWhole = bytes.length === length && (yield* digestOf(bytes)) === digest
    return isWhole ? bytes : yield* new InvalidBlob({ id, digest, reason: new BlobDamaged({}) })
  }
)

/** The value that belongs in a place, and who asked for it where it can't be read. */
const valueOf = (source: Source, message: Message, reference: Blob.Reference) =>
  read(source, reference).pipe(
    Effect.map((bytes) => Content.toValue({ ...reference, bytes })),
    Effect.flatMap(Option.match({
      onNone: () => new InvalidBlob({ id: source.id, digest: reference.sha256, reason: new BlobDamaged({}) }),
      onSome: (value) => Effect.succeed({ value })
    })),
    Effect.catchTag("InvalidBlob", ({ digest, id, reason }) =>
      new InvalidBlob({ id, messageId: message.id, digest, reason }))
  )

/**
 * The message as it was appended.
 *
 * @category reading
 * @since 0.1.0
 */
export const materialise = (source: Source, message: Message): Effect.Effect<Message, InvalidBlob | StoreError> =>
  Effect.map(
    Effect.forEach(
      Blob.references(message),
      (reference) =>
        Effect.map(valueOf(source, message, reference), ({ value }): Splitting.Value => ({ at: reference.at, value }))
    ),
    (values) => Splitting.restore(message, values)
  )
