/**
 * What is left of a disk when the power fails.
 *
 * The model: of the changes of a directory's names since it was synced, any
 * subset is there, in their order, whatever is there of other directories. A
 * name that is there leads to what it was given to, even where an earlier name
 * of that was lost. Of a file's bytes since it was synced, any size between the
 * old and the new one is there that is a multiple of 512 or one of these two,
 * and in it each sector of 512 bytes as any of its versions, or as zeros where
 * the old file did not reach. What was synced is there, always.
 */
import type { Random } from "effect"
import { createHash } from "node:crypto"
import * as Disk from "./disk.ts"

const sectorBytes = 512

/** Decides over everything that is not durable. */
export interface Fate {
  readonly name: string
  /** Which of a directory's changes are there. */
  readonly names: (count: number) => ReadonlyArray<boolean>
  readonly bytes: (versions: Disk.FileNode["versions"]) => Uint8Array
}

type Dice = typeof Random.Random.Service

const all = (count: number) => Array.from({ length: count }, () => true)
const none = (count: number) => Array.from({ length: count }, () => false)
const oldBytes: Fate["bytes"] = ([durable]) => durable
const newBytes: Fate["bytes"] = (versions) => versions.at(-1) ?? versions[0]

const below = (dice: Dice, limit: number) => Math.floor(dice.nextDoubleUnsafe() * limit)
const oneOf = <A>(dice: Dice, first: A, ...others: ReadonlyArray<A>): A =>
  [first, ...others][below(dice, others.length + 1)] ?? first

/** The sizes a file may have: before, after, and each multiple of 512 between. */
const sizeBetween = (dice: Dice, before: number, after: number): number => {
  const low = Math.min(before, after)
  const boundaries = Math.ceil(Math.abs(after - before) / sectorBytes)
  const boundary = (Math.floor(low / sectorBytes) + 1 + below(dice, boundaries)) * sectorBytes
  return Math.min(Math.max(before, after), boundary)
}

const padded = (bytes: Uint8Array, size: number): Uint8Array => {
  const next = new Uint8Array(size)
  next.set(bytes.subarray(0, size))
  return next
}

const cut = (dice: Dice): Fate["bytes"] => (versions) => {
  const size = sizeBetween(dice, versions[0].length, newBytes(versions).length)
  return padded(newBytes(versions), size)
}

/** The size of the new file, and none of what was written. */
const zeros: Fate["bytes"] = (versions) => padded(versions[0], newBytes(versions).length)

/** Each sector as the dice fall: as it was, as it is, or as it was between. */
const sectors = (dice: Dice): Fate["bytes"] => (versions) => {
  const [before] = versions
  const after = newBytes(versions)
  const size = oneOf(dice, after.length, after.length, before.length, sizeBetween(dice, before.length, after.length))
  const next = new Uint8Array(size)
  for (let at = 0; at < size; at += sectorBytes) {
    const version = versions[below(dice, versions.length)] ?? before
    next.set(version.subarray(at, Math.min(size, at + sectorBytes)), at)
  }
  return next
}

/** A directory's changes: all or none, each as the dice fall, all but one, only one, or up to one. */
const some = (dice: Dice): Fate["names"] => (count) => {
  const chosen = below(dice, count)
  const keeps = oneOf<(index: number) => boolean>(
    dice,
    () => true,
    () => false,
    () => dice.nextDoubleUnsafe() < 0.5,
    (index) => index !== chosen,
    (index) => index === chosen,
    (index) => index < chosen
  )
  return Array.from({ length: count }, (_, index) => keeps(index))
}

/** Either extreme, and what tears. */
const anyBytes = (dice: Dice): Fate["bytes"] => (versions) =>
  oneOf(dice, oldBytes, newBytes, cut(dice), zeros, sectors(dice), sectors(dice))(versions)

/** What every moment is tried with: the extremes, and `subsets` falls of the dice. */
export const fates = (dice: Dice, subsets: number): ReadonlyArray<Fate> => [
  { name: "nothing un-synced survives", names: none, bytes: oldBytes },
  { name: "everything survives", names: all, bytes: newBytes },
  { name: "names survive, un-synced bytes do not", names: all, bytes: oldBytes },
  { name: "bytes survive, un-synced names do not", names: none, bytes: newBytes },
  { name: "un-synced bytes are cut at 512", names: all, bytes: cut(dice) },
  { name: "un-synced bytes are zeros", names: all, bytes: zeros },
  { name: "un-synced sectors survive at random", names: all, bytes: sectors(dice) },
  ...Array.from({ length: subsets }, (_, index): Fate => ({
    name: `subset ${index + 1} survives`,
    names: some(dice),
    bytes: anyBytes(dice)
  }))
]

/** Whether a crash could lose anything. */
export const isAtRest = (disk: Disk.Disk): boolean => {
  const rests = (node: Disk.Node): boolean =>
    node._tag === "File"
      ? node.versions.length === 1
      : node.pending.length === 0 && [...node.names.values()].every(rests)
  return rests(disk.root)
}

/** A new disk, all of it durable, with what the fate lets survive. The old one stays as it is. */
export const crash = (disk: Disk.Disk, fate: Fate): Disk.Disk => {
  const survivors = new Map<Disk.Node, Disk.Node>()
  const survivor = (node: Disk.Node): Disk.Node => {
    const known = survivors.get(node)
    if (known !== undefined) return known
    if (node._tag === "File") {
      const file = Disk.newFile(
        node.ino,
        node.mode,
        node.versions.length === 1 ? node.versions[0] : fate.bytes(node.versions)
      )
      file.modified = node.modified
      survivors.set(node, file)
      return file
    }
    const directory = Disk.newDirectory(node.ino, node.mode)
    survivors.set(node, directory)
    const names = new Map(node.durable)
    const keeps = fate.names(node.pending.length)
    for (const [index, change] of node.pending.entries()) {
      if (keeps[index] !== true) continue
      for (const [name, target] of change) {
        if (target === undefined) names.delete(name)
        else names.set(name, target)
      }
    }
    directory.names = new Map([...names].map(([name, target]) => [name, survivor(target)]))
    directory.durable = new Map(directory.names)
    directory.modified = node.modified
    return directory
  }
  const root = survivor(disk.root)
  return root._tag === "Directory" ? { root, ticks: disk.ticks } : Disk.empty()
}

const digests = new WeakMap<Uint8Array, string>()

const digestOf = (bytes: Uint8Array): string => {
  const known = digests.get(bytes)
  if (known !== undefined) return known
  const digest = createHash("sha1").update(bytes).digest("base64")
  digests.set(bytes, digest)
  return digest
}

/** The same for two directories that hold the same names and bytes. */
export const fingerprint = (node: Disk.Node): string =>
  node._tag === "File"
    ? digestOf(Disk.shown(node))
    : digestOf(Buffer.from(
      [...node.names].map(([name, inner]) => `${name} ${inner._tag} ${fingerprint(inner)}`).sort().join("\n")
    ))
