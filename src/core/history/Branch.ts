/**
 * Which records of a tree are the conversation: those on the way from the last
 * one to the root.
 *
 * @since 0.1.0
 */
import type { Said, Shape } from "./History.ts"

/**
 * A record in the order of the file.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly id?: string
  /** The record that it follows: `null` where it begins anew, missing where it follows the one before it. */
  readonly parent?: string | null
  readonly said: ReadonlyArray<Said>
}

const isSummary = ({ said }: Entry): boolean => said.some(({ metadata }) => metadata?.["isCompactSummary"] === true)

/**
 * Where the record stands that each one follows; -1 where it begins anew. What
 * can't be found was lost, or left out: the history goes on where it is. So it
 * does in a loose tree after a compaction, from which on some versions name what
 * stands before it.
 */
const parentsOf = (entries: ReadonlyArray<Entry>, isLoose: boolean): ReadonlyArray<number> => {
  const places = new Map<string, number>()
  let summary = -1
  return entries.map((entry, index) => {
    const { id, parent } = entry
    const named = parent === null ? -1 : parent === undefined ? undefined : places.get(parent)
    const place = isLoose && named !== undefined && named < summary ? undefined : named
    if (id !== undefined) places.set(id, index)
    if (isSummary(entry)) summary = index
    return place ?? index - 1
  })
}

const callsOf = (said: ReadonlyArray<Said>): ReadonlyArray<string> =>
  said.flatMap(({ parts }) => parts.flatMap((part) => part.type === "tool-call" ? [part.id] : []))

const answersOf = (said: ReadonlyArray<Said>): ReadonlyArray<string> =>
  said.flatMap(({ parts, role }) =>
    role === "tool" ? parts.flatMap((part) => part.type === "tool-result" ? [part.id] : []) : []
  )

/** Pieces of the same answer, and results of its calls, wherever they hang. */
const withSiblings = (entries: ReadonlyArray<Entry>, on: Set<number>): void => {
  const chosen = () => [...on].flatMap((index) => entries[index]?.said ?? [])
  const ids = new Set([...on].map((index) => entries[index]?.id))
  const groups = new Set(chosen().flatMap(({ group }) => group ?? []))
  for (const [index, { id, said }] of entries.entries()) {
    if (!ids.has(id) && said.some(({ group }) => group !== undefined && groups.has(group))) on.add(index)
  }
  const calls = new Set(callsOf(chosen()))
  const answers = new Set(answersOf(chosen()))
  for (const [index, { said }] of entries.entries()) {
    if (on.has(index) || !answersOf(said).some((id) => calls.has(id) && !answers.has(id))) continue
    on.add(index)
    for (const id of answersOf(said)) answers.add(id)
  }
}

/**
 * The places of the records that count.
 *
 * @category getters
 * @since 0.1.0
 */
export const current = (entries: ReadonlyArray<Entry>, shape: Shape): ReadonlySet<number> => {
  if (shape !== "tree" && shape !== "looseTree") return new Set(entries.keys())
  const parents = parentsOf(entries, shape === "looseTree")
  const on = new Set<number>()
  let place = shape === "tree" ? entries.length - 1 : entries.findLastIndex(({ said }) => said.length > 0)
  while (place >= 0) {
    on.add(place)
    place = parents[place] ?? -1
  }
  if (shape === "looseTree") withSiblings(entries, on)
  return on
}
