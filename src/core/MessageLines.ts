/**
 * The messages of a snapshot as the lines that they were written in: found
 * without parsing, so that a publisher writes them again as they are, and a
 * reader parses a piece of them at a time, or the last of them alone.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Text from "./Text.ts"

/**
 * A snapshot around its messages.
 *
 * @category models
 * @since 0.1.0
 */
export interface Framed {
  /** The snapshot with an empty conversation. */
  readonly rest: Uint8Array
  /** The messages, each on a line, with `,` and a newline between them. */
  readonly messages: Uint8Array
}

const [newline, comma, openBrace, closeBrace, closeBracket] = [0x0a, 0x2c, 0x7b, 0x7d, 0x5d]

/** Of the `,` and the newline between two messages. */
const separatorLength = 2

/**
 * Finds the messages where they stand between the first newline and the last
 * one. Whether it is so the parser tells: no text has a newline in it, so the
 * rest is JSON with an empty conversation, or they are somewhere else.
 *
 * @category decoding
 * @since 0.1.0
 */
export const find = (bytes: Uint8Array): Option.Option<Framed> => {
  const start = bytes.indexOf(newline) + 1
  const before = bytes.subarray(0, start)
  if (!Text.loosely(before).endsWith(",\"conversation\":[\n")) return Option.none()
  const end = bytes.lastIndexOf(newline)
  if (bytes[end + 1] !== closeBracket) return Option.none()
  return Option.some({ rest: Text.concat([before, bytes.subarray(end + 1)]), messages: bytes.subarray(start, end) })
}

/**
 * Where a line ends at or after an index: at its `,`, or at the end of all. None
 * where there is a newline that is not between two messages.
 */
const endOfLine = (messages: Uint8Array, from: number): Option.Option<number> => {
  let index = from
  while (index < messages.length && messages[index] !== newline) index++
  return index === messages.length ? Option.some(index) : isBetween(messages, index)
    ? Option.some(index - 1)
    : Option.none()
}

const isBetween = (messages: Uint8Array, index: number): boolean =>
  messages[index - 1] === comma && messages[index - 2] === closeBrace && messages[index + 1] === openBrace

/**
 * Whole messages in pieces of `Text.pieceBytes` or a little more. None where they are not
 * written a line each.
 *
 * @category decoding
 * @since 0.1.0
 */
export const pieces = (messages: Uint8Array): Option.Option<ReadonlyArray<Uint8Array>> => {
  const bytes = Text.pieceBytes(messages.length)
  const found: Array<Uint8Array> = []
  for (let from = 0; from < messages.length;) {
    const end = endOfLine(messages, Math.min(from + bytes, messages.length))
    if (Option.isNone(end)) return Option.none()
    found.push(messages.subarray(from, end.value))
    from = end.value + separatorLength
  }
  return Option.some(found)
}

/**
 * The last so many messages, and those before them. None where they are not
 * written a line each.
 *
 * @category decoding
 * @since 0.1.0
 */
export const last = (
  messages: Uint8Array,
  count: number
): Option.Option<{ readonly earlier: Uint8Array; readonly last: Uint8Array }> => {
  const none = messages.subarray(messages.length)
  if (count === 0) return Option.some({ earlier: messages, last: none })
  for (let index = messages.length - 1, left = count; index >= 0; index--) {
    if (messages[index] !== newline) continue
    if (!isBetween(messages, index)) return Option.none()
    left--
    if (left > 0) continue
    return Option.some({ earlier: messages.subarray(0, index - 1), last: messages.subarray(index + 1) })
  }
  return Option.some({ earlier: none, last: messages })
}
