/**
 * The file-system calls that durability and safety rest on: reading without
 * following links, writing with sync, listing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type * as PlatformError from "effect/PlatformError"
import * as Scope from "effect/Scope"
import { TooLarge } from "../../core/SessionError.ts"
import { isPresent, replaced, writableByOthers, wrongKind } from "./FileError.ts"
import * as InOneGo from "./InOneGo.ts"
import type { Found, Reading, Stand, Version, Wish } from "./Reading.ts"
import { atMost, endsOf, identityIn, isVersionOnly, namesAlone, ranges, versionOf, versionOnly } from "./Reading.ts"

type Failure = PlatformError.PlatformError

/** Files and directories are created with these modes, with no moment in between. */
export const fileMode = 0o600
const directoryMode = 0o700

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

  const readInSteps: InOneGo.Reader = Effect.fnUntraced(
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

  const lookInSteps: InOneGo.InOneGo["look"] = Effect.fnUntraced(function*(directory, reading, { isSame, watched }) {
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

  const { glance: glanceInOneGo, isAtOnce, linkUnsynced: linkInOneGo, look, read: readPart, stand, versions }:
    InOneGo.InOneGo = InOneGo.of(fs) ?? {
      isAtOnce: false,
      read: readInSteps,
      look: lookInSteps,
      versions: (paths) => Effect.forEach(paths, (path) => Effect.option(versionOfDirectory(path)), { concurrency: 8 })
    }

  /** Reads a little in a directory itself that was in use a moment ago. */
  const glance: NonNullable<InOneGo.InOneGo["glance"]> = glanceInOneGo ??
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

  const readRegular: InOneGo.Reader = (path, wanted) => Effect.uninterruptible(readPart(path, wanted))

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

  const linkPrepared = (
    { bytes, directory, name, prepared }: InOneGo.NewLink,
    write: (path: string, bytes: Uint8Array) => Effect.Effect<unknown, Failure>
  ) => {
    const path = `${directory}/${prepared}`
    return Effect.ensuring(
      Effect.andThen(write(path, bytes), fs.link(path, `${directory}/${name}`)),
      removeQuietly(path)
    )
  }

  /** Gives a new file, complete and synced, a name that must be free. */
  const linkNew = (link: InOneGo.NewLink) => linkPrepared(link, write)

  /**
   * Gives a new file, complete, a name that must be free, and reads what is there then.
   * A power loss leaves any part of either, until they are synced.
   */
  const linkUnsynced: NonNullable<InOneGo.InOneGo["linkUnsynced"]> = linkInOneGo ??
    ((link, reading) =>
      Effect.andThen(
        linkPrepared(link, (path, bytes) => Effect.scoped(createUnsynced(path, bytes))),
        glance(link.directory, reading)
      ))

  return {
    checkDirectory,
    checkPrivate,
    create,
    directoryNow,
    ensureDirectory,
    glance,
    isAtOnce,
    linkNew,
    linkUnsynced: <A>(link: InOneGo.NewLink, reading: Reading<A>) =>
      Effect.uninterruptible(linkUnsynced(link, reading)),
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
