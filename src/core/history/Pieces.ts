/**
 * Takes a JSON document apart while it arrives: elements of its lists one by
 * one, and what else it says as one small object. A document of any size is read
 * in the memory of its largest element.
 *
 * **Details**
 *
 * It finds where values begin and end, no more: whether they are JSON is for
 * whoever reads them.
 *
 * @since 0.1.0
 */

/**
 * A value of a document: an element of a list, or a member that is no list. The
 * list, or the member, is named; a document that is a list has no name for it.
 *
 * @category models
 * @since 0.1.0
 */
export type Piece =
  | { readonly _tag: "Element"; readonly list: string; readonly text: string }
  | { readonly _tag: "Member"; readonly name: string; readonly text: string }
  | { readonly _tag: "TooLong"; readonly name: string }

/**
 * @category models
 * @since 0.1.0
 */
export interface Splitter {
  /** Takes the next part of the text. */
  readonly push: (text: string) => void
  /** Whether one document has ended, and nothing came after it. */
  readonly isWhole: () => boolean
}

const quote = 0x22
const backslash = 0x5c

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  /** Members whose lists are taken apart; any other is a member like others. */
  readonly lists: ReadonlySet<string>
  /** UTF-16 units of a value from which on it is left out. */
  readonly maxLength: number
  readonly emit: (piece: Piece) => void
}): Splitter => {
  /** What is open around the present place: at most the document and one of its lists. */
  let outer: "none" | "object" | "list" | "done" = "none"
  let list: string | undefined
  let name = ""
  let isValue = false
  /** Of the value at hand. */
  let depth = 0
  let inString = false
  let isEscaped = false
  let text = ""
  let length = 0

  const take = (piece: string) => {
    length += piece.length
    if (length <= options.maxLength) text += piece
    else text = ""
  }

  const end = () => {
    const value = text.trim()
    const isTooLong = length > options.maxLength
    text = ""
    length = 0
    if (!isTooLong && value === "") return
    if (isTooLong) options.emit({ _tag: "TooLong", name: list ?? name })
    else if (list !== undefined) options.emit({ _tag: "Element", list, text: value })
    else options.emit({ _tag: "Member", name, text: value })
  }

  /** A character outside of strings, and outside of the values that are taken whole. */
  const structure = (char: string): boolean => {
    if (outer === "none") {
      if (char === "{") outer = "object"
      else if (char === "[") {
        outer = "list"
        list = ""
        isValue = true
      } else return false
      return true
    }
    if (!isValue) {
      if (char === ":") {
        name = nameOf(text)
        text = ""
        length = 0
        isValue = true
        return true
      }
      if (char === "}") outer = "done"
      return char === "}" || char === ","
    }
    if (list === undefined && char === "[" && options.lists.has(name) && text.trim() === "") {
      list = name
      text = ""
      length = 0
      return true
    }
    if (char === ",") {
      end()
      if (list === undefined) isValue = false
      return true
    }
    if (char === "]" && list !== undefined) {
      end()
      if (outer === "list") outer = "done"
      else {
        list = undefined
        name = ""
      }
      return true
    }
    if (char === "}" && list === undefined) {
      end()
      outer = "done"
      return true
    }
    return false
  }

  const push = (chunk: string) => {
    let from = 0
    for (let at = 0; at < chunk.length; at++) {
      const code = chunk.charCodeAt(at)
      if (inString) {
        if (isEscaped) isEscaped = false
        else if (code === backslash) isEscaped = true
        else if (code === quote) inString = false
        continue
      }
      if (code === quote) {
        inString = true
        continue
      }
      // Letters, digits and white space stand in values only.
      if (code !== 0x2c && code !== 0x3a && code !== 0x5b && code !== 0x5d && code !== 0x7b && code !== 0x7d) continue
      const char = chunk.charAt(at)
      if (depth === 0) {
        take(chunk.slice(from, at))
        from = at
        if (outer === "done") continue
        if (structure(char)) {
          from = at + 1
          continue
        }
      }
      if (char === "{" || char === "[") depth++
      else if ((char === "}" || char === "]") && depth > 0) depth--
    }
    take(chunk.slice(from))
  }

  return { push, isWhole: () => outer === "done" && text.trim() === "" }
}

/** Keys of more than that are no names that anybody knows. */
const maxName = 128

const nameOf = (literal: string): string => literal.trim().slice(1, -1).slice(0, maxName)
