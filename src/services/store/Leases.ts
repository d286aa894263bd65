/**
 * Leases as files. Claim, takeover, release and removal are one operation:
 * linking a prepared, synced file to the next epoch's name, and looking again
 * whether that is still the highest.
 *
 * @since 0.1.0
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Lease from "../../core/Lease.ts"
import { AlreadyRunning } from "../../core/SessionError.ts"
import type * as SessionList from "../../core/SessionList.ts"
import type { Timestamp } from "../../core/Timestamp.ts"
import type { Liveness, Verdict } from "../Liveness.ts"
import { now } from "../Now.ts"
import type { AtRest } from "./Contract.ts"
import type { Files, Found, Wish } from "./Files.ts"
import { atMost, isMissing, isPresent } from "./Files.ts"
import * as Layout from "./Layout.ts"

/** The highest lease of a session. */
export interface Highest {
  /** 0 where there is no lease at all. */
  readonly epoch: number
  /** None where the lease can't be read. */
  readonly lease: Option.Option<Lease.Lease>
}

/** The highest lease of a session, and what is known of its holder. */
export interface Standing extends Highest {
  readonly verdict: Verdict
}

/** A lease that counts. */
export interface Won {
  readonly epoch: number
  readonly nonce: string
}

/** What a session is doing, by its highest lease and whether a journal counts. */
export const status = ({ epoch, lease, verdict }: Standing, isOpen: boolean): SessionList.Status => {
  const atRest = isOpen ? "interrupted" : "closed"
  if (Option.isNone(lease)) return epoch === 0 ? atRest : "elsewhere"
  if (lease.value.state === "removed") return "removed"
  if (lease.value.state === "released" || verdict === "dead") return atRest
  return verdict === "alive" ? "running" : "elsewhere"
}

/** Whether somebody may still be running the session. */
export const isHeld = ({ epoch, lease, verdict }: Standing): boolean =>
  Option.match(lease, {
    onNone: () => epoch > 0,
    onSome: ({ state }) => state === "held" && verdict !== "dead"
  })

/** Who stands in the way. */
export const alreadyRunning = ({ lease, verdict }: Standing): AlreadyRunning =>
  new AlreadyRunning({
    liveness: verdict,
    ...Option.match(lease, { onNone: () => ({}), onSome: ({ holder, since }) => ({ holder, since }) })
  })

/** What is in a lease's place is no file of ours, or closed to us. */
const isUnreadable = ({ reason }: PlatformError): boolean =>
  reason._tag === "BadResource" || reason._tag === "PermissionDenied"

const leaseSize = atMost(Lease.maxBytes)

/** What the file of a lease holds; none where it is no lease, or can't be read. */
const leaseOf = (found: Found, epoch: number): Result.Result<Option.Option<Lease.Lease>, PlatformError> =>
  Result.isSuccess(found)
    ? Result.succeed(Lease.fromBytes(found.success.head, epoch))
    : isUnreadable(found.failure)
    ? Result.succeed(Option.none())
    : Result.fail(found.failure)

/** Reads the highest lease. Fails with a missing file where it went meanwhile. */
export function* readHighest(names: Layout.Names): Generator<Wish, Result.Result<Highest, PlatformError>, Found> {
  const epoch = Layout.highest(names)
  if (epoch === 0) return Result.succeed({ epoch, lease: Option.none() })
  const found = yield { name: Layout.lease(epoch), ...leaseSize }
  return Result.map(leaseOf(found, epoch), (lease) => ({ epoch, lease }))
}

export const make = (services: {
  readonly files: Files
  readonly path: Path.Path
  readonly liveness: Liveness["Service"]
  readonly random: SecureRandom.SecureRandom["Service"]
}) => {
  const { files, liveness, path, random } = services

  const names = (directory: string) => Effect.map(files.names(directory), Layout.parse)

  /** What is known of the holder of a lease; of one that was given back it is of no interest. */
  const judge = ({ epoch, lease }: Highest): Effect.Effect<Standing> => {
    const known = (verdict: Verdict): Standing => ({ epoch, lease, verdict })
    if (Option.isNone(lease)) return Effect.succeed(known(epoch === 0 ? "dead" : "unknown"))
    return lease.value.state === "held"
      ? Effect.map(liveness.judge(lease.value), known)
      : Effect.succeed(known("dead"))
  }

  /** Fails with a missing file where the lease went while it was being read. */
  const standing = Effect.fnUntraced(function*(directory: string, names: Layout.Names) {
    const epoch = Layout.highest(names)
    if (epoch === 0) return yield* judge({ epoch, lease: Option.none() })
    const found = yield* Effect.result(files.readRegular(path.join(directory, Layout.lease(epoch)), leaseSize))
    return yield* judge({ epoch, lease: yield* Effect.fromResult(leaseOf(found, epoch)) })
  })

  /**
   * Deletes what earlier holders have under way, so that none of it can come into
   * place any more, and the leases that no longer count. Whoever can't do the first
   * does not hold the session. What a later holder has there is not ours.
   */
  const sweep = Effect.fnUntraced(
    function*(directory: string, found: Layout.Names, { epoch }: Won, state: Lease.Lease["state"]) {
      const removePending = state === "held" ? files.remove : files.removeQuietly
      const pending = found.pending.filter((pending) => pending.epoch <= epoch)
      const stale = found.leases.filter((lease) => lease < epoch)
      yield* Effect.forEach(pending, ({ name }) => removePending(path.join(directory, name)), { discard: true })
      yield* Effect.forEach(stale, (lease) => files.removeQuietly(path.join(directory, Layout.lease(lease))), {
        discard: true
      })
    }
  )

  /** Links a lease; false where somebody else has that number. */
  const link = Effect.fnUntraced(function*(
    directory: string,
    { epoch, nonce }: Won,
    state: Lease.Lease["state"],
    given?: Timestamp
  ) {
    const since = given ?? (yield* now)
    const prepared = path.join(directory, Layout.pending(epoch, nonce))
    const lease = Lease.toBytes({ version: 1, state, epoch, nonce, holder: liveness.self, since })
    return yield* files.write(prepared, lease).pipe(
      Effect.andThen(files.link(prepared, path.join(directory, Layout.lease(epoch)))),
      Effect.as(true),
      Effect.catchIf(isPresent, () => Effect.succeed(false)),
      Effect.ensuring(files.removeQuietly(prepared))
    )
  })

  const next = (epoch: number) => Effect.map(random.uuidV4(), (nonce): Won => ({ epoch: epoch + 1, nonce }))

  /** Whether a lease is there and this one, although the call that linked it failed. */
  const isOurs = (directory: string, { epoch, nonce }: Won) =>
    files.read(path.join(directory, Layout.lease(epoch)), Lease.maxBytes).pipe(
      Effect.retry({ while: (error) => !isMissing(error), times: 2 }),
      Effect.map(({ bytes }) => Lease.fromBytes(bytes, epoch)),
      Effect.match({
        onFailure: () => false,
        onSuccess: Option.exists((lease) => lease.nonce === nonce)
      })
    )

  const undo = (
    directory: string,
    won: Won,
    state: Lease.Lease["state"],
    { onLinked, since }: { readonly onLinked: (won: Won) => void; readonly since: Timestamp | undefined }
  ) =>
    next(won.epoch).pipe(
      Effect.tap((instead) =>
        Effect.map(link(directory, instead, state, since), (isLinked) => isLinked ? onLinked(instead) : undefined)
      ),
      Effect.catchDefect(Effect.fail),
      Effect.retry({ times: 2 }),
      Effect.exit
    )

  /**
   * Wins the epoch after `from`: none where somebody else was faster. What is
   * won is durable, and everything that earlier holders had under way is gone.
   *
   * A lease that could not be made durable is undone by one of the state `undo`,
   * or stays without it. `since` is the moment that the leases tell, by default
   * the present one. `onLinked` is told of each one that is in place, even where
   * this fails.
   */
  const win = Effect.fnUntraced(function*(
    directory: string,
    from: number,
    state: Lease.Lease["state"],
    options: {
      readonly undo?: Lease.Lease["state"]
      readonly since?: Timestamp
      readonly onLinked?: (won: Won) => void
    }
  ) {
    const { onLinked = () => undefined, since } = options
    const won = yield* next(from)
    const lose = Effect.as(forget(won.nonce), Option.none<Won>())
    if (state === "held") liveness.held.add(won.nonce)
    return yield* Effect.gen(function*() {
      if (!(yield* link(directory, won, state, since))) return yield* lose
      onLinked(won)
      yield* files.syncDirectory(directory)
      const found = yield* names(directory)
      if (Layout.highest(found) !== won.epoch) {
        yield* files.removeQuietly(path.join(directory, Layout.lease(won.epoch)))
        return yield* lose
      }
      // What others begin from here on ends with a look at the leases.
      yield* sweep(directory, found, won, state)
      return Option.some(won)
    }).pipe(Effect.onError(() =>
      Effect.flatMap(isOurs(directory, won), (isOurs) => {
        liveness.held.delete(won.nonce)
        if (!isOurs) return Effect.void
        onLinked(won)
        return options.undo === undefined ? Effect.void : undo(directory, won, options.undo, { onLinked, since })
      })
    ))
  }, Effect.uninterruptible)

  /** Forgets a lease of this process: whoever looks at it next finds it dead. */
  const forget = (nonce: string): Effect.Effect<void> => Effect.sync(() => void liveness.held.delete(nonce))

  /** The highest epoch in a directory, for who asks again and again: 0 where it is gone, and belongs to nobody. */
  const watchHighest = (directory: string) =>
    Effect.catchIf(
      files.watch(directory, (names) => Layout.highest(Layout.parse(names))),
      isMissing,
      () => Effect.succeed(0)
    )

  const isHighest = (directory: string, epoch: number) =>
    Effect.map(watchHighest(directory), (highest) => highest === epoch)

  /** The first lease of a session that nobody sees yet. */
  const write = Effect.fnUntraced(function*(file: string, { epoch, nonce }: Won) {
    const since = yield* now
    yield* files.write(file, Lease.toBytes({ version: 1, state: "held", epoch, nonce, holder: liveness.self, since }))
  })

  /** The lease of a session that nobody sees yet and nobody holds. */
  const writeAtRest = (
    file: string,
    { epoch, nonce }: Won,
    { holder = liveness.self, since, state }: Pick<AtRest<unknown>, "holder" | "since" | "state">
  ) => files.write(file, Lease.toBytes({ version: 1, state, epoch, nonce, holder, since }))

  return { forget, isHighest, isOurs, judge, names, standing, watchHighest, win, write, writeAtRest }
}

export type Leases = ReturnType<typeof make>
