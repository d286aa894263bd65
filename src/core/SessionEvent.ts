/**
 * What can happen to a session, and the one reducer that says what it means.
 * Running, restoring and recovering all fold with it.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { SessionState } from "./Session.ts"
import * as Session from "./Session.ts"
import type { Timestamp } from "./Timestamp.ts"

const model = ({ Message, Session: { fields }, SessionConfig, Todo }: typeof Session.parsed) =>
  Schema.TaggedUnion({
    MessageAppended: { message: Message },
    TodosReplaced: { todos: Schema.Array(Todo) },
    PromptRecorded: { prompt: Schema.String },
    Configured: { config: SessionConfig },
    Renamed: { name: fields.name },
    Moved: { projectPath: fields.projectPath },
    Annotated: { metadata: fields.metadata }
  })

/**
 * What can happen to a session.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SessionEvent = model(Session)

/**
 * The same for checking what is JSON already: see `Session.parsed`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const parsed = model(Session.parsed)

/**
 * @category models
 * @since 0.1.0
 */
export type SessionEvent = typeof SessionEvent.Type

/**
 * An event and the moment it happened.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorded {
  readonly at: Timestamp
  readonly event: SessionEvent
}

/**
 * Why a session refuses an event.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rejection {
  readonly expected: string
}

/**
 * A state under construction: events are applied in place, so that folding n
 * of them costs n and not n².
 *
 * @category models
 * @since 0.1.0
 */
export interface Draft {
  /** Applies an event, or refuses it and stays as it was. */
  readonly apply: (recorded: Recorded) => Result.Result<void, Rejection>
  /** The session so far, without what was said in it. */
  readonly session: () => Session.Session
  /** The state so far; later events do not show in it. */
  readonly state: () => SessionState
}

/**
 * Starts a draft from a state, which stays as it is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const draft = (from: SessionState): Draft => {
  let { revision, session, todos, usage } = from
  let { updatedAt } = session
  let { conversation, promptHistory } = from
  let messages: Array<Session.Message> = []
  let prompts: Array<string> = []

  const happened = (at: Timestamp) => {
    updatedAt = at
    revision++
    return Result.void
  }

  const change = (at: Timestamp, changes: Partial<Session.Session>) => {
    session = { ...session, ...changes }
    return happened(at)
  }

  const append = (message: Session.Message, at: Timestamp) => {
    const total = message.usage === undefined ? usage : Session.addUsage(usage, message.usage)
    if (!Number.isSafeInteger(total.inputTokens + total.outputTokens) || !Number.isFinite(total.totalCost)) {
      return Result.fail({ expected: "usage totals that stay within exact numbers" })
    }
    usage = total
    messages.push(message)
    return happened(at)
  }

  return {
    state: () => {
      if (revision === from.revision) return from
      if (messages.length > 0) conversation = [...conversation, ...messages]
      if (prompts.length > 0) promptHistory = [...promptHistory, ...prompts]
      messages = []
      prompts = []
      return { ...from, session: { ...session, updatedAt }, conversation, todos, promptHistory, usage, revision }
    },
    session: () => session,
    apply: ({ at, event }) => {
      switch (event._tag) {
        case "MessageAppended":
          return append(event.message, at)
        case "TodosReplaced":
          todos = event.todos
          return happened(at)
        case "PromptRecorded":
          prompts.push(event.prompt)
          return happened(at)
        case "Configured":
          return change(at, { config: event.config })
        case "Renamed":
          return change(at, { name: event.name })
        case "Moved":
          return change(at, { projectPath: event.projectPath })
        case "Annotated":
          return change(at, { metadata: event.metadata })
      }
    }
  }
}

/**
 * The state after one event.
 *
 * @category reducing
 * @since 0.1.0
 */
export const apply = (state: SessionState, recorded: Recorded): Result.Result<SessionState, Rejection> => {
  const next = draft(state)
  return Result.map(next.apply(recorded), next.state)
}

/**
 * The state after all events, or the index of the first one that is refused.
 *
 * @category reducing
 * @since 0.1.0
 */
export const fold = (
  state: SessionState,
  events: Iterable<Recorded>
): Result.Result<SessionState, Rejection & { readonly index: number }> => {
  const next = draft(state)
  let index = 0
  for (const recorded of events) {
    const applied = next.apply(recorded)
    if (Result.isFailure(applied)) return Result.fail({ ...applied.failure, index })
    index++
  }
  return Result.succeed(next.state())
}
