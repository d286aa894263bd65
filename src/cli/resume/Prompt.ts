/**
 * The prompt of a running session: pure, an event at a time.
 *
 * @since 0.1.0
 */
import type * as Session from "../../core/Session.ts"
import type { SessionEnded } from "../../core/SessionError.ts"
import type * as Explain from "../Explain.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import type { Style } from "../Style.ts"
import type * as Transcript from "../Transcript.ts"
import { wrap } from "../Wrap.ts"
import * as Deed from "./Deed.ts"
import * as Editor from "./Editor.ts"
import * as Field from "./Field.ts"
import type { Frame } from "./Frame.ts"
import type { Key } from "./Key.ts"
import * as Line from "./Line.ts"
import type { Input, Room, Step } from "./Loop.ts"
import * as Told from "./Told.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Prompt {
  readonly style: Style
  /** The acknowledged state, as far as it was told. */
  readonly session: Session.SessionState
  readonly editor: Editor.Editor
  /** What was typed and is not acknowledged yet. */
  readonly waiting: ReadonlyArray<string>
  /** Whether the last key was Ctrl-C. */
  readonly isWarned: boolean
  /** Whether it leaves as soon as everything is done. */
  readonly isLeaving: boolean
}

/**
 * @category models
 * @since 0.1.0
 */
export type Event =
  /** Something was acknowledged. */
  | { readonly _tag: "Changed"; readonly session: Session.SessionState }
  | { readonly _tag: "Done"; readonly typed: string; readonly deed: Deed.Deed }
  | { readonly _tag: "Refused"; readonly typed: string; readonly explained: Explain.Explained }
  /** Somebody else wrote to the terminal: an agent, a log. */
  | { readonly _tag: "Said"; readonly lines: ReadonlyArray<string> }
  | { readonly _tag: "AgentEnded"; readonly failure: Pick<Explain.Explained, "next" | "what" | "why"> | undefined }
  | { readonly _tag: "Ended"; readonly error: SessionEnded }
  | { readonly _tag: "Left" }

/**
 * @category models
 * @since 0.1.0
 */
export type Action =
  | {
    readonly _tag: "Do"
    readonly typed: string
    readonly deed: Deed.Deed
    /** The list as it was shown. */
    readonly todos: ReadonlyArray<Session.Todo>
  }
  /** To be answered with `Left`, once everything before it is done. */
  | { readonly _tag: "Leave" }

/**
 * How it ended: in order, without waiting for what was under way, or because the
 * session did.
 *
 * @category models
 * @since 0.1.0
 */
export type Result =
  | { readonly _tag: "Left" }
  | { readonly _tag: "Interrupted" }
  | { readonly _tag: "Ended"; readonly error: SessionEnded }

type Next = Step<Prompt, Action, Result>

/** Rows around the messages that were restored: what the session is, and the prompt. */
const around = 6

const optionsIn = ({ style }: Prompt, { columns, now }: Room): Transcript.Options => ({ style, cells: columns, now })

/**
 * A prompt below what was restored.
 *
 * @category constructors
 * @since 0.1.0
 */
export const first = (
  options: { readonly style: Style; readonly session: Session.SessionState; readonly wasInterrupted: boolean }
): Step<Prompt, Action, never> => {
  const { session, style, wasInterrupted } = options
  const state: Prompt = {
    style,
    session,
    editor: Editor.make(session.promptHistory),
    waiting: [],
    isWarned: false,
    isLeaving: false
  }
  return {
    state,
    printed: (room) =>
      Told.resumed(session, {
        ...optionsIn(state, room),
        wasInterrupted,
        lines: Math.max(6, room.rows - around - (session.todos.length > 0 ? session.todos.length + 2 : 0)),
        more: "/show shows all"
      })
  }
}

const told = (self: Prompt, lines: (options: Transcript.Options) => ReadonlyArray<string>): Next => ({
  state: self,
  printed: (room) => ["", ...lines(optionsIn(self, room))]
})

const leave = (self: Prompt): Next =>
  self.isLeaving ? { state: self } : { state: { ...self, isLeaving: true }, actions: [{ _tag: "Leave" }] }

const submit = (self: Prompt): Next => {
  const typed = self.editor.text
  const line = Line.parse(typed)
  const next = { ...self, editor: Editor.remember(self.editor, typed) }
  if (Deed.isDeed(line)) {
    return {
      state: { ...next, waiting: [...next.waiting, typed] },
      actions: [{ _tag: "Do", typed, deed: line, todos: self.session.todos }]
    }
  }
  switch (line._tag) {
    case "Nothing":
      return { state: self }
    case "Todos":
      return told(next, (options) => Told.todos(next.session.todos, options))
    case "Show":
      return {
        state: next,
        printed: (room) =>
          Told.resumed(next.session, {
            ...optionsIn(next, room),
            wasInterrupted: false,
            lines: Number.POSITIVE_INFINITY,
            more: ""
          })
      }
    case "Help":
      return told(next, Told.help)
    case "Quit":
      return leave(next)
    case "Unknown":
      return told(
        { ...next, editor: Editor.withText(next.editor, typed) },
        (options) => Told.trouble({ what: `${Printable.line(typed)}?`, why: line.why, next: line.next }, options)
      )
  }
}

const interrupt = (self: Prompt): Next => {
  if (self.isLeaving) return { state: self, result: { _tag: "Interrupted" } }
  if (self.isWarned) return leave(self)
  return { state: { ...self, isWarned: true, editor: { ...Editor.make(self.editor.history), cut: self.editor.cut } } }
}

const press = (before: Prompt, key: Key): Next => {
  const name = key._tag === "Press" && !before.editor.isPasting ? key.name : ""
  if (name === "ctrl-c") return interrupt(before)
  if (before.isLeaving) return { state: before }
  const self = { ...before, isWarned: false }
  if (name === "return") return submit(self)
  if (name === "ctrl-d" && self.editor.text === "") return leave(self)
  if (name === "ctrl-l") return { state: self, isCleared: true }
  return { state: { ...self, editor: Editor.press(self.editor, key) } }
}

/** The first of what waits is what was just done: lines are done in their order. */
const settled = (self: Prompt): Prompt => ({ ...self, waiting: self.waiting.slice(1) })

const changed = (self: Prompt, session: Session.SessionState): Next => {
  const added = session.conversation.slice(self.session.conversation.length)
  const hasNewTodos = JSON.stringify(session.todos) !== JSON.stringify(self.session.todos)
  return {
    state: { ...self, session },
    printed: (room) => [
      ...Told.messages(added, optionsIn(self, room)),
      ...(hasNewTodos ? ["", ...Told.todos(session.todos, optionsIn(self, room))] : [])
    ]
  }
}

/**
 * What an event makes of it.
 *
 * **Details**
 *
 * Ctrl-C clears the line, and leaves when it is pressed again; while it leaves,
 * once more gives up waiting for what is under way. Ctrl-D on an empty line
 * leaves, and so does a terminal that hangs up.
 *
 * @category reducing
 * @since 0.1.0
 */
export const update = (self: Prompt, event: Event | Input): Next => {
  switch (event._tag) {
    case "Typed":
      return press(self, event.key)
    case "HungUp":
      return leave(self)
    case "Changed":
      // Told by two: who watches the session, and who leaves it.
      return event.session.revision > self.session.revision ? changed(self, event.session) : { state: self }
    case "Done":
      return event.deed._tag === "Save"
        ? told(settled(self), ({ style }) => [style.dim("Saved.")])
        : { state: settled(self) }
    case "Refused": {
      const editor = self.editor.text === "" ? Editor.withText(self.editor, event.typed) : self.editor
      return told({ ...settled(self), editor }, (options) => Told.trouble(event.explained, options))
    }
    case "Said":
      return told(self, ({ style }) => event.lines.map(style.dim))
    case "AgentEnded": {
      const { failure } = event
      return told(
        self,
        (options) =>
          failure === undefined ? [options.style.dim("The agent has ended.")] : Told.trouble(failure, options)
      )
    }
    case "Ended":
      return { state: self, result: event }
    case "Left":
      return { state: self, result: event }
  }
}

const maxWaiting = 3

const footer = ({ isLeaving, isWarned }: Prompt): string =>
  isLeaving
    ? "Leaving as soon as everything is saved. Ctrl-C leaves at once."
    : isWarned
    ? "Press Ctrl-C again to leave."
    : "enter send · /help commands · ctrl-d leave"

/**
 * How it looks: what is not acknowledged yet, what is being typed, and what can
 * be done.
 *
 * @category rendering
 * @since 0.1.0
 */
export const view = (self: Prompt, { columns, rows }: Room): Frame => {
  const { editor, isWarned, style, waiting } = self
  // A line that fills its row would be wrapped where the terminal becomes narrower by one.
  const cells = Math.max(4, columns - 1)
  const above = rows < 8 ? [] : [
    "",
    ...waiting.slice(0, maxWaiting).map((typed) =>
      style.dim(Output.truncate(`… saving: ${Printable.line(typed)}`, cells))
    ),
    ...(waiting.length > maxWaiting
      ? [style.dim(Output.truncate(`… and ${waiting.length - maxWaiting} more`, cells))]
      : [])
  ]
  const below = rows < 4 ? [] : wrap(footer(self), cells).slice(0, 2).map(isWarned ? style.yellow : style.dim)
  const field = Field.render(editor, { lead: "> ", cells, rows: Math.max(1, rows - above.length - below.length - 1) })
  return {
    lines: [...above, ...field.lines, ...below],
    cursor: { row: above.length + field.cursor.row, column: field.cursor.column }
  }
}
