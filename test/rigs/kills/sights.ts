/**
 * Whether what was seen of a session's contents can be what its holders did:
 * every acknowledged event once and in order, nothing that nobody said, and no
 * way back.
 */
import type { Actor } from "./account.ts"
import * as Deeds from "./deeds.ts"
import * as Marks from "./marks.ts"

/** What somebody saw of a session in a span; no sight where it was not there. */
export interface Look extends Deeds.Span {
  readonly actor: Actor
  readonly id: string
  readonly sight: Marks.Sight | undefined
}

export const looksOf = (actor: Actor, deeds: ReadonlyArray<Deeds.Done>): ReadonlyArray<Look> => [
  ...actor.lines.flatMap((line) => line._tag === "Loaded" ? [{ ...line, actor, sight: line.sight }] : []),
  ...deeds.flatMap(({ begun, deed, outcome, over }) =>
    deed._tag === "Resume" && outcome?._tag === "Done"
      ? [{ actor, from: begun, at: over, id: deed.id, sight: outcome.sight }]
      : []
  )
]

interface Event {
  readonly kind: Marks.Kind
  readonly mark: number
  readonly begun: number
  /** Never, where it was not. */
  readonly acknowledged: number
  /** From then on nobody can add it any more. */
  readonly over: number
}

/** The events that somebody tried to add to a session. */
const eventsOf = (id: string, deeds: ReadonlyArray<Deeds.Done>): ReadonlyArray<Event> =>
  deeds.flatMap((done) => {
    const { actor, begun, deed, over } = done
    if (!("id" in deed) || deed.id !== id || Deeds.isVain(done)) return []
    if (deed._tag === "Rename") {
      return [{ kind: "name", mark: deed.mark, begun, over, acknowledged: Deeds.isDone(done) ? over : Infinity }]
    }
    if (deed._tag !== "Change") return []
    return deed.events.map((event) => {
      const heard = actor.lines.find((line) => line._tag === "Acknowledged" && line.mark === event.mark)
      return { ...event, begun, over: heard?.at ?? over, acknowledged: heard?.at ?? Infinity }
    })
  })

const isPrefix = (self: ReadonlyArray<number>, of: ReadonlyArray<number>): boolean =>
  self.every((mark, index) => of[index] === mark)

/** What is wrong with the events of one kind that were seen one look after the other. */
const judgeList = (kind: "message" | "prompt", events: ReadonlyArray<Event>) => {
  const known = new Map(events.filter((event) => event.kind === kind).map((event) => [event.mark, event]))
  const lost = new Set<number>()
  const seen: Array<Deeds.Span & { readonly marks: ReadonlyArray<number> }> = []
  return (marks: ReadonlyArray<number>, { at, from }: Deeds.Span): ReadonlyArray<string> => {
    const wrong: Array<string> = []
    if (new Set(marks).size < marks.length) wrong.push(`${kind}s twice: ${marks.join()}`)
    let newest = -Infinity
    for (const mark of marks) {
      const event = known.get(mark)
      if (event === undefined || event.begun > at) wrong.push(`${kind} ${mark}, which nobody said`)
      else if (event.over < newest) wrong.push(`${kind} ${mark} after a newer one`)
      if (lost.has(mark)) wrong.push(`${kind} ${mark}, which was not there when nobody could add it any more`)
      newest = Math.max(newest, event?.begun ?? newest)
    }
    for (const { acknowledged, mark, over } of known.values()) {
      if (marks.includes(mark)) continue
      if (acknowledged < from) wrong.push(`no ${kind} ${mark}, which was acknowledged`)
      if (over < from) lost.add(mark)
    }
    const before = seen.findLast((look) => look.at < from)
    if (before !== undefined && !isPrefix(before.marks, marks)) {
      wrong.push(`${kind}s ${marks.join()}, where ${before.marks.join()} were seen before`)
    }
    seen.push({ marks, from, at })
    return wrong
  }
}

/** What is wrong with what has one value at a time. */
const judgeValue = (kind: "todos" | "name", events: ReadonlyArray<Event>) => {
  const writes = [
    { ...Deeds.beginning, value: Marks.initial },
    ...events.filter((event) => event.kind === kind).map(({ acknowledged, begun, mark, over }) => ({
      value: mark,
      begun,
      over,
      happened: acknowledged < Infinity
    }))
  ]
  return (mark: number, span: Deeds.Span): ReadonlyArray<string> =>
    Deeds.canBeSeen(writes, mark, span) ? [] : [`${kind} ${mark}, which is not what it was last`]
}

/** What is wrong with all that was seen of one session. */
export const judge = (
  id: string,
  deeds: ReadonlyArray<Deeds.Done>,
  looks: ReadonlyArray<Look>
): ReadonlyArray<string> => {
  const events = eventsOf(id, deeds)
  const messages = judgeList("message", events)
  const prompts = judgeList("prompt", events)
  const todos = judgeValue("todos", events)
  const name = judgeValue("name", events)
  return looks.filter((look) => look.id === id).toSorted((self, that) => self.at - that.at).flatMap((look) => {
    const { actor, sight } = look
    if (sight === undefined) return []
    return [
      ...messages(sight.message, look),
      ...prompts(sight.prompt, look),
      ...todos(sight.todos, look),
      ...name(sight.name, look)
    ].map((wrong) => `${actor.name} saw ${wrong}`)
  })
}
