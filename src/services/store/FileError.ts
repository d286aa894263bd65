/**
 * What failed calls to the file system mean here, and failures of our own.
 *
 * @since 0.1.0
 */
import * as PlatformError from "effect/PlatformError"

type Failure = PlatformError.PlatformError

/** Whether a call failed because nothing is at the path. */
export const isMissing = (error: unknown): boolean =>
  PlatformError.isPlatformError(error) && error.reason._tag === "NotFound"

/** Whether something else, or nothing, is where a file of ours should be. */
export const isNoFile = (error: Failure): boolean => error.reason._tag === "BadResource"

/** Whether the file at a path went, or was replaced, while it was being read. */
export const hasMoved = (error: unknown): boolean =>
  PlatformError.isPlatformError(error) && (error.reason._tag === "NotFound" || error.reason._tag === "Busy")

/** Whether a call failed because something is at the path. */
export const isPresent = (error: Failure): boolean => error.reason._tag === "AlreadyExists"

/** Something else, or nothing, is where a file of ours should be. */
export const wrongKind = (method: string, path: string, expected: string, found: string): Failure =>
  PlatformError.systemError({
    _tag: "BadResource",
    module: "FileSystem",
    method,
    pathOrDescriptor: path,
    description: `expected ${expected} and found ${found}`
  })

/** What is in the sessions directory may be anybody's. */
export const writableByOthers = (path: string): Failure =>
  PlatformError.systemError({
    _tag: "PermissionDenied",
    module: "FileSystem",
    method: "lstat",
    pathOrDescriptor: path,
    description: "others can write to the sessions directory: chmod go-w it, and check what is in it"
  })

/** Others are at work: what was looked at is not what was opened. */
export const replaced = (path: string): Failure =>
  PlatformError.systemError({
    _tag: "Busy",
    module: "FileSystem",
    method: "open",
    pathOrDescriptor: path,
    description: "the file was replaced while it was being opened"
  })
