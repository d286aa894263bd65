/**
 * Says what is wrong with a history: whether what each process saw can be what
 * all of them did, in an order that agrees with the clock.
 */
import type { Actor, Line } from "./account.ts"
import * as Deeds from "./deeds.ts"
import * as Holds from "./holds.ts"
import * as Sights from "./sights.ts"
import * as Whereabouts from "./whereabouts.ts"

/** Errors, where only a refusal is one to be expected. */
const errorsIn = ({ lines, name }: Actor): ReadonlyArray<string> =>
  lines.flatMap((line: Line) => {
    if (line._tag === "LoadFailed") return [`${name} can't load ${line.id}: ${line.error}`]
    if (line._tag === "Listed") return line.broken.map((broken) => `${name} found ${broken}`)
    if (line._tag !== "Ended" || line.outcome._tag !== "Failed") return []
    const { number, outcome } = line
    const begun = lines.find((other) => other._tag === "Begun" && other.number === number)
    return [`${name}'s ${begun?._tag === "Begun" ? JSON.stringify(begun.deed) : "deed"} failed: ${outcome.error}`]
  })

const idsIn = (actors: ReadonlyArray<Actor>, deeds: ReadonlyArray<Deeds.Done>): ReadonlyArray<string> => [
  ...new Set([
    ...actors.flatMap(({ lines }) =>
      lines.flatMap((line) => line._tag === "Listed" ? line.entries.map(({ id }) => id) : [])
    ),
    ...deeds.flatMap(({ deed, outcome }) => [
      ...("id" in deed ? [deed.id] : []),
      ...outcome?._tag === "Done" && outcome.id !== undefined ? [outcome.id] : []
    ])
  ])
]

/** What was under way when its process was killed. */
export const cutShort = (actor: Actor): ReadonlyArray<string> =>
  Deeds.of(actor).flatMap(({ deed, outcome }) => outcome === undefined ? [deed._tag] : [])

export const judge = (actors: ReadonlyArray<Actor>): ReadonlyArray<string> => {
  const deedsByActor = new Map(actors.map((actor) => [actor, Deeds.of(actor)]))
  const deeds = [...deedsByActor.values()].flat()
  const looks = [...deedsByActor].flatMap(([actor, deeds]) => Sights.looksOf(actor, deeds))
  const ids = idsIn(actors, deeds)
  return [
    ...new Set([
      ...actors.flatMap(errorsIn),
      ...Whereabouts.judgeUntold(ids, deeds),
      ...ids.flatMap((id) => [
        ...Whereabouts.judge(id, actors, deeds, looks),
        ...Sights.judge(id, deeds, looks)
      ]),
      ...Holds.judge(deedsByActor)
    ])
  ]
}
