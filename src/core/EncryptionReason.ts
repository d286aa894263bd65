/**
 * Why stored bytes can't be decrypted.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const error = <const Name extends string>(name: Name) => `effect-reprise/core/EncryptionReason/${name}` as const

/**
 * Encrypted, and met by a store without encryption. Nothing is known of it but
 * its id and the id of the key.
 *
 * @category reasons
 * @since 0.1.0
 */
export class Encrypted extends Schema.TaggedError<Encrypted>(error("Encrypted"))("Encrypted", {
  keyId: Schema.String
}) {
  override get message(): string {
    return `it is encrypted with the key ${this.keyId}. Add SessionStore.layerEncrypted with that key to read it.`
  }
}

/**
 * Met by a store with encryption, and not encrypted.
 *
 * @category reasons
 * @since 0.1.0
 */
export class NotEncrypted extends Schema.TaggedError<NotEncrypted>(error("NotEncrypted"))("NotEncrypted", {}) {
  override get message(): string {
    return "it is not encrypted, and this store reads what is. Pass allowPlain to read it, and encrypt it with " +
      "Sessions.rotate."
  }
}

/**
 * Encrypted with a key that is not in the key ring.
 *
 * @category reasons
 * @since 0.1.0
 */
export class EncryptionKeyMissing
  extends Schema.TaggedError<EncryptionKeyMissing>(error("EncryptionKeyMissing"))("EncryptionKeyMissing", {
    keyId: Schema.String
  })
{
  override get message(): string {
    return `it is encrypted with the key ${this.keyId}, which is not in the key ring. Add that key to read it.`
  }
}

/**
 * The key by that id is another one than it was encrypted with, or what names the
 * key was changed.
 *
 * @category reasons
 * @since 0.1.0
 */
export class EncryptionKeyWrong
  extends Schema.TaggedError<EncryptionKeyWrong>(error("EncryptionKeyWrong"))("EncryptionKeyWrong", {
    keyId: Schema.String
  })
{
  override get message(): string {
    return `the key ${this.keyId} of the key ring is not the one that it was encrypted with, or its first line was ` +
      "changed. Put the right key ring back, or restore the file from a backup."
  }
}

/**
 * The key is the right one and the bytes are not what was encrypted with it: they
 * were changed, cut, or belong elsewhere.
 *
 * @category reasons
 * @since 0.1.0
 */
export class BadCiphertext extends Schema.TaggedError<BadCiphertext>(error("BadCiphertext"))("BadCiphertext", {}) {
  override get message(): string {
    return "it can't be decrypted: the file was changed. Restore it from a backup."
  }
}

/**
 * Encrypted in a form that this program does not know.
 *
 * @category reasons
 * @since 0.1.0
 */
export class UnknownEncryption
  extends Schema.TaggedError<UnknownEncryption>(error("UnknownEncryption"))("UnknownEncryption", {
    found: Schema.Int
  })
{
  override get message(): string {
    return `it is encrypted in form ${this.found}, which this program does not know. Update the program.`
  }
}
