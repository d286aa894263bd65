/**
 * The ends of a file, and which version of it is there: at once, or waiting
 * between the calls.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as NodeFs from "node:fs"
import { setImmediate as immediate } from "node:timers/promises"
import { promisify } from "node:util"
import * as FileError from "../../services/store/FileError.ts"
import * as Reading from "../../services/store/Reading.ts"
import * as OpenFile from "./OpenFile.ts"
import * as SystemCall from "./SystemCall.ts"

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = NodeFs.constants

/** A link is not followed, and a FIFO not waited for: what it is shows once it is open. */
const flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW

/** How files are read that may be long, or have to be waited for. */
export interface Calls {
  readonly open: (path: string, flags: number) => Promise<number>
  /** Bytes into a buffer from an index on, as many as come at once. */
  readonly read: (fd: number, buffer: Uint8Array, at: number, from: number) => Promise<number>
}

export const onThreadsOfNode: Calls = {
  open: promisify<string, number, number>(NodeFs.open),
  read: promisify((
    fd: number,
    buffer: Uint8Array,
    at: number,
    from: number,
    done: (error: Error | null, count: number) => void
  ) => NodeFs.read(fd, buffer, at, buffer.length - at, from, done))
}

/** At once, a slice at a time: others come between them. */
export const inSlices: Calls = {
  open: async (path, flags) => NodeFs.openSync(path, flags),
  read: async (fd, buffer, at, from) => {
    const count = NodeFs.readSync(fd, buffer, at, Math.min(buffer.length - at, OpenFile.sliceBytes), from)
    if (at + count < buffer.length) await immediate()
    return count
  }
}

/** Which version a file is. */
export const versionOf = (stats: NodeFs.BigIntStats): Reading.Version => ({
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

/** What a call failed with, or what it was found to fail with. */
export const failure = (method: string, path: string) => (cause: unknown) =>
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

export const endsLater = async (
  calls: Calls,
  held: string,
  path: string,
  wanted: Reading.Wanted
): Promise<Reading.Ends> => {
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
export const tooMuch = new Error("more is wanted than a moment takes")

export const endsOfSync = (held: string, path: string, wanted: Reading.Wanted): Reading.Ends => {
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
