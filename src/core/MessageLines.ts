/**
 * The messages of a snapshot as the lines that they were written in: found
 * without parsing, so that a publisher writes them again as they are, and a
 * reader parses the last of them alone.
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
export interface MessageLines {
  /** Up to the first message. */
  readonly before: Uint8Array
  /** The UTF-8 of each message. */
  readonly lines: ReadonlyArray<Uint8Array>
  /** From the newline after the last message on. */
  readonly after: Uint8Array
}

const newline = 0x0a
const [comma, openBrace, closeBrace, closeBracket] = [0x2c, 0x7b, 0x7d, 0x5d]
const separator = Text.toBytes(",\n")

/**
 * Finds the lines; none where the messages are not written a line each.
 *
 * @category decoding
 * @since 0.1.0
 */
export const find = (bytes: Uint8Array): Option.Option<MessageLines> => {
  const start = bytes.indexOf(newline) + 1
  const before = bytes.subarray(0, start)
  if (!Text.loosely(before).endsWith(",\"conversation\":[\n")) return Option.none()
  if (bytes[start] === newline) return Option.some({ before, lines: [], after: bytes.subarray(start) })
  const lines: Array<Uint8Array> = []
  for (let from = start;;) {
    const end = bytes.indexOf(newline, from)
    if (end < 0) return Option.none()
    const isLast = bytes[end + 1] === closeBracket
    const to = isLast ? end : end - 1
    if (bytes[from] !== openBrace || bytes[to - 1] !== closeBrace) return Option.none()
    // The same as `subarray`, in half the time.
    lines.push(new Uint8Array(bytes.buffer, bytes.byteOffset + from, to - from))
    if (isLast) return Option.some({ before, lines, after: bytes.subarray(end) })
    if (bytes[end - 1] !== comma) return Option.none()
    from = end + 1
  }
}

/**
 * Writes a snapshot with these messages instead.
 *
 * @category encoding
 * @since 0.1.0
 */
export const around = (
  { after, before }: MessageLines,
  lines: ReadonlyArray<Uint8Array>
): Uint8Array =>
  Text.concat([before, ...lines.flatMap((line, index) => index === 0 ? [line] : [separator, line]), after])
