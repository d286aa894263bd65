/**
 * What a project path must look like before the file system is asked.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import { maxPathBytes } from "./Session.ts"
import { InvalidSession } from "./SessionError.ts"
import * as Text from "./Text.ts"

/**
 * The longest path, in bytes of UTF-8.
 *
 * @category limits
 * @since 0.1.0
 */
export const maxBytes = maxPathBytes

/**
 * What is compared to tell whether a directory is still the one that was
 * checked. `path` is its real path.
 *
 * @category models
 * @since 0.1.0
 */
export interface Fingerprint {
  readonly path: string
  readonly dev: string
  readonly ino: string
  readonly uid: string
  readonly gid: string
  readonly mode: string
}

/**
 * Whether two fingerprints are of the same directory, unchanged in owner and
 * mode.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSame = (self: Fingerprint, that: Fingerprint): boolean =>
  self.path === that.path && self.dev === that.dev && self.ino === that.ino && self.uid === that.uid &&
  self.gid === that.gid && self.mode === that.mode

/**
 * Checks a path's form: absolute, without NUL or lone surrogates, at most
 * 4,096 bytes.
 *
 * @category validation
 * @since 0.1.0
 */
export const check = (
  path: string,
  isAbsolute: (path: string) => boolean
): Result.Result<string, InvalidSession> => {
  const issues = [
    ...(isAbsolute(path) ? [] : ["project is not an absolute path"]),
    ...(path.includes("\0") ? ["project contains NUL"] : []),
    ...(path.isWellFormed() ? [] : ["project contains lone surrogates"]),
    ...(Text.toBytes(path).length <= maxBytes ? [] : [`project is longer than ${maxBytes} bytes`])
  ]
  return issues.length === 0 ? Result.succeed(path) : Result.fail(new InvalidSession({ issues }))
}
