/**
 * Gemini CLI: `~/.gemini/tmp/<project>/chats/session-<time>-<id>.json`, one
 * document, or `.jsonl`, a record a line. Learnt from the program's own code
 * (`chatRecordingService`).
 *
 * **Details**
 *
 * In lines a message that comes again replaces the earlier one, `$set` changes
 * the session (or all its messages), and `$rewindTo` takes messages back. What
 * `/chat save` writes, a list of `{role, parts}`, is read as well.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import type { JsonObject } from "../Json.ts"
import type { Part, Usage } from "../Session.ts"
import * as Fields from "./Fields.ts"
import * as History from "./History.ts"
import * as Moment from "./Moment.ts"
import * as Parts from "./Parts.ts"
import * as Todos from "./Todos.ts"

/** A result that is one text is that text. */
const outputOf = (response: JsonObject): Schema.Json => {
  const output = Fields.text(response, "output")
  return output !== undefined && Object.keys(response).length === 1 ? output : response
}

const responseOf = (piece: JsonObject, fallback: { readonly id: string; readonly name: string }): Part => {
  const answer = Fields.object(piece, "functionResponse")
  const response = Fields.object(answer, "response")
  return Parts.result(
    Fields.words(answer, "id") ?? fallback.id,
    Fields.words(answer, "name") ?? fallback.name,
    outputOf(response),
    { isFailure: Object.hasOwn(response, "error") }
  )
}

const partOf = (piece: Schema.Json): ReadonlyArray<Part> => {
  if (typeof piece === "string") return [Parts.text(piece)]
  const part = Fields.asObject(piece)
  const call = Fields.object(part, "functionCall")
  const file = Fields.object(part, "inlineData")
  const address = Fields.words(Fields.object(part, "fileData"), "fileUri")
  const signature = Fields.words(part, "thoughtSignature")
  if (Object.hasOwn(part, "functionCall")) {
    const options = signature === undefined ? {} : { options: { google: { thoughtSignature: signature } } }
    return [Parts.call(
      Fields.words(call, "id") ?? "",
      Fields.words(call, "name") ?? "unknown",
      Fields.member(call, "args") ?? {},
      options
    )]
  }
  if (Object.hasOwn(part, "functionResponse")) return [responseOf(part, { id: "", name: "" })]
  if (Object.hasOwn(part, "inlineData")) {
    return [Parts.bytes(Fields.words(file, "mimeType") ?? "application/octet-stream", Fields.text(file, "data") ?? "")]
  }
  if (address !== undefined) return [Parts.url(address, Fields.words(Fields.object(part, "fileData"), "mimeType"))]
  const text = Fields.text(part, "text")
  if (text === undefined) return []
  return [Fields.isOn(part, "thought") ? Parts.reasoning(text) : Parts.text(text)]
}

/** Content is a text, a part, or a list of both. */
const partsOf = (content: Schema.Json | undefined): ReadonlyArray<Part> =>
  content === undefined || content === null
    ? []
    : Fields.isList(content)
    ? content.flatMap(partOf)
    : partOf(content)

const thoughtOf = (thought: JsonObject): ReadonlyArray<Part> => {
  const subject = Fields.words(thought, "subject")
  const description = Fields.words(thought, "description")
  const text = [
    ...(subject === undefined ? [] : [`**${subject}**`]),
    ...(description === undefined ? [] : [description])
  ]
  return text.length === 0 ? [] : [Parts.reasoning(text.join(" "))]
}

const usageOf = (message: JsonObject): Usage | undefined => {
  const tokens = Fields.object(message, "tokens")
  if (Object.keys(tokens).length === 0) return undefined
  return {
    inputTokens: Parts.count(tokens, "input") + Parts.count(tokens, "tool"),
    outputTokens: Parts.count(tokens, "output") + Parts.count(tokens, "thoughts"),
    totalCost: 0
  }
}

const isFailed = (call: JsonObject): boolean => ["error", "cancelled"].includes(Fields.text(call, "status") ?? "")

/** What the record of a call says that it answered; nothing while it has not. */
const resultOf = (call: JsonObject): ReadonlyArray<Part> => {
  const id = Fields.text(call, "id") ?? ""
  const name = Fields.words(call, "name") ?? ""
  const result = Fields.member(call, "result")
  const pieces = typeof result === "string" ? [{ text: result }] : Fields.isList(result) ? result : [result ?? null]
  const answers = pieces.map(Fields.asObject)
  const own = answers.find((piece) => Object.hasOwn(piece, "functionResponse"))
  const files = answers.filter((piece) => !Object.hasOwn(piece, "functionResponse")).flatMap(partOf)
  if (own !== undefined) {
    const part = responseOf(own, { id, name })
    if (part.type !== "tool-result") return []
    return [Parts.result(id, name, part.result, {
      isFailure: isFailed(call) || part.isFailure,
      files: files.filter((file) => file.type === "file")
    })]
  }
  if (files.length > 0) return [Parts.resultOf(id, name, files, { isFailure: isFailed(call) })]
  return isFailed(call) ? [Parts.result(id, name, Fields.text(call, "status") ?? "", { isFailure: true })] : []
}

const answer = (message: JsonObject, said: Omit<History.Said, "role" | "parts">): ReadonlyArray<History.Said> => {
  const content = partsOf(Fields.member(message, "content"))
  const calls = Fields.objects(message, "toolCalls")
  const called = new Set(content.flatMap((part) => part.type === "tool-call" ? [part.id] : []))
  const thoughts = content.some((part) => part.type === "reasoning")
    ? []
    : Fields.objects(message, "thoughts").flatMap(thoughtOf)
  const usage = usageOf(message)
  const results = calls.flatMap(resultOf)
  return [
    {
      ...said,
      role: "assistant",
      parts: [
        ...thoughts,
        ...content.filter((part) => part.type !== "tool-result"),
        ...calls.filter((call) => !called.has(Fields.text(call, "id") ?? "")).map((call) =>
          Parts.call(
            Fields.text(call, "id") ?? "",
            Fields.words(call, "name") ?? "unknown",
            Fields.member(call, "args") ?? {}
          )
        )
      ],
      ...(usage === undefined ? {} : { usage }),
      metadata: Fields.pick(message, "model")
    },
    ...(results.length === 0 ? [] : [{ ...said, role: "tool" as const, parts: results }])
  ]
}

/** What a person said, which holds what tools answered as well. */
const asked = (
  parts: ReadonlyArray<Part>,
  said: Omit<History.Said, "role" | "parts">
): ReadonlyArray<History.Said> => {
  const results = parts.filter((part) => part.type === "tool-result")
  const others = parts.filter((part) => part.type !== "tool-result")
  return [
    ...(results.length === 0 ? [] : [{ ...said, role: "tool" as const, parts: results }]),
    ...(others.length === 0 ? [] : [{ ...said, role: "user" as const, parts: others }])
  ]
}

const message = (record: JsonObject): History.Reading => {
  const id = Fields.words(record, "id")
  const at = Moment.read(Fields.member(record, "timestamp"))
  const said = { ...(id === undefined ? {} : { id }), ...(at === undefined ? {} : { at }) }
  const place = id === undefined ? {} : { node: { id } }
  switch (Fields.text(record, "type")) {
    case "user":
      return History.map({ ...place, said: asked(partsOf(Fields.member(record, "content")), said) })
    case "gemini":
    case "model":
    case "assistant": {
      const model = Fields.words(record, "model")
      const todos = Fields.objects(record, "toolCalls")
        .map((call) => Todos.fromCall(Fields.text(call, "name"), Fields.member(call, "args")))
        .findLast((found) => found !== undefined)
      return History.map({
        ...place,
        said: answer(record, said),
        facts: { ...(model === undefined ? {} : { model }), ...(todos === undefined ? {} : { todos }) }
      })
    }
    default:
      return History.keep(record, "a notice of the program", place)
  }
}

/** A turn as the provider's interface has it. */
const turn = (record: JsonObject): History.Reading => {
  const parts = Fields.list(record, "parts").flatMap(partOf)
  return Fields.text(record, "role") === "user"
    ? History.map({ said: asked(parts, {}) })
    : History.map({ said: [{ role: "assistant", parts: parts.filter((part) => part.type !== "tool-result") }] })
}

const session = (record: JsonObject): History.Reading => {
  const id = Fields.words(record, "sessionId")
  const text = Fields.words(record, "summary")
  const createdAt = Moment.read(Fields.member(record, "startTime"))
  const [cwd] = Fields.list(record, "directories").filter((value) => typeof value === "string")
  const metadata = Fields.pick(record, "projectHash", "kind", "directories", "memoryScratchpad")
  const isSubagent = Fields.text(record, "kind") === "subagent"
  return History.map({
    facts: {
      ...(id === undefined ? {} : { id }),
      ...(text === undefined ? {} : { title: { text, weight: 2 } }),
      ...(createdAt === undefined ? {} : { createdAt }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(isSubagent ? { isSubagent } : {}),
      ...(Object.keys(metadata).length === 0 ? {} : { metadata })
    }
  })
}

const read = (record: JsonObject): ReadonlyArray<History.Reading> => {
  const rewindTo = Fields.text(record, "$rewindTo")
  if (rewindTo !== undefined) return [History.map({ revision: { _tag: "Rewound", to: rewindTo, whenMissing: "all" } })]
  if (Object.hasOwn(record, "$set")) {
    const changes = Fields.object(record, "$set")
    return [
      { ...session(changes), ...(Object.hasOwn(changes, "messages") ? { revision: { _tag: "Restarted" } } : {}) },
      ...Fields.objects(changes, "messages").map(message)
    ]
  }
  if (Object.hasOwn(record, "parts") && Object.hasOwn(record, "role")) return [turn(record)]
  if (Object.hasOwn(record, "sessionId")) return [session(record), ...Fields.objects(record, "messages").map(message)]
  if (Object.hasOwn(record, "history")) return Fields.objects(record, "history").map(turn)
  return Object.hasOwn(record, "type") ? [message(record)] : [History.keep(record, "a record of another kind")]
}

/**
 * @category readers
 * @since 0.1.0
 */
export const reader: History.Reader = { kind: "gemini", shape: "keyed", provider: "google", read }

const types: ReadonlySet<string> = new Set(["user", "gemini", "info", "error", "warning"])

/**
 * Whether a record is one of Gemini CLI's.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRecord = (record: JsonObject): boolean => {
  if (Object.hasOwn(record, "sessionId")) {
    return Object.hasOwn(record, "projectHash") || Object.hasOwn(record, "startTime")
  }
  if (Object.hasOwn(record, "$set") || Object.hasOwn(record, "$rewindTo")) return true
  if (Fields.isList(Fields.member(record, "parts"))) {
    return ["user", "model"].includes(Fields.text(record, "role") ?? "") && !Object.hasOwn(record, "id")
  }
  return types.has(Fields.text(record, "type") ?? "") && Object.hasOwn(record, "id") &&
    Object.hasOwn(record, "content") && !Object.hasOwn(record, "message")
}
