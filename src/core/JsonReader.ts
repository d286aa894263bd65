/**
 * A JSON reader of our own (RFC 8259): it knows where a mistake is, and takes
 * keys as they are written. Slower than the platform's, which reads first.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as JsonNumber from "./JsonNumber.ts"

/**
 * Why a text is refused. `offset` counts UTF-16 units from the start.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fault {
  readonly offset: number
  readonly expected:
    | "JSON"
    | "a number that can be kept exactly"
    | "a key that is there once"
    | "fewer levels"
    | "no lone surrogates"
}

const whiteSpace = /[ \t\n\r]*/y
const literal = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y
const escape = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y

/** What may begin a literal or an escape, as far as it goes: the mistake is where it ends. */
const begunLiteral =
  /t(?:r(?:ue?)?)?|f(?:a(?:l(?:se?)?)?)?|n(?:u(?:ll?)?)?|-?(?:(?:0|[1-9]\d*)(?:\.(?:\d+(?:[eE][+-]?)?)?|[eE][+-]?)?)?/y
const begunEscape = /\\(?:u[0-9a-fA-F]{0,3})?/y

const matchAt = (pattern: RegExp, text: string, offset: number): number => {
  pattern.lastIndex = offset
  return pattern.test(text) ? pattern.lastIndex : -1
}

/**
 * The end of the string literal that starts at `offset`, or the negated
 * offset (less one) of what is wrong with it.
 */
const stringEnd = (text: string, offset: number): number => {
  if (text.charCodeAt(offset) !== 0x22) return -offset - 1
  let at = offset + 1
  while (at < text.length) {
    const code = text.charCodeAt(at)
    if (code === 0x22) return at + 1
    if (code < 0x20) return -at - 1
    if (code === 0x5c) {
      const end = matchAt(escape, text, at)
      if (end < 0) return -matchAt(begunEscape, text, at) - 1
      at = end
    } else at++
  }
  return -text.length - 1
}

/** The end of the literal at `offset`, or the negated offset (less one) of what is wrong with it. */
const literalEnd = (text: string, offset: number): number => {
  const end = matchAt(literal, text, offset)
  const begun = Math.max(offset, matchAt(begunLiteral, text, offset))
  return end < begun ? -begun - 1 : end
}

/** What is open around the present place. */
type Frame =
  | { readonly close: "]"; readonly items: Array<Schema.Json> }
  | { readonly close: "}"; readonly members: Map<string, Schema.Json>; key: string }

/** A string literal on its own: nothing here can be confused. */
const stringOf: (literal: string) => string = JSON.parse

const literalOf: (literal: string) => Schema.Json = JSON.parse

/**
 * Reads JSON text. Fails at the first character that can't stand where it
 * stands, at a number that a double can't hold (with `roundsNumbers` only at one
 * that is too large for any), and with `uniqueKeys` at a key that its object has
 * already.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (
  text: string,
  options: { readonly uniqueKeys?: boolean; readonly roundsNumbers?: boolean } = {}
): Result.Result<Schema.Json, Fault> => {
  const fail = (offset: number, expected: Fault["expected"] = "JSON") => Result.fail<Fault>({ offset, expected })
  const { roundsNumbers = false, uniqueKeys = false } = options
  const canKeep = (literal: string) =>
    JsonNumber.isExact(literal) || (roundsNumbers && Number.isFinite(Number(literal)))
  const open: Array<Frame> = []
  let root: Schema.Json = null
  let expect: "value" | "key" | "colon" | "separator" = "value"
  let mayClose = false
  let at = 0

  const put = (value: Schema.Json) => {
    const frame = open.at(-1)
    if (frame === undefined) root = value
    else if (frame.close === "]") frame.items.push(value)
    else frame.members.set(frame.key, value)
  }

  while (true) {
    at = matchAt(whiteSpace, text, at)
    const char = text[at]
    const frame = open.at(-1)
    if (expect === "separator" && frame === undefined) {
      return at === text.length ? Result.succeed(root) : fail(at)
    }
    if (frame !== undefined && char === frame.close && (mayClose || expect === "separator")) {
      open.pop()
      at++
      put(frame.close === "]" ? frame.items : Object.fromEntries(frame.members))
      expect = "separator"
      mayClose = false
    } else if (expect === "separator") {
      if (char !== ",") return fail(at)
      at++
      expect = frame?.close === "}" ? "key" : "value"
    } else if (expect === "colon") {
      if (char !== ":") return fail(at)
      at++
      expect = "value"
    } else if (expect === "value" && (char === "{" || char === "[")) {
      open.push(char === "[" ? { close: "]", items: [] } : { close: "}", members: new Map(), key: "" })
      at++
      expect = char === "{" ? "key" : "value"
      mayClose = true
    } else {
      const end = expect === "key" || char === "\"" ? stringEnd(text, at) : literalEnd(text, at)
      if (end < 0) return fail(-end - 1)
      const token = text.slice(at, end)
      if (expect === "key" && frame?.close === "}") {
        frame.key = stringOf(token)
        if (uniqueKeys && frame.members.has(frame.key)) return fail(at, "a key that is there once")
        expect = "colon"
      } else {
        if (isNumber(char) && !canKeep(token)) return fail(at, "a number that can be kept exactly")
        put(char === "\"" ? stringOf(token) : literalOf(token))
        expect = "separator"
      }
      at = end
      mayClose = false
    }
  }
}

const isNumber = (char: string | undefined): boolean => char !== undefined && /[-\d]/.test(char)
