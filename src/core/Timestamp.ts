/**
 * Moments as they are stored: ISO 8601 text in UTC with milliseconds. Kept as
 * text inside stored types, since decoding a date for each message costs as
 * much as the rest of a load; `DateTime` appears at the edge.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Schema from "effect/Schema"
import * as SchemaJITCompiler from "effect/schema/SchemaJITCompiler"

const day =
  "(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2\\d))"
const pattern = new RegExp(`^\\d{4}-${day}T(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d\\.\\d{3}Z$`)

const isLeapYear = (year: number): boolean => year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)

/**
 * `YYYY-MM-DDTHH:MM:SS.mmmZ`, a day that exists.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Timestamp = Schema.String.check(
  Schema.isPattern(pattern, { expected: "a UTC timestamp such as 2026-01-31T09:30:00.000Z" }),
  Schema.makeFilter((text: string) => !text.startsWith("02-29", 5) || isLeapYear(Number(text.slice(0, 4))), {
    expected: "a day that exists"
  })
).pipe(Schema.brand("Timestamp"))

/**
 * `YYYY-MM-DDTHH:MM:SS.mmmZ`, a day that exists.
 *
 * @category models
 * @since 0.1.0
 */
export type Timestamp = typeof Timestamp.Type

SchemaJITCompiler.enable(Timestamp.ast)
const isTimestamp = Schema.is(Timestamp)

/**
 * @category constructors
 * @since 0.1.0
 */
export const fromDateTime = (moment: DateTime.DateTime): Timestamp => {
  const text = DateTime.formatIso(moment)
  return isTimestamp(text) ? text : Timestamp.make(text)
}

/** Many things happen in one millisecond. */
let last: { readonly millis: number; readonly timestamp: Timestamp } | undefined

/**
 * From milliseconds since 1970.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromMillis = (millis: number): Timestamp => {
  if (last?.millis !== millis) last = { millis, timestamp: fromDateTime(DateTime.makeUnsafe(millis)) }
  return last.timestamp
}

/**
 * @category conversions
 * @since 0.1.0
 */
export const toDateTime = (timestamp: Timestamp): DateTime.Utc => DateTime.makeUnsafe(timestamp)

/**
 * Milliseconds since 1970.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toMillis = (timestamp: Timestamp): number => DateTime.toEpochMillis(toDateTime(timestamp))
