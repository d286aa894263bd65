/**
 * The right to change one session's directory: everything that is written into
 * it, in the order that makes it durable.
 *
 * @since 0.1.0
 */
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Scope from "effect/Scope"
import type { InvalidJson, NotFound } from "../../core/SessionError.ts"
import { LeaseLost, NotRunning, SessionEnded, StoreError } from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type { BlobFiles } from "./BlobFiles.ts"
import type { Claim, NewJournal, Stored } from "./Contract.ts"
import type { Files } from "./Files.ts"
import * as Layout from "./Layout.ts"
import type { Leases, Won } from "./Leases.ts"

/** The journal that lines are added to. */
export interface JournalFile {
  readonly name: string
  readonly file: FileSystem.File
  readonly scope: Scope.Closeable
  /** Whether it can be taken back: nothing in it was acknowledged to anybody. */
  readonly isProvisional: boolean
}

export const make = (services: {
  readonly blobs: BlobFiles
  readonly files: Files
  readonly leases: Leases
  readonly path: Path.Path
  readonly random: SecureRandom.SecureRandom["Service"]
}) => {
  const { blobs, files, leases, path, random } = services

  /**
   * A claim that was won, given back when the scope closes. `opened` is the
   * journal it begins with, if it made the session. What it can do is made anew for
   * each claim, so it is made of `Effect.gen`: to define a function of Effect takes
   * longer than this does.
   */
  const make = Effect.fnUntraced(function*(options: {
    readonly id: SessionId
    readonly directory: string
    readonly won: Won
    readonly opened: Option.Option<JournalFile>
    readonly read: Effect.Effect<Stored, NotFound | InvalidJson | StoreError>
    readonly isStill: Claim["isStill"]
  }) {
    const { directory, id, won } = options
    const { epoch } = won
    const at = (name: string) => path.join(directory, name)
    /**
     * This claim's own lease: held, until a close or release links the one that
     * ends it. Fencing follows its epoch; journals and snapshots keep the claim's,
     * so that a close that failed half-way does not begin another history.
     */
    let lease = won
    let isHeld = true
    /** An empty journal that is not there yet. */
    let planned = Option.none<NewJournal>()
    let current = options.opened
    let isSettled = true
    let isOver = false
    let hasBlobs = false
    /** What was stored when the claim was won, until it changes that: nobody else does. */
    let { version } = won

    const lost = Effect.gen(function*() {
      const { lease } = yield* leases.standing(directory)
      return Option.map(lease, ({ holder }) => holder)
    }).pipe(
      Effect.catch(() => Effect.succeedNone),
      Effect.map((holder) =>
        new SessionEnded({
          id,
          reason: new LeaseLost(Option.match(holder, { onNone: () => ({}), onSome: (holder) => ({ holder }) }))
        })
      )
    )

    const failLost = Effect.flatMap(lost, Effect.fail)

    /** Fails unless this claim's lease is still the highest. */
    const unlessLost = (highest: number) => highest === lease.epoch ? Effect.void : failLost

    const stillHeld = Effect.flatMap(leases.watchHighest(directory), unlessLost)

    /** Holds the session again after a close that got as far as ending the claim, and failed. */
    const hold = Effect.suspend(() =>
      isHeld ? Effect.void : Effect.flatMap(
        leases.win(directory, lease.epoch, "held", {
          undo: "released",
          onLinked: (linked) => {
            lease = linked
          }
        }),
        Option.match({
          onNone: () => failLost,
          onSome: () =>
            Effect.sync(() => {
              isHeld = true
            })
        })
      )
    )

    /**
     * Before anything is changed, the lease that it relies on is durable. One that
     * could not be made so is not relied on: another one is won in its place.
     */
    const ready = Effect.suspend(() => {
      if (lease.isDurable) return hold
      lease = { ...lease, isDurable: true }
      return Effect.onError(leases.settle(directory, lease), () =>
        Effect.sync(() => {
          isHeld = false
        }))
    })

    /** One durable change: a failure of a claim that was lost is told as that. */
    const change = <A>(
      operation: string,
      effect: Effect.Effect<A, PlatformError | SessionEnded | StoreError>
    ): Effect.Effect<A, SessionEnded | StoreError> =>
      Effect.suspend(() => {
        version = undefined
        return isOver ? new SessionEnded({ id, reason: new NotRunning({}) }) : effect
      }).pipe(
        Effect.catchTag("PlatformError", (cause) =>
          stillHeld.pipe(
            Effect.catchTag("PlatformError", () => Effect.void),
            Effect.andThen(new StoreError({ operation, cause }))
          )),
        Effect.uninterruptible
      )

    const preparedName = Effect.map(random.uuidV4(), (nonce) => at(Layout.pending(lease.epoch, nonce)))

    /** Puts a complete, synced journal in place, where this claim still holds the session. */
    const place = ({ bytes, part }: NewJournal) =>
      Effect.gen(function*() {
        const name = Layout.journal(epoch, part)
        const prepared = yield* preparedName
        const scope = yield* Scope.make()
        const file = yield* files.createIn(scope, prepared, bytes).pipe(
          Effect.tap(Effect.andThen(stillHeld, files.rename(prepared, at(name)))),
          Effect.onError((cause) =>
            Scope.close(scope, Exit.failCause(cause)).pipe(
              Effect.andThen(files.removeQuietly(prepared)),
              Effect.andThen(files.removeQuietly(at(name)))
            )
          )
        )
        const journal: JournalFile = { name, file, scope, isProvisional: false }
        return journal
      })

    const discard = (journal: JournalFile) =>
      Effect.andThen(Scope.close(journal.scope, Exit.void), files.removeQuietly(at(journal.name)))

    /** Deletes the journals that no longer count: never one of a later holder. */
    const tidy = () =>
      Effect.gen(function*() {
        const { journals } = yield* leases.names(directory)
        const keep = Option.map(current, ({ name }) => name)
        yield* Effect.forEach(
          journals.filter((journal) => journal.epoch <= epoch && !Option.contains(keep, journal.name)),
          ({ name }) => files.removeQuietly(at(name)),
          { discard: true }
        )
      }).pipe((effect) => Effect.asVoid(Effect.exit(effect)))

    const switchTo = (journal: JournalFile) =>
      Effect.suspend(() => {
        const previous = current
        current = Option.some(journal)
        isSettled = true
        return Option.match(previous, {
          onNone: () => Effect.void,
          onSome: ({ scope }) => Scope.close(scope, Exit.void)
        })
      })

    /**
     * Replaces the snapshot: prepared, synced, fenced, renamed. `abandon` runs
     * where it was not replaced: a rename that fails may have been done.
     */
    const replace = (snapshot: Uint8Array, abandon: Effect.Effect<void> = Effect.void) =>
      Effect.gen(function*() {
        const prepared = yield* preparedName
        yield* files.write(prepared, snapshot).pipe(
          Effect.andThen(stillHeld),
          Effect.onError(() => abandon),
          Effect.andThen(Effect.onError(
            files.rename(prepared, at(Layout.snapshot)),
            () => Effect.exit(Effect.andThen(files.lstat(prepared), abandon))
          )),
          Effect.onError(() => files.removeQuietly(prepared))
        )
      })

    /** The journal stays from here on, whatever becomes of the change: its holder has seen what is in it. */
    const keepJournal = Effect.sync(() => {
      current = Option.map(current, (journal) => ({ ...journal, isProvisional: false }))
    })

    /** What was begun on the present snapshot is of no use to the next one. */
    const beforeSnapshot = Effect.suspend(() => {
      isSettled = false
      planned = Option.none()
      return Effect.andThen(keepJournal, ready)
    })

    const open = (newJournal: NewJournal) =>
      Effect.gen(function*() {
        planned = Option.none()
        yield* ready
        const journal = yield* place(newJournal)
        yield* files.syncDirectory(directory).pipe(
          Effect.andThen(stillHeld),
          Effect.onError(() => discard(journal))
        )
        yield* switchTo({ ...journal, isProvisional: true })
      })

    /** An empty journal tells nothing that the snapshot does not: it comes to be with the first event. */
    const plan = (newJournal: NewJournal) =>
      Effect.andThen(
        Effect.flatMap(leases.highestNow(directory), unlessLost),
        Effect.sync(() => {
          planned = Option.some(newJournal)
        })
      )

    const begin: Claim["begin"] = (newJournal) =>
      change("resume", newJournal.isEmpty === true ? plan(newJournal) : open(newJournal))

    const append: Claim["append"] = (lines) =>
      change(
        "append",
        Effect.gen(function*() {
          if (Option.isSome(planned)) yield* open(planned.value)
          if (Option.isNone(current) || !isSettled) {
            return yield* new StoreError({
              operation: "append",
              cause: new Error("the journal needs a checkpoint first")
            })
          }
          const journal = current.value
          if (journal.isProvisional) yield* keepJournal
          yield* ready
          // Late lines of a former holder count where the next one gave the session back.
          yield* stillHeld
          isSettled = false
          yield* journal.file.writeAll(lines)
          yield* journal.file.sync
          yield* stillHeld
          isSettled = true
          if (journal.isProvisional) yield* tidy()
        })
      )

    const putBlobs: Claim["putBlobs"] = (given) =>
      change(
        "append",
        Effect.gen(function*() {
          yield* ready
          if (!hasBlobs) yield* blobs.ensure(directory)
          hasBlobs = true
          yield* blobs.put(directory, given, { epoch: lease.epoch, preparedName, stillHeld })
        })
      )

    const keepOriginal: Claim["keepOriginal"] = (version) =>
      change(
        "checkpoint",
        Effect.gen(function*() {
          yield* keepJournal
          yield* ready
          const prepared = yield* preparedName
          yield* files.link(at(Layout.snapshot), prepared).pipe(
            // Over one that an earlier migration kept, which did not come to its end.
            Effect.andThen(files.rename(prepared, at(Layout.original(version)))),
            Effect.ensuring(files.removeQuietly(prepared))
          )
          yield* files.syncDirectory(directory)
        })
      )

    const checkpoint: Claim["checkpoint"] = (snapshot, newJournal) =>
      change(
        "checkpoint",
        Effect.gen(function*() {
          yield* beforeSnapshot
          const journal = yield* place(newJournal)
          yield* Effect.onError(
            Effect.andThen(
              replace(snapshot, files.removeQuietly(at(journal.name))),
              files.syncDirectory(directory)
            ),
            () => Scope.close(journal.scope, Exit.void)
          )
          yield* switchTo(journal)
          yield* tidy()
        })
      )

    /** Ends the claim with a released lease. Whether it counted: somebody else may have had the session already. */
    const release = Effect.gen(function*() {
      const released = yield* leases.win(directory, lease.epoch, "released", {
        onLinked: (linked) => {
          lease = linked
          isHeld = false
        }
      })
      yield* over
      return Option.isSome(released)
    })

    const over = Effect.suspend(() => {
      isOver = true
      const journal = current
      current = Option.none()
      return Effect.andThen(
        Effect.andThen(leases.forget(won.nonce), leases.forget(lease.nonce)),
        Option.match(journal, { onNone: () => Effect.void, onSome: ({ scope }) => Scope.close(scope, Exit.void) })
      )
    })

    const close: Claim["close"] = (snapshot, needed) =>
      change(
        "close",
        Effect.gen(function*() {
          yield* beforeSnapshot
          yield* replace(snapshot)
          yield* files.syncDirectory(directory)
          // What is stored is complete from here on, whoever has the session next.
          yield* stillHeld
          const { epoch } = lease
          yield* release
          yield* tidy()
          if (needed !== undefined) yield* blobs.keep(directory, epoch, needed)
        })
      )

    const giveBack = change(
      "release",
      Effect.gen(function*() {
        if (Option.exists(current, ({ isProvisional }) => isProvisional)) {
          // Whoever has the session by now may have read it.
          yield* stillHeld
          yield* Option.match(current, { onNone: () => Effect.void, onSome: discard })
        }
        if (!(yield* release)) return yield* failLost
        yield* Effect.annotateLogs(Effect.logInfo("released"), { sessionId: id })
      })
    )

    const claim: Claim = {
      id,
      epoch,
      stored: options.read,
      isStill: (before) =>
        Effect.suspend(() => version === before.version ? Effect.succeed(true) : options.isStill(before)),
      begin,
      append,
      putBlobs,
      keepOriginal,
      checkpoint,
      close,
      release: giveBack,
      lost: Effect.never
    }
    yield* Effect.addFinalizer(() =>
      // Held by a process that lives, nobody else could have it: so it is tried again.
      Effect.suspend(() => isOver ? Effect.void : giveBack).pipe(
        Effect.catchDefect((cause) => Effect.fail(new StoreError({ operation: "release", cause }))),
        Effect.retry({ while: (error) => error._tag === "StoreError", times: 2 }),
        Effect.catchTags({
          SessionEnded: () => Effect.void,
          StoreError: (error) => Effect.logWarning("a lease was not given back; it ends with this process", error)
        }),
        Effect.ensuring(Effect.suspend(() => isOver ? Effect.void : over))
      )
    )
    return claim
  })

  return { make }
}
