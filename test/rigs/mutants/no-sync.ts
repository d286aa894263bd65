/**
 * File systems that swallow syncs: what is written or named shows, and is durable
 * whenever it likes.
 */
import { Effect, FileSystem } from "effect"

/** Which syncs are swallowed. A directory is synced through a descriptor that can't write. */
export type Swallowed = "all" | "directories" | "files"

const unsynced = (file: FileSystem.File): FileSystem.File => ({
  [FileSystem.FileTypeId]: FileSystem.FileTypeId,
  stat: file.stat,
  sync: Effect.void,
  seek: (offset, from) => file.seek(offset, from),
  read: (buffer, options) => file.read(buffer, options),
  readAlloc: (size, options) => file.readAlloc(size, options),
  truncate: (size) => file.truncate(size),
  write: (bytes) => file.write(bytes),
  writeAll: (bytes) => file.writeAll(bytes)
})

export const make = (swallowed: Swallowed) => (fs: FileSystem.FileSystem): FileSystem.FileSystem =>
  FileSystem.make({
    ...fs,
    open: (path, options) => {
      const kind = (options?.flag ?? "r") === "r" ? "directories" : "files"
      return Effect.map(
        fs.open(path, options),
        (file) => swallowed === "all" || swallowed === kind ? unsynced(file) : file
      )
    }
  })
