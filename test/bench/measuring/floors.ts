/**
 * The least that an operation can cost, done by hand and synchronously: what
 * contenders are measured against.
 */
import { Effect } from "effect"
import * as NodeCrypto from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodeFsPromises from "node:fs/promises"
import * as NodePath from "node:path"
import type { Subject } from "./rounds.ts"
import { whole } from "./rounds.ts"

const secret = Buffer.alloc(32, 7)

const parse: (text: string) => unknown = JSON.parse

const hmac = (bytes: Uint8Array): Buffer => NodeCrypto.createHmac("sha256", secret).update(bytes).digest()

const readVerified = (file: string): string => {
  const bytes = NodeFs.readFileSync(file)
  hmac(bytes)
  return bytes.toString("utf8")
}

/** L: reads, hashes, decodes and parses a snapshot, and a journal line by line where there is one. */
export const load = (files: { readonly snapshot: string; readonly journal?: string }): Subject =>
  whole(Effect.sync(() => {
    const document = parse(readVerified(files.snapshot))
    const lines = files.journal === undefined ? [] : readVerified(files.journal).trimEnd().split("\n").map(parse)
    return { document, lines }
  }))

const syncDirectory = (directory: string): void => {
  const descriptor = NodeFs.openSync(directory, "r")
  NodeFs.fsyncSync(descriptor)
  NodeFs.closeSync(descriptor)
}

/** Writes a file that is not there yet, and syncs it. */
const writeSynced = (file: string, bytes: Uint8Array): void => {
  const descriptor = NodeFs.openSync(file, "ax", 0o600)
  NodeFs.writeSync(descriptor, bytes)
  NodeFs.fsyncSync(descriptor)
  NodeFs.closeSync(descriptor)
}

/** S: encodes and hashes a document, writes it beside, syncs, renames it into place, and syncs the directory. */
export const save = (directory: string, document: unknown): Subject =>
  whole(Effect.sync(() => {
    const bytes = Buffer.from(JSON.stringify(document))
    hmac(bytes)
    const [pending, target] = [NodePath.join(directory, "pending"), NodePath.join(directory, "saved.json")]
    writeSynced(pending, bytes)
    NodeFs.renameSync(pending, target)
    syncDirectory(directory)
  }))

/** An open file to append to. */
export const openLog = (root: string) =>
  Effect.acquireRelease(
    Effect.sync(() => NodeFs.openSync(NodePath.join(root, "log"), "a")),
    (descriptor) => Effect.sync(() => NodeFs.closeSync(descriptor))
  )

/** A: a line of 1 KiB to a file that is open, and a sync. */
export const append = (descriptor: number): Subject => {
  const line = Buffer.alloc(1024, "x")
  line.write("\n", line.length - 1)
  return whole(Effect.sync(() => {
    NodeFs.writeSync(descriptor, line)
    NodeFs.fsyncSync(descriptor)
  }))
}

/** Where the calls of a resume are made. */
export interface ResumePlace {
  /** An empty directory. */
  readonly session: string
  readonly project: string
  /** Whether those that may wait for a disk are made on node's threads. */
  readonly onThreads: boolean
}

/** Follows a path to a directory that can be read. */
const follow = async ({ onThreads, project }: ResumePlace): Promise<void> => {
  const real = onThreads ? await NodeFsPromises.realpath(project) : NodeFs.realpathSync.native(project)
  NodeFs.statSync(real)
  NodeFs.accessSync(real, NodeFs.constants.R_OK)
}

/** Gives a new file a name of its own by way of another. */
const linkNew = async (target: string, bytes: string, onThreads: boolean): Promise<void> => {
  const pending = `${target}.pending`
  const [file, descriptor] = onThreads
    ? await NodeFsPromises.open(pending, "wx", 0o600).then((file) => [file, file.fd] as const)
    : [undefined, NodeFs.openSync(pending, "wx", 0o600)] as const
  NodeFs.writeSync(descriptor, bytes)
  if (file === undefined) NodeFs.closeSync(descriptor)
  else await file.close()
  if (onThreads) await NodeFsPromises.link(pending, target)
  else NodeFs.linkSync(pending, target)
  if (onThreads) await NodeFsPromises.unlink(pending)
  else NodeFs.unlinkSync(pending)
}

/**
 * C: the calls that a resume makes and a load does not: a look at the project and
 * another one at last, a new lease of 300 bytes by way of a private name, and two
 * looks at what is in the directory. Before them a snapshot was replaced there and
 * made durable, as by the close of the session.
 */
export const resume = (place: ResumePlace): Subject => {
  const lease = NodePath.join(place.session, "lease.json")
  const bytes = "x".repeat(300)
  const calls = Effect.promise(async () => {
    await follow(place)
    await linkNew(lease, bytes, place.onThreads)
    NodeFs.readdirSync(place.session)
    NodeFs.lstatSync(lease)
    await follow(place)
    NodeFs.readdirSync(place.session)
  })
  const snapshot = NodePath.join(place.session, "session.json")
  const clear = Effect.sync(() => {
    writeSynced(`${snapshot}.pending`, Buffer.alloc(10_000))
    NodeFs.renameSync(`${snapshot}.pending`, snapshot)
    syncDirectory(place.session)
    NodeFs.unlinkSync(lease)
  })
  return (time) => Effect.andThen(time(calls), clear)
}

/** I: the names in a directory, and of each session in it the first line of the first 4 KB. */
export const list = (directory: string): Subject => {
  const head = Buffer.alloc(4096)
  return whole(Effect.sync(() =>
    NodeFs.readdirSync(directory).filter((name) => !name.endsWith(".json")).map((name) => {
      const descriptor = NodeFs.openSync(NodePath.join(directory, name, "session.json"), "r")
      const length = NodeFs.readSync(descriptor, head, 0, head.length, 0)
      NodeFs.closeSync(descriptor)
      const line = head.toString("utf8", 0, Math.min(length, head.indexOf("\n")))
      return parse(`${line.slice(0, line.lastIndexOf(",\"conversation\":"))}}`)
    })
  ))
}
