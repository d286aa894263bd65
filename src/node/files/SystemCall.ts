/**
 * How a system call is made: on one of node's threads, which costs a hop there
 * and back and holds nobody up, or at once, which costs what the call costs.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as PlatformError from "effect/PlatformError"

/**
 * What is called, and on which file: as its errors tell it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly method: string
  readonly path: string
}

/**
 * Paths that lead where they should for as long as they are held.
 *
 * @category models
 * @since 0.1.0
 */
export interface Held {
  readonly paths: ReadonlyArray<string>
  readonly release: () => void
}

type Done<A> = (error: NodeJS.ErrnoException | null, value: A) => void

/**
 * Makes a call that node offers in both forms, on paths that are held meanwhile.
 * `hold` throws where they don't lead where they should.
 *
 * @category models
 * @since 0.1.0
 */
export type Run = <A>(
  call: Call,
  start: (done: Done<A>, path: string, other: string) => void,
  now: (path: string, other: string) => A,
  hold?: () => Held
) => Effect.Effect<A, PlatformError.PlatformError>

const tags: ReadonlyMap<unknown, PlatformError.SystemErrorTag> = new Map([
  ["ENOENT", "NotFound"],
  ["EACCES", "PermissionDenied"],
  ["EPERM", "PermissionDenied"],
  ["EEXIST", "AlreadyExists"],
  ["EISDIR", "BadResource"],
  ["ENOTDIR", "BadResource"],
  ["ELOOP", "BadResource"],
  // A FIFO or a socket, opened as if it were a file.
  ["ENXIO", "BadResource"],
  ["EBUSY", "Busy"]
])

/**
 * A failed call, sorted as platform-node sorts it.
 *
 * @category errors
 * @since 0.1.0
 */
export const failure = ({ method, path }: Call) => (cause: unknown): PlatformError.PlatformError => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  return PlatformError.systemError({
    _tag: tags.get(code) ?? "Unknown",
    module: "FileSystem",
    method,
    pathOrDescriptor: path,
    cause
  })
}

/**
 * Of which node makes one call: below 2 GiB.
 *
 * @category limits
 * @since 0.1.0
 */
export const mostBytes = 2 ** 30

const nothing: Held = { paths: [], release: () => undefined }

/**
 * @category constructors
 * @since 0.1.0
 */
export const onThreads: Run = (call, start, _now, hold = () => nothing) =>
  Effect.callback((resume) => {
    const failed = (error: unknown) => resume(Effect.fail(failure(call)(error)))
    let held = nothing
    try {
      held = hold()
      const [path = "", other = ""] = held.paths
      start(
        (error, value) => {
          held.release()
          return error === null || error === undefined ? resume(Effect.succeed(value)) : failed(error)
        },
        path,
        other
      )
    } catch (error) {
      held.release()
      failed(error)
    }
  })

/**
 * @category constructors
 * @since 0.1.0
 */
export const atOnce: Run = (call, _start, now, hold = () => nothing) =>
  Effect.suspend(() => {
    let held = nothing
    try {
      held = hold()
      const [path = "", other = ""] = held.paths
      return Effect.succeed(now(path, other))
    } catch (error) {
      return Effect.fail(failure(call)(error))
    } finally {
      held.release()
    }
  })
