/**
 * The errors of the library. A tag says what failed, a tagged reason inside
 * says which recovery applies (`Effect.catchReason`). Fields are facts;
 * messages are derived from them, say what to do next, and never show what is
 * in a session.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Schema from "effect/Schema"
import { BlobDamaged, BlobMissing } from "./BlobReason.ts"
import {
  BadSignature,
  BrokenJournal,
  IdMismatch,
  NotUtf8,
  Shape,
  Syntax,
  TooLarge,
  UnknownKey,
  Unsigned
} from "./DocumentReason.ts"
import {
  BadCiphertext,
  Encrypted,
  EncryptionKeyMissing,
  EncryptionKeyWrong,
  NotEncrypted,
  UnknownEncryption
} from "./EncryptionReason.ts"
import {
  Closed,
  Invalid,
  LeaseLost,
  NotRunning,
  PartsFull,
  PartTooLarge,
  Refused,
  SessionFull
} from "./HandleReason.ts"
import {
  AlreadyRunning,
  AlreadyStored,
  FileExists,
  InvalidSession,
  MessageUnknown,
  ProjectAlreadyOpen,
  ProjectChanged,
  ProjectForbidden,
  ProjectMissing,
  ProjectNotDirectory,
  ProjectOutside,
  RateLimited,
  StepFailed,
  TooManyRunning,
  TooManyStored
} from "./RunReason.ts"

export * from "./BlobReason.ts"
export * from "./DocumentReason.ts"
export * from "./EncryptionReason.ts"
export * from "./HandleReason.ts"
export * from "./RunReason.ts"

const error = <const Name extends string>(name: Name) => `effect-reprise/core/SessionError/${name}` as const

/**
 * There is no stored session with this id, or none that was asked for.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotFound extends Schema.TaggedError<NotFound>(error("NotFound"))("NotFound", {
  /** The id, or the words that described the session. */
  target: Schema.String
}) {
  override get message(): string {
    return `No stored session ${this.target}. List what is stored with Sessions.list.`
  }
}

/**
 * Stored bytes are not an acceptable document.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidJson extends Schema.TaggedError<InvalidJson>(error("InvalidJson"))("InvalidJson", {
  /** The session's id, or the name of the file. */
  id: Schema.String,
  reason: Schema.Union([
    TooLarge,
    NotUtf8,
    Syntax,
    Shape,
    Unsigned,
    BadSignature,
    UnknownKey,
    IdMismatch,
    BrokenJournal,
    Encrypted,
    NotEncrypted,
    EncryptionKeyMissing,
    EncryptionKeyWrong,
    BadCiphertext,
    UnknownEncryption
  ])
}) {
  override get message(): string {
    return `Session ${this.id} can't be read: ${this.reason.message}`
  }
}

/**
 * The version is missing, is not a positive whole number, is one that this
 * program can't read, or a migration failed. `found` is left out where there
 * was none; `cause` says why a migration failed.
 *
 * @category errors
 * @since 0.1.0
 */
export class SchemaVersion extends Schema.TaggedError<SchemaVersion>(error("SchemaVersion"))("SchemaVersion", {
  id: Schema.String,
  found: Schema.optionalKey(Schema.Json),
  supported: Schema.Int,
  cause: Schema.optionalKey(Schema.String)
}) {
  override get message(): string {
    return typeof this.found === "number" && this.found > this.supported
      ? `Session ${this.id} has version ${this.found} and this program reads up to ${this.supported}. Update the program.`
      : `Session ${this.id} has no version that this program reads (up to ${this.supported}). Restore it from a backup.`
  }
}

/**
 * Everything that can go wrong between a loaded and a running session. The
 * stored session is unchanged.
 *
 * @category errors
 * @since 0.1.0
 */
export class RestoreFailed extends Schema.TaggedError<RestoreFailed>(error("RestoreFailed"))("RestoreFailed", {
  id: Schema.String,
  reason: Schema.Union([
    RateLimited,
    ProjectMissing,
    ProjectNotDirectory,
    ProjectForbidden,
    ProjectOutside,
    ProjectChanged,
    ProjectAlreadyOpen,
    AlreadyRunning,
    TooManyRunning,
    InvalidSession,
    StepFailed
  ])
}) {
  override get message(): string {
    return `Session ${this.id} was not resumed: ${this.reason.message}`
  }
}

/**
 * A session that can't be created, forked, or brought back. Nothing was stored.
 *
 * @category errors
 * @since 0.1.0
 */
export class CreateFailed extends Schema.TaggedError<CreateFailed>(error("CreateFailed"))("CreateFailed", {
  reason: Schema.Union([
    ProjectMissing,
    ProjectNotDirectory,
    ProjectForbidden,
    ProjectOutside,
    ProjectChanged,
    ProjectAlreadyOpen,
    TooManyRunning,
    TooManyStored,
    AlreadyStored,
    MessageUnknown,
    InvalidSession
  ])
}) {
  override get message(): string {
    return `The session was not created: ${this.reason.message}`
  }
}

/**
 * A session that can't be exported. Nothing was written.
 *
 * @category errors
 * @since 0.1.0
 */
export class ExportFailed extends Schema.TaggedError<ExportFailed>(error("ExportFailed"))("ExportFailed", {
  id: Schema.String,
  reason: Schema.Union([ProjectOutside, FileExists, TooLarge])
}) {
  override get message(): string {
    return `Session ${this.id} was not exported: ${this.reason.message}`
  }
}

/**
 * An event that the session refuses. Nothing changed.
 *
 * @category errors
 * @since 0.1.0
 */
export class EventRejected extends Schema.TaggedError<EventRejected>(error("EventRejected"))("EventRejected", {
  id: Schema.String,
  reason: Schema.Union([Invalid, SessionFull, PartTooLarge, PartsFull, Refused])
}) {
  override get message(): string {
    return `Session ${this.id} refused the event: ${this.reason.message}`
  }
}

/**
 * The session behind a handle is over.
 *
 * @category errors
 * @since 0.1.0
 */
export class SessionEnded extends Schema.TaggedError<SessionEnded>(error("SessionEnded"))("SessionEnded", {
  id: Schema.String,
  reason: Schema.Union([Closed, LeaseLost, NotRunning])
}) {
  override get message(): string {
    return `Session ${this.id} has ended: ${this.reason.message}`
  }
}

/**
 * A large part of a message can't be read. The session itself can.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidBlob extends Schema.TaggedError<InvalidBlob>(error("InvalidBlob"))("InvalidBlob", {
  id: Schema.String,
  /** The message that refers to it, where that is known. */
  messageId: Schema.optionalKey(Schema.String),
  /** The SHA-256 that it is stored by. */
  digest: Schema.String,
  reason: Schema.Union([BlobMissing, BlobDamaged])
}) {
  override get message(): string {
    const of = this.messageId === undefined ? "" : ` of message ${this.messageId}`
    return `A large part${of} in session ${this.id} (blob ${this.digest}) can't be read: ${this.reason.message}`
  }
}

/**
 * The file system, the database or the key ring failed. `operation` says what
 * was being done; `cause` is the original error.
 *
 * @category errors
 * @since 0.1.0
 */
export class StoreError extends Schema.TaggedError<StoreError>(error("StoreError"))("StoreError", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `The session store failed in ${this.operation}. What was acknowledged is safe; see cause, mend it and try again.`
  }
}

/**
 * An expression took longer on some text than it may, and was stopped.
 *
 * @category errors
 * @since 0.1.0
 */
export class PatternTooSlow extends Schema.TaggedError<PatternTooSlow>(error("PatternTooSlow"))("PatternTooSlow", {
  limit: Schema.DurationFromMillis
}) {
  override get message(): string {
    return `The expression was stopped after ${Duration.format(this.limit)}: on some text it takes for ever. ` +
      "Correct it so that no repetition is inside another one, or search for a text."
  }
}

/**
 * Why a project directory can't be used.
 *
 * @category errors
 * @since 0.1.0
 */
export type ProjectReason = ProjectMissing | ProjectNotDirectory | ProjectForbidden | ProjectOutside | InvalidSession

/**
 * @category errors
 * @since 0.1.0
 */
export type SessionError =
  | NotFound
  | InvalidJson
  | SchemaVersion
  | RestoreFailed
  | CreateFailed
  | ExportFailed
  | EventRejected
  | SessionEnded
  | InvalidBlob
  | PatternTooSlow
  | StoreError
