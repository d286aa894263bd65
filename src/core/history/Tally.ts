/**
 * Counts what became of the records of a history, and why.
 *
 * @since 0.1.0
 */

/**
 * Records that were kept aside or left out for one reason. `first` is the number
 * of the first one of them, from 1 on: its line, where records are lines.
 */
interface Reason {
  readonly outcome: "kept" | "skipped"
  readonly reason: string
  readonly count: number
  readonly first: number
}

/**
 * Something that was not taken over as it was, and how often.
 */
interface Change {
  readonly change: string
  readonly count: number
}

/**
 * Each record is counted once: `read` is the sum of the others. `mapped` ones
 * are in the conversation, or say something about the session; `kept` ones stand
 * as they are under its metadata.
 *
 * @category models
 * @since 0.1.0
 */
export interface Counts {
  readonly read: number
  readonly mapped: number
  readonly kept: number
  readonly skipped: number
  readonly reasons: ReadonlyArray<Reason>
  readonly changes: ReadonlyArray<Change>
}

/**
 * Counts that go on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tally {
  readonly mapped: (records: number) => void
  readonly kept: (reason: string, first: number, records?: number) => void
  readonly skipped: (reason: string, first: number, records?: number) => void
  readonly changed: (change: string, times?: number) => void
  /** The counts so far. */
  readonly counts: () => Counts
}

/** Reasons may hold words of the file: there must be an end to them. */
const maxReasons = 64
const maxLength = 120

const other = "another reason"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Tally => {
  const totals = { mapped: 0, kept: 0, skipped: 0 }
  const reasons = new Map<string, Reason>()
  const changes = new Map<string, number>()

  const count = (outcome: Reason["outcome"], text: string, first: number, records = 1) => {
    totals[outcome] += records
    const known = (reason: string) => reasons.get(`${outcome} ${reason}`)
    const short = text.slice(0, maxLength).toWellFormed()
    const reason = known(short) !== undefined || reasons.size < maxReasons ? short : other
    const before = known(reason)
    reasons.set(`${outcome} ${reason}`, {
      outcome,
      reason,
      count: (before?.count ?? 0) + records,
      first: Math.min(before?.first ?? first, first)
    })
  }

  return {
    mapped: (records) => {
      totals.mapped += records
    },
    kept: (reason, first, records) => count("kept", reason, first, records),
    skipped: (reason, first, records) => count("skipped", reason, first, records),
    changed: (change, times = 1) => {
      if (times > 0) changes.set(change, (changes.get(change) ?? 0) + times)
    },
    counts: () => ({
      read: totals.mapped + totals.kept + totals.skipped,
      ...totals,
      reasons: [...reasons.values()].sort((one, two) => two.count - one.count || one.first - two.first),
      changes: Array.from(changes, ([change, count]) => ({ change, count }))
    })
  }
}
