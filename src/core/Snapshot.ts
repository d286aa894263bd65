/**
 * A whole session as one signed JSON document (format version 2).
 *
 * **Details**
 *
 * The first line is the head: what a list needs, each field capped, up to the
 * conversation. Then a line for each message. The signature is the last member
 * and covers the exact bytes before it, so it is verified before anything is
 * parsed, and never by encoding again.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Check from "./Check.ts"
import * as Json from "./Json.ts"
import type { SessionState } from "./Session.ts"
import * as Session from "./Session.ts"
import {
  BadSignature,
  IdMismatch,
  InvalidJson,
  NotUtf8,
  SchemaVersion,
  Shape,
  Syntax,
  UnknownKey,
  Unsigned
} from "./SessionError.ts"
import * as SessionId from "./SessionId.ts"
import type { KeyRing } from "./Signature.ts"
import * as Signature from "./Signature.ts"
import * as Text from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

/** The format version that this program writes. */
const version = 2

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const { config, createdAt, id, metadata, name, projectPath, updatedAt } = Session.Session.fields

/**
 * What the first line tells without reading on. Unverified until the session
 * is loaded. `epoch` is the publisher's.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Head = Schema.Struct({
  version: Schema.Literal(version),
  id,
  epoch: Schema.Int.check(Schema.isGreaterThan(0)),
  revision: count,
  name,
  projectPath,
  createdAt,
  updatedAt,
  closedAt: Schema.optionalKey(Timestamp),
  messages: count,
  todosOpen: count,
  todosDone: count
})

/**
 * @category models
 * @since 0.1.0
 */
export type Head = typeof Head.Type

const Document = Schema.Struct({
  ...Head.fields,
  config,
  conversation: Schema.Array(Session.Message),
  todos: Schema.Array(Session.Todo),
  promptHistory: Schema.Array(Schema.String),
  usage: Session.Usage,
  metadata
})

const known = new Set([...Object.keys(Document.fields), "signature"])

/**
 * The most bytes the head takes: name, path and labels are capped, and JSON
 * writes a byte in at most six.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxHeadBytes = 6 * (Session.maxPathBytes + Session.nameLimits.bytes) + 1024

/**
 * The most bytes the end of a snapshot takes from the signature's comma on.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxTailBytes = `,"signature":""}`.length + Signature.maxLength

/**
 * What a publisher adds to a state.
 *
 * @category models
 * @since 0.1.0
 */
export interface Publication {
  readonly epoch: number
  readonly closedAt?: Timestamp
}

/**
 * A signed snapshot and its signature, by which a journal names it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Signed {
  readonly bytes: Uint8Array
  readonly signature: string
}

/**
 * A verified snapshot.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opened {
  readonly state: SessionState
  readonly head: Head
  readonly signature: string
  /** The UTF-8 of each message, as stored. */
  readonly messages: ReadonlyArray<Uint8Array>
}

/**
 * A message as it stands in snapshots and journals.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encodeMessage = (message: Session.Message): Uint8Array => Text.toBytes(JSON.stringify(message))

const separator = Text.toBytes(",\n")

/**
 * Encodes and signs a state. `messages` are the encoded messages of the
 * conversation, in order: a publisher keeps them, so that saving again costs
 * what is new.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (
  keyRing: KeyRing,
  state: SessionState,
  messages: ReadonlyArray<Uint8Array>,
  publication: Publication
): Option.Option<Signed> =>
  Option.map(
    Signature.start(keyRing, keyRing.current, { domain: "snapshot", version, id: state.session.id }),
    (mac) => {
      const pieces: Array<Uint8Array> = [Text.toBytes(`${headText(state, publication)},"conversation":[\n`)]
      for (const [index, message] of messages.entries()) {
        if (index > 0) pieces.push(separator)
        pieces.push(message)
      }
      pieces.push(Text.toBytes(`\n]${restText(state)}`))
      for (const piece of pieces) mac.update(piece)
      const signature = Signature.make(keyRing.current, mac.digest()).text
      pieces.push(Text.toBytes(`,"signature":"${signature}"}`))
      return { bytes: Text.concat(pieces), signature }
    }
  )

const headText = ({ conversation, revision, session, todos }: SessionState, publication: Publication): string => {
  const todosDone = todos.filter((todo) => todo.status === "completed").length
  const head: Head = {
    version,
    id: session.id,
    epoch: publication.epoch,
    revision,
    name: session.name,
    projectPath: session.projectPath,
    createdAt: session.createdAt,
    updatedAt: session.updatedAt,
    ...(publication.closedAt === undefined ? {} : { closedAt: publication.closedAt }),
    messages: conversation.length,
    todosOpen: todos.length - todosDone,
    todosDone
  }
  return JSON.stringify({ ...head, config: session.config }).slice(0, -1)
}

const restText = ({ extra, promptHistory, session, todos, usage }: SessionState): string =>
  Object.entries({ todos, promptHistory, usage, metadata: session.metadata, ...extra })
    .map(([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`)
    .join("")

const tailPattern = /,"signature":"([^"]*)"\}$/
const latin1 = new TextDecoder("latin1")

/**
 * The signature that the last bytes of a snapshot carry, unverified.
 *
 * @category decoding
 * @since 0.1.0
 */
export const signatureAtEnd = (bytes: Uint8Array): Option.Option<string> =>
  Option.fromUndefinedOr(tailPattern.exec(latin1.decode(bytes.subarray(-maxTailBytes)))?.[1])

/**
 * Reads the head from the first bytes of a snapshot, unverified. Succeeds with
 * none where these bytes do not hold all of it. `isSigned` says whether the
 * last bytes of the snapshot are a signature: without one the file is not ours,
 * or was cut short.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decodeHead = (
  id: string,
  bytes: Uint8Array,
  isSigned: boolean
): Result.Result<Option.Option<Head>, InvalidJson | SchemaVersion> => {
  if (!isSigned) return Result.flatMap(unsigned(id, bytes), (reason) => Result.fail(new InvalidJson({ id, reason })))
  const claim = claims(bytes)
  if (claim.version > version) {
    return Result.fail(new SchemaVersion({ id, supported: version, found: claim.version }))
  }
  const end = latin1.decode(bytes.subarray(0, maxHeadBytes)).indexOf(",\"config\":")
  if (end < 0) return Result.succeed(Option.none())
  return Result.gen(function*() {
    const document = yield* parse(id, Text.concat([bytes.subarray(0, end), Text.toBytes("}")]))
    yield* checkVersion(id, document)
    return Option.some(yield* checkHead(id, document))
  })
}

/**
 * What a signed file without a head is refused with.
 *
 * @category errors
 * @since 0.1.0
 */
export const noHead = (id: string): InvalidJson =>
  new InvalidJson({ id, reason: new Shape({ path: "", expected: "a session's document" }) })

const checkHead = (id: string, document: Schema.Json): Result.Result<Head, InvalidJson> =>
  Result.mapError(isHead(document), ([reason]) => new InvalidJson({ id, reason })).pipe(
    Result.filterOrFail(
      (head) => head.id === id,
      (head) => new InvalidJson({ id, reason: new IdMismatch({ found: head.id }) })
    )
  )

const isHead = Check.make(Head)
const isDocument = Check.make(Document)

const parse = (id: string, bytes: Uint8Array): Result.Result<Json.JsonObject, InvalidJson> =>
  Result.gen(function*() {
    const text = yield* Result.fromOption(Text.fromBytes(bytes), () => new InvalidJson({ id, reason: new NotUtf8({}) }))
    const json = yield* Result.mapError(
      Json.parse(text),
      (offset) => new InvalidJson({ id, reason: new Syntax({ offset }) })
    )
    if (/\\u[dD]/.test(text) && !Json.isWellFormed(json)) {
      return yield* Result.fail(
        new InvalidJson({ id, reason: new Shape({ path: "", expected: "free of lone surrogates" }) })
      )
    }
    return yield* Result.mapError(
      isObject(json),
      () => new InvalidJson({ id, reason: new Shape({ path: "", expected: "an object" }) })
    )
  })

const isObject = Result.liftPredicate(
  (json: Schema.Json): json is Json.JsonObject => typeof json === "object" && json !== null && !Array.isArray(json),
  () => "not an object"
)

const checkVersion = (id: string, document: Json.JsonObject): Result.Result<void, SchemaVersion> => {
  const found = Object.hasOwn(document, "version") ? document["version"] : undefined
  return found === version
    ? Result.void
    : Result.fail(new SchemaVersion({ id, supported: version, ...(found === undefined ? {} : { found }) }))
}

const claimed = /^\{"version":(\d{1,9}),"id":"([0-9a-f-]{36})"/

const claims = (bytes: Uint8Array) => {
  const [, versionText, idText] = claimed.exec(latin1.decode(bytes.subarray(0, 100))) ?? []
  return { version: versionText === undefined ? version : Number(versionText), id: idText }
}

/**
 * Verifies the signature over the bytes as they are, and only then reads them.
 *
 * **Details**
 *
 * A document that says it is newer than this program is answered with
 * `SchemaVersion` even when its signature can't be verified, since a newer
 * format may sign in another way.
 *
 * @category decoding
 * @since 0.1.0
 */
export const open = (
  keyRing: KeyRing,
  id: SessionId.SessionId,
  bytes: Uint8Array,
  maxDepth: number
): Result.Result<Opened, InvalidJson | SchemaVersion> =>
  Result.gen(function*() {
    const signature = yield* verify(keyRing, id, bytes)
    const document = yield* parse(id, bytes)
    yield* checkVersion(id, document)
    if (Json.isDeeperThan(document, maxDepth)) {
      return yield* Result.fail(
        new InvalidJson({ id, reason: new Shape({ path: "", expected: `at most ${maxDepth} levels deep` }) })
      )
    }
    const { config, conversation, metadata, promptHistory, todos, usage } = yield* Result.mapError(
      isDocument(document),
      ([reason]) => new InvalidJson({ id, reason })
    )
    const head = yield* checkHead(
      id,
      Object.fromEntries(Object.entries(document).filter(([key]) => Object.hasOwn(Head.fields, key)))
    )
    const todosDone = todos.filter((todo) => todo.status === "completed").length
    const counts = { messages: conversation.length, todosOpen: todos.length - todosDone, todosDone }
    for (const [path, counted] of Object.entries(counts)) {
      if (document[path] === counted) continue
      return yield* Result.fail(
        new InvalidJson({ id, reason: new Shape({ path, expected: `${counted}, as counted` }) })
      )
    }
    const state: SessionState = {
      session: {
        id: head.id,
        name: head.name,
        projectPath: head.projectPath,
        config,
        createdAt: head.createdAt,
        updatedAt: head.updatedAt,
        metadata
      },
      conversation,
      todos,
      promptHistory,
      usage,
      revision: head.revision,
      extra: Object.fromEntries(Object.entries(document).filter(([key]) => !known.has(key)))
    }
    return { state, head, signature, messages: messageLines(bytes, conversation) }
  })

const verify = (
  keyRing: KeyRing,
  id: SessionId.SessionId,
  bytes: Uint8Array
): Result.Result<string, InvalidJson | SchemaVersion> => {
  const invalid = (reason: InvalidJson["reason"]) => Result.fail(new InvalidJson({ id, reason }))
  const text = signatureAtEnd(bytes)
  if (Option.isNone(text)) return Result.flatMap(unsigned(id, bytes), invalid)
  const claim = claims(bytes)
  if (claim.version > version) {
    return Result.fail(new SchemaVersion({ id, supported: version, found: claim.version }))
  }
  const signature = Signature.parse(text.value)
  if (Option.isNone(signature)) return invalid(new BadSignature({}))
  const signed = bytes.subarray(0, bytes.length - `,"signature":"${text.value}"}`.length)
  const fits = (id: SessionId.SessionId) =>
    Option.map(
      Signature.start(keyRing, signature.value.keyId, { domain: "snapshot", version: claim.version, id }),
      (mac) => {
        mac.update(signed)
        return Signature.matches(mac, signature.value)
      }
    )
  const verified = fits(id)
  if (Option.isNone(verified)) return invalid(new UnknownKey({ keyId: signature.value.keyId }))
  if (verified.value) return Result.succeed(text.value)
  return SessionId.isSessionId(claim.id) && claim.id !== id && Option.contains(fits(claim.id), true)
    ? invalid(new IdMismatch({ found: claim.id }))
    : invalid(new BadSignature({}))
}

/** Why bytes without a signature are refused, in the words that help most. */
const unsigned = (id: string, bytes: Uint8Array): Result.Result<InvalidJson["reason"], SchemaVersion> =>
  Result.match(parse(id, bytes), {
    onFailure: ({ reason }) => Result.succeed(reason),
    onSuccess: (document) => {
      const found = document["version"]
      return typeof found === "number" && Number.isInteger(found) && found > version
        ? Result.fail(new SchemaVersion({ id, supported: version, found }))
        : Result.succeed(new Unsigned({}))
    }
  })

const newline = 0x0a

/** The lines of the conversation, as stored; encoded again where they are not a message each. */
const messageLines = (
  bytes: Uint8Array,
  conversation: ReadonlyArray<Session.Message>
): ReadonlyArray<Uint8Array> => {
  const lines: Array<Uint8Array> = []
  let start = bytes.indexOf(newline) + 1
  if (!latin1.decode(bytes.subarray(0, start)).endsWith(",\"conversation\":[\n")) return conversation.map(encodeMessage)
  while (lines.length < conversation.length) {
    const end = bytes.indexOf(newline, start)
    if (end < 0) break
    const isLast = lines.length === conversation.length - 1
    lines.push(bytes.subarray(start, isLast ? end : end - 1))
    start = end + 1
  }
  return lines.length === conversation.length && lines.every(isMessageLine) ? lines : conversation.map(encodeMessage)
}

const isMessageLine = (line: Uint8Array): boolean => line[0] === 0x7b && line.at(-1) === 0x7d
