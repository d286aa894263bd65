/**
 * Why a running session refuses an event, or has ended.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Holder from "./Holder.ts"

const error = <const Name extends string>(name: Name) => `effect-reprise/core/HandleReason/${name}` as const

/**
 * The event breaks a rule of the session's format.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Invalid extends Schema.TaggedError<Invalid>(error("Invalid"))("Invalid", {
  path: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return `${this.path === "" ? "it" : this.path} is not ${this.expected}. Correct the event.`
  }
}

/**
 * The session would become too large to be loaded again. Bytes.
 *
 * @category reasons
 * @since 0.1.0
 */
export class SessionFull extends Schema.TaggedError<SessionFull>(error("SessionFull"))("TooLarge", {
  bytes: Schema.Int,
  limit: Schema.Int
}) {
  override get message(): string {
    return `the session would have ${this.bytes} bytes and the limit is ${this.limit}. Go on in a new session.`
  }
}

/**
 * One part of the message is larger than a part may be. Bytes.
 *
 * @category reasons
 * @since 0.1.0
 */
export class PartTooLarge extends Schema.TaggedError<PartTooLarge>(error("PartTooLarge"))("PartTooLarge", {
  bytes: Schema.Int,
  limit: Schema.Int
}) {
  override get message(): string {
    return `one of its parts has ${this.bytes} bytes and the limit is ${this.limit}. ` +
      "Make it smaller, or raise SessionLimits.maxBlobBytes."
  }
}

/**
 * The large parts of the session would be too large together. Bytes.
 *
 * @category reasons
 * @since 0.1.0
 */
export class PartsFull extends Schema.TaggedError<PartsFull>(error("PartsFull"))("PartsFull", {
  bytes: Schema.Int,
  limit: Schema.Int
}) {
  override get message(): string {
    return `the large parts of the session would have ${this.bytes} bytes and the limit is ${this.limit}. ` +
      "Go on in a new session, or raise SessionLimits.maxBlobsBytes."
  }
}

/**
 * The application's redaction hook refused the event, or failed.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Refused extends Schema.TaggedError<Refused>(error("Refused"))("Refused", { cause: Schema.Defect() }) {
  override get message(): string {
    return "the redaction hook refused it; see cause."
  }
}

/**
 * The session was closed; it is stored.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Closed extends Schema.TaggedError<Closed>(error("Closed"))("Closed", {}) {
  override get message(): string {
    return "it was closed. Resume it to go on."
  }
}

/**
 * Another process took the session over, or may have: `holder` is who did, where
 * that is known. What was acknowledged is safe.
 *
 * @category reasons
 * @since 0.1.0
 */
export class LeaseLost extends Schema.TaggedError<LeaseLost>(error("LeaseLost"))("LeaseLost", {
  holder: Schema.optionalKey(Holder.Holder)
}) {
  override get message(): string {
    return this.holder === undefined
      ? "its lease is lost: it was taken over, or its store was out of reach for too long. Load it to see who has it."
      : `it was taken over by ${Holder.format(this.holder)}. Go on there, or resume it here with takeOver.`
  }
}

/**
 * The session is not running in this program.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotRunning extends Schema.TaggedError<NotRunning>(error("NotRunning"))("NotRunning", {}) {
  override get message(): string {
    return "it is not running here. Resume it first."
  }
}
