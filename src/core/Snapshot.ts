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
import * as Envelope from "./Envelope.ts"
import * as Head from "./Head.ts"
import type * as Json from "./Json.ts"
import * as JsonDocument from "./JsonDocument.ts"
import * as MessageLines from "./MessageLines.ts"
import * as Migration from "./Migration.ts"
import type { SessionState } from "./Session.ts"
import * as Session from "./Session.ts"
import { BadSignature, IdMismatch, InvalidJson, type SchemaVersion, Shape, UnknownKey } from "./SessionError.ts"
import * as SessionId from "./SessionId.ts"
import type { KeyRing } from "./Signature.ts"
import * as Signature from "./Signature.ts"
import * as StoredMessages from "./StoredMessages.ts"
import * as Text from "./Text.ts"
import type { Timestamp } from "./Timestamp.ts"

const { Message, Session: { fields: { config, metadata } }, Todo } = Session.parsed

const Document = Schema.Struct({
  ...Head.Head.fields,
  config,
  conversation: Schema.Array(Message),
  todos: Schema.Array(Todo),
  promptHistory: Schema.Array(Schema.String),
  usage: Session.Usage,
  metadata
})

const known: ReadonlySet<string> = new Set([...Object.keys(Document.fields), "signature"])

const unknownIn = (document: Json.JsonObject): Json.JsonObject =>
  Object.fromEntries(Object.entries(document).filter(([key]) => !known.has(key)))

/**
 * What a document is signed for: to be stored, or to be carried elsewhere.
 *
 * @category models
 * @since 0.1.0
 */
export type Purpose = "snapshot" | "export"

/**
 * What a publisher adds to a state. Without `purpose` it is to be stored, and
 * without `version` it is of this program's.
 *
 * @category models
 * @since 0.1.0
 */
export interface Publication {
  readonly epoch: number
  /** How many of the encoded messages are not in the state. */
  readonly earlier?: number
  readonly closedAt?: Timestamp
  readonly purpose?: Purpose
  readonly version?: number
}

/**
 * How a document is read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rules {
  /** Levels of arrays and objects. */
  readonly maxDepth: number
  readonly format: Migration.Format
  readonly purpose?: Purpose
  /** Of the messages only so many of the last ones are parsed and checked; all are verified. */
  readonly tail?: number
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
  readonly head: Head.Head
  /** The version that is stored: an older one was migrated. */
  readonly version: number
  readonly signature: string
  /** The UTF-8 of all messages, as stored: as `encode` takes them. */
  readonly messages: ReadonlyArray<Uint8Array>
  /** The messages before those of the state. */
  readonly earlier: StoredMessages.Earlier
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
 * conversation, in order, in pieces of one or more with `,` and a newline between
 * them: a publisher keeps them, so that saving again costs what is new.
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
    Signature.start(keyRing, keyRing.current, {
      domain: publication.purpose ?? "snapshot",
      version: publication.version ?? Migration.current.version,
      id: state.session.id
    }),
    (mac) => {
      const pieces: Array<Uint8Array> = [
        Text.toBytes(`${headText(state, publication)},"conversation":[\n`)
      ]
      for (const [index, message] of messages.entries()) {
        if (index > 0) pieces.push(separator)
        pieces.push(message)
      }
      pieces.push(Text.toBytes(`\n]${restText(state)}`))
      // Joined once, with room for the signature: a call of the MAC for each message costs as much as hashing it.
      const end = (signature: string) => Text.toBytes(`,"signature":"${signature}"}`)
      const room = end(Signature.blank(keyRing.current))
      const bytes = Text.concat([...pieces, room])
      const signed = bytes.subarray(0, bytes.length - room.length)
      mac.update(signed)
      const signature = Signature.make(keyRing.current, mac.digest()).text
      bytes.set(end(signature), signed.length)
      return { bytes, signature }
    }
  )

const headText = ({ conversation, revision, session, todos }: SessionState, publication: Publication): string => {
  const todosDone = todos.filter((todo) => todo.status === "completed").length
  const head: Head.Head = {
    version: publication.version ?? Migration.current.version,
    id: session.id,
    epoch: publication.epoch,
    revision,
    name: session.name,
    projectPath: session.projectPath,
    createdAt: session.createdAt,
    updatedAt: session.updatedAt,
    ...(publication.closedAt === undefined ? {} : { closedAt: publication.closedAt }),
    messages: (publication.earlier ?? 0) + conversation.length,
    todosOpen: todos.length - todosDone,
    todosDone,
    ...(session.parent === undefined ? {} : { parent: session.parent })
  }
  return JSON.stringify({ ...head, config: session.config }).slice(0, -1)
}

const restText = ({ extra, promptHistory, session, todos, usage }: SessionState): string =>
  Object.entries({ todos, promptHistory, usage, metadata: session.metadata, ...extra })
    .map(([key, value]) => `,${JSON.stringify(key)}:${JSON.stringify(value)}`)
    .join("")

const isDocument = Check.make(Document)

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
  rules: Rules
): Result.Result<Opened, InvalidJson | SchemaVersion> =>
  Result.flatMap(verify(keyRing, id, bytes, rules), (signature) => {
    const isOnePiece = rules.tail === undefined && bytes.length <= Text.pieceBytes(bytes.length)
    return Option.match(isOnePiece ? Option.none() : inPieces(id, bytes, rules), {
      onNone: () => whole(id, bytes, signature, rules),
      onSome: (read) => Result.succeed({ ...read, version: rules.format.version, signature })
    })
  })

/** The messages as they stand in a document of the present version, and the rest of it. None where they are elsewhere. */
const apart = (bytes: Uint8Array, { format, maxDepth }: Rules) =>
  Option.gen(function*() {
    yield* Option.filter(Head.claims(bytes), ({ version }) => version === format.version)
    const { messages, rest } = yield* MessageLines.find(bytes)
    const document = yield* Option.filter(
      Result.getSuccess(JsonDocument.parse(rest, maxDepth)),
      ({ conversation }) => Array.isArray(conversation) && conversation.length === 0
    )
    return { document, messages }
  })

const piecesOf = (...pieces: ReadonlyArray<Uint8Array>): ReadonlyArray<Uint8Array> =>
  pieces.filter(({ length }) => length > 0)

/**
 * Reads the messages a piece at a time, apart from the rest. None where they are
 * not written so that this can be done, and where anything is wrong: who reads
 * all of it as one then tells what.
 */
const inPieces = (
  id: SessionId.SessionId,
  bytes: Uint8Array,
  rules: Rules
): Option.Option<Pick<Opened, "earlier" | "head" | "messages" | "state">> =>
  Option.gen(function*() {
    const { document, messages } = yield* apart(bytes, rules)
    const ends = rules.tail === undefined
      ? { earlier: StoredMessages.none.bytes, last: messages }
      : yield* MessageLines.last(messages, rules.tail)
    const conversation = yield* StoredMessages.parse(ends.last, rules.maxDepth)
    const count = ends.earlier.length === 0
      ? 0
      : yield* Option.liftPredicate(Number(document["messages"]) - conversation.length, (count) => count > 0)
    const { head, state } = yield* Result.getSuccess(fromDocument(id, document, { conversation, earlier: count }))
    return {
      state,
      head,
      messages: piecesOf(ends.earlier, ends.last),
      earlier: { count, bytes: ends.earlier }
    }
  })

const whole = (
  id: SessionId.SessionId,
  bytes: Uint8Array,
  signature: string,
  rules: Rules
): Result.Result<Opened, InvalidJson | SchemaVersion> =>
  Result.gen(function*() {
    const { format } = rules
    const document = yield* Result.mapError(
      JsonDocument.parse(bytes, rules.maxDepth),
      (reason) => new InvalidJson({ id, reason })
    )
    const version = yield* Migration.versionOf(id, format, document)
    const migrated = yield* Migration.migrate(id, format, version, document)
    const { head, state } = yield* fromDocument(id, migrated.document)
    let messages: ReadonlyArray<Uint8Array> | undefined
    return {
      state,
      head,
      version,
      signature,
      earlier: StoredMessages.none,
      get messages() {
        return messages ??= Option.match(apart(bytes, rules), {
          onNone: () => state.conversation.map(encodeMessage),
          onSome: ({ messages }) => piecesOf(messages)
        })
      }
    }
  })

/**
 * Reads the members of a document of the present version, whose messages may have
 * been read apart from it: then it has none. `earlier` is how many there are before
 * those.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromDocument = (
  id: SessionId.SessionId,
  document: Json.JsonObject,
  read?: { readonly conversation: ReadonlyArray<Session.Message>; readonly earlier: number }
): Result.Result<{ readonly head: Head.Head; readonly state: SessionState }, InvalidJson> =>
  isDocument(document).pipe(
    Result.mapError(([reason]) => new InvalidJson({ id, reason })),
    Result.flatMap((checked) =>
      Result.flatMap(Head.of(id, checked), (head) => {
        const { config, metadata, promptHistory, todos, usage } = checked
        const { conversation = checked.conversation, earlier = 0 } = read ?? {}
        const todosDone = todos.filter((todo) => todo.status === "completed").length
        const counts = [
          ["messages", head.messages, earlier + conversation.length],
          ["todosOpen", head.todosOpen, todos.length - todosDone],
          ["todosDone", head.todosDone, todosDone]
        ] as const
        for (const [path, said, counted] of counts) {
          if (said === counted) continue
          return Result.fail(new InvalidJson({ id, reason: new Shape({ path, expected: `${counted}, as counted` }) }))
        }
        const state: SessionState = {
          session: {
            id: head.id,
            name: head.name,
            projectPath: head.projectPath,
            config,
            createdAt: head.createdAt,
            updatedAt: head.updatedAt,
            metadata,
            ...(head.parent === undefined ? {} : { parent: head.parent })
          },
          conversation,
          todos,
          promptHistory,
          usage,
          revision: head.revision,
          extra: unknownIn(document)
        }
        return Result.succeed({ head, state })
      })
    )
  )

const verify = (
  keyRing: KeyRing,
  id: SessionId.SessionId,
  bytes: Uint8Array,
  { format, purpose = "snapshot" }: Rules
): Result.Result<string, InvalidJson | SchemaVersion> => {
  const invalid = (reason: InvalidJson["reason"]) => Result.fail(new InvalidJson({ id, reason }))
  if (Envelope.isEncrypted(bytes)) return Result.fail(Envelope.refuse(id, bytes))
  const text = Head.signatureAtEnd(bytes)
  if (Option.isNone(text)) return Head.refuseUnsigned(id, bytes, format)
  const claim = Option.getOrElse(Head.claims(bytes), () => ({ version: format.version, id }))
  if (claim.version > format.version) return Result.fail(Migration.unsupported(id, format, claim.version))
  const signature = Signature.parse(text.value)
  if (Option.isNone(signature)) return invalid(new BadSignature({}))
  const signed = bytes.subarray(0, bytes.length - `,"signature":"${text.value}"}`.length)
  const fits = (id: SessionId.SessionId) =>
    Option.map(
      Signature.start(keyRing, signature.value.keyId, { domain: purpose, version: claim.version, id }),
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
