/**
 * What surrounds an encrypted snapshot or journal: which session it is of, which
 * key opens it, and where its pieces begin and end (form 1).
 *
 * ```
 * {"encrypted":1,"id":…,"epoch":…,"seal":…,"check":…,"head":<bytes>}⏎<head><rest>,"signature":"<seal>"}
 *
 * {"encrypted":1,"id":…,"epoch":…,"part":…,"seal":…,"check":…,"snapshot":"<its seal>","first":"<base64url>"}⏎
 * <number>.<batch>:<base64url>⏎
 * ```
 *
 * **Details**
 *
 * A seal is `cc20p.<key id>.<salt>`: ChaCha20-Poly1305 with a key that is derived
 * for this one file from that key and 32 random bytes. So a journal names the
 * snapshot it extends by the seal, where it would name it by its signature.
 * Each line is a record with a number; `batch` is the number of the first record
 * that shared one write with it. `check` tells another key from damage.
 *
 * @since 0.1.0
 */
import * as Base64Url from "effect/encoding/Base64Url"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Check from "./Check.ts"
import type { JsonObject } from "./Json.ts"
import * as JsonDocument from "./JsonDocument.ts"
import { BadCiphertext, Encrypted, InvalidJson, UnknownEncryption } from "./SessionError.ts"
import { SessionId } from "./SessionId.ts"
import * as Text from "./Text.ts"

/**
 * The form that is written.
 *
 * @category constants
 * @since 0.1.0
 */
export const form = 1

/**
 * What encrypting adds to a piece. Bytes.
 *
 * @category limits
 * @since 0.1.0
 */
export const tagBytes = 16

/**
 * The most bytes that the first line of a snapshot's envelope takes, and that of a
 * journal's with the encrypted line in it.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxLineBytes = 1280

/**
 * The most bytes that are stored for so many: a session of lines as short as they
 * can be takes less than twice its size.
 *
 * @category limits
 * @since 0.1.0
 */
export const roomFor = (bytes: number): number => 2 * bytes + 64 * 1024

const algorithm = "cc20p"
const sealPattern = /^cc20p\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{43})$/

/**
 * @category constructors
 * @since 0.1.0
 */
export const seal = (keyId: string, salt: Uint8Array): string => `${algorithm}.${keyId}.${Base64Url.encode(salt)}`

/**
 * The id of the key that a seal names.
 *
 * @category getters
 * @since 0.1.0
 */
export const keyIdOf = (seal: string): Option.Option<string> => Option.fromUndefinedOr(sealPattern.exec(seal)?.[1])

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const common = {
  encrypted: Schema.Literal(form),
  id: SessionId,
  epoch: count,
  seal: Schema.String.check(Schema.isPattern(sealPattern)),
  check: Schema.String
}

const SnapshotLine = Schema.Struct({ ...common, head: count })
const JournalLine = Schema.Struct({ ...common, part: count, snapshot: Schema.String, first: Schema.String })

const isSnapshotLine = Check.make(SnapshotLine)
const isJournalLine = Check.make(JournalLine)

/**
 * @category models
 * @since 0.1.0
 */
export type SnapshotLine = typeof SnapshotLine.Type

const latin1 = new TextDecoder("latin1")
const lineStart = /^\{"encrypted":(\d{1,9}),/
const sealAtEnd = /,"signature":"(cc20p\.[^"]*)"\}$/

/** The most bytes the end of an encrypted snapshot takes. */
const maxTailBytes = `,"signature":"${algorithm}.."}`.length + 32 + 43

/**
 * Whether bytes begin as an envelope does.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isEncrypted = (bytes: Uint8Array): boolean => lineStart.test(latin1.decode(bytes.subarray(0, 32)))

/**
 * The seal that the last bytes carry.
 *
 * @category decoding
 * @since 0.1.0
 */
export const sealed = (bytes: Uint8Array): Option.Option<string> =>
  Option.fromUndefinedOr(sealAtEnd.exec(latin1.decode(bytes.subarray(-maxTailBytes)))?.[1])

const lineOf = (bytes: Uint8Array): Option.Option<Uint8Array> => {
  const end = bytes.subarray(0, maxLineBytes).indexOf(0x0a)
  return end < 0 ? Option.none() : Option.some(bytes.subarray(0, end))
}

const invalid = (id: string, reason: InvalidJson["reason"]) => new InvalidJson({ id, reason })

const firstLine = <A>(
  id: string,
  bytes: Uint8Array,
  check: (json: JsonObject) => Result.Result<A, unknown>
): Result.Result<{ readonly line: A; readonly bytes: Uint8Array }, InvalidJson> => {
  const [, found = ""] = lineStart.exec(latin1.decode(bytes.subarray(0, 32))) ?? []
  if (Number(found) > form) return Result.fail(invalid(id, new UnknownEncryption({ found: Number(found) })))
  return Option.match(lineOf(bytes), {
    onNone: () => Result.fail(invalid(id, new BadCiphertext({}))),
    onSome: (bytes) =>
      Result.mapBoth(Result.flatMap(JsonDocument.parse(bytes), check), {
        onFailure: () => invalid(id, new BadCiphertext({})),
        onSuccess: (line) => ({ line, bytes })
      })
  })
}

/**
 * The first line of an encrypted snapshot, without its newline, and what it tells.
 *
 * @category decoding
 * @since 0.1.0
 */
export const snapshotLine = (id: string, bytes: Uint8Array) => firstLine(id, bytes, isSnapshotLine)

/**
 * The first line of an encrypted journal, without its newline, and what it tells.
 *
 * @category decoding
 * @since 0.1.0
 */
export const journalLine = (id: string, bytes: Uint8Array) => firstLine(id, bytes, isJournalLine)

/**
 * The seal of the snapshot that an encrypted journal's first bytes name, unverified.
 *
 * @category decoding
 * @since 0.1.0
 */
export const snapshotNamed = (bytes: Uint8Array): Option.Option<string> =>
  isEncrypted(bytes)
    ? Option.map(Result.getSuccess(journalLine("", bytes)), ({ line }) => line.snapshot)
    : Option.none()

/**
 * What an encrypted session is refused with where there is no encryption.
 *
 * @category errors
 * @since 0.1.0
 */
export const refuse = (id: string, bytes: Uint8Array): InvalidJson =>
  Result.match(snapshotLine(id, bytes), {
    onFailure: (error) => error,
    onSuccess: ({ line }) => invalid(id, new Encrypted({ keyId: Option.getOrElse(keyIdOf(line.seal), () => "") }))
  })

/**
 * The first bytes of an encrypted snapshot, as far as they tell what a list shows.
 * None where these bytes do not hold all of it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const headOf = (bytes: Uint8Array): Option.Option<Uint8Array> =>
  isEncrypted(bytes)
    ? Option.flatMap(Result.getSuccess(snapshotLine("", bytes)), ({ bytes: text, line }) => {
      const end = text.length + 1 + line.head
      return bytes.length < end ? Option.none() : Option.some(bytes.subarray(0, end))
    })
    : Option.none()

/**
 * The pieces of a snapshot's envelope.
 *
 * @category models
 * @since 0.1.0
 */
export interface SnapshotPieces {
  readonly line: SnapshotLine
  /** The first line as it is, without its newline. */
  readonly text: Uint8Array
  readonly head: Uint8Array
  readonly rest: Uint8Array
}

/**
 * @category encoding
 * @since 0.1.0
 */
export const joinSnapshot = (
  text: Uint8Array,
  seal: string,
  head: Uint8Array,
  rest: Uint8Array
): Uint8Array => Text.concat([text, newline, head, rest, Text.toBytes(`,"signature":"${seal}"}`)])

/**
 * @category decoding
 * @since 0.1.0
 */
export const splitSnapshot = (id: string, bytes: Uint8Array): Result.Result<SnapshotPieces, InvalidJson> =>
  Result.flatMap(snapshotLine(id, bytes), ({ bytes: text, line }) => {
    const start = text.length + 1
    const end = bytes.length - `,"signature":"${line.seal}"}`.length
    const isWhole = Option.contains(sealed(bytes), line.seal) && start + line.head <= end
    return isWhole
      ? Result.succeed({
        line,
        text,
        head: bytes.subarray(start, start + line.head),
        rest: bytes.subarray(start + line.head, end)
      })
      : Result.fail(invalid(id, new BadCiphertext({})))
  })

const newline = Text.toBytes("\n")

/**
 * One line of an encrypted journal.
 *
 * @category models
 * @since 0.1.0
 */
export interface Record {
  readonly number: number
  readonly batch: number
  readonly piece: Uint8Array
}

/**
 * @category encoding
 * @since 0.1.0
 */
export const recordLine = ({ batch, number, piece }: Record): Uint8Array =>
  Text.toBytes(`${number}.${batch}:${Base64Url.encode(piece)}\n`)

const recordPattern = /^(0|[1-9]\d{0,14})\.(0|[1-9]\d{0,14}):([A-Za-z0-9_-]+)$/

/** The last character of base64url has bits that mean nothing: they are zero, so that each text is one piece. */
const isCanonical = (text: string): boolean =>
  text.length % 4 === 0 || (text.length % 4 === 2 ? /[AQgw]$/ : /[AEIMQUYcgkosw048]$/).test(text)

/**
 * The bytes of a piece, if the text is one.
 *
 * @category decoding
 * @since 0.1.0
 */
export const pieceOf = (text: string): Option.Option<Uint8Array> =>
  /^[A-Za-z0-9_-]+$/.test(text) && isCanonical(text) ? Result.getSuccess(Base64Url.decode(text)) : Option.none()

/**
 * Reads a line of a journal, without its newline.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parseRecord = (line: Uint8Array): Option.Option<Record> => {
  const [, number, batch, text] = recordPattern.exec(latin1.decode(line)) ?? []
  if (number === undefined || batch === undefined || text === undefined) return Option.none()
  return Option.map(pieceOf(text), (piece) => ({ number: Number(number), batch: Number(batch), piece }))
}

/**
 * Whether a journal's bytes from the first bad record on, where `number` is due,
 * belong to the last write: a record whose write began later shows that a sync had
 * covered what is missing. Numbers that contradict each other show nothing.
 *
 * @category decoding
 * @since 0.1.0
 */
export const isLastWrite = (rest: Uint8Array, number: number): boolean =>
  Array.from(latin1.decode(rest).matchAll(/(\d{1,15})\.(\d{1,15}):/g)).every(([, own, batch]) =>
    Number(batch) <= number || Number(own) < Number(batch)
  )

/**
 * The seal of an encrypted journal.
 *
 * @category getters
 * @since 0.1.0
 */
export const sealOf = (journal: Uint8Array): Option.Option<string> =>
  isEncrypted(journal)
    ? Option.map(Result.getSuccess(journalLine("", journal)), ({ line }) => line.seal)
    : Option.none()

/**
 * How many bytes a snapshot has without encryption, as far as its size tells.
 *
 * @category getters
 * @since 0.1.0
 */
export const plainSnapshotBytes = (bytes: Uint8Array): number =>
  Option.match(Result.getSuccess(splitSnapshot("", bytes)), {
    onNone: () => bytes.length,
    onSome: ({ head, rest }) => head.length + rest.length - 2 * tagBytes - 1
  })

/**
 * How many bytes a journal has without encryption, as far as its size tells.
 *
 * @category getters
 * @since 0.1.0
 */
export const plainJournalBytes = (bytes: Uint8Array): number => {
  if (!isEncrypted(bytes)) return bytes.length
  const textBytes = (characters: number) => Math.max(0, Math.floor(characters * 3 / 4) - tagBytes)
  let start = bytes.indexOf(0x0a) + 1 || bytes.length
  let sum = Option.match(Result.getSuccess(journalLine("", bytes)), {
    onNone: () => start,
    onSome: ({ line }) => textBytes(line.first.length)
  })
  while (start < bytes.length) {
    const end = bytes.indexOf(0x0a, start)
    const colon = bytes.indexOf(0x3a, start)
    const stop = end < 0 ? bytes.length : end
    sum += colon < 0 || colon > stop ? stop - start : textBytes(stop - colon - 1)
    start = stop + 1
  }
  return sum
}
