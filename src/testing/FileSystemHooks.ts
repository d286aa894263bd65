/**
 * A file system that lets a test look at every call, fail it, or delay it, and
 * otherwise does what the one below it does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { PlatformError } from "effect/PlatformError"
import * as PlatformErrors from "effect/PlatformError"

/**
 * One call to the file system. `path` is that of the file for calls on an open
 * file, and the source for calls with two paths; `to` is the target.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly method:
    | "access"
    | "chmod"
    | "file.read"
    | "file.stat"
    | "file.sync"
    | "file.truncate"
    | "file.write"
    | "link"
    | "lstat"
    | "makeDirectory"
    | "open"
    | "readDirectory"
    | "readFile"
    | "realPath"
    | "remove"
    | "rename"
    | "stat"
    | "writeFile"
  readonly path: string
  readonly to?: string
  /** Bytes to be written. */
  readonly bytes?: Uint8Array
  /** How the file was opened. */
  readonly flag?: FileSystem.OpenFlag
}

/**
 * Wraps a call: runs it, or fails instead of it, before it, after it.
 *
 * @category models
 * @since 0.1.0
 */
export type Hook = (
  call: Call
) => <A>(run: Effect.Effect<A, PlatformError>) => Effect.Effect<A, PlatformError>

const hookFile = (hook: Hook, path: string, flag: FileSystem.OpenFlag, file: FileSystem.File): FileSystem.File => {
  const write = (bytes: Uint8Array) => hook({ method: "file.write", path, bytes, flag })
  const read = hook({ method: "file.read", path, flag })
  return {
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: hook({ method: "file.stat", path, flag })(file.stat),
    seek: (offset, from) => file.seek(offset, from),
    sync: hook({ method: "file.sync", path, flag })(file.sync),
    read: (buffer, options) => read(file.read(buffer, options)),
    readAlloc: (size, options) => read(file.readAlloc(size, options)),
    truncate: (length) => hook({ method: "file.truncate", path, flag })(file.truncate(length)),
    write: (bytes) => write(bytes)(file.write(bytes)),
    writeAll: (bytes) => write(bytes)(file.writeAll(bytes))
  }
}

/**
 * The file system below, with a hook around every call that the library makes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (fs: FileSystem.FileSystem, hook: Hook): FileSystem.FileSystem => {
  return FileSystem.make({
    ...fs,
    access: (path, options) => hook({ method: "access", path })(fs.access(path, options)),
    chmod: (path, mode) => hook({ method: "chmod", path })(fs.chmod(path, mode)),
    link: (path, to) => hook({ method: "link", path, to })(fs.link(path, to)),
    lstat: (path) => hook({ method: "lstat", path })(fs.lstat(path)),
    makeDirectory: (path, options) => hook({ method: "makeDirectory", path })(fs.makeDirectory(path, options)),
    open: (path, options) => {
      const flag = options?.flag ?? "r"
      const opened = Effect.map(fs.open(path, options), (file) => hookFile(hook, path, flag, file))
      // The scope that closes the file is the caller's, so the hook sees the call without it.
      return Effect.contextWith((context) =>
        hook({ method: "open", path, flag })(Effect.provideContext(opened, context))
      )
    },
    readDirectory: (path, options) => hook({ method: "readDirectory", path })(fs.readDirectory(path, options)),
    readFile: (path) => hook({ method: "readFile", path })(fs.readFile(path)),
    realPath: (path) => hook({ method: "realPath", path })(fs.realPath(path)),
    remove: (path, options) => hook({ method: "remove", path })(fs.remove(path, options)),
    rename: (path, to) => hook({ method: "rename", path, to })(fs.rename(path, to)),
    stat: (path) => hook({ method: "stat", path })(fs.stat(path)),
    writeFile: (path, bytes, options) => hook({ method: "writeFile", path, bytes })(fs.writeFile(path, bytes, options))
  })
}

/**
 * The file system that is provided to it, hooked.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (hook: Hook): Layer.Layer<FileSystem.FileSystem, never, FileSystem.FileSystem> =>
  Layer.effect(FileSystem.FileSystem, Effect.map(FileSystem.FileSystem, (fs) => make(fs, hook)))

/**
 * The hook that does nothing.
 *
 * @category hooks
 * @since 0.1.0
 */
export const none: Hook = () => (run) => run

/**
 * Writes every call down before it runs.
 *
 * @category hooks
 * @since 0.1.0
 */
export const recordInto = (calls: Array<Call>): Hook => (call) => (run) =>
  Effect.suspend(() => {
    calls.push(call)
    return run
  })

/**
 * Counts calls, and fails those of the given numbers (from 0) instead of running
 * them. `seen` is how many there were.
 *
 * @category hooks
 * @since 0.1.0
 */
export const failAt = (numbers: ReadonlyArray<number>, error: (call: Call) => PlatformError = inputOutputError) => {
  const counter = { seen: 0, failed: [] as Array<Call> }
  const hook: Hook = (call) => (run) =>
    Effect.suspend(() => {
      const number = counter.seen++
      if (!numbers.includes(number)) return run
      counter.failed.push(call)
      return Effect.fail(error(call))
    })
  return { hook, counter }
}

/**
 * A system error for a call.
 *
 * @category errors
 * @since 0.1.0
 */
export const systemError = (
  call: Call,
  tag: PlatformErrors.SystemErrorTag,
  code: string
): PlatformError =>
  PlatformErrors.systemError({
    _tag: tag,
    module: "FileSystem",
    method: call.method,
    pathOrDescriptor: call.path,
    description: `injected ${code}`
  })

const inputOutputError = (call: Call): PlatformError => systemError(call, "Unknown", "EIO")
