/**
 * A session that comes as it is stored elsewhere, as files in a directory that nobody
 * else looks into yet.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
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

interface Services {
  /** The directory of all sessions. */
  readonly base: string
  readonly blobs: BlobFiles
  readonly files: Files
  /** The nonces of what this process has under way. */
  readonly held: Set<string>
  readonly leases: Leases
  readonly path: Path.Path
  /** Where nobody else looks. */
  readonly privatePath: Effect.Effect<{ readonly directory: string; readonly nonce: string }>
  /** Takes a session out of sight, as long as its highest lease has this epoch. */
  readonly takeAway: (directory: string, epoch: number) => Effect.Effect<boolean, PlatformError>
}

/** Writes everything of a session, synced, into a directory that nobody looks into yet. */
const prepare = Effect.fnUntraced(function*<E>(
  { blobs, files, leases, path }: Services,
  directory: string,
  won: Won,
  session: AtRest<E>
) {
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

/** Brings a session to its place in one step. What could not be made durable is taken away again. */
export const make = (services: Services) => {
  const { base, files, held, leases, privatePath, takeAway } = services
  return <E>(target: string, given: AtRest<E>) =>
    interruptibly(
      given,
      Effect.fnUntraced(function*(session: AtRest<E>) {
        const { directory, nonce } = yield* privatePath
        const won: Won = { epoch: session.epoch, nonce, isDurable: true }
        held.add(nonce)
        yield* prepare(services, directory, won, session).pipe(
          Effect.andThen(files.rename(directory, target)),
          Effect.andThen(files.syncDirectory(base)),
          Effect.onError(() =>
            files.removeQuietly(directory, { recursive: true }).pipe(
              Effect.andThen(leases.isOurs(target, won)),
              Effect.flatMap((isOurs) => isOurs ? Effect.ignore(takeAway(target, won.epoch)) : Effect.void)
            )
          ),
          Effect.ensuring(leases.forget(nonce))
        )
      })
    )
}
