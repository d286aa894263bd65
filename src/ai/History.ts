/**
 * A conversation in the order in which the model had it: what others appended
 * while the model spoke or a tool ran comes after that, and results come right
 * after their calls, as providers demand.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import type { Message, Part } from "../core/Session.ts"
import * as Calls from "./Calls.ts"
import * as Note from "./Note.ts"
import * as SessionPrompt from "./SessionPrompt.ts"

/** What an assistant's message holds that a tool's message answers. */
const asks = (asked: Part, answer: Part): boolean => {
  switch (answer.type) {
    case "tool-result":
      return asked.type === "tool-call" && asked.id === answer.id
    case "tool-approval-response":
      return asked.type === "tool-approval-request" && asked.approvalId === answer.approvalId
    default:
      return false
  }
}

/** Where a tool's message belongs: behind the message that it answers, and the answers that are there already. */
const placeOfAnswer = (messages: ReadonlyArray<Message>, answer: Message): number => {
  const answers = Calls.partsOf(answer)
  const asking = messages.findLastIndex((message) =>
    message.role === "assistant" && Calls.partsOf(message).some((asked) => answers.some((part) => asks(asked, part)))
  )
  if (asking < 0) return messages.length
  const answered = messages.slice(asking + 1).findIndex(({ role }) => role !== "tool")
  return answered < 0 ? messages.length : asking + 1 + answered
}

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
    switch (message.role) {
      case "tool":
        arranged.splice(placeOfAnswer(arranged, message), 0, message)
        break
      case "assistant":
        arranged.splice(placeOfSpeech(arranged, message), 0, message)
        break
      default:
        arranged.push(message)
    }
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

const isAnswerTo = (calls: Set<string>) => (part: Prompt.ToolMessagePart): boolean =>
  part.type !== "tool-result" || part.providerExecuted || calls.delete(part.id)

/** The messages without results that nobody asked for, or that were there before: providers refuse them. */
const withoutStrayResults = (messages: ReadonlyArray<Prompt.Message>): ReadonlyArray<Prompt.Message> => {
  let calls = new Set<string>()
  let before: Prompt.Message["role"] | undefined = undefined
  const kept: Array<Prompt.Message> = []
  for (const message of messages) {
    if (message.role === "tool") {
      const content = message.content.filter(isAnswerTo(calls))
      const isWhole = content.length === message.content.length
      if (content.length > 0) {
        kept.push(isWhole ? message : Prompt.toolMessage({ content, options: message.options }))
      }
      before = "tool"
      continue
    }
    if (before !== "assistant" || message.role !== "assistant") calls = new Set()
    if (message.role === "assistant") {
      for (const part of message.content) if (part.type === "tool-call") calls.add(part.id)
    }
    before = message.role
    kept.push(message)
  }
  return kept
}

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
  if (self.role === "tool" && that.role === "tool") {
    return Prompt.toolMessage({ content: [...self.content, ...that.content], options })
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

/** Who speaks several times in a row speaks once: results are stored one by one, and are one message to the model. */
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
 * Messages are in the model's order, and those of one role in a row are one.
 * What says nothing, and results without a call, are left out.
 *
 * @category converting
 * @since 0.1.0
 */
export const toPrompt = (arranged: ReadonlyArray<Message>): Prompt.Prompt => {
  const { content } = SessionPrompt.fromMessages(arranged).prompt
  return Prompt.fromMessages(inTurns(withoutStrayResults(content.flatMap(withoutSilence))))
}
