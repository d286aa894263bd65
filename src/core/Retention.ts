/**
 * What a cleanup would do. Pure: the plan can be shown before it is carried out.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as SessionList from "./SessionList.ts"
import type { Timestamp } from "./Timestamp.ts"
import { fromMillis, toMillis } from "./Timestamp.ts"

/**
 * The youngest age at which anything is removed or purged.
 *
 * @category limits
 * @since 0.1.0
 */
export const minimumAge = Duration.days(1)

/**
 * Why a cleanup leaves an entry alone.
 *
 * @category models
 * @since 0.1.0
 */
export type SkipReason = "recent" | "running" | "interrupted" | "elsewhere" | "unreadable"

/**
 * @category models
 * @since 0.1.0
 */
export interface Plan {
  /** Closed sessions to move to the trash. */
  readonly remove: ReadonlyArray<SessionList.Stored>
  /** Sessions to delete for ever: long enough in the trash. */
  readonly purge: ReadonlyArray<SessionList.Stored | SessionList.Broken>
  readonly skip: ReadonlyArray<{ readonly entry: SessionList.Entry; readonly reason: SkipReason }>
}

/** Since when an entry is in the trash; one that does not tell has been there since its last change. */
const removedAt = (entry: SessionList.Stored | SessionList.Broken): Timestamp =>
  SessionList.isStored(entry) ? entry.removedAt ?? entry.updatedAt : entry.removedAt ?? epoch

const epoch = fromMillis(0)

/**
 * What is older than `olderThan` (never less than {@link minimumAge}): closed
 * sessions by the time they were closed, removed ones by the time they were
 * removed. Running, interrupted and unreadable ones are left alone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const plan = (
  entries: Iterable<SessionList.Entry>,
  options: { readonly now: Timestamp; readonly olderThan: Duration.Duration }
): Plan => {
  const remove: Array<SessionList.Stored> = []
  const purge: Array<SessionList.Stored | SessionList.Broken> = []
  const skip: Array<{ readonly entry: SessionList.Entry; readonly reason: SkipReason }> = []
  const limit = toMillis(options.now) - Duration.toMillis(Duration.max(options.olderThan, minimumAge))
  const isOld = (moment: Timestamp) => toMillis(moment) <= limit
  for (const entry of entries) {
    if (SessionList.isRemoved(entry) && entry._tag !== "Foreign") {
      if (isOld(removedAt(entry))) purge.push(entry)
      else skip.push({ entry, reason: "recent" })
    } else if (!SessionList.isStored(entry) || entry.status === "removed") {
      skip.push({ entry, reason: "unreadable" })
    } else if (entry.status === "closed") {
      if (isOld(entry.closedAt ?? entry.updatedAt)) remove.push(entry)
      else skip.push({ entry, reason: "recent" })
    } else skip.push({ entry, reason: entry.status })
  }
  return { remove, purge, skip }
}
