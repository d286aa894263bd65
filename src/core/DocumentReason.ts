/**
 * Why stored bytes are not an acceptable document.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const error = <const Name extends string>(name: Name) => `effect-reprise/core/DocumentReason/${name}` as const

/**
 * Over the size limit; refused from its size, without reading it. Bytes.
 *
 * @category reasons
 * @since 0.1.0
 */
export class TooLarge extends Schema.TaggedError<TooLarge>(error("TooLarge"))("TooLarge", {
  bytes: Schema.Int,
  limit: Schema.Int
}) {
  override get message(): string {
    return `it has ${this.bytes} bytes and the limit is ${this.limit}. Raise SessionLimits.maxBytes to read it.`
  }
}

/**
 * Not UTF-8, or UTF-8 behind a byte order mark.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotUtf8 extends Schema.TaggedError<NotUtf8>(error("NotUtf8"))("NotUtf8", {}) {
  override get message(): string {
    return "it is not UTF-8 text. Restore the file from a backup."
  }
}

/**
 * Not JSON. `offset` counts UTF-16 units from the start.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Syntax extends Schema.TaggedError<Syntax>(error("Syntax"))("Syntax", { offset: Schema.Int }) {
  override get message(): string {
    return `it is not JSON from offset ${this.offset} on. Restore the file from a backup.`
  }
}

/**
 * JSON of another shape than a session's. `path` names the place, `expected`
 * what belongs there.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Shape extends Schema.TaggedError<Shape>(error("Shape"))("Shape", {
  path: Schema.String,
  expected: Schema.String
}) {
  override get message(): string {
    return `${this.path === "" ? "the document" : this.path} is not ${this.expected}. Restore the file from a backup.`
  }
}

/**
 * There is no signature at its end.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Unsigned extends Schema.TaggedError<Unsigned>(error("Unsigned"))("Unsigned", {}) {
  override get message(): string {
    return "it is not signed, and only files that this store wrote are read. Restore it from a backup, or bring it in " +
      "with Sessions.importFile and allowUnsigned."
  }
}

/**
 * The signature does not fit the bytes: they were changed, or signed for
 * another session.
 *
 * @category reasons
 * @since 0.1.0
 */
export class BadSignature extends Schema.TaggedError<BadSignature>(error("BadSignature"))("BadSignature", {}) {
  override get message(): string {
    return "its signature does not fit its content: the file was changed. Restore it from a backup."
  }
}

/**
 * Signed with a key that is not in the key ring.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnknownKey extends Schema.TaggedError<UnknownKey>(error("UnknownKey"))("UnknownKey", {
  keyId: Schema.String
}) {
  override get message(): string {
    return `it is signed with the key ${this.keyId}, which is not in the key ring. Add that key to read it.`
  }
}

/**
 * The document names another session than its place in the store.
 *
 * @category reasons
 * @since 0.1.0
 */
export class IdMismatch extends Schema.TaggedError<IdMismatch>(error("IdMismatch"))("IdMismatch", {
  found: Schema.String
}) {
  override get message(): string {
    return "it holds another session than its name says. Put the file back under its own id."
  }
}

/**
 * The journal was damaged before its last batch. Lines count from 1.
 *
 * @category reasons
 * @since 0.1.0
 */
export class BrokenJournal extends Schema.TaggedError<BrokenJournal>(error("BrokenJournal"))("BrokenJournal", {
  line: Schema.Int
}) {
  override get message(): string {
    return `its journal is damaged at line ${this.line}. Restore the journal from a backup.`
  }
}
