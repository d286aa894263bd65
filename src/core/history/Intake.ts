/**
 * From the bytes of a file to its conversations, whatever agent wrote it: lines
 * of records, or one document with lists of them.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Text from "../Text.ts"
import * as Detect from "./Detect.ts"
import type { HistoryKind, Reader } from "./History.ts"
import type * as Lane from "./Lane.ts"
import * as Lines from "./Lines.ts"
import * as Pieces from "./Pieces.ts"
import * as Records from "./Records.ts"
import * as Transcript from "./Transcript.ts"

/**
 * How a history is read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Whose it is; told from what is in it by default. */
  readonly kind?: HistoryKind
  readonly layout: "lines" | "document"
  readonly bounds: Lane.Bounds
  /** Bytes of a record from which on it is left out. */
  readonly maxRecordBytes: number
  /** Levels that a record may nest. */
  readonly maxDepth: number
}

/**
 * A history that was read to its end.
 *
 * @category models
 * @since 0.1.0
 */
export interface History {
  readonly reader: Reader
  readonly conversations: ReadonlyArray<Transcript.Conversation>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Intake {
  /** Takes the next bytes. */
  readonly push: (bytes: Uint8Array) => void
  /** Whether it is clear whose history it is. */
  readonly isDecided: () => boolean
  /** Whether it could be nobody's history: reading on is of no use. */
  readonly isHopeless: () => boolean
  /** No more bytes come. None, where it is nobody's history. */
  readonly end: () => Option.Option<History>
}

/** Records by which it must show whose they are. */
const maxUndecided = 200

type Unread =
  & { readonly at: number }
  & (
    | { readonly _tag: "Record"; readonly read: Records.Read }
    | { readonly _tag: "Refused"; readonly reason: string }
  )

const decoder = new TextDecoder()
const replaced = "bytes that are no UTF-8: replaced"

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Intake => {
  const { bounds, maxDepth, maxRecordBytes } = options
  let open: { readonly reader: Reader; readonly transcript: Transcript.Transcript } | undefined
  let undecided: Array<Unread> = []
  let undecidedLength = 0
  let count = 0

  const begin = (reader: Reader) => {
    const transcript = Transcript.make(reader, bounds)
    open = { reader, transcript }
    const waiting = undecided
    undecided = []
    for (const unread of waiting) take(unread)
  }

  const take = (unread: Unread) => {
    if (open === undefined) {
      if (!isHopeless()) undecided.push(unread)
      const reader = unread._tag === "Record" ? Detect.ofRecord(unread.read.record) : undefined
      if (reader !== undefined) begin(reader)
      return
    }
    if (unread._tag === "Refused") return open.transcript.skip(unread.reason, unread.at)
    open.transcript.add(open.reader.read(unread.read.record), unread.at)
    open.transcript.changed(unread.read.changes)
  }

  const refuse = (reason: string) => take({ _tag: "Refused", reason, at: count })

  const read = (text: string, changes: ReadonlyArray<string> = []) => {
    if (open === undefined) undecidedLength += text.length
    Result.match(Records.parse(text, maxDepth), {
      onFailure: refuse,
      onSuccess: (read) =>
        take({ _tag: "Record", read: { ...read, changes: [...changes, ...read.changes] }, at: count })
    })
  }

  const isHopeless = () => open === undefined && (undecided.length >= maxUndecided || undecidedLength > maxRecordBytes)

  const ofLines = () => {
    const lines = Lines.make({
      maxBytes: maxRecordBytes,
      emit: (line) => {
        count++
        if (line === undefined) return refuse(`longer than ${maxRecordBytes} bytes`)
        const exact = Text.fromBytes(line)
        const text = Option.getOrElse(exact, () => decoder.decode(line)).trim()
        // A byte order mark is no mistake, and an empty line is no record.
        const isExact = Option.isSome(exact) || !text.includes("\uFFFD")
        if (text !== "") read(text, isExact ? [] : [replaced])
      }
    })
    return { push: lines.push, end: lines.end }
  }

  const ofDocument = () => {
    const characters = new TextDecoder()
    const members: Array<readonly [string, Schema.Json]> = []
    const pieces = Pieces.make({
      lists,
      maxLength: maxRecordBytes,
      emit: (piece) => {
        if (piece._tag === "Member") {
          const value = memberOf(piece.text, maxDepth)
          if (value !== undefined) return void members.push([piece.name, value])
        }
        count++
        if (piece._tag === "Member") return refuse("a member that can't be read")
        if (piece._tag === "TooLong") refuse(`longer than ${maxRecordBytes} characters`)
        else read(piece.text)
      }
    })
    return {
      push: (bytes: Uint8Array) => pieces.push(characters.decode(bytes, { stream: true })),
      end: () => {
        pieces.push(characters.decode())
        count++
        if (members.length > 0) {
          take({ _tag: "Record", read: { record: Object.fromEntries(members), changes: [] }, at: count })
        }
        if (!pieces.isWhole()) refuse("the document does not end where it should")
      }
    }
  }

  if (options.kind !== undefined) begin(Detect.reader(options.kind))
  const source = options.layout === "lines" ? ofLines() : ofDocument()

  return {
    push: source.push,
    isDecided: () => open !== undefined,
    isHopeless,
    end: () => {
      source.end()
      return open === undefined
        ? Option.none()
        : Option.some({ reader: open.reader, conversations: open.transcript.finish() })
    }
  }
}

/** Lists of records, by the names that agents give them. */
const lists: ReadonlySet<string> = new Set(["messages", "items", "history"])

/** The value of a member; `undefined` where it can't be read. */
const memberOf = (text: string, maxDepth: number): Schema.Json | undefined =>
  Result.match(Records.parse(`{"value":${text}}`, maxDepth + 1), {
    onFailure: () => undefined,
    onSuccess: ({ record }) => record["value"]
  })
