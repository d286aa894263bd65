/**
 * What a command may come to, in every world that is possible, given what was
 * said by those who ran it.
 */
import type { Act } from "./history.ts"
import * as Mishaps from "./mishaps.ts"
import * as Model from "./model.ts"

/** What an operation said, and whether trouble came to it. */
export interface Said {
  readonly outcome: string
  readonly trouble: "none" | "fault" | "full"
}

/** What may be said of a disk that fails, beside what is said without it. */
const isTrouble = (outcome: string, { isFullWithTrash }: Model.Surroundings): boolean =>
  // Whether a session is in the trash can't be told of one whose lease can't be read.
  outcome === "CreateFailed/TooManyStored" && isFullWithTrash || [
    "StoreError",
    "CreateFailed/ProjectForbidden",
    "RestoreFailed/AlreadyRunning/unknown",
    "RestoreFailed/ProjectForbidden",
    "ok elsewhere"
  ].includes(outcome)

/** Whatever an operation left whose process died at it. */
const corpses = (session: Model.Session, { by, operation }: Act, around: Model.Surroundings) =>
  [
    session,
    Model.step(session, by, operation, around).next,
    ...Mishaps.unfinished(session, by, operation, around, true)
  ].map((left) => Model.without(left, by))

/** After one operation that ran alone. */
export const afterAct = (
  session: Model.Session,
  act: Act,
  around: Model.Surroundings,
  { outcome, trouble }: Said
): ReadonlyArray<Model.Session> => {
  const { by, operation } = act
  if (outcome === "died") return corpses(session, act, around)
  const expected = Model.step(session, by, operation, around)
  const ends = outcome === expected.outcome ? [expected.next] : []
  if (trouble === "none") return ends
  // A rename is done before the session is given back.
  const kept = operation._tag === "Rename" && ends.length > 0 && !Model.isLive(session, by)
    ? [Model.heldBy(expected.next, by)]
    : []
  const left = isTrouble(outcome, around) ? Mishaps.unfinished(session, by, operation, around, trouble === "full") : []
  return [...ends, ...kept, ...left]
}

/**
 * After two operations of two processes at once: as if one had come after the
 * other, but for what {@link Mishaps.beaten} adds.
 */
export const afterBoth = (
  session: Model.Session,
  acts: readonly [Act, Act],
  around: readonly [Model.Surroundings, Model.Surroundings],
  said: readonly [string, string]
): ReadonlyArray<Model.Session> => {
  const one = (
    from: Model.Session,
    act: Act,
    other: Act,
    around: Model.Surroundings,
    outcome: string
  ): ReadonlyArray<Model.Session> => {
    const { by, operation } = act
    // A checkpoint that is still under way may tell a former holder between the two.
    const seen = [from, Mishaps.noticed(from, by)]
    return seen.flatMap((from) => {
      const beaten = Mishaps.beaten(from, by, operation, other, around)
      if (outcome === "died") {
        return [...corpses(from, act, around), ...beaten.map(({ next }) => Model.without(next, by))]
      }
      return [Model.step(from, by, operation, around), ...beaten]
        .filter((allowed) => allowed.outcome === outcome)
        .map(({ next }) => next)
    })
  }
  const [first, second] = acts
  /** Who looks at one that dies meanwhile finds it alive, or dead. */
  const firstSees = said[1] !== "died" ? [around[0]] : [
    around[0],
    {
      ...around[0],
      verdict: (process: number): Model.Verdict => process === second.by ? "dead" : around[0].verdict(process)
    }
  ]
  return [
    ...firstSees.flatMap((sees) => one(session, first, second, sees, said[0])).flatMap((next) =>
      one(next, second, first, around[1], said[1])
    ),
    ...one(session, second, first, around[1], said[1]).flatMap((next) =>
      firstSees.flatMap((sees) => one(next, first, second, sees, said[0]))
    )
  ]
}

/**
 * The states that a new session may be in, none if there is none; undefined
 * where it can't have been said.
 */
export const afterCreate = (
  { by, name, project }: { readonly by: number; readonly name: string; readonly project: string },
  around: Model.Surroundings,
  { outcome, trouble }: Said
): ReadonlyArray<Model.Session> | undefined => {
  const { now } = around
  const invalid = Model.isName(name) ? undefined : "InvalidSession"
  const room = around.isFull ? "TooManyStored" : undefined
  const refusal = around.isMissing(project) ? "ProjectMissing" : invalid ?? around.refusal(project) ?? room
  const expected = refusal === undefined ? "ok" : `CreateFailed/${refusal}`
  const session = Model.created(by, { name, project, messages: [], todos: [], prompts: [], updatedAt: now })
  const orphan = Model.without(session, by)
  if (outcome === "died") return [orphan]
  if (outcome === expected) return outcome === "ok" ? [session] : []
  if (trouble === "none" || !isTrouble(outcome, around)) return undefined
  return trouble === "full" ? [orphan, Model.removedBy(orphan, by, now), Model.releasedBy(orphan, by, now)] : []
}

/** What a cleanup does to a session, and what it leaves. */
export const afterCleanup = (
  session: Model.Session,
  by: number,
  options: { readonly olderThan: number; readonly dryRun: boolean },
  around: Model.Surroundings,
  { outcome, trouble }: Said
): ReadonlyArray<Model.Session> => {
  const limit = around.now - Math.max(options.olderThan, 24 * 60 * 60 * 1000)
  const status = Model.statusOf(session, by, around.verdict)
  const operation = status === "removed" && session.since <= limit
    ? { _tag: "Purge" } as const
    : status === "closed" && (session.closedAt || session.seen.updatedAt) <= limit
    ? { _tag: "Remove", interrupted: false } as const
    : undefined
  if (operation === undefined || options.dryRun) {
    const skipped = status === "removed" || status === "closed" ? "recent" : status
    const expected = operation === undefined ? skipped : operation._tag
    const isExpected = session.stage === "gone" ? outcome === "none" : outcome === expected
    return isExpected || outcome === "died" || trouble !== "none" ? [Model.diedAt(session, by, outcome)] : []
  }
  if (outcome === "died") return corpses(session, { by, on: 0, operation }, around)
  const { next } = Model.step(session, by, operation, around)
  if (trouble === "none") return outcome === operation._tag ? [next] : []
  return [next, session, ...Mishaps.unfinished(session, by, operation, around, trouble === "full")]
}

/** After a process came to its end, in good order or not. */
export const afterEnd = (
  session: Model.Session,
  by: number,
  around: Model.Surroundings,
  trouble: Said["trouble"] | "killed"
): ReadonlyArray<Model.Session> => {
  const killed = Model.without(session, by)
  if (!Model.isLive(session, by) || trouble === "killed") return [killed]
  const close = { _tag: "Close" } as const
  const saved = Model.without(Model.step(session, by, close, around).next, by)
  return trouble === "none"
    ? [saved]
    : [saved, ...Mishaps.unfinished(session, by, close, around, true).map((left) => Model.without(left, by))]
}
