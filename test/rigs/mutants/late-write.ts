/**
 * A file system through which prepared files come to their places before their
 * bytes do: a write of a file on its way is kept until it was renamed or linked,
 * and then written and synced.
 */
import { Effect, FileSystem } from "effect"

export const make = (fs: FileSystem.FileSystem): FileSystem.FileSystem => {
  const kept = new Map<string, Uint8Array>()
  const isOnItsWay = (path: string) => /\/pending\.[^/]*$/.test(path)

  /** Writes what was kept for a file, now that it is in its place. */
  const catchUp = (path: string, to: string) =>
    Effect.suspend(() => {
      const bytes = kept.get(path)
      if (bytes === undefined) return Effect.void
      kept.delete(path)
      return Effect.scoped(Effect.flatMap(
        fs.open(to, { flag: "a" }),
        (file) => Effect.andThen(file.writeAll(bytes), file.sync)
      ))
    })

  const late = (path: string, file: FileSystem.File): FileSystem.File => {
    let isNew = true
    return {
      [FileSystem.FileTypeId]: FileSystem.FileTypeId,
      stat: file.stat,
      seek: (offset, from) => file.seek(offset, from),
      read: (buffer, options) => file.read(buffer, options),
      readAlloc: (size, options) => file.readAlloc(size, options),
      truncate: (size) => file.truncate(size),
      write: (bytes) => file.write(bytes),
      sync: Effect.suspend(() => kept.has(path) ? Effect.void : file.sync),
      writeAll: (bytes) =>
        Effect.suspend(() => {
          if (!isNew) return file.writeAll(bytes)
          isNew = false
          kept.set(path, bytes.slice())
          return Effect.void
        })
    }
  }

  return FileSystem.make({
    ...fs,
    open: (path, options) =>
      Effect.map(
        fs.open(path, options),
        (file) => options?.flag === "ax" && isOnItsWay(path) ? late(path, file) : file
      ),
    link: (path, to) => Effect.andThen(fs.link(path, to), catchUp(path, to)),
    rename: (path, to) => Effect.andThen(fs.rename(path, to), catchUp(path, to))
  })
}
