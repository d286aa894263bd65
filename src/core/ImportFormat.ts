/**
 * Kinds of files that can be brought in, told by what is in them.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Head from "./Head.ts"
import type { JsonObject } from "./Json.ts"

/**
 * `reprise` is what `exportTo` wrote, `jido_code` a session file of JidoCode
 * (format version 1).
 *
 * @category models
 * @since 0.1.0
 */
export type ImportFormat = "reprise" | "jido_code"

/**
 * What a document looks like. Nothing is believed for that: it says how to read it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const detect = (bytes: Uint8Array, document: JsonObject): Option.Option<ImportFormat> => {
  if (Object.hasOwn(document, "version") && Object.hasOwn(document, "project_path")) return Option.some("jido_code")
  return Option.isSome(Head.claims(bytes)) ? Option.some("reprise") : Option.none()
}
