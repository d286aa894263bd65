/**
 * A disk of the model, mounted: the calls that the library makes, without a
 * kernel between. Whatever it does not make is not there.
 */
import { ByteSize, Effect, FileSystem, Option, PlatformError, Result } from "effect"
import * as Disk from "./disk.ts"

const tags: Record<Disk.Code, PlatformError.SystemErrorTag> = {
  EEXIST: "AlreadyExists",
  EINVAL: "InvalidData",
  EISDIR: "BadResource",
  ENOENT: "NotFound",
  ENOTDIR: "BadResource",
  ENOTEMPTY: "Unknown"
}

const call = <A>(
  method: string,
  path: string,
  run: () => Result.Result<A, Disk.Code>
): Effect.Effect<A, PlatformError.PlatformError> =>
  Effect.suspend(() =>
    Effect.mapError(Effect.fromResult(run()), (code) =>
      PlatformError.systemError({
        _tag: tags[code],
        module: "FileSystem",
        method,
        pathOrDescriptor: path,
        description: code
      }))
  )

/** The disk's first tick was then. */
const firstTick = Date.UTC(2020, 0, 1)

const infoOf = (node: Disk.Node): FileSystem.File.Info => {
  const time = Option.some(new Date(firstTick + node.modified))
  return {
    type: node._tag,
    mtime: time,
    atime: time,
    birthtime: Option.none(),
    dev: 1n,
    ino: Option.some(BigInt(node.ino)),
    mode: node.mode | (node._tag === "File" ? 0o100000 : 0o040000),
    nlink: Option.none(),
    uid: Option.some(0),
    gid: Option.some(0),
    rdev: Option.none(),
    size: ByteSize.bytes(node._tag === "File" ? Disk.shown(node).length : 0),
    blksize: Option.none(),
    blocks: Option.none()
  }
}

const fileOf = (disk: Disk.Disk, path: string, descriptor: Disk.Descriptor): FileSystem.File => {
  const { node } = descriptor
  const bytesAt = (at: number, length: number) =>
    node._tag === "File" ? Disk.shown(node).subarray(at, at + length) : new Uint8Array()
  const advance = (length: number, options?: FileSystem.File.ReadOptions) => {
    const bytes = bytesAt(Number(options?.position ?? descriptor.position), length)
    if (options?.position === undefined) descriptor.position += bytes.length
    return bytes
  }
  const write = (bytes: Uint8Array) => call("write", path, () => Disk.write(disk, descriptor, bytes))
  return {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: Effect.sync(() => infoOf(node)),
    seek: (offset, from) =>
      Effect.sync(() => {
        descriptor.position = Number(offset) + (from === "start" ? 0 : descriptor.position)
        return BigInt(descriptor.position)
      }),
    sync: Effect.sync(() => Disk.sync(descriptor)),
    read: (buffer, options) =>
      Effect.sync(() => {
        const bytes = advance(buffer.length, options)
        buffer.set(bytes)
        return bytes.length
      }),
    readAlloc: (size, options) =>
      Effect.sync(() => Option.filter(Option.some(advance(size, options).slice()), (bytes) => bytes.length > 0)),
    truncate: (size) => call("truncate", path, () => Disk.truncate(disk, descriptor, size ?? 0)),
    write: (bytes) => Effect.as(write(bytes), bytes.length),
    writeAll: write
  }
}

export const mount = (disk: Disk.Disk): FileSystem.FileSystem => {
  const at = <A>(method: string, path: string, use: (node: Disk.Node) => Result.Result<A, Disk.Code>) =>
    call(method, path, () => Result.flatMap(Disk.lookup(disk, path), use))
  const info = (method: string) => (path: string) => at(method, path, (node) => Result.succeed(infoOf(node)))
  return FileSystem.makeNoop({
    access: (path) => at("access", path, () => Result.void),
    exists: (path) => Effect.sync(() => Result.isSuccess(Disk.lookup(disk, path))),
    link: (path, to) => call("link", path, () => Disk.link(disk, path, to)),
    lstat: info("lstat"),
    stat: info("stat"),
    makeDirectory: (path, options) =>
      call("makeDirectory", path, () => Disk.makeDirectory(disk, path, options?.mode ?? 0o777)),
    open: (path, options) =>
      Effect.map(
        call("open", path, () => Disk.open(disk, path, options?.flag ?? "r", options?.mode ?? 0o666)),
        (descriptor) => fileOf(disk, path, descriptor)
      ),
    readDirectory: (path) =>
      at(
        "readDirectory",
        path,
        (node) => node._tag === "Directory" ? Result.succeed([...node.names.keys()]) : Result.fail<Disk.Code>("ENOTDIR")
      ),
    realPath: (path) => at("realPath", path, () => Result.succeed(path)),
    remove: (path, options) =>
      call("remove", path, () => {
        const removed = Disk.remove(disk, path, options?.recursive === true)
        return options?.force === true && Result.isFailure(removed) && removed.failure === "ENOENT"
          ? Result.void
          : removed
      }),
    rename: (path, to) => call("rename", path, () => Disk.rename(disk, path, to))
  })
}
