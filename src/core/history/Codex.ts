/**
 * Codex: `~/.codex/sessions/<year>/<month>/<day>/rollout-<time>-<id>.jsonl`.
 * Learnt from the program's own sources (`codex-rs/protocol`,
 * `codex-rs/rollout`).
 *
 * **Details**
 *
 * Since September 2025 a record is `{timestamp, type, payload}`; before, the
 * items of the conversation stood there bare, after a header without a type.
 * `response_item` is what the model was told and said; `event_msg` is what a
 * person was shown, for the most part the same again. The oldest files are one
 * document, `{session, items}`.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Json.ts"
import type { Usage } from "../Session.ts"
import type { Timestamp } from "../Timestamp.ts"
import * as CodexItem from "./CodexItem.ts"
import * as Fields from "./Fields.ts"
import * as History from "./History.ts"
import * as Moment from "./Moment.ts"
import * as Parts from "./Parts.ts"

const parentOf = (meta: JsonObject): string | undefined => {
  const subagent = Fields.object(Fields.object(meta, "source"), "subagent")
  return Fields.words(meta, "forked_from_id") ?? Fields.words(meta, "parent_thread_id") ??
    Fields.words(Fields.object(subagent, "thread_spawn"), "parent_thread_id")
}

const meta = (meta: JsonObject): History.Reading => {
  const id = Fields.words(meta, "id") ?? Fields.words(meta, "session_id")
  const parent = parentOf(meta)
  const isSubagent = Object.hasOwn(Fields.object(meta, "source"), "subagent")
  const cwd = Fields.words(meta, "cwd")
  const provider = Fields.words(meta, "model_provider")
  const createdAt = Moment.read(Fields.member(meta, "timestamp"))
  const hasInstructions = Fields.words(meta, "instructions") !== undefined ||
    Fields.words(Fields.object(meta, "base_instructions"), "text") !== undefined
  return History.map({
    facts: {
      ...(id === undefined ? {} : { id }),
      ...(parent === undefined ? {} : { parent }),
      ...(isSubagent ? { isSubagent } : {}),
      ...(cwd === undefined ? {} : { cwd }),
      ...(provider === undefined ? {} : { provider }),
      ...(createdAt === undefined ? {} : { createdAt }),
      metadata: Fields.pick(meta, "cli_version", "originator", "source", "git", "agent_nickname", "agent_role")
    },
    ...(hasInstructions ? { changes: ["instructions: left out, they are the program's own"] } : {})
  })
}

const context = (context: JsonObject): History.Reading => {
  const cwd = Fields.words(context, "cwd")
  const model = Fields.words(context, "model")
  return History.map({
    facts: {
      ...(cwd === undefined ? {} : { cwd }),
      ...(model === undefined ? {} : { model }),
      metadata: Fields.pick(context, "approval_policy", "sandbox_policy", "effort", "summary")
    }
  })
}

/** What stands for everything before it, for the model. */
const compacted = (record: JsonObject, payload: JsonObject, at: Timestamp | undefined): History.Reading => {
  const message = Fields.words(payload, "message")
  if (message === undefined) {
    return History.keep(Fields.pick(record, "timestamp", "type"), "a compaction without a text")
  }
  return History.map({
    said: [{
      role: "user",
      parts: [Parts.text(message)],
      ...(at === undefined ? {} : { at }),
      metadata: { isCompactSummary: true }
    }],
    ...(Object.hasOwn(payload, "replacement_history")
      ? { changes: ["replacement_history: left out, what it replaced is kept"] }
      : {})
  })
}

const usageOf = (used: JsonObject): Usage => ({
  inputTokens: Parts.count(used, "input_tokens"),
  outputTokens: Parts.count(used, "output_tokens"),
  totalCost: 0
})

const tokens = (event: JsonObject): History.Reading => {
  const total = Fields.object(Fields.object(event, "info"), "total_token_usage")
  const used = Object.keys(total).length === 0 ? event : total
  return Object.hasOwn(used, "input_tokens")
    ? History.map({ usedSoFar: usageOf(used) })
    : History.skip("a rate limit")
}

const shown = "what a person was shown of the conversation"

/** The texts in a list of pieces. */
const textsOf = (pieces: ReadonlyArray<JsonObject>): string =>
  pieces.flatMap((piece) => Fields.text(piece, "text") ?? []).join("\n")

const echo = (role: "user" | "assistant", text: string | undefined, at: Timestamp | undefined): History.Reading =>
  text === undefined
    ? History.skip(shown)
    : History.skip(shown, {
      isEcho: true,
      said: [{ role, parts: [Parts.text(text)], joins: true, ...(at === undefined ? {} : { at }) }]
    })

/** An item of a conversation that is told by events only. */
const item = (event: JsonObject, at: Timestamp | undefined): History.Reading => {
  const item = Fields.object(event, "item")
  const text = textsOf(Fields.objects(item, "content"))
  switch (Fields.text(item, "type")) {
    case "UserMessage":
    case "user_message":
      return echo("user", text, at)
    case "AgentMessage":
    case "agent_message":
      return echo("assistant", text, at)
    default:
      return History.skip(shown)
  }
}

/** Events about what a tool does; what it answered is an item of the conversation. */
const isOfTool = (type: string): boolean =>
  /^(exec_|patch_apply_|mcp_tool_call_|web_search_|image_generation_|view_image_|dynamic_tool_call_|terminal_)/.test(
    type
  )

const event = (record: JsonObject, payload: JsonObject, at: Timestamp | undefined): History.Reading => {
  const type = Fields.text(payload, "type") ?? ""
  switch (type) {
    case "token_count":
      return tokens(payload)
    case "user_message":
      return echo("user", Fields.words(payload, "message"), at)
    case "agent_message":
      return echo("assistant", Fields.words(payload, "message"), at)
    case "agent_reasoning":
    case "agent_reasoning_raw_content":
    case "agent_reasoning_section_break":
    case "context_compacted":
      return History.skip(shown)
    case "item_completed":
      return item(payload, at)
    case "task_started":
    case "task_complete":
    case "turn_started":
    case "turn_complete":
    case "item_started":
      return History.skip("the beginning or the end of a turn")
    case "thread_rolled_back":
      return History.map({ revision: { _tag: "RolledBack", turns: Parts.count(payload, "num_turns") } })
    case "thread_name_updated": {
      const text = Fields.words(payload, "thread_name")
      return text === undefined ? History.skip("a title that is empty") : History.map({
        facts: { title: { text, weight: 3 } }
      })
    }
    default:
      return isOfTool(type)
        ? History.skip("what a person was shown of a tool")
        : History.keep(record, `an event of the program (${type})`)
  }
}

/** The header of the first layout has no type. */
const isBareHeader = (record: JsonObject): boolean =>
  !Object.hasOwn(record, "type") && Object.hasOwn(record, "id") && Object.hasOwn(record, "timestamp")

const read = (record: JsonObject): ReadonlyArray<History.Reading> => {
  const type = Fields.text(record, "type")
  const at = Moment.read(Fields.member(record, "timestamp"))
  const payload = Fields.object(record, "payload")
  if (Object.hasOwn(record, "session") && !Object.hasOwn(record, "type")) {
    return [meta(Fields.object(record, "session")), ...Fields.objects(record, "items").flatMap(read)]
  }
  if (!Object.hasOwn(record, "payload")) {
    if (isBareHeader(record)) return [meta(record)]
    if (type !== undefined) return [CodexItem.read(record, at)]
    return [History.skip(Object.hasOwn(record, "record_type") ? "a mark of the program" : "a record without a type")]
  }
  switch (type) {
    case "session_meta":
      return [meta(payload)]
    case "turn_context":
      return [context(payload)]
    case "response_item":
      return [CodexItem.read(payload, at)]
    case "event_msg":
      return [event(record, payload, at)]
    case "compacted":
      return [compacted(record, payload, at)]
    default:
      return [History.keep(record, `a record of another kind (${type ?? "none"})`)]
  }
}

/**
 * @category readers
 * @since 0.1.0
 */
export const reader: History.Reader = { kind: "codex", shape: "list", provider: "openai", read }

const types: ReadonlySet<string> = new Set([
  "session_meta",
  "response_item",
  "event_msg",
  "turn_context",
  "compacted",
  "world_state"
])

/**
 * Whether a record is one of Codex's.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRecord = (record: JsonObject): boolean => {
  const type = Fields.text(record, "type") ?? ""
  if (Object.hasOwn(record, "payload")) return types.has(type)
  if (Object.hasOwn(record, "items") && Object.hasOwn(Fields.object(record, "session"), "id")) return true
  return Object.hasOwn(record, "record_type") ||
    (isBareHeader(record) && Object.hasOwn(record, "instructions")) || CodexItem.isItem(record)
}
