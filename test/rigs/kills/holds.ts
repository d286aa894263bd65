/** Whether at most one process at a time ran a session, and whether refusals named it. */
import type { Actor } from "./account.ts"
import * as Deeds from "./deeds.ts"

interface Time {
  readonly from: number
  readonly to: number
}

/** When a process surely ran a session, and when it may have. */
interface Hold {
  readonly actor: Actor
  readonly id: string
  readonly surely: Time | undefined
  readonly perhaps: Time
}

const of = (actor: Actor, deeds: ReadonlyArray<Deeds.Done>): ReadonlyArray<Hold> =>
  deeds.flatMap((done, index): ReadonlyArray<Hold> => {
    const { begun, deed, outcome, over } = done
    if (Deeds.isVain(done)) return []
    if (deed._tag === "Rename") {
      return [{ actor, id: deed.id, surely: undefined, perhaps: { from: begun, to: over } }]
    }
    const id = deed._tag === "Resume" ? deed.id : outcome?._tag === "Done" ? outcome.id : undefined
    if (id === undefined) return []
    const close = deeds.slice(index).find(({ deed }) => deed._tag === "Close" && deed.id === id)
    return [{
      actor,
      id,
      surely: Deeds.isDone(done) ? { from: over, to: Math.min(close?.begun ?? Infinity, actor.killedAt) } : undefined,
      perhaps: { from: begun, to: close?.over ?? actor.goneAt }
    }]
  })

const overlap = (self: Time, that: Time): boolean => self.from < that.to && that.from < self.to

const judgeRunners = (holds: ReadonlyArray<Hold>): ReadonlyArray<string> =>
  holds.flatMap(({ actor, id, surely }, index) =>
    holds.slice(index + 1).filter((other) =>
      other.id === id && other.actor !== actor && surely !== undefined && other.surely !== undefined &&
      overlap(surely, other.surely)
    ).map((other) => `${actor.name} and ${other.actor.name} both ran ${id}`)
  )

const judgeRefusal = (holds: ReadonlyArray<Hold>) => ({ actor, begun, deed, outcome, over }: Deeds.Done) => {
  if (outcome?._tag !== "Refused" || !("id" in deed)) return []
  const { pid } = outcome
  const isRight = holds.some((hold) =>
    hold.id === deed.id && hold.actor !== actor && hold.actor.pid === pid &&
    overlap(hold.perhaps, { from: begun, to: over })
  )
  return isRight ? [] : [`${actor.name}'s ${deed._tag} of ${deed.id} was refused for ${pid}, which did not run it`]
}

/** What is wrong with who ran which session when. */
export const judge = (
  deedsByActor: ReadonlyMap<Actor, ReadonlyArray<Deeds.Done>>
): ReadonlyArray<string> => {
  const holds = [...deedsByActor].flatMap(([actor, deeds]) => of(actor, deeds))
  return [...judgeRunners(holds), ...[...deedsByActor.values()].flat().flatMap(judgeRefusal(holds))]
}
