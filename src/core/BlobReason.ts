/**
 * Why a blob can't be read.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

const error = <const Name extends string>(name: Name) => `effect-reprise/core/BlobReason/${name}` as const

/**
 * Nothing is stored under its name.
 *
 * @category reasons
 * @since 0.1.0
 */
export class BlobMissing extends Schema.TaggedError<BlobMissing>(error("BlobMissing"))("BlobMissing", {}) {
  override get message(): string {
    return "it is not there. Restore it from a backup; everything else of the session can be read."
  }
}

/**
 * What is stored under its name is something else.
 *
 * @category reasons
 * @since 0.1.0
 */
export class BlobDamaged extends Schema.TaggedError<BlobDamaged>(error("BlobDamaged"))("BlobDamaged", {}) {
  override get message(): string {
    return "it is not what was stored. Restore it from a backup; everything else of the session can be read."
  }
}
