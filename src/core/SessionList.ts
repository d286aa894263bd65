/**
 * What a list shows of stored sessions, in which order, and which of them.
 *
 * @since 0.1.0
 */
import * as Array from "effect/Array"
import * as Order from "effect/Order"
import type { Holder } from "./Holder.ts"
import type { Parent } from "./Session.ts"
import type { InvalidJson, SchemaVersion, StoreError } from "./SessionError.ts"
import type { SessionId } from "./SessionId.ts"
import type { Timestamp } from "./Timestamp.ts"

/**
 * What a stored session is doing.
 *
 * **Details**
 *
 * *closed*: stored, nobody runs it. *running*: its holder is alive.
 * *interrupted*: its holder is gone and its journal remains; resume it.
 * *elsewhere*: its holder can't be judged from here. *removed*: in the trash.
 *
 * @category models
 * @since 0.1.0
 */
export type Status = "closed" | "running" | "interrupted" | "elsewhere" | "removed"

/**
 * A session as its head tells it. Heads are not verified; loading does that.
 *
 * **Details**
 *
 * `updatedAt` of an open session is the time of its journal; `messages`,
 * `todosOpen` and `todosDone` are those of its last snapshot. `bytes` is the
 * size of snapshot and journal.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stored {
  readonly _tag: "Stored"
  readonly id: SessionId
  readonly name: string
  readonly projectPath: string
  readonly status: Status
  readonly holder?: Holder
  readonly createdAt: Timestamp
  readonly updatedAt: Timestamp
  readonly closedAt?: Timestamp
  readonly removedAt?: Timestamp
  readonly messages: number
  readonly todosOpen: number
  readonly todosDone: number
  readonly bytes: number
  /** The session that it was forked from. */
  readonly parent?: Parent
}

/**
 * What a store tells of an encrypted session beside its id. `head` are the first
 * bytes of its snapshot, for who has the key; `writtenAt` is when its journal was
 * last written, where it has one that counts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Encrypted {
  readonly head: Uint8Array
  readonly status: Status
  readonly holder?: Holder
  readonly writtenAt?: Timestamp
  readonly bytes: number
}

/**
 * Something in the sessions directory that should be a session and can't be
 * read as one. `name` is the name of its directory or file.
 *
 * @category models
 * @since 0.1.0
 */
export interface Broken {
  readonly _tag: "Broken"
  readonly name: string
  readonly id: SessionId
  /** When it was last changed, where the store knows that without reading it. */
  readonly updatedAt?: Timestamp
  /** Since when it is in the trash, if it is. */
  readonly removedAt?: Timestamp
  /** Where it is encrypted, and only that stands in the way. */
  readonly encrypted?: Encrypted
  readonly error: InvalidJson | SchemaVersion | StoreError
}

/**
 * A file of another format, `<uuid>.json`: listed, never read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Foreign {
  readonly _tag: "Foreign"
  readonly name: string
  readonly error: InvalidJson
}

/**
 * @category models
 * @since 0.1.0
 */
export type Entry = Stored | Broken | Foreign

/**
 * Whether an entry is in the trash.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isRemoved = (entry: Entry): boolean =>
  isStored(entry) ? entry.status === "removed" : entry._tag === "Broken" && entry.removedAt !== undefined

/**
 * @category guards
 * @since 0.1.0
 */
export const isStored = (entry: Entry): entry is Stored => entry._tag === "Stored"

/**
 * A place in a list: that of the entry it was taken from. A list goes on behind
 * it, also where that entry has changed meanwhile, or is gone.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cursor {
  readonly updatedAt?: Timestamp
  /** The id of a session, or the name of what is none. */
  readonly name: string
}

/**
 * @category getters
 * @since 0.1.0
 */
export const cursorOf = (entry: Entry): Cursor => {
  switch (entry._tag) {
    case "Stored":
      return { updatedAt: entry.updatedAt, name: entry.id }
    case "Broken":
      return { name: entry.name, ...(entry.updatedAt === undefined ? {} : { updatedAt: entry.updatedAt }) }
    case "Foreign":
      return { name: entry.name }
  }
}

const inPlace: Order.Order<Cursor> = Order.make((self, that) => {
  if (self.updatedAt !== undefined && that.updatedAt !== undefined) {
    return Order.String(that.updatedAt, self.updatedAt) || Order.String(self.name, that.name)
  }
  if (self.updatedAt !== undefined) return -1
  if (that.updatedAt !== undefined) return 1
  return Order.String(self.name, that.name)
})

/**
 * Newest first; what does not tell when it was changed comes last, by name. The
 * id decides between equals, so that a list is always in the same order.
 *
 * @category ordering
 * @since 0.1.0
 */
export const newestFirst: Order.Order<Entry> = Order.mapInput(inPlace, cursorOf)

/**
 * Which entries a list shows. Everything but removed sessions, unless it asks
 * for a status.
 *
 * **Details**
 *
 * `project` is a real path and compared as text. `text` is looked for in names
 * and project paths, whatever the case. Broken and foreign entries have neither,
 * so they show unless `project`, `text` or `status` is given; broken ones in the
 * trash show with the others there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Filter {
  readonly project?: string
  readonly status?: ReadonlyArray<Status>
  readonly text?: string
  /** Only what stands behind this place. */
  readonly after?: Cursor
  readonly offset?: number
  readonly limit?: number
}

/**
 * Whether a list shows an entry, wherever it stands.
 *
 * @category filtering
 * @since 0.1.0
 */
export const matches = (filter: Filter) => (entry: Entry): boolean => {
  if (!isStored(entry)) {
    const isAsked = isRemoved(entry) ? filter.status?.includes("removed") === true : filter.status === undefined
    return isAsked && filter.project === undefined && filter.text === undefined
  }
  const text = filter.text?.toLowerCase()
  return (filter.status === undefined ? entry.status !== "removed" : filter.status.includes(entry.status)) &&
    (filter.project === undefined || entry.projectPath === filter.project) &&
    (text === undefined || [entry.name, entry.projectPath].some((value) => value.toLowerCase().includes(text)))
}

/**
 * The entries a list shows, in its order.
 *
 * @category filtering
 * @since 0.1.0
 */
export const select = (entries: Iterable<Entry>, filter: Filter = {}): ReadonlyArray<Entry> => {
  const { after } = filter
  const isAsked = (entry: Entry) =>
    matches(filter)(entry) && (after === undefined || inPlace(after, cursorOf(entry)) < 0)
  const sorted = Array.sort(Array.filter(Array.fromIterable(entries), isAsked), newestFirst)
  const from = Math.max(0, filter.offset ?? 0)
  return sorted.slice(from, filter.limit === undefined ? undefined : from + Math.max(0, filter.limit))
}
