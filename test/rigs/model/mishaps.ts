/**
 * What may come of an operation that does not go its way: its disk fails, its
 * process dies at it, or another process is at the same session.
 */
import * as Model from "./model.ts"

/** What a reader may find of events that were not acknowledged: none, or the first of them. */
const half = (session: Model.Session, operation: Model.Operation, now: number): ReadonlyArray<Model.Session> => {
  const texts = operation._tag === "Append" ? operation.texts : []
  const parts = texts.map((_, count) =>
    Model.after(session.content, { _tag: "Append", texts: texts.slice(0, count + 1) }, now)
  )
  return [session.seen, session.content, ...parts, Model.after(session.content, operation, now)]
    .map((seen) => ({ ...session, seen }))
}

/** Each as it was, and with the journal that its first event begins. */
const begun = (sessions: ReadonlyArray<Model.Session>): ReadonlyArray<Model.Session> =>
  sessions.flatMap((left) => [left, { ...left, isOpen: true }])

/**
 * What an operation may leave that did not come to its end. With `hopeless` it
 * could not even undo what it had begun: its process died, or the disk took
 * nothing any more.
 */
export const unfinished = (
  session: Model.Session,
  by: number,
  operation: Model.Operation,
  around: Model.Surroundings,
  hopeless: boolean
): ReadonlyArray<Model.Session> => {
  const { next, outcome } = Model.step(session, by, operation, around)
  if (!outcome.startsWith("ok")) return [session]
  const { now } = around
  const { stage } = session
  // A lease that was won and given back, and one that its process forgot to hold.
  const givenBack = Model.won(session, by, stage === "removed" ? "removed" : "released", now)
  const forgotten = Model.won(session, by, "held", now)
  switch (operation._tag) {
    case "Load":
    case "Verify":
      return [session]
    case "Remove":
    case "Restore":
      return [session, ...(next === session ? [] : [givenBack, ...(hopeless ? [next] : [])])]
    case "Purge":
      return [session, givenBack, ...(hopeless ? [next] : [])]
    case "Resume":
      return [
        session,
        givenBack,
        ...(hopeless ? [forgotten, { ...forgotten, isOpen: true }, withoutHandle(next, by)] : [])
      ]
    case "Rename":
      if (Model.isLive(session, by)) break
      return [
        session,
        givenBack,
        ...[next, ...(hopeless ? [forgotten] : [])].flatMap((left) => [
          left,
          { ...left, stage: "held" as const, holder: by },
          Model.holds(next.content)(left)
        ])
      ]
    default:
  }
  if (operation._tag === "Close") {
    // One that was given back by a close before is taken in hand again first.
    const again = { ...Model.inHand(session, by, now), isOpen: session.isOpen }
    return [session, ...(stage === "held" ? [] : [again])].flatMap((from) => {
      const published: Model.Session = { ...from, seen: session.content, isOpen: false, closedAt: now }
      const epoch = from.epoch + 1
      const limbo = Model.withHandle({ ...published, stage: "released", epoch, since: now }, by, { epoch })
      return [from, { ...from, seen: session.content }, published, limbo]
    })
  }
  if (stage === "held") return begun(half(session, operation, now))
  const again = Model.inHand(session, by, now)
  // Given back before the process had it in hand, and still the last who had it.
  const epoch = session.epoch + 2
  const undone = Model.withHandle({ ...session, epoch }, by, { epoch })
  return [session, undone, { ...again, isOpen: session.isOpen }, ...half(again, operation, now)]
}

const withoutHandle = (session: Model.Session, process: number): Model.Session => {
  const { [process]: _, ...handles } = session.handles
  return { ...session, handles }
}

const changes = ({ _tag }: Model.Operation) => !["Load", "Verify"].includes(_tag)

const takesOver = (operation: Model.Operation) => operation._tag === "Resume" && operation.takeOver

const movesTo = (operation: Model.Operation) => operation._tag === "Resume" ? operation.project : undefined

const lost = "SessionEnded/LeaseLost"

/** A process finds out sooner or later that it lost a session. */
export const noticed = (session: Model.Session, process: number): Model.Session =>
  Model.isLive(session, process) && !Model.isCurrent(session, process)
    ? Model.withHandle(session, process, { state: "LeaseLost" })
    : session

/**
 * What an operation may do beside that when another one of another process runs
 * at the same time: one that was beaten says so, and an append that lost its
 * lease may have been read by who took it.
 */
export const beaten = (
  session: Model.Session,
  by: number,
  operation: Model.Operation,
  other: { readonly by: number; readonly operation: Model.Operation },
  around: Model.Surroundings
): ReadonlyArray<Model.Allowed> => {
  const { next, outcome } = Model.step(session, by, operation, around)
  const holdsMeanwhile = other.operation._tag === "Resume" || other.operation._tag === "Rename"
  const seenAs = around.verdict(other.by)
  const refused = { outcome: Model.alreadyRunning(seenAs), next: session }
  if (operation._tag === "Load") {
    // The holder first writes what was acknowledged: what else was found, of an append that failed, is gone then.
    const isAtWork = Model.isLive(session, other.by) && Model.isCurrent(session, other.by) && changes(other.operation)
    return isAtWork ? [{ outcome: `ok ${Model.fingerprint(session.content)}`, next: session }] : []
  }
  if (Model.isLive(session, by)) {
    if (!holdsMeanwhile || !outcome.startsWith("ok") || operation._tag === "Verify") return []
    const left = operation._tag === "Close"
      ? [next]
      : begun(half(session, operation, around.now).map(Model.settled))
    const unnoticed = operation._tag === "Close"
      ? []
      : [{ outcome, next: Model.withHandle(next, by, { state: "LeaseLost" }) }]
    return [
      ...left.map((left) => ({ outcome: lost, next: Model.withHandle(left, by, { state: "LeaseLost" }) })),
      ...unnoticed
    ]
  }
  const isThere = session.stage === "held" || session.stage === "released"
  // One that was given back by a close before is taken in hand again.
  const takesInHand = Model.isLive(session, other.by) && Model.isCurrent(session, other.by) && changes(other.operation)
  switch (operation._tag) {
    case "Verify":
      return holdsMeanwhile && isThere
        ? [{ outcome: `ok ${seenAs === "alive" ? "running" : "elsewhere"}`, next: session }]
        : []
    case "Rename":
      return holdsMeanwhile && isThere && Model.isName(operation.name)
        ? [refused, { outcome: lost, next: session }, { outcome: lost, next }]
        : []
    case "Remove":
      return [
        ...((holdsMeanwhile || takesInHand) && isThere ? [refused] : []),
        ...(other.operation._tag === "Purge" ? [{ outcome: "NotFound", next }] : [])
      ]
    case "Resume": {
      if (!holdsMeanwhile) return []
      // The other one moved the session to another project, between the check of this one and its claim.
      const isMoved = movesTo(other.operation) !== undefined && operation.project === undefined
      const changed = [session, Model.won(session, by, "released", around.now)]
        .map((next) => ({ outcome: "RestoreFailed/ProjectChanged", next }))
      if (isMoved && outcome === "RestoreFailed/ProjectAlreadyOpen") return changed
      if (!outcome.startsWith("ok")) return []
      return [
        // One that had claimed it already takes whoever took it away for alive.
        ...(takesOver(other.operation) || !operation.takeOver
          ? [refused, { ...refused, outcome: Model.alreadyRunning("alive") }]
          : []),
        ...(isMoved ? changed : [])
      ]
    }
    default:
      return []
  }
}
