/**
 * A session that comes as it is stored elsewhere, as files in a directory that nobody
 * else looks into yet.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Path from "effect/Path"
import * as Timestamp from "../../core/Timestamp.ts"
import type { BlobFiles } from "./BlobFiles.ts"
import type { AtRest } from "./Contract.ts"
import type { Files } from "./Files.ts"
import * as Layout from "./Layout.ts"
import type { Leases, Won } from "./Leases.ts"

/** Stores a session in one piece, which can be interrupted while one of its blobs is being read. */
export const interruptibly = <E, A, E2>(
  session: AtRest<E>,
  store: (session: AtRest<E>) => Effect.Effect<A, E2>
): Effect.Effect<A, E2> =>
  Effect.uninterruptibleMask((restore) =>
    store({ ...session, blobs: session.blobs.map(({ bytes, digest }) => ({ digest, bytes: restore(bytes) })) })
  )

/** Writes everything of it, synced, under the epoch that was won by nobody else. */
export const prepare = Effect.fnUntraced(function*<E>(
  services: {
    readonly blobs: BlobFiles
    readonly files: Files
    readonly leases: Leases
    readonly path: Path.Path
  },
  directory: string,
  won: Won,
  session: AtRest<E>
) {
  const { blobs, files, leases, path } = services
  const { journal, updatedAt } = session
  yield* files.makeDirectory(directory)
  yield* files.write(path.join(directory, Layout.snapshot), session.snapshot)
  yield* blobs.deposit(directory, session.blobs, won.epoch)
  if (journal !== undefined) {
    const file = path.join(directory, Layout.journal(journal.epoch, journal.part))
    yield* files.write(file, journal.bytes)
    // A list shows when a journal was written as when its session was changed.
    yield* files.dateQuietly(file, DateTime.toDate(Timestamp.toDateTime(updatedAt)))
  }
  yield* leases.writeAtRest(path.join(directory, Layout.lease(won.epoch)), won, session)
  yield* files.syncDirectory(directory)
})
