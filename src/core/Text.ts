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
 * Encodes a text into bytes that are there already, and tells how many it took.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeInto = (text: string, bytes: Uint8Array): number => encoder.encodeInto(text, bytes).written

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

const [small, large] = [32 * 1024, 1024 * 1024]

/**
 * Of how many bytes the pieces are in which a long text is read, by its length.
 *
 * **Details**
 *
 * Up to a megabyte and a half in small ones: what is read from one stays in the
 * processor's caches until it is checked. Of longer texts that is less than what it
 * costs to copy young objects: what V8 parses from more than 100 kB at once is
 * with the old ones from the start.
 *
 * @category constants
 * @since 0.1.0
 */
export const pieceBytes = (length: number): number => length > 1.5 * large ? large : small

const lenient = new TextDecoder()

/**
 * The text of bytes that may be anything, for looking for what is ASCII.
 *
 * @category decoding
 * @since 0.1.0
 */
export const loosely = (bytes: Uint8Array): string => lenient.decode(bytes)

/**
 * Where a piece of bytes begins in others; -1 where it is not in them.
 *
 * @category getters
 * @since 0.1.0
 */
export const indexOf = (bytes: Uint8Array, piece: Uint8Array): number => {
  const last = bytes.length - piece.length
  for (let index = 0; index <= last; index++) {
    let length = 0
    while (length < piece.length && bytes[index + length] === piece[length]) length++
    if (length === piece.length) return index
  }
  return -1
}

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
