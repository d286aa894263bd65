/**
 * The large parts of stored messages, which a load leaves where they are.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Reference } from "../core/Blob.ts"
import * as Blob from "../core/Blob.ts"
import type { Message } from "../core/Session.ts"
import { InvalidBlob, type StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as Blobs from "../services/Blobs.ts"
import { SessionStore } from "../services/SessionStore.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * The bytes that a message of a stored session refers to (`Blob.references`),
 * verified.
 *
 * **Details**
 *
 * Changes nothing and holds nothing. Each call reads them again.
 *
 * @category operations
 * @since 0.1.0
 */
export const blob: (
  id: SessionId,
  reference: Reference
) => Effect.Effect<Uint8Array, InvalidBlob | StoreError, SessionStore> = Effect.fn("Sessions.blob")(
  function*(id: SessionId, reference: Reference) {
    const { readBlob } = yield* SessionStore
    return yield* Blobs.read({ id, readBlob }, reference)
  },
  Telemetry.ofSession("blob")
)

/**
 * A message of a stored session as it was appended, byte for byte, with the large
 * parts that it refers to.
 *
 * **Details**
 *
 * Changes nothing and holds nothing. One without references comes back as it is.
 *
 * @category operations
 * @since 0.1.0
 */
export const materialise: (
  id: SessionId,
  message: Message
) => Effect.Effect<Message, InvalidBlob | StoreError, SessionStore> = Effect.fn("Sessions.materialise")(
  function*(id: SessionId, message: Message) {
    const { readBlob } = yield* SessionStore
    return yield* Blobs.materialise({ id, readBlob }, message)
  },
  Telemetry.ofSession("materialise")
)

/**
 * Reads every blob of a conversation once, one at a time, and fails with the
 * first that can't be read.
 *
 * @category checking
 * @since 0.1.0
 */
export const check = Effect.fnUntraced(function*(id: SessionId, conversation: ReadonlyArray<Message>) {
  const { readBlob } = yield* SessionStore
  const checked = new Set<Blob.Digest>()
  for (const message of conversation) {
    for (const reference of Blob.references(message)) {
      if (checked.has(reference.sha256)) continue
      yield* Effect.catchTag(
        Blobs.read({ id, readBlob }, reference),
        "InvalidBlob",
        ({ digest, reason }) => new InvalidBlob({ id, messageId: message.id, digest, reason })
      )
      checked.add(reference.sha256)
    }
  }
})
