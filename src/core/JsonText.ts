/**
 * What JSON text shows and its parsed value does not: numbers that were
 * rounded, and how strings are written; and how deep it nests.
 *
 * @since 0.1.0
 */
import * as JsonNumber from "./JsonNumber.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Facts {
  /** Whether a double holds every number. */
  readonly isExact: boolean
  /** Whether a key is written with a backslash. */
  readonly hasEscapedKey: boolean
  /** Whether a string has a `\\u`, by which alone lone surrogates come in. */
  readonly hasUnicodeEscape: boolean
  /** The levels of arrays and objects: 0 for anything else. */
  readonly depth: number
}

const code = (char: string): number => char.charCodeAt(0)

const quote = code("\"")
const backslash = code("\\")
const colon = code(":")
const openBrace = code("{")
const closeBrace = code("}")
const openBracket = code("[")
const closeBracket = code("]")
const minus = code("-")
const plus = code("+")
const point = code(".")
const zero = code("0")
const nine = code("9")
const upperE = code("E")
const lowerE = code("e")
const lowerU = code("u")
const space = code(" ")

const isDigit = (char: number): boolean => char >= zero && char <= nine

/** Doubles hold every number of up to 15 characters without an exponent. */
const maxExactLength = 15

const latin1 = new TextDecoder("latin1")

/**
 * Looks through the UTF-8 of JSON text that a parser has accepted.
 *
 * @category decoding
 * @since 0.1.0
 */
export const inspect = (bytes: Uint8Array): Facts => {
  let isExact = true
  let hasEscapedKey = false
  let hasUnicodeEscape = false
  let depth = 0
  let deepest = 0
  const end = bytes.length

  for (let index = 0; index < end; index++) {
    const char = bytes[index] ?? 0
    if (char === quote) {
      let isEscaped = false
      for (index++; index < end; index++) {
        const inside = bytes[index]
        if (inside === quote) break
        if (inside !== backslash) continue
        isEscaped = true
        index++
        if (bytes[index] === lowerU) hasUnicodeEscape = true
      }
      if (isEscaped && isKey(bytes, index)) hasEscapedKey = true
    } else if (char === openBrace || char === openBracket) {
      depth++
      if (depth > deepest) deepest = depth
    } else if (char === closeBrace || char === closeBracket) {
      depth--
    } else if (isDigit(char) || char === minus) {
      const start = index
      let hasExponent = false
      for (index++; index < end; index++) {
        const next = bytes[index] ?? 0
        if (next === lowerE || next === upperE) hasExponent = true
        else if (!isDigit(next) && next !== point && next !== minus && next !== plus) break
      }
      if (hasExponent || index - start > maxExactLength) {
        isExact &&= JsonNumber.isExact(latin1.decode(bytes.subarray(start, index)))
      }
      index--
    }
  }
  return { isExact, hasEscapedKey, hasUnicodeEscape, depth: deepest }
}

/** Whether the string that ends here is a key: a colon follows, as it does for no value. */
const isKey = (bytes: Uint8Array, end: number): boolean => {
  let index = end + 1
  while ((bytes[index] ?? colon) <= space) index++
  return bytes[index] === colon
}
