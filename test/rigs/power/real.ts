/**
 * Disks of the model and real directories, one against the other.
 */
import { Effect, FileSystem } from "effect"
import * as Disk from "./disk.ts"

/** A disk with nothing but empty directories, all of them durable. */
export const diskWith = (directories: ReadonlyArray<string>): Disk.Disk => {
  const disk = Disk.empty()
  for (const path of directories) {
    const steps = Disk.stepsOf(path)
    for (const [index] of steps.entries()) Disk.makeDirectory(disk, `/${steps.slice(0, index + 1).join("/")}`, 0o700)
  }
  const settle = (directory: Disk.DirectoryNode): void => {
    Disk.sync({ node: directory, appends: false, position: 0 })
    for (const node of directory.names.values()) if (node._tag === "Directory") settle(node)
  }
  settle(disk.root)
  return disk
}

const treeBelow = (
  fs: FileSystem.FileSystem,
  path: string
): Effect.Effect<ReadonlyArray<readonly [string, Uint8Array | undefined]>> =>
  Effect.gen(function*() {
    const found: Array<readonly [string, Uint8Array | undefined]> = []
    for (const name of yield* fs.readDirectory(path)) {
      const at = `${path}/${name}`
      const { type } = yield* fs.lstat(at)
      found.push([at, type === "File" ? yield* fs.readFile(at) : undefined])
      if (type === "Directory") found.push(...(yield* treeBelow(fs, at)))
    }
    return found
  }).pipe(Effect.orDie)

const sizeOf = (bytes: Uint8Array | undefined) => bytes === undefined ? "no file" : `${bytes.length} bytes`

/** Where a disk and a real directory are not the same, byte for byte. */
export const differences = Effect.fnUntraced(function*(disk: Disk.Disk, root: string) {
  const fs = yield* FileSystem.FileSystem
  const real = new Map(yield* treeBelow(fs, root))
  const model = new Map([...Disk.tree(disk)].filter(([path]) => path.startsWith(`${root}/`)))
  return [...new Set([...real.keys(), ...model.keys()])].flatMap((path) => {
    const one = real.get(path)
    const other = model.get(path)
    const isSame = real.has(path) && model.has(path) && Buffer.compare(one ?? Buffer.of(), other ?? Buffer.of()) === 0
    return isSame ? [] : [`${path} has ${sizeOf(one)}, and in the trace ${sizeOf(other)}`]
  })
})

/** Puts what is on a disk below a root into that real directory, and nothing else. */
export const materialise = Effect.fnUntraced(function*(disk: Disk.Disk, root: string) {
  const fs = yield* FileSystem.FileSystem
  for (const name of yield* fs.readDirectory(root)) yield* fs.remove(`${root}/${name}`, { recursive: true })
  for (const [path, bytes] of Disk.tree(disk)) {
    if (!path.startsWith(`${root}/`)) continue
    if (bytes === undefined) yield* fs.makeDirectory(path, { mode: 0o700 })
    else yield* fs.writeFile(path, bytes, { mode: 0o600 })
  }
}, Effect.orDie)
