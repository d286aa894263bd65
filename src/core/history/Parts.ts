/**
 * Parts of messages in the encoded shape of effect/ai's Prompt parts.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as Json from "../Json.ts"
import type { JsonObject } from "../Json.ts"
import * as JsonDocument from "../JsonDocument.ts"
import type { Part } from "../Session.ts"
import * as Fields from "./Fields.ts"

/**
 * @category constructors
 * @since 0.1.0
 */
export const text = (value: string): Part => ({ type: "text", text: value })

/**
 * Reasoning, with what its provider needs to take it back.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reasoning = (value: string, options: JsonObject = {}): Part => ({
  type: "reasoning",
  text: value,
  ...(Object.keys(options).length === 0 ? {} : { options })
})

/**
 * A file of base64 content.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bytes = (mediaType: string, base64: string, fileName?: string): Part => ({
  type: "file",
  mediaType,
  // What is no base64 stays a text: nothing that reads it could decode it.
  data: isBase64(base64) ? { _tag: "Uint8Array", base64 } : base64,
  ...(fileName === undefined ? {} : { fileName })
})

/** Without a pattern over the whole text, which may be many megabytes: one that backtracks could take for ever. */
const isBase64 = (value: string): boolean => {
  if (value.length % 4 !== 0) return false
  const end = value.endsWith("==") ? value.length - 2 : value.endsWith("=") ? value.length - 1 : value.length
  for (let at = 0; at < end; at++) {
    const code = value.charCodeAt(at)
    const isDigit = (code >= 0x30 && code <= 0x39) || code === 0x2b || code === 0x2f
    const isLetter = (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a)
    if (!isDigit && !isLetter) return false
  }
  return true
}

/**
 * A file by its address: a `data:` URL as what is in it, any other as it is.
 *
 * @category constructors
 * @since 0.1.0
 */
export const url = (address: string, mediaType?: string, fileName?: string): Part => {
  const comma = address.startsWith("data:") ? address.slice(0, 256).indexOf(",") : -1
  if (comma > 0) {
    const [type = "", ...parameters] = address.slice("data:".length, comma).split(";")
    if (parameters.includes("base64")) return bytes(mediaType ?? type, address.slice(comma + 1), fileName)
  }
  return {
    type: "file",
    mediaType: mediaType ?? "application/octet-stream",
    data: URL.canParse(address) ? { _tag: "URL", href: address } : address,
    ...(fileName === undefined ? {} : { fileName })
  }
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const call = (
  id: string,
  name: string,
  params: Schema.Json,
  options: { readonly byProvider?: boolean; readonly options?: JsonObject } = {}
): Part => ({
  type: "tool-call",
  id,
  name,
  // Some providers take objects only.
  params: JsonDocument.isObject(params) ? params : { input: params },
  ...(options.options === undefined ? {} : { options: options.options }),
  ...(options.byProvider === true ? { providerExecuted: true } : {})
})

/**
 * What a tool answered. `files` are what the model saw beside the result.
 *
 * @category constructors
 * @since 0.1.0
 */
export const result = (
  id: string,
  name: string,
  value: Schema.Json,
  options: { readonly isFailure?: boolean; readonly byProvider?: boolean; readonly files?: ReadonlyArray<Part> } = {}
): Part => ({
  type: "tool-result",
  id,
  name,
  isFailure: options.isFailure === true,
  result: value,
  ...(options.byProvider === true ? { providerExecuted: true } : {}),
  ...(options.files === undefined || options.files.length === 0
    ? {}
    : { modelOutput: [...(typeof value === "string" && value !== "" ? [text(value)] : []), ...options.files] })
})

/**
 * What a tool answered in pieces of text and files.
 *
 * @category constructors
 * @since 0.1.0
 */
export const resultOf = (
  id: string,
  name: string,
  parts: ReadonlyArray<Part>,
  options: { readonly isFailure?: boolean; readonly byProvider?: boolean } = {}
): Part =>
  result(id, name, parts.flatMap((part) => part.type === "text" ? [part.text] : []).join("\n"), {
    ...options,
    files: parts.filter((part) => part.type === "file")
  })

/** Levels that parameters may nest. */
const maxDepth = 32

/**
 * Parameters that are a JSON text: what is in it, or the text itself where it
 * is none, or one that nests too deep.
 *
 * @category decoding
 * @since 0.1.0
 */
export const params = (json: string): Schema.Json => {
  if (json.trim() === "") return {}
  return Json.parse(json).pipe(
    Result.filterOrFail(
      (value) => !Json.isDeeperThan(value, maxDepth) && Json.isWellFormed(value),
      () => "kept as text" as const
    ),
    Result.getOrElse((): Schema.Json => json)
  )
}

/**
 * A whole number of tokens; none for what is no such number.
 *
 * @category decoding
 * @since 0.1.0
 */
export const count = (record: JsonObject, key: string): number => {
  const value = Fields.number(record, key)
  return value !== undefined && Number.isSafeInteger(value) && value > 0 ? value : 0
}

/**
 * What something cost; nothing for what is no such number.
 *
 * @category decoding
 * @since 0.1.0
 */
export const cost = (record: JsonObject, key: string): number => {
  const value = Fields.number(record, key)
  return value !== undefined && Number.isFinite(value) && value > 0 ? value : 0
}
