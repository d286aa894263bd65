/** Whether sessions were found where they were put: stored, in the trash, or gone. */
import type { Actor } from "./account.ts"
import * as Deeds from "./deeds.ts"
import type { Look } from "./sights.ts"

type Place = "stored" | "in the trash" | "gone"

/** Where a deed put a session. A cleanup that was cut short may have put it anywhere. */
const placesOf = (id: string, done: Deeds.Done): ReadonlyArray<Deeds.Write<Place>> => {
  const { begun, deed, outcome, over } = done
  const write = (value: Place, happened: boolean) => ({ value, begun, over, happened })
  if (Deeds.isVain(done)) return []
  if (deed._tag === "Create" && outcome?._tag === "Done" && outcome.id === id) return [write("stored", true)]
  if (deed._tag === "Cleanup") {
    if (deed.days === 0) return []
    if (outcome?._tag !== "Done") return [write("in the trash", false), write("gone", false)]
    if (outcome.purged?.includes(id) === true) return [write("gone", true)]
    return outcome.removed?.includes(id) === true ? [write("in the trash", true)] : []
  }
  if (!("id" in deed) || deed.id !== id) return []
  if (deed._tag === "Remove") return [write("in the trash", Deeds.isDone(done))]
  if (deed._tag === "Restore") return [write("stored", Deeds.isDone(done))]
  return deed._tag === "Purge" ? [write("gone", Deeds.isDone(done))] : []
}

/** Creates that were cut short may have made a session whose id nobody told. */
const untoldPlaces = (deeds: ReadonlyArray<Deeds.Done>): ReadonlyArray<Deeds.Write<Place>> =>
  deeds.flatMap(({ begun, deed, outcome, over }) =>
    deed._tag === "Create" && outcome === undefined ? [{ value: "stored", begun, over, happened: false }] : []
  )

interface Find extends Deeds.Span {
  readonly actor: Actor
  readonly place: Place
}

const findsOf = (
  id: string,
  actors: ReadonlyArray<Actor>,
  looks: ReadonlyArray<Look>
): ReadonlyArray<Find> => [
  ...actors.flatMap((actor) =>
    actor.lines.flatMap((line) => {
      if (line._tag !== "Listed") return []
      const entry = line.entries.find((entry) => entry.id === id)
      const place: Place = entry === undefined ? "gone" : entry.isRemoved ? "in the trash" : "stored"
      return [{ actor, place, from: line.from, at: line.at }]
    })
  ),
  // A load finds what is in the trash, too.
  ...looks.flatMap(({ actor, at, from, id: found, sight }): ReadonlyArray<Find> =>
    found === id && sight === undefined ? [{ actor, at, from, place: "gone" }] : []
  )
]

/** What is wrong with where a session was found. */
export const judge = (
  id: string,
  actors: ReadonlyArray<Actor>,
  deeds: ReadonlyArray<Deeds.Done>,
  looks: ReadonlyArray<Look>
): ReadonlyArray<string> => {
  const told = deeds.flatMap((done) => placesOf(id, done))
  const isTold = deeds.some(({ outcome }) => outcome?._tag === "Done" && outcome.id === id)
  const writes = [{ ...Deeds.beginning, value: "gone" as const }, ...told, ...(isTold ? [] : untoldPlaces(deeds))]
  const isWrong = (place: Place, span: Deeds.Span) => !Deeds.canBeSeen(writes, place, span)
  return [
    ...findsOf(id, actors, looks).flatMap((find) =>
      isWrong(find.place, find) ? [`${find.actor.name} found ${id} ${find.place}`] : []
    ),
    ...deeds.flatMap(({ actor, begun: from, deed, outcome, over: at }) =>
      outcome?._tag === "Absent" && "id" in deed && deed.id === id &&
        isWrong("in the trash", { from, at }) && isWrong("gone", { from, at })
        ? [`${actor.name} could not ${deed._tag} ${id}, which is stored`]
        : []
    )
  ]
}

/** Sessions whose id nobody told: at most one for each create that was cut short. */
export const judgeUntold = (ids: ReadonlyArray<string>, deeds: ReadonlyArray<Deeds.Done>): ReadonlyArray<string> => {
  const told = deeds.flatMap(({ outcome }) => outcome?._tag === "Done" ? [outcome.id] : [])
  const untold = ids.filter((id) => !told.includes(id))
  return untold.length > untoldPlaces(deeds).length ? [`nobody created some of ${untold.join()}`] : []
}
