/**
 * When agents ran, and whether two of one session ever ran at once.
 */
import { Effect, FileSystem, Schema } from "effect"

const Entry = Schema.fromJsonString(Schema.Struct({
  what: Schema.Literals(["start", "end"]),
  id: Schema.String,
  pid: Schema.Int,
  at: Schema.Int
}))

/** What happened to a process, on the same clock as its agents' log. */
export interface Fate {
  /** When it was killed. */
  killed?: number
  /** When it was suspended, and when it went on. */
  readonly suspended: Array<{ readonly from: number; readonly to: number }>
}

interface Spell {
  readonly pid: number
  readonly from: number
  to: number
}

/** One process's spells in order of time, by session. */
const spellsOf = (entries: ReadonlyArray<typeof Entry.Type>, fates: ReadonlyMap<number, Fate>) => {
  const spells = new Map<string, Array<Spell>>()
  for (const { at, id, pid, what } of entries) {
    const own = spells.get(id) ?? []
    spells.set(id, own)
    if (what === "start") own.push({ pid, from: at, to: fates.get(pid)?.killed ?? Infinity })
    const open = own.findLast((spell) => spell.pid === pid)
    if (what === "end" && open !== undefined) open.to = at
  }
  return spells
}

/** Whether a process slept at a moment, or since not long before. */
const isWaking = (fate: Fate | undefined, at: number, grace: number): boolean =>
  fate?.suspended.some(({ from, to }) => from <= at && at <= to + grace) ?? false

/**
 * Reads the log. Of a process that was suspended nobody can know that it will wake:
 * what its agents still did then, until they learnt that they had been replaced, is
 * reported as `longestAfterSleep`, and is a finding only if it lasts. `takeovers` are
 * the milliseconds from the death of a session's process to its next start, in order.
 */
export const judge = Effect.fnUntraced(function*(options: {
  readonly log: string
  readonly fates: ReadonlyMap<number, Fate>
  /** Milliseconds in which a holder learns that it was replaced. */
  readonly grace: number
}) {
  const { fates, grace } = options
  const fs = yield* FileSystem.FileSystem
  const lines = (yield* fs.readFileString(options.log)).split("\n").filter((line) => line !== "")
  const entries = yield* Effect.forEach(lines, (line) => Schema.decodeEffect(Entry)(line))
  const findings: Array<string> = []
  const takeovers: Array<number> = []
  let starts = 0
  let longestAfterSleep = 0
  for (const [id, spells] of spellsOf(entries, fates)) {
    starts += spells.length
    for (const [index, spell] of spells.entries()) {
      const next = spells[index + 1]
      const killed = fates.get(spell.pid)?.killed
      if (next !== undefined && killed !== undefined && spell.to === killed) takeovers.push(next.from - killed)
      if (next === undefined || next.pid === spell.pid || spell.to <= next.from) continue
      const fate = fates.get(spell.pid)
      const awake = fate?.suspended.findLast(({ from }) => from <= next.from)?.to ?? next.from
      const together = spell.to - Math.max(awake, next.from)
      const slept = isWaking(fate, next.from, 0)
      if (slept) longestAfterSleep = Math.max(longestAfterSleep, together)
      if (!slept || together > grace) {
        findings.push(`session ${id} ran in ${spell.pid} and ${next.pid} for ${together} ms`)
      }
    }
  }
  return { findings, starts, longestAfterSleep, takeovers: takeovers.toSorted((self, that) => self - that) }
})
