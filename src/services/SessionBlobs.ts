/**
 * The blobs of a session that is being written: what its messages refer to, and
 * what this claim has stored.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Digest } from "../core/Blob.ts"
import * as Blob from "../core/Blob.ts"
import type { Message } from "../core/Session.ts"
import type { SessionEnded, StoreError } from "../core/SessionError.ts"
import type { Claim } from "./SessionStore.ts"

/** What a session's blobs come to while a batch is put together. */
interface Tally {
  /** Bytes of all of them with these. */
  readonly with: (blobs: ReadonlyArray<Blob.Blob>) => number
  readonly add: (blobs: ReadonlyArray<Blob.Blob>) => void
}

/**
 * @category models
 * @since 0.1.0
 */
export interface SessionBlobs {
  readonly tally: () => Tally
  /** Stores what this claim has not stored yet: what is there of others may be damaged. */
  readonly store: (blobs: ReadonlyArray<Blob.Blob>) => Effect.Effect<void, SessionEnded | StoreError>
  /** What messages refer to. */
  readonly needed: () => ReadonlySet<Digest>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly claim: Claim
  /** The acknowledged messages that are held. */
  readonly messages: () => ReadonlyArray<Message>
  /** The messages before those, as they are stored. */
  readonly earlier: Uint8Array
}): SessionBlobs => {
  const stored = new Set<Digest>()
  let earlier: ReadonlyMap<Digest, number> | undefined

  const referred = (): Map<Digest, number> => {
    earlier ??= Blob.sizesIn(options.earlier)
    return new Map([...earlier, ...Blob.sizes(options.messages())])
  }

  const tally = (): Tally => {
    let sizes: Map<Digest, number> | undefined
    const total = (all: ReadonlyMap<Digest, number>) => [...all.values()].reduce((sum, bytes) => sum + bytes, 0)
    const added = (blobs: ReadonlyArray<Blob.Blob>) =>
      new Map([...(sizes ??= referred()), ...blobs.map(({ bytes, digest }) => [digest, bytes.length] as const)])
    return {
      with: (blobs) => blobs.length === 0 ? 0 : total(added(blobs)),
      add: (blobs) => {
        if (blobs.length > 0) sizes = added(blobs)
      }
    }
  }

  const store: SessionBlobs["store"] = (blobs) =>
    Effect.suspend(() => {
      const fresh = new Map(blobs.filter(({ digest }) => !stored.has(digest)).map((blob) => [blob.digest, blob]))
      if (fresh.size === 0) return Effect.void
      return Effect.tap(options.claim.putBlobs([...fresh.values()]), () =>
        Effect.sync(() => {
          for (const digest of fresh.keys()) stored.add(digest)
        }))
    })

  return { tally, store, needed: () => new Set(referred().keys()) }
}
