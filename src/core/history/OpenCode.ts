/**
 * OpenCode: `storage/session/<project>/<session>.json`,
 * `storage/message/<session>/<message>.json` and
 * `storage/part/<message>/<part>.json` below `~/.local/share/opencode`, and what
 * `opencode export` prints. Learnt from the program's own code (`message-v2`,
 * `storage`).
 *
 * **Details**
 *
 * A record here is a session `{info}`, or a message with its parts
 * `{info, parts}`, as the export has them. Since it keeps its sessions in a
 * database the export is the only way to them.
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

/** What a part adds to a message: to what is said, and to what its tools answered. */
interface Piece {
  readonly parts: ReadonlyArray<Part>
  readonly results?: ReadonlyArray<Part>
}

const fileOf = (part: JsonObject): Part =>
  Parts.url(
    Fields.text(part, "url") ?? "",
    Fields.words(part, "mime") ?? Fields.words(part, "mediaType"),
    Fields.words(part, "filename")
  )

const toolOf = (part: JsonObject): Piece => {
  const state = Fields.object(part, "state")
  const id = Fields.text(part, "callID") ?? ""
  const name = Fields.words(part, "tool") ?? "unknown"
  const byProvider = Fields.isOn(Fields.object(part, "metadata"), "providerExecuted")
  const call = Parts.call(id, name, Fields.member(state, "input") ?? {}, { byProvider })
  const results = answerOf(id, name, state, byProvider)
  return byProvider ? { parts: [call, ...results] } : { parts: [call], results }
}

const answerOf = (id: string, name: string, state: JsonObject, byProvider: boolean): ReadonlyArray<Part> => {
  switch (Fields.text(state, "status")) {
    case "completed":
      return [Parts.result(id, name, Fields.member(state, "output") ?? "", {
        byProvider,
        files: Fields.objects(state, "attachments").map(fileOf)
      })]
    case "error":
      return [Parts.result(id, name, Fields.member(state, "error") ?? "", { isFailure: true, byProvider })]
    default:
      return []
  }
}

/** A call as messages of the first layout have it. */
const invocationOf = (part: JsonObject): Piece => {
  const invocation = Fields.object(part, "toolInvocation")
  const id = Fields.text(invocation, "toolCallId") ?? ""
  const name = Fields.words(invocation, "toolName") ?? "unknown"
  const result = Fields.member(invocation, "result")
  return {
    parts: [Parts.call(id, name, Fields.member(invocation, "args") ?? {})],
    results: result === undefined ? [] : [Parts.result(id, name, result)]
  }
}

/** Parts about how the message came about. */
const aside: ReadonlySet<string> = new Set(["step-start", "step-finish", "snapshot", "patch", "retry", "agent"])

const pieceOf = (part: JsonObject): Piece | undefined => {
  const text = Fields.text(part, "text")
  switch (Fields.text(part, "type")) {
    case "text":
      return text === undefined || Fields.isOn(part, "ignored") ? undefined : { parts: [Parts.text(text)] }
    case "reasoning":
      return text === undefined
        ? undefined
        : { parts: [Parts.reasoning(text, providerOptions(Fields.member(part, "metadata")))] }
    case "file":
      return { parts: [fileOf(part)] }
    case "tool":
      return toolOf(part)
    case "tool-invocation":
      return invocationOf(part)
    case "subtask":
      return { parts: [Parts.text(Fields.text(part, "prompt") ?? "")] }
    case "compaction":
      return { parts: [Parts.text("What did we do so far?")] }
    default:
      return undefined
  }
}

/** What the provider needs to take reasoning back, by provider. */
const providerOptions = (metadata: Schema.Json | undefined): JsonObject => {
  const signature = Fields.words(Fields.object(Fields.asObject(metadata), "anthropic"), "signature")
  return signature === undefined ? {} : { anthropic: { info: { type: "thinking", signature } } }
}

const otherPart = (part: JsonObject): History.Reading => {
  const type = Fields.text(part, "type") ?? ""
  if (Fields.isOn(part, "ignored")) return History.keep(part, "a part that the model was not told")
  return aside.has(type)
    ? History.skip("how a message came about (steps, snapshots, patches)")
    : History.keep(part, `a part of another kind (${type})`)
}

const usageOf = (info: JsonObject): Usage | undefined => {
  const tokens = Fields.object(info, "tokens")
  if (Object.keys(tokens).length === 0) return undefined
  const cache = Fields.object(tokens, "cache")
  return {
    inputTokens: Parts.count(tokens, "input") + Parts.count(cache, "read") + Parts.count(cache, "write"),
    outputTokens: Parts.count(tokens, "output") + Parts.count(tokens, "reasoning"),
    totalCost: Parts.cost(info, "cost")
  }
}

/** The first layout had what is about a message below `metadata`. */
const aboutOf = (info: JsonObject): JsonObject => {
  const metadata = Fields.object(info, "metadata")
  return { ...metadata, ...Fields.object(metadata, "assistant"), ...info }
}

const message = (info: JsonObject, parts: ReadonlyArray<JsonObject>): ReadonlyArray<History.Reading> => {
  const about = aboutOf(info)
  const id = Fields.words(info, "id")
  const at = Moment.read(Fields.member(Fields.object(about, "time"), "created"))
  const said = { ...(id === undefined ? {} : { id }), ...(at === undefined ? {} : { at }) }
  const pieces = parts.map(pieceOf)
  const found = pieces.filter((piece) => piece !== undefined)
  const results = found.flatMap(({ results = [] }) => results)
  const role = Fields.text(info, "role") === "assistant" ? "assistant" : "user"
  const model = Fields.words(about, "modelID") ?? Fields.words(Fields.object(about, "model"), "modelID")
  const provider = Fields.words(about, "providerID") ?? Fields.words(Fields.object(about, "model"), "providerID")
  const cwd = Fields.words(Fields.object(about, "path"), "cwd")
  const usage = usageOf(about)
  const todos = parts.filter((part) => Fields.text(part, "type") === "tool")
    .map((part) => Todos.fromCall(Fields.text(part, "tool"), Fields.member(Fields.object(part, "state"), "input")))
    .findLast((list) => list !== undefined)
  return [
    History.map({
      records: 1 + found.length,
      ...(id === undefined ? {} : { node: { id } }),
      facts: {
        ...(model === undefined ? {} : { model }),
        ...(provider === undefined ? {} : { provider }),
        ...(cwd === undefined ? {} : { cwd }),
        ...(todos === undefined ? {} : { todos })
      },
      said: [
        {
          ...said,
          role,
          parts: found.flatMap(({ parts }) => parts),
          ...(usage === undefined ? {} : { usage }),
          metadata: Fields.pick(about, "agent", "mode", "modelID", "providerID", "finish", "error", "system", "summary")
        },
        ...(results.length === 0 ? [] : [{ ...said, role: "tool" as const, parts: results }])
      ]
    }),
    ...parts.filter((_, index) => pieces[index] === undefined).map(otherPart)
  ]
}

const session = (info: JsonObject): History.Reading => {
  const id = Fields.words(info, "id")
  const parent = Fields.words(info, "parentID")
  const cwd = Fields.words(info, "directory")
  const text = Fields.words(info, "title")
  const createdAt = Moment.read(Fields.member(Fields.object(info, "time"), "created"))
  const todos = Todos.read(Fields.member(info, "todos"))
  const metadata = Fields.pick(info, "version", "slug", "projectID", "share", "revert")
  const undone = Fields.words(Fields.object(info, "revert"), "messageID")
  return History.map({
    ...(undone === undefined ? {} : { revision: { _tag: "Rewound", to: undone, whenMissing: "nothing" } }),
    facts: {
      ...(id === undefined ? {} : { id }),
      ...(parent === undefined ? {} : { parent, isSubagent: true }),
      ...(cwd === undefined ? {} : { cwd }),
      ...(text === undefined ? {} : { title: { text, weight: 2 } }),
      ...(createdAt === undefined ? {} : { createdAt }),
      ...(todos === undefined ? {} : { todos }),
      ...(Object.keys(metadata).length === 0 ? {} : { metadata })
    }
  })
}

const read = (record: JsonObject): ReadonlyArray<History.Reading> => {
  const info = Fields.object(record, "info")
  if (Object.hasOwn(record, "parts")) {
    // The first layout has both in one object.
    return message(Object.hasOwn(record, "info") ? info : record, Fields.objects(record, "parts"))
  }
  if (!Object.hasOwn(record, "info")) return [History.keep(record, "a record of another kind")]
  return [
    ...Fields.objects(record, "messages").flatMap((each) =>
      message(Fields.object(each, "info"), Fields.objects(each, "parts"))
    ),
    // It says last which messages were taken back.
    session(info)
  ]
}

/**
 * @category readers
 * @since 0.1.0
 */
export const reader: History.Reader = { kind: "opencode", shape: "keyed", provider: "none", read }

/**
 * Whether a record is one of OpenCode's.
 *
 * @category guards
 * @since 0.1.0
 */
export const isRecord = (record: JsonObject): boolean => {
  const info = Fields.object(record, "info")
  if (Object.hasOwn(record, "parts")) return Object.hasOwn(info, "role")
  return Object.hasOwn(info, "id") && (Object.hasOwn(info, "directory") || Object.hasOwn(info, "time"))
}
