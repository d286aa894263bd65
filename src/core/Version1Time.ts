/**
 * Moments as version 1 writes them: ISO 8601 with an offset and up to six
 * digits of a second.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Timestamp from "./Timestamp.ts"

/**
 * A moment of version 1: the same in the present form, what is finer than a
 * millisecond, and a text by which moments sort.
 *
 * @category models
 * @since 0.1.0
 */
export interface Moment {
  readonly timestamp: Timestamp.Timestamp
  readonly isCut: boolean
  readonly order: string
}

const form = /^\+?(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:[.,](\d+))?(?:Z|([+-])([01]\d|2[0-3])(?::?([0-5]\d))?)$/

const isTimestamp = Schema.is(Timestamp.Timestamp)

/**
 * Reads a moment; none for a text that is none, or of a year that the present
 * form does not have.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: string): Option.Option<Moment> => {
  const [, day, time, digits = "", sign, hours = "0", minutes = "0"] = form.exec(text) ?? []
  if (text.endsWith("-00:00")) return Option.none()
  const local = `${day}T${time}.${digits.padEnd(3, "0").slice(0, 3)}Z`
  if (!isTimestamp(local)) return Option.none()
  const offset = (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
  const millis = Timestamp.toMillis(local) - offset
  if (millis < earliest || millis > latest) return Option.none()
  const timestamp = Timestamp.fromMillis(millis)
  const finer = digits.slice(3, 6)
  return Option.some({ timestamp, isCut: /[1-9]/.test(finer), order: timestamp + finer.padEnd(3, "0") })
}

const earliest = Timestamp.toMillis(Timestamp.Timestamp.make("0000-01-01T00:00:00.000Z"))
const latest = Timestamp.toMillis(Timestamp.Timestamp.make("9999-12-31T23:59:59.999Z"))
