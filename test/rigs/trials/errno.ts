/**
 * What a disk says when a call fails, as Node's platform hands it on: the
 * system error with its code inside a `PlatformError`.
 */
import { PlatformError, Predicate } from "effect"
import { constants } from "node:os"
import { getSystemErrorMap } from "node:util"

export const codes = [
  "EIO",
  "ENOSPC",
  "EDQUOT",
  "EACCES",
  "EPERM",
  "EMFILE",
  "EROFS",
  "EBUSY",
  "ENOENT",
  "EEXIST",
  "ESTALE"
] as const

export type Code = typeof codes[number]

/** Whether a code says of a name that it is there, or that it is not: a disk that lies about that is believed. */
export const isAboutNames = (code: Code): boolean => code === "ENOENT" || code === "EEXIST"

/** How platform-node sorts the codes; all others are `Unknown`. */
const tags: ReadonlyMap<string, PlatformError.SystemErrorTag> = new Map([
  ["ENOENT", "NotFound"],
  ["EACCES", "PermissionDenied"],
  ["EPERM", "PermissionDenied"],
  ["EEXIST", "AlreadyExists"],
  ["EISDIR", "BadResource"],
  ["ENOTDIR", "BadResource"],
  ["ELOOP", "BadResource"],
  ["EBUSY", "Busy"]
])

export type Failure = PlatformError.PlatformError

interface Call {
  readonly method: string
  readonly path: string
}

/** What platform-node makes of an error that Node threw. */
export const fromNode = (cause: unknown, { method, path }: Call): Failure =>
  PlatformError.systemError({
    _tag: tags.get(Predicate.hasProperty(cause, "code") ? String(cause.code) : "") ?? "Unknown",
    module: "FileSystem",
    method,
    pathOrDescriptor: path,
    syscall: method,
    cause
  })

/** The words that the system has for a code. */
const wordsOf = (errno: number): string => getSystemErrorMap().get(-errno)?.[1] ?? "unknown error"

/** A call that failed with a code, as Node tells it. */
export const error = (code: Code, call: Call): Failure => {
  const method = call.method.replace(/^file\./, "")
  const errno = constants.errno[code]
  const cause = new Error(`${code}: ${wordsOf(errno)}, ${method} '${call.path}'`)
  return fromNode(Object.assign(cause, { errno: -errno, code, syscall: method, path: call.path }), { ...call, method })
}
