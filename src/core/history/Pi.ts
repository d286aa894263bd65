/**
 * pi: `~/.pi/agent/sessions/<directory>/<time>_<id>.jsonl`, a tree of entries by
 * `id` and `parentId` after a header. Learnt from the program's own
 * documentation and code (`docs/session.md`, `session-manager`), versions 1 to
 * 3 of the format; version 1 is a list without ids.
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

const partsOf = (content: Schema.Json | undefined): ReadonlyArray<Part> =>
  typeof content === "string" ?
    [Parts.text(content)] :
    Fields.asList(content).flatMap((block) => partOf(Fields.asObject(block)))

/** What the provider needs to take reasoning back: an item of OpenAI's in JSON, or Anthropic's signature. */
const signed = (signature: string | undefined): JsonObject => {
  if (signature === undefined) return {}
  if (!signature.startsWith("{")) return { anthropic: { info: { type: "thinking", signature } } }
  const item = Fields.asObject(Parts.params(signature))
  const encryptedContent = Fields.words(item, "encrypted_content")
  return encryptedContent === undefined
    ? {}
    : { openai: Fields.known({ itemId: Fields.words(item, "id"), encryptedContent }) }
}

const partOf = (block: JsonObject): ReadonlyArray<Part> => {
  switch (Fields.text(block, "type")) {
    case "text": {
      const text = Fields.text(block, "text")
      return text === undefined ? [] : [Parts.text(text)]
    }
    case "thinking":
      return [Parts.reasoning(Fields.text(block, "thinking") ?? "", signed(Fields.words(block, "thinkingSignature")))]
    case "image":
      return [Parts.bytes(Fields.words(block, "mimeType") ?? "image/*", Fields.text(block, "data") ?? "")]
    case "toolCall":
      return [Parts.call(
        Fields.text(block, "id") ?? "",
        Fields.words(block, "name") ?? "unknown",
        Fields.member(block, "arguments") ?? {}
      )]
    default:
      return []
  }
}

const usageOf = (message: JsonObject): Usage | undefined => {
  const usage = Fields.object(message, "usage")
  if (Object.keys(usage).length === 0) return undefined
  return {
    inputTokens: Parts.count(usage, "input") + Parts.count(usage, "cacheRead") + Parts.count(usage, "cacheWrite"),
    outputTokens: Parts.count(usage, "output"),
    totalCost: Parts.cost(Fields.object(usage, "cost"), "total")
  }
}

/** A command that the person ran, in the words in which pi tells it to the model. */
const commandText = (message: JsonObject): string => {
  const output = Fields.words(message, "output")
  const exitCode = Fields.number(message, "exitCode") ?? 0
  return [
    `Ran \`${Fields.text(message, "command") ?? ""}\`\n`,
    output === undefined ? "(no output)" : `\`\`\`\n${output}\n\`\`\``,
    Fields.isOn(message, "cancelled")
      ? "\n\n(command cancelled)"
      : exitCode === 0
      ? ""
      : `\n\nCommand exited with code ${exitCode}`
  ].join("")
}

type Place = Omit<History.Reading, "outcome">

const assistant = (message: JsonObject, said: Omit<History.Said, "role" | "parts">, place: Place): History.Reading => {
  const content = Fields.member(message, "content")
  const parts = partsOf(content)
  const provider = Fields.words(message, "provider")
  const model = Fields.words(message, "model")
  const usage = usageOf(message)
  const todos = parts.flatMap((part) => part.type === "tool-call" ? Todos.fromCall(part.name, part.params) ?? [] : [])
  return History.map({
    ...place,
    facts: {
      ...(provider === undefined ? {} : { provider }),
      ...(model === undefined ? {} : { model }),
      ...(todos.length === 0 ? {} : { todos })
    },
    said: [{
      ...said,
      role: "assistant",
      parts,
      ...(usage === undefined ? {} : { usage }),
      metadata: Fields.pick(message, "api", "provider", "model", "stopReason", "errorMessage")
    }]
  })
}

const message = (record: JsonObject, place: Place): History.Reading => {
  const message = Fields.object(record, "message")
  const at = Moment.read(Fields.member(message, "timestamp")) ?? Moment.read(Fields.member(record, "timestamp"))
  const id = Fields.words(record, "id")
  const said = { ...(id === undefined ? {} : { id }), ...(at === undefined ? {} : { at }) }
  const asUser = (parts: ReadonlyArray<Part>, metadata: JsonObject = {}): History.Reading =>
    History.map({
      ...place,
      said: [{ ...said, role: "user", parts, ...(Object.keys(metadata).length === 0 ? {} : { metadata }) }]
    })
  const content = Fields.member(message, "content")
  switch (Fields.text(message, "role")) {
    case "user":
      return asUser(partsOf(content))
    case "assistant":
      return assistant(message, said, place)
    case "toolResult": {
      const part = Parts.resultOf(
        Fields.text(message, "toolCallId") ?? "",
        Fields.text(message, "toolName") ?? "",
        partsOf(content),
        { isFailure: Fields.isOn(message, "isError") }
      )
      return History.map({
        ...place,
        said: [{ ...said, role: "tool", parts: [part] }],
        ...(Object.hasOwn(message, "details") ? { changes: ["details: left out, what the tool answered is kept"] } : {})
      })
    }
    case "bashExecution":
      return Fields.isOn(message, "excludeFromContext")
        ? History.keep(record, "a command that the model was not told of", place)
        : asUser([Parts.text(commandText(message))], Fields.pick(message, "exitCode", "fullOutputPath"))
    case "custom":
    case "hookMessage":
      return asUser(partsOf(content), Fields.pick(message, "customType"))
    case "branchSummary":
      return asUser([Parts.text(Fields.text(message, "summary") ?? "")], { isBranchSummary: true })
    case "compactionSummary":
      return asUser([Parts.text(Fields.text(message, "summary") ?? "")], { isCompactSummary: true })
    default:
      return History.keep(record, "a message of another kind", place)
  }
}

const header = (record: JsonObject): History.Reading => {
  const id = Fields.words(record, "id")
  const cwd = Fields.words(record, "cwd")
  const createdAt = Moment.read(Fields.member(record, "timestamp"))
  const provider = Fields.words(record, "provider")
  const model = Fields.words(record, "modelId")
  // Named by its file, whose name ends with its id.
  const parent = /_([0-9a-fA-F-]{36})\.jsonl$/.exec(
    Fields.words(record, "parentSession") ?? Fields.words(record, "branchedFrom") ?? ""
  )?.[1]
  return History.map({
    facts: {
      ...(id === undefined ? {} : { id }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(createdAt === undefined ? {} : { createdAt }),
      ...(provider === undefined ? {} : { provider }),
      ...(model === undefined ? {} : { model }),
      ...(parent === undefined ? {} : { parent }),
      metadata: Fields.pick(record, "version", "parentSession", "thinkingLevel")
    }
  })
}

/** An entry that the model is told of as the person's. */
const told = (record: JsonObject, place: Place, content: Schema.Json | undefined, metadata: JsonObject) => {
  const id = Fields.words(record, "id")
  const at = Moment.read(Fields.member(record, "timestamp"))
  return History.map({
    ...place,
    said: [{
      ...(id === undefined ? {} : { id }),
      ...(at === undefined ? {} : { at }),
      role: "user",
      parts: partsOf(content),
      metadata
    }]
  })
}

const read = (record: JsonObject): History.Reading => {
  const type = Fields.text(record, "type")
  const id = Fields.words(record, "id")
  const parent = Fields.words(record, "parentId")
  const place: Place = id === undefined || !Object.hasOwn(record, "parentId")
    ? {}
    : { node: { id, parent: parent ?? null } }
  switch (type) {
    case "session":
      return header(record)
    case "message":
      return message(record, place)
    case "custom_message":
      return told(record, place, Fields.member(record, "content"), Fields.pick(record, "customType", "display"))
    case "branch_summary":
      return told(record, place, Fields.member(record, "summary"), { isBranchSummary: true })
    case "compaction":
      return told(record, place, Fields.member(record, "summary"), {
        isCompactSummary: true,
        ...Fields.pick(record, "tokensBefore", "firstKeptEntryId")
      })
    case "model_change": {
      const provider = Fields.words(record, "provider")
      const model = Fields.words(record, "modelId")
      return History.map({
        ...place,
        facts: { ...(provider === undefined ? {} : { provider }), ...(model === undefined ? {} : { model }) }
      })
    }
    case "session_info": {
      const text = Fields.words(record, "name")
      return History.map({ ...place, ...(text === undefined ? {} : { facts: { title: { text, weight: 3 } } }) })
    }
    case "thinking_level_change":
      return History.keep(record, "a change of the thinking level", place)
    case "label":
      return History.keep(record, "a label on an entry", place)
    case "custom":
      return History.keep(record, "data of an extension", place)
    case undefined:
      return History.skip("a record without a type", place)
    default:
      return History.keep(record, `a record of another kind (${type})`, place)
  }
}

/**
 * @category readers
 * @since 0.1.0
 */
export const reader: History.Reader = {
  kind: "pi",
  shape: "tree",
  provider: "none",
  read: (record) => [read(record)]
}

const types: ReadonlySet<string> = new Set([
  "message",
  "model_change",
  "thinking_level_change",
  "compaction",
  "branch_summary",
  "custom",
  "custom_message",
  "label",
  "session_info"
])

/**
 * Whether a record is one of pi's.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRecord = (record: JsonObject): boolean => {
  const type = Fields.text(record, "type") ?? ""
  if (type === "session") return Object.hasOwn(record, "id") && Object.hasOwn(record, "cwd")
  if (Object.hasOwn(record, "sessionId")) return false
  return types.has(type) &&
    (Object.hasOwn(record, "parentId") || Object.hasOwn(Fields.object(record, "message"), "role"))
}
