/** A disk that says it wrote to a journal and, every fourth time, did not. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

const every = 4

export const make = (fs: FileSystem.FileSystem): FileSystem.FileSystem => {
  let writes = 0
  return FileSystem.make({
    ...fs,
    open: (path, options) =>
      Effect.map(fs.open(path, options), (file) => {
        let isNew = true
        return {
          ...file,
          writeAll: (bytes) =>
            Effect.suspend(() => {
              // What a file begins with is written: only what is added to it gets lost.
              const isAdded = !isNew
              isNew = false
              return isAdded && writes++ % every === every - 1 ? Effect.void : file.writeAll(bytes)
            })
        }
      })
  })
}
