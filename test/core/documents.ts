/**
 * What the tests of core stand on: key rings, one small session, documents that
 * are written by hand and properly signed, and generated sessions.
 */
import { Arbitrary, Effect, Layer, Option, Predicate, Redacted, Result, Schema } from "effect"
import { Session, SessionEvent, SessionId, Signer, Timestamp } from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import * as Check from "../../src/core/Check.ts"
import * as Journal from "../../src/core/Journal.ts"
import * as Json from "../../src/core/Json.ts"
import * as Migration from "../../src/core/Migration.ts"
import type { KeyRing } from "../../src/core/Signature.ts"
import * as Signature from "../../src/core/Signature.ts"
import * as Snapshot from "../../src/core/Snapshot.ts"
import * as Text from "../../src/core/Text.ts"

export const keyRingOf = (...ids: ReadonlyArray<string>): KeyRing =>
  Effect.runSync(Effect.provide(
    Signer.Signer,
    Layer.provide(
      Signer.layer({
        keys: ids.map((id) => ({
          id,
          secret: Redacted.make(new Uint8Array(32).fill(id.length).fill(id.charCodeAt(0), 8))
        }))
      }),
      NodeHmac.layer
    )
  ))

export const keyRing = keyRingOf("first")
export const strangers = keyRingOf("strange")

/** A key ring that lost the key it should sign with. */
export const lostKey: KeyRing = { ...keyRing, current: "lost" }

export const id = SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
export const otherId = SessionId.make("0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f")
export const at = Timestamp.Timestamp.make("2026-01-31T09:30:00.000Z")
export const later = Timestamp.Timestamp.make("2026-02-01T10:00:00.000Z")
export const rules: Snapshot.Rules = { maxDepth: 64, format: Migration.current }

/** A session that says a little of everything. */
export const small: Session.SessionState = {
  session: {
    id,
    name: "small",
    projectPath: "/home/project",
    config: { provider: "p", model: "m", temperature: 0.5, maxTokens: 1000 },
    createdAt: at,
    updatedAt: later,
    metadata: { draft: true, none: null }
  },
  conversation: [
    { id: "1", role: "user", content: "hé 👋 \"\n", timestamp: at },
    {
      id: "2",
      role: "assistant",
      content: [{ type: "text", text: "x" }],
      timestamp: later,
      usage: { inputTokens: 1, outputTokens: 2, totalCost: 0.25 }
    }
  ],
  todos: [
    { content: "a", status: "pending", activeForm: "A" },
    { content: "b", status: "completed", activeForm: "B" }
  ],
  promptHistory: ["go"],
  usage: { inputTokens: 1, outputTokens: 2, totalCost: 0.25 },
  revision: 4,
  extra: {}
}

export const encodeMessages = (state: Session.SessionState): ReadonlyArray<Uint8Array> =>
  state.conversation.map(Snapshot.encodeMessage)

/** What they come to in a snapshot, in whatever pieces they are. */
export const joined = (messages: ReadonlyArray<Uint8Array>): string => messages.map(textOf).join(",\n")

export const publish = (
  state: Session.SessionState,
  publication: Snapshot.Publication = { epoch: 1 },
  keys: KeyRing = keyRing
): Snapshot.Signed => Option.getOrThrow(Snapshot.encode(keys, state, encodeMessages(state), publication))

/** The document of the small session as a JSON object, without its signature. */
export const document: Json.JsonObject = {
  version: 2,
  id,
  epoch: 1,
  revision: small.revision,
  name: small.session.name,
  projectPath: small.session.projectPath,
  createdAt: at,
  updatedAt: later,
  messages: 2,
  todosOpen: 1,
  todosDone: 1,
  config: small.session.config,
  conversation: small.conversation,
  todos: small.todos,
  promptHistory: small.promptHistory,
  usage: small.usage,
  metadata: small.session.metadata
}

export interface SignOptions {
  readonly id?: SessionId.SessionId
  readonly version?: number
  readonly keyRing?: KeyRing
}

/** Signs the bytes of a document as far as its signature's comma. */
export const signBytes = (signed: Uint8Array, options: SignOptions = {}): Uint8Array => {
  const keys = options.keyRing ?? keyRing
  const mac = Option.getOrThrow(
    Signature.start(keys, keys.current, {
      domain: "snapshot",
      version: options.version ?? 2,
      id: options.id ?? id
    })
  )
  mac.update(signed)
  return Text.concat([
    signed,
    Text.toBytes(`,"signature":"${Signature.make(keys.current, mac.digest()).text}"}`)
  ])
}

/** Signs the text of a JSON object. */
export const signText = (text: string, options: SignOptions = {}): Uint8Array =>
  signBytes(Text.toBytes(text.slice(0, text.lastIndexOf("}"))), options)

export const sign = (document: Json.JsonObject, options: SignOptions = {}): Uint8Array =>
  signText(JSON.stringify(document), options)

/** A value in which one place is changed, or removed where `now` gives nothing. */
export const changed = (
  json: Schema.Json,
  path: ReadonlyArray<string | number>,
  now: (before: Schema.Json | undefined) => Schema.Json | undefined
): Schema.Json => {
  const [step, ...rest] = path
  const inside = (key: string | number, value: Schema.Json): ReadonlyArray<Schema.Json> => {
    if (key !== step) return [value]
    const next = rest.length === 0 ? now(value) : changed(value, rest, now)
    return next === undefined ? [] : [next]
  }
  if (isArray(json)) return json.flatMap((value, index) => inside(index, value))
  if (!isObject(json)) return json
  const members = Object.entries(json).flatMap(([key, value]) =>
    inside(key, value).map((value) => [key, value] as const)
  )
  const added = typeof step === "string" && !Object.hasOwn(json, step) && rest.length === 0 ? now(undefined) : undefined
  return Object.fromEntries(added === undefined ? members : [...members, [String(step), added] as const])
}

const isArray = (json: Schema.Json): json is ReadonlyArray<Schema.Json> => Array.isArray(json)
const isObject = (json: Schema.Json): json is Json.JsonObject => Predicate.isObject(json)

/** The document of the small session with one place changed. */
export const documentWith = (
  path: ReadonlyArray<string | number>,
  value: Schema.Json | undefined
): Json.JsonObject => {
  const json = changed(document, path, () => value)
  return isObject(json) ? json : document
}

/** A copy with one byte changed by `mask`. */
export const flipped = (bytes: Uint8Array, index: number, mask: number): Uint8Array => {
  const copy = Uint8Array.from(bytes)
  copy[index] = (bytes[index] ?? 0) ^ mask
  return copy
}

export const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Arrays in arrays, `levels` deep. */
export const nested = (levels: number): string => "[".repeat(levels) + "]".repeat(levels)

const wellFormed = (value: unknown): unknown => {
  if (typeof value === "string") return value.toWellFormed()
  if (Array.isArray(value)) return value.map(wellFormed)
  if (!Predicate.isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, member]): readonly [string, unknown] => [key.toWellFormed(), wellFormed(member)])
  )
}

/** Generated values as applications can bring them in: copied, without lone surrogates. */
const storable = <S extends Schema.Codec<unknown, unknown>>(schema: S): Arbitrary.Arbitrary<S["Type"]> => {
  const check = Check.make(schema)
  return Arbitrary.filterMap(
    Arbitrary.schema(schema),
    (value) => Result.flatMap(Json.copy(wellFormed(value), rules.maxDepth), check)
  )
}

const reserved = new Set([...Object.keys(document), "closedAt", "signature"])

/** Any session. */
export const states: Arbitrary.Arbitrary<Session.SessionState> = Arbitrary.map(
  storable(Session.SessionState),
  (state) => ({
    ...state,
    extra: Object.fromEntries(Object.entries(state.extra).filter(([key]) => !reserved.has(key)))
  })
)

/** Anything that can happen to a session. */
export const recorded: Arbitrary.Arbitrary<SessionEvent.Recorded> = storable(
  Schema.Struct({ at: Timestamp.Timestamp, event: SessionEvent.SessionEvent })
)

/** Events in the batches in which they are written. */
export const batches: Arbitrary.Arbitrary<ReadonlyArray<ReadonlyArray<SessionEvent.Recorded>>> = Arbitrary.array(
  Arbitrary.array(recorded, { minLength: 1, maxLength: 4 }),
  { maxLength: 5 }
)

export const entry = ({ at, event }: SessionEvent.Recorded): Journal.Entry => ({
  at,
  json: Text.toBytes(JSON.stringify(event))
})

/** The lines of a journal, each with its newline: the first line, then a line an event. */
export const journalLines = (
  start: Journal.Start,
  batches: ReadonlyArray<ReadonlyArray<SessionEvent.Recorded>>,
  keys: KeyRing = keyRing
): ReadonlyArray<Uint8Array> => {
  const writer = Option.getOrThrow(Journal.writer(keys, start))
  const bytes = Text.concat([writer.firstLine, ...batches.map((batch) => writer.encode(batch.map(entry)))])
  return linesOf(bytes)
}

const linesOf = (bytes: Uint8Array): ReadonlyArray<Uint8Array> => {
  const lines: Array<Uint8Array> = []
  for (let from = 0; from < bytes.length;) {
    const end = bytes.indexOf(0x0a, from)
    const next = end < 0 ? bytes.length : end + 1
    lines.push(bytes.subarray(from, next))
    from = next
  }
  return lines
}
