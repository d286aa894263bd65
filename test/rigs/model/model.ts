/**
 * What a stored session is, as far as anybody can tell from outside, and what
 * each operation may do to it. Small and pure: the store must never do anything
 * that is not here.
 *
 * A state is one possible world. Where a promise leaves something open (an
 * append that failed, a process that died at work) a step leads to several, and
 * what is observed later decides between them.
 */

export type Verdict = "alive" | "unknown" | "dead"

/** What was said in a session, and what it is called. */
export interface Content {
  readonly name: string
  readonly project: string
  readonly messages: ReadonlyArray<string>
  readonly todos: ReadonlyArray<string>
  readonly prompts: ReadonlyArray<string>
  readonly updatedAt: number
}

/** A running session that a process was given. */
export interface Handle {
  /** That of the lease it rests on. */
  readonly epoch: number
  readonly state: "live" | "Closed" | "LeaseLost"
  readonly project: string
}

export interface Session {
  /** What was acknowledged to the one who runs it. */
  readonly content: Content
  /** What a reader finds; more than that only after an append that failed. */
  readonly seen: Content
  readonly stage: "held" | "released" | "removed" | "gone"
  /** The process that won the highest lease. */
  readonly holder: number
  /** Grows with each lease. */
  readonly epoch: number
  /** Whether a journal counts. */
  readonly isOpen: boolean
  readonly since: number
  readonly closedAt: number
  /** What each process has in hand; the number of a process never comes again. */
  readonly handles: { readonly [process: number]: Handle }
}

export type Operation =
  | { readonly _tag: "Append"; readonly texts: ReadonlyArray<string> }
  | { readonly _tag: "ReplaceTodos"; readonly todos: ReadonlyArray<string> }
  | { readonly _tag: "RecordPrompt"; readonly prompt: string }
  | { readonly _tag: "Checkpoint" | "Close" | "Load" | "Verify" | "Restore" | "Purge" }
  | { readonly _tag: "Resume"; readonly takeOver: boolean; readonly project: string | undefined }
  | { readonly _tag: "Rename"; readonly name: string }
  | { readonly _tag: "Remove"; readonly interrupted: boolean }

/** What an operation depends on beside the session. */
export interface Surroundings {
  readonly now: number
  /** Of a process, as the others see it. */
  readonly verdict: (process: number) => Verdict
  /** Why the process would not let the session in to a project, if it would not. */
  readonly refusal: (project: string) => string | undefined
  readonly isRateLimited: boolean
  readonly isFull: boolean
  /** Whether it would be if what is in the trash counted. */
  readonly isFullWithTrash: boolean
  readonly isMissing: (project: string) => boolean
}

/** What an operation says, and what it leaves. */
export interface Allowed {
  readonly outcome: string
  readonly next: Session
}

export const fingerprint = ({ messages, name, project, prompts, todos, updatedAt }: Content): string =>
  [name, project, messages.join(), todos.join(), prompts.join(), updatedAt].join(" | ")

export const created = (by: number, content: Content): Session => ({
  content,
  seen: content,
  stage: "held",
  holder: by,
  epoch: 1,
  isOpen: true,
  since: content.updatedAt,
  closedAt: 0,
  handles: { [by]: { epoch: 1, state: "live", project: content.project } }
})

export const gone = (session: Session): Session => ({ ...session, stage: "gone" })

export const isLive = (session: Session, process: number): boolean => session.handles[process]?.state === "live"

/** Whether the process's handle still rests on the highest lease. */
export const isCurrent = (session: Session, process: number): boolean =>
  session.stage !== "gone" && session.stage !== "removed" && session.handles[process]?.epoch === session.epoch

/** The holder as a viewer judges it: a process knows which of its own leases still count. */
const judged = (session: Session, viewer: number, verdict: Surroundings["verdict"]): Verdict => {
  if (session.holder !== viewer) return verdict(session.holder)
  return isLive(session, viewer) && isCurrent(session, viewer) ? "alive" : "dead"
}

const isHeld = (session: Session, viewer: number, { verdict }: Surroundings): boolean =>
  session.stage === "held" && judged(session, viewer, verdict) !== "dead"

export const statusOf = (session: Session, viewer: number, verdict: Surroundings["verdict"]): string => {
  if (session.stage === "gone" || session.stage === "removed") return session.stage
  const atRest = session.isOpen ? "interrupted" : "closed"
  if (session.stage === "released") return atRest
  const seenAs = judged(session, viewer, verdict)
  return seenAs === "dead" ? atRest : seenAs === "alive" ? "running" : "elsewhere"
}

/** What its readers find is all there is, once nobody has more of it in mind. */
export const settled = (session: Session): Session => ({ ...session, content: session.seen })

export const withHandle = (session: Session, process: number, handle: Partial<Handle>): Session => {
  const { content: { project }, epoch, handles } = session
  return {
    ...session,
    handles: { ...handles, [process]: { epoch, state: "live", project, ...handles[process], ...handle } }
  }
}

export const holds = (content: Content) => (session: Session): Session => ({ ...session, content, seen: content })

/** A process is no more: nobody has its handles. */
export const without = (session: Session, process: number): Session => {
  const { [process]: _, ...handles } = session.handles
  return isCurrent(session, process) ? { ...settled(session), handles } : { ...session, handles }
}

export const heldBy = (session: Session, holder: number): Session => ({ ...session, stage: "held", holder })

export const diedAt = (session: Session, process: number, outcome: string): Session =>
  outcome === "died" ? without(session, process) : session

export const won = (session: Session, by: number, stage: Session["stage"], now: number): Session => ({
  ...settled(session),
  stage,
  holder: by,
  epoch: session.epoch + 1,
  since: now
})

export const removedBy = (session: Session, by: number, now: number): Session => won(session, by, "removed", now)

export const releasedBy = (session: Session, by: number, now: number): Session => won(session, by, "released", now)

const ended = (session: Session, by: number): Allowed => ({
  outcome: "SessionEnded/LeaseLost",
  next: withHandle(session, by, { state: "LeaseLost" })
})

/** What the holder holds after its event. */
export const after = (content: Content, operation: Operation, now: number): Content => {
  switch (operation._tag) {
    case "Append":
      return { ...content, messages: [...content.messages, ...operation.texts], updatedAt: now }
    case "ReplaceTodos":
      return { ...content, todos: operation.todos, updatedAt: now }
    case "RecordPrompt":
      return { ...content, prompts: [...content.prompts, operation.prompt], updatedAt: now }
    case "Rename":
      return { ...content, name: operation.name, updatedAt: now }
    default:
      return content
  }
}

/** A holder whose close got half-way takes the session in hand again with its next change. */
export const inHand = (session: Session, by: number, now: number): Session => {
  if (session.stage === "held") return { ...session, isOpen: true }
  const next: Session = { ...session, stage: "held", holder: by, epoch: session.epoch + 1, since: now, isOpen: true }
  return withHandle(next, by, { epoch: next.epoch })
}

export const isName = (name: string) => name.length >= 1 && name.length <= 50

const invalidName = "EventRejected/Invalid"
export const alreadyRunning = (liveness: Verdict) => `RestoreFailed/AlreadyRunning/${liveness}`

const closed = (session: Session, by: number, now: number): Session =>
  withHandle(
    { ...won({ ...session, seen: session.content }, by, "released", now), isOpen: false, closedAt: now },
    by,
    { state: "Closed" }
  )

/** What the one who runs a session may do with it. */
const throughHandle = (session: Session, by: number, operation: Operation, { now }: Surroundings): Allowed => {
  const state = session.handles[by]?.state
  if (state === undefined) return { outcome: "SessionEnded/NotRunning", next: session }
  if (state !== "live") return { outcome: `SessionEnded/${state}`, next: session }
  if (operation._tag === "Rename" && !isName(operation.name)) return { outcome: invalidName, next: session }
  if (!isCurrent(session, by)) return ended(session, by)
  if (operation._tag === "Close") return { outcome: "ok", next: closed(session, by, now) }
  return { outcome: "ok", next: holds(after(session.content, operation, now))(inHand(session, by, now)) }
}

const resumed = (session: Session, by: number, project: string, now: number): Session => {
  const next = won(session, by, "held", now)
  const { content } = next
  const moved = project === content.project ? content : { ...content, project, updatedAt: now }
  const isOpen = session.isOpen || moved !== content
  return withHandle({ ...holds(moved)(next), isOpen }, by, {
    epoch: next.epoch,
    state: "live",
    project
  })
}

/** Renamed, and held by nobody again. */
const renamed = (session: Session, by: number, operation: Operation, now: number): Session => {
  const next = won(session, by, "released", now)
  return holds(after(session.seen, operation, now))({ ...next, epoch: next.epoch + 1 })
}

/** What an operation does when nothing goes wrong and nobody is in its way. */
export const step = (session: Session, by: number, operation: Operation, around: Surroundings): Allowed => {
  const { now, verdict } = around
  const refused = (outcome: string): Allowed => ({ outcome, next: session })
  const did = (next: Session): Allowed => ({ outcome: "ok", next })
  const liveness = judged(session, by, verdict)
  const { seen, stage } = session
  switch (operation._tag) {
    case "Append":
    case "ReplaceTodos":
    case "RecordPrompt":
      return throughHandle(session, by, operation, around)
    case "Checkpoint":
    case "Close":
      return isLive(session, by)
        ? throughHandle(session, by, operation, around)
        : refused("SessionEnded/NotRunning")
    case "Load":
    case "Verify":
      if (stage === "gone") return refused("NotFound")
      return refused(operation._tag === "Load" ? `ok ${fingerprint(seen)}` : `ok ${statusOf(session, by, verdict)}`)
    case "Rename":
      if (isLive(session, by)) return throughHandle(session, by, operation, around)
      if (!isName(operation.name)) return refused(invalidName)
      if (stage === "gone" || stage === "removed") return refused("NotFound")
      return isHeld(session, by, around)
        ? refused(alreadyRunning(liveness))
        : did(renamed(session, by, operation, now))
    case "Resume": {
      const project = operation.project ?? seen.project
      if (isLive(session, by)) return refused(alreadyRunning("alive"))
      if (around.isRateLimited) return refused("RestoreFailed/RateLimited")
      if (stage === "gone") return refused("NotFound")
      if (around.isMissing(project)) return refused("RestoreFailed/ProjectMissing")
      if (around.refusal(project) !== undefined) return refused(`RestoreFailed/${around.refusal(project)}`)
      if (stage === "removed") return refused("NotFound")
      if (isHeld(session, by, around) && !operation.takeOver) return refused(alreadyRunning(liveness))
      const next = resumed(session, by, project, now)
      return { outcome: `ok ${fingerprint(next.content)}`, next }
    }
    case "Remove":
      if (stage === "gone") return refused("NotFound")
      if (stage === "removed") return refused("ok")
      if (isHeld(session, by, around)) return refused(alreadyRunning(liveness))
      return session.isOpen && !operation.interrupted
        ? refused(alreadyRunning("dead"))
        : did(won(session, by, "removed", now))
    case "Restore":
      if (stage === "gone") return refused("NotFound")
      if (stage !== "removed") return refused("ok")
      return around.isFull ? refused("CreateFailed/TooManyStored") : did(won(session, by, "released", now))
    case "Purge":
      return stage === "removed" ? did(gone(session)) : refused("NotFound")
  }
}
