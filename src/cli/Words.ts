/**
 * Values in words: moments, sizes, ages and counts.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"

const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

const two = (value: number): string => String(value).padStart(2, "0")

/** A day of the local calendar: `2026-11-22`. */
const date = (millis: number): string => {
  const local = new Date(millis)
  return `${local.getFullYear()}-${two(local.getMonth() + 1)}-${two(local.getDate())}`
}

/**
 * A moment of the local calendar: `2026-11-22 14:05:09`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const dateTime = (millis: number): string => {
  const local = new Date(millis)
  return `${date(millis)} ${two(local.getHours())}:${two(local.getMinutes())}:${two(local.getSeconds())}`
}

/**
 * How long ago something was: `just now`, `2 min ago`, `3 hours ago`,
 * `yesterday`, `6 days ago`, and from a month on the date. A moment to come, as
 * a clock that was set back leaves it, is a date, too.
 *
 * @category formatting
 * @since 0.1.0
 */
export const ago = (millis: number, now: number): string => {
  const age = now - millis
  if (age < -minute) return dateTime(millis)
  if (age < minute) return "just now"
  if (age < hour) return `${Math.floor(age / minute)} min ago`
  if (age < day) return `${count(Math.floor(age / hour), "hour")} ago`
  if (age < 2 * day) return "yesterday"
  if (age < 30 * day) return `${Math.floor(age / day)} days ago`
  return date(millis)
}

/**
 * A size: `812 B`, `1.2 KiB`, `5.0 MiB`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const size = (bytes: number): string => {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"]
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit] ?? ""}`
}

/**
 * A number of things: `1 session`, `2 sessions`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const count = (number: number, one: string, many = `${one}s`): string => `${number} ${number === 1 ? one : many}`

/**
 * A time that passes: `0.4 s`, `12 s`, `3 min`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const span = (millis: number): string =>
  millis < 10_000
    ? `${(millis / 1000).toFixed(1)} s`
    : millis < 2 * minute
    ? `${Math.round(millis / 1000)} s`
    : `${Math.round(millis / minute)} min`

const units: Record<string, Duration.Duration> = {
  d: Duration.days(1),
  h: Duration.hours(1),
  m: Duration.minutes(1),
  w: Duration.weeks(1)
}

/**
 * Reads an age: `30d`, `2w`, `48h`. `undefined` where it is none.
 *
 * @category parsing
 * @since 0.1.0
 */
export const age = (text: string): Duration.Duration | undefined => {
  const [, number = "", unit = ""] = /^(\d{1,5})\s?(d|h|m|w)(?:ays?|ours?|in|eeks?)?$/.exec(text.trim()) ?? []
  const one = units[unit]
  return one === undefined ? undefined : Duration.times(one, Number(number))
}
