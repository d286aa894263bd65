/**
 * The text that somebody types at a prompt: pure, a key at a time.
 *
 * @since 0.1.0
 */
import type { Key } from "./Key.ts"

/**
 * A text, and where the cursor stands in it (an index into the text, between
 * graphemes). `place` is the line of the history that it shows; the length of
 * the history while it shows none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Editor {
  readonly text: string
  readonly cursor: number
  readonly history: ReadonlyArray<string>
  readonly place: number
  /** What was typed before the history was looked at. */
  readonly draft: string
  /** What was cut last, to be put back with Ctrl-Y. */
  readonly cut: string
  readonly isPasting: boolean
}

/**
 * An empty line, and what was typed before it, oldest first.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (history: ReadonlyArray<string> = []): Editor => ({
  text: "",
  cursor: 0,
  history,
  place: history.length,
  draft: "",
  cut: "",
  isPasting: false
})

/**
 * The same editor with another text, and the cursor at its end.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withText = (self: Editor, text: string): Editor => ({ ...self, text, cursor: text.length })

/**
 * An empty line again. What was typed is remembered, unless it is what was
 * remembered last.
 *
 * @category combinators
 * @since 0.1.0
 */
export const remember = (self: Editor, typed: string): Editor => {
  const history = typed === "" || self.history.at(-1) === typed ? self.history : [...self.history, typed]
  return { ...make(history), cut: self.cut }
}

const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" })

const before = (text: string, index: number): number => {
  const found = index > 0 ? graphemes.segment(text).containing(index - 1) : undefined
  return found?.index ?? 0
}

const after = (text: string, index: number): number => {
  const found = graphemes.segment(text).containing(index)
  return found === undefined ? text.length : found.index + found.segment.length
}

const lineStart = (text: string, index: number): number => text.lastIndexOf("\n", index - 1) + 1

const lineEnd = (text: string, index: number): number => {
  const end = text.indexOf("\n", index)
  return end < 0 ? text.length : end
}

const wordBefore = (text: string, index: number): number => text.slice(0, index).replace(/\S+\s*$/u, "").length

const wordAfter = (text: string, index: number): number => index + (/^\s*\S*/u.exec(text.slice(index))?.[0].length ?? 0)

const insert = (self: Editor, piece: string): Editor => ({
  ...self,
  text: self.text.slice(0, self.cursor) + piece + self.text.slice(self.cursor),
  cursor: self.cursor + piece.length
})

const move = (self: Editor, cursor: number): Editor => cursor === self.cursor ? self : { ...self, cursor }

const remove = (self: Editor, from: number, to: number): Editor =>
  from === to ? self : { ...self, text: self.text.slice(0, from) + self.text.slice(to), cursor: from }

const cut = (self: Editor, from: number, to: number): Editor =>
  from === to ? self : { ...remove(self, from, to), cut: self.text.slice(from, to) }

/** Another line of the history; what was typed is its last. */
const recall = (self: Editor, place: number): Editor => {
  if (place < 0 || place > self.history.length || place === self.place) return self
  const draft = self.place === self.history.length ? self.text : self.draft
  return { ...withText(self, self.history[place] ?? draft), place, draft }
}

const up = (self: Editor): Editor => {
  const start = lineStart(self.text, self.cursor)
  if (start === 0) return recall(self, self.place - 1)
  const previous = lineStart(self.text, start - 1)
  return move(self, Math.min(previous + self.cursor - start, start - 1))
}

const down = (self: Editor): Editor => {
  const end = lineEnd(self.text, self.cursor)
  if (end === self.text.length) return recall(self, self.place + 1)
  const column = self.cursor - lineStart(self.text, self.cursor)
  return move(self, Math.min(end + 1 + column, lineEnd(self.text, end + 1)))
}

/**
 * What a key makes of it. The very same editor where it does nothing here.
 *
 * **Details**
 *
 * As in every shell: Ctrl-A and Ctrl-E (start and end of the line), Ctrl-B and
 * Ctrl-F, Alt-B and Alt-F (words), Ctrl-U, Ctrl-K and Ctrl-W (cut), Ctrl-Y (put
 * back), Ctrl-P and Ctrl-N or the arrows (history), Ctrl-J or Alt-Enter (a new
 * line). What is pasted keeps its lines.
 *
 * @category reducing
 * @since 0.1.0
 */
export const press = (self: Editor, key: Key): Editor => {
  const { cursor, text } = self
  if (key._tag === "Text") return insert(self, key.text)
  switch (key.name) {
    case "paste-start":
      return { ...self, isPasting: true }
    case "paste-end":
      return { ...self, isPasting: false }
    case "return":
      return self.isPasting ? insert(self, "\n") : self
    case "enter":
    case "meta-return":
    case "meta-enter":
      return insert(self, "\n")
    case "tab":
      return self.isPasting ? insert(self, "\t") : self
    case "left":
    case "ctrl-b":
      return move(self, before(text, cursor))
    case "right":
    case "ctrl-f":
      return move(self, after(text, cursor))
    case "home":
    case "ctrl-a":
      return move(self, lineStart(text, cursor))
    case "end":
    case "ctrl-e":
      return move(self, lineEnd(text, cursor))
    case "meta-b":
    case "meta-left":
    case "ctrl-left":
      return move(self, wordBefore(text, cursor))
    case "meta-f":
    case "meta-right":
    case "ctrl-right":
      return move(self, wordAfter(text, cursor))
    case "backspace":
    case "ctrl-h":
      return remove(self, before(text, cursor), cursor)
    case "delete":
    case "ctrl-d":
      return remove(self, cursor, after(text, cursor))
    case "ctrl-u":
      return cut(self, lineStart(text, cursor), cursor)
    case "ctrl-k":
      return cut(self, cursor, lineEnd(text, cursor))
    case "ctrl-w":
    case "meta-backspace":
      return cut(self, wordBefore(text, cursor), cursor)
    case "meta-d":
      return cut(self, cursor, wordAfter(text, cursor))
    case "ctrl-y":
      return self.cut === "" ? self : insert(self, self.cut)
    case "up":
      return up(self)
    case "down":
      return down(self)
    case "ctrl-p":
      return recall(self, self.place - 1)
    case "ctrl-n":
      return recall(self, self.place + 1)
    default:
      return self
  }
}
