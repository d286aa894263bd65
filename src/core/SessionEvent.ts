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
import * as Text from "./Text.ts"
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
 * A moment of a draft: what it was then, and how much had been said.
 *
 * @category models
 * @since 0.1.0
 */
export interface Moment {
  readonly revision: number
  readonly session: Session.Session
  readonly todos: SessionState["todos"]
  readonly usage: SessionState["usage"]
  /** Messages since the state that the draft was started from. */
  readonly messages: number
  /** Prompts since then. */
  readonly prompts: number
}

/**
 * A state under construction: an event is applied in place, at a cost that does
 * not grow with what was said before it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Draft {
  /** Applies an event, or refuses it and stays as it was. */
  readonly apply: (recorded: Recorded) => Result.Result<void, Rejection>
  /** The session so far, without when it last changed. */
  readonly session: () => Omit<Session.Session, "updatedAt">
  /** The present moment. */
  readonly moment: () => Moment
  /** Forgets everything after a moment. */
  readonly rewind: (to: Moment) => void
  /** The state at a moment, by default the present one; later events do not show in it. */
  readonly state: (at?: Moment) => SessionState
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
  const messages: Array<Session.Message> = []
  const prompts: Array<string> = []

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

  const now = (): Moment => ({
    revision,
    session: { ...session, updatedAt },
    todos,
    usage,
    messages: messages.length,
    prompts: prompts.length
  })

  return {
    session: () => session,
    moment: now,
    rewind: (to) => {
      ;({ revision, session, todos, usage } = to)
      ;({ updatedAt } = session)
      messages.length = to.messages
      prompts.length = to.prompts
    },
    state: ({ messages: said, prompts: prompted, ...at } = now()) =>
      at.revision === from.revision ? from : {
        ...from,
        ...at,
        conversation: extended(from.conversation, messages, said),
        promptHistory: extended(from.promptHistory, prompts, prompted)
      },
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

/** A list with the first so many of others at its end. */
const extended = <A>(list: ReadonlyArray<A>, others: ReadonlyArray<A>, count: number): ReadonlyArray<A> =>
  count === 0 ? list : list.concat(others.slice(0, count))

/**
 * The state after one event.
 *
 * @category reducing
 * @since 0.1.0
 */
export const apply = (state: SessionState, recorded: Recorded): Result.Result<SessionState, Rejection> => {
  const next = draft(state)
  return Result.map(next.apply(recorded), () => next.state())
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

const beforeMessage = `{"_tag":"MessageAppended","message":`

/**
 * The JSON of an event in UTF-8 and, within it, that of the message that it appends.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (event: SessionEvent): { readonly json: Uint8Array; readonly message?: Uint8Array } => {
  if (event._tag !== "MessageAppended") return { json: Text.toBytes(JSON.stringify(event)) }
  const json = Text.toBytes(`${beforeMessage}${JSON.stringify(event.message)}}`)
  return { json, message: json.subarray(beforeMessage.length, -1) }
}
