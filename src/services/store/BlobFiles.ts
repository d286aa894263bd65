/**
 * The blobs of one session, as files in a directory of its own: they are in the
 * trash, and go, with the session.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type { Blob, Digest } from "../../core/Blob.ts"
import { BlobDamaged, BlobMissing, InvalidBlob } from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type { AtRest, NewBlobs } from "./Contract.ts"
import { firstEpoch } from "./Contract.ts"
import { hasMoved, isMissing, isNoFile, isPresent } from "./FileError.ts"
import type { Files } from "./Files.ts"
import * as Layout from "./Layout.ts"

/** How often a blob that is being replaced is looked for again. */
const attempts = 10

/** What a blob comes to whose file is of any size: it was written within the limits. */
const anySize = Number.MAX_SAFE_INTEGER

export const make = (services: { readonly files: Files; readonly path: Path.Path }) => {
  const { files, path } = services
  const within = (directory: string) => path.join(directory, Layout.blobs)

  /** The blobs of a session; none where it has no directory for them. */
  const names = (directory: string) =>
    files.checkDirectory(within(directory)).pipe(
      Effect.andThen(files.names(within(directory))),
      Effect.map(Layout.parseBlobs),
      Effect.catchIf(isMissing, () => Effect.succeed<ReadonlyArray<Layout.BlobName>>([]))
    )

  /** The file of a blob: the newest, if several claims stored it. */
  const find = Effect.fnUntraced(function*(directory: string, digest: Digest) {
    const name = (yield* names(directory)).findLast((blob) => blob.digest === digest)?.name
    return name === undefined ? undefined : path.join(within(directory), name)
  })

  const read = (
    id: SessionId,
    directory: string,
    digest: Digest,
    maxBytes: number
  ): Effect.Effect<Uint8Array, InvalidBlob | PlatformError> => {
    const missing = new InvalidBlob({ id, digest, reason: new BlobMissing({}) })
    const damaged = new InvalidBlob({ id, digest, reason: new BlobDamaged({}) })
    return Effect.gen(function*() {
      const file = yield* find(directory, digest)
      if (file === undefined) return yield* missing
      const { bytes } = yield* files.read(file, maxBytes)
      return bytes
    }).pipe(
      Effect.retry({ while: hasMoved, times: attempts }),
      Effect.catchIf(isMissing, () => missing),
      Effect.catchTags({
        TooLarge: () => damaged,
        PlatformError: (error) => isNoFile(error) ? damaged : Effect.fail(error)
      })
    )
  }

  /** Makes the directory of a session's blobs, and its name durable: whoever made it may not have come that far. */
  const ensure = Effect.fnUntraced(function*(directory: string) {
    yield* Effect.catchIf(files.makeDirectory(within(directory)), isPresent, () => Effect.void)
    yield* files.checkDirectory(within(directory))
    yield* files.syncDirectory(directory)
  })

  /**
   * Stores blobs: each prepared, synced, fenced, renamed. Their names tell the
   * claim's epoch, so that nobody who held the session before can take them away.
   */
  const put = Effect.fnUntraced(function*<E>(
    directory: string,
    blobs: ReadonlyArray<Blob>,
    claim: {
      readonly epoch: number
      readonly preparedName: Effect.Effect<string>
      readonly stillHeld: Effect.Effect<void, E>
    }
  ) {
    for (const { bytes, digest } of blobs) {
      const prepared = yield* claim.preparedName
      yield* files.write(prepared, bytes).pipe(
        Effect.andThen(claim.stillHeld),
        Effect.andThen(files.rename(prepared, path.join(within(directory), Layout.blob(digest, claim.epoch)))),
        Effect.onError(() => files.removeQuietly(prepared))
      )
    }
    yield* files.syncDirectory(within(directory))
  })

  /** Links a blob of another session, or copies it where it has as many links as a file can have. */
  const bring = Effect.fnUntraced(function*(from: string, digest: Digest, to: string) {
    const file = yield* find(from, digest)
    if (file === undefined) return
    yield* Effect.catchIf(files.link(file, to), (error) => !isMissing(error), () =>
      Effect.flatMap(
        files.read(file, anySize),
        ({ bytes }) => files.write(to, bytes)
      ))
  }, (effect) =>
    effect.pipe(
      Effect.catchTag("TooLarge", () => Effect.void),
      Effect.catchIf((error) => isMissing(error) || isNoFile(error), () => Effect.void)
    ))

  /** The blobs of a session that nobody sees yet. `directoryOf` has the other session's directory. */
  const prepare = Effect.fnUntraced(function*(directory: string, blobs: NewBlobs, source: string | undefined) {
    const { from, put = [] } = blobs
    if (put.length === 0 && (from?.digests.length ?? 0) === 0) return
    const at = (digest: Digest) => path.join(within(directory), Layout.blob(digest, firstEpoch))
    yield* files.makeDirectory(within(directory))
    const given = new Map(put.map((blob) => [blob.digest, blob.bytes]))
    for (const [digest, bytes] of given) yield* files.write(at(digest), bytes)
    for (const digest of new Set(from?.digests)) {
      if (source !== undefined && !given.has(digest)) yield* bring(source, digest, at(digest))
    }
    yield* files.syncDirectory(within(directory))
  })

  /** The blobs of a session that nobody sees yet, each read when it is written. */
  const deposit = Effect.fnUntraced(function*<E>(directory: string, blobs: AtRest<E>["blobs"], epoch: number) {
    if (blobs.length === 0) return
    yield* files.makeDirectory(within(directory))
    for (const { bytes, digest } of blobs) {
      yield* files.write(path.join(within(directory), Layout.blob(digest, epoch)), yield* bytes)
    }
    yield* files.syncDirectory(within(directory))
  })

  /**
   * Deletes what is not needed, of this claim or earlier ones: what a later holder
   * stores has another name. As far as it goes.
   */
  const keep = (directory: string, epoch: number, needed: () => ReadonlySet<Digest>): Effect.Effect<void> =>
    Effect.gen(function*() {
      const found = (yield* names(directory)).filter((blob) => blob.epoch <= epoch)
      if (found.length === 0) return
      const kept = needed()
      yield* Effect.forEach(
        found.filter(({ digest }) => !kept.has(digest)),
        ({ name }) => files.removeQuietly(path.join(within(directory), name)),
        { discard: true }
      )
    }).pipe(Effect.exit, Effect.asVoid)

  return { deposit, ensure, keep, prepare, put, read }
}

export type BlobFiles = ReturnType<typeof make>
