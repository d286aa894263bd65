/**
 * A session as people read it.
 *
 * @since 0.1.0
 */
import * as Blob from "../core/Blob.ts"
import type * as Session from "../core/Session.ts"
import * as Timestamp from "../core/Timestamp.ts"
import * as Output from "./Output.ts"
import * as Printable from "./Printable.ts"
import type { Style } from "./Style.ts"
import * as Words from "./Words.ts"
import { wrap } from "./Wrap.ts"

/**
 * How a transcript is rendered.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly style: Style
  /** Cells in a line. */
  readonly cells: number
  /** Milliseconds since 1970. */
  readonly now: number
  /** Shows tool calls, results and reasoning in full, instead of a line each. */
  readonly isFull?: boolean
  /** Numbers the messages, the first of them so. */
  readonly from?: number
}

const indent = "  "

const paragraph = (text: string, { cells }: Options): ReadonlyArray<string> =>
  Printable.lines(text).flatMap((line) => wrap(line, cells - indent.length)).map((line) =>
    line === "" ? "" : `${indent}${line}`
  )

/** A value of JSON, as it was said: text as text, everything else as JSON. */
const said = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value) ?? ""

/** What a tool was asked, or answered: one line, and how much is not on it. */
const folded = (mark: string, name: string, value: unknown, options: Options): ReadonlyArray<string> => {
  const { cells, isFull, style } = options
  const head = `${mark} ${Printable.line(name)}`
  const text = said(value)
  if (isFull === true) {
    return [
      `${indent}${style.cyan(head)}`,
      ...paragraph(text, { ...options, cells: cells - 2 }).map((line) => line === "" ? "" : `  ${line}`)
    ]
  }
  const rows = text.split("\n")
  const first = Printable.line(rows.find((row) => row.trim() !== "") ?? "")
  const room = Math.min(cells, 160) - indent.length - Output.width(head) - 2
  const shown = Output.truncate(first, Math.max(0, room))
  const isCut = rows.length > 1 || shown !== first
  const size = isCut ? `(${rows.length > 1 ? Words.count(rows.length, "line") : Words.size(text.length)})` : ""
  const space = room - Output.width(size) - 1
  const fitted = isCut ? Output.truncate(first, Math.max(0, space)) : shown
  return [
    `${indent}${style.cyan(head)}  ${style.dim([fitted, size].filter((piece) => piece !== "").join(" "))}`.trimEnd()
  ]
}

/** A part, of which `large` bytes are stored beside the session. */
const part = (part: Session.Part, large: number | undefined, options: Options): ReadonlyArray<string> => {
  const { style } = options
  const size = large === undefined ? "" : `, ${Words.size(large)}`
  switch (part.type) {
    case "text":
      return paragraph(part.text, options)
    case "reasoning":
      return options.isFull === true
        ? paragraph(part.text, options).map(style.dim)
        : [
          `${indent}${
            style.dim(
              `(reasoning, ${Words.count(part.text.split(/\s+/).filter((word) => word !== "").length, "word")})`
            )
          }`
        ]
    case "file":
      return [`${indent}${style.dim(`(file, ${Printable.line(part.mediaType)}${size})`)}`]
    case "tool-call":
      return folded("→", part.name, part.params, options)
    case "tool-result":
      return folded("←", `${part.name}${part.isFailure ? " failed" : ""}`, part.result, options)
    case "tool-approval-request":
      return [`${indent}${style.dim("(asks whether the tool may be used)")}`]
    case "tool-approval-response":
      return [`${indent}${style.dim(part.approved ? "(the tool may be used)" : "(the tool may not be used)")}`]
  }
}

const roleStyle = (style: Style, role: Session.Role): (text: string) => string => {
  switch (role) {
    case "user":
      return style.green
    case "assistant":
      return style.blue
    case "system":
    case "tool":
      return style.yellow
  }
}

/**
 * One message: who spoke and when, then what was said.
 *
 * @category rendering
 * @since 0.1.0
 */
export const message = (message: Session.Message, options: Options): ReadonlyArray<string> => {
  const { cells, from, now, style } = options
  const number = from === undefined ? "" : `  #${from}`
  const large = new Map(
    Blob.references(message).flatMap(({ at, bytes }) => at.length === 3 ? [[at[1], bytes] as const] : [])
  )
  const millis = Timestamp.toMillis(message.timestamp)
  const ago = Words.ago(millis, now)
  const exact = Words.dateTime(millis)
  const both = ago === exact ? exact : `${ago}, ${exact}`
  const when = Output.width(`${message.role}  ${both}${number}`) > cells ? ago : both
  return [
    `${roleStyle(style, message.role)(style.bold(message.role))}  ${style.dim(`${when}${number}`)}`,
    ...(typeof message.content === "string"
      ? paragraph(message.content, options)
      : message.content.flatMap((piece, index) => part(piece, large.get(index), options)))
  ]
}

/**
 * Messages, with an empty line between them.
 *
 * @category rendering
 * @since 0.1.0
 */
export const messages = (conversation: ReadonlyArray<Session.Message>, options: Options): ReadonlyArray<string> =>
  conversation.flatMap((one, index) => {
    const lines = message(one, options.from === undefined ? options : { ...options, from: options.from + index })
    return index === 0 ? lines : ["", ...lines]
  })

/**
 * The to-do list: `[x]` done, `[~]` being done, `[ ]` to do.
 *
 * @category rendering
 * @since 0.1.0
 */
export const todos = (todos: ReadonlyArray<Session.Todo>, { cells, style }: Options): ReadonlyArray<string> =>
  todos.flatMap(({ activeForm, content, status }) => {
    const [mark, text, paint] = status === "completed"
      ? ["[x]", content, style.dim] as const
      : status === "in_progress"
      ? ["[~]", activeForm === "" ? content : activeForm, style.bold] as const
      : ["[ ]", content, (text: string) => text] as const
    const [first = "", ...rest] = wrap(Printable.line(text), cells - indent.length - 4)
    return [`${indent}${mark} ${paint(first)}`, ...rest.map((line) => `${indent}    ${paint(line)}`)]
  })

const number = new Intl.NumberFormat("en-US")

/**
 * What was used, in one line. Nothing where nothing was.
 *
 * @category rendering
 * @since 0.1.0
 */
export const usage = ({ inputTokens, outputTokens, totalCost }: Session.Usage): ReadonlyArray<string> =>
  inputTokens === 0 && outputTokens === 0 && totalCost === 0
    ? []
    : [
      `${number.format(inputTokens)} tokens in, ${number.format(outputTokens)} out` +
      (totalCost === 0 ? "" : `, cost ${Number(totalCost.toPrecision(6))}`)
    ]
