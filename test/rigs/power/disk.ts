/**
 * A disk as POSIX promises it, and no better. What is written or named shows at
 * once, and is durable only when the file, or the directory, was synced.
 *
 * A file keeps every version since its last sync; a directory keeps every change
 * of its names since its last sync. Syncing a file makes its bytes durable, and
 * no name of it. Syncing a directory makes its names durable, and no byte of
 * what they lead to. Whatever else a real file system does in the right order,
 * this one does not.
 */
import { Result } from "effect"

export interface FileNode {
  readonly _tag: "File"
  readonly ino: number
  readonly mode: number
  /** What is durable first, what shows last, and what was written between. */
  versions: [Uint8Array, ...ReadonlyArray<Uint8Array>]
  modified: number
}

export interface DirectoryNode {
  readonly _tag: "Directory"
  readonly ino: number
  readonly mode: number
  /** The names that show. */
  names: Map<string, Node>
  /** The names that were there when the directory was synced last. */
  durable: ReadonlyMap<string, Node>
  /** Since then, in order. What one call changes here, changes at once. */
  pending: ReadonlyArray<Change>
  modified: number
}

export type Node = FileNode | DirectoryNode

/** Names and what they stand for after one call: nothing where they are taken away. */
export type Change = ReadonlyArray<readonly [name: string, node: Node | undefined]>

export type Code = "EEXIST" | "EISDIR" | "EINVAL" | "ENOENT" | "ENOTDIR" | "ENOTEMPTY"

type Outcome<A> = Result.Result<A, Code>

/** An open file or directory. */
export interface Descriptor {
  readonly node: Node
  readonly appends: boolean
  position: number
}

export interface Disk {
  readonly root: DirectoryNode
  /** Grows with each change: the clock of the disk, and where its numbers come from. */
  ticks: number
}

export const shown = (file: FileNode): Uint8Array => file.versions.at(-1) ?? file.versions[0]

export const newFile = (ino: number, mode: number, bytes: Uint8Array): FileNode => ({
  _tag: "File",
  ino,
  mode,
  versions: [bytes],
  modified: ino
})

export const newDirectory = (ino: number, mode: number): DirectoryNode => ({
  _tag: "Directory",
  ino,
  mode,
  names: new Map(),
  durable: new Map(),
  pending: [],
  modified: ino
})

export const empty = (): Disk => ({ root: newDirectory(1, 0o700), ticks: 1 })

export const stepsOf = (path: string): ReadonlyArray<string> => path.split("/").filter((step) => step !== "")

export const lookup = (disk: Disk, path: string): Outcome<Node> => {
  let node: Node = disk.root
  for (const step of stepsOf(path)) {
    if (node._tag === "File") return Result.fail("ENOTDIR")
    const next = node.names.get(step)
    if (next === undefined) return Result.fail("ENOENT")
    node = next
  }
  return Result.succeed(node)
}

const directoryAt = (disk: Disk, path: string): Outcome<DirectoryNode> =>
  Result.flatMap(
    lookup(disk, path),
    (node) => node._tag === "Directory" ? Result.succeed(node) : Result.fail("ENOTDIR")
  )

/** The directory that a path's last name is in, and that name. */
const placeOf = (disk: Disk, path: string) => {
  const name = stepsOf(path).at(-1)
  if (name === undefined) return Result.fail<Code>("EINVAL")
  return Result.map(
    directoryAt(disk, path.slice(0, path.lastIndexOf("/"))),
    (directory) => ({ directory, name, node: directory.names.get(name) })
  )
}

const change = (disk: Disk, directory: DirectoryNode, names: Change): void => {
  directory.modified = ++disk.ticks
  directory.pending = [...directory.pending, names]
  for (const [name, node] of names) {
    if (node === undefined) directory.names.delete(name)
    else directory.names.set(name, node)
  }
}

export const makeDirectory = (disk: Disk, path: string, mode: number): Outcome<void> =>
  Result.flatMap(placeOf(disk, path), ({ directory, name, node }) => {
    if (node !== undefined) return Result.fail("EEXIST")
    change(disk, directory, [[name, newDirectory(++disk.ticks, mode)]])
    return Result.void
  })

/** Opens what is there, or creates it, as the flag says. */
export const open = (disk: Disk, path: string, flag: string, mode: number): Outcome<Descriptor> =>
  Result.gen(function*() {
    const descriptor = (node: Node): Descriptor => ({ node, appends: flag.startsWith("a"), position: 0 })
    if (flag.startsWith("r")) return descriptor(yield* lookup(disk, path))
    const { directory, name, node } = yield* placeOf(disk, path)
    if (node === undefined) {
      const file = newFile(++disk.ticks, mode, new Uint8Array())
      change(disk, directory, [[name, file]])
      return descriptor(file)
    }
    if (flag.includes("x")) return yield* Result.fail<Code>("EEXIST")
    if (node._tag === "Directory") return yield* Result.fail<Code>("EISDIR")
    if (flag.startsWith("w")) setBytes(disk, node, new Uint8Array())
    return descriptor(node)
  })

const setBytes = (disk: Disk, file: FileNode, bytes: Uint8Array): void => {
  file.versions = [...file.versions, bytes]
  file.modified = ++disk.ticks
}

const resized = (bytes: Uint8Array, size: number): Uint8Array => {
  const next = new Uint8Array(size)
  next.set(bytes.subarray(0, size))
  return next
}

export const write = (disk: Disk, descriptor: Descriptor, bytes: Uint8Array): Outcome<void> => {
  const { appends, node } = descriptor
  if (node._tag === "Directory") return Result.fail("EISDIR")
  const before = shown(node)
  const at = appends ? before.length : descriptor.position
  const next = resized(before, Math.max(before.length, at + bytes.length))
  next.set(bytes, at)
  setBytes(disk, node, next)
  descriptor.position = at + bytes.length
  return Result.void
}

export const truncate = (disk: Disk, { node }: Descriptor, size: number): Outcome<void> => {
  if (node._tag === "Directory") return Result.fail("EISDIR")
  setBytes(disk, node, resized(shown(node), size))
  return Result.void
}

/** Makes the bytes of a file durable, or the names in a directory. */
export const sync = ({ node }: Descriptor): void => {
  if (node._tag === "File") {
    node.versions = [shown(node)]
  } else if (node.pending.length > 0) {
    node.durable = new Map(node.names)
    node.pending = []
  }
}

export const link = (disk: Disk, path: string, to: string): Outcome<void> =>
  Result.gen(function*() {
    const node = yield* lookup(disk, path)
    const target = yield* placeOf(disk, to)
    if (target.node !== undefined) return yield* Result.fail<Code>("EEXIST")
    if (node._tag === "Directory") return yield* Result.fail<Code>("EISDIR")
    change(disk, target.directory, [[target.name, node]])
  })

/** Within one directory the old and the new name change at once; between two they may not. */
export const rename = (disk: Disk, path: string, to: string): Outcome<void> =>
  Result.gen(function*() {
    const source = yield* placeOf(disk, path)
    const target = yield* placeOf(disk, to)
    if (source.node === undefined) return yield* Result.fail<Code>("ENOENT")
    if (source.node === target.node) return
    if (target.node?._tag === "Directory") {
      if (source.node._tag === "File") return yield* Result.fail<Code>("EISDIR")
      if (target.node.names.size > 0) return yield* Result.fail<Code>("ENOTEMPTY")
    } else if (target.node !== undefined && source.node._tag === "Directory") {
      return yield* Result.fail<Code>("ENOTDIR")
    }
    if (source.directory === target.directory) {
      change(disk, source.directory, [[source.name, undefined], [target.name, source.node]])
    } else {
      change(disk, target.directory, [[target.name, source.node]])
      change(disk, source.directory, [[source.name, undefined]])
    }
  })

/** Takes away a file, or a directory with everything in it, one name after the other. */
export const remove = (disk: Disk, path: string, recursive: boolean): Outcome<void> =>
  Result.gen(function*() {
    const { directory, name, node } = yield* placeOf(disk, path)
    if (node === undefined) return yield* Result.fail<Code>("ENOENT")
    if (node._tag === "Directory") {
      if (!recursive) return yield* Result.fail<Code>("EISDIR")
      for (const inner of node.names.keys()) yield* remove(disk, `${path}/${inner}`, true)
    }
    change(disk, directory, [[name, undefined]])
  })

/** Everything on the disk, by path: the bytes of files, nothing for directories. */
export const tree = (disk: Disk): ReadonlyMap<string, Uint8Array | undefined> => {
  const found = new Map<string, Uint8Array | undefined>()
  const walk = (directory: DirectoryNode, path: string) => {
    for (const [name, node] of directory.names) {
      const at = `${path}/${name}`
      found.set(at, node._tag === "File" ? shown(node) : undefined)
      if (node._tag === "Directory") walk(node, at)
    }
  }
  walk(disk.root, "")
  return found
}
