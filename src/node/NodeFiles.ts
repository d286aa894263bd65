/**
 * Node's file system, as sessions need it: it never waits for somebody at the
 * other end of a FIFO, and follows no link below the sessions directory.
 *
 * @since 0.1.0
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import type { PlatformError } from "effect/PlatformError"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as InOneGo from "../services/store/InOneGo.ts"
import * as Anchor from "./files/Anchor.ts"
import * as NodeInOneGo from "./files/InOneGo.ts"
import * as OpenFile from "./files/OpenFile.ts"
import * as SystemCall from "./files/SystemCall.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * The directory below which no link is followed, also where one takes the
   * place of a directory while a call is being made.
   */
  readonly below?: string
  /**
   * Where calls are made, `threads` by default. `synchronous` makes them at once:
   * each is faster by several times, and nothing else runs meanwhile, for at most
   * 256 KiB. For programs that serve one person, such as command lines.
   */
  readonly smallCalls?: "synchronous" | "threads"
}

type Fs = FileSystem.FileSystem

const { F_OK, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY, R_OK, W_OK } = NodeFs.constants

/** How files are opened here; others are opened as platform-node does. */
const flags = new Map<FileSystem.OpenFlag, number>([
  ["r", O_RDONLY | O_NONBLOCK],
  ["ax", O_APPEND | O_CREAT | O_WRONLY | O_EXCL]
])

const unlessMissing = (effect: Effect.Effect<void, PlatformError>) =>
  Effect.catchIf(effect, ({ reason }) => reason._tag === "NotFound", () => Effect.void)

/** Closing tells nothing that matters: what had to be durable was synced. */
const close = (fd: number) =>
  Effect.sync(() => {
    try {
      NodeFs.closeSync(fd)
    } catch {}
  })

const make = (fs: Fs, options: Options): Fs => {
  const [run, mostBytes] = options.smallCalls === "synchronous"
    ? [SystemCall.atOnce, OpenFile.sliceBytes]
    : [SystemCall.onThreads, SystemCall.mostBytes]
  const anchor = options.below === undefined ? Anchor.none : Anchor.below(NodePath.resolve(options.below))

  const lstat: Fs["lstat"] = (path) =>
    Effect.map(
      run<NodeFs.BigIntStats>(
        { method: "lstat", path },
        (done, path) => NodeFs.lstat(path, { bigint: true }, done),
        (path) => NodeFs.lstatSync(path, { bigint: true }),
        () => anchor.files(path)
      ),
      OpenFile.infoOf
    )

  const stat: Fs["stat"] = (path) =>
    Effect.map(
      run<NodeFs.BigIntStats>(
        { method: "stat", path },
        (done) => NodeFs.stat(path, { bigint: true }, done),
        () => NodeFs.statSync(path, { bigint: true })
      ),
      OpenFile.infoOf
    )

  const realPath: Fs["realPath"] = (path) =>
    run<string>(
      { method: "realPath", path },
      (done) => NodeFs.realpath.native(path, done),
      () => NodeFs.realpathSync.native(path)
    )

  const readDirectory: Fs["readDirectory"] = (path, options) =>
    options?.recursive === true ? fs.readDirectory(path, options) : run<Array<string>>(
      { method: "readDirectory", path },
      (done, path) => NodeFs.readdir(path, done),
      (path) => NodeFs.readdirSync(path),
      () => anchor.directory(path)
    )

  const unlink = (path: string) =>
    run<void>(
      { method: "remove", path },
      (done, path) => NodeFs.unlink(path, done),
      NodeFs.unlinkSync,
      () => anchor.files(path)
    )

  const removeDirectory = (path: string) =>
    run<void>(
      { method: "remove", path },
      (done, path) => NodeFs.rmdir(path, done),
      (path) => NodeFs.rmdirSync(path),
      () => anchor.files(path)
    )

  /** Deletes what is at a path and, if that is a directory itself, what is in it. */
  const removeAll = (path: string): Effect.Effect<void, PlatformError> =>
    Effect.gen(function*() {
      const { type } = yield* lstat(path)
      if (type !== "Directory") return yield* unlink(path)
      for (const name of yield* readDirectory(path)) {
        yield* unlessMissing(removeAll(NodePath.join(path, name)))
      }
      return yield* removeDirectory(path)
    })

  const remove: Fs["remove"] = (path, { force = false, recursive = false } = {}) => {
    const removal = recursive ? removeAll(path) : unlink(path)
    return force ? unlessMissing(removal) : removal
  }

  const open: Fs["open"] = (path, options = {}) => {
    const { flag = "r", mode, noFollow } = options
    const bits = flags.get(flag)
    if (bits === undefined) return fs.open(path, options)
    const all = bits | (noFollow === true ? O_NOFOLLOW : 0)
    return Effect.map(
      Effect.acquireRelease(
        run<number>(
          { method: "open", path },
          (done, path) => NodeFs.open(path, all, mode, done),
          (path) => NodeFs.openSync(path, all, mode),
          () => anchor.files(path)
        ),
        close
      ),
      (fd) => OpenFile.make(run, { fd, path, isAppending: flag === "ax", mostBytes })
    )
  }

  const files = FileSystem.make({
    ...fs,
    access: (path, { readable = false, writable = false } = {}) => {
      const mode = F_OK | (readable ? R_OK : 0) | (writable ? W_OK : 0)
      return run<void>(
        { method: "access", path },
        (done, path) => NodeFs.access(path, mode, done),
        (path) => NodeFs.accessSync(path, mode),
        () => anchor.files(path)
      )
    },
    link: (from, to) =>
      run<void>(
        { method: "link", path: from },
        (done, from, to) => NodeFs.link(from, to, done),
        NodeFs.linkSync,
        () => anchor.files(from, to)
      ),
    lstat,
    makeDirectory: (path, options) =>
      options?.recursive === true ? fs.makeDirectory(path, options) : run<void>(
        { method: "makeDirectory", path },
        (done, path) => NodeFs.mkdir(path, { mode: options?.mode }, done),
        (path) => NodeFs.mkdirSync(path, { mode: options?.mode }),
        () => anchor.files(path)
      ),
    open,
    readDirectory,
    realPath,
    remove,
    rename: (from, to) =>
      run<void>(
        { method: "rename", path: from },
        (done, from, to) => NodeFs.rename(from, to, done),
        NodeFs.renameSync,
        () => anchor.files(from, to)
      ),
    stat
  })
  InOneGo.offer(
    files,
    options.smallCalls === "synchronous" ? NodeInOneGo.atOnce(anchor) : NodeInOneGo.onThreads(anchor)
  )
  return files
}

/**
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options = {}): Layer.Layer<FileSystem.FileSystem> =>
  Layer.effect(FileSystem.FileSystem, Effect.map(FileSystem.FileSystem, (fs) => make(fs, options))).pipe(
    Layer.provide(NodeFileSystem.layer)
  )
