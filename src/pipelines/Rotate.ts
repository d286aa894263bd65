/**
 * A new key, and every stored session signed with it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Head from "../core/Head.ts"
import * as Journal from "../core/Journal.ts"
import type { InvalidJson, SchemaVersion, SessionEnded, SessionFull, StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as SessionList from "../core/SessionList.ts"
import * as Signature from "../core/Signature.ts"
import { SessionStore, type Stored } from "../services/SessionStore.ts"
import { Signer } from "../services/Signer.ts"
import { rewrite } from "./Rewrite.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface RotateOptions {
  /** `false` goes on with a rotation that was interrupted: no other key is made. */
  readonly addKey?: boolean
}

/**
 * What became of one session.
 *
 * **Details**
 *
 * *Skipped* are sessions that are signed, and encrypted where the store encrypts,
 * with the newest key already (`current`), that somebody runs (`running`, `elsewhere`: they sign with a
 * newer key once they are resumed again), and those in the trash (`removed`).
 * What was *Failed* is as it was.
 *
 * @category models
 * @since 0.1.0
 */
export type RotationOutcome =
  | { readonly _tag: "Resigned" }
  | { readonly _tag: "Skipped"; readonly reason: "current" | "running" | "elsewhere" | "removed" }
  | {
    readonly _tag: "Failed"
    readonly error: InvalidJson | SchemaVersion | SessionFull | SessionEnded | StoreError
  }

/**
 * One session of a rotation: `index` of `total`, from 0, in no order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rotation {
  /** The key that signs now. */
  readonly keyId: string
  readonly index: number
  readonly total: number
  readonly id: SessionId
  readonly outcome: RotationOutcome
}

const keysOf = ({ journals, snapshot }: Stored): ReadonlyArray<Option.Option<string>> => [
  Option.map(Option.flatMap(Head.signatureAtEnd(snapshot), Signature.parse), ({ keyId }) => keyId),
  ...journals.map(Journal.keyNamed)
]

const skipped = (reason: Extract<RotationOutcome, { readonly _tag: "Skipped" }>["reason"]): RotationOutcome => ({
  _tag: "Skipped",
  reason
})

const resign = Effect.fnUntraced(function*(
  entry: SessionList.Stored | SessionList.Broken,
  keyId: string
): Effect.fn.Return<RotationOutcome, never, SessionStore | Signer> {
  if (SessionList.isRemoved(entry)) return skipped("removed")
  if (!SessionList.isStored(entry)) return { _tag: "Failed", error: entry.error }
  if (entry.status === "running" || entry.status === "elsewhere") return skipped(entry.status)
  const { id } = entry
  const outcome: Effect.Effect<RotationOutcome, RewriteFailure, SessionStore | Signer> = Effect.gen(function*() {
    const stored = yield* SessionStore.use(({ read }) => read(id))
    const isSigned = keysOf(stored).every((key) => Option.contains(key, keyId))
    if (isSigned && stored.isOutdated !== true) return skipped("current")
    yield* rewrite(id, ({ state }) => Effect.succeed(state))
    return { _tag: "Resigned" }
  })
  return yield* Effect.catch(outcome, (error): Effect.Effect<RotationOutcome> => {
    if (error._tag === "AlreadyRunning") return Effect.succeed(skipped("running"))
    if (error._tag === "NotFound") return Effect.succeed(skipped("removed"))
    return Effect.succeed({ _tag: "Failed", error })
  })
})

type RewriteFailure = Effect.Error<ReturnType<typeof rewrite<never>>>

/**
 * Adds a key that signs from now on, and signs stored sessions with it one by
 * one; a store that encrypts also encrypts them with its newest key. All former
 * keys still verify and decrypt.
 *
 * **Details**
 *
 * Each session is replaced only by its durable successor, so it can be
 * interrupted at any time and gone on with (`addKey: false`). Sessions that
 * can't be signed now don't stop the others. Called twice it makes two keys.
 *
 * @category operations
 * @since 0.1.0
 */
export const rotate = (
  options: RotateOptions = {}
): Stream.Stream<Rotation, StoreError, SessionStore | Signer> =>
  Stream.unwrap(
    Effect.gen(function*() {
      const signer = yield* Signer
      const store = yield* SessionStore
      yield* options.addKey === false ? signer.refresh : signer.addKey
      const keyId = signer.current
      const entries = (yield* Stream.runCollect(store.entries)).filter((entry) => entry._tag !== "Foreign")
      return Stream.fromIterable(entries.entries()).pipe(
        Stream.mapEffect(([index, entry]) =>
          Effect.map(resign(entry, keyId), (outcome): Rotation => ({
            keyId,
            index,
            total: entries.length,
            id: entry.id,
            outcome
          })), { concurrency: store.limits.concurrency, unordered: true })
      )
    }).pipe(Telemetry.observed("rotate"), Effect.withSpan("Sessions.rotate"))
  )
