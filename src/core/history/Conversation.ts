/**
 * From what was said, piece by piece, to messages that the interfaces of model
 * providers take: each call of a tool is answered, once, right after the message
 * that makes it.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Json.ts"
import type { Part, Usage } from "../Session.ts"
import * as Session from "../Session.ts"
import type { Timestamp } from "../Timestamp.ts"
import type { Said } from "./History.ts"
import * as Parts from "./Parts.ts"
import type { Tally } from "./Tally.ts"

/**
 * A piece of the conversation, and the record that told it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Piece<Source> {
  readonly said: Said
  readonly source: Source
}

/**
 * A message, and the records that told it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Told<Source> {
  readonly id: string | undefined
  readonly role: "user" | "assistant" | "tool"
  readonly parts: ReadonlyArray<Part>
  readonly at: Timestamp | undefined
  readonly usage: Usage | undefined
  readonly metadata: JsonObject
  readonly sources: ReadonlyArray<Source>
}

type Result = Extract<Part, { readonly type: "tool-result" }>

/** A result that waits for the call that it answers. */
interface Waiting<Source> {
  readonly order: number
  readonly part: Result
  readonly piece: Piece<Source>
}

/** Messages that stand together, and where. */
interface Unit<Source> {
  readonly order: number
  readonly messages: ReadonlyArray<Told<Source>>
}

/** A message, where it stands, and the group that its pieces name. */
interface Grouped<Source> {
  readonly order: number
  readonly message: Told<Source>
  readonly group?: string
}

/** Providers refuse texts in which nothing stands. */
const saysSomething = (part: Part): boolean => {
  if (part.type === "text") return part.text.trim() !== ""
  return part.type !== "reasoning" || part.text.trim() !== "" || Object.hasOwn(part, "options")
}

const isResult = (part: Part): part is Result => part.type === "tool-result"

const toldOf = <Source>({ said, source }: Piece<Source>, parts: ReadonlyArray<Part>): Told<Source> => ({
  id: said.id,
  role: said.role,
  parts,
  at: said.at,
  usage: said.usage,
  metadata: said.metadata ?? {},
  sources: [source]
})

const joined = <Source>(self: Told<Source>, that: Told<Source>): Told<Source> => ({
  ...self,
  parts: [...self.parts, ...that.parts],
  at: self.at ?? that.at,
  usage: self.usage === undefined || that.usage === undefined
    ? self.usage ?? that.usage
    : Session.addUsage(self.usage, that.usage),
  metadata: { ...self.metadata, ...that.metadata },
  sources: [...self.sources, ...that.sources]
})

/**
 * What a call is answered with whose result nobody wrote down. Without one no
 * provider would take the conversation.
 *
 * @category constants
 * @since 0.1.0
 */
export const unknownResult = "No result was recorded: the call was interrupted, or its outcome is not known."

/**
 * Puts the pieces together. `tally` is told what had to be mended.
 *
 * @category constructors
 * @since 0.1.0
 */
export const assemble = <Source>(
  pieces: ReadonlyArray<Piece<Source>>,
  tally: Pick<Tally, "changed">
): ReadonlyArray<Told<Source>> => {
  const waiting = resultsOf(pieces)
  const used = new Set<string>()
  const units = grouped(pieces).map(({ message, order }): Unit<Source> => ({
    order,
    messages: message.role === "assistant" ? answered(message, order, waiting, used, tally) : [message]
  }))
  const left = Array.from(waiting.values(), (results) => results).flat()
  const orphans = left.filter(({ part }) => !used.has(part.id))
  tally.changed("a second result of a call: left out", left.length - orphans.length)
  tally.changed("a result without its call: told as a text", orphans.length)
  return [...units, ...orphans.map(orphan)]
    .sort((one, two) => one.order - two.order)
    .flatMap(({ messages }) => messages)
}

/** All results, by the call that they answer, in their order. */
const resultsOf = <Source>(pieces: ReadonlyArray<Piece<Source>>) => {
  const waiting = new Map<string, Array<Waiting<Source>>>()
  for (const [order, piece] of pieces.entries()) {
    if (piece.said.role !== "tool") continue
    for (const part of piece.said.parts.filter(isResult)) {
      const results = waiting.get(part.id)
      if (results === undefined) waiting.set(part.id, [{ order, part, piece }])
      else results.push({ order, part, piece })
    }
  }
  return waiting
}

/** The messages of the person and of the model, each of one or more pieces. */
const grouped = <Source>(pieces: ReadonlyArray<Piece<Source>>): ReadonlyArray<Grouped<Source>> => {
  const messages: Array<Grouped<Source>> = []
  let isAnswered = false
  for (const [order, piece] of pieces.entries()) {
    const { said } = piece
    if (said.role === "tool") {
      isAnswered = true
      continue
    }
    const parts = said.parts.filter(saysSomething)
    const before = messages.at(-1)
    const isSame = before?.message.role === "assistant" && said.role === "assistant" &&
      (said.group === undefined ? said.joins === true && !isAnswered : before.group === said.group)
    const message = toldOf(piece, parts)
    if (isSame) {
      messages.splice(-1, 1, { ...before, message: joined(before.message, message) })
    } else {
      messages.push({ order, message, ...(said.group === undefined ? {} : { group: said.group }) })
      isAnswered = false
    }
  }
  return withoutEmpty(messages)
}

/** Messages in which something stands. What an empty one used counts for the answer before it. */
const withoutEmpty = <Source>(messages: ReadonlyArray<Grouped<Source>>): ReadonlyArray<Grouped<Source>> => {
  const kept: Array<Grouped<Source>> = []
  for (const next of messages) {
    const before = kept.at(-1)
    if (next.message.parts.length > 0) kept.push(next)
    else if (next.message.usage !== undefined && before?.message.role === "assistant") {
      kept.splice(-1, 1, { ...before, message: joined(before.message, { ...next.message, metadata: {} }) })
    }
  }
  return kept
}

/** An id that the conversation does not have yet. */
const freshId = (wanted: string, order: number, used: Set<string>): string => {
  const base = wanted === "" ? `call-${order + 1}` : wanted
  let id = base
  for (let count = 2; used.has(id); count++) id = `${base}~${count}`
  used.add(id)
  return id
}

/** A message of the model and what its calls were answered with. */
const answered = <Source>(
  message: Told<Source>,
  order: number,
  waiting: Map<string, Array<Waiting<Source>>>,
  used: Set<string>,
  tally: Pick<Tally, "changed">
): ReadonlyArray<Told<Source>> => {
  const own = message.parts.filter(isResult)
  const parts: Array<Part> = []
  const answers: Array<{ readonly part: Part; readonly piece?: Piece<Source> }> = []
  for (const part of message.parts) {
    if (part.type === "tool-result") continue
    if (part.type !== "tool-call") {
      parts.push(part)
      continue
    }
    const id = freshId(part.id, order, used)
    if (id !== part.id) tally.changed("the id of a call that another one had: replaced")
    parts.push({ ...part, id })
    const inside = own.find((result) => result.id === part.id)
    const found = inside === undefined ? taken(waiting.get(part.id), order) : undefined
    if (inside === undefined && found === undefined) tally.changed("a call without a result: answered as interrupted")
    const result = inside ?? found?.part ?? Parts.result(id, part.name, unknownResult, { isFailure: true })
    const answer = { ...result, id, name: part.name }
    if (inside !== undefined || Object.hasOwn(part, "providerExecuted")) parts.push(answer)
    else answers.push({ part: answer, ...(found === undefined ? {} : { piece: found.piece }) })
  }
  const [first] = answers
  if (first === undefined) return [{ ...message, parts }]
  const pieces = answers.flatMap(({ piece }) => piece ?? [])
  return [{ ...message, parts }, {
    id: pieces[0]?.said.id,
    role: "tool",
    parts: answers.map(({ part }) => part),
    at: pieces[0]?.said.at ?? message.at,
    usage: undefined,
    metadata: pieces[0]?.said.metadata ?? {},
    sources: pieces.length === 0 ? message.sources : pieces.map(({ source }) => source)
  }]
}

/** The first result that came after the call. */
const taken = <Source>(results: Array<Waiting<Source>> | undefined, order: number): Waiting<Source> | undefined => {
  const index = results?.findIndex((result) => result.order > order) ?? -1
  return index < 0 ? undefined : results?.splice(index, 1)[0]
}

const orphan = <Source>({ order, part, piece }: Waiting<Source>): Unit<Source> => {
  const name = part.name === "" ? "a tool" : part.name
  const result = typeof part.result === "string" ? part.result : JSON.stringify(part.result)
  return {
    order,
    messages: [{
      ...toldOf(piece, [Parts.text(`Result of ${name}, whose call is not in this history:\n${result}`)]),
      role: "user"
    }]
  }
}
