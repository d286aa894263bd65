/**
 * A conversation in the order in which the model had it: what others appended
 * while the model spoke or a tool ran comes after that, and results come right
 * after their calls, as providers demand.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import type { Message } from "../core/Session.ts"
import * as Note from "./Note.ts"
import * as SessionPrompt from "./SessionPrompt.ts"

/** Where the model's message belongs: behind the last one that it had seen. */
const placeOfSpeech = (messages: ReadonlyArray<Message>, speech: Message): number => {
  const { after } = Note.of(speech)
  const seen = after === undefined ? -1 : messages.findLastIndex(({ id }) => id === after)
  return seen < 0 ? messages.length : seen + 1
}

/**
 * The messages in the order in which the model had them.
 *
 * @category ordering
 * @since 0.1.0
 */
export const arrange = (messages: ReadonlyArray<Message>): ReadonlyArray<Message> => {
  const arranged: Array<Message> = []
  for (const message of messages) {
    arranged.splice(message.role === "assistant" ? placeOfSpeech(arranged, message) : arranged.length, 0, message)
  }
  return arranged
}

const isSilent = (part: Prompt.Part): boolean =>
  (part.type === "text" || part.type === "reasoning") && part.text === "" && Object.keys(part.options).length === 0

/** A message without parts that say nothing, which providers refuse; none where nothing is left. */
const withoutSilence = (message: Prompt.Message): ReadonlyArray<Prompt.Message> => {
  if (message.content.length === 0) return []
  if (message.role !== "user" && message.role !== "assistant") return [message]
  if (!message.content.some(isSilent)) return [message]
  const { options } = message
  const said = message.role === "user"
    ? Prompt.userMessage({ content: message.content.filter((part) => !isSilent(part)), options })
    : Prompt.assistantMessage({ content: message.content.filter((part) => !isSilent(part)), options })
  return said.content.length === 0 ? [] : [said]
}

/** A message, and the answers to what it asks: results of its calls, and words on its approvals. */
interface Block {
  readonly message: Prompt.Message
  readonly answers: Array<Prompt.ToolMessagePart>
  options: Prompt.ToolMessage["options"]
}

/** What a part of an assistant's message is answered by. */
const asks = (part: Prompt.AssistantMessagePart): ReadonlyArray<string> => {
  if (part.type === "tool-call") return [`result ${part.id}`]
  return part.type === "tool-approval-request" ? [`approval ${part.approvalId}`] : []
}

const answers = (part: Prompt.ToolMessagePart): string =>
  part.type === "tool-result" ? `result ${part.id}` : `approval ${part.approvalId}`

/** Each message with what answers it. An answer to nothing, or to what is answered, is left out: providers refuse it. */
const blocksOf = (messages: ReadonlyArray<Prompt.Message>): ReadonlyArray<Block> => {
  const blocks: Array<Block> = []
  const waiting = new Map<string, Array<Block>>()
  for (const message of messages) {
    if (message.role !== "tool") {
      const block: Block = { message, answers: [], options: {} }
      blocks.push(block)
      if (message.role !== "assistant") continue
      for (const ask of message.content.flatMap(asks)) waiting.set(ask, [...waiting.get(ask) ?? [], block])
      continue
    }
    for (const part of message.content) {
      // Ids need not be unique over a whole conversation: the last that asked is answered first.
      const block = waiting.get(answers(part))?.pop()
      if (block === undefined) continue
      block.answers.push(part)
      block.options = { ...block.options, ...message.options }
    }
  }
  return blocks
}

/** By the message that they answer. Providers recognise messages that they have seen as objects. */
const answered = new WeakMap<Prompt.Message, Prompt.ToolMessage>()

/** The messages, each with its answers directly after it, in one message. */
const withAnswersInPlace = (messages: ReadonlyArray<Prompt.Message>): ReadonlyArray<Prompt.Message> =>
  blocksOf(messages).flatMap(({ answers, message, options }) => {
    if (answers.length === 0) return [message]
    const before = answered.get(message)
    const isSame = before?.content.length === answers.length && before.content.every((part, at) => part === answers[at])
    const after = isSame ? before : Prompt.toolMessage({ content: answers, options })
    answered.set(message, after)
    return [message, after]
  })

/** By the first of them. Providers recognise messages that they have seen as objects. */
const joined = new WeakMap<Prompt.Message, { readonly pieces: number; readonly message: Prompt.Message }>()

const joinTwo = (self: Prompt.Message, that: Prompt.Message): Prompt.Message => {
  const options = { ...self.options, ...that.options }
  if (self.role === "user" && that.role === "user") {
    return Prompt.userMessage({ content: [...self.content, ...that.content], options })
  }
  if (self.role === "assistant" && that.role === "assistant") {
    return Prompt.assistantMessage({ content: [...self.content, ...that.content], options })
  }
  return self
}

const join = (pieces: readonly [Prompt.Message, ...ReadonlyArray<Prompt.Message>]): Prompt.Message => {
  const [first, ...others] = pieces
  if (others.length === 0) return first
  const before = joined.get(first)
  if (before?.pieces === pieces.length) return before.message
  const message = others.reduce(joinTwo, first)
  joined.set(first, { pieces: pieces.length, message })
  return message
}

/** Who speaks several times in a row speaks once. */
const inTurns = (messages: ReadonlyArray<Prompt.Message>): ReadonlyArray<Prompt.Message> => {
  const turns: Array<[Prompt.Message, ...Array<Prompt.Message>]> = []
  for (const message of messages) {
    const last = turns.at(-1)
    if (last !== undefined && message.role !== "system" && last[0].role === message.role) last.push(message)
    else turns.push([message])
  }
  return turns.map(join)
}

/**
 * The conversation as the model gets it.
 *
 * **Details**
 *
 * Messages are in the model's order, results right after their calls, and those
 * of one role in a row are one message. What says nothing, and results without a
 * call, are left out.
 *
 * @category converting
 * @since 0.1.0
 */
export const toPrompt = (arranged: ReadonlyArray<Message>): Prompt.Prompt => {
  const { content } = SessionPrompt.fromMessages(arranged).prompt
  return Prompt.fromMessages(inTurns(withAnswersInPlace(content.flatMap(withoutSilence))))
}
