/**
 * What happened to a session since its snapshot: one signed line for each
 * event, after a line that names the snapshot (format version 2).
 *
 * **Details**
 *
 * Each MAC covers everything before it in the file, so lines can't be changed,
 * reordered, dropped from the middle or moved. `seq` is the revision after the
 * event. `batch` is the `seq` of the first event that shared one sync with it,
 * and the next batch is written only after that sync: so damage that reaches
 * back before the last batch is known from a write that a crash cut short.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Check from "./Check.ts"
import * as Envelope from "./Envelope.ts"
import * as Json from "./Json.ts"
import * as JsonDocument from "./JsonDocument.ts"
import * as Migration from "./Migration.ts"
import * as SealedLine from "./SealedLine.ts"
import type { SessionState } from "./Session.ts"
import { BrokenJournal, InvalidJson, type SchemaVersion, Shape, UnknownKey } from "./SessionError.ts"
import * as SessionEvent from "./SessionEvent.ts"
import { SessionId } from "./SessionId.ts"
import type { KeyRing, RunningMac } from "./Signature.ts"
import * as Signature from "./Signature.ts"
import type { Rules } from "./Snapshot.ts"
import * as Text from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

const integer = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const First = Schema.Struct({
  journal: Schema.Int.check(Schema.isGreaterThanOrEqualTo(Migration.oldestStored)),
  id: SessionId,
  epoch: integer,
  part: integer,
  key: Schema.String.check(Schema.makeFilter(Signature.isKeyId, { expected: "a key id" })),
  snapshot: Schema.String,
  revision: integer
})

const Line = Schema.Struct({
  seq: integer,
  batch: integer,
  at: Timestamp,
  event: SessionEvent.parsed
})

const isFirst = Check.make(First)
const isLine = Check.make(Line)
const isLines = Check.make(Schema.Array(Line))

/**
 * Which snapshot a journal extends, and whose journal it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Start {
  readonly id: SessionId
  readonly epoch: number
  readonly part: number
  /** The signature of the snapshot. */
  readonly snapshot: string
  /** The revision of the snapshot. */
  readonly revision: number
  /** The format version, by default this program's. */
  readonly version?: number
}

/**
 * An event ready to be written: its JSON in UTF-8, and when it happened.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry {
  readonly at: Timestamp
  readonly json: Uint8Array
}

/**
 * Writes one journal. After a failed write it is of no use: the file may hold
 * part of what the running MAC has seen.
 *
 * @category models
 * @since 0.1.0
 */
export interface Writer {
  /** Signed when it is asked for. */
  readonly firstLine: Uint8Array
  /** Encodes one batch: the lines that share a sync. */
  readonly encode: (entries: ReadonlyArray<Entry>) => Uint8Array
}

/**
 * Starts a journal on a snapshot. None without a key to sign with.
 *
 * @category constructors
 * @since 0.1.0
 */
export const writer = (keyRing: KeyRing, start: Start): Option.Option<Writer> => {
  const { version = Migration.current.version } = start
  return Option.map(
    Signature.start(keyRing, keyRing.current, { domain: "journal", version, id: start.id }),
    (mac) => {
      let seq = start.revision
      const { current: key } = keyRing
      let firstLine: Uint8Array | undefined
      const begin = () => {
        const { epoch, id, part, revision, snapshot } = start
        const first = JSON.stringify({ journal: version, id, epoch, part, key, snapshot, revision })
        return SealedLine.seal(mac, [{ start: first.slice(0, -1), rest: new Uint8Array() }])
      }
      return {
        get firstLine() {
          return firstLine ??= begin()
        },
        encode: (entries) => {
          firstLine ??= begin()
          const batch = seq + 1
          return SealedLine.seal(
            mac,
            entries.map(({ at, json }) => ({
              start: `{"seq":${++seq},"batch":${batch},"at":"${at}","event":`,
              rest: json
            }))
          )
        }
      }
    }
  )
}

const [newlineByte, comma, openBracket, closeBracket] = [0x0a, 0x2c, 0x5b, 0x5d]

/**
 * The signature of the snapshot that a journal's first bytes name, unverified; its
 * seal, where both are encrypted.
 *
 * @category decoding
 * @since 0.1.0
 */
export const snapshotNamed = (bytes: Uint8Array): Option.Option<string> =>
  Option.orElse(
    Option.map(firstObject(bytes), ({ snapshot }) => snapshot),
    () => Envelope.snapshotNamed(bytes)
  )

/**
 * The id of the key that a journal's first bytes name, unverified.
 *
 * @category decoding
 * @since 0.1.0
 */
export const keyNamed = (bytes: Uint8Array): Option.Option<string> => Option.map(firstObject(bytes), ({ key }) => key)

const firstLineOf = (bytes: Uint8Array): Uint8Array => {
  const end = bytes.indexOf(newlineByte)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

const firstObject = (bytes: Uint8Array): Option.Option<typeof First.Type> => {
  const line = firstLineOf(bytes)
  if (line.length > maxFirstLineBytes) return Option.none()
  return Text.fromBytes(line).pipe(
    Option.flatMap((text) => Result.getSuccess(Json.parse(text))),
    Option.flatMap((json) => Result.getSuccess(isFirst(json)))
  )
}

/**
 * The most bytes a journal's first line takes.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxFirstLineBytes = 512

/**
 * A verified journal.
 *
 * **Details**
 *
 * `torn` counts the bytes at the end that were left out: damage in the last batch,
 * which is what a write leaves that was cut short, or that is under way.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opened {
  readonly epoch: number
  readonly part: number
  readonly snapshot: string
  readonly events: ReadonlyArray<SessionEvent.Recorded>
  readonly torn: number
}

/**
 * Verifies and reads a journal, and takes the events of an older version to the
 * present one.
 *
 * @category decoding
 * @since 0.1.0
 */
export const open = (
  keyRing: KeyRing,
  id: SessionId,
  bytes: Uint8Array,
  rules: Rules
): Result.Result<Opened, InvalidJson | SchemaVersion> => {
  const broken = (line: number) => Result.fail(new InvalidJson({ id, reason: new BrokenJournal({ line }) }))
  const first = firstObject(bytes)
  if (Option.isNone(first) || first.value.id !== id) return broken(1)
  const { journal: version, key } = first.value
  if (version > rules.format.version) return Result.fail(Migration.unsupported(id, rules.format, version))
  const start = () => Signature.start(keyRing, key, { domain: "journal", version, id })
  const [mac, another] = [start(), start()]
  if (Option.isNone(mac) || Option.isNone(another)) {
    return Result.fail(new InvalidJson({ id, reason: new UnknownKey({ keyId: key }) }))
  }
  const firstLine = firstLineOf(bytes)
  const whole = version === rules.format.version
    ? readWhole(another.value, key, bytes, { firstLine, revision: first.value.revision, maxDepth: rules.maxDepth })
    : Option.none()
  if (Option.isSome(whole)) return Result.succeed({ ...first.value, events: whole.value, torn: 0 })
  if (firstLine.length === bytes.length || Option.isNone(SealedLine.open(mac.value, key, firstLine))) {
    return broken(1)
  }

  const events: Array<SessionEvent.Recorded> = []
  let offset = firstLine.length + 1
  let number = 1
  let revision = first.value.revision
  while (offset < bytes.length) {
    number++
    const end = bytes.indexOf(newlineByte, offset)
    const line = end < 0 ? Option.none() : SealedLine.open(mac.value, key, bytes.subarray(offset, end))
    if (Option.isNone(line)) {
      return isLastBatch(bytes.subarray(offset), revision + 1)
        ? Result.succeed({ ...first.value, events, torn: bytes.length - offset })
        : broken(number)
    }
    const decoded = decodeLine(id, number, line.value, version, rules)
    if (Result.isFailure(decoded)) return Result.fail(decoded.failure)
    const { at, event, seq } = decoded.success
    if (seq !== revision + 1) return broken(number)
    events.push({ at, event })
    revision = seq
    offset = end + 1
  }
  return Result.succeed({ ...first.value, events, torn: 0 })
}

/**
 * The events of all lines at once: the last MAC covers everything before it, and
 * so speaks for all. None where anything is not as it should be; then one line
 * after the other tells what.
 */
const readWhole = (
  mac: RunningMac,
  keyId: string,
  bytes: Uint8Array,
  { firstLine, maxDepth, revision }: {
    readonly firstLine: Uint8Array
    readonly maxDepth: number
    readonly revision: number
  }
): Option.Option<ReadonlyArray<SessionEvent.Recorded>> => {
  const end = bytes.length - 1
  const lastLine = bytes.lastIndexOf(newlineByte, end - 1) + 1
  if (bytes[end] !== newlineByte || lastLine <= firstLine.length) return Option.none()
  mac.update(bytes.subarray(0, lastLine))
  if (Option.isNone(SealedLine.open(mac, keyId, bytes.subarray(lastLine, end)))) return Option.none()
  const pieceBytes = Text.pieceBytes(bytes.length)
  const events: Array<SessionEvent.Recorded> = []
  for (let from = firstLine.length; from < end;) {
    const to = bytes.indexOf(newlineByte, Math.min(from + pieceBytes, end))
    const lines = Option.filter(
      linesIn(bytes.subarray(from, to + 1), maxDepth),
      (lines) => lines.every(({ seq }, index) => seq === revision + 1 + events.length + index)
    )
    if (Option.isNone(lines)) return Option.none()
    for (const { at, event } of lines.value) events.push({ at, event })
    from = to
  }
  return Option.some(events)
}

/** Lines, each after a newline and the last before one. None where one of them is anything else. */
const linesIn = (bytes: Uint8Array, maxDepth: number): Option.Option<ReadonlyArray<typeof Line.Type>> => {
  const { array, length } = arrayOf(bytes)
  return Text.fromBytes(array).pipe(
    Option.flatMap((text) => Result.getSuccess(Json.parse(text, { maxDepth: maxDepth + 1 }))),
    Option.flatMap((json) => Result.getSuccess(isLines(json))),
    Option.filter((lines) => lines.length === length)
  )
}

/** The same lines as one array. */
const arrayOf = (lines: Uint8Array): { readonly array: Uint8Array; readonly length: number } => {
  const array = lines.slice()
  let length = 0
  for (let at = array.indexOf(newlineByte); at >= 0; at = array.indexOf(newlineByte, at + 1)) {
    array[at] = comma
    length++
  }
  array[0] = openBracket
  array[array.length - 1] = closeBracket
  return { array, length: length - 1 }
}

const expectedText = { NotUtf8: "UTF-8", Syntax: "JSON" }

const decodeLine = (
  id: string,
  number: number,
  body: Uint8Array,
  version: number,
  { format, maxDepth }: Rules
): Result.Result<typeof Line.Type, InvalidJson | SchemaVersion> => {
  const invalid = ({ expected, path }: { readonly path: string; readonly expected: string }) =>
    new InvalidJson({ id, reason: new Shape({ path: `journal line ${number} ${path}`.trim(), expected }) })
  return Result.gen(function*() {
    const line = yield* Result.mapError(
      JsonDocument.parse(Text.concat([body, closing]), maxDepth),
      (reason) => invalid(reason._tag === "Shape" ? reason : { path: "", expected: expectedText[reason._tag] })
    )
    const present = version === format.version ? line : yield* migrateLine(id, format, version, line)
    return yield* Result.mapError(isLine(present), ([mistake]) => invalid(mistake))
  })
}

const migrateLine = (
  id: string,
  format: Migration.Format,
  version: number,
  line: Json.JsonObject
): Result.Result<Json.JsonObject, SchemaVersion> => {
  const { event = null } = line
  return JsonDocument.isObject(event)
    ? Result.map(
      Migration.migrate(id, format, version, event, "event"),
      ({ document }) => ({ ...line, event: document })
    )
    : Result.succeed(line)
}

const closing = Text.toBytes("}")

/**
 * The start of a line: the first bad one, or one behind the end of another. In
 * JSON nothing but `,`, `]` or `}` follows a `}`, and quotes inside texts are
 * escaped: so this is not content, even where the newline between is damaged or gone.
 */
const lineStart = /(?:^|\n|"mac":"[A-Za-z0-9_-]{43}"\}[^,\]}]?)\{"seq":(\d{1,15}),"batch":(\d{1,15}),/g

/**
 * Whether the first bad line, where `seq` is due, belongs to the last batch. Its
 * batch started at `seq` or before; a line of a batch that started later shows
 * that a sync had covered what is missing. Numbers that contradict each other
 * show nothing.
 */
const isLastBatch = (rest: Uint8Array, seq: number): boolean =>
  Array.from(new TextDecoder("latin1").decode(rest).matchAll(lineStart)).every(([, own, batch]) =>
    Number(batch) <= seq || Number(own) < Number(batch)
  )

/**
 * The state after everything in the journal.
 *
 * @category reducing
 * @since 0.1.0
 */
export const fold = (state: SessionState, journal: Opened): Result.Result<SessionState, InvalidJson> =>
  Result.mapError(
    SessionEvent.fold(state, journal.events),
    ({ index }) => new InvalidJson({ id: state.session.id, reason: new BrokenJournal({ line: index + 2 }) })
  )
