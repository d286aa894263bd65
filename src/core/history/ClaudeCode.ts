/**
 * Claude Code: `~/.claude/projects/<directory>/<session>.jsonl`, a tree of
 * records by `uuid` and `parentUuid`. Learnt from public readers of these files
 * and from files that they were tested with; versions 1.0 to 2.1.
 *
 * **Details**
 *
 * One answer of the model comes in several records with one `message.id`, each
 * with the usage of the whole. What sub-agents say is marked `isSidechain`: in
 * the same file, or in files of their own (`agent-<id>.jsonl`).
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

const anthropic = (info: JsonObject): JsonObject => ({ anthropic: { info } })

/** A file as the provider's interface has it. */
const fileOf = (block: JsonObject): ReadonlyArray<Part> => {
  const source = Fields.object(block, "source")
  const mediaType = Fields.text(source, "media_type")
  const data = Fields.text(source, "data")
  const address = Fields.text(source, "url")
  const title = Fields.words(block, "title")
  if (address !== undefined) return [Parts.url(address, mediaType, title)]
  if (data === undefined) return []
  return Fields.text(source, "type") === "text"
    ? [Parts.text(data)]
    : [Parts.bytes(mediaType ?? "application/octet-stream", data, title)]
}

/** Text and files; nothing for a block of another kind. */
const shown = (block: JsonObject): ReadonlyArray<Part> => {
  switch (Fields.text(block, "type")) {
    case "text": {
      const text = Fields.text(block, "text")
      return text === undefined ? [] : [Parts.text(text)]
    }
    case "image":
    case "document":
      return fileOf(block)
    default:
      return []
  }
}

const resultOf = (block: JsonObject, byProvider: boolean): Part => {
  const id = Fields.text(block, "tool_use_id") ?? ""
  const content = Fields.member(block, "content")
  const options = { isFailure: Fields.isOn(block, "is_error"), byProvider }
  if (!Fields.isList(content)) return Parts.result(id, "", content ?? "", options)
  const parts = content.map((piece) => shown(Fields.asObject(piece)))
  return byProvider || parts.some((part) => part.length === 0)
    ? Parts.result(id, "", content, options)
    : Parts.resultOf(id, "", parts.flat(), options)
}

/** What one block of a message is; nothing for a block of an unknown kind. */
const partsOf = (block: JsonObject): ReadonlyArray<Part> => {
  const type = Fields.text(block, "type") ?? ""
  const id = Fields.text(block, "id") ?? ""
  const name = Fields.text(block, "name") ?? "unknown"
  switch (type) {
    case "thinking": {
      const signature = Fields.words(block, "signature")
      return [Parts.reasoning(
        Fields.text(block, "thinking") ?? "",
        signature === undefined ? {} : anthropic({ type: "thinking", signature })
      )]
    }
    case "redacted_thinking": {
      const redactedData = Fields.text(block, "data") ?? ""
      return [Parts.reasoning("", anthropic({ type: "redacted_thinking", redactedData }))]
    }
    case "tool_use":
      return [Parts.call(id, name, Fields.member(block, "input") ?? {})]
    case "server_tool_use":
    case "mcp_tool_use":
      return [Parts.call(id, name, Fields.member(block, "input") ?? {}, { byProvider: true })]
    case "tool_result":
      return [resultOf(block, false)]
    default:
      return type.endsWith("_tool_result") ? [resultOf(block, true)] : shown(block)
  }
}

const usageOf = (record: JsonObject, message: JsonObject): Usage | undefined => {
  const usage = Fields.object(message, "usage")
  const totalCost = Parts.cost(record, "costUSD")
  if (Object.keys(usage).length === 0 && totalCost === 0) return undefined
  return {
    inputTokens: Parts.count(usage, "input_tokens") + Parts.count(usage, "cache_creation_input_tokens") +
      Parts.count(usage, "cache_read_input_tokens"),
    outputTokens: Parts.count(usage, "output_tokens"),
    totalCost
  }
}

/** The blocks of a message, whose content may be a text. */
const blocksOf = (content: Schema.Json | undefined): ReadonlyArray<JsonObject> =>
  typeof content === "string" ? [{ type: "text", text: content }] : Fields.asList(content).map(Fields.asObject)

/** What every record says about itself. */
const circumstances = (record: JsonObject): Omit<History.Reading, "outcome"> => {
  const uuid = Fields.words(record, "uuid")
  const parent = Fields.words(record, "parentUuid") ?? Fields.words(record, "logicalParentUuid")
  const agent = Fields.words(record, "agentId") ?? Fields.words(record, "parent_tool_use_id")
  const isAside = Fields.isOn(record, "isSidechain") || Fields.words(record, "parent_tool_use_id") !== undefined
  return {
    ...(uuid === undefined ? {} : { node: { id: uuid, ...(parent === undefined ? {} : { parent }) } }),
    ...(isAside ? { aside: agent === undefined ? {} : { agent } } : {}),
    facts: factsOf(record)
  }
}

const factsOf = (record: JsonObject): History.Facts => {
  const id = Fields.words(record, "sessionId") ?? Fields.words(record, "session_id")
  const cwd = Fields.words(record, "cwd")
  const metadata = Fields.pick(record, "version", "gitBranch", "slug", "teamName", "agentName")
  return {
    ...(id === undefined ? {} : { id }),
    ...(cwd === undefined ? {} : { cwd }),
    ...(Object.keys(metadata).length === 0 ? {} : { metadata })
  }
}

const timeOf = (record: JsonObject) => {
  const at = Moment.read(Fields.member(record, "timestamp"))
  return at === undefined ? {} : { at }
}

const metadataOf = (record: JsonObject, message: JsonObject, unknown: ReadonlyArray<JsonObject>): JsonObject => ({
  ...Fields.pick(record, "requestId", "isMeta", "isCompactSummary", "isApiErrorMessage", "sourceToolUseID", "promptId"),
  ...Fields.known({
    model: Fields.words(message, "model"),
    stopReason: Fields.words(message, "stop_reason"),
    blocks: unknown.length === 0 ? undefined : unknown
  })
})

const assistant = (record: JsonObject): History.Reading => {
  const message = Fields.object(record, "message")
  const blocks = blocksOf(Fields.member(message, "content"))
  const parts = blocks.map(partsOf)
  const unknown = blocks.filter((_, index) => parts[index]?.length === 0)
  const usage = usageOf(record, message)
  const group = Fields.words(message, "id")
  const id = Fields.words(record, "uuid")
  const model = Fields.words(message, "model")
  const about = circumstances(record)
  const todos = blocks.map((block) => Todos.fromCall(Fields.text(block, "name"), Fields.member(block, "input")))
    .findLast((found) => found !== undefined)
  return History.map({
    ...about,
    facts: {
      ...about.facts,
      // What the program itself says has a model of that name.
      ...(model === undefined || model === "<synthetic>" ? {} : { model, provider: "anthropic" }),
      ...(todos === undefined ? {} : { todos })
    },
    said: [{
      ...(id === undefined ? {} : { id }),
      role: "assistant",
      parts: parts.flat(),
      ...timeOf(record),
      ...(group === undefined ? {} : { group }),
      ...(usage === undefined ? {} : { usage }),
      metadata: metadataOf(record, message, unknown)
    }]
  })
}

const user = (record: JsonObject): History.Reading => {
  const message = Fields.object(record, "message")
  const blocks = blocksOf(Fields.member(message, "content") ?? Fields.member(record, "content"))
  const parts = blocks.map(partsOf)
  const unknown = blocks.filter((_, index) => parts[index]?.length === 0)
  const all = parts.flat()
  const id = Fields.words(record, "uuid")
  const about = { ...(id === undefined ? {} : { id }), ...timeOf(record) }
  const metadata = metadataOf(record, message, unknown)
  const results = all.filter((part) => part.type === "tool-result")
  const others = all.filter((part) => part.type !== "tool-result")
  const todos = Todos.read(Fields.member(record, "todos"))
  const happened = circumstances(record)
  return History.map({
    ...happened,
    facts: { ...happened.facts, ...(todos === undefined || todos.length === 0 ? {} : { todos }) },
    said: [
      ...(results.length === 0 ? [] : [{ ...about, role: "tool" as const, parts: results, metadata }]),
      ...(others.length === 0 ? [] : [{ ...about, role: "user" as const, parts: others, metadata }])
    ],
    ...(Object.hasOwn(record, "toolUseResult")
      ? { changes: ["toolUseResult: left out, what the tool answered is kept"] }
      : {})
  })
}

/** A message that was typed while the model was at work, as it reached the model. */
const queued = (record: JsonObject, prompt: Schema.Json): History.Reading =>
  user({ ...record, message: { content: prompt }, promptSource: "queued" })

const titled = (record: JsonObject, text: string | undefined, weight: number): History.Reading =>
  text === undefined
    ? History.skip("a title that is empty")
    : History.map({ facts: { ...factsOf(record), title: { text, weight } } })

const attachment = (record: JsonObject): History.Reading => {
  const content = Fields.object(record, "attachment")
  const prompt = Fields.member(content, "prompt")
  return Fields.text(content, "type") === "queued_command" && prompt !== undefined
    ? queued(record, prompt)
    : History.keep(record, "context that the program added (attachment)", circumstances(record))
}

const system = (record: JsonObject): History.Reading => {
  const model = Fields.words(record, "model")
  const about = circumstances(record)
  return History.keep(record, "a notice of the program (system)", {
    ...about,
    facts: { ...about.facts, ...(model === undefined ? {} : { model, provider: "anthropic" }) }
  })
}

const read = (record: JsonObject): History.Reading => {
  const type = Fields.text(record, "type")
  switch (type) {
    case "assistant":
      return assistant(record)
    case "user":
      return user(record)
    case "attachment":
      return attachment(record)
    case "system":
      return system(record)
    case "summary":
      return titled(record, Fields.words(record, "summary"), 1)
    case "ai-title":
      return titled(record, Fields.words(record, "aiTitle"), 2)
    case "custom-title":
      return titled(record, Fields.words(record, "customTitle"), 3)
    case "file-history-snapshot":
      return History.skip("copies of files, for undoing changes")
    case "progress":
      return History.skip("progress of a tool while it ran", circumstances(record))
    case "last-prompt":
      return History.skip("a prompt that is in the conversation")
    case undefined:
      return History.skip("a record without a type")
    default:
      return History.keep(record, `a record of another kind (${type})`, circumstances(record))
  }
}

/**
 * @category readers
 * @since 0.1.0
 */
export const reader: History.Reader = {
  kind: "claude-code",
  shape: "looseTree",
  provider: "anthropic",
  read: (record) => [read(record)]
}

const types: ReadonlySet<string> = new Set(["user", "assistant", "system", "attachment", "progress"])

/**
 * Whether a record is one of Claude Code's.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRecord = (record: JsonObject): boolean => {
  const type = Fields.text(record, "type") ?? ""
  const isOfSession = Object.hasOwn(record, "sessionId") || Object.hasOwn(record, "session_id")
  if (type === "summary") return Object.hasOwn(record, "leafUuid")
  if (type === "file-history-snapshot") return Object.hasOwn(record, "snapshot")
  if (Object.hasOwn(record, "payload") || Object.hasOwn(record, "projectHash")) return false
  return types.has(type)
    ? isOfSession && (Object.hasOwn(record, "uuid") || Object.hasOwn(Fields.object(record, "message"), "content"))
    : isOfSession && type !== "" && !Object.hasOwn(record, "id")
}
