/**
 * Which bytes are signed and how a signature is written. Core never holds a
 * key: it asks a {@link KeyRing} for a running MAC.
 *
 * @since 0.1.0
 */
import * as Mac from "effect/crypto/Mac"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type { SessionId } from "./SessionId.ts"

/**
 * HMAC-SHA256 over bytes that arrive in pieces.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunningMac {
  readonly update: (bytes: Uint8Array) => void
  /** The MAC (32 bytes) of everything so far; more may follow. */
  readonly digest: () => Uint8Array
}

/**
 * Keys by id: the newest signs, all verify.
 *
 * @category models
 * @since 0.1.0
 */
export interface KeyRing {
  /** The id of the key that signs. */
  readonly current: string
  /** The ids of all keys, newest first. */
  readonly ids: ReadonlyArray<string>
  /** A fresh running MAC with that key. */
  readonly mac: (keyId: string) => Option.Option<RunningMac>
}

/**
 * What is being signed. Part of the signed bytes, so that nothing signed as
 * one thing passes for another.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  readonly domain: "snapshot" | "journal" | "export"
  readonly version: number
  readonly id: SessionId
}

/**
 * A parsed signature: `hs256.<key id>.<43 characters of base64url>`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Signature {
  readonly text: string
  readonly keyId: string
  readonly mac: Uint8Array
}

const algorithm = "hs256"
const macBytes = 32
const pattern = /^hs256\.([A-Za-z0-9_-]{1,32})\.([A-Za-z0-9_-]{43})$/
const keyIdPattern = /^[A-Za-z0-9_-]{1,32}$/
const utf8 = new TextEncoder()

/**
 * Whether a text can be the id of a key: 1 to 32 of `A-Z a-z 0-9 _ -`.
 *
 * @category guards
 * @since 0.1.0
 */
export const isKeyId = (text: string): boolean => keyIdPattern.test(text)

/**
 * The most bytes a written signature takes.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxLength = algorithm.length + 1 + 32 + 1 + 43

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (keyId: string, mac: Uint8Array): Signature => ({
  text: `${algorithm}.${keyId}.${Base64Url.encode(mac)}`,
  keyId,
  mac
})

/**
 * As long as every signature of that key.
 *
 * @category constructors
 * @since 0.1.0
 */
export const blank = (keyId: string): string => make(keyId, new Uint8Array(macBytes)).text

/**
 * Reads a written signature.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (text: string): Option.Option<Signature> => {
  const [, keyId, encoded] = pattern.exec(text) ?? []
  if (keyId === undefined || encoded === undefined) return Option.none()
  return Option.map(
    Option.filter(Result.getSuccess(Base64Url.decode(encoded)), (mac) => Base64Url.encode(mac) === encoded),
    (mac) => ({ text, keyId, mac })
  )
}

/**
 * A running MAC that already holds domain, version, algorithm, key id and
 * session id.
 *
 * @category signing
 * @since 0.1.0
 */
export const start = (keyRing: KeyRing, keyId: string, subject: Subject): Option.Option<RunningMac> =>
  Option.map(keyRing.mac(keyId), (mac) => {
    mac.update(utf8.encode(
      `effect-reprise ${subject.domain}\n${subject.version}\n${algorithm}\n${keyId}\n${subject.id}\n`
    ))
    return mac
  })

/**
 * Whether a running MAC has come to this signature, compared in constant time.
 *
 * @category signing
 * @since 0.1.0
 */
export const matches = (mac: RunningMac, signature: Signature): boolean =>
  Mac.timingSafeEqual(mac.digest(), signature.mac)
