/**
 * Reads a document that another program, or another store, wrote.
 *
 * @since 0.1.0
 */
import * as Digest from "effect/crypto/Digest"
import * as Kdf from "effect/crypto/Kdf"
import * as Mac from "effect/crypto/Mac"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as Head from "../core/Head.ts"
import type { ImportFormat } from "../core/ImportFormat.ts"
import * as ImportFormats from "../core/ImportFormat.ts"
import * as Json from "../core/Json.ts"
import * as JsonDocument from "../core/JsonDocument.ts"
import * as Migration from "../core/Migration.ts"
import type { Change } from "../core/MigrationStep.ts"
import type { SessionState } from "../core/Session.ts"
import * as Session from "../core/Session.ts"
import { BadSignature, InvalidJson, Shape, StoreError, UnknownKey, Unsigned } from "../core/SessionError.ts"
import * as SessionId from "../core/SessionId.ts"
import * as Snapshot from "../core/Snapshot.ts"
import type { Timestamp } from "../core/Timestamp.ts"
import * as Version1 from "../core/Version1.ts"
import * as Version1Signature from "../core/Version1Signature.ts"
import { Hmac } from "../services/Hmac.ts"
import { SessionStore } from "../services/SessionStore.ts"
import { shared, Signer, verified } from "../services/Signer.ts"

/**
 * How a foreign document is read.
 *
 * @category models
 * @since 0.1.0
 */
export interface ForeignOptions {
  /** What kind of file it is; by default told from what is in it. */
  readonly from?: ImportFormat
  /** The secret that it was exported with, or the content of the machine secret of the program that wrote it. */
  readonly secret?: Redacted.Redacted<Uint8Array>
  /** For `jido_code` with a secret: the short host name of the machine that wrote it. */
  readonly host?: string
  /** For `jido_code` with a secret: its application salt, if it was configured. */
  readonly application?: string
  /** Take it even if nothing shows who wrote it: without a signature, or signed with a key that is not here. */
  readonly allowUnsigned?: boolean
  /** The directory that the session works in from now on: an existing one, absolute. */
  readonly project?: string
  /** The id that it gets, instead of its own. */
  readonly as: Option.Option<SessionId.SessionId>
}

/** A foreign session in the present version. */
interface Foreign {
  readonly from: ImportFormat
  readonly version: number
  readonly isVerified: boolean
  readonly state: SessionState
  readonly closedAt: Option.Option<Timestamp>
  readonly changes: ReadonlyArray<Change>
}

/**
 * Reads a document of any known kind. `name` is the file's.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function*(name: string, bytes: Uint8Array, options: ForeignOptions) {
  const { limits } = yield* SessionStore
  const invalid = (reason: InvalidJson["reason"]) => new InvalidJson({ id: name, reason })
  const document = yield* Effect.mapError(Effect.fromResult(JsonDocument.parseForeign(bytes)), invalid)
  if (Json.isDeeperThan(document, limits.maxDepth)) {
    return yield* invalid(new Shape({ path: "", expected: `at most ${limits.maxDepth} levels deep` }))
  }
  const from = yield* Effect.fromOption(
    Option.orElse(Option.fromUndefinedOr(options.from), () => ImportFormats.detect(bytes, document)),
    () => invalid(new Shape({ path: "", expected: "a session of a known kind" }))
  )
  return yield* from === "reprise"
    ? readExport(name, bytes, document, options)
    : readVersion1(name, bytes, document, options)
})

const readExport = Effect.fnUntraced(function*(
  name: string,
  bytes: Uint8Array,
  document: Json.JsonObject,
  options: ForeignOptions
) {
  const { format, limits } = yield* SessionStore
  const signer = options.secret === undefined ? yield* Signer : yield* shared(options.secret)
  const claim = Head.claims(bytes)
  if (Option.isNone(claim) || !SessionId.isSessionId(claim.value.id)) return yield* Head.missing(name)
  const { id } = claim.value
  const rules: Snapshot.Rules = { maxDepth: limits.maxDepth, format, purpose: "export" }
  const opened = yield* Effect.result(verified(signer, () => Snapshot.open(signer, id, bytes, rules)))
  if (opened._tag === "Failure" && !(options.allowUnsigned === true && isUnverifiable(opened.failure))) {
    return yield* opened.failure._tag === "InvalidJson"
      ? new InvalidJson({ id: name, reason: opened.failure.reason })
      : opened.failure
  }
  const version = yield* Effect.fromResult(Migration.versionOf(name, format, document))
  const { changes, document: migrated } = yield* Effect.fromResult(Migration.migrate(name, format, version, document))
  return yield* foreign(name, migrated, {
    from: "reprise",
    version,
    isVerified: opened._tag === "Success",
    changes,
    ...own(options)
  })
})

/** What the document gets instead of its own. */
const own = ({ as, project }: ForeignOptions) => ({ as, ...(project === undefined ? {} : { project }) })

const isPath = Schema.is(Session.Session.fields.projectPath)

const isUnverifiable = (error: { readonly _tag: string; readonly reason?: { readonly _tag: string } }): boolean =>
  error.reason?._tag === "Unsigned" || error.reason?._tag === "UnknownKey"

const readVersion1 = Effect.fnUntraced(function*(
  name: string,
  bytes: Uint8Array,
  document: Json.JsonObject,
  options: ForeignOptions
) {
  const { format } = yield* SessionStore
  const oldest = { ...format, version: 1 }
  yield* Effect.fromResult(Migration.versionOf(name, oldest, document, 1))
  const isVerified = yield* verifyVersion1(name, bytes, document, options)
  yield* Effect.mapError(
    Effect.fromResult(Version1.check(document)),
    ([reason]) => new InvalidJson({ id: name, reason })
  )
  const { changes, document: migrated } = yield* Effect.fromResult(Migration.migrate(name, format, 1, document))
  return yield* foreign(name, migrated, { from: "jido_code", version: 1, isVerified, changes, ...own(options) })
})

/** Whether the file is signed with the given secret; fails where that matters and it is not. */
const verifyVersion1 = Effect.fnUntraced(function*(
  name: string,
  bytes: Uint8Array,
  document: Json.JsonObject,
  { allowUnsigned = false, application = Version1Signature.defaultApplication, host = "", secret }: ForeignOptions
) {
  const invalid = (reason: InvalidJson["reason"]) => new InvalidJson({ id: name, reason })
  const { signature = null } = document
  if (signature === null) return allowUnsigned ? false : yield* invalid(new Unsigned({}))
  if (typeof signature !== "string") return yield* invalid(new Shape({ path: "signature", expected: "a text" }))
  if (secret === undefined) {
    return allowUnsigned ? false : yield* invalid(new UnknownKey({ keyId: "of the machine that wrote it" }))
  }
  const signed = Version1Signature.split(bytes)
  if (Option.isNone(signed)) return yield* invalid(new BadSignature({}))
  const { iterations, length, password, salt } = Version1Signature.derivation({
    secret: Redacted.value(secret),
    host,
    application
  })
  const { derive } = yield* Kdf.Kdf
  const { start } = yield* Hmac
  const key = yield* Effect.mapError(
    derive(Kdf.pbkdf2({ hash: Digest.sha256, iterations }), password, { salt, length }),
    (cause) => new StoreError({ operation: "deriving the key of the file", cause })
  )
  const mac = start(key)
  mac.update(signed.value.bytes)
  return Mac.timingSafeEqual(mac.digest(), signed.value.mac) ? true : yield* invalid(new BadSignature({}))
})

/** A document of the present version as a session, under the id that it is to have. */
const foreign = Effect.fnUntraced(function*(
  name: string,
  document: Json.JsonObject,
  facts: Pick<Foreign, "from" | "version" | "isVerified" | "changes"> & Pick<ForeignOptions, "as" | "project">
) {
  const { as, changes, project, ...found } = facts
  const invalid = (reason: InvalidJson["reason"]) => new InvalidJson({ id: name, reason })
  const id = Option.getOrElse(as, () => document["id"])
  if (!SessionId.isSessionId(id)) {
    return yield* invalid(new Shape({ path: "id", expected: "a UUID v4: import it as a copy" }))
  }
  const { head, state } = yield* Effect.mapError(
    Effect.fromResult(Snapshot.fromDocument(id, {
      ...document,
      id,
      ...(project === undefined || isPath(document["projectPath"]) ? {} : { projectPath: "." })
    })),
    ({ reason }) => invalid(reason)
  )
  const result: Foreign = {
    ...found,
    state,
    closedAt: Option.fromUndefinedOr(head.closedAt),
    changes: Option.isSome(as) ? [...changes, { path: "id", change: "replaced by a new one" }] : changes
  }
  return result
})
