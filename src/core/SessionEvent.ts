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
  let current = from
  let messages: Array<Session.Message> = []
  let prompts: Array<string> = []
  const state = () => {
    if (messages.length > 0) current = { ...current, conversation: [...current.conversation, ...messages] }
    if (prompts.length > 0) current = { ...current, promptHistory: [...current.promptHistory, ...prompts] }
    messages = []
    prompts = []
    return current
  }
  const happened = (at: Timestamp, changes: Partial<SessionState>, session: Partial<Session.Session> = {}) => {
    current = {
      ...current,
      ...changes,
      session: { ...current.session, ...session, updatedAt: at },
      revision: current.revision + 1
    }
    return Result.void
  }
  return {
    state,
    session: () => current.session,
    apply: ({ at, event }) => {
      switch (event._tag) {
        case "MessageAppended": {
          const { message } = event
          const usage = message.usage === undefined ? current.usage : Session.addUsage(current.usage, message.usage)
          if (!Number.isSafeInteger(usage.inputTokens + usage.outputTokens) || !Number.isFinite(usage.totalCost)) {
            return Result.fail({ expected: "usage totals that stay within exact numbers" })
          }
          messages.push(message)
          return happened(at, { usage })
        }
        case "TodosReplaced":
          return happened(at, { todos: event.todos })
        case "PromptRecorded":
          prompts.push(event.prompt)
          return happened(at, {})
        case "Configured":
          return happened(at, {}, { config: event.config })
        case "Renamed":
          return happened(at, {}, { name: event.name })
        case "Moved":
          return happened(at, {}, { projectPath: event.projectPath })
        case "Annotated":
          return happened(at, {}, { metadata: event.metadata })
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
