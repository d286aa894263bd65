/**
 * Reading a regular file in one go.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as NodeFs from "node:fs"
import { promisify } from "node:util"
import * as Files from "../../services/store/Files.ts"
import type { Anchor } from "./Anchor.ts"
import * as OpenFile from "./OpenFile.ts"
import * as SystemCall from "./SystemCall.ts"

const { O_NOFOLLOW, O_NONBLOCK, O_RDONLY } = NodeFs.constants

/** A link is not followed, and a FIFO not waited for: what it is shows once it is open. */
const flags = O_RDONLY | O_NONBLOCK | O_NOFOLLOW

const open = promisify(NodeFs.open)
const fstat = promisify(NodeFs.fstat)
const read = promisify(NodeFs.read)

const versionOf = (path: string, stats: NodeFs.BigIntStats): Files.Version => {
  if (!stats.isFile()) throw Files.wrongKind("open", path, "a regular file", OpenFile.typeOf(stats))
  const { mtime } = stats
  return {
    identity: Files.identityOf(OpenFile.unsigned(stats.dev), OpenFile.unsigned(stats.ino), stats.size, mtime),
    size: Number(stats.size),
    mode: Number(stats.mode),
    mtime: Option.some(mtime)
  }
}

const failure = (path: string) => (cause: unknown) =>
  PlatformError.isPlatformError(cause) ? cause : SystemCall.failure({ method: "open", path })(cause)

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

const readAsync = async (fd: number, from: number, length: number): Promise<Uint8Array> => {
  const bytes = new Uint8Array(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await read(fd, bytes, filled, length - filled, from + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return bytes.subarray(0, filled)
}

/**
 * On node's threads.
 *
 * @category constructors
 * @since 0.1.0
 */
export const onThreads = (anchor: Anchor): Files.Reader => (path, wanted) =>
  Effect.tryPromise({
    try: async () => {
      const held = anchor.files(path)
      const fd = await open(held.paths[0] ?? path, flags).finally(held.release)
      try {
        const version = versionOf(path, await fstat(fd, { bigint: true }))
        const { headLength, tailFrom, tailLength } = Files.ranges(wanted, version.size)
        const head = await readAsync(fd, 0, headLength)
        return Files.endsOf(version, tailFrom, head, await readAsync(fd, tailFrom, tailLength))
      } finally {
        NodeFs.closeSync(fd)
      }
    },
    catch: failure(path)
  })

/**
 * At once, and on node's threads where more is wanted than that takes a moment.
 *
 * @category constructors
 * @since 0.1.0
 */
export const atOnce = (anchor: Anchor): Files.Reader => (path, wanted) =>
  Effect.suspend(() => {
    try {
      return Option.match(readAtOnce(anchor, path, wanted), {
        onNone: () => onThreads(anchor)(path, wanted),
        onSome: Effect.succeed
      })
    } catch (cause) {
      return Effect.fail(failure(path)(cause))
    }
  })

/** None where it is too much for one moment. */
const readAtOnce = (anchor: Anchor, path: string, wanted: Files.Wanted): Option.Option<Files.Ends> => {
  const held = anchor.files(path)
  let fd: number | undefined
  try {
    fd = NodeFs.openSync(held.paths[0] ?? path, flags)
    const version = versionOf(path, NodeFs.fstatSync(fd, { bigint: true }))
    const { headLength, tailFrom, tailLength } = Files.ranges(wanted, version.size)
    if (headLength + tailLength > OpenFile.sliceBytes) return Option.none()
    const head = readSync(fd, 0, headLength)
    return Option.some(Files.endsOf(version, tailFrom, head, readSync(fd, tailFrom, tailLength)))
  } finally {
    if (fd !== undefined) NodeFs.closeSync(fd)
    held.release()
  }
}
