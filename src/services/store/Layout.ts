/**
 * The names of a sessions directory and what they mean.
 *
 * ```
 * <directory>/<id>/session.json                  the snapshot
 * <directory>/<id>/journal.<epoch>.<part>.jsonl  what happened since
 * <directory>/<id>/lease.<epoch>.json            who holds, or last held, the session
 * <directory>/<id>/blobs/<sha256>.<epoch>        a large part of a message, and the epoch of the claim that stored it
 * <directory>/<id>/original.v<version>.json      the last snapshot of an older format version
 * <directory>/<id>/pending.<epoch>.<nonce>       a file on its way to one of these names
 * <directory>/index.json                         what lists remember of sessions at rest; may be deleted
 * <directory>/creating.<holder>.<nonce>          a session, or an index, on its way to its name
 * <directory>/deleting.<holder>.<nonce>          a purged session
 * ```
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type { Digest } from "../../core/Blob.ts"
import * as Blob from "../../core/Blob.ts"
import type { Holder } from "../../core/Holder.ts"
import * as SessionId from "../../core/SessionId.ts"

export const snapshot = "session.json"

export const index = "index.json"

export const original = (version: number): string => `original.v${version}.json`

export const lease = (epoch: number): string => `lease.${epoch}.json`

export const journal = (epoch: number, part: number): string => `journal.${epoch}.${part}.jsonl`

/** The directory of a session's blobs. */
export const blobs = "blobs"

export const blob = (digest: Digest, epoch: number): string => `${digest}.${epoch}`

export const pending = (epoch: number, nonce: string): string => `pending.${epoch}.${nonce}`

/** A journal's file name and its place among the journals. */
export interface JournalName {
  readonly name: string
  readonly epoch: number
  readonly part: number
}

/** The names in one session's directory. */
export interface Names {
  readonly hasSnapshot: boolean
  /** Epochs of the leases, lowest first. */
  readonly leases: ReadonlyArray<number>
  /** In the order in which they were begun. */
  readonly journals: ReadonlyArray<JournalName>
  readonly pending: ReadonlyArray<{ readonly name: string; readonly epoch: number }>
}

const leasePattern = /^lease\.([1-9]\d{0,14})\.json$/
const journalPattern = /^journal\.([1-9]\d{0,14})\.(0|[1-9]\d{0,14})\.jsonl$/

const pendingPattern = /^pending\.([1-9]\d{0,14})\./

const inOrder = Order.combine(
  Order.mapInput(Order.Number, ({ epoch }: JournalName) => epoch),
  Order.mapInput(Order.Number, ({ part }: JournalName) => part)
)

export const parse = (names: ReadonlyArray<string>): Names => ({
  hasSnapshot: names.includes(snapshot),
  leases: names.flatMap((name) => {
    const [, epoch] = leasePattern.exec(name) ?? []
    return epoch === undefined ? [] : [Number(epoch)]
  }).sort(Order.Number),
  journals: names.flatMap((name) => {
    const [, epoch, part] = journalPattern.exec(name) ?? []
    return epoch === undefined || part === undefined ? [] : [{ name, epoch: Number(epoch), part: Number(part) }]
  }).sort(inOrder),
  pending: names.flatMap((name) => {
    const [, epoch] = pendingPattern.exec(name) ?? []
    return epoch === undefined ? [] : [{ name, epoch: Number(epoch) }]
  })
})

/** A blob's file name, and the claim that stored it. */
export interface BlobName {
  readonly name: string
  readonly digest: Digest
  readonly epoch: number
}

const blobPattern = /^([0-9a-f]{64})\.([1-9]\d{0,14})$/

/** The names in the directory of a session's blobs, those of later claims last. */
export const parseBlobs = (names: ReadonlyArray<string>): ReadonlyArray<BlobName> =>
  names.flatMap((name) => {
    const [, digest, epoch] = blobPattern.exec(name) ?? []
    return epoch === undefined || !Blob.isDigest(digest) ? [] : [{ name, digest, epoch: Number(epoch) }]
  }).sort(Order.mapInput(Order.Number, ({ epoch }) => epoch))

/** The epoch that counts; 0 where there is no lease. */
export const highest = (names: Names): number => names.leases.at(-1) ?? 0

export const isSame = (self: Names, that: Names): boolean =>
  highest(self) === highest(that) && self.journals.length === that.journals.length &&
  self.journals.every(({ name }, index) => name === that.journals[index]?.name)

/** What a name in the sessions directory stands for. */
export type Kind =
  | { readonly _tag: "Session"; readonly id: SessionId.SessionId }
  | { readonly _tag: "Foreign" }
  | { readonly _tag: "Private" }
  | { readonly _tag: "Unrelated" }

export const kind = (name: string): Kind => {
  if (SessionId.isSessionId(name)) return { _tag: "Session", id: name }
  if (name.endsWith(".json") && SessionId.isSessionId(name.slice(0, -5).toLowerCase())) return { _tag: "Foreign" }
  return privatePattern.test(name) ? { _tag: "Private" } : { _tag: "Unrelated" }
}

const fields = "([A-Za-z0-9-]*)"
const privatePattern = new RegExp(
  `^(?:creating|deleting)\\.${fields}\\.${fields}\\.(\\d+)\\.${fields}\\.([0-9a-f-]{36})$`
)
const plain = (text: string): string => text.replace(/[^A-Za-z0-9-]/g, "-")

/**
 * The name of a directory that only its maker may touch while it lives. The
 * maker stands in the name, since nothing inside could be there from the first
 * moment on.
 */
export const privateName = (purpose: "creating" | "deleting", holder: Holder, nonce: string): string =>
  [purpose, plain(holder.bootId), plain(holder.pidNamespace), holder.pid, plain(holder.startTime), nonce].join(".")

/**
 * The maker of a private directory, as far as its name tells: seen from `self`,
 * whose texts were made plain in the same way.
 */
export const makerOf = (
  name: string,
  self: Holder
): Option.Option<{ readonly holder: Holder; readonly nonce: string }> => {
  const [, bootId, pidNamespace, pid, startTime, nonce] = privatePattern.exec(name) ?? []
  if (bootId === undefined || pidNamespace === undefined || pid === undefined) return Option.none()
  if (startTime === undefined || nonce === undefined) return Option.none()
  const known = (text: string, own: string) => text === plain(own) ? own : text
  return Option.some({
    holder: {
      host: self.host,
      bootId: known(bootId, self.bootId),
      pidNamespace: known(pidNamespace, self.pidNamespace),
      pid: Number(pid),
      startTime
    },
    nonce
  })
}
