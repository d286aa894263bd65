/**
 * Reading one session's directory: names, files, and names again, so that what
 * is read was there at one moment. Readers hold nothing and change nothing.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Envelope from "../../core/Envelope.ts"
import * as Head from "../../core/Head.ts"
import type { Holder } from "../../core/Holder.ts"
import * as Journal from "../../core/Journal.ts"
import type { Format } from "../../core/Migration.ts"
import { InvalidJson, TooLarge, Unsigned } from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type * as SessionList from "../../core/SessionList.ts"
import * as Timestamp from "../../core/Timestamp.ts"
import type { Limits } from "../SessionLimits.ts"
import type { Stored } from "./Contract.ts"
import type { Files, Version } from "./Files.ts"
import { hasMoved, wrongKind } from "./Files.ts"
import * as Layout from "./Layout.ts"
import type { Leases, Standing } from "./Leases.ts"
import { status } from "./Leases.ts"

/** How often a reading that others changed underneath is begun again. */
const attempts = 100

/** Enough for most heads, and one read. */
const headBytes = 4096

/** What was read changed meanwhile. */
class Moved extends Data.TaggedError("Moved") {}

/** What a reading found, and the version of the snapshot that it found it in. */
interface Reading<A> {
  readonly value: A
  readonly version: Version
}

/** What a look at a session tells. */
interface Look {
  readonly entry: SessionList.Entry
  readonly status: SessionList.Status
  readonly holder?: Holder
  readonly version: Version
}

export const make = (services: {
  readonly files: Files
  readonly leases: Leases
  readonly path: Path.Path
  readonly limits: Limits
  readonly format: Format
}) => {
  const { files, format, leases, limits, path } = services

  /**
   * Repeats a reading until nothing that decides it changed meanwhile: the
   * highest lease, the names of the journals, the snapshot.
   */
  const steadily = <A, E>(
    directory: string,
    reading: (names: Layout.Names, standing: Standing) => Effect.Effect<Reading<A>, E>
  ) =>
    Effect.gen(function*() {
      const before = yield* leases.names(directory)
      const file = path.join(directory, Layout.snapshot)
      if (!before.hasSnapshot) return yield* wrongKind("lstat", file, "a snapshot", "none")
      const standing = yield* moves(leases.standing(directory, before))
      const { value, version } = yield* moves(reading(before, standing))
      const { identity } = yield* moves(files.version(file))
      const after = yield* leases.names(directory)
      return identity === version.identity && Layout.isSame(before, after) ? value : yield* new Moved()
    }).pipe(
      Effect.retry({ while: (error) => error instanceof Moved, times: attempts }),
      Effect.catchIf(
        (error) => error instanceof Moved,
        () => Effect.fail(wrongKind("read", directory, "a session at rest", "one that changes all the time"))
      )
    )

  /** A file that went while it was read shows that others are at work. */
  const moves = <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, E | Moved> =>
    Effect.catchIf(effect, hasMoved, () => new Moved())

  /** The first line of a journal, with its newline. */
  const readFirstLine = (file: string) =>
    Effect.map(files.readEnds(file, { head: Envelope.maxLineBytes, tail: 0 }), ({ head, version }) => ({
      line: head.subarray(0, head.indexOf(0x0a) + 1 || head.length),
      version
    }))

  const namesSnapshot = (signature: Option.Option<string>, line: Uint8Array): boolean =>
    Option.exists(
      Journal.snapshotNamed(line),
      (named) => Option.contains(signature, named)
    )

  const readJournal = (file: string, snapshotBytes: number) =>
    files.read(file, limits.maxBytes - snapshotBytes).pipe(
      Effect.map(({ bytes }) => bytes),
      Effect.catchTag("TooLarge", ({ bytes }) => new TooLarge({ bytes: bytes + snapshotBytes, limit: limits.maxBytes }))
    )

  /** Snapshot and journals; of journals that do not count only the first line. */
  const read = (id: SessionId, directory: string) =>
    steadily(directory, (found, standing) =>
      Effect.gen(function*() {
        const { bytes: snapshot, version } = yield* files.read(path.join(directory, Layout.snapshot), limits.maxBytes)
        const signature = Head.signatureAtEnd(snapshot)
        const journals: Array<Uint8Array> = []
        const versions = [version.identity]
        let isOpen = false
        for (const { name } of found.journals.toReversed()) {
          const file = path.join(directory, name)
          const { line, version } = yield* readFirstLine(file)
          versions.push(version.identity)
          const counts: boolean = !isOpen && namesSnapshot(signature, line)
          journals.unshift(counts ? yield* readJournal(file, snapshot.length) : line)
          isOpen = isOpen || counts
        }
        const value: Stored = {
          snapshot,
          journals,
          status: status(standing, isOpen),
          version: versions.join(" "),
          ...Option.match(standing.lease, {
            onNone: () => ({}),
            onSome: ({ holder, since }) => ({ holder, since })
          })
        }
        return { value, version }
      })).pipe(
        Effect.catchTag("TooLarge", (reason) => new InvalidJson({ id, reason }))
      )

  /** Whether snapshot and journals are still the same files, unchanged. */
  const isStill = (directory: string, before: Stored): Effect.Effect<boolean> =>
    Effect.gen(function*() {
      const { journals } = yield* leases.names(directory)
      const names = [Layout.snapshot, ...journals.toReversed().map(({ name }) => name)]
      const versions = yield* Effect.forEach(names, (name) => files.version(path.join(directory, name)))
      return versions.map(({ identity }) => identity).join(" ") === before.version
    }).pipe(Effect.orElseSucceed(() => false))

  /** The journal that counts, as far as first lines tell. */
  const countingJournal = Effect.fnUntraced(function*(
    directory: string,
    found: Layout.Names,
    signature: Option.Option<string>
  ) {
    for (const { name } of found.journals.toReversed()) {
      const { line, version } = yield* readFirstLine(path.join(directory, name))
      if (namesSnapshot(signature, line)) return Option.some(version)
    }
    return Option.none()
  })

  const modified = ({ mtime }: Version): Option.Option<Timestamp.Timestamp> =>
    mtime.pipe(
      // File systems hold years that timestamps do not.
      Option.filter((time) => time.getUTCFullYear() >= 0 && time.getUTCFullYear() <= 9999),
      Option.map((time) => Timestamp.fromDateTime(DateTime.fromDateUnsafe(time)))
    )

  const readHead = Effect.fnUntraced(function*(id: SessionId, file: string) {
    const ends = yield* files.readEnds(file, { head: headBytes, tail: Head.maxTailBytes })
    const { size } = ends.version
    const signature = Head.signatureAtEnd(ends.tail)
    if (size > limits.maxBytes) {
      return yield* new InvalidJson({ id, reason: new TooLarge({ bytes: size, limit: limits.maxBytes }) })
    }
    if (Envelope.isEncrypted(ends.head)) {
      return { head: yield* readEncryptedHead(id, file, ends.head), signature, version: ends.version }
    }
    if (Option.isNone(signature) && size > ends.head.length) {
      return yield* new InvalidJson({ id, reason: new Unsigned({}) })
    }
    const short = Head.decode(id, ends.head, Option.isSome(signature), format)
    const found = yield* Effect.fromResult(short)
    const head = yield* Option.isSome(found) || size <= ends.head.length
      ? Effect.succeed(found)
      : Effect.flatMap(
        files.readEnds(file, { head: Head.maxHeadBytes, tail: 0 }),
        (longer) => Effect.fromResult(Head.decode(id, longer.head, Option.isSome(signature), format))
      )
    if (Option.isNone(head)) return yield* Head.missing(id)
    return { head: head.value, signature, version: ends.version }
  })

  /** The first bytes of an encrypted snapshot: all that a list shows, for who has the key. */
  const readEncryptedHead = Effect.fnUntraced(function*(id: SessionId, file: string, start: Uint8Array) {
    const short = Envelope.headOf(start)
    const head = Option.isSome(short) ? short : Envelope.headOf(
      (yield* files.readEnds(file, { head: Envelope.maxLineBytes + Head.maxHeadBytes, tail: 0 })).head
    )
    const error = Envelope.refuse(id, start)
    return Option.isNone(head) ? yield* error : { error, encrypted: head.value }
  })

  /** What a list shows of the session. */
  const entry = (id: SessionId, directory: string) =>
    steadily(directory, (found, standing) =>
      Effect.gen(function*() {
        const { head, signature, version } = yield* readHead(id, path.join(directory, Layout.snapshot))
        const journal = yield* countingJournal(directory, found, signature)
        const lastWrite = Option.flatMap(journal, modified)
        const state = status(standing, Option.isSome(journal))
        const bytes = version.size + Option.match(journal, { onNone: () => 0, onSome: ({ size }) => size })
        const { holder, removed } = Option.match(standing.lease, {
          onNone: () => ({ holder: {}, removed: {} }),
          onSome: ({ holder, since }) => ({
            holder: state === "running" || state === "elsewhere" ? { holder } : {},
            removed: state === "removed" ? { removedAt: since } : {}
          })
        })
        if ("encrypted" in head) {
          const written = Option.match(lastWrite, { onNone: () => ({}), onSome: (writtenAt) => ({ writtenAt }) })
          const encrypted = { head: head.encrypted, status: state, ...holder, ...written, bytes }
          const entry: SessionList.Broken = { _tag: "Broken", name: id, id, ...removed, encrypted, error: head.error }
          const value: Look = { entry, status: state, ...holder, version }
          return { value, version }
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
          bytes
        }
        const value: Look = { entry, status: state, ...holder, version }
        return { value, version }
      }))

  return { entry, isStill, read }
}

export type SessionFiles = ReturnType<typeof make>
