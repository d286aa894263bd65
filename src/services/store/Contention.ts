/**
 * Who gets the next lease of a session: whoever wants it looks at the highest one,
 * and tries again where others were faster.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type { AlreadyRunning, NotFound } from "../../core/SessionError.ts"
import { firstEpoch } from "./Contract.ts"
import * as FileError from "./FileError.ts"
import type * as Files from "./Files.ts"
import * as Layout from "./Layout.ts"
import type { Highest, Leases, Standing, Won } from "./Leases.ts"
import type { FoundLease } from "./SessionFiles.ts"

/** How often a race for a lease is run again before it is given up. */
const attempts = 100

/** Why a lease is not to be had. */
export type NotFoundOrBusy = AlreadyRunning | NotFound | PlatformError

/** Whether a session is in the trash, as far as its highest lease can be read. */
export const isRemoved = ({ lease }: Standing): boolean => Option.exists(lease, ({ state }) => state === "removed")

const isReleased = ({ lease }: Highest): boolean => Option.exists(lease, ({ state }) => state === "released")

/** What a lease over this one is undone with: nobody holds the session then, and it is in the trash if it was. */
const atRest = (standing: Standing): "released" | "removed" => isRemoved(standing) ? "removed" : "released"

export const make = (services: {
  /** The directory of all sessions. */
  readonly base: string
  readonly files: Files.Files
  readonly leases: Leases
  readonly path: Path.Path
}) => {
  const { base, files, leases, path } = services

  /** Tries again where others changed what it looks at, as long as the session is there. */
  const againWhileThere = <A, E>(
    directory: string,
    attempt: Effect.Effect<Option.Option<A>, E | PlatformError>,
    again: number = attempts
  ): Effect.Effect<A, E | PlatformError> =>
    Effect.flatMap(
      Effect.catchIf(attempt, FileError.isMissing, () => Effect.as(files.lstat(directory), Option.none<A>())),
      Option.match({
        onSome: Effect.succeed,
        onNone: () =>
          again > 0
            ? againWhileThere(directory, attempt, again - 1)
            : Effect.fail(FileError.wrongKind("link", directory, "a lease", "others that were faster each time"))
      })
    )

  const standingOf = (directory: string) => againWhileThere(directory, Effect.asSome(leases.standing(directory)))

  /**
   * Wins the next lease of a session as long as nobody stands in the way;
   * none where nothing is to be done. `known` is what was found there a moment ago.
   */
  const win = (
    directory: string,
    state: "held" | "released" | "removed",
    judge: (standing: Standing) => Effect.Effect<boolean, NotFoundOrBusy>,
    known?: FoundLease
  ) => {
    const lookAnew = known === undefined ? leases.standing(directory) : leases.standingNow(directory)
    /** A lease that was given back stays so: whether another came after it shows where the next one is linked. */
    let released = known !== undefined && isReleased(known.highest) ? Option.some(known) : Option.none()
    const look = Effect.suspend(() => {
      if (Option.isNone(released)) return lookAnew
      const { highest, identity } = released.value
      released = Option.none()
      return Effect.flatMap(
        files.directoryNow(directory),
        (now) => now.identity === identity ? leases.judge(highest) : lookAnew
      )
    })
    return Effect.gen(function*() {
      const standing = yield* look
      if (!(yield* judge(standing))) {
        return Option.some(Option.none<Won>())
      }
      // Whoever created it may not have come as far as this.
      if (standing.epoch === firstEpoch) yield* files.syncDirectory(base)
      // One that is purged stays removed since when it was, also where that fails.
      const since = state === "removed" && isRemoved(standing)
        ? Option.map(standing.lease, ({ since }) => since)
        : Option.none()
      return Option.map(
        yield* leases.win(directory, standing.epoch, state, {
          undo: atRest(standing),
          mayWait: state === "held",
          ...(Option.isSome(since) ? { since: since.value } : {})
        }),
        Option.some
      )
    }).pipe((attempt) => againWhileThere(directory, attempt))
  }

  /** Whether a session is in the trash. A lease that is there and can't be read does not tell. */
  const whetherRemoved = (directory: string, standing: Standing): Effect.Effect<boolean, PlatformError> =>
    standing.verdict !== "dead" && Option.isNone(standing.lease)
      ? Effect.fail(FileError.wrongKind("read", path.join(directory, Layout.lease(standing.epoch)), "a lease", "none"))
      : Effect.succeed(isRemoved(standing))

  /** Since when a directory that can't be read is in the trash, if it is. */
  const removalOf = (directory: string) =>
    standingOf(directory).pipe(
      Effect.map((standing) =>
        Option.match(
          Option.filter(standing.lease, () => isRemoved(standing)),
          {
            onNone: () => ({}),
            onSome: ({ since }) => ({ removedAt: since })
          }
        )
      ),
      Effect.orElseSucceed(() => ({}))
    )

  return { removalOf, standingOf, whetherRemoved, win }
}
