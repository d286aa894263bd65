/**
 * What is told of a running session, as printable lines: by the prompt, and
 * where there is none.
 *
 * @since 0.1.0
 */
import type * as Session from "../../core/Session.ts"
import type * as Explain from "../Explain.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import * as Transcript from "../Transcript.ts"
import * as Words from "../Words.ts"
import { wrap } from "../Wrap.ts"
import * as Line from "./Line.ts"

/**
 * A failure, in three lines.
 *
 * @category rendering
 * @since 0.1.0
 */
export const trouble = (
  { next, what, why }: Pick<Explain.Explained, "next" | "what" | "why">,
  { cells, style }: Transcript.Options
): ReadonlyArray<string> => {
  const indented = (lead: string, text: string) => {
    const [first = "", ...others] = wrap(text, cells - lead.length)
    return [`${lead}${first}`, ...others.map((line) => `${" ".repeat(lead.length)}${line}`)]
  }
  const [first = "", ...others] = wrap(what, cells - "error: ".length)
  return [`${style.red("error:")} ${first}`, ...others, ...indented("  why: ", why), ...indented("  do:  ", next)]
}

/**
 * The to-do list with the numbers that `/done` takes.
 *
 * @category rendering
 * @since 0.1.0
 */
export const todos = (todos: ReadonlyArray<Session.Todo>, options: Transcript.Options): ReadonlyArray<string> => {
  if (todos.length === 0) return [options.style.dim("No todos. Add one: /todo TEXT")]
  const done = todos.filter(({ status }) => status === "completed").length
  const digits = String(todos.length).length
  return [
    options.style.bold(`Todos ${done}/${todos.length}`),
    ...todos.flatMap((todo, index) =>
      Transcript.todos([todo], { ...options, cells: options.cells - digits - 1 }).map((line, row) =>
        ` ${row === 0 ? String(index + 1).padStart(digits) : " ".repeat(digits)}${line.slice(1)}`
      )
    )
  ]
}

/**
 * Messages from a place on, each after an empty line.
 *
 * @category rendering
 * @since 0.1.0
 */
export const messages = (
  conversation: ReadonlyArray<Session.Message>,
  options: Transcript.Options
): ReadonlyArray<string> => conversation.flatMap((message) => ["", ...Transcript.message(message, options)])

const before = (count: number, next: string, { style }: Transcript.Options): ReadonlyArray<string> =>
  count === 0 ? [] : ["", style.dim(`(${Words.count(count, "message")} before; ${next})`)]

/** The last messages that fit a number of lines, and how many are not among them. */
const tail = (conversation: ReadonlyArray<Session.Message>, lines: number, options: Transcript.Options) => {
  let shown: ReadonlyArray<string> = []
  let left = conversation.length
  for (const message of conversation.toReversed()) {
    const more = messages([message], options)
    if (left < conversation.length && shown.length + more.length > lines) break
    shown = [...more, ...shown]
    left -= 1
  }
  const isCut = shown.length > lines
  return { left, shown: isCut ? ["", options.style.dim("…"), ...shown.slice(-lines)] : shown }
}

/**
 * A session that was resumed: which it is, the end of what was said, its todos.
 *
 * **Details**
 *
 * As many messages as fit a number of lines, and the end of the last one if it
 * alone does not.
 *
 * @category rendering
 * @since 0.1.0
 */
export const resumed = (
  { conversation, session, todos: list }: Session.SessionState,
  options: Transcript.Options & { readonly lines: number; readonly wasInterrupted: boolean; readonly more: string }
): ReadonlyArray<string> => {
  const { cells, lines, more, style, wasInterrupted } = options
  const { left, shown } = tail(conversation, lines, options)
  return [
    style.bold(Output.truncate(Printable.line(session.name), cells)),
    style.dim(Output.truncate(Printable.line(session.projectPath), cells)),
    ...(wasInterrupted
      ? wrap("It was interrupted. Everything that was acknowledged is here.", cells).map(style.yellow)
      : []),
    ...before(left, more, options),
    ...shown,
    ...(list.length === 0 ? [] : ["", ...todos(list, options)])
  ]
}

/**
 * What can be typed.
 *
 * @category rendering
 * @since 0.1.0
 */
export const help = ({ cells, style }: Transcript.Options): ReadonlyArray<string> => {
  const widest = Math.max(...Line.commands.map(([command]) => command.length))
  const line = (left: string, right: string) => {
    const [first = "", ...others] = wrap(right, cells - widest - 4)
    return [
      `  ${style.cyan(left.padEnd(widest))}  ${first}`,
      ...others.map((rest) => `${" ".repeat(widest + 4)}${rest}`)
    ]
  }
  return [
    ...wrap("What you type is a message of yours. It is saved when it shows up in the conversation.", cells),
    ...Line.commands.flatMap(([command, meaning]) => line(command, meaning)),
    ...line("Alt-Enter", "a new line, as Ctrl-J"),
    ...line("Up, Down", "what you typed before"),
    ...line("Ctrl-C", "clear the line; twice leaves")
  ]
}
