/**
 * One conversation as it is read: what was said last, as much as may come into a
 * session, and everything that is known of it as a whole.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Json.ts"
import type { Usage } from "../Session.ts"
import type { Timestamp } from "../Timestamp.ts"
import * as Branch from "./Branch.ts"
import type * as Conversation from "./Conversation.ts"
import type { Facts, Reader, Reading, Revision, Said } from "./History.ts"
import * as Prompt from "./Prompt.ts"
import * as Tally from "./Tally.ts"

/**
 * A record that says something, or that others hang on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry extends Branch.Entry {
  readonly at: number
  readonly records: number
  readonly bytes: number
}

/**
 * How much is held of one conversation.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  /** Bytes of what was said. */
  readonly maxBytes: number
  /** Bytes of records that are kept as they are. */
  readonly maxKeptBytes: number
}

/**
 * A conversation, read to its end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Finished {
  readonly facts: Facts
  readonly title: string | undefined
  readonly first: Timestamp | undefined
  readonly last: Timestamp | undefined
  readonly pieces: ReadonlyArray<Conversation.Piece<Entry>>
  /** What the person typed last of what is held no longer. */
  readonly before: Entry | undefined
  readonly kept: ReadonlyArray<JsonObject>
  /** Records that were held no longer. */
  readonly passed: number
  readonly tally: Tally.Tally
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Lane {
  readonly tally: Tally.Tally
  /** Takes what a record says; `at` is its number. */
  readonly add: (reading: Reading, at: number) => void
  /** Bytes that are held. */
  readonly bytes: () => number
  /** Lets go of what is oldest. */
  readonly pass: () => void
  readonly finish: () => Finished
}

/**
 * Why a record of the conversation is not in the session.
 *
 * @category constants
 * @since 0.1.0
 */
export const tooOld = "older than what fits into a session"

const leftBranch = "on a branch that was left"
const takenBack = "taken back"
const replaced = "replaced by a later record of the same message"

const noMore = { inputTokens: 0, outputTokens: 0, totalCost: 0 }

const most = (one: Usage, two: Usage): Usage => ({
  inputTokens: Math.max(one.inputTokens, two.inputTokens),
  outputTokens: Math.max(one.outputTokens, two.outputTokens),
  totalCost: Math.max(one.totalCost, two.totalCost)
})

const less = (one: Usage, two: Usage): Usage => ({
  inputTokens: Math.max(0, one.inputTokens - two.inputTokens),
  outputTokens: Math.max(0, one.outputTokens - two.outputTokens),
  totalCost: Math.max(0, one.totalCost - two.totalCost)
})

const plus = (one: Usage, two: Usage): Usage => ({
  inputTokens: one.inputTokens + two.inputTokens,
  outputTokens: one.outputTokens + two.outputTokens,
  totalCost: one.totalCost + two.totalCost
})

const isNothing = ({ inputTokens, outputTokens, totalCost }: Usage): boolean =>
  inputTokens === 0 && outputTokens === 0 && totalCost === 0

/** What is known first of where it began, and last of how it went on. */
const merged = (self: Facts, that: Facts): Facts => {
  const title = (that.title?.weight ?? 0) >= (self.title?.weight ?? 0) ? that.title ?? self.title : self.title
  return {
    ...self,
    ...that,
    ...(self.id === undefined ? {} : { id: self.id }),
    ...(self.parent === undefined ? {} : { parent: self.parent }),
    ...(self.cwd === undefined ? {} : { cwd: self.cwd }),
    ...(self.createdAt === undefined ? {} : { createdAt: self.createdAt }),
    ...(title === undefined ? {} : { title }),
    metadata: { ...that.metadata, ...self.metadata }
  }
}

const sizeOf = (value: unknown): number => JSON.stringify(value).length

/** Bytes that a record takes on which others hang. */
const entryBytes = 128

/** Groups that may still go on. */
const maxGroups = 64

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (reader: Reader, bounds: Bounds): Lane => {
  const tally = Tally.make()
  const byId = new Map<string, number>()
  const groups = new Map<string, Usage>()
  const kept: Array<JsonObject> = []
  let entries: Array<Entry> = []
  let echoes: Array<Entry> = []
  let echoBytes = 0
  let before: Entry | undefined
  let isTold = false
  let passed = 0
  let bytes = 0
  let keptBytes = 0
  let total: Usage = noMore
  let facts: Facts = {}
  let title: string | undefined
  let first: Timestamp | undefined
  let last: Timestamp | undefined

  const drop = (dropped: ReadonlyArray<Entry>, reason: string) => {
    for (const { at, bytes: size, id, records, said } of dropped) {
      bytes -= size
      if (id !== undefined) byId.delete(id)
      if (said.length > 0) tally.skipped(reason, at, records)
    }
  }

  /** Entries from a place on are no more. */
  const cut = (from: number, reason: string) => drop(entries.splice(from), reason)

  const clear = (reason: string) => {
    if (before !== undefined) drop([before], reason)
    before = undefined
    cut(0, reason)
  }

  const rewind = (to: string, isAll: boolean) => {
    const from = entries.findIndex(({ id }) => id === to)
    if (from >= 0) cut(from, takenBack)
    else if (isAll) clear(takenBack)
  }

  const revise = (revision: Revision) => {
    switch (revision._tag) {
      case "Restarted":
        return clear(replaced)
      case "Rewound":
        return rewind(revision.to, revision.whenMissing === "all")
      case "RolledBack": {
        const turns = entries.flatMap(({ said }, index) => said.some(Prompt.isTyped) ? [index] : [])
        const from = turns.at(-revision.turns)
        if (revision.turns > 0) return from === undefined ? clear(takenBack) : cut(from, takenBack)
      }
    }
  }

  /** Of what a group used what is new: each of its pieces tells the whole. */
  const counted = (said: Said): Said => {
    if (said.usage === undefined || said.group === undefined) return said
    const before = groups.get(said.group) ?? noMore
    const usage = less(said.usage, before)
    groups.delete(said.group)
    groups.set(said.group, most(before, said.usage))
    if (groups.size > maxGroups) groups.delete([...groups.keys()][0] ?? "")
    if (!isNothing(usage)) return { ...said, usage }
    const { usage: _, ...rest } = said
    return rest
  }

  /** What was used since the last time is the last answer's. */
  const use = (soFar: Usage) => {
    const usage = less(soFar, total)
    const place = entries.findLastIndex(({ said }) => said.at(-1)?.role === "assistant")
    const entry = entries[place]
    if (entry === undefined || isNothing(usage)) return
    total = most(total, soFar)
    const said = entry.said.map((piece, index) =>
      index === entry.said.length - 1 ? { ...piece, usage: plus(piece.usage ?? noMore, usage) } : piece
    )
    entries[place] = { ...entry, said }
  }

  const keep = (reason: string, record: JsonObject, at: number, records: number) => {
    const size = sizeOf(record)
    if (keptBytes + size > bounds.maxKeptBytes) {
      return tally.skipped(`${reason}, for which there is no room`, at, records)
    }
    keptBytes += size
    kept.push(record)
    tally.kept(reason, at, records)
  }

  const push = (entry: Entry) => {
    const known = reader.shape === "keyed" && entry.id !== undefined ? byId.get(entry.id) : undefined
    const place = known === undefined ? -1 : entries.findLastIndex(({ at }) => at === known)
    const older = entries[place]
    if (older === undefined) entries.push(entry)
    else {
      // It keeps its place, and its own number: that is how it is found again.
      entries[place] = { ...entry, at: older.at }
      bytes -= older.bytes
      tally.skipped(replaced, older.at, older.records)
    }
    if (reader.shape === "keyed" && entry.id !== undefined) byId.set(entry.id, older?.at ?? entry.at)
    bytes += entry.bytes
    while (bytes > bounds.maxBytes && entries.length > 1) pass()
  }

  const pass = () => {
    // A quarter at a time: taking them one by one from a long list would take for ever.
    let count = 0
    for (let freed = 0; count < entries.length - 1 && freed < bounds.maxBytes / 4; count++) {
      freed += entries[count]?.bytes ?? 0
    }
    const oldest = entries.slice(0, count)
    entries = entries.slice(count)
    const typed = oldest.findLast(({ said }) => said.some(Prompt.isTyped))
    const gone = [...(before === undefined ? [] : [before]), ...oldest].filter((entry) => entry !== typed)
    if (typed === undefined && before !== undefined) gone.shift()
    passed += gone.filter(({ said }) => said.length > 0).length
    drop(gone, tooOld)
    if (typed !== undefined) {
      bytes -= typed.bytes
      before = { ...typed, bytes: 0 }
    }
  }

  const entryOf = (reading: Reading, at: number, said: ReadonlyArray<Said>): Entry => ({
    at,
    records: reading.records ?? 1,
    ...reading.node,
    said,
    bytes: entryBytes + (said.length === 0 ? 0 : sizeOf(said))
  })

  const hear = (reading: Reading, said: ReadonlyArray<Said>, at: number) => {
    if (said.length > 0 && !isTold) {
      isTold = true
      for (const echo of echoes) tally.skipped(echoReason, echo.at, echo.records)
      echoes = []
    }
    const isPlace = reading.node !== undefined && (reader.shape === "tree" || reader.shape === "looseTree")
    if (said.length > 0 || isPlace) push(entryOf(reading, at, said))
  }

  /** It may be all that there is. */
  const echo = (entry: Entry) => {
    echoes.push(entry)
    echoBytes += entry.bytes
    if (echoBytes <= bounds.maxBytes) return
    const half = echoes.slice(0, Math.ceil(echoes.length / 2))
    echoes = echoes.slice(half.length)
    passed += half.length
    for (const { at, bytes, records } of half) {
      echoBytes -= bytes
      tally.skipped(tooOld, at, records)
    }
  }

  const remember = (said: ReadonlyArray<Said>) => {
    for (const piece of said) {
      if (piece.at !== undefined) {
        first = first === undefined || piece.at < first ? piece.at : first
        last = last === undefined || piece.at > last ? piece.at : last
      }
      title ??= Prompt.titleOf(piece)
    }
  }

  const add = (reading: Reading, at: number) => {
    const { changes = [], isEcho = false, outcome, records = 1, revision, usedSoFar } = reading
    const said = (reading.said ?? []).map(counted)
    if (reading.facts !== undefined) facts = merged(facts, reading.facts)
    if (revision !== undefined) revise(revision)
    for (const change of changes) tally.changed(change)
    remember(said)
    if (isEcho) {
      if (isTold) tally.skipped(echoReason, at, records)
      else echo(entryOf(reading, at, said))
      return
    }
    hear(reading, said, at)
    if (usedSoFar !== undefined) use(usedSoFar)
    if (outcome._tag === "Kept") keep(outcome.reason, outcome.record, at, records)
    else if (outcome._tag === "Skipped") tally.skipped(outcome.reason, at, records)
    else if (said.length === 0) tally.mapped(records)
  }

  const finish = (): Finished => {
    for (const echo of echoes) push(echo)
    echoes = []
    const on = Branch.current(entries, reader.shape)
    for (const [index, { at, records, said }] of entries.entries()) {
      if (!on.has(index) && said.length > 0) tally.skipped(leftBranch, at, records)
    }
    const pieces = entries.flatMap((source, index) =>
      on.has(index) ? source.said.map((said) => ({ said, source })) : []
    )
    return { facts, title, first, last, pieces, before, kept, passed, tally }
  }

  return { tally, add, bytes: () => bytes + echoBytes, pass, finish }
}

const echoReason = "what a person was shown of the conversation"
