/**
 * Places in a JSON value.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"

/**
 * Steps from a value to one inside of it.
 *
 * @category models
 * @since 0.1.0
 */
export type Place = ReadonlyArray<string | number>

/**
 * The value with another one in a place; as it was where it has no such place.
 * Members keep their order.
 *
 * @category combinators
 * @since 0.1.0
 */
export const replace = (value: Schema.Json, at: Place, by: Schema.Json): Schema.Json => {
  const [step, ...rest] = at
  if (step === undefined) return by
  if (isArray(value)) {
    return value.map((inner, index) => index === step ? replace(inner, rest, by) : inner)
  }
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(
    Object.entries<Schema.Json>(value).map(([key, inner]) => [key, key === step ? replace(inner, rest, by) : inner])
  )
}

/**
 * @category guards
 * @since 0.1.0
 */
export const isArray = (value: Schema.Json): value is ReadonlyArray<Schema.Json> => Array.isArray(value)
