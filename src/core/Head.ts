/**
 * What the first and the last bytes of a snapshot tell without reading what is
 * between them. Unverified until the session is loaded.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Check from "./Check.ts"
import * as Envelope from "./Envelope.ts"
import * as JsonDocument from "./JsonDocument.ts"
import * as Migration from "./Migration.ts"
import * as Session from "./Session.ts"
import { IdMismatch, InvalidJson, type SchemaVersion, Shape, Unsigned } from "./SessionError.ts"
import * as Signature from "./Signature.ts"
import * as Text from "./Text.ts"
import { Timestamp } from "./Timestamp.ts"

const count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const { createdAt, id, name, parent, projectPath, updatedAt } = Session.Session.fields

/**
 * What the first line tells. `epoch` is the publisher's.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Head = Schema.Struct({
  version: Schema.Int.check(Schema.isGreaterThan(0)),
  id,
  epoch: Schema.Int.check(Schema.isGreaterThan(0)),
  revision: count,
  name,
  projectPath,
  createdAt,
  updatedAt,
  closedAt: Schema.optionalKey(Timestamp),
  messages: count,
  todosOpen: count,
  todosDone: count,
  parent
})

/**
 * @category models
 * @since 0.1.0
 */
export type Head = typeof Head.Type

/**
 * The most bytes the head takes: name, path and labels are capped, and JSON
 * writes a byte in at most six.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxHeadBytes = 6 * (Session.maxPathBytes + Session.nameLimits.bytes) + 1024

/**
 * The most bytes the end of a snapshot takes from the signature's comma on.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxTailBytes = `,"signature":""}`.length + Signature.maxLength

const tailPattern = /,"signature":"([^"]*)"\}$/

/**
 * The signature that the last bytes carry.
 *
 * @category decoding
 * @since 0.1.0
 */
export const signatureAtEnd = (bytes: Uint8Array): Option.Option<string> =>
  Option.fromUndefinedOr(tailPattern.exec(Text.loosely(bytes.subarray(-maxTailBytes)))?.[1])

const claimed = /^\{"version":(\d{1,9}),"id":"([0-9a-f-]{36})"/

/**
 * The version and the session that the first bytes name, where they do.
 *
 * @category decoding
 * @since 0.1.0
 */
export const claims = (bytes: Uint8Array): Option.Option<{ readonly version: number; readonly id: string }> => {
  const [, version, id] = claimed.exec(Text.loosely(bytes.subarray(0, 100))) ?? []
  return version === undefined || id === undefined ? Option.none() : Option.some({ version: Number(version), id })
}

/**
 * Why a snapshot without a signature is refused, in the words that help most.
 *
 * @category errors
 * @since 0.1.0
 */
export const refuseUnsigned = (
  id: string,
  bytes: Uint8Array,
  format: Migration.Format
): Result.Result<never, InvalidJson | SchemaVersion> =>
  Result.match(JsonDocument.parse(bytes), {
    onFailure: (reason) => Result.fail(new InvalidJson({ id, reason })),
    onSuccess: ({ version: found }) =>
      Result.fail(
        typeof found === "number" && Number.isInteger(found) && found > format.version
          ? Migration.unsupported(id, format, found)
          : new InvalidJson({ id, reason: new Unsigned({}) })
      )
  })

/** What follows the head in the first line. */
const nextMember = Text.toBytes(",\"config\":")
const closing = Text.toBytes("}")

/**
 * The first bytes of a snapshot that hold its head; as many as a head may take,
 * where it has none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const prefix = (snapshot: Uint8Array): Uint8Array => {
  const start = snapshot.subarray(0, maxHeadBytes)
  const end = Text.indexOf(start, nextMember)
  return end < 0 ? start : start.subarray(0, end + nextMember.length)
}

const isHead = Check.make(Head)

/**
 * The head of a checked document, where it is of this session.
 *
 * @category constructors
 * @since 0.1.0
 */
export const of = (id: string, document: Head): Result.Result<Head, InvalidJson> =>
  document.id === id
    ? Result.succeed({
      version: document.version,
      id: document.id,
      epoch: document.epoch,
      revision: document.revision,
      name: document.name,
      projectPath: document.projectPath,
      createdAt: document.createdAt,
      updatedAt: document.updatedAt,
      ...(document.closedAt === undefined ? {} : { closedAt: document.closedAt }),
      messages: document.messages,
      todosOpen: document.todosOpen,
      todosDone: document.todosDone,
      ...(document.parent === undefined ? {} : { parent: document.parent })
    })
    : Result.fail(new InvalidJson({ id, reason: new IdMismatch({ found: document.id }) }))

/**
 * Reads the head from the first bytes of a snapshot. Succeeds with none where
 * these bytes do not hold all of it. `isSigned` says whether the last bytes of
 * the snapshot are a signature: without one the file is not ours, or was cut
 * short.
 *
 * @category decoding
 * @since 0.1.0
 */
export const decode = (
  id: string,
  bytes: Uint8Array,
  isSigned: boolean,
  format: Migration.Format = Migration.current
): Result.Result<Option.Option<Head>, InvalidJson | SchemaVersion> => {
  if (Envelope.isEncrypted(bytes)) return Result.fail(Envelope.refuse(id, bytes))
  if (!isSigned) return refuseUnsigned(id, bytes, format)
  const claim = claims(bytes)
  if (Option.isSome(claim) && claim.value.version > format.version) {
    return Result.fail(Migration.unsupported(id, format, claim.value.version))
  }
  const end = Text.indexOf(bytes.subarray(0, maxHeadBytes), nextMember)
  if (end < 0) return Result.succeed(Option.none())
  return Result.gen(function*() {
    const members = yield* Result.mapError(
      JsonDocument.parse(Text.concat([bytes.subarray(0, end), closing])),
      (reason) => new InvalidJson({ id, reason })
    )
    const version = yield* Migration.versionOf(id, format, members)
    const { document } = yield* Migration.migrate(id, format, version, members, "head")
    const head = yield* Result.mapError(isHead(document), ([reason]) => new InvalidJson({ id, reason }))
    return Option.some(yield* of(id, head))
  })
}

/**
 * What a signed file without a head is refused with.
 *
 * @category errors
 * @since 0.1.0
 */
export const missing = (id: string): InvalidJson =>
  new InvalidJson({ id, reason: new Shape({ path: "", expected: "a session's document" }) })
