/**
 * A disk in memory that behaves as Node's file system does on Linux, for the
 * calls that the library makes: inodes, hard and symbolic links, exclusive
 * creation, open files that outlive their names, and the same errors.
 * Every call happens at once, so that a run on it is the same each time.
 */
import { ByteSize, Effect, FileSystem, Option, type PlatformError } from "effect"
import { posix as Path } from "node:path"
import { Refusal, refuse } from "./model/refusal.ts"

interface Inode {
  readonly ino: number
  mode: number
  mtime: number
}

interface RegularFile extends Inode {
  readonly type: "File"
  bytes: Uint8Array
  /** How often it was written. */
  version: number
  names: number
}

interface Directory extends Inode {
  readonly type: "Directory"
  readonly entries: Map<string, Node>
}

interface Link extends Inode {
  readonly type: "SymbolicLink"
  readonly target: string
}

type Node = RegularFile | Directory | Link

const typeBits = {
  File: 0o100000,
  Directory: 0o040000,
  SymbolicLink: 0o120000
} as const

const umask = 0o022

type OpenOptions = NonNullable<Parameters<FileSystem.FileSystem["open"]>[1]>

/** Where a path leads: the directory that its last step is looked up in, and what is there. */
interface Place {
  readonly parent: Directory
  readonly name: string
  readonly node: Node | undefined
  readonly path: string
}

const stepsOf = (path: string) => path.split("/").filter((step) => step !== "" && step !== ".")

const infoOf = (node: Node): FileSystem.File.Info => ({
  type: node.type,
  mtime: Option.some(new Date(node.mtime)),
  atime: Option.some(new Date(node.mtime)),
  birthtime: Option.none(),
  dev: 1n,
  ino: Option.some(BigInt(node.ino)),
  mode: typeBits[node.type] | node.mode,
  nlink: Option.some(BigInt(node.type === "File" ? node.names : 1)),
  uid: Option.some(0),
  gid: Option.some(0),
  rdev: Option.some(0n),
  size: ByteSize.bytes(node.type === "File" ? node.bytes.length : 0),
  blksize: Option.none(),
  blocks: Option.none()
})

/** An empty disk whose files are dated by `now`, in milliseconds. */
export const make = (now: () => number) => {
  let inodes = 1
  const inode = (mode: number) => ({ ino: inodes++, mode, mtime: now() })
  const newDirectory = (mode: number): Directory => ({ type: "Directory", entries: new Map(), ...inode(mode) })
  const root = newDirectory(0o755)

  /** Follows a path; its last step only with `follow`, where it is a link. */
  const find = (path: string, follow: boolean): Place => {
    let links = 0
    const go = (from: ReadonlyArray<Directory>, at: string, steps: ReadonlyArray<string>): Place => {
      const trail = [...from]
      let walked = at
      for (const [index, name] of steps.entries()) {
        const parent = trail.at(-1) ?? root
        const isLast = index === steps.length - 1
        if (name === "..") {
          if (trail.length > 1) trail.pop()
          walked = walked.slice(0, walked.lastIndexOf("/"))
          if (isLast) return { parent: trail.at(-2) ?? root, name: ".", node: trail.at(-1) ?? root, path: walked }
          continue
        }
        const node = parent.entries.get(name)
        if (node?.type === "SymbolicLink" && (!isLast || follow)) {
          if (++links > 40) refuse("ELOOP")
          const rest = [...stepsOf(node.target), ...steps.slice(index + 1)]
          return node.target.startsWith("/") ? go([root], "", rest) : go(trail, walked, rest)
        }
        if (isLast) return { parent, name, node, path: `${walked}/${name}` }
        if (node === undefined) return refuse("ENOENT")
        if (node.type !== "Directory") return refuse("ENOTDIR")
        trail.push(node)
        walked = `${walked}/${name}`
      }
      return { parent: trail.at(-2) ?? root, name: ".", node: trail.at(-1) ?? root, path: walked }
    }
    return go([root], "", stepsOf(path))
  }

  const existing = (path: string, follow: boolean) => find(path, follow).node ?? refuse("ENOENT")

  const directory = (path: string): Directory => {
    const node = existing(path, true)
    return node.type === "Directory" ? node : refuse("ENOTDIR")
  }

  const put = ({ name, parent }: Place, node: Node) => {
    parent.entries.set(name, node)
    parent.mtime = now()
  }

  const take = ({ name, parent }: Place) => {
    const node = parent.entries.get(name)
    if (node?.type === "File") node.names--
    parent.entries.delete(name)
    parent.mtime = now()
  }

  const append = (file: RegularFile, at: number, bytes: Uint8Array) => {
    const longer = new Uint8Array(Math.max(file.bytes.length, at + bytes.length))
    longer.set(file.bytes)
    longer.set(bytes, at)
    file.bytes = longer
    file.version++
    file.mtime = now()
  }

  const call = <A>(method: string, path: string, run: () => A): Effect.Effect<A, PlatformError.PlatformError> =>
    Effect.suspend(() => {
      try {
        return Effect.succeed(run())
      } catch (refusal) {
        return refusal instanceof Refusal ? Effect.fail(refusal.toError(method, path)) : Effect.die(refusal)
      }
    })

  const openFile = (path: string, { flag = "r", mode = 0o666, noFollow = false }: OpenOptions) => {
    const creates = !flag.startsWith("r")
    const isExclusive = flag.includes("x")
    const writes = flag !== "r"
    const reads = flag.startsWith("r") || flag.includes("+")
    const place = find(path, !noFollow && !isExclusive)
    if (place.node === undefined && !creates) return refuse("ENOENT")
    if (place.node !== undefined && isExclusive) return refuse("EEXIST")
    if (place.node?.type === "SymbolicLink") return refuse("ELOOP")
    if (place.node?.type === "Directory" && writes) return refuse("EISDIR")
    const node = place.node ?? newFile(place, mode)
    if (node.type === "File" && flag.startsWith("w")) {
      node.bytes = new Uint8Array(0)
      node.version++
    }
    return { node, reads, writes, appends: flag.startsWith("a"), isClosed: false }
  }

  const newFile = (place: Place, mode: number): RegularFile => {
    const file: RegularFile = { type: "File", bytes: new Uint8Array(0), version: 0, names: 1, ...inode(mode & ~umask) }
    put(place, file)
    return file
  }

  const fileOf = (path: string, opened: ReturnType<typeof openFile>): FileSystem.File => {
    let position = 0
    const on = <A>(method: string, run: () => A) => call(method, path, () => opened.isClosed ? refuse("EBADF") : run())
    const content = (isAllowed: boolean): RegularFile => {
      if (!isAllowed) return refuse("EBADF")
      return opened.node.type === "File" ? opened.node : refuse("EISDIR")
    }
    const read = (length: number, options: FileSystem.File.ReadOptions = {}) => {
      const { bytes } = content(opened.reads)
      const from = options.position === undefined ? position : Number(options.position)
      const found = bytes.slice(from, from + length)
      if (options.position === undefined) position += found.length
      return found
    }
    const write = (bytes: Uint8Array) => {
      const file = content(opened.writes)
      append(file, opened.appends ? file.bytes.length : position, bytes)
      if (!opened.appends) position += bytes.length
      return bytes.length
    }
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      stat: on("stat", () => infoOf(opened.node)),
      sync: on("sync", () => undefined),
      seek: (offset, from) =>
        Effect.sync(() => {
          position = Number(offset) + (from === "start" ? 0 : position)
          return BigInt(position)
        }),
      read: (buffer, options) =>
        on("read", () => {
          const found = read(buffer.length, options)
          buffer.set(found)
          return found.length
        }),
      readAlloc: (size, options) =>
        on("readAlloc", () => Option.filter(Option.some(read(size, options)), ({ length }) => length > 0)),
      truncate: (length = 0) =>
        on("truncate", () => {
          const file = opened.node.type === "File" && opened.writes ? opened.node : refuse("EINVAL")
          const kept = file.bytes.slice(0, length)
          file.bytes = new Uint8Array(length)
          append(file, 0, kept)
          if (!opened.appends) position = Math.min(position, length)
        }),
      write: (bytes) => on("write", () => write(bytes)),
      writeAll: (bytes) => bytes.length === 0 ? Effect.void : Effect.asVoid(on("writeAll", () => write(bytes)))
    }
  }

  const makeDirectory: FileSystem.FileSystem["makeDirectory"] = (path, options) =>
    call("makeDirectory", path, () => {
      const create = (place: Place) => put(place, newDirectory((options?.mode ?? 0o777) & ~umask))
      if (options?.recursive !== true) {
        const place = find(path, false)
        return place.node === undefined ? create(place) : refuse("EEXIST")
      }
      // Only for paths without links, which nobody here needs.
      const steps = stepsOf(path)
      for (const index of steps.keys()) {
        const place = find(`/${steps.slice(0, index + 1).join("/")}`, false)
        if (place.node === undefined) create(place)
        else if (place.node.type !== "Directory") refuse("EEXIST")
      }
    })

  const remove: FileSystem.FileSystem["remove"] = (path, options) =>
    call("remove", path, () => {
      try {
        const place = find(path, false)
        if (place.node === undefined) return refuse("ENOENT")
        if (place.node.type === "Directory" && options?.recursive !== true) return refuse("ERR_FS_EISDIR")
        take(place)
        if (place.node.type === "Directory") empty(place.node)
      } catch (refusal) {
        if (options?.force !== true || !(refusal instanceof Refusal) || refusal.code !== "ENOENT") throw refusal
      }
    })

  const empty = (directory: Directory) => {
    for (const node of directory.entries.values()) {
      if (node.type === "File") node.names--
      if (node.type === "Directory") empty(node)
    }
    directory.entries.clear()
  }

  const isBelow = (node: Node, above: Directory): boolean =>
    node === above || [...above.entries.values()].some((entry) => entry.type === "Directory" && isBelow(node, entry))

  const rename: FileSystem.FileSystem["rename"] = (path, to) =>
    call("rename", path, () => {
      const source = find(path, false)
      const target = find(to, false)
      const { node } = source
      if (node === undefined) return refuse("ENOENT")
      if (node === target.node) return
      if (node.type === "Directory") {
        if (isBelow(target.parent, node)) return refuse("EINVAL")
        if (target.node !== undefined && target.node.type !== "Directory") return refuse("ENOTDIR")
        if (target.node !== undefined && target.node.entries.size > 0) return refuse("ENOTEMPTY")
      } else if (target.node?.type === "Directory") {
        return refuse(isBelow(source.parent, target.node) ? "ENOTEMPTY" : "EISDIR")
      }
      if (target.node !== undefined) take(target)
      source.parent.entries.delete(source.name)
      source.parent.mtime = now()
      put(target, node)
    })

  const link: FileSystem.FileSystem["link"] = (path, to) =>
    call("link", path, () => {
      const node = existing(path, false)
      const target = find(to, false)
      if (target.node !== undefined) return refuse("EEXIST")
      if (node.type === "Directory") return refuse("EPERM")
      if (node.type === "File") node.names++
      put(target, node)
    })

  const writeFile: FileSystem.FileSystem["writeFile"] = (path, bytes, options) =>
    call("writeFile", path, () => {
      const { appends, node } = openFile(path, { flag: "w", ...options })
      if (node.type === "File") append(node, appends ? node.bytes.length : 0, bytes)
    })

  const fileSystem = FileSystem.make({
    ...FileSystem.makeNoop({}),
    access: (path) => call("access", path, () => void existing(path, true)),
    chmod: (path, mode) =>
      call("chmod", path, () => {
        existing(path, true).mode = mode & 0o7777
      }),
    link,
    lstat: (path) => call("lstat", path, () => infoOf(existing(path, false))),
    makeDirectory,
    open: (path, options = {}) =>
      Effect.map(
        Effect.acquireRelease(call("open", path, () => openFile(path, options)), (opened) =>
          Effect.sync(() => {
            opened.isClosed = true
          })),
        (opened) => fileOf(path, opened)
      ),
    readDirectory: (path) => call("readDirectory", path, () => [...directory(path).entries.keys()]),
    readFile: (path) =>
      call("readFile", path, () => {
        const node = existing(path, true)
        return node.type === "File" ? node.bytes.slice() : refuse("EISDIR")
      }),
    realPath: (path) =>
      call("realPath", path, () => {
        // As Node does: steps up are taken from the text, not from where links lead.
        const { node, path: real } = find(Path.resolve(path), true)
        return node === undefined ? refuse("ENOENT") : real === "" ? "/" : real
      }),
    remove,
    rename,
    stat: (path) => call("stat", path, () => infoOf(existing(path, true))),
    symlink: (target, path) =>
      call("symlink", path, () => {
        const place = find(path, false)
        if (place.node !== undefined) return refuse("EEXIST")
        put(place, { type: "SymbolicLink", target, ...inode(0o777) })
      }),
    writeFile
  })
  const nodeAt = (path: string): Node | undefined => {
    try {
      return find(path, false).node
    } catch (refusal) {
      if (refusal instanceof Refusal) return undefined
      throw refusal
    }
  }

  /** Tells one content of a directory, with what is below it, from the next. */
  const stampOf = (path: string): string => {
    const stamp = (node: Node | undefined): string => {
      if (node?.type === "Directory") return [...node.entries].map(([name, node]) => name + stamp(node)).join()
      return node === undefined ? "" : `:${node.ino}:${node.type === "File" ? node.version : ""}`
    }
    return stamp(nodeAt(path))
  }

  /** What is in a directory; nothing, where there is none. */
  const namesIn = (path: string): ReadonlyArray<string> => {
    const node = nodeAt(path)
    return node?.type === "Directory" ? [...node.entries.keys()] : []
  }

  return { fileSystem, namesIn, stampOf }
}
