/**
 * The file-system calls that durability and safety rest on: reading without
 * following links, writing with sync, listing.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { TooLarge } from "../../core/SessionError.ts"

type Info = FileSystem.File.Info
type Failure = PlatformError.PlatformError

/** Files and directories are created with these modes, with no moment in between. */
export const fileMode = 0o600
const directoryMode = 0o700

/** Whether a call failed because nothing is at the path. */
export const isMissing = (error: unknown): boolean =>
  PlatformError.isPlatformError(error) && error.reason._tag === "NotFound"

/** Whether something else, or nothing, is where a file of ours should be. */
export const isNoFile = (error: Failure): boolean => error.reason._tag === "BadResource"

/** Whether the file at a path went, or was replaced, while it was being read. */
export const hasMoved = (error: unknown): boolean =>
  PlatformError.isPlatformError(error) && (error.reason._tag === "NotFound" || error.reason._tag === "Busy")

/** Whether a call failed because something is at the path. */
export const isPresent = (error: Failure): boolean => error.reason._tag === "AlreadyExists"

/** One version of a file. */
export interface Version {
  /** What tells it from the next. */
  readonly identity: string
  readonly size: number
  readonly mode: number
  readonly mtime: Option.Option<Date>
}

/** The first and the last bytes of a file; none of either where it is larger than the limit. */
export interface Ends {
  readonly head: Uint8Array
  readonly tail: Uint8Array
  readonly version: Version
}

/** How much of a file is wanted, in bytes. */
export interface Wanted {
  readonly head: number
  readonly tail: number
  readonly limit: number
}

/** All of a file, and nothing of one that is larger. */
export const atMost = (bytes: number): Wanted => ({ head: bytes, tail: 0, limit: bytes })

/** So much of a file, however large it is. */
export const ends = (head: number, tail: number): Wanted => ({ head, tail, limit: Number.MAX_SAFE_INTEGER })

/** Reads a regular file, and nothing else, without following a link or waiting for anybody. */
type Reader = (path: string, wanted: Wanted) => Effect.Effect<Ends, Failure>

/** Nothing of a file but which version of it is there, of whatever kind it is. */
export const nothing: Wanted = ends(0, 0)

/** Whether nothing but the version is wanted. */
export const isVersionOnly = ({ head, tail }: Wanted): boolean => head + tail === 0

/** What a version comes to that was wanted alone. */
export const versionOnly = (version: Version): Ends => ({ head: new Uint8Array(), tail: new Uint8Array(), version })

/** A file in a directory, and how much of it is wanted. */
export interface Wish extends Wanted {
  readonly name: string
}

/** What came of a wish. */
export type Found = Result.Result<Ends, Failure>

/** Which version of the file was found. */
export const identityIn = (found: Found): string | undefined =>
  Result.isSuccess(found) ? found.success.version.identity : undefined

/** Reads files of a directory with these names: asks for one after the other, and says what they come to. */
export type Reading<A> = (names: ReadonlyArray<string>) => Generator<Wish, A, Found>

/** How a directory was found. */
export interface Stand {
  readonly version: Version
  /** Whether any change from then on shows in the version. */
  readonly isSettled: boolean
}

/** What tells that nothing changed while a directory was being read. */
export interface Steadiness {
  /** The file that is looked at once more. */
  readonly watched: string
  /** Whether the names of then and now mean the same. */
  readonly isSame: (before: ReadonlyArray<string>, after: ReadonlyArray<string>) => boolean
  /** The names that are known of the directory as it stands, where they are. */
  readonly recall?: (stand: Stand) => ReadonlyArray<string> | undefined
}

/** What a reading of a directory came to. */
export interface Look<A> {
  readonly value: A
  /** Of the directory, before anything in it was looked at. */
  readonly version: Version
  /** Whether everything that was read was there at one moment. */
  readonly isSteady: boolean
  /** The names that were found, where any change of them from then on shows in the version. */
  readonly settled?: ReadonlyArray<string>
}

/** A file under a private name, and the name in the same directory that it is given once it is complete. */
export interface NewLink {
  readonly prepared: string
  readonly path: string
  readonly bytes: Uint8Array
}

/** Where a path leads, and what is there: not of a directory that can't be read. */
export interface Followed {
  readonly path: string
  readonly info: Result.Result<Info, Failure>
}

/** Several calls in one go, for a file system to which each call is a cost of its own. */
export interface InOneGo {
  /** Whether nothing is gained by asking for several at the same time. */
  readonly isAtOnce: boolean
  readonly read: Reader
  /** Reads files of a directory itself, not of one that a link leads to. */
  readonly look: <A>(directory: string, reading: Reading<A>, steadiness: Steadiness) => Effect.Effect<Look<A>, Failure>
  /** Which directory itself is at a path. It was in use a moment ago, so that this waits for nothing. */
  readonly stand?: (directory: string) => Effect.Effect<Stand, Failure>
  /**
   * Reads a little in a directory itself, whatever others do there meanwhile. It was
   * in use a moment ago, so that this waits for nothing.
   */
  readonly glance?: <A>(directory: string, reading: Reading<A>) => Effect.Effect<A, Failure>
  /** Gives a new file a name that must be free, and takes the private one away. Nothing of it is durable. */
  readonly linkUnsynced?: (link: NewLink) => Effect.Effect<void, Failure>
  /** Follows a path to what is there. */
  readonly follow?: (path: string) => Effect.Effect<Followed, Failure>
  /** Which directories are at these paths; none where there is none. */
  readonly versions: (paths: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Option.Option<Version>>>
}

const offered = new WeakMap<FileSystem.FileSystem, InOneGo>()

/**
 * Offers to make several calls in one go. Whoever wraps the file system is asked
 * for each call instead.
 */
export const offerInOneGo = (fs: FileSystem.FileSystem, inOneGo: InOneGo): void => void offered.set(fs, inOneGo)

/** Follows a path to what is there. */
export const follow = (fs: FileSystem.FileSystem): (path: string) => Effect.Effect<Followed, Failure> =>
  offered.get(fs)?.follow ??
    ((path) =>
      Effect.flatMap(fs.realPath(path), (real) =>
        Effect.map(
          Effect.result(
            Effect.tap(
              fs.stat(real),
              ({ type }) => type === "Directory" ? fs.access(real, { readable: true }) : Effect.void
            )
          ),
          (info) => ({ path: real, info })
        )))

/**
 * What changed less than this before it was looked at can change once more
 * without showing it: file systems count time in ticks.
 */
const settledMillis = 1_100

/** Whether any change from now on shows in the version. */
export const isSettled = ({ mtime }: Version, nowMillis: number): boolean =>
  Option.exists(mtime, (time) => nowMillis - time.getTime() > settledMillis)

export const identityOf = (dev: bigint, ino: bigint, size: bigint, mtimeMillis: bigint | number): string =>
  `${dev}:${ino}:${size}:${mtimeMillis}`

const versionOf = ({ dev, ino, mode, mtime, size }: Info): Version => ({
  identity: identityOf(
    dev,
    Option.getOrElse(ino, () => 0n),
    ByteSize.toBigInt(size),
    Option.getOrUndefined(mtime)?.getTime() ?? 0
  ),
  size: Option.getOrElse(ByteSize.toNumber(size), () => Number.MAX_SAFE_INTEGER),
  mode,
  mtime
})

/** Which of a file's bytes are read, and where from. */
export const ranges = ({ head, limit, tail }: Wanted, size: number) => {
  if (size > limit) return { headLength: 0, tailFrom: 0, tailLength: 0 }
  const headLength = Math.min(head, size)
  const tailFrom = Math.max(0, size - tail)
  // What the head has already is not read again.
  return { headLength, tailFrom, tailLength: headLength === size ? 0 : size - tailFrom }
}

/** What was read, put together: a head that is all of the file holds its end. */
export const endsOf = (version: Version, tailFrom: number, head: Uint8Array, tail: Uint8Array): Ends => ({
  head,
  tail: head.length === version.size ? head.subarray(tailFrom) : tail,
  version
})

/** The reading that asks for nothing. */
function* namesAlone(names: ReadonlyArray<string>) {
  return names
}

/** Something else, or nothing, is where a file of ours should be. */
export const wrongKind = (method: string, path: string, expected: string, found: string): Failure =>
  PlatformError.systemError({
    _tag: "BadResource",
    module: "FileSystem",
    method,
    pathOrDescriptor: path,
    description: `expected ${expected} and found ${found}`
  })

const writableByOthers = (path: string): Failure =>
  PlatformError.systemError({
    _tag: "PermissionDenied",
    module: "FileSystem",
    method: "lstat",
    pathOrDescriptor: path,
    description: "others can write to the sessions directory: chmod go-w it, and check what is in it"
  })

const replaced = (path: string): Failure =>
  PlatformError.systemError({
    _tag: "Busy",
    module: "FileSystem",
    method: "open",
    pathOrDescriptor: path,
    description: "the file was replaced while it was being opened"
  })

export const make = (fs: FileSystem.FileSystem) => {
  /** Directories whose names are not durable yet. */
  const unsynced = new Set<string>()
  /** Fails unless a directory itself, not a link to one, is at the path. */
  const checkDirectory = Effect.fnUntraced(function*(path: string) {
    const info = yield* fs.lstat(path)
    if (info.type !== "Directory") return yield* wrongKind("lstat", path, "a directory", info.type)
    return info
  })

  /** When a directory last changed, and which one it is. */
  const versionOfDirectory = (path: string) => Effect.map(checkDirectory(path), versionOf)

  const versionAt = (path: string) => Effect.map(fs.lstat(path), versionOf)

  /** Opens a file. What closing it says is of no interest: it is closed, and what had to be durable was synced. */
  const open = Effect.fnUntraced(function*(path: string, options: Parameters<typeof fs.open>[1]) {
    const scope = yield* Scope.make()
    yield* Effect.addFinalizer((exit) => Effect.exit(Scope.close(scope, exit)))
    return yield* Scope.provide(fs.open(path, options), scope)
  }, Effect.uninterruptible)

  /** Opens a regular file for reading: not a link, and the same file that was looked at. */
  const openRegular = Effect.fnUntraced(function*(path: string) {
    const before = yield* fs.lstat(path)
    if (before.type !== "File") return yield* wrongKind("open", path, "a regular file", before.type)
    const file = yield* open(path, { flag: "r", noFollow: true })
    const info = yield* file.stat
    const isSame = info.type === "File" && info.dev === before.dev &&
      Option.getOrUndefined(info.ino) === Option.getOrUndefined(before.ino)
    return isSame ? { file, info } : yield* replaced(path)
  })

  const readAt = Effect.fnUntraced(function*(file: FileSystem.File, from: number, length: number) {
    const buffer = new Uint8Array(length)
    let filled = 0
    while (filled < length) {
      const count = yield* file.read(buffer.subarray(filled), { position: BigInt(from + filled) })
      if (count === 0) break
      filled += count
    }
    return buffer.subarray(0, filled)
  })

  const readInSteps: Reader = Effect.fnUntraced(
    function*(path, wanted) {
      const { file, info } = yield* openRegular(path)
      const version = versionOf(info)
      const { headLength, tailFrom, tailLength } = ranges(wanted, version.size)
      const head = yield* readAt(file, 0, headLength)
      return endsOf(version, tailFrom, head, yield* readAt(file, tailFrom, tailLength))
    },
    Effect.scoped,
    Effect.uninterruptible
  )

  /** Reads what is asked for, one file after the other. */
  const runInSteps = Effect.fnUntraced(function*<A>(
    directory: string,
    steps: Generator<Wish, A, Found>,
    onFound: (name: string, found: Found) => void = () => undefined
  ) {
    let step = steps.next()
    while (step.done !== true) {
      const { name } = step.value
      const path = `${directory}/${name}`
      const found = yield* Effect.result(
        isVersionOnly(step.value) ? Effect.map(versionAt(path), versionOnly) : readInSteps(path, step.value)
      )
      onFound(name, found)
      step = steps.next(found)
    }
    return step.value
  })

  const lookInSteps: InOneGo["look"] = Effect.fnUntraced(function*(directory, reading, { isSame, watched }) {
    const version = yield* versionOfDirectory(directory)
    const names = yield* fs.readDirectory(directory)
    let seen: string | undefined
    const value = yield* runInSteps(directory, reading(names), (name, found) => {
      if (name === watched) seen = identityIn(found)
    })
    const again = yield* Effect.option(versionAt(`${directory}/${watched}`))
    const isSteady = Option.getOrUndefined(again)?.identity === seen &&
      isSame(names, yield* fs.readDirectory(directory))
    return { value, version, isSteady }
  })

  const { glance: glanceInOneGo, isAtOnce, linkUnsynced: linkInOneGo, look, read: readPart, stand, versions }: InOneGo =
    offered.get(fs) ?? {
      isAtOnce: false,
      read: readInSteps,
      look: lookInSteps,
      versions: (paths) => Effect.forEach(paths, (path) => Effect.option(versionOfDirectory(path)), { concurrency: 8 })
    }

  /** Reads a little in a directory itself that was in use a moment ago. */
  const glance: NonNullable<InOneGo["glance"]> = glanceInOneGo ??
    ((directory, reading) =>
      Effect.andThen(
        checkDirectory(directory),
        Effect.flatMap(fs.readDirectory(directory), (names) => runInSteps(directory, reading(names)))
      ))

  /** The names in a directory that was in use a moment ago. */
  const namesNow = (directory: string) => glance(directory, namesAlone)

  /** Which directory itself is at a path where one was a moment ago. */
  const directoryNow = (path: string): Effect.Effect<Version, Failure> =>
    stand === undefined ? versionOfDirectory(path) : Effect.map(stand(path), ({ version }) => version)

  /** Fails unless a directory is at the path that nobody but its owner can write to. */
  const checkPrivate = (path: string): Effect.Effect<void, Failure> =>
    Effect.flatMap(
      directoryNow(path),
      ({ mode }) => (mode & 0o022) === 0 ? Effect.void : Effect.fail(writableByOthers(path))
    )

  /**
   * What the names in a directory mean, for who asks again and again: they are
   * looked up where the directory may have changed.
   */
  const watch = <A>(directory: string, meaning: (names: ReadonlyArray<string>) => A): Effect.Effect<A, Failure> => {
    if (stand === undefined) return Effect.map(fs.readDirectory(directory), meaning)
    let known: { readonly identity: string; readonly value: A } | undefined
    const lookUp = ({ isSettled, version }: Stand) =>
      Effect.map(namesNow(directory), (names) => {
        const value = meaning(names)
        known = isSettled ? { identity: version.identity, value } : undefined
        return value
      })
    return Effect.flatMap(
      stand(directory),
      (now) => known?.identity === now.version.identity ? Effect.succeed(known.value) : lookUp(now)
    )
  }

  const readRegular: Reader = (path, wanted) => Effect.uninterruptible(readPart(path, wanted))

  /** All bytes of a regular file, refused from its size when there are more than `limit`. */
  const read = (path: string, limit: number) =>
    Effect.flatMap(readRegular(path, atMost(limit)), ({ head, version }) =>
      version.size > limit
        ? Effect.fail(new TooLarge({ bytes: version.size, limit }))
        : Effect.succeed({ bytes: head, version }))

  /** Creates a file that must not exist yet. It stays open in the scope. */
  const createUnsynced = Effect.fnUntraced(function*(path: string, bytes: Uint8Array) {
    const file = yield* open(path, { flag: "ax", mode: fileMode })
    yield* file.writeAll(bytes)
    return file
  })

  /** Creates a file that must not exist yet, and syncs it. It stays open in the scope. */
  const create = (path: string, bytes: Uint8Array) => Effect.tap(createUnsynced(path, bytes), (file) => file.sync)

  /** Creates a file that must not exist yet, synced and closed. */
  const write = (path: string, bytes: Uint8Array): Effect.Effect<void, Failure> =>
    Effect.uninterruptible(Effect.scoped(create(path, bytes)))

  const syncAt = (path: string, options: { readonly noFollow: boolean }): Effect.Effect<void, Failure> =>
    Effect.uninterruptible(Effect.scoped(Effect.flatMap(open(path, { flag: "r", ...options }), (file) => file.sync)))

  /** Makes the bytes of a file durable. */
  const syncFile = (path: string) => syncAt(path, { noFollow: true })

  /** Makes the names in a directory durable. */
  const syncDirectory = (path: string) => syncAt(path, { noFollow: false })

  /**
   * Makes a directory and those that lead to it, and makes their names durable;
   * that of the directory itself also where it was there, since whoever made it
   * may not have come that far.
   */
  const ensureDirectory = Effect.fnUntraced(function*(path: Path.Path, directory: string) {
    const wanted = [directory]
    for (let parent = path.dirname(directory); !(yield* fs.exists(parent)); parent = path.dirname(parent)) {
      wanted.unshift(parent)
    }
    for (const name of wanted) {
      yield* Effect.catchIf(fs.makeDirectory(name, { mode: directoryMode }), isPresent, () => Effect.void)
      unsynced.add(name)
    }
    for (const name of unsynced) {
      yield* syncDirectory(path.dirname(name))
      unsynced.delete(name)
    }
  })

  /** Deletes what may be gone already. */
  const remove = (path: string, options?: { readonly recursive: boolean }): Effect.Effect<void, Failure> =>
    Effect.retry(fs.remove(path, { ...options, force: true }), { times: 2 })

  /** Deletes as far as it goes: whoever holds the session next does it again. */
  const removeQuietly = (path: string, options?: { readonly recursive: boolean }): Effect.Effect<void> =>
    Effect.asVoid(Effect.exit(remove(path, options)))

  const linkPrepared = ({ path, prepared }: NewLink, write: Effect.Effect<unknown, Failure>) =>
    Effect.ensuring(Effect.andThen(write, fs.link(prepared, path)), removeQuietly(prepared))

  /** Gives a new file, complete and synced, a name that must be free. */
  const linkNew = (link: NewLink) => linkPrepared(link, write(link.prepared, link.bytes))

  /** Gives a new file, complete, a name that must be free. A power loss leaves any part of either, until they are synced. */
  const linkUnsynced: NonNullable<InOneGo["linkUnsynced"]> = linkInOneGo ??
    ((link) => linkPrepared(link, Effect.scoped(createUnsynced(link.prepared, link.bytes))))

  return {
    checkDirectory,
    checkPrivate,
    create,
    directoryNow,
    ensureDirectory,
    glance,
    isAtOnce,
    linkNew,
    linkUnsynced: (link: NewLink) => Effect.uninterruptible(linkUnsynced(link)),
    look,
    namesNow,
    read,
    readRegular,
    versions,
    remove,
    removeQuietly,
    syncDirectory,
    syncFile,
    watch,
    write,
    names: fs.readDirectory,
    lstat: fs.lstat,
    link: fs.link,
    rename: fs.rename,
    makeDirectory: (path: string) => fs.makeDirectory(path, { mode: directoryMode }),
    /** Says when a file was changed, where the file system lets it be said. */
    dateQuietly: (path: string, at: Date): Effect.Effect<void> => Effect.asVoid(Effect.exit(fs.utimes(path, at, at))),
    /** Opens what `create` made, in a scope that outlives it. */
    createIn: (scope: Scope.Scope, path: string, bytes: Uint8Array) => Scope.provide(create(path, bytes), scope)
  }
}

export type Files = ReturnType<typeof make>
