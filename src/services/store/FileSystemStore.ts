/**
 * Sessions as files below one directory. Needs a local file system.
 *
 * @since 0.1.0
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { isPlatformError, type PlatformError } from "effect/PlatformError"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import {
  AlreadyRunning,
  BlobMissing,
  InvalidBlob,
  type InvalidJson,
  NotFound,
  StoreError
} from "../../core/SessionError.ts"
import * as SessionId from "../../core/SessionId.ts"
import * as Liveness from "../Liveness.ts"
import { SessionFormat } from "../SessionFormat.ts"
import { SessionLimits } from "../SessionLimits.ts"
import * as BlobFiles from "./BlobFiles.ts"
import type { JournalFile } from "./Claims.ts"
import * as Claims from "./Claims.ts"
import * as Contention from "./Contention.ts"
import { type Claim, firstEpoch, type NewBlobs, SessionStore, type Stored } from "./Contract.ts"
import * as Deposit from "./Deposit.ts"
import * as FileError from "./FileError.ts"
import * as Files from "./Files.ts"
import * as Layout from "./Layout.ts"
import type { Standing, Won } from "./Leases.ts"
import * as Leases from "./Leases.ts"
import { sweepPrivate } from "./Leftovers.ts"
import * as Listing from "./Listing.ts"
import * as SessionFiles from "./SessionFiles.ts"

const failsIn = (operation: string) => <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.catchIf(
    effect,
    (error: E): error is E & PlatformError => isPlatformError(error),
    (cause) => new StoreError({ operation, cause })
  )

/**
 * Stores sessions below `directory` (absolute, or relative to the working
 * directory), which is created with mode 0700 when the first session is.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: { readonly directory: string }): Layer.Layer<
  SessionStore,
  never,
  FileSystem.FileSystem | Path.Path | Liveness.Liveness | SecureRandom.SecureRandom
> =>
  Layer.effect(
    SessionStore,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const liveness = yield* Liveness.Liveness
      const random = yield* SecureRandom.SecureRandom
      const limits = yield* SessionLimits
      const format = yield* SessionFormat
      const turns = yield* Semaphore.make(1)
      let isDurable = false
      const base = path.resolve(options.directory)
      const files = Files.make(fs)
      const leases = Leases.make({ files, path, liveness, random })
      const sessions = SessionFiles.make({ files, leases, limits, format })
      const blobFiles = BlobFiles.make({ files, path })
      const claims = Claims.make({ blobs: blobFiles, files, leases, path, random })
      const directoryOf = (id: SessionId.SessionId) => path.join(base, id)

      /** Where a session is, if it is stored. */
      const place = (id: SessionId.SessionId) =>
        SessionId.isSessionId(id)
          ? Effect.catchIf(
            Effect.as(files.checkPrivate(base), directoryOf(id)),
            FileError.isMissing,
            () => new NotFound({ target: id })
          )
          : Effect.fail(new NotFound({ target: "with that id" }))

      /** The directory of a stored session, and nothing else by that name. */
      const locate = (id: SessionId.SessionId) =>
        Effect.tap(
          place(id),
          (directory) =>
            Effect.catchIf(files.checkDirectory(directory), FileError.isMissing, () => new NotFound({ target: id }))
        )

      const read =
        (operation: string) => (id: SessionId.SessionId): Effect.Effect<Stored, NotFound | InvalidJson | StoreError> =>
          // Nothing else by that name is opened.
          Effect.flatMap(place(id), (directory) =>
            sessions.read(id, directory).pipe(
              Effect.catchIf(FileError.isMissing, () => new NotFound({ target: id }))
            )).pipe(failsIn(operation))

      const readBlob: SessionStore["Service"]["readBlob"] = (id, digest, maxBytes) =>
        Effect.flatMap(locate(id), (directory) => blobFiles.read(id, directory, digest, maxBytes)).pipe(
          Effect.catchTag("NotFound", () => new InvalidBlob({ id, digest, reason: new BlobMissing({}) })),
          failsIn("read")
        )

      const privatePath = (purpose: "creating" | "deleting") =>
        Effect.map(random.uuidV4(), (nonce) => ({
          nonce,
          directory: path.join(base, Layout.privateName(purpose, liveness.self, nonce))
        }))

      const { removalOf, standingOf, whetherRemoved, win } = Contention.make({ base, files, leases, path })

      const listing = Listing.make({
        base,
        concurrency: limits.concurrency,
        files,
        path,
        preparedPath: Effect.map(privatePath("creating"), ({ directory }) => directory),
        removalOf,
        sessions
      })

      /** A claim whose snapshots lists learn of. */
      const listed = (claim: Claim): Claim => ({
        ...claim,
        checkpoint: (snapshot, journal) =>
          Effect.tap(claim.checkpoint(snapshot, journal), () => listing.published(snapshot)),
        close: (snapshot, needed) => Effect.tap(claim.close(snapshot, needed), () => listing.published(snapshot))
      })

      /** Makes what leads to the sessions, and makes it durable once. */
      const ensureBase = Effect.gen(function*() {
        if (!isDurable || !(yield* fs.exists(base))) yield* files.ensureDirectory(path, base)
        isDurable = true
        yield* files.checkPrivate(base)
      })

      /** Deletes what processes that ended left half created or half deleted. */
      const sweep = sweepPrivate({ files, liveness, path }, base)

      /** Everything of a new session, in a directory that nobody else looks into. */
      const prepare = Effect.fnUntraced(
        function*(directory: string, won: Won, snapshot: Uint8Array, firstLine: Uint8Array, blobs: NewBlobs) {
          const name = Layout.journal(firstEpoch, 0)
          yield* files.makeDirectory(directory)
          yield* files.write(path.join(directory, Layout.snapshot), snapshot)
          yield* blobFiles.prepare(directory, blobs, blobs.from && directoryOf(blobs.from.id))
          yield* leases.write(path.join(directory, Layout.lease(won.epoch)), won)
          const scope = yield* Scope.make()
          const file = yield* Effect.onError(
            files.createIn(scope, path.join(directory, name), firstLine),
            (cause) => Scope.close(scope, Exit.failCause(cause))
          )
          const journal: JournalFile = { name, file, scope, isProvisional: false }
          yield* Effect.onError(files.syncDirectory(directory), (cause) => Scope.close(scope, Exit.failCause(cause)))
          return journal
        }
      )

      const create: SessionStore["Service"]["create"] = (id, snapshot, firstLine, blobs = {}) =>
        Effect.gen(function*() {
          yield* ensureBase
          yield* sweep
          const { directory, nonce } = yield* privatePath("creating")
          const won: Won = { epoch: firstEpoch, nonce, isDurable: true }
          const target = directoryOf(id)
          liveness.held.add(nonce)
          const journal = yield* prepare(directory, won, snapshot, firstLine, blobs).pipe(
            Effect.tap((journal) =>
              files.rename(directory, target).pipe(
                Effect.andThen(files.syncDirectory(base)),
                Effect.onError((cause) => Scope.close(journal.scope, Exit.failCause(cause)))
              )
            ),
            Effect.onError(() =>
              files.removeQuietly(directory, { recursive: true }).pipe(
                Effect.andThen(leases.isOurs(target, won)),
                Effect.flatMap((isOurs) => isOurs ? Effect.ignore(takeAway(target, won.epoch)) : Effect.void),
                Effect.andThen(leases.forget(nonce))
              )
            )
          )
          yield* listing.published(snapshot)
          return listed(
            yield* claims.make({
              id,
              directory: target,
              won,
              opened: Option.some(journal),
              read: read("create")(id),
              isStill: (before) => sessions.isStill(target, before)
            })
          )
        }).pipe(failsIn("create"), Effect.uninterruptible)

      /**
       * Takes a session out of sight in one step, then deletes it. Nobody finds it
       * by its name any more, so what its leases say now is the last word: one that
       * was won meanwhile brings it back.
       */
      const takeAway = Effect.fnUntraced(function*(directory: string, epoch: number) {
        const target = yield* privatePath("deleting")
        yield* Effect.onError(
          files.rename(directory, target.directory),
          () => Effect.ignore(files.rename(target.directory, directory))
        )
        const isLast = yield* Effect.onError(
          // Before anything inside goes: a power loss must not undo the rename alone.
          Effect.tap(
            leases.isHighest(target.directory, epoch),
            (isLast) => isLast ? files.syncDirectory(base) : Effect.void
          ),
          () => Effect.ignore(files.rename(target.directory, directory))
        )
        if (isLast) yield* files.removeQuietly(target.directory, { recursive: true })
        else yield* files.rename(target.directory, directory)
        return isLast
      })

      const depositing = Deposit.make({
        base,
        blobs: blobFiles,
        files,
        held: liveness.held,
        leases,
        path,
        privatePath: privatePath("creating"),
        takeAway
      })
      const deposit: SessionStore["Service"]["deposit"] = (id, session) =>
        Effect.andThen(ensureBase, sweep).pipe(
          Effect.andThen(depositing(directoryOf(id), session)),
          Effect.andThen(listing.published(session.snapshot)),
          failsIn("deposit")
        )

      const unless = (isRefused: (standing: Standing) => boolean) => (standing: Standing) =>
        isRefused(standing) ? Effect.fail(Leases.alreadyRunning(standing)) : Effect.succeed(true)

      const claim: SessionStore["Service"]["claim"] = (id, options) =>
        Effect.gen(function*() {
          const known = options?.seen && sessions.leaseWith(directoryOf(id), options.seen)
          const directory = known === undefined ? yield* place(id) : directoryOf(id)
          const judge = (standing: Standing) =>
            Contention.isRemoved(standing)
              ? Effect.fail(new NotFound({ target: `${id} outside the trash` }))
              : unless((standing) => options?.takeOver !== true && Leases.isHeld(standing))(standing)
          const won = yield* win(directory, "held", judge, known)
          if (Option.isNone(won)) return yield* new NotFound({ target: id })
          return listed(
            yield* claims.make({
              id,
              directory,
              won: won.value,
              opened: Option.none(),
              read: read("claim")(id),
              isStill: (before) => sessions.isStill(directory, before)
            })
          )
        }).pipe(
          Effect.catchIf(FileError.isMissing, () => new NotFound({ target: id })),
          failsIn("claim"),
          Effect.uninterruptible
        )

      const change = (
        operation: string,
        id: SessionId.SessionId,
        act: (directory: string) => Effect.Effect<unknown, Contention.NotFoundOrBusy>
      ) =>
        Effect.flatMap(locate(id), act).pipe(
          Effect.catchIf(FileError.isMissing, () => new NotFound({ target: id })),
          failsIn(operation),
          Effect.asVoid,
          Effect.uninterruptible
        )

      /**
       * Refuses a session at rest that may hold events that no snapshot does, and
       * one that somebody took meanwhile. One that can't be read does not tell.
       */
      const refuseOpen = (id: SessionId.SessionId, directory: string, standing: Standing) =>
        sessions.entry(id, directory).pipe(
          Effect.flatMap(({ holder, status }) => {
            if (status === "elsewhere") return new AlreadyRunning({ liveness: "unknown", ...(holder && { holder }) })
            return status === "interrupted"
              ? Effect.fail(Leases.alreadyRunning({ ...standing, verdict: "dead" }))
              : Effect.void
          }),
          Effect.catchTags({
            InvalidJson: () => Effect.void,
            SchemaVersion: () => Effect.void,
            PlatformError: (error) => FileError.isNoFile(error) ? Effect.void : Effect.fail(error)
          })
        )

      const remove: SessionStore["Service"]["remove"] = (id, options) =>
        change("remove", id, (directory) =>
          win(directory, "removed", (standing) => {
            if (Contention.isRemoved(standing)) return Effect.as(files.syncDirectory(directory), false)
            if (Leases.isHeld(standing)) return Effect.fail(Leases.alreadyRunning(standing))
            return Effect.as(
              options?.interrupted === true ? Effect.void : refuseOpen(id, directory, standing),
              true
            )
          }))

      const isInTrash: SessionStore["Service"]["isRemoved"] = (id) =>
        Effect.flatMap(locate(id), (directory) =>
          standingOf(directory).pipe(
            Effect.flatMap((standing) => whetherRemoved(directory, standing)),
            // What it answers is acknowledged: whoever made it so may not have come as far as this.
            Effect.tap(Effect.andThen(files.syncDirectory(directory), files.syncDirectory(base))),
            Effect.catchIf(FileError.isMissing, () => new NotFound({ target: id }))
          )).pipe(failsIn("restore"))

      const restore: SessionStore["Service"]["restore"] = (id) =>
        change("restore", id, (directory) =>
          win(directory, "released", (standing) =>
            whetherRemoved(directory, standing)))

      const purge: SessionStore["Service"]["purge"] = (id) =>
        change("purge", id, (directory) =>
          Effect.gen(function*() {
            const notThere = new NotFound({ target: `${id} in the trash` })
            const won = yield* win(directory, "removed", (standing) =>
              Effect.filterOrFail(whetherRemoved(directory, standing), (isThere) =>
                isThere, () => notThere))
            const isGone = Option.isSome(won) && (yield* takeAway(directory, won.value.epoch))
            if (!isGone) {
              return yield* notThere
            }
          }))

      return SessionStore.of({
        limits,
        format,
        entries: Stream.catchIf(listing.entries, isPlatformError, (cause) =>
          Stream.fail(new StoreError({ operation: "list", cause }))),
        read: read("read"),
        readBlob,
        create,
        deposit,
        claim,
        remove,
        restore,
        purge,
        isRemoved: isInTrash,
        alone: turns.withPermit,
        sweep
      })
    })
  )
