/**
 * What the APIs of model providers demand of a history, all of them at once and
 * strictly: whatever passes here none of them rejects.
 *
 * Anthropic: results directly after their calls, all in one message, ids unique,
 * nothing empty. OpenAI: each call answered, no result without its call. Gemini:
 * as many results as calls, first a user, then in turns. All: system first.
 */
import type { Prompt } from "effect/ai"

export interface Options {
  /** Calls may wait for an approval at the end. */
  readonly pending?: boolean
}

const callsOf = (message: Prompt.Message | undefined): ReadonlyArray<Prompt.ToolCallPart> =>
  message?.role === "assistant"
    ? message.content.flatMap((part) => part.type === "tool-call" && !part.providerExecuted ? [part] : [])
    : []

const resultsOf = (message: Prompt.Message | undefined): ReadonlyArray<Prompt.ToolResultPart> =>
  message?.role === "tool" ? message.content.flatMap((part) => part.type === "tool-result" ? [part] : []) : []

/** Calls of the last message that somebody was asked to approve, and has not. */
const awaited = (messages: ReadonlyArray<Prompt.Message>): ReadonlySet<string> => {
  const last = messages.findLast(({ role }) => role === "assistant")
  const answered = new Set(messages.flatMap((message) =>
    message.role === "tool"
      ? message.content.flatMap((part) => part.type === "tool-approval-response" ? [part.approvalId] : [])
      : []
  ))
  return new Set(
    last?.role === "assistant"
      ? last.content.flatMap((part) =>
        part.type === "tool-approval-request" && !answered.has(part.approvalId) ? [part.toolCallId] : []
      )
      : []
  )
}

const emptiness = (message: Prompt.Message): ReadonlyArray<string> => {
  if (message.content.length === 0) return [`a message of the ${message.role} is empty`]
  if (typeof message.content === "string") return []
  return message.content.flatMap((part) =>
    (part.type === "text" || part.type === "reasoning") && part.text === "" && Object.keys(part.options).length === 0
      ? [`a part of the ${message.role} is empty`]
      : []
  )
}

const turns = (messages: ReadonlyArray<Prompt.Message>): ReadonlyArray<string> => {
  const said = messages.slice(messages.findIndex(({ role }) => role !== "system"))
  const mistakes = said.some(({ role }) => role === "system") ? ["the system speaks after others"] : []
  if (said[0] !== undefined && said[0].role !== "user") mistakes.push(`${said[0].role} speaks first`)
  for (const [index, { role }] of said.entries()) {
    const before = said[index - 1]
    if (before?.role === role) mistakes.push(`${role} speaks twice in a row`)
    if (role === "tool" && callsOf(before).length === 0) mistakes.push("results without calls before them")
  }
  return mistakes
}

const pairs = (messages: ReadonlyArray<Prompt.Message>, { pending = false }: Options): ReadonlyArray<string> => {
  const mistakes: Array<string> = []
  const waiting = pending ? awaited(messages) : new Set<string>()
  const ids = messages.flatMap(callsOf).map(({ id }) => id)
  if (new Set(ids).size < ids.length) mistakes.push("two calls have one id")
  for (const [index, message] of messages.entries()) {
    const calls = callsOf(message)
    const results = resultsOf(messages[index + 1])
    for (const { id, name } of calls) {
      const answers = results.filter((result) => result.id === id)
      if (answers.length === 0 && !waiting.has(id)) mistakes.push(`the call ${id} has no result directly after it`)
      if (answers.length > 1) mistakes.push(`the call ${id} has ${answers.length} results`)
      if (answers.some((answer) => answer.name !== name)) mistakes.push(`the result of ${id} has another name`)
    }
    for (const { id } of results) {
      if (!calls.some((call) => call.id === id)) mistakes.push(`the result ${id} has no call directly before it`)
    }
  }
  return mistakes
}

/** What a provider would reject; nothing where none of them would. */
export const mistakes = (prompt: Prompt.Prompt, options: Options = {}): ReadonlyArray<string> => [
  ...prompt.content.flatMap(emptiness),
  ...turns(prompt.content),
  ...pairs(prompt.content, options)
]
