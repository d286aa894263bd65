/**
 * JSON text and JSON values at the border of the library: parsing with the
 * offset of the first mistake, and copying a caller's value into plain data
 * that survives a round trip unchanged.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"

/**
 * A JSON object whose members are JSON.
 *
 * @category models
 * @since 0.1.0
 */
export type JsonObject = { readonly [key: string]: Schema.Json }

/**
 * Why a value can't be stored as JSON: where, and what was expected there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Mistake {
  readonly path: ReadonlyArray<string | number>
  readonly expected: string
}

/**
 * Parses JSON text. Fails with the offset, in UTF-16 units, of the first
 * character that can't stand where it stands.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: string): Result.Result<Schema.Json, number> =>
  Result.try({
    try: (): Schema.Json => parseTrusted(text),
    catch: () => syntaxErrorOffset(text)
  })

/** The platform says `any`; what it returns is JSON by definition. */
const parseTrusted: (text: string) => Schema.Json = JSON.parse

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

const syntaxErrorOffset = (text: string): number => {
  const open: Array<"{" | "["> = []
  let expect: "value" | "key" | "colon" | "separator" = "value"
  let mayClose = false
  let at = 0
  while (true) {
    at = matchAt(whiteSpace, text, at)
    const char = text[at]
    const inside = open.at(-1)
    if (expect === "separator" && inside === undefined) return at
    if ((char === "}" && inside === "{" || char === "]" && inside === "[") && (mayClose || expect === "separator")) {
      open.pop()
      at++
      expect = "separator"
      mayClose = false
    } else if (expect === "separator") {
      if (char !== ",") return at
      at++
      expect = inside === "{" ? "key" : "value"
    } else if (expect === "colon") {
      if (char !== ":") return at
      at++
      expect = "value"
    } else if (expect === "value" && (char === "{" || char === "[")) {
      open.push(char)
      at++
      expect = char === "{" ? "key" : "value"
      mayClose = true
    } else {
      const end = expect === "key" || char === "\"" ? stringEnd(text, at) : literalEnd(text, at)
      if (end < 0) return -end - 1
      at = end
      expect = expect === "key" ? "colon" : "separator"
      mayClose = false
    }
  }
}

/**
 * Whether arrays and objects nest deeper than `limit` levels. The walk itself
 * never goes deeper than that.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isDeeperThan = (value: Schema.Json, limit: number): boolean => {
  if (typeof value !== "object" || value === null) return false
  if (limit === 0) return true
  return Object.values<Schema.Json>(value).some((member) => isDeeperThan(member, limit - 1))
}

/**
 * Whether every text in the value, keys included, is well-formed Unicode. Takes
 * any depth: it is asked of values that nobody has verified.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWellFormed = (value: Schema.Json): boolean => {
  const left: Array<Schema.Json> = [value]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (typeof next === "string" && !next.isWellFormed()) return false
    if (typeof next !== "object" || next === null) continue
    for (const [key, member] of Object.entries<Schema.Json>(next)) {
      if (!key.isWellFormed()) return false
      left.push(member)
    }
  }
  return true
}

/**
 * Copies a caller's value into plain JSON data that no later change of the
 * original can reach.
 *
 * **Details**
 *
 * Members that are `undefined` are left out, as JSON does, and `-0` becomes
 * `0`. Everything that would come back different is refused: numbers that are
 * not finite, lone surrogates, functions, dates and other class instances,
 * arrays with holes, nesting over `maxDepth` levels (which also catches
 * cycles).
 *
 * @category constructors
 * @since 0.1.0
 */
export const copy = (input: unknown, maxDepth: number): Result.Result<Schema.Json, Mistake> => {
  const path: Array<string | number> = []
  const refuse = (expected: string) => Result.fail<Mistake>({ path: [...path], expected })

  const go = (value: unknown, depth: number): Result.Result<Schema.Json, Mistake> => {
    if (Predicate.isString(value)) {
      return value.isWellFormed() ? Result.succeed(value) : refuse("text without lone surrogates")
    }
    if (Predicate.isNumber(value)) {
      return Number.isFinite(value) ? Result.succeed(value === 0 ? 0 : value) : refuse("a finite number")
    }
    if (value === null || Predicate.isBoolean(value)) return Result.succeed(value)
    if (depth === 0) return refuse(`at most ${maxDepth} levels of nesting`)
    if (Array.isArray(value)) return copyArray(value, depth)
    if (isPlainObject(value)) return copyObject(value, depth)
    return refuse("a JSON value")
  }

  const copyArray = (value: ReadonlyArray<unknown>, depth: number): Result.Result<Schema.Json, Mistake> => {
    const out: Array<Schema.Json> = []
    for (let index = 0; index < value.length; index++) {
      path.push(index)
      const member = go(value[index], depth - 1)
      if (Result.isFailure(member)) return member
      path.pop()
      out.push(member.success)
    }
    return Result.succeed(out)
  }

  const copyObject = (value: object, depth: number): Result.Result<Schema.Json, Mistake> => {
    const out: Array<readonly [string, Schema.Json]> = []
    for (const [key, child] of Object.entries(value)) {
      if (child === undefined) continue
      path.push(key)
      if (!key.isWellFormed()) return refuse("a key without lone surrogates")
      const member = go(child, depth - 1)
      if (Result.isFailure(member)) return member
      path.pop()
      out.push([key, member.success])
    }
    return Result.succeed(Object.fromEntries(out))
  }

  return go(input, maxDepth)
}

const isPlainObject = (value: unknown): value is object => {
  if (!Predicate.isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || Object.getPrototypeOf(prototype) === null
}

/**
 * Names a place in a JSON value, for messages: `conversation[3].role`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const formatPath = (path: ReadonlyArray<PropertyKey>): string =>
  path.reduce<string>(
    (text, step) =>
      typeof step === "number" ? `${text}[${step}]` : text === "" ? String(step) : `${text}.${String(step)}`,
    ""
  )
