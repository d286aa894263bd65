/** A file system that takes a write for complete, however many bytes it moved. */
import { Effect, FileSystem } from "effect"
import type { Mutant } from "../trials/world.ts"

export const mutant: Mutant = {
  fileSystem: (fs) =>
    FileSystem.FileSystem.of({
      ...fs,
      open: (path, options) =>
        Effect.map(fs.open(path, options), (file): FileSystem.File => ({
          [FileSystem.FileTypeId]: FileSystem.FileTypeId,
          stat: file.stat,
          sync: file.sync,
          seek: (offset, from) => file.seek(offset, from),
          read: (buffer, options) => file.read(buffer, options),
          readAlloc: (size, options) => file.readAlloc(size, options),
          truncate: (length) => file.truncate(length),
          write: (bytes) => file.write(bytes),
          writeAll: (bytes) => Effect.asVoid(file.write(bytes))
        }))
    })
}
