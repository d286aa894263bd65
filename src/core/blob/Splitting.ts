/**
 * What of a message is too large to stand in a session, and the message without
 * it.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Blob from "../Blob.ts"
import * as Check from "../Check.ts"
import * as Json from "../Json.ts"
import type { Message, Part } from "../Session.ts"
import * as Session from "../Session.ts"
import * as Text from "../Text.ts"
import * as Content from "./Content.ts"
import * as Place from "./Place.ts"

/**
 * A large piece of a message: where it is, and its bytes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Piece extends Content.Content {
  readonly at: Place.Place
}

/**
 * A piece by its name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Named extends Piece {
  readonly digest: Blob.Digest
}

/** What of a part may be large: files, what tools are given and what they return, and what a tool says. */
const memberOf = (part: Part, role: Message["role"]): readonly [string, Schema.Json] | undefined => {
  switch (part.type) {
    case "file":
      return ["data", part.data]
    case "tool-call":
      return ["params", part.params]
    case "tool-result":
      return ["result", part.result]
    case "text":
      return role === "tool" ? ["text", part.text] : undefined
    default:
      return undefined
  }
}

/** What a value and its name weigh beside their text, about. */
const perValue = 8

/** Whether a text has more than so many bytes. Most have not, and need no encoding to tell. */
const isLonger = (text: string, over: number): boolean =>
  text.length > over || (text.length * 3 > over && Text.toBytes(text).length > over)

/** The texts of a value that are too long by themselves, and what the rest weighs. */
const weigh = (value: Schema.Json, over: number, at: Place.Place) => {
  const long: Array<Piece> = []
  let rest = 0
  const walk = (value: Schema.Json, at: Place.Place): void => {
    rest += perValue
    if (typeof value === "string") {
      if (isLonger(value, over)) long.push({ at, ...Content.ofText(value) })
      else rest += value.length
    } else if (Place.isArray(value)) {
      for (const [index, inner] of value.entries()) walk(inner, [...at, index])
    } else if (typeof value === "object" && value !== null) {
      for (const [key, inner] of Object.entries<Schema.Json>(value)) {
        rest += key.length
        walk(inner, [...at, key])
      }
    }
  }
  walk(value, at)
  return { long, rest }
}

/** A value's large pieces: its long texts, and before them all the rest if that is large too. */
const piecesOf = (value: Schema.Json, over: number, at: Place.Place): ReadonlyArray<Piece> => {
  const { long, rest } = weigh(value, over, at)
  if (typeof value === "string" || rest <= over) return long
  const shell = long.reduce<Schema.Json>((shell, piece) => Place.replace(shell, piece.at.slice(at.length), null), value)
  return [{ at, ...Content.ofValue(shell) }, ...long]
}

/**
 * The pieces of a message of more than `over` bytes, outer ones before those
 * inside of them. What people and models write is none.
 *
 * @category getters
 * @since 0.1.0
 */
export const find = ({ content, role }: Message, over: number): ReadonlyArray<Piece> => {
  if (typeof content === "string") return role === "tool" ? piecesOf(content, over, ["content"]) : []
  return content.flatMap((part, index) => {
    const member = memberOf(part, role)
    return member === undefined ? [] : piecesOf(member[1], over, ["content", index, member[0]])
  })
}

/** A reader who does not know of blobs must take no note for a file. */
const standIn = ({ at, bytes, digest }: Named): Schema.Json =>
  at.length === 3 && at[2] === "data" ? null : `[${bytes.length} bytes, stored as blob ${digest.slice(0, 12)}]`

const isInside = (inner: Place.Place, outer: Place.Place): boolean =>
  inner.length > outer.length && outer.every((step, index) => step === inner[index])

const referenceTo = ({ at, bytes, digest, encoding, prefix }: Named) => ({
  at,
  sha256: digest,
  bytes: bytes.length,
  encoding,
  ...(prefix === undefined ? {} : { prefix })
})

const isMessage = Check.make(Session.parsed.Message)

const renamed = (value: Json.JsonObject, rename: (key: string) => string): Json.JsonObject =>
  Object.fromEntries(Object.entries(value).map(([key, inner]) => [rename(key), inner]))

const needsEscape = (message: Message): boolean => Object.keys(message).some((key) => /^\$+blobs$/.test(key))

/**
 * A message whose own members can't be taken for references.
 *
 * @category combinators
 * @since 0.1.0
 */
export const escape = (message: Message): Message =>
  needsEscape(message) ? checked(renamed(message, (key) => key.replace(/^(?=\$+blobs$)/, "$$")), message) : message

/** What is a message by construction; if not, it stays as it was. */
const checked = (json: Schema.Json, message: Message): Message =>
  Option.getOrElse(Result.getSuccess(isMessage(json)), () => message)

/**
 * An escaped message with references instead of pieces; none where it would nest
 * deeper than `maxDepth` levels with them.
 *
 * @category combinators
 * @since 0.1.0
 */
export const take = (message: Message, pieces: ReadonlyArray<Named>, maxDepth: number): Option.Option<Message> => {
  const outer = pieces.filter(({ at }) => !pieces.some((other) => isInside(at, other.at)))
  const rest = outer.reduce<Schema.Json>((rest, piece) => Place.replace(rest, piece.at, standIn(piece)), message)
  const json = { ...checked(rest, message), [Blob.member]: pieces.map(referenceTo) }
  return Json.isDeeperThan(json, maxDepth) ? Option.none() : Result.getSuccess(isMessage(json))
}

/**
 * A value and its place in a message.
 *
 * @category models
 * @since 0.1.0
 */
export interface Value {
  readonly at: Place.Place
  readonly value: Schema.Json
}

/**
 * The message as it was appended, of the values of its references, in their order.
 *
 * @category combinators
 * @since 0.1.0
 */
export const restore = (message: Message, values: ReadonlyArray<Value>): Message => {
  if (values.length === 0 && (Object.hasOwn(message, Blob.member) || !needsEscape(message))) return message
  const filled = values.reduce<Schema.Json>((json, { at, value }) => Place.replace(json, at, value), message)
  const { [Blob.member]: _, ...others } = checked(filled, message)
  return checked(renamed(others, (key) => key.replace(/^\$(?=\$+blobs$)/, "")), message)
}
