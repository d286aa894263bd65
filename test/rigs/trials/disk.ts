/**
 * A disk that fails on demand: every call is counted, and those of given
 * numbers fail, are carried out and fail nevertheless, or move fewer bytes than
 * they were asked to. Between faults it is the real file system.
 */
import { Effect, FileSystem, Layer } from "effect"
import { FileSystemHooks } from "../../../src/testing/index.ts"
import * as Errno from "./errno.ts"

/** A call that reaches the system; `file.close` is what a scope does at its end. */
export interface Call extends Omit<FileSystemHooks.Call, "method"> {
  readonly method: FileSystemHooks.Call["method"] | "file.close"
}

/** What happens to one call. */
export type Fault =
  | { readonly _tag: "Instead"; readonly code: Errno.Code }
  /** It breaks, with an error that nobody foresaw. */
  | { readonly _tag: "Dies" }
  /** It is carried out, and fails nevertheless. */
  | { readonly _tag: "After"; readonly code: Errno.Code }
  /** Half of the bytes are written before it fails. */
  | { readonly _tag: "Half"; readonly code: Errno.Code }
  /** It moves half of the bytes, and says so. */
  | { readonly _tag: "Short" }
  /** From here on every call that needs the disk in this way fails. */
  | { readonly _tag: "Onwards"; readonly code: "ENOSPC" | "EIO" | "EROFS" }

export interface Strike {
  readonly number: number
  readonly fault: Fault
}

export const format = ({ fault, number }: Strike): string =>
  `${"code" in fault ? `${fault.code} ` : ""}${fault._tag.toLowerCase()} at call ${number}`

const needsRoom = ({ flag, method }: Call): boolean =>
  ["file.write", "link", "makeDirectory"].includes(method) || (method === "open" && flag === "ax")

export const changes = (call: Call): boolean =>
  needsRoom(call) || ["chmod", "file.sync", "file.truncate", "remove", "rename", "writeFile"].includes(call.method)

const dies: Fault = { _tag: "Dies" }

/** The faults that a call can meet. */
export const faultsOf = (call: Call): ReadonlyArray<Fault> => {
  const after = (...codes: ReadonlyArray<Errno.Code>) => codes.map((code): Fault => ({ _tag: "After", code }))
  // The descriptor is gone whatever close says; the system knows no other errors of it.
  if (call.method === "file.close") return after("EIO", "ENOSPC", "EDQUOT")
  const instead = [...Errno.codes.map((code): Fault => ({ _tag: "Instead", code })), dies]
  const short: Fault = { _tag: "Short" }
  const onwards: ReadonlyArray<Fault> = [
    ...(needsRoom(call) ? [{ _tag: "Onwards", code: "ENOSPC" } as const] : []),
    ...(changes(call) ? [{ _tag: "Onwards", code: "EIO" } as const, { _tag: "Onwards", code: "EROFS" } as const] : [])
  ]
  switch (call.method) {
    case "file.read":
      return [...instead, short]
    case "file.write":
      return [
        ...instead,
        ...onwards,
        short,
        ...(["ENOSPC", "EDQUOT", "EIO"] as const).map((code): Fault => ({ _tag: "Half", code })),
        ...after("EIO")
      ]
    // A request that is sent twice finds its own work done.
    case "link":
    case "makeDirectory":
      return [...instead, ...onwards, ...after("EIO", "ESTALE", "EEXIST")]
    case "rename":
    case "remove":
      return [...instead, ...onwards, ...after("EIO", "ESTALE", "ENOENT")]
    default:
      return changes(call) ? [...instead, ...onwards, ...after("EIO", "ESTALE")] : instead
  }
}

/** A disk, and what it was asked to do since it was armed. */
export const make = () => {
  const log: Array<Call> = []
  let plan: ReadonlyArray<Strike> | undefined
  /** What the file that is asked next does with its bytes. */
  let bytes: "all" | "short" | { readonly half: Call; readonly code: Errno.Code } = "all"
  const watchers: Array<(call: Call, number: number) => void> = []

  const faultOf = (call: Call, number: number): Fault | undefined => {
    const hit = plan?.find((strike) => strike.number === number)
    if (hit !== undefined) return hit.fault
    const lasting = plan?.find(({ fault, number: from }) => fault._tag === "Onwards" && number >= from)
    if (lasting === undefined || lasting.fault._tag !== "Onwards") return undefined
    return (lasting.fault.code === "ENOSPC" ? needsRoom(call) : changes(call)) ? lasting.fault : undefined
  }

  const around = (call: Call) => <A>(run: Effect.Effect<A, Errno.Failure>): Effect.Effect<A, Errno.Failure> =>
    Effect.suspend(() => {
      if (plan === undefined) return run
      const number = log.push(call) - 1
      for (const watch of watchers) watch(call, number)
      const fault = faultOf(call, number)
      switch (fault?._tag) {
        case undefined:
          return run
        case "Instead":
        case "Onwards":
          return Effect.fail(Errno.error(fault.code, call))
        case "Dies":
          return Effect.die(new Error(`nobody foresaw that ${call.method} breaks`))
        case "After":
          return Effect.andThen(run, Effect.fail(Errno.error(fault.code, call)))
        case "Half":
          bytes = { half: call, code: fault.code }
          return run
        case "Short":
          bytes = "short"
          return run
      }
    })

  /** Half of what was to be moved, but something. */
  const some = (buffer: Uint8Array) => buffer.subarray(0, Math.max(1, Math.floor(buffer.length / 2)))

  const shortened = (file: FileSystem.File): FileSystem.File => {
    const take = () => {
      const taken = bytes
      bytes = "all"
      return taken
    }
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      stat: file.stat,
      sync: file.sync,
      seek: (offset, from) => file.seek(offset, from),
      truncate: (length) => file.truncate(length),
      read: (buffer, options) => Effect.suspend(() => file.read(take() === "all" ? buffer : some(buffer), options)),
      readAlloc: (size, options) =>
        Effect.suspend(() => file.readAlloc(take() === "all" ? size : Math.max(1, Math.floor(size / 2)), options)),
      write: (buffer) => Effect.suspend(() => file.write(take() === "all" ? buffer : some(buffer))),
      writeAll: (buffer) =>
        Effect.suspend(() => {
          const how = take()
          if (how === "all") return file.writeAll(buffer)
          const written = file.write(some(buffer))
          return how === "short"
            ? Effect.flatMap(written, (count) => file.writeAll(buffer.subarray(count)))
            : Effect.andThen(written, Effect.fail(Errno.error(how.code, how.half)))
        })
    }
  }

  const layer: Layer.Layer<FileSystem.FileSystem, never, FileSystem.FileSystem> = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) =>
      FileSystemHooks.make({
        ...fs,
        open: (path, options) =>
          Effect.suspend(() => {
            let isOpen = false
            // Runs after the platform has closed the file, and dies where that would have died.
            return Effect.addFinalizer(() =>
              Effect.suspend(() =>
                isOpen ? Effect.orDie(around({ method: "file.close", path })(Effect.void)) : Effect.void
              )
            ).pipe(
              Effect.andThen(fs.open(path, options)),
              Effect.map((file) => {
                isOpen = true
                return shortened(file)
              })
            )
          })
      }, around))
  )

  return {
    layer,
    log,
    /** Told of every call of an armed disk, before it runs. */
    watch: (watcher: (call: Call, number: number) => void) => void watchers.push(watcher),
    /** Counts from here on, and strikes. */
    arm: (strikes: ReadonlyArray<Strike>) => {
      log.length = 0
      plan = strikes
    },
    disarm: () => {
      plan = undefined
      bytes = "all"
    }
  }
}

export type Disk = ReturnType<typeof make>
