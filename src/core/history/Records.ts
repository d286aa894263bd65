/**
 * From text to a record: what can be mended is, what can't is refused with the
 * reason, and nothing else of the history is touched by it.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { JsonObject } from "../Json.ts"
import * as Json from "../Json.ts"
import * as JsonDocument from "../JsonDocument.ts"
import * as JsonReader from "../JsonReader.ts"

/**
 * A record, and what had to be mended in it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Read {
  readonly record: JsonObject
  readonly changes: ReadonlyArray<string>
}

const rounded = "a number that a double can't hold: rounded"
const mended = "text that is not well-formed Unicode: mended"

/** The value with every text well formed. Not for values that nest without end. */
const wellFormed = (value: Schema.Json): Schema.Json => {
  if (typeof value === "string") return value.toWellFormed()
  if (typeof value !== "object" || value === null) return value
  if (!JsonDocument.isObject(value)) return value.map(wellFormed)
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key.toWellFormed(), wellFormed(member)]))
}

/**
 * Reads a record. It must not nest deeper than `maxDepth` levels.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: string, maxDepth: number): Result.Result<Read, string> =>
  Result.gen(function*() {
    const strict = Json.parse(text)
    const isCut = Result.isFailure(strict) && strict.failure.expected === "no lone surrogates"
    const exact = isCut ? JsonReader.read(text) : strict
    const value = yield* Result.mapError(
      Result.isSuccess(exact) ? exact : JsonReader.read(text, { roundsNumbers: true }),
      ({ expected }) => expected === "JSON" ? "not JSON" : "a number that is too large"
    )
    if (Json.isDeeperThan(value, maxDepth)) return yield* Result.fail(`nested deeper than ${maxDepth} levels`)
    if (!JsonDocument.isObject(value)) return yield* Result.fail("not an object")
    const isMended = /\\u[dD]/.test(text) && !Json.isWellFormed(value)
    const record = isMended ? wellFormed(value) : value
    if (!JsonDocument.isObject(record)) return yield* Result.fail("not an object")
    return { record, changes: [...(Result.isSuccess(exact) ? [] : [rounded]), ...(isMended ? [mended] : [])] }
  })
