/**
 * A value as the bytes of a blob, and back, without loss.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import type { Reference } from "../Blob.ts"
import * as Json from "../Json.ts"
import * as Text from "../Text.ts"

/**
 * The bytes of a value, and what they are of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Content extends Pick<Reference, "encoding" | "prefix"> {
  readonly bytes: Uint8Array
}

const base64 = /^[A-Za-z0-9+/]+={0,2}$/
const dataUrl = /^data:[^,]{0,256};base64,/

/** What a base64 text decodes to, if encoding that makes the same text again. */
const decoded = (text: string): Option.Option<Uint8Array> =>
  text.length % 4 !== 0 || !base64.test(text)
    ? Option.none()
    : Option.filter(Result.getSuccess(Base64.decode(text)), (bytes) => Base64.encode(bytes) === text)

/**
 * A text as bytes: what it decodes to, where it is base64 or a data URL of it,
 * and its UTF-8 where it is not.
 *
 * @category encoding
 * @since 0.1.0
 */
export const ofText = (text: string): Content => {
  const [prefix = ""] = dataUrl.exec(text) ?? []
  return Option.match(decoded(text.slice(prefix.length)), {
    onNone: () => ({ bytes: Text.toBytes(text), encoding: "utf8" }),
    onSome: (bytes) => ({ bytes, encoding: "base64", ...(prefix === "" ? {} : { prefix }) })
  })
}

/**
 * Any value as bytes: its JSON.
 *
 * @category encoding
 * @since 0.1.0
 */
export const ofValue = (value: Schema.Json): Content => ({
  bytes: Text.toBytes(JSON.stringify(value)),
  encoding: "json"
})

/**
 * The value that bytes are of; none where they are of none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toValue = ({ bytes, encoding, prefix = "" }: Content): Option.Option<Schema.Json> => {
  switch (encoding) {
    case "base64":
      return Option.some(`${prefix}${Base64.encode(bytes)}`)
    case "utf8":
      return text(bytes)
    case "json":
      return Option.flatMap(text(bytes), (text) => Result.getSuccess(Json.parse(text)))
  }
}

/** UTF-8 of any text: also of one that begins with a byte order mark, which no document may. */
const text = (bytes: Uint8Array): Option.Option<string> =>
  Option.map(Text.fromBytes(Text.concat([Text.toBytes(" "), bytes])), (text) => text.slice(1))
