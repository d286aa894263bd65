/**
 * The file system of this machine, asked without threads: the same files and
 * the same system calls as platform-node makes, in a fraction of the time. A
 * fiber yields before each call, so that others come between them as they do
 * there.
 */
import { NodeFileSystem } from "@effect/platform-node"
import { ByteSize, Effect, FileSystem, Layer, Option } from "effect"
import * as NodeFs from "node:fs"
import * as Errno from "./errno.ts"

const attempt = <A>(method: string, path: string, run: () => A) =>
  Effect.andThen(Effect.yieldNow, Effect.try({ try: run, catch: (cause) => Errno.fromNode(cause, { method, path }) }))

const typeOf = (stats: NodeFs.BigIntStats): FileSystem.File.Type => {
  if (stats.isFile()) return "File"
  if (stats.isDirectory()) return "Directory"
  if (stats.isFIFO()) return "FIFO"
  return stats.isSymbolicLink() ? "SymbolicLink" : "Unknown"
}

const infoOf = (stats: NodeFs.BigIntStats): FileSystem.File.Info => ({
  type: typeOf(stats),
  mtime: Option.some(stats.mtime),
  atime: Option.some(stats.atime),
  birthtime: Option.some(stats.birthtime),
  dev: stats.dev,
  rdev: Option.some(stats.rdev),
  ino: Option.some(stats.ino),
  mode: Number(stats.mode),
  nlink: Option.some(stats.nlink),
  uid: Option.some(Number(stats.uid)),
  gid: Option.some(Number(stats.gid)),
  size: ByteSize.bytes(stats.size),
  blksize: Option.some(ByteSize.bytes(stats.blksize)),
  blocks: Option.some(stats.blocks)
})

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = NodeFs.constants

/** The two ways in which the store opens files. */
const flagsOf = (
  options: { readonly flag?: FileSystem.OpenFlag | undefined; readonly noFollow?: boolean | undefined }
) =>
  (options.flag === "ax" ? O_APPEND | O_CREAT | O_WRONLY | O_EXCL : O_RDONLY) |
  (options.noFollow === true ? O_NOFOLLOW : 0)

const fileOf = (descriptor: number, path: string): FileSystem.File => {
  const writeAll = (bytes: Uint8Array): Effect.Effect<void, Errno.Failure> =>
    Effect.flatMap(
      attempt("writeAll", path, () => NodeFs.writeSync(descriptor, bytes)),
      (count) => count < bytes.length ? writeAll(bytes.subarray(count)) : Effect.void
    )
  const notUsed = () => Effect.die(new Error("the store does not use it"))
  return {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: attempt("stat", path, () => infoOf(NodeFs.fstatSync(descriptor, { bigint: true }))),
    sync: attempt("sync", path, () => NodeFs.fsyncSync(descriptor)),
    read: (buffer, options) =>
      attempt("read", path, () => NodeFs.readSync(descriptor, buffer, { position: options?.position ?? null })),
    write: (bytes) => attempt("write", path, () => NodeFs.writeSync(descriptor, bytes)),
    writeAll,
    readAlloc: notUsed,
    seek: notUsed,
    truncate: notUsed
  }
}

export const layer: Layer.Layer<FileSystem.FileSystem> = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs) =>
    FileSystem.make({
      ...fs,
      access: (path) => attempt("access", path, () => NodeFs.accessSync(path)),
      link: (path, to) => attempt("link", path, () => NodeFs.linkSync(path, to)),
      lstat: (path) => attempt("lstat", path, () => infoOf(NodeFs.lstatSync(path, { bigint: true }))),
      makeDirectory: (path, options) =>
        attempt("makeDirectory", path, () => NodeFs.mkdirSync(path, { mode: options?.mode ?? 0o777 })),
      open: (path, options) =>
        Effect.map(
          Effect.acquireRelease(
            attempt("open", path, () => NodeFs.openSync(path, flagsOf(options ?? {}), options?.mode)),
            (descriptor) => Effect.sync(() => NodeFs.closeSync(descriptor))
          ),
          (descriptor) => fileOf(descriptor, path)
        ),
      readDirectory: (path) => attempt("readDirectory", path, () => NodeFs.readdirSync(path)),
      realPath: (path) => attempt("realPath", path, () => NodeFs.realpathSync(path)),
      remove: (path, options) =>
        attempt("remove", path, () =>
          NodeFs.rmSync(path, { recursive: options?.recursive ?? false, force: options?.force ?? false })),
      rename: (path, to) =>
        attempt("rename", path, () =>
          NodeFs.renameSync(path, to)),
      stat: (path) => attempt("stat", path, () => infoOf(NodeFs.statSync(path, { bigint: true })))
    }))
).pipe(Layer.provide(NodeFileSystem.layer))
