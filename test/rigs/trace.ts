/**
 * Everything that a program did to a file system, in order, and what it was told
 * meanwhile: enough to do it again on another disk, call by call.
 */
import { Effect, FileSystem, Semaphore } from "effect"

/** One call that took effect, or something that the program knows from here on. */
export type Step<Mark> =
  | { readonly _tag: "MakeDirectory"; readonly path: string; readonly mode: number }
  | {
    readonly _tag: "Open"
    readonly descriptor: number
    readonly path: string
    readonly flag: FileSystem.OpenFlag
    readonly mode: number
  }
  | { readonly _tag: "Write"; readonly descriptor: number; readonly bytes: Uint8Array }
  | { readonly _tag: "Truncate"; readonly descriptor: number; readonly size: number }
  | { readonly _tag: "Sync"; readonly descriptor: number }
  | { readonly _tag: "Link"; readonly path: string; readonly to: string }
  | { readonly _tag: "Rename"; readonly path: string; readonly to: string }
  | { readonly _tag: "Remove"; readonly path: string }
  | { readonly _tag: "Mark"; readonly mark: Mark }

/** Whether a step changes what is on the disk, or what of it is durable. */
export const isChange = <Mark>(step: Step<Mark>): boolean =>
  step._tag !== "Mark" && (step._tag !== "Open" || !step.flag.startsWith("r"))

/** A step in words. */
export const format = <Mark>(step: Step<Mark>): string => {
  switch (step._tag) {
    case "Mark":
      return "an acknowledgement"
    case "Write":
      return `Write ${step.bytes.length} bytes to ${step.descriptor}`
    case "Truncate":
    case "Sync":
      return `${step._tag} ${step.descriptor}`
    case "Open":
      return `Open ${step.path} as ${step.descriptor}`
    case "Link":
    case "Rename":
      return `${step._tag} ${step.path} to ${step.to}`
    default:
      return `${step._tag} ${step.path}`
  }
}

/**
 * The file system below, with every call that changes it written down once it
 * took effect. Such calls happen one at a time, so that their order is known. A
 * change that a trace can't hold is a defect.
 */
export const recordInto = <Mark>(steps: Array<Step<Mark>>) => (fs: FileSystem.FileSystem): FileSystem.FileSystem => {
  const turns = Semaphore.makeUnsafe(1)
  let opened = 0
  const recorded = <A, E, R>(run: Effect.Effect<A, E, R>, step: Step<Mark>) =>
    Effect.uninterruptible(turns.withPermit(Effect.tap(run, () => Effect.sync(() => steps.push(step)))))
  const untraced = (method: string) => () => Effect.die(new Error(`a trace can't hold ${method}`))

  const fileOf = (file: FileSystem.File, descriptor: number): FileSystem.File => ({
    [FileSystem.FileTypeId]: FileSystem.FileTypeId,
    stat: file.stat,
    seek: untraced("seek"),
    read: (buffer, options) => file.read(buffer, options),
    readAlloc: (size, options) => file.readAlloc(size, options),
    sync: recorded(file.sync, { _tag: "Sync", descriptor }),
    truncate: (size) => recorded(file.truncate(size), { _tag: "Truncate", descriptor, size: size ?? 0 }),
    write: untraced("a write that may be short"),
    writeAll: (bytes) => recorded(file.writeAll(bytes), { _tag: "Write", descriptor, bytes: bytes.slice() })
  })

  return FileSystem.make({
    ...fs,
    makeDirectory: (path, options) =>
      options?.recursive === true
        ? untraced("makeDirectory of several at once")()
        : recorded(fs.makeDirectory(path, options), { _tag: "MakeDirectory", path, mode: options?.mode ?? 0o777 }),
    open: (path, options) =>
      Effect.suspend(() => {
        const descriptor = ++opened
        const flag = options?.flag ?? "r"
        return Effect.map(
          recorded(fs.open(path, options), { _tag: "Open", descriptor, path, flag, mode: options?.mode ?? 0o666 }),
          (file) => fileOf(file, descriptor)
        )
      }),
    link: (path, to) => recorded(fs.link(path, to), { _tag: "Link", path, to }),
    rename: (path, to) => recorded(fs.rename(path, to), { _tag: "Rename", path, to }),
    remove: (path, options) => recorded(fs.remove(path, options), { _tag: "Remove", path }),
    chmod: untraced("chmod"),
    chown: untraced("chown"),
    copy: untraced("copy"),
    copyFile: untraced("copyFile"),
    makeTempDirectory: untraced("makeTempDirectory"),
    makeTempDirectoryScoped: untraced("makeTempDirectoryScoped"),
    makeTempFile: untraced("makeTempFile"),
    makeTempFileScoped: untraced("makeTempFileScoped"),
    symlink: untraced("symlink"),
    truncate: untraced("truncate"),
    utimes: untraced("utimes"),
    writeFile: untraced("writeFile")
  })
}
