/**
 * What a session is, in the current version. Plain structs of JSON values:
 * the names here are the names on disk, so decoding renames nothing.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as SchemaAST from "effect/SchemaAST"
import { SessionId } from "./SessionId.ts"
import { Timestamp } from "./Timestamp.ts"

let segmenter: Intl.Segmenter | undefined

/** The graphemes of a text. What finds them is made when it is needed: it costs more than the rest of this module. */
const graphemesOf = (text: string): Intl.Segments =>
  (segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" })).segment(text)

const utf8 = new TextEncoder()

/**
 * The longest name a session can have: 50 graphemes, and 2,048 bytes of UTF-8
 * (a grapheme can be arbitrarily long).
 *
 * @category limits
 * @since 0.1.0
 */
export const nameLimits = { graphemes: 50, bytes: 2048 } as const

/**
 * A session's name: 1 to 50 graphemes.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Name = Schema.String.check(
  Schema.isMinLength(1, { expected: "a name of 1 to 50 characters" }),
  Schema.makeFilter(
    (name: string) =>
      name.isWellFormed() && utf8.encode(name).length <= nameLimits.bytes &&
      (name.length <= nameLimits.graphemes || Array.from(graphemesOf(name)).length <= nameLimits.graphemes),
    { expected: "a name of 1 to 50 characters" }
  )
)

/**
 * Cuts a text to a valid name; `fallback` where nothing is left.
 *
 * @category constructors
 * @since 0.1.0
 */
export const nameFrom = (text: string, fallback: string): string => {
  // A name has no more units than bytes: what is behind them never counts.
  const wellFormed = text.slice(0, nameLimits.bytes).toWellFormed()
  const short = wellFormed.length <= nameLimits.graphemes
    ? wellFormed
    : Array.from(graphemesOf(wellFormed), ({ segment }) => segment).slice(0, nameLimits.graphemes).join("")
  return Schema.is(Name)(short) ? short : fallback
}

/**
 * The longest project path, in bytes of UTF-8.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxPathBytes = 4096

const Label = Schema.String.check(Schema.isBetweenLength(1, 256))

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/**
 * Tokens used, and what they cost in the currency of the application.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Usage = Schema.Struct({
  inputTokens: count,
  outputTokens: count,
  totalCost: Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
})

/**
 * Who speaks.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Role = Schema.Literals(["user", "assistant", "system", "tool"])

/**
 * Where a session was forked from: `id` and `revision` are those of the session
 * that it was taken from, at that moment, and its first `messages` messages are
 * that session's.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Parent = Schema.Struct({ id: SessionId, revision: count, messages: count })

/**
 * @category models
 * @since 0.1.0
 */
export type Parent = typeof Parent.Type

/** The stored types around a schema for the JSON in them. */
const model = (json: Schema.Codec<Schema.Json>) => {
  const record = Schema.Record(Schema.String, json)
  const furtherMembers = [record] as const

  const part = <const Type extends string, const Fields extends Schema.Struct.Fields>(type: Type, fields: Fields) =>
    Schema.StructWithRest(Schema.Struct({ type: Schema.Literal(type), ...fields }), furtherMembers)

  const SessionConfig = Schema.StructWithRest(
    Schema.Struct({
      provider: Label,
      model: Label,
      temperature: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 2 })),
      maxTokens: Schema.Int.check(Schema.isGreaterThan(0))
    }),
    furtherMembers
  )

  const Part = Schema.Union([
    part("text", { text: Schema.String }),
    part("reasoning", { text: Schema.String }),
    part("file", { mediaType: Schema.String, data: json }),
    part("tool-call", { id: Schema.String, name: Schema.String, params: json }),
    part("tool-result", { id: Schema.String, name: Schema.String, isFailure: Schema.Boolean, result: json }),
    part("tool-approval-request", { approvalId: Schema.String, toolCallId: Schema.String }),
    part("tool-approval-response", { approvalId: Schema.String, approved: Schema.Boolean })
  ])

  const Message = Schema.StructWithRest(
    Schema.Struct({
      id: Schema.NonEmptyString,
      role: Role,
      content: Schema.Union([Schema.String, Schema.Array(Part)]),
      timestamp: Timestamp,
      usage: Schema.optionalKey(Usage)
    }),
    furtherMembers
  )

  const Todo = Schema.StructWithRest(
    Schema.Struct({
      content: Schema.String,
      status: Schema.Literals(["pending", "in_progress", "completed"]),
      activeForm: Schema.String
    }),
    furtherMembers
  )

  const Session = Schema.Struct({
    id: SessionId,
    name: Name,
    projectPath: Schema.String.check(
      Schema.isMinLength(1),
      Schema.makeFilter((path: string) => path.isWellFormed() && utf8.encode(path).length <= maxPathBytes, {
        expected: "a path of at most 4096 bytes"
      })
    ),
    config: SessionConfig,
    createdAt: Timestamp,
    updatedAt: Timestamp,
    metadata: record,
    parent: Schema.optionalKey(Parent)
  })

  const SessionState = Schema.Struct({
    session: Session,
    conversation: Schema.Array(Message),
    todos: Schema.Array(Todo),
    promptHistory: Schema.Array(Schema.String),
    usage: Usage,
    revision: count,
    extra: record
  })

  return { SessionConfig, Part, Message, Todo, Session, SessionState }
}

const schemas = model(Schema.Json)

/**
 * The same types for checking what is JSON already, parsed or copied: the JSON
 * in them is not looked into, which would cost more than all the rest.
 *
 * @category schemas
 * @since 0.1.0
 */
export const parsed = model(Schema.make(SchemaAST.unknown))

/**
 * Which model the session talks to. Further members are kept as they are.
 *
 * **Details**
 *
 * `temperature` is 0 to 2, `maxTokens` a positive number of tokens.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SessionConfig = schemas.SessionConfig

/**
 * @category models
 * @since 0.1.0
 */
export type SessionConfig = typeof SessionConfig.Type

/**
 * @category models
 * @since 0.1.0
 */
export type Usage = typeof Usage.Type

/**
 * Nothing used yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, totalCost: 0 }

/**
 * The sum of two usages.
 *
 * @category combinators
 * @since 0.1.0
 */
export const addUsage = (self: Usage, that: Usage): Usage => ({
  inputTokens: self.inputTokens + that.inputTokens,
  outputTokens: self.outputTokens + that.outputTokens,
  totalCost: self.totalCost + that.totalCost
})

/**
 * One piece of a message, in the encoded shape of effect/ai's Prompt parts.
 * Further members (provider options, file names, …) are kept as they are.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Part = schemas.Part

/**
 * @category models
 * @since 0.1.0
 */
export type Part = typeof Part.Type

/**
 * @category models
 * @since 0.1.0
 */
export type Role = typeof Role.Type

/**
 * One message of the conversation.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Message = schemas.Message

/**
 * @category models
 * @since 0.1.0
 */
export type Message = typeof Message.Type

/**
 * A message as it is handed to `append`: `id` and `timestamp` are filled in
 * where they are not given.
 *
 * @category models
 * @since 0.1.0
 */
export interface MessageInput {
  readonly id?: string
  readonly role: Role
  readonly content: string | ReadonlyArray<Part>
  readonly timestamp?: Timestamp
  readonly usage?: Usage
  readonly [member: string]: unknown
}

/**
 * One line of the session's to-do list. `activeForm` is how it reads while it
 * is being done ("Writing tests").
 *
 * @category schemas
 * @since 0.1.0
 */
export const Todo = schemas.Todo

/**
 * @category models
 * @since 0.1.0
 */
export type Todo = typeof Todo.Type

/**
 * A session without what was said in it. `projectPath` is the real path of a
 * directory, at most 4,096 bytes. A session that was forked has a `parent`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Session = schemas.Session

/**
 * @category models
 * @since 0.1.0
 */
export type Session = typeof Session.Type

/**
 * Everything a session holds.
 *
 * **Details**
 *
 * `conversation` and `promptHistory` are in the order in which they happened,
 * oldest first. `usage` is the sum over the messages. `revision` counts the
 * events since the session was created. `extra` holds members of the stored
 * document that this version does not know.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SessionState = schemas.SessionState

/**
 * @category models
 * @since 0.1.0
 */
export type SessionState = typeof SessionState.Type

/**
 * The state of a session in which nothing has happened yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const empty = (session: Session): SessionState => ({
  session,
  conversation: [],
  todos: [],
  promptHistory: [],
  usage: noUsage,
  revision: 0,
  extra: {}
})
