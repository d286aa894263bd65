/**
 * What readers find, in the model's words.
 */
import { Effect, Option, Stream } from "effect"
import { type Session, type SessionId, SessionList, Sessions, SessionStore, Timestamp } from "../../../src/index.ts"
import * as Model from "./model.ts"

export const everyStatus: ReadonlyArray<SessionList.Status> = [
  "closed",
  "running",
  "interrupted",
  "elsewhere",
  "removed"
]

/** What a reader finds of one session. */
export interface Seen {
  readonly status: string
  readonly content: string
  readonly name: string
  readonly closedAt: number
  readonly removedAt: number
  readonly pid: number | undefined
}

const millis = (timestamp: Timestamp.Timestamp | undefined): number =>
  timestamp === undefined ? 0 : Timestamp.toMillis(timestamp)

export const contentOf = ({ conversation, promptHistory, session, todos }: Session.SessionState): Model.Content => ({
  name: session.name,
  project: session.projectPath,
  messages: conversation.map(({ content }) => typeof content === "string" ? content : JSON.stringify(content)),
  todos: todos.map(({ content }) => content),
  prompts: promptHistory,
  updatedAt: millis(session.updatedAt)
})

/** A state in a line. */
export const tell = (state: Session.SessionState) => Model.fingerprint(contentOf(state))

/** What is stored now. */
interface Sight {
  readonly found: ReadonlyMap<SessionId.SessionId, Seen>
  readonly broken: ReadonlyArray<string>
}

/** Everything that is listed, and what can't be read of it. Sessions that are as they were are not loaded again. */
export const observe = (known: ReadonlyMap<SessionId.SessionId, Seen>) =>
  Effect.gen(function*() {
    const found = new Map<SessionId.SessionId, Seen>()
    const broken: Array<string> = []
    const store = yield* SessionStore.SessionStore
    for (const entry of yield* Stream.runCollect(store.entries)) {
      if (!SessionList.isStored(entry)) {
        broken.push(`${entry.name} is ${entry._tag}: ${entry.error.message}`)
        continue
      }
      const { closedAt, holder, id, name, removedAt, status } = entry
      const seen = known.get(id) ?? (yield* look(id))
      found.set(id, seen)
      const listed = [status, millis(closedAt), status === "removed" ? millis(removedAt) : 0, holder?.pid]
      const loaded = [seen.status, seen.closedAt, seen.removedAt, seen.pid]
      if (listed.join() !== loaded.join()) broken.push(`${id} is listed as ${listed.join()}, and is ${loaded.join()}`)
      if (status === "closed" && name !== seen.name) broken.push(`${id} is listed by another name`)
    }
    const sight: Sight = { found, broken }
    return sight
  })

/** One session, loaded. */
export const look = Effect.fnUntraced(function*(id: SessionId.SessionId) {
  const { report: { closedAt, holder, since, status }, state } = yield* Sessions.load(id)
  const isHeld = status === "running" || status === "elsewhere"
  const seen: Seen = {
    status,
    name: state.session.name,
    content: tell(state),
    closedAt: millis(Option.getOrUndefined(closedAt)),
    removedAt: status === "removed" ? millis(Option.getOrUndefined(since)) : 0,
    pid: isHeld ? Option.getOrUndefined(holder)?.pid : undefined
  }
  return seen
})
