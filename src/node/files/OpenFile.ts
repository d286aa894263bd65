/**
 * An open file of this machine.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as PlatformError from "effect/PlatformError"
import * as NodeFs from "node:fs"
import type { Run } from "./SystemCall.ts"

/**
 * The most bytes of one call that is made at once, so that others come between two.
 *
 * @category limits
 * @since 0.1.0
 */
export const sliceBytes = 256 * 1024

/**
 * @category getters
 * @since 0.1.0
 */
export const typeOf = (stats: NodeFs.BigIntStats): FileSystem.File.Type => {
  if (stats.isFile()) return "File"
  if (stats.isDirectory()) return "Directory"
  if (stats.isSymbolicLink()) return "SymbolicLink"
  if (stats.isFIFO()) return "FIFO"
  if (stats.isSocket()) return "Socket"
  if (stats.isBlockDevice()) return "BlockDevice"
  return stats.isCharacterDevice() ? "CharacterDevice" : "Unknown"
}

/**
 * Node reads unsigned numbers of 64 bits as signed ones.
 *
 * @category conversions
 * @since 0.1.0
 */
export const unsigned = (value: bigint): bigint => BigInt.asUintN(64, value)

/**
 * What node knows of a file, as Effect tells it.
 *
 * @category models
 * @since 0.1.0
 */
export const infoOf = (stats: NodeFs.BigIntStats): FileSystem.File.Info => ({
  type: typeOf(stats),
  mtime: Option.some(stats.mtime),
  atime: Option.some(stats.atime),
  birthtime: Option.some(stats.birthtime),
  dev: unsigned(stats.dev),
  rdev: Option.some(unsigned(stats.rdev)),
  ino: Option.some(unsigned(stats.ino)),
  mode: Number(stats.mode),
  nlink: Option.some(stats.nlink),
  uid: Option.some(Number(stats.uid)),
  gid: Option.some(Number(stats.gid)),
  size: ByteSize.bytes(stats.size),
  blksize: Option.some(ByteSize.bytes(stats.blksize)),
  blocks: Option.some(stats.blocks)
})

const badArgument = (method: string, description: string) =>
  PlatformError.badArgument({ module: "FileSystem", method, description })

/**
 * The file of a descriptor.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (run: Run, options: {
  readonly fd: number
  readonly path: string
  /** Whether it was opened so that everything is written at its end. */
  readonly isAppending: boolean
  /** The most bytes of one call. */
  readonly mostBytes: number
}): FileSystem.File => {
  const { fd, isAppending, mostBytes, path } = options
  let position = 0

  const readSlice = (method: string, buffer: Uint8Array, explicit: bigint | undefined) =>
    Effect.suspend(() => {
      const from = explicit === undefined ? position : Number(explicit)
      if (from < 0) return Effect.fail(badArgument(method, "there is nothing before the start of a file"))
      const length = Math.min(buffer.length, mostBytes)
      const slice = run<number>(
        { method, path },
        (done) => NodeFs.read(fd, buffer, 0, length, from, done),
        () => NodeFs.readSync(fd, buffer, 0, length, from)
      )
      return Effect.map(slice, (count) => {
        if (explicit === undefined) position += count
        return count
      })
    })

  const read: FileSystem.File["read"] = (buffer, options) =>
    buffer.length <= mostBytes
      ? readSlice("read", buffer, options?.position)
      : Effect.tap(readSlice("read", buffer, options?.position), Effect.yieldNow)

  const writeSlice = (method: string, buffer: Uint8Array): Effect.Effect<number, PlatformError.PlatformError> =>
    Effect.suspend(() => {
      const at = isAppending ? null : position
      const length = Math.min(buffer.length, mostBytes)
      const slice = run<number>(
        { method, path },
        (done) => NodeFs.write(fd, buffer, 0, length, at, done),
        () => NodeFs.writeSync(fd, buffer, 0, length, at)
      )
      return Effect.map(slice, (count) => {
        if (!isAppending) position += count
        return count
      })
    })

  const writeAll: FileSystem.File["writeAll"] = (buffer) =>
    buffer.length === 0 ? Effect.void : Effect.flatMap(writeSlice("writeAll", buffer), (count) => {
      if (count === 0) {
        return Effect.fail(PlatformError.systemError({
          _tag: "WriteZero",
          module: "FileSystem",
          method: "writeAll",
          pathOrDescriptor: path,
          description: "nothing was written"
        }))
      }
      return count === buffer.length ? Effect.void : Effect.andThen(Effect.yieldNow, writeAll(buffer.subarray(count)))
    })

  return {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: Effect.suspend(() =>
      Effect.map(
        run<NodeFs.BigIntStats>(
          { method: "stat", path },
          (done) => NodeFs.fstat(fd, { bigint: true }, done),
          () => NodeFs.fstatSync(fd, { bigint: true })
        ),
        infoOf
      )
    ),
    sync: Effect.suspend(() =>
      run<void>({ method: "sync", path }, (done) => NodeFs.fsync(fd, done), () => NodeFs.fsyncSync(fd))
    ),
    seek: (offset, from) =>
      Effect.suspend(() => {
        const to = (from === "start" ? 0 : position) + Number(offset)
        if (to < 0) return Effect.fail(badArgument("seek", "there is nothing before the start of a file"))
        position = to
        return Effect.succeed(BigInt(to))
      }),
    read,
    readAlloc: (size, options) => {
      const buffer = new Uint8Array(size)
      return Effect.map(
        read(buffer, options),
        (count) => count === 0 ? Option.none() : Option.some(buffer.subarray(0, count))
      )
    },
    truncate: (length = 0) =>
      Effect.map(
        run<void>(
          { method: "truncate", path },
          (done) => NodeFs.ftruncate(fd, length, done),
          () => NodeFs.ftruncateSync(fd, length)
        ),
        () => {
          if (!isAppending) position = Math.min(position, length)
        }
      ),
    write: (buffer) => writeSlice("write", buffer),
    writeAll
  }
}
