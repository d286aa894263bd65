/** A disk that does not delete files that were on their way, and says it did. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

export const make = (fs: FileSystem.FileSystem): FileSystem.FileSystem =>
  FileSystem.make({
    ...fs,
    remove: (path, options) =>
      /\/(pending|creating|deleting)\.[^/]*$/.test(path) ? Effect.void : fs.remove(path, options)
  })
