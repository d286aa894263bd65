/**
 * The calls that a disk refuses, as Node's file system tells of them.
 */
import { PlatformError } from "effect"

type Code =
  | "EBADF"
  | "EEXIST"
  | "EINVAL"
  | "EISDIR"
  | "ELOOP"
  | "ENOENT"
  | "ENOTDIR"
  | "ENOTEMPTY"
  | "EPERM"
  | "ERR_FS_EISDIR"

/** How platform-node sorts the codes; all others are `Unknown`. */
const tags: { readonly [code in Code]?: PlatformError.SystemErrorTag } = {
  EEXIST: "AlreadyExists",
  EISDIR: "BadResource",
  ELOOP: "BadResource",
  ENOENT: "NotFound",
  ENOTDIR: "BadResource",
  EPERM: "PermissionDenied"
}

/** A call that the system refuses. */
export class Refusal extends Error {
  readonly code: Code
  constructor(code: Code) {
    super(code)
    this.code = code
  }

  toError(method: string, path: string): PlatformError.PlatformError {
    return PlatformError.systemError({
      _tag: tags[this.code] ?? "Unknown",
      module: "FileSystem",
      method,
      pathOrDescriptor: path,
      cause: this
    })
  }
}

export const refuse = (code: Code): never => {
  throw new Refusal(code)
}
