/**
 * Items of a conversation with the Responses interface, as Codex keeps them.
 *
 * @since 0.1.0
 */
import type { JsonObject } from "../Json.ts"
import * as JsonDocument from "../JsonDocument.ts"
import type { Part } from "../Session.ts"
import type { Timestamp } from "../Timestamp.ts"
import * as Fields from "./Fields.ts"
import * as History from "./History.ts"
import * as Parts from "./Parts.ts"
import * as Todos from "./Todos.ts"

const partOf = (piece: JsonObject): ReadonlyArray<Part> => {
  const image = Fields.member(piece, "image_url")
  const address = typeof image === "string" ? image : Fields.text(Fields.asObject(image), "url")
  if (address !== undefined) return [Parts.url(address, address.startsWith("data:") ? undefined : "image/*")]
  const text = Fields.text(piece, "text") ?? Fields.text(piece, "refusal")
  return text === undefined ? [] : [Parts.text(text)]
}

/** The pieces of a message, whose content may be a text. */
const contentOf = (item: JsonObject): ReadonlyArray<Part> => {
  const text = Fields.text(item, "content")
  return text === undefined ? Fields.objects(item, "content").flatMap(partOf) : [Parts.text(text)]
}

const textsOf = (pieces: ReadonlyArray<JsonObject>): ReadonlyArray<string> =>
  pieces.flatMap((piece) => Fields.text(piece, "text") ?? [])

interface Context {
  readonly at?: Timestamp
  /** The provider's own id of the item. */
  readonly id?: string
}

const answered = (parts: ReadonlyArray<Part>, context: Context, metadata: JsonObject = {}): History.Said => ({
  role: "assistant",
  parts,
  joins: true,
  ...(context.at === undefined ? {} : { at: context.at }),
  ...(Object.keys(metadata).length === 0 ? {} : { metadata })
})

const reasoning = (item: JsonObject, context: Context): History.Reading => {
  const text = [...textsOf(Fields.objects(item, "summary")), ...textsOf(Fields.objects(item, "content"))].join("\n\n")
  const encryptedContent = Fields.words(item, "encrypted_content")
  if (text === "" && encryptedContent === undefined) return History.skip("reasoning without a text")
  // The id alone would name an item that the provider may have forgotten.
  const options = encryptedContent === undefined
    ? {}
    : { openai: Fields.known({ itemId: context.id, encryptedContent }) }
  return History.map({ said: [answered([Parts.reasoning(text, options)], context)] })
}

const message = (item: JsonObject, context: Context): History.Reading => {
  const role = Fields.text(item, "role")
  const parts = contentOf(item)
  if (role === "assistant") {
    return History.map({ said: [answered(parts, context, Fields.pick(item, "phase"))] })
  }
  if (role !== "user") return History.keep(item, "instructions of the program")
  // Before the header named it, only this message did.
  const cwd = /<cwd>([^<]{1,4096})<\/cwd>/.exec(textsOf(Fields.objects(item, "content")).join("\n"))?.[1]
  return History.map({
    said: [{ role, parts, ...(context.at === undefined ? {} : { at: context.at }) }],
    ...(cwd === undefined ? {} : { facts: { cwd } })
  })
}

const call = (id: string, name: string, params: Parameters<typeof Parts.call>[2], context: Context) => {
  const todos = Todos.fromCall(name, params)
  return History.map({
    said: [answered([Parts.call(id, name, params)], context)],
    ...(todos === undefined ? {} : { facts: { todos } })
  })
}

/** Results of shell commands are texts of JSON in older files. */
const isFailedCommand = (output: string): boolean => {
  if (!output.startsWith("{\"output\":")) return false
  const metadata = Fields.object(Fields.asObject(Parts.params(output)), "metadata")
  return (Fields.number(metadata, "exit_code") ?? 0) !== 0
}

const output = (item: JsonObject, id: string, context: Context): History.Reading => {
  const output = Fields.member(item, "output") ?? Fields.member(item, "result") ?? Fields.member(item, "tools") ?? ""
  const said = (part: Part) =>
    History.map({
      said: [{ role: "tool", parts: [part], ...(context.at === undefined ? {} : { at: context.at }) }]
    })
  if (typeof output === "string") return said(Parts.result(id, "", output, { isFailure: isFailedCommand(output) }))
  if (Fields.isList(output)) {
    const parts = output.map((piece) => partOf(Fields.asObject(piece)))
    return said(
      parts.some((part) => part.length === 0) ? Parts.result(id, "", output) : Parts.resultOf(id, "", parts.flat())
    )
  }
  const content = Fields.member(Fields.asObject(output), "content")
  const isFailure = Fields.member(Fields.asObject(output), "success") === false
  return said(Parts.result(id, "", content ?? output, { isFailure }))
}

/** What the provider's own tools did is call and result at once. */
const byProvider = (item: JsonObject, name: string, id: string, context: Context): History.Reading => {
  const options = { byProvider: true }
  return History.map({
    said: [answered([
      Parts.call(id, name, Fields.member(item, "action") ?? {}, options),
      Parts.result(id, name, Fields.pick(item, "status"), options)
    ], context)]
  })
}

const image = (item: JsonObject, context: Context): History.Reading => {
  const base64 = Fields.words(item, "result")
  return base64 === undefined
    ? History.skip("an image that was not made")
    : History.map({
      said: [answered([Parts.bytes("image/png", base64)], context, Fields.pick(item, "revised_prompt"))]
    })
}

/**
 * What an item says. `at` is when it was written down.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (item: JsonObject, at: Timestamp | undefined): History.Reading => {
  const type = Fields.text(item, "type") ?? ""
  const own = Fields.words(item, "id")
  const context: Context = { ...(at === undefined ? {} : { at }), ...(own === undefined ? {} : { id: own }) }
  const id = Fields.words(item, "call_id") ?? own
  switch (type) {
    case "message":
      return message(item, context)
    case "reasoning":
      return reasoning(item, context)
    case "function_call":
      return call(
        id ?? "",
        Fields.words(item, "name") ?? "unknown",
        Parts.params(Fields.text(item, "arguments") ?? ""),
        context
      )
    case "custom_tool_call":
      return call(id ?? "", Fields.words(item, "name") ?? "unknown", Fields.member(item, "input") ?? {}, context)
    case "local_shell_call":
      return call(id ?? "", "local_shell", Fields.object(item, "action"), context)
    case "web_search_call":
      return byProvider(item, "web_search", id ?? "", context)
    case "image_generation_call":
      return image(item, context)
    case "ghost_snapshot":
      return History.skip("copies of files, for undoing changes")
    default:
      if (id !== undefined && type.endsWith("_output")) return output(item, id, context)
      if (id !== undefined && type.endsWith("_call")) {
        const args = Fields.member(item, "arguments") ?? {}
        return call(id, type.slice(0, -"_call".length), typeof args === "string" ? Parts.params(args) : args, context)
      }
      return History.keep(item, `an item of another kind (${type})`)
  }
}

/**
 * Whether a record is an item that stands bare.
 *
 * @category guards
 * @since 0.1.0
 */
export const isItem = (record: JsonObject): boolean => {
  const type = Fields.text(record, "type")
  if (type === "message") return Object.hasOwn(record, "role") && Fields.isList(Fields.member(record, "content"))
  if (type === "reasoning") return Fields.isList(Fields.member(record, "summary"))
  return (type === "function_call" || type === "function_call_output") && Object.hasOwn(record, "call_id") &&
    JsonDocument.isObject(record)
}
