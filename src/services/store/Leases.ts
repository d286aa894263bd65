/**
 * Leases as files. Claim, takeover, release and removal are one operation:
 * linking a prepared file to the next epoch's name, and looking again whether that
 * is still the highest. A lease is durable before anything relies on it; until
 * then those that it takes the place of stay.
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
import { isMissing, isPresent, wrongKind } from "./FileError.ts"
import type { Files } from "./Files.ts"
import type { NewLink } from "./InOneGo.ts"
import * as Layout from "./Layout.ts"
import type { Found, Wish } from "./Reading.ts"
import { atMost } from "./Reading.ts"
import * as StoredVersion from "./StoredVersion.ts"

/** The highest lease of a session. */
export interface Highest {
  /** 0 where there is no lease at all. */
  readonly epoch: number
  /** None where the lease can't be read. */
  readonly lease: Option.Option<Lease.Lease>
  /** Whether it looks as if the power had failed before its bytes were durable, and so before anything relied on it. */
  readonly isTorn: boolean
}

/** The highest lease of a session, and what is known of its holder. */
export interface Standing extends Highest {
  readonly verdict: Verdict
}

/** A lease that counts. */
export interface Won {
  readonly epoch: number
  readonly nonce: string
  /** Whether it outlasts a power loss. */
  readonly isDurable: boolean
  /** The version of the session that it was won over, where that was told from then on. */
  readonly version?: string
}

/** How a lease is linked. */
interface Linking {
  /** Told of each one that is in place. */
  readonly onLinked: (won: Won) => void
  /** The moment that it tells; by default the present one. */
  readonly since: Timestamp | undefined
}

/** What was found once a lease was linked. */
interface AfterLink {
  readonly found: Layout.Names
  readonly version?: string
}

/** What a session is doing, by its highest lease and whether a journal counts. */
export const status = ({ lease, verdict }: Standing, isOpen: boolean): SessionList.Status => {
  const atRest = isOpen ? "interrupted" : "closed"
  if (Option.isNone(lease)) return verdict === "dead" ? atRest : "elsewhere"
  if (lease.value.state === "removed") return "removed"
  if (lease.value.state === "released" || verdict === "dead") return atRest
  return verdict === "alive" ? "running" : "elsewhere"
}

/** Whether somebody may still be running the session. */
export const isHeld = ({ lease, verdict }: Standing): boolean =>
  verdict !== "dead" && Option.match(lease, { onNone: () => true, onSome: ({ state }) => state === "held" })

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

/**
 * Whether a lease may be lost with the power: no journal is there, whose holder
 * would have to be durable at once, and one lease below it, which is durable since
 * it is alone, and has no living holder once the power fails.
 */
const mayBeLost = ({ journals, leases }: Layout.Names): boolean => journals.length === 0 && leases.length === 2

const noLease: Highest = { epoch: 0, lease: Option.none(), isTorn: false }

/**
 * The highest lease, as its file was found. One that is cut short is torn where
 * another is below it, which goes when the highest is durable, and no journal is
 * named after it; elsewhere it was damaged.
 */
const highestOf = (
  found: Found,
  { journals, leases }: Layout.Names,
  epoch: number
): Result.Result<Highest, PlatformError> => {
  if (Result.isSuccess(found)) {
    const { head, version } = found.success
    const isCutShort = version.size <= Lease.maxBytes && !Lease.isWhole(head)
    const isTorn = isCutShort && leases.length > 1 && journals.every((journal) => journal.epoch !== epoch)
    return Result.succeed({ epoch, lease: Lease.fromBytes(head, epoch), isTorn })
  }
  return isUnreadable(found.failure)
    ? Result.succeed({ epoch, lease: Option.none(), isTorn: false })
    : Result.fail(found.failure)
}

/** Reads the highest lease. Fails with a missing file where it went meanwhile. What is read next is `ahead`. */
export function* readHighest(
  names: Layout.Names,
  ahead: ReadonlyArray<Wish> = []
): Generator<Wish, Result.Result<Highest, PlatformError>, Found> {
  const epoch = Layout.highest(names)
  if (epoch === 0) return Result.succeed(noLease)
  return highestOf(yield { name: Layout.lease(epoch), ...leaseSize, ahead }, names, epoch)
}

/** What is in a directory whose lease was just linked, and the version of the session where nothing is under way. */
function* readAfterLink(names: ReadonlyArray<string>): Generator<Wish, AfterLink, Found> {
  const found = Layout.parse(names)
  if (found.pending.length > 0) return { found }
  const version = yield* StoredVersion.look(found)
  return Result.isSuccess(version) ? { found, version: version.success } : { found }
}

export const make = (services: {
  readonly files: Files
  readonly path: Path.Path
  readonly liveness: Liveness["Service"]
  readonly random: SecureRandom.SecureRandom["Service"]
}) => {
  const { files, liveness, path, random } = services

  const names = (directory: string) => Effect.map(files.names(directory), Layout.parse)

  /** The names in a directory that was in use a moment ago. */
  const namesNow = (directory: string) => Effect.map(files.namesNow(directory), Layout.parse)

  /** What is known of the holder of a lease; of one that was given back it is of no interest. */
  const judge = (highest: Highest): Effect.Effect<Standing> => {
    const { epoch, isTorn, lease } = highest
    const known = (verdict: Verdict): Standing => ({ ...highest, verdict })
    if (Option.isNone(lease)) return Effect.succeed(known(epoch === 0 || isTorn ? "dead" : "unknown"))
    return lease.value.state === "held"
      ? Effect.map(liveness.judge(lease.value), known)
      : Effect.succeed(known("dead"))
  }

  /** The highest lease in a directory. Fails with a missing file where it went while it was being read. */
  const standing = Effect.fnUntraced(function*(directory: string) {
    const found = yield* names(directory)
    const epoch = Layout.highest(found)
    if (epoch === 0) return yield* judge(noLease)
    const file = yield* Effect.result(files.readRegular(path.join(directory, Layout.lease(epoch)), leaseSize))
    return yield* judge(yield* Effect.fromResult(highestOf(file, found, epoch)))
  })

  /** The same in a directory that was in use a moment ago. */
  const standingNow = (directory: string): Effect.Effect<Standing, PlatformError> =>
    files.glance(directory, (names) => readHighest(Layout.parse(names))).pipe(
      Effect.flatMap(Effect.fromResult),
      Effect.flatMap(judge)
    )

  /**
   * Deletes what earlier holders have under way, so that none of it can come into
   * place any more. Whoever can't do that does not hold the session. What a later
   * holder has there is not ours.
   */
  const sweepPending = (
    directory: string,
    { pending }: Layout.Names,
    { epoch }: Won,
    state: Lease.Lease["state"]
  ) => {
    const remove = state === "held" ? files.remove : files.removeQuietly
    return Effect.forEach(
      pending.filter((pending) => pending.epoch <= epoch),
      ({ name }) => remove(path.join(directory, name)),
      { discard: true }
    )
  }

  /** Deletes the leases that a durable one takes the place of. */
  const sweepLeases = (directory: string, { leases }: Layout.Names, { epoch }: Won) =>
    Effect.forEach(
      leases.filter((lease) => lease < epoch),
      (lease) => files.removeQuietly(path.join(directory, Layout.lease(lease))),
      { discard: true }
    )

  /** Links a lease in one of the ways to do that; none where somebody else has that number. */
  const linkBy = <A>(way: (link: NewLink) => Effect.Effect<A, PlatformError>) =>
    Effect.fnUntraced(function*(
      directory: string,
      { epoch, nonce }: Won,
      state: Lease.Lease["state"],
      given?: Timestamp
    ) {
      const since = given ?? (yield* now)
      const bytes = Lease.toBytes({ version: 1, state, epoch, nonce, holder: liveness.self, since })
      const link = { directory, prepared: Layout.pending(epoch, nonce), name: Layout.lease(epoch), bytes }
      return yield* Effect.catchIf(Effect.asSome(way(link)), isPresent, () => Effect.succeedNone)
    })

  /** Links a lease whose bytes are durable. */
  const link = linkBy(files.linkNew)

  /** Links a lease of which nothing is durable yet, and looks what is there then. */
  const linkUnsynced = linkBy((link) => files.linkUnsynced(link, readAfterLink))

  /** Links a lease, and looks what is there then: once it is durable, if it is to be. */
  const linkAndLook = Effect.fnUntraced(function*(
    directory: string,
    won: Won,
    state: Lease.Lease["state"],
    { onLinked, since }: Linking
  ) {
    if (!won.isDurable) {
      const linked = yield* linkUnsynced(directory, won, state, since)
      if (Option.isSome(linked)) onLinked(won)
      return linked
    }
    if (Option.isNone(yield* link(directory, won, state, since))) return Option.none<AfterLink>()
    onLinked(won)
    yield* files.syncDirectory(directory)
    return Option.some<AfterLink>({ found: yield* namesNow(directory) })
  })

  const next = (epoch: number, isDurable: boolean) =>
    Effect.map(random.uuidV4(), (nonce): Won => ({ epoch: epoch + 1, nonce, isDurable }))

  /** Whether a lease is there and this one, although the call that linked it failed. */
  const isOurs = (directory: string, { epoch, nonce }: Won) =>
    files.read(path.join(directory, Layout.lease(epoch)), Lease.maxBytes).pipe(
      Effect.catchDefect(Effect.fail),
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
    { onLinked, since }: Linking
  ) =>
    next(won.epoch, true).pipe(
      Effect.tap((instead) =>
        Effect.map(link(directory, instead, state, since), (linked) =>
          Option.isSome(linked) ? onLinked(instead) : undefined)
      ),
      Effect.catchDefect(Effect.fail),
      Effect.retry({ times: 2 }),
      Effect.exit
    )

  const sync = (directory: string, { epoch }: Won) =>
    Effect.andThen(
      files.syncFile(path.join(directory, Layout.lease(epoch))),
      files.syncDirectory(directory)
    )

  /** Makes a lease durable, and deletes those that it takes the place of. */
  const settle = Effect.fnUntraced(function*(directory: string, won: Won) {
    yield* sync(directory, won)
    // Of a write that failed before the file was opened anew, the sync may not tell.
    if (!(yield* isOurs(directory, won))) {
      return yield* wrongKind("read", path.join(directory, Layout.lease(won.epoch)), "a lease", "other bytes")
    }
    yield* Effect.ignore(Effect.flatMap(namesNow(directory), (found) => sweepLeases(directory, found, won)))
  })

  /**
   * Wins the epoch after `from`: none where somebody else was faster. Everything
   * that earlier holders had under way is gone.
   *
   * What is won is durable. Where it `mayWait`, and may be lost with the power, it is
   * not: `settle` makes it so, before anything is changed.
   *
   * A lease that could not be made durable is undone by one of the state `undo`,
   * or stays without it. `since` is the moment that the leases tell, by default
   * the present one. `onLinked` is told of each one that is in place, even where
   * this fails, as far as it can be seen then.
   */
  const win = Effect.fnUntraced(function*(
    directory: string,
    from: number,
    state: Lease.Lease["state"],
    options: {
      readonly undo?: Lease.Lease["state"]
      readonly since?: Timestamp
      readonly onLinked?: (won: Won) => void
      readonly mayWait?: boolean
    }
  ) {
    const { mayWait = false, onLinked = () => undefined, since } = options
    const won = yield* next(from, !mayWait)
    const lose = Effect.as(forget(won.nonce), Option.none<Won>())
    if (state === "held") liveness.held.add(won.nonce)
    return yield* Effect.gen(function*() {
      const linked = yield* linkAndLook(directory, won, state, { onLinked, since })
      if (Option.isNone(linked)) return yield* lose
      const { found, version } = linked.value
      if (Layout.highest(found) !== won.epoch) {
        yield* files.removeQuietly(path.join(directory, Layout.lease(won.epoch)))
        return yield* lose
      }
      // What others begin from here on ends with a look at the leases.
      yield* sweepPending(directory, found, won, state)
      const result: Won = version === undefined ? won : { ...won, version }
      if (!won.isDurable && mayBeLost(found)) return Option.some(result)
      if (!won.isDurable) yield* sync(directory, won)
      yield* sweepLeases(directory, found, won)
      return Option.some<Won>({ ...result, isDurable: true })
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

  /** The highest epoch in a directory that was in use a moment ago: 0 where it is gone. */
  const highestNow = (directory: string) =>
    Effect.catchIf(Effect.map(namesNow(directory), Layout.highest), isMissing, () => Effect.succeed(0))

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

  return {
    forget,
    highestNow,
    isHighest,
    isOurs,
    judge,
    names,
    settle,
    standing,
    standingNow,
    watchHighest,
    win,
    write,
    writeAtRest
  }
}

export type Leases = ReturnType<typeof make>
