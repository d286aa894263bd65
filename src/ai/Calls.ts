/**
 * The tool calls of a conversation that nobody has answered.
 *
 * @since 0.1.0
 */
import type { MessageInput, Part } from "../core/Session.ts"

/**
 * What a conversation is made of, stored or not.
 *
 * @category models
 * @since 0.1.0
 */
export type Said = Pick<MessageInput, "content" | "role">

/** Somebody's word on a call that needs an approval. */
interface Answer {
  readonly approved: boolean
  readonly reason?: string
}

/**
 * A call without a result. `approval` is there where one was asked for, and
 * `answer` once it was given.
 *
 * @category models
 * @since 0.1.0
 */
export interface OpenCall {
  readonly id: string
  readonly name: string
  readonly params: unknown
  readonly approval?: { readonly id: string; readonly answer?: Answer }
}

/**
 * Whether a call waits for somebody's approval.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPending = ({ approval }: OpenCall): boolean => approval !== undefined && approval.answer === undefined

/**
 * The parts of a message, of which one that is all text has none.
 *
 * @category getters
 * @since 0.1.0
 */
export const partsOf = ({ content }: Said): ReadonlyArray<Part> => typeof content === "string" ? [] : content

const replaceLast = (
  calls: ReadonlyArray<OpenCall>,
  is: (call: OpenCall) => boolean,
  by: (call: OpenCall) => ReadonlyArray<OpenCall>
): ReadonlyArray<OpenCall> => {
  const index = calls.findLastIndex(is)
  return index < 0 ? calls : calls.flatMap((call, at) => at === index ? by(call) : [call])
}

/** Ids need not be unique over a whole conversation: a result answers the last call with its id. */
const after = (calls: ReadonlyArray<OpenCall>, part: Part): ReadonlyArray<OpenCall> => {
  switch (part.type) {
    case "tool-call":
      return part["providerExecuted"] === true
        ? calls
        : [...calls, { id: part.id, name: part.name, params: part["absent"] === true ? undefined : part.params }]
    case "tool-result":
      return replaceLast(calls, ({ id }) => id === part.id, () => [])
    case "tool-approval-request":
      return replaceLast(calls, ({ id }) => id === part.toolCallId, (call) => [
        { ...call, approval: { id: part.approvalId } }
      ])
    case "tool-approval-response": {
      const reason = part["reason"]
      const answer = { approved: part.approved, ...(typeof reason === "string" ? { reason } : {}) }
      return replaceLast(calls, ({ approval }) => approval?.id === part.approvalId, (call) => [
        { ...call, approval: { id: part.approvalId, answer } }
      ])
    }
    default:
      return calls
  }
}

/**
 * The calls that are open after more was said, in their order.
 *
 * @category folding
 * @since 0.1.0
 */
export const openAfter = (
  calls: ReadonlyArray<OpenCall>,
  messages: ReadonlyArray<Said>
): ReadonlyArray<OpenCall> => messages.flatMap(partsOf).reduce(after, calls)

/**
 * The calls of a conversation that are open at its end. A call that its provider
 * executes is the provider's own.
 *
 * @category folding
 * @since 0.1.0
 */
export const open = (messages: ReadonlyArray<Said>): ReadonlyArray<OpenCall> => openAfter([], messages)
