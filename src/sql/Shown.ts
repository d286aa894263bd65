/**
 * What is kept of a snapshot beside its bytes, so that a list need not touch them:
 * its head as it is, and what lists are filtered by.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Envelope from "../core/Envelope.ts"
import * as Head from "../core/Head.ts"
import type { Format } from "../core/Migration.ts"
import type { SchemaVersion } from "../core/SessionError.ts"
import { InvalidJson, Unsigned } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import type * as SessionList from "../core/SessionList.ts"
import { fromMillis, type Timestamp, toMillis } from "../core/Timestamp.ts"
import type { Integer, Standing } from "./Standing.ts"
import * as Standings from "./Standing.ts"

/** What is written beside a snapshot. */
export interface Shown {
  readonly head: Uint8Array
  readonly isSigned: boolean
  readonly project: string
  readonly nameText: string
  readonly pathText: string
  /** Of the session's last event, in milliseconds; none where the head can't be read. */
  readonly updatedAt: Option.Option<number>
}

/** A text as a column holds it: PostgreSQL has no NUL, and no name or path that counts has one. */
export const column = (text: string): string => text.replaceAll("\0", "\u{fffd}")

/** A text as it is searched: whatever its case. */
export const searched = (text: string): string => column(text.toLowerCase())

/** The first bytes of a snapshot, as far as the head goes. */
const headOf = (snapshot: Uint8Array): Uint8Array =>
  Option.getOrElse(Envelope.headOf(snapshot), () => Head.prefix(snapshot))

export const fromSnapshot = (id: SessionId, snapshot: Uint8Array, format: Format): Shown => {
  const head = headOf(snapshot)
  const isSigned = Option.isSome(Head.signatureAtEnd(snapshot))
  const decoded = Option.flatten(Result.getSuccess(Head.decode(id, head, isSigned, format)))
  const { name, projectPath } = Option.getOrElse(decoded, () => ({ name: "", projectPath: "" }))
  return {
    head,
    isSigned,
    project: column(projectPath),
    nameText: searched(name),
    pathText: searched(projectPath),
    updatedAt: Option.map(decoded, ({ updatedAt }) => toMillis(updatedAt))
  }
}

/** A row of a list. */
export interface Row extends Standing {
  readonly id: SessionId
  readonly recency: Integer
  readonly snapshot_bytes: Integer
  readonly journal_bytes: Integer
  readonly head: Uint8Array
  readonly is_signed: Integer
}

const decodeHead = (
  { head, id, is_signed }: Row,
  format: Format
): Result.Result<Head.Head, InvalidJson | SchemaVersion> =>
  Number(is_signed) === 1
    ? Result.flatMap(
      Head.decode(id, head, true, format),
      Result.fromOption(() => Head.missing(id))
    )
    : Result.fail(new InvalidJson({ id, reason: new Unsigned({}) }))

/** The years that timestamps have: 0 to 9999. */
const [earliest, latest] = [-62_167_219_200_000, 253_402_300_799_999]

/** Where a session stands in a list that begins with the newest: the later, the lower. */
export const recencyOf = (millis: number): number => -millis

/** When a session that stands there was changed. */
const changedAt = (recency: Integer): Timestamp => fromMillis(Math.min(Math.max(-Number(recency), earliest), latest))

/** What a list shows of a row. */
export const toEntry = (row: Row, format: Format): SessionList.Entry => {
  const { id } = row
  const updatedAt = changedAt(row.recency)
  const { holder, since } = Standings.lastHolder(row)
  const status = Standings.status(row)
  const removedAt = status === "removed" && since !== undefined ? { removedAt: since } : {}
  const running = status === "running" && holder !== undefined ? { holder } : {}
  const bytes = Number(row.snapshot_bytes) + Number(row.journal_bytes)
  const encrypted = Option.match(Envelope.headOf(row.head), {
    onNone: () => ({}),
    onSome: (head) => ({
      encrypted: { head, status, ...running, ...(Standings.isOpen(row) ? { writtenAt: updatedAt } : {}), bytes }
    })
  })
  return Result.match(decodeHead(row, format), {
    onFailure: (error): SessionList.Entry => ({
      _tag: "Broken",
      name: id,
      id,
      updatedAt,
      ...removedAt,
      ...encrypted,
      error
    }),
    onSuccess: ({ epoch: _epoch, revision: _revision, version: _version, ...head }): SessionList.Entry => ({
      _tag: "Stored",
      ...head,
      status,
      updatedAt,
      ...removedAt,
      ...running,
      bytes
    })
  })
}
