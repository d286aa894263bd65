/**
 * A session that begins as another one was: which of its messages it takes, and
 * what becomes of the rest.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type { Message, Parent, SessionState } from "./Session.ts"
import * as Session from "./Session.ts"
import type { SessionId } from "./SessionId.ts"
import type { Timestamp } from "./Timestamp.ts"

/** A call of a tool: the message that made it, and the one that answered it. */
interface Call {
  readonly id: string
  readonly made: number
  answered: Option.Option<number>
}

/** The calls of a conversation in their order. What a provider runs itself it answers itself. */
const callsOf = (conversation: ReadonlyArray<Message>): ReadonlyArray<Call> => {
  const calls: Array<Call> = []
  for (const [index, { content }] of conversation.entries()) {
    for (const part of typeof content === "string" ? [] : content) {
      if (part.type === "tool-call" && part["providerExecuted"] !== true) {
        calls.push({ id: part.id, made: index, answered: Option.none() })
      }
      if (part.type !== "tool-result") continue
      // Ids need not be unique over a whole conversation: a result answers the last call with its id.
      const call = calls.findLast(({ answered, id }) => id === part.id && Option.isNone(answered))
      if (call !== undefined) call.answered = Option.some(index)
    }
  }
  return calls
}

/**
 * Where a conversation is cut.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cut {
  /** How many messages are taken. */
  readonly messages: number
  /** How many of them are beyond what was asked for: up to the answers of calls that it would have cut off. */
  readonly beyond: number
  /** How many calls in them have no answer, because nobody has given one. */
  readonly openCalls: number
}

/**
 * Cuts a conversation behind a message: its number from 1 on, or its id (of
 * several with that id the last). None where there is no such message.
 *
 * **Details**
 *
 * Providers refuse a call without its answer for ever, so a cut between them moves
 * behind the answer, and behind that of every call made on the way. A call that
 * nobody has answered moves nothing: it stays open, as it is in the conversation.
 *
 * @category combinators
 * @since 0.1.0
 */
export const cut = (conversation: ReadonlyArray<Message>, at?: number | string): Option.Option<Cut> => {
  const asked = typeof at === "string" ? conversation.findLastIndex(({ id }) => id === at) + 1 : at
  if (asked === undefined) return Option.some(cutBehind(conversation, conversation.length))
  return Number.isInteger(asked) && asked >= 1 && asked <= conversation.length
    ? Option.some(cutBehind(conversation, asked))
    : Option.none()
}

const cutBehind = (conversation: ReadonlyArray<Message>, asked: number): Cut => {
  const calls = callsOf(conversation)
  let messages = asked
  for (const { answered, made } of calls) {
    if (made < messages && Option.isSome(answered)) messages = Math.max(messages, answered.value + 1)
  }
  const openCalls = calls.filter(({ answered, made }) => made < messages && Option.isNone(answered)).length
  return { messages, beyond: messages - asked, openCalls }
}

/**
 * What is new about a fork.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fork {
  readonly id: SessionId
  readonly name: string
  readonly projectPath: string
  readonly at: Timestamp
}

const prefix = "Fork of "

/**
 * What a fork is called that nobody gave a name.
 *
 * @category constructors
 * @since 0.1.0
 */
export const nameOf = (parent: string): string =>
  parent.startsWith(prefix) ? parent : Session.nameFrom(`${prefix}${parent}`, parent)

const usageOf = (conversation: ReadonlyArray<Message>): Session.Usage =>
  conversation.reduce((sum, { usage }) => usage === undefined ? sum : Session.addUsage(sum, usage), Session.noUsage)

/**
 * The state that a fork begins with: the parent's first `messages` messages as they
 * are, its configuration, metadata and prompt history.
 *
 * **Details**
 *
 * Where messages are left out, usage is the sum over those that are taken, and the
 * to-do list is empty: the parent's tells of work that this conversation does not
 * have, and what it was at that message is not stored. Prompts are what the person
 * typed, for use again, and all of them stay. `revision` begins anew.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (from: SessionState, messages: number, { at, id, name, projectPath }: Fork): SessionState => {
  const parent: Parent = { id: from.session.id, revision: from.revision, messages }
  const isWhole = messages === from.conversation.length
  const conversation = isWhole ? from.conversation : from.conversation.slice(0, messages)
  return {
    ...from,
    session: { ...from.session, id, name, projectPath, createdAt: at, updatedAt: at, parent },
    conversation,
    todos: isWhole ? from.todos : [],
    usage: isWhole ? from.usage : usageOf(conversation),
    revision: 0
  }
}
