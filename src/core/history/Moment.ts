/**
 * Moments as agents write them: ISO 8601 with any offset, or milliseconds or
 * seconds since 1970.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type * as Schema from "effect/Schema"
import * as Timestamp from "../Timestamp.ts"
import * as Version1Time from "../Version1Time.ts"

const latest = Timestamp.toMillis(Timestamp.Timestamp.make("9999-12-31T23:59:59.999Z"))

/** Seconds up to the year 5138; the same number of milliseconds is the spring of 1973. */
const mostSeconds = 100_000_000_000

const fromNumber = (value: number): Timestamp.Timestamp | undefined => {
  const millis = Math.round(value < mostSeconds ? value * 1000 : value)
  return millis >= 0 && millis <= latest ? Timestamp.fromMillis(millis) : undefined
}

/**
 * Reads a moment; `undefined` for what is none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (value: Schema.Json | undefined): Timestamp.Timestamp | undefined => {
  if (typeof value === "number") return fromNumber(value)
  if (typeof value !== "string" || value.length > 64) return undefined
  return Version1Time.parse(value).pipe(
    // Without an offset it is taken as UTC: whose clock it was nobody knows.
    Option.orElse(() => Version1Time.parse(`${value}Z`)),
    Option.map(({ timestamp }) => timestamp),
    Option.getOrUndefined
  )
}
