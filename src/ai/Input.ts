/**
 * What a caller hands in for a turn: what of it is new, and whether a provider
 * would take it. A prompt is stored before the model is asked, so what every
 * provider refuses must not get that far.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { Message, MessageInput, Part } from "../core/Session.ts"
import * as Calls from "./Calls.ts"

/**
 * What is new in a prompt, and the calls that it approves or denies.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly messages: ReadonlyArray<MessageInput>
  readonly decided: ReadonlyArray<Calls.OpenCall>
}

const textOf = ({ content, options, role }: MessageInput): string => JSON.stringify([role, content, options])

/** What has been said since the model spoke last. */
const unheard = (arranged: ReadonlyArray<Message>): ReadonlyArray<Message> =>
  arranged.slice(arranged.findLastIndex(({ role }) => role === "assistant") + 1)

/**
 * A prompt without what the model was to hear already: a turn that failed, or
 * was cut off, is taken again with the same prompt.
 */
const withoutRepeated = (
  arranged: ReadonlyArray<Message>,
  given: ReadonlyArray<MessageInput>
): ReadonlyArray<MessageInput> => {
  const last = unheard(arranged).map(textOf)
  const first = given.map(textOf)
  for (let repeated = Math.min(last.length, first.length); repeated > 0; repeated--) {
    if (last.slice(-repeated).every((text, index) => text === first[index])) return given.slice(repeated)
  }
  return given
}

const decisionsOf = (messages: ReadonlyArray<Calls.Said>): ReadonlySet<string> =>
  new Set(
    messages.flatMap(Calls.partsOf).flatMap((part) => part.type === "tool-approval-response" ? [part.approvalId] : [])
  )

/** A prompt without decisions on what was decided before. */
const withoutDecided = (
  arranged: ReadonlyArray<Message>,
  given: ReadonlyArray<MessageInput>
): ReadonlyArray<MessageInput> => {
  const decided = decisionsOf(arranged)
  const isOld = (part: Part) => part.type === "tool-approval-response" && decided.has(part.approvalId)
  return given.flatMap((message) => {
    const parts = Calls.partsOf(message)
    if (!parts.some(isOld)) return [message]
    const content = parts.filter((part) => !isOld(part))
    return content.length === 0 ? [] : [{ ...message, content }]
  })
}

const isSilent = ({ content }: MessageInput): boolean =>
  typeof content === "string"
    ? content === ""
    : content.every((part) => part.type === "text" && part.text === "" && part["options"] === undefined)

/** The first answer in a message to something that is not open. */
const strayAnswer = (open: ReadonlyArray<Calls.OpenCall>, message: MessageInput): string | undefined => {
  for (const part of Calls.partsOf(message)) {
    if (part.type === "tool-result" && message.role === "tool" && !open.some(({ id }) => id === part.id)) {
      return `it has a result for the tool call ${part.id}, which waits for none`
    }
    if (
      part.type === "tool-approval-response" &&
      !open.some((call) => Calls.isPending(call) && call.approval?.id === part.approvalId)
    ) {
      return `it answers the approval ${part.approvalId}, which nobody asked for`
    }
  }
  return undefined
}

const unanswered = (open: ReadonlyArray<Calls.OpenCall>): string | undefined => {
  const pending = open.flatMap((call) => Calls.isPending(call) && call.approval !== undefined ? [call.approval.id] : [])
  if (pending.length > 0) return `the approval ${pending.join(", ")} is pending: answer it in the prompt`
  const calls = open.filter(({ approval }) => approval === undefined)
  if (calls.length > 0) return `the tool call ${calls.map(({ id }) => id).join(", ")} has no result in it`
  return undefined
}

/**
 * Checks a prompt against the calls that are open, of which it has to answer
 * each. Fails with what is wrong, which holds no content.
 *
 * @category checking
 * @since 0.1.0
 */
export const check = (
  arranged: ReadonlyArray<Message>,
  open: ReadonlyArray<Calls.OpenCall>,
  given: ReadonlyArray<MessageInput>
): Result.Result<Input, string> => {
  const messages = withoutDecided(arranged, withoutRepeated(arranged, given))
  let after = open
  for (const message of messages) {
    if (isSilent(message)) return Result.fail(`a message of the ${message.role} says nothing`)
    const stray = strayAnswer(after, message)
    if (stray !== undefined) return Result.fail(stray)
    after = Calls.openAfter(after, [message])
  }
  const left = unanswered(after)
  return left === undefined ? Result.succeed({ messages, decided: after }) : Result.fail(left)
}
