/** What processes did to a store, as a history tells it, and the rule for what can be seen of it. */
import type { Actor, Deed, Outcome } from "./account.ts"

/** A deed, when it began, and when it was over: ended, or its process gone. */
export interface Done {
  readonly actor: Actor
  readonly deed: Deed
  readonly begun: number
  readonly over: number
  /** None where its process was killed before. */
  readonly outcome: Outcome | undefined
}

export const of = (actor: Actor): ReadonlyArray<Done> => {
  const ends = new Map(actor.lines.flatMap((line) => line._tag === "Ended" ? [[line.number, line] as const] : []))
  return actor.lines.flatMap((line) => {
    if (line._tag !== "Begun") return []
    const end = ends.get(line.number)
    return [{ actor, deed: line.deed, begun: line.at, over: end?.at ?? actor.goneAt, outcome: end?.outcome }]
  })
}

/** Whether it changed nothing: somebody else runs the session, or it is not there. */
export const isVain = ({ outcome }: Done): boolean => outcome?._tag === "Refused" || outcome?._tag === "Absent"

export const isDone = ({ outcome }: Done): boolean => outcome?._tag === "Done"

/** A time between two moments. */
export interface Span {
  readonly from: number
  readonly at: number
}

/** One value given to something that has one at a time. */
export interface Write<Value> {
  readonly value: Value
  readonly begun: number
  readonly over: number
  /** Known to have happened; otherwise it may have. */
  readonly happened: boolean
}

/** What was there before anybody did anything. */
export const beginning = { begun: -Infinity, over: -Infinity, happened: true }

/** Whether a value can be seen in a span: somebody wrote it, and nobody surely overwrote it before. */
export const canBeSeen = <Value>(writes: ReadonlyArray<Write<Value>>, value: Value, span: Span): boolean =>
  writes.some((write) =>
    write.value === value && write.begun <= span.at &&
    !writes.some((later) => later.happened && later.over < span.from && later.begun > write.over)
  )
