/** A disk that keeps a copy of everything that was ever read from it, sixteen times. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

const copies = 16

export const make = (fs: FileSystem.FileSystem): FileSystem.FileSystem => {
  const kept: Array<Uint8Array> = []
  return FileSystem.make({
    ...fs,
    open: (path, options) =>
      Effect.map(fs.open(path, options), (file) => ({
        ...file,
        read: (buffer, options) =>
          Effect.tap(file.read(buffer, options), () =>
            Effect.sync(() => {
              for (let copy = 0; copy < copies; copy++) kept.push(Uint8Array.from(buffer))
            }))
      }))
  })
}
