/**
 * Reading one session's directory, so that what is read was there at one moment.
 * Readers hold nothing and change nothing.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Envelope from "../../core/Envelope.ts"
import * as Head from "../../core/Head.ts"
import type { Holder } from "../../core/Holder.ts"
import * as Journal from "../../core/Journal.ts"
import type { Format } from "../../core/Migration.ts"
import { InvalidJson, type SchemaVersion, TooLarge, Unsigned } from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type * as SessionList from "../../core/SessionList.ts"
import * as Timestamp from "../../core/Timestamp.ts"
import type { Limits } from "../SessionLimits.ts"
import type { Stored } from "./Contract.ts"
import { hasMoved, wrongKind } from "./FileError.ts"
import type { Files } from "./Files.ts"
import * as Layout from "./Layout.ts"
import type { Highest, Leases } from "./Leases.ts"
import { readHighest, status } from "./Leases.ts"
import type { Ends, Found, Stand, Steadiness, Version, Wish } from "./Reading.ts"
import { atMost, ends } from "./Reading.ts"
import * as Recollections from "./Recollections.ts"
import * as StoredVersion from "./StoredVersion.ts"

/** How often a reading that others changed underneath is begun again. */
const attempts = 100

/** Enough for most heads, and one read. */
const headBytes = 4096

/** Asks for files one after the other, and comes to this. */
type Steps<A, E = never> = Generator<Wish, Result.Result<A, PlatformError | InvalidJson | E>, Found>

/** What the first line of a journal tells. */
interface FirstLine {
  readonly name: string
  /** With its newline. */
  readonly line: Uint8Array
  readonly version: Version
  /** Whether it names the snapshot. */
  readonly counts: boolean
}

/** The highest lease in a directory of this identity, which was at this path. */
export interface FoundLease {
  readonly path: string
  readonly highest: Highest
  readonly identity: string
}

/** What a reading of everything found. */
interface FoundAll {
  readonly highest: Highest
  readonly isOpen: boolean
  readonly bytes: Pick<Stored, "snapshot" | "journals" | "version">
}

/** What is known of an encrypted head: why it is not read, and its bytes for who has the key. */
interface EncryptedHead {
  readonly error: InvalidJson
  readonly encrypted: Uint8Array
}

/** What a look at a session tells. */
interface Look {
  readonly entry: SessionList.Entry
  readonly status: SessionList.Status
  readonly holder?: Holder
  /** Of the directory and of the snapshot that it was found in. */
  readonly directory: Version
  readonly snapshot: Version
}

/** What a reading came to, in a directory of this version. */
interface Reading<A> {
  readonly found: A
  readonly directory: Version
  readonly settled: ReadonlyArray<string> | undefined
}

/** What a snapshot's ends tell. */
interface FoundHead {
  readonly head: Head.Head | EncryptedHead
  readonly signature: Option.Option<string>
  readonly version: Version
}

/** What a reading for a list found. */
interface FoundEntry extends FoundHead {
  readonly highest: Highest
  /** The journal that counts. */
  readonly journal: Option.Option<Version>
}

const lineSize = ends(Envelope.maxLineBytes, 0)

const firstLine = (name: string, { head, version }: Ends, signature: Option.Option<string>): FirstLine => {
  const line = head.subarray(0, head.indexOf(0x0a) + 1 || head.length)
  const counts = Option.exists(Journal.snapshotNamed(line), (named) => Option.contains(signature, named))
  return { name, line, version, counts }
}

const modified = ({ mtime }: Version): Option.Option<Timestamp.Timestamp> =>
  mtime.pipe(
    // File systems hold years that timestamps do not.
    Option.filter((time) => time.getUTCFullYear() >= 0 && time.getUTCFullYear() <= 9999),
    Option.map((time) => Timestamp.fromDateTime(DateTime.fromDateUnsafe(time)))
  )

/** What decides a reading: the highest lease, the names of the journals, the snapshot. */
const deciding: Steadiness = {
  watched: Layout.snapshot,
  isSame: (before, after) => Layout.isSame(Layout.parse(before), Layout.parse(after))
}

export const make = (services: {
  readonly files: Files
  readonly leases: Leases
  readonly limits: Limits
  readonly format: Format
}) => {
  const { files, format, leases, limits } = services
  const recollections = Recollections.make()
  const leasesFound = new WeakMap<Stored, FoundLease>()

  /** Repeats a reading until nothing that decides it changed meanwhile. */
  const steadily = <A, E>(
    directory: string,
    reading: (names: Layout.Names) => Steps<A, E>,
    steadiness: Steadiness = deciding,
    again: number = attempts
  ): Effect.Effect<Reading<A>, PlatformError | InvalidJson | E> =>
    Effect.flatMap(
      files.look(directory, (names) => reading(Layout.parse(names)), steadiness),
      ({ isSteady, settled, value, version }): Effect.Effect<Reading<A>, PlatformError | InvalidJson | E> => {
        // A file that went while it was read shows that others are at work.
        const isAtRest = isSteady && !(Result.isFailure(value) && hasMoved(value.failure))
        if (!isAtRest && again > 0) return steadily(directory, reading, steadiness, again - 1)
        if (!isAtRest) {
          return Effect.fail(wrongKind("read", directory, "a session at rest", "one that changes all the time"))
        }
        return Result.isFailure(value)
          ? Effect.fail(value.failure)
          : Effect.succeed({ found: value.success, directory: version, settled })
      }
    )

  const tooLarge = (id: SessionId, bytes: number) =>
    Result.fail(new InvalidJson({ id, reason: new TooLarge({ bytes, limit: limits.maxBytes }) }))

  const wholeSnapshot: Wish = { name: Layout.snapshot, ...atMost(limits.maxBytes) }

  /** A file as far as the limit on a session leaves room for it beside `others`, bytes of the session. */
  function* readWhole(id: SessionId, wish: Wish, others = 0): Steps<Ends> {
    const found = yield wish
    return Result.isSuccess(found) && found.success.version.size > wish.limit
      ? tooLarge(id, found.success.version.size + others)
      : found
  }

  /** Snapshot and journals; of journals that do not count only the first line. */
  function* readAll(id: SessionId, names: Layout.Names, known?: Highest): Steps<FoundAll> {
    if (!names.hasSnapshot) return missing(id)
    const highest = known === undefined ? yield* readHighest(names, [wholeSnapshot]) : Result.succeed(known)
    if (Result.isFailure(highest)) return Result.fail(highest.failure)
    const snapshot = yield* readWhole(id, wholeSnapshot)
    if (Result.isFailure(snapshot)) return Result.fail(snapshot.failure)
    const signature = Head.signatureAtEnd(snapshot.success.head)
    const versions = [snapshot.success.version]
    const journals: Array<Uint8Array> = []
    let isOpen = false
    // One after the other: a journal is in place before the snapshot that it names.
    for (const { name } of names.journals.toReversed()) {
      const found = yield { name, ...lineSize }
      if (Result.isFailure(found)) return Result.fail(found.failure)
      const { counts, line, version } = firstLine(name, found.success, signature)
      versions.push(version)
      if (!counts || isOpen) {
        journals.unshift(line)
        continue
      }
      const others = snapshot.success.head.length
      const journal = yield* readWhole(id, { name, ...atMost(limits.maxBytes - others) }, others)
      if (Result.isFailure(journal)) return Result.fail(journal.failure)
      journals.unshift(journal.success.head)
      isOpen = true
    }
    return Result.succeed({
      highest: highest.success,
      isOpen,
      bytes: { snapshot: snapshot.success.head, journals, version: StoredVersion.of(versions) }
    })
  }

  const missing = (id: SessionId) => Result.fail(wrongKind("lstat", `${id}/${Layout.snapshot}`, "a snapshot", "none"))

  const readSteadily = (id: SessionId, directory: string) =>
    Effect.suspend(() => {
      let known: ReturnType<typeof recollections.of>
      let isFirst = true
      const recall = (stand: Stand) => {
        // Where a file is gone that is remembered, somebody set the directory's time back.
        known = isFirst ? recollections.of(directory, stand) : undefined
        isFirst = false
        return known?.names
      }
      const reading = (names: Layout.Names) => readAll(id, names, known?.highest)
      return Effect.map(steadily(directory, reading, { ...deciding, recall }), (read) => {
        const { directory: own, found, settled } = read
        if (settled !== undefined) recollections.keep(directory, own, { names: settled, highest: found.highest })
        return { ...found, identity: own.identity }
      })
    })

  const read = (id: SessionId, directory: string) =>
    Effect.flatMap(
      readSteadily(id, directory),
      ({ bytes, highest, identity, isOpen }) =>
        Effect.map(leases.judge(highest), (standing) => {
          const stored: Stored = {
            ...bytes,
            status: status(standing, isOpen),
            ...Option.match(standing.lease, {
              onNone: () => ({}),
              onSome: ({ holder, since }) => ({ holder, since })
            })
          }
          leasesFound.set(stored, { path: directory, highest, identity })
          return stored
        })
    )

  /** The highest lease that was found with what was read in a directory. */
  const leaseWith = (directory: string, stored: Stored): FoundLease | undefined => {
    const found = leasesFound.get(stored)
    return found?.path === directory ? found : undefined
  }

  /** Whether snapshot and journals are still the same files, unchanged. */
  const isStill = (directory: string, before: Stored): Effect.Effect<boolean> =>
    files.glance(directory, (names) => StoredVersion.look(Layout.parse(names))).pipe(
      Effect.map((found) => Result.isSuccess(found) && found.success === before.version),
      Effect.orElseSucceed(() => false)
    )

  /** The first bytes of an encrypted snapshot: all that a list shows, for who has the key. */
  function* readEncryptedHead(id: SessionId, short: Uint8Array): Steps<EncryptedHead> {
    let found = Envelope.headOf(short)
    if (Option.isNone(found)) {
      const longer = yield { name: Layout.snapshot, ...ends(Envelope.maxLineBytes + Head.maxHeadBytes, 0) }
      if (Result.isFailure(longer)) return Result.fail(longer.failure)
      found = Envelope.headOf(longer.success.head)
    }
    const error = Envelope.refuse(id, short)
    return Option.match(found, {
      onNone: () => Result.fail(error),
      onSome: (encrypted) => Result.succeed({ error, encrypted })
    })
  }

  /** The head, from the first bytes that hold all of it. */
  function* readHead(id: SessionId): Steps<FoundHead, SchemaVersion> {
    const found = yield { name: Layout.snapshot, ...ends(headBytes, Head.maxTailBytes) }
    if (Result.isFailure(found)) return Result.fail(found.failure)
    const { head: short, tail, version } = found.success
    const signature = Head.signatureAtEnd(tail)
    if (version.size > limits.maxBytes) return tooLarge(id, version.size)
    if (Envelope.isEncrypted(short)) {
      const head = yield* readEncryptedHead(id, short)
      return Result.map(head, (head) => ({ head, signature, version }))
    }
    const isCut = version.size > short.length
    if (Option.isNone(signature) && isCut) return Result.fail(new InvalidJson({ id, reason: new Unsigned({}) }))
    const decode = (bytes: Uint8Array) => Head.decode(id, bytes, Option.isSome(signature), format)
    let head = decode(short)
    if (isCut && Result.isSuccess(head) && Option.isNone(head.success)) {
      const longer = yield { name: Layout.snapshot, ...ends(Head.maxHeadBytes, 0) }
      if (Result.isFailure(longer)) return Result.fail(longer.failure)
      head = decode(longer.success.head)
    }
    return Result.flatMap(
      head,
      Option.match({
        onNone: () => Result.fail(Head.missing(id)),
        onSome: (head) => Result.succeed({ head, signature, version })
      })
    )
  }

  /** The head, and the journal that counts, as far as first lines tell. */
  function* readEntry(id: SessionId, names: Layout.Names): Steps<FoundEntry, SchemaVersion> {
    if (!names.hasSnapshot) return missing(id)
    const highest = yield* readHighest(names)
    if (Result.isFailure(highest)) return Result.fail(highest.failure)
    const head = yield* readHead(id)
    if (Result.isFailure(head)) return Result.fail(head.failure)
    for (const { name } of names.journals.toReversed()) {
      const found = yield { name, ...lineSize }
      if (Result.isFailure(found)) return Result.fail(found.failure)
      const { counts, version } = firstLine(name, found.success, head.success.signature)
      if (counts) {
        return Result.succeed({ ...head.success, highest: highest.success, journal: Option.some(version) })
      }
    }
    return Result.succeed({ ...head.success, highest: highest.success, journal: Option.none() })
  }

  /** What a list shows of the session, and the versions of directory and snapshot that it was found in. */
  const entry = Effect.fnUntraced(function*(id: SessionId, directory: string) {
    const { directory: own, found } = yield* steadily(directory, (names) => readEntry(id, names))
    const { head, journal, version } = found
    const standing = yield* leases.judge(found.highest)
    const state = status(standing, Option.isSome(journal))
    const lastWrite = Option.flatMap(journal, modified)
    const bytes = version.size + Option.match(journal, { onNone: () => 0, onSome: ({ size }) => size })
    const { holder, removed } = Option.match(standing.lease, {
      onNone: () => ({ holder: {}, removed: {} }),
      onSome: ({ holder, since }) => ({
        holder: state === "running" || state === "elsewhere" ? { holder } : {},
        removed: state === "removed" ? { removedAt: since } : {}
      })
    })
    const seen = { status: state, ...holder, directory: own, snapshot: version }
    if ("encrypted" in head) {
      const written = Option.match(lastWrite, { onNone: () => ({}), onSome: (writtenAt) => ({ writtenAt }) })
      const encrypted = { head: head.encrypted, status: state, ...holder, ...written, bytes }
      const entry: SessionList.Broken = { _tag: "Broken", name: id, id, ...removed, encrypted, error: head.error }
      const look: Look = { entry, ...seen }
      return look
    }
    const entry: SessionList.Stored = {
      _tag: "Stored",
      id,
      name: head.name,
      projectPath: head.projectPath,
      status: state,
      createdAt: head.createdAt,
      updatedAt: Option.getOrElse(
        Option.filter(lastWrite, (time) => time > head.updatedAt),
        () => head.updatedAt
      ),
      ...(head.closedAt === undefined ? {} : { closedAt: head.closedAt }),
      ...removed,
      ...holder,
      messages: head.messages,
      todosOpen: head.todosOpen,
      todosDone: head.todosDone,
      bytes,
      ...(head.parent === undefined ? {} : { parent: head.parent })
    }
    const look: Look = { entry, ...seen }
    return look
  })

  return { entry, leaseWith, isStill, read }
}

export type SessionFiles = ReturnType<typeof make>
