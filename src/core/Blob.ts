/**
 * Large pieces of messages that are stored beside the session, by the SHA-256
 * of their bytes, and how a message refers to them.
 *
 * **Details**
 *
 * A message names its blobs in its member `$blobs`, each with the place where it
 * belongs: outside of what tools return and people write, so that nothing of
 * that can look like a reference. What stands in that place instead is for eyes
 * only. A caller's own member of that name is stored with one `$` more.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Message } from "./Session.ts"
import * as Text from "./Text.ts"

/**
 * The SHA-256 of a blob's bytes: 64 lower-case hex digits, and its only name.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Digest = Schema.String.check(
  Schema.isPattern(/^[0-9a-f]{64}$/, { expected: "64 lower-case hex digits" })
).pipe(Schema.brand("BlobDigest"))

/**
 * @category models
 * @since 0.1.0
 */
export type Digest = typeof Digest.Type

/**
 * @category guards
 * @since 0.1.0
 */
export const isDigest: (input: unknown) => input is Digest = Schema.is(Digest)

/**
 * Bytes and their name.
 *
 * @category models
 * @since 0.1.0
 */
export interface Blob {
  readonly digest: Digest
  readonly bytes: Uint8Array
}

/**
 * A place in a message that a blob belongs in.
 *
 * **Details**
 *
 * `at` leads from the message to the place: `["content", 0, "data"]`. `bytes` is
 * the blob's length. `encoding` says what the bytes are of the value there: the
 * UTF-8 of a text, what a base64 text decodes to (`prefix` stands before that: the
 * head of a data URL), or the JSON of any other value.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Reference = Schema.Struct({
  at: Schema.Array(Schema.Union([Schema.String, Schema.Int])),
  sha256: Digest,
  bytes: Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
  encoding: Schema.Literals(["utf8", "base64", "json"]),
  prefix: Schema.optionalKey(Schema.String)
})

/**
 * @category models
 * @since 0.1.0
 */
export type Reference = typeof Reference.Type

/**
 * The member of a message that names its blobs.
 *
 * @category constants
 * @since 0.1.0
 */
export const member = "$blobs"

const isReferences = Schema.is(Schema.Array(Reference))

const none: ReadonlyArray<Reference> = []

/**
 * The blobs of a message, outer ones before those inside of them.
 *
 * @category getters
 * @since 0.1.0
 */
export const references = (message: Message): ReadonlyArray<Reference> => {
  if (!Object.hasOwn(message, member)) return none
  const given = message[member]
  return isReferences(given) ? given : none
}

/**
 * The names and lengths of all blobs that messages refer to, each once.
 *
 * @category getters
 * @since 0.1.0
 */
export const sizes = (messages: Iterable<Message>): Map<Digest, number> => {
  const found = new Map<Digest, number>()
  for (const message of messages) {
    for (const { bytes, sha256 } of references(message)) found.set(sha256, bytes)
  }
  return found
}

const named = /"sha256":"([0-9a-f]{64})","bytes":(\d{1,15})/g

/**
 * The names and lengths of all blobs that encoded messages refer to, and perhaps
 * of some more: found without parsing them.
 *
 * @category getters
 * @since 0.1.0
 */
export const sizesIn = (encoded: Uint8Array): Map<Digest, number> => {
  const found = new Map<Digest, number>()
  for (const [, digest, length] of Option.getOrElse(Text.fromBytes(encoded), () => "").matchAll(named)) {
    if (isDigest(digest)) found.set(digest, Number(length))
  }
  return found
}

/**
 * The names of all blobs that messages refer to, each once.
 *
 * @category getters
 * @since 0.1.0
 */
export const digestsOf = (messages: Iterable<Message>): ReadonlyArray<Digest> => [...sizes(messages).keys()]
