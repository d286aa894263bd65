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
  /** Whether a string has a `\u`, by which alone lone surrogates come in. */
  readonly hasUnicodeEscape: boolean
  /** The levels of arrays and objects: 0 for anything else. */
  readonly depth: number
}

const code = (char: string): number => char.charCodeAt(0)

const quote = code("\"")
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

/**
 * Looks through JSON text that a parser has accepted. What is inside strings is
 * left to the platform's search, which is faster than a look at each character.
 *
 * @category decoding
 * @since 0.1.0
 */
export const inspect = (text: string): Facts => {
  let isExact = true
  let hasEscapedKey = false
  let hasUnicodeEscape = false
  let depth = 0
  let deepest = 0
  let nextBackslash = find(text, "\\", 0)

  for (let index = 0; index < text.length; index++) {
    const char = text.charCodeAt(index)
    if (char === quote) {
      let end = find(text, "\"", index + 1)
      const isEscaped = nextBackslash < end
      while (nextBackslash < end) {
        if (text.charCodeAt(nextBackslash + 1) === lowerU) hasUnicodeEscape = true
        if (nextBackslash + 1 === end) end = find(text, "\"", end + 1)
        nextBackslash = find(text, "\\", nextBackslash + 2)
      }
      if (isEscaped && isKey(text, end)) hasEscapedKey = true
      index = end
    } else if (char === openBrace || char === openBracket) {
      depth++
      if (depth > deepest) deepest = depth
    } else if (char === closeBrace || char === closeBracket) {
      depth--
    } else if (isDigit(char) || char === minus) {
      const start = index
      let hasExponent = false
      for (index++; index < text.length; index++) {
        const next = text.charCodeAt(index)
        if (next === lowerE || next === upperE) hasExponent = true
        else if (!isDigit(next) && next !== point && next !== minus && next !== plus) break
      }
      if (hasExponent || index - start > maxExactLength) isExact &&= JsonNumber.isExact(text.slice(start, index))
      index--
    }
  }
  return { isExact, hasEscapedKey, hasUnicodeEscape, depth: deepest }
}

/** Where a character comes next; the end where it does not. */
const find = (text: string, char: string, from: number): number => {
  const index = text.indexOf(char, from)
  return index < 0 ? text.length : index
}

/** Whether the string that ends here is a key: a colon follows, as it does for no value. */
const isKey = (text: string, end: number): boolean => {
  let index = end + 1
  while (text.charCodeAt(index) <= space) index++
  return text.charCodeAt(index) === colon
}
