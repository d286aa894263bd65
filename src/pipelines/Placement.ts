/**
 * Where a session that comes from elsewhere belongs, and how it is stored.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Blob from "../core/Blob.ts"
import * as ProjectPath from "../core/ProjectPath.ts"
import type { SessionState } from "../core/Session.ts"
import { CreateFailed, InvalidSession, StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as Snapshot from "../core/Snapshot.ts"
import * as StateSize from "../core/StateSize.ts"
import * as StoredSession from "../core/StoredSession.ts"
import type { Timestamp } from "../core/Timestamp.ts"
import * as Blobs from "../services/Blobs.ts"
import { ProjectDirectory } from "../services/ProjectDirectory.ts"
import * as SessionStore from "../services/SessionStore.ts"
import { signed, Signer } from "../services/Signer.ts"
import { ensureRoom, takeBack } from "./Create.ts"

/**
 * A session that can't be stored, with everything that is wrong with it.
 *
 * @category errors
 * @since 0.1.0
 */
export const invalid = (...issues: ReadonlyArray<string>) =>
  new CreateFailed({ reason: new InvalidSession({ issues }) })

/**
 * A project's path as it is here: real where it is there. One that was asked for
 * (`isChosen`) must be there.
 *
 * @category operations
 * @since 0.1.0
 */
export const settle = Effect.fnUntraced(function*(wanted: string, options: { readonly isChosen: boolean }) {
  const path = yield* Path.Path
  const { fingerprint } = yield* ProjectDirectory
  yield* Effect.mapError(
    Effect.fromResult(ProjectPath.check(wanted, path.isAbsolute)),
    ({ issues }) => invalid(...issues, "pass the directory as project")
  )
  const found = yield* Effect.result(fingerprint(wanted))
  if (found._tag === "Success") return { projectPath: found.success.path, projectExists: true }
  if (options.isChosen) {
    const { failure } = found
    return yield* failure._tag === "StoreError" ? failure : new CreateFailed({ reason: failure })
  }
  return { projectPath: path.normalize(wanted), projectExists: false }
})

/** A conversation from elsewhere as it is stored here, and the blobs that it refers to. */
const split = Effect.fnUntraced(function*({ conversation }: SessionState) {
  const { limits } = yield* SessionStore.SessionStore
  const { blobs, messages } = yield* Effect.mapError(
    Blobs.splitAll(conversation, limits),
    ({ bytes, limit }) => invalid(`one of its parts has ${bytes} bytes and the limit is ${limit}`)
  )
  const large = blobs.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (large > limits.maxBlobsBytes) {
    return yield* invalid(`its large parts would have ${large} bytes and the limit is ${limits.maxBlobsBytes}`)
  }
  const put: SessionStore.NewBlobs = { put: blobs }
  return { blobs: put, conversation: messages }
})

/**
 * Makes room for a session, and stores it: closed from the first moment that
 * anybody can take it, its large parts beside it. Needs the store's turn (`alone`),
 * as everything does that depends on how many are stored. The messages of a fork
 * refer to blobs of the session that they are `from`.
 *
 * @category operations
 * @since 0.1.0
 */
export const place = Effect.fnUntraced(
  function*(given: SessionState, closedAt: Option.Option<Timestamp>, from?: SessionId) {
    const store = yield* SessionStore.SessionStore
    const keyRing = yield* Signer
    const { version } = store.format
    const { id, parent } = given.session
    const epoch = SessionStore.firstEpoch
    const { blobs, conversation } = yield* from === undefined
      ? split(given)
      : Effect.succeed({
        blobs: { from: { id: from, digests: Blob.digestsOf(given.conversation) } },
        conversation: given.conversation
      })
    const state: SessionState = { ...given, conversation }
    const messages = conversation.map(Snapshot.encodeMessage)
    const bytes = StateSize.total(StateSize.measure(state, messages))
    if (bytes > store.limits.maxBytes) {
      return yield* invalid(`it would have ${bytes} bytes and the limit is ${store.limits.maxBytes}`)
    }
    yield* Effect.catchTag(ensureRoom(id, parent?.id), "TooManyStored", (reason) => new CreateFailed({ reason }))
    const begun = yield* signed(StoredSession.begin(keyRing, state, messages, { epoch, part: 0, version }))
    const closed = yield* signed(
      Snapshot.encode(keyRing, state, messages, {
        epoch,
        version,
        closedAt: Option.getOrElse(closedAt, () => state.session.updatedAt)
      })
    )
    let isOurs = false
    yield* store.create(id, begun.snapshot.bytes, begun.journal.firstLine, blobs).pipe(
      Effect.tap(() =>
        Effect.sync(() => {
          isOurs = true
        })
      ),
      Effect.flatMap((claim) => claim.close(closed.bytes)),
      Effect.scoped,
      Effect.catchTag("SessionEnded", (cause) => new StoreError({ operation: "storing the session", cause })),
      Effect.onError(() => isOurs ? takeBack(id) : Effect.void),
      Effect.uninterruptible
    )
  }
)
