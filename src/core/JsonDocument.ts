/**
 * From bytes to a JSON object, strictly: what can't be kept as it is is refused.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { JsonObject } from "./Json.ts"
import * as Json from "./Json.ts"
import type { Fault } from "./JsonReader.ts"
import { NotUtf8, Shape, Syntax } from "./SessionError.ts"
import * as Text from "./Text.ts"

/**
 * Why bytes are no document.
 *
 * @category errors
 * @since 0.1.0
 */
export type Reason = NotUtf8 | Syntax | Shape

/** What a fault of the text means. */
const reasonOf = ({ expected, offset }: Fault, maxDepth?: number): Syntax | Shape => {
  switch (expected) {
    case "JSON":
      return new Syntax({ offset })
    case "fewer levels":
      return new Shape({ path: "", expected: `at most ${maxDepth} levels deep` })
    case "no lone surrogates":
      return new Shape({ path: "", expected: "free of lone surrogates" })
    default:
      return new Shape({ path: `what stands at offset ${offset}`, expected })
  }
}

const read = (
  bytes: Uint8Array,
  parse: (text: string) => Result.Result<Schema.Json, Fault>,
  maxDepth?: number
): Result.Result<Schema.Json, Reason> =>
  Result.flatMap(
    Result.fromOption(Text.fromBytes(bytes), () => new NotUtf8({})),
    (text) => Result.mapError(parse(text), (fault) => reasonOf(fault, maxDepth))
  )

const objectOf = (json: Schema.Json): Result.Result<JsonObject, Reason> =>
  Result.fromOption(Option.liftPredicate(json, isObject), () => new Shape({ path: "", expected: "an object" }))

/**
 * Whether a JSON value is an object.
 *
 * @category guards
 * @since 0.1.0
 */
export const isObject = (json: Schema.Json): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json)

/**
 * Reads a document that this library wrote, of at most `maxDepth` levels of
 * arrays and objects.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (bytes: Uint8Array, maxDepth?: number): Result.Result<JsonObject, Reason> =>
  Result.flatMap(parseValue(bytes, maxDepth), objectOf)

/**
 * Reads any JSON that this library wrote, of at most `maxDepth` levels.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseValue = (bytes: Uint8Array, maxDepth?: number): Result.Result<Schema.Json, Reason> =>
  read(bytes, (text) => Json.parse(text, maxDepth === undefined ? {} : { maxDepth }), maxDepth)

/**
 * Reads a document that others may have written: refuses keys that come twice
 * as well.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseForeign = (bytes: Uint8Array): Result.Result<JsonObject, Reason> =>
  Result.flatMap(read(bytes, Json.parseForeign), objectOf)
