/**
 * Members of records that others wrote: each is there and of the expected type,
 * or it is not there. Names that objects inherit are no members.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import type { JsonObject } from "../Json.ts"
import * as JsonDocument from "../JsonDocument.ts"

/**
 * A member of any type.
 *
 * @category getters
 * @since 0.1.0
 */
export const member = (record: JsonObject, key: string): Schema.Json | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined

/**
 * @category getters
 * @since 0.1.0
 */
export const text = (record: JsonObject, key: string): string | undefined => {
  const value = member(record, key)
  return typeof value === "string" ? value : undefined
}

/**
 * A text that says something.
 *
 * @category getters
 * @since 0.1.0
 */
export const words = (record: JsonObject, key: string): string | undefined => {
  const value = text(record, key)
  return value === undefined || value.trim() === "" ? undefined : value
}

/**
 * @category getters
 * @since 0.1.0
 */
export const number = (record: JsonObject, key: string): number | undefined => {
  const value = member(record, key)
  return typeof value === "number" ? value : undefined
}

/**
 * Whether a member is `true`.
 *
 * @category getters
 * @since 0.1.0
 */
export const isOn = (record: JsonObject, key: string): boolean => member(record, key) === true

/**
 * A member that is an object; an empty one where there is none.
 *
 * @category getters
 * @since 0.1.0
 */
export const object = (record: JsonObject, key: string): JsonObject => asObject(member(record, key))

/**
 * A value as an object; an empty one where it is none.
 *
 * @category conversions
 * @since 0.1.0
 */
export const asObject = (value: Schema.Json | undefined): JsonObject =>
  value !== undefined && JsonDocument.isObject(value) ? value : {}

/**
 * A member that is a list; an empty one where there is none.
 *
 * @category getters
 * @since 0.1.0
 */
export const list = (record: JsonObject, key: string): ReadonlyArray<Schema.Json> => asList(member(record, key))

/**
 * A value as a list; an empty one where it is none.
 *
 * @category conversions
 * @since 0.1.0
 */
export const asList = (value: Schema.Json | undefined): ReadonlyArray<Schema.Json> => isList(value) ? value : []

/**
 * @category guards
 * @since 0.1.0
 */
export const isList = (value: Schema.Json | undefined): value is ReadonlyArray<Schema.Json> => Array.isArray(value)

/**
 * The objects in a list.
 *
 * @category getters
 * @since 0.1.0
 */
export const objects = (record: JsonObject, key: string): ReadonlyArray<JsonObject> =>
  list(record, key).filter((value) => JsonDocument.isObject(value))

/**
 * An object of what is known.
 *
 * @category constructors
 * @since 0.1.0
 */
export const known = (members: { readonly [key: string]: Schema.Json | undefined }): JsonObject => {
  const found: Array<readonly [string, Schema.Json]> = []
  for (const [key, value] of Object.entries(members)) if (value !== undefined) found.push([key, value])
  return Object.fromEntries(found)
}

/**
 * Some members of a record, under their own names.
 *
 * @category getters
 * @since 0.1.0
 */
export const pick = (record: JsonObject, ...keys: ReadonlyArray<string>): JsonObject =>
  known(Object.fromEntries(keys.map((key) => [key, member(record, key)])))
