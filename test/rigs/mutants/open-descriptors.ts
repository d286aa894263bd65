/** A disk that opens a directory once more each time it is opened, and keeps that one open. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as NodeFs from "node:fs"

export const make = (fs: FileSystem.FileSystem): FileSystem.FileSystem =>
  FileSystem.make({
    ...fs,
    open: (path, options) =>
      Effect.tap(fs.open(path, options), () =>
        Effect.sync(() =>
          options?.flag === "r" && NodeFs.statSync(path).isDirectory() && NodeFs.openSync(path, "r")
        ))
  })
