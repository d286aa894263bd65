/**
 * Several calls in one go: reading a regular file, and reading files of a
 * directory that is held open meanwhile.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as Result from "effect/Result"
import * as NodeFs from "node:fs"
import { setImmediate as immediate } from "node:timers/promises"
import { promisify } from "node:util"
import * as FileError from "../../services/store/FileError.ts"
import * as Files from "../../services/store/Files.ts"
import type * as InOneGo from "../../services/store/InOneGo.ts"
import * as Reading from "../../services/store/Reading.ts"
import type { Anchor } from "./Anchor.ts"
import * as OpenFile from "./OpenFile.ts"
import * as SystemCall from "./SystemCall.ts"

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY, R_OK } = NodeFs.constants

const creating = O_CREAT | O_EXCL | O_WRONLY

/** A link is not followed, and a FIFO not waited for: what it is shows once it is open. */
const flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW

const link = promisify(NodeFs.link)
const unlink = promisify(NodeFs.unlink)
const realPath = promisify<string, string>(NodeFs.realpath.native)

/** How files are read that may be long, or have to be waited for. */
interface Calls {
  readonly open: (path: string, flags: number, mode?: number) => Promise<number>
  /** Bytes into a buffer from an index on, as many as come at once. */
  readonly read: (fd: number, buffer: Uint8Array, at: number, from: number) => Promise<number>
  readonly readdir: (path: string) => Promise<ReadonlyArray<string>>
}

const onThreadsOfNode: Calls = {
  open: promisify(NodeFs.open),
  read: promisify((
    fd: number,
    buffer: Uint8Array,
    at: number,
    from: number,
    done: (error: Error | null, count: number) => void
  ) => NodeFs.read(fd, buffer, at, buffer.length - at, from, done)),
  readdir: promisify<string, Array<string>>(NodeFs.readdir)
}

/** At once, a slice at a time: others come between them. */
const inSlices: Calls = {
  open: async (path, flags) => NodeFs.openSync(path, flags),
  read: async (fd, buffer, at, from) => {
    const count = NodeFs.readSync(fd, buffer, at, Math.min(buffer.length - at, OpenFile.sliceBytes), from)
    if (at + count < buffer.length) await immediate()
    return count
  },
  readdir: async (path) => NodeFs.readdirSync(path)
}

const versionOf = (stats: NodeFs.BigIntStats): Reading.Version => ({
  identity: Reading.identityOf(OpenFile.unsigned(stats.dev), OpenFile.unsigned(stats.ino), stats.size, stats.mtimeMs),
  size: Number(stats.size),
  mode: Number(stats.mode),
  mtime: Option.some(stats.mtime)
})

/** What an open file is. It was looked up when it was opened, so that this waits for nothing. */
const versionOfFile = (fd: number, path: string): Reading.Version => {
  const stats = NodeFs.fstatSync(fd, { bigint: true })
  if (!stats.isFile()) throw FileError.wrongKind("open", path, "a regular file", OpenFile.typeOf(stats))
  return versionOf(stats)
}

const failure = (method: string, path: string) => (cause: unknown) =>
  PlatformError.isPlatformError(cause) ? cause : SystemCall.failure({ method, path })(cause)

const readSync = (fd: number, from: number, length: number): Uint8Array => {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const count = NodeFs.readSync(fd, bytes, filled, length - filled, from + filled)
    if (count === 0) break
    filled += count
  }
  return bytes.subarray(0, filled)
}

const readLater = async (calls: Calls, fd: number, from: number, length: number): Promise<Uint8Array> => {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const count = await calls.read(fd, bytes, filled, from + filled)
    if (count === 0) break
    filled += count
  }
  return bytes.subarray(0, filled)
}

const endsLater = async (calls: Calls, held: string, path: string, wanted: Reading.Wanted): Promise<Reading.Ends> => {
  const fd = await calls.open(held, flags)
  try {
    const version = versionOfFile(fd, path)
    const { headLength, tailFrom, tailLength } = Reading.ranges(wanted, version.size)
    const head = await readLater(calls, fd, 0, headLength)
    return Reading.endsOf(version, tailFrom, head, await readLater(calls, fd, tailFrom, tailLength))
  } finally {
    NodeFs.closeSync(fd)
  }
}

/** More is wanted than a moment takes. */
const tooMuch = new Error("more is wanted than a moment takes")

const endsOfSync = (held: string, path: string, wanted: Reading.Wanted): Reading.Ends => {
  if (Reading.isVersionOnly(wanted)) return Reading.versionOnly(versionOf(NodeFs.lstatSync(held, { bigint: true })))
  const fd = NodeFs.openSync(held, flags)
  try {
    const version = versionOfFile(fd, path)
    const { headLength, tailFrom, tailLength } = Reading.ranges(wanted, version.size)
    if (headLength + tailLength > OpenFile.sliceBytes) throw tooMuch
    const head = readSync(fd, 0, headLength)
    return Reading.endsOf(version, tailFrom, head, readSync(fd, tailFrom, tailLength))
  } finally {
    NodeFs.closeSync(fd)
  }
}

const standing = (stats: NodeFs.BigIntStats): Reading.Stand => {
  const version = versionOf(stats)
  return { version, isSettled: Reading.isSettled(version, Date.now()) }
}

const standOf = (fd: number): Reading.Stand => standing(NodeFs.fstatSync(fd, { bigint: true }))

const isUnchanged = (fd: number, before: Reading.Stand): boolean =>
  before.isSettled && standOf(fd).version.identity === before.version.identity

const stand = (path: string) =>
  Effect.try({
    try: () => {
      const stats = NodeFs.lstatSync(path, { bigint: true })
      if (!stats.isDirectory()) throw FileError.wrongKind("lstat", path, "a directory", OpenFile.typeOf(stats))
      return standing(stats)
    },
    catch: failure("lstat", path)
  })

/** Looks at once: a directory that was in use a moment ago, and what is small in it, are in memory. */
const glance = (anchor: Anchor): NonNullable<InOneGo.InOneGo["glance"]> => (path, reading) =>
  Effect.try({
    try: () => {
      const directory = anchor.open(path)
      try {
        return runSync(directory.path, path, reading(NodeFs.readdirSync(directory.path)))
      } finally {
        NodeFs.closeSync(directory.fd)
      }
    },
    catch: failure("readDirectory", path)
  })

/** What is at a path that was followed just now, so that this waits for nothing. */
const readableAt = (path: string): InOneGo.Followed => {
  const info = Result.try({
    try: () => {
      const stats = NodeFs.statSync(path, { bigint: true })
      if (stats.isDirectory()) NodeFs.accessSync(path, R_OK)
      return OpenFile.infoOf(stats)
    },
    catch: failure("stat", path)
  })
  return { path, info }
}

const linkLater = async (from: string, to: string, bytes: Uint8Array): Promise<void> => {
  const fd = await onThreadsOfNode.open(from, creating, Files.fileMode)
  try {
    // Into memory alone, which waits for nothing.
    for (let at = 0; at < bytes.length;) at += NodeFs.writeSync(fd, bytes, at)
  } finally {
    NodeFs.closeSync(fd)
  }
  await link(from, to)
}

const linkSync = (from: string, to: string, bytes: Uint8Array): void => {
  const fd = NodeFs.openSync(from, creating, Files.fileMode)
  try {
    for (let at = 0; at < bytes.length;) at += NodeFs.writeSync(fd, bytes, at)
  } finally {
    NodeFs.closeSync(fd)
  }
  NodeFs.linkSync(from, to)
}

/** Whoever holds the session next does it again. */
const unlinkQuietly = (path: string): void => {
  try {
    NodeFs.unlinkSync(path)
  } catch {}
}

/** Which file is at a path, where there is one. */
const identityAt = (path: string): string | undefined => {
  const stats = NodeFs.lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? undefined : versionOf(stats).identity
}

/** Reading that waits between its calls. */
const waiting = (anchor: Anchor, calls: Calls): Pick<InOneGo.InOneGo, "look" | "read"> => ({
  read: (path, wanted) =>
    Effect.tryPromise({
      try: async () => {
        const held = anchor.files(path)
        try {
          return await endsLater(calls, held.paths[0] ?? path, path, wanted)
        } finally {
          held.release()
        }
      },
      catch: failure("open", path)
    }),
  look: (path, wanted, { isSame: meansTheSame, recall, watched }) =>
    Effect.uninterruptible(Effect.tryPromise({
      try: async () => {
        const directory = anchor.open(path)
        try {
          const before = standOf(directory.fd)
          const names = recall?.(before) ?? await calls.readdir(directory.path)
          const steps = wanted(names)
          let seen: string | undefined
          let step = steps.next()
          while (step.done !== true) {
            const { name } = step.value
            const found = await endsLater(calls, `${directory.path}/${name}`, `${path}/${name}`, step.value).then(
              (ends): Reading.Found => Result.succeed(ends),
              (cause: unknown): Reading.Found => Result.fail(failure("open", `${path}/${name}`)(cause))
            )
            if (name === watched) seen = Reading.identityIn(found)
            step = steps.next(found)
          }
          const look = { value: step.value, version: before.version }
          if (isUnchanged(directory.fd, before)) return { ...look, isSteady: true, settled: names }
          const isSame = identityAt(`${directory.path}/${watched}`) === seen
          return { ...look, isSteady: isSame && meansTheSame(names, await calls.readdir(directory.path)) }
        } finally {
          NodeFs.closeSync(directory.fd)
        }
      },
      catch: failure("open", path)
    }))
})

/**
 * On node's threads, but for what waits for nothing: closing, asking what an open
 * file is, and writing a little that is not synced.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onThreads = (anchor: Anchor): InOneGo.InOneGo => ({
  isAtOnce: false,
  ...waiting(anchor, onThreadsOfNode),
  stand,
  glance: glance(anchor),
  linkUnsynced: ({ bytes, path, prepared }) =>
    Effect.tryPromise({
      try: async () => {
        const held = anchor.files(prepared, path)
        const [from = prepared, to = path] = held.paths
        try {
          await linkLater(from, to, bytes)
        } finally {
          await unlink(from).catch(() => undefined)
          held.release()
        }
      },
      catch: failure("link", path)
    }),
  follow: (path) => Effect.tryPromise({ try: () => realPath(path).then(readableAt), catch: failure("realPath", path) }),
  versions: (paths) => Effect.promise(() => Promise.all(paths.map(versionAt)))
})

const lstat = promisify<string, NodeFs.StatOptions & { readonly bigint: true }, NodeFs.BigIntStats>(NodeFs.lstat)

const directoryVersion = (stats: NodeFs.BigIntStats | undefined): Option.Option<Reading.Version> =>
  stats?.isDirectory() === true ? Option.some(versionOf(stats)) : Option.none()

const versionAt = (path: string): Promise<Option.Option<Reading.Version>> =>
  lstat(path, { bigint: true }).then(directoryVersion, () => Option.none())

/**
 * At once, and in slices where more is wanted than a moment takes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const atOnce = (anchor: Anchor): InOneGo.InOneGo => {
  const later = waiting(anchor, inSlices)

  const orInSlices = <A>(path: string, now: () => A, later: () => Effect.Effect<A, PlatformError.PlatformError>) =>
    Effect.suspend(() => {
      try {
        return Effect.succeed(now())
      } catch (cause) {
        return cause === tooMuch ? later() : Effect.fail(failure("open", path)(cause))
      }
    })

  return {
    isAtOnce: true,
    read: (path, wanted) =>
      orInSlices(path, () => {
        const held = anchor.files(path)
        try {
          return endsOfSync(held.paths[0] ?? path, path, wanted)
        } finally {
          held.release()
        }
      }, () => later.read(path, wanted)),
    look: (path, reading, steadiness) =>
      orInSlices(
        path,
        () => lookSync(anchor, path, reading, steadiness),
        () => later.look(path, reading, steadiness)
      ),
    stand,
    glance: glance(anchor),
    linkUnsynced: ({ bytes, path, prepared }) =>
      Effect.try({
        try: () => {
          const held = anchor.files(prepared, path)
          const [from = prepared, to = path] = held.paths
          try {
            linkSync(from, to, bytes)
          } finally {
            unlinkQuietly(from)
            held.release()
          }
        },
        catch: failure("link", path)
      }),
    follow: (path) =>
      Effect.try({ try: () => readableAt(NodeFs.realpathSync.native(path)), catch: failure("realPath", path) }),
    versions: (paths) =>
      Effect.sync(() =>
        paths.map((path) => directoryVersion(NodeFs.lstatSync(path, { bigint: true, throwIfNoEntry: false })))
      )
  }
}

const lookSync = <A>(
  anchor: Anchor,
  path: string,
  reading: Reading.Reading<A>,
  { isSame: meansTheSame, recall, watched }: Reading.Steadiness
): Reading.Look<A> => {
  const directory = anchor.open(path)
  try {
    const before = standOf(directory.fd)
    const names = recall?.(before) ?? NodeFs.readdirSync(directory.path)
    let seen: string | undefined
    const value = runSync(directory.path, path, reading(names), (name, found) => {
      if (name === watched) seen = Reading.identityIn(found)
    })
    const look = { value, version: before.version }
    if (isUnchanged(directory.fd, before)) return { ...look, isSteady: true, settled: names }
    const isSame = identityAt(`${directory.path}/${watched}`) === seen
    return { ...look, isSteady: isSame && meansTheSame(names, NodeFs.readdirSync(directory.path)) }
  } finally {
    NodeFs.closeSync(directory.fd)
  }
}

/** Reads what is asked for, one file after the other. */
const runSync = <A>(
  held: string,
  directory: string,
  steps: Generator<Reading.Wish, A, Reading.Found>,
  onFound: (name: string, found: Reading.Found) => void = () => undefined
): A => {
  let step = steps.next()
  while (step.done !== true) {
    const found = findSync(held, directory, step.value)
    onFound(step.value.name, found)
    step = steps.next(found)
  }
  return step.value
}

const findSync = (held: string, directory: string, wish: Reading.Wish): Reading.Found => {
  const path = `${directory}/${wish.name}`
  try {
    return Result.succeed(endsOfSync(`${held}/${wish.name}`, path, wish))
  } catch (cause) {
    if (cause === tooMuch) throw cause
    return Result.fail(failure("open", path)(cause))
  }
}
