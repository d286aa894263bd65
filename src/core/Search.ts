/**
 * Where a text stands in a conversation.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import type { Message, Part, Role } from "./Session.ts"
import type { Timestamp } from "./Timestamp.ts"

/**
 * What is searched: what was said and thought, what tools were asked (their names,
 * and the values of their parameters) and what they answered.
 *
 * @category models
 * @since 0.1.0
 */
export type Place = "text" | "reasoning" | "tool-call" | "tool-result"

/**
 * What is looked for, and in which messages.
 *
 * **Details**
 *
 * A text is found wherever it stands, over lines too. An expression is tried on
 * each line by itself, as grep does, so that `^` and `$` are a line's ends; of a
 * line of more than 16,384 characters on each such piece. Matches of nothing at
 * all are left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface Query {
  readonly text: string | RegExp
  /**
   * Whether the case of a text counts: by default not. With `smart` it does where
   * the text has a capital. Expressions have flags for that.
   */
  readonly matchCase?: "ignore" | "smart" | "exact"
  /** Only messages of these. */
  readonly roles?: ReadonlyArray<Role>
  /** Only in these. */
  readonly places?: ReadonlyArray<Place>
  /** Characters before and after the match that come with it: 80 by default. */
  readonly context?: number
}

/**
 * A place where it stands. `text` is what matched; `before` and `after` are what is
 * around it there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Found {
  /** The message's place in the conversation, from 1 on. */
  readonly number: number
  readonly messageId: string
  readonly role: Role
  readonly timestamp: Timestamp
  readonly place: Place
  /** The tool, where it stands in a call or a result. */
  readonly tool?: string
  readonly before: string
  readonly text: string
  readonly after: string
}

/**
 * What a search comes up with at each step: so many characters looked at, or a find
 * among them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly characters: number
  readonly found?: Found
}

/** The most characters that an expression is tried on at once. */
const maxTested = 16_384

const escapeText = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")

const flagsFor = (text: string, matchCase: Query["matchCase"]): string =>
  matchCase === "exact" || (matchCase === "smart" && text !== text.toLowerCase()) ? "gu" : "giu"

const compile = ({ matchCase, text }: Query): RegExp =>
  typeof text === "string"
    ? new RegExp(escapeText(text), flagsFor(text, matchCase))
    : new RegExp(text.source, `${text.flags.replace(/[gy]/g, "")}g`)

interface Piece {
  readonly place: Place
  readonly tool?: string
  readonly text: string
}

/** The values in a JSON value that can be read as text: quotes and line ends in them are as they were said. */
const leavesOf = (value: unknown): ReadonlyArray<string> => {
  if (typeof value === "string") return [value]
  if (typeof value === "number" || typeof value === "boolean") return [String(value)]
  return Predicate.isObjectOrArray(value) ? Object.values(value).flatMap(leavesOf) : []
}

const piecesOf = (part: Part): ReadonlyArray<Piece> => {
  switch (part.type) {
    case "text":
    case "reasoning":
      return [{ place: part.type, text: part.text }]
    case "tool-call":
      return [part.name, ...leavesOf(part.params)].map((text) => ({ place: part.type, tool: part.name, text }))
    case "tool-result":
      return leavesOf(part.result).map((text) => ({ place: part.type, tool: part.name, text }))
    default:
      return []
  }
}

const allPieces = ({ content }: Message): ReadonlyArray<Piece> =>
  typeof content === "string" ? [{ place: "text", text: content }] : content.flatMap(piecesOf)

/** What an expression is tried on at once, and where that begins in the text. */
function* tested(text: string, isText: boolean): Generator<readonly [offset: number, text: string], void> {
  if (isText) {
    yield [0, text]
    return
  }
  for (let start = 0; start < text.length;) {
    const newline = text.indexOf("\n", start)
    const lineEnd = newline < 0 ? text.length : newline
    const isWhole = lineEnd - start <= maxTested
    const end = isWhole ? lineEnd : start + maxTested
    yield [start, text.slice(start, isWhole && text[end - 1] === "\r" ? end - 1 : end)]
    start = isWhole ? end + 1 : end
  }
}

const isHigh = (unit: number): boolean => unit >= 0xd800 && unit < 0xdc00
const isLow = (unit: number): boolean => unit >= 0xdc00 && unit < 0xe000

/** A piece of a text that begins and ends between characters. */
const around = (text: string, from: number, to: number): string => {
  const start = Math.max(0, from)
  const end = Math.min(text.length, to)
  return text.slice(
    isLow(text.charCodeAt(start)) && isHigh(text.charCodeAt(start - 1)) ? start + 1 : start,
    isHigh(text.charCodeAt(end - 1)) && isLow(text.charCodeAt(end)) ? end - 1 : end
  )
}

/**
 * Everything that is found in a conversation, in its order, a step at a time: whoever
 * asks can stop between two texts.
 *
 * @category searching
 * @since 0.1.0
 */
export function* search(
  conversation: ReadonlyArray<Message>,
  query: Query
): Generator<Step, void> {
  const { context = 80, places, roles } = query
  const expression = compile(query)
  for (const [index, message] of conversation.entries()) {
    const { id: messageId, role, timestamp } = message
    if (roles !== undefined && !roles.includes(role)) continue
    for (const { place, text, tool } of allPieces(message)) {
      if (places !== undefined && !places.includes(place)) continue
      for (const [offset, piece] of tested(text, typeof query.text === "string")) {
        for (const match of piece.matchAll(expression)) {
          const [matched] = match
          if (matched === "") continue
          const start = offset + match.index
          const end = start + matched.length
          const found: Found = {
            number: index + 1,
            messageId,
            role,
            timestamp,
            place,
            ...(tool === undefined ? {} : { tool }),
            before: around(text, start - context, start),
            text: matched,
            after: around(text, end, end + context)
          }
          yield { characters: 0, found }
        }
        yield { characters: piece.length }
      }
    }
  }
}
