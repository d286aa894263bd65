/**
 * UTF-8 in both directions, strictly: a reader that replaces what it can't
 * read would make two different files look the same.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })

/**
 * @category encoding
 * @since 0.1.0
 */
export const toBytes = (text: string): Uint8Array => encoder.encode(text)

/**
 * The text of UTF-8 bytes; none for anything else, and for a byte order mark.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromBytes = (bytes: Uint8Array): Option.Option<string> =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf
    ? Option.none()
    : Result.getSuccess(Result.try(() => decoder.decode(bytes)))

/**
 * Joins pieces of bytes into one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const concat = (pieces: ReadonlyArray<Uint8Array>): Uint8Array => {
  const all = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0))
  let offset = 0
  for (const piece of pieces) {
    all.set(piece, offset)
    offset += piece.length
  }
  return all
}
