/**
 * How version 1 is signed: HMAC-SHA256 over the file without the one line that
 * holds the signature, with a key derived from a machine's secret.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Text from "./Text.ts"

/**
 * What was signed, as it is stored, and with what.
 *
 * @category models
 * @since 0.1.0
 */
export interface Signed {
  readonly bytes: Uint8Array
  readonly mac: Uint8Array
}

const line = /^ {2}"signature": "([A-Za-z0-9+/]{43}=)",\n/m

/**
 * The signed bytes of a file as that program wrote it. A line break can't stand
 * in a JSON text, so the line is the signature's and nobody's content.
 *
 * @category decoding
 * @since 0.1.0
 */
export const split = (file: Uint8Array): Option.Option<Signed> => {
  const text = Option.getOrElse(Text.fromBytes(file), () => "")
  const [found, encoded = ""] = line.exec(text) ?? []
  if (found === undefined) return Option.none()
  return Result.getSuccess(Base64.decode(encoded)).pipe(
    Option.filter((mac) => Base64.encode(mac) === encoded),
    Option.map((mac) => ({ bytes: Text.toBytes(text.replace(line, "")), mac }))
  )
}

/**
 * What the key is derived from, with PBKDF2-HMAC-SHA256 in 100,000 rounds to 32
 * bytes. `host` is the short name of the machine that wrote the file,
 * `application` that program's own constant.
 *
 * @category models
 * @since 0.1.0
 */
export interface Origin {
  readonly secret: Uint8Array
  readonly host: string
  readonly application: string
}

/**
 * Password and salt of a key.
 *
 * @category signing
 * @since 0.1.0
 */
export const derivation = ({ application, host, secret }: Origin) => ({
  password: Text.toBytes(application),
  salt: Text.concat([Text.toBytes(application), secret, Text.toBytes(host)]),
  iterations: 100_000,
  length: 32
})

/**
 * That program's constant as it ships.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultApplication = "jido_code_session_v1_2025"
