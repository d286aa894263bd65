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
import * as JsonReader from "./JsonReader.ts"
import * as JsonText from "./JsonText.ts"

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
 * Parses JSON text. Fails where it is not JSON, has a number that a double can't
 * hold or a lone surrogate, or nests deeper than `maxDepth` levels.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (
  text: string,
  { maxDepth = Number.MAX_SAFE_INTEGER }: { readonly maxDepth?: number } = {}
): Result.Result<Schema.Json, JsonReader.Fault> => {
  const fail = (expected: JsonReader.Fault["expected"]) => Result.fail<JsonReader.Fault>({ offset: 0, expected })
  const parsed = Result.try(() => parseTrusted(text))
  if (Result.isFailure(parsed)) return JsonReader.read(text)
  const facts = JsonText.inspect(text)
  if (facts.depth > maxDepth) return fail("fewer levels")
  const value = facts.hasEscapedKey || !facts.isExact ? JsonReader.read(text) : Result.succeed(parsed.success)
  if (!facts.hasUnicodeEscape || Result.isFailure(value)) return value
  return isWellFormed(value.success) ? value : fail("no lone surrogates")
}

/**
 * Parses JSON text that others wrote. Fails where `parse` does, and where an
 * object has a key twice: two readers may disagree on which one counts.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseForeign = (text: string): Result.Result<Schema.Json, JsonReader.Fault> =>
  Result.filterOrFail(
    JsonReader.read(text, { uniqueKeys: true }),
    (value) => !text.includes("\\u") || isWellFormed(value),
    () => ({ offset: 0, expected: "no lone surrogates" as const })
  )

/**
 * The platform says `any`; what it returns is JSON by definition. V8 (Node 24)
 * takes an escaped key for another one that it has met: after `{"a\\":1}` it reads
 * `{"a\n":1}` as `{"a\\":1}`. So text with an escaped key is read again, slowly.
 */
const parseTrusted: (text: string) => Schema.Json = JSON.parse

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
 * cycles), more than `maxValues` values (shared ones count each time).
 *
 * @category constructors
 * @since 0.1.0
 */
export const copy = (
  input: unknown,
  maxDepth: number,
  maxValues: number = Number.MAX_SAFE_INTEGER
): Result.Result<Schema.Json, Mistake> => {
  const path: Array<string | number> = []
  const refuse = (expected: string) => Result.fail<Mistake>({ path: [...path], expected })

  let values = 0

  const go = (value: unknown, depth: number): Result.Result<Schema.Json, Mistake> => {
    if (++values > maxValues) return refuse(`at most ${maxValues} values`)
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
    const out: Record<string, Schema.Json> = {}
    for (const [key, child] of Object.entries(value)) {
      if (child === undefined) continue
      path.push(key)
      if (!key.isWellFormed()) return refuse("a key without lone surrogates")
      const member = go(child, depth - 1)
      if (Result.isFailure(member)) return member
      path.pop()
      // Assigned, it would be taken for the prototype.
      if (key === "__proto__") Object.defineProperty(out, key, { value: member.success, ...ownMember })
      else out[key] = member.success
    }
    return Result.succeed(out)
  }

  return go(input, maxDepth)
}

const ownMember = { configurable: true, enumerable: true, writable: true }

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
