/**
 * A disk that keeps what earlier holders have on its way: `pending.*` is removed
 * only by the process that made it, so a publish that slept can still come into
 * place.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import * as Layout from "../../../src/services/store/Layout.ts"

export const make = (fs: FileSystem.FileSystem, path: Path.Path): FileSystem.FileSystem => {
  const made = new Set<string>()
  const isPending = (file: string) => Layout.parse([path.basename(file)]).pending.length > 0
  return FileSystem.make({
    ...fs,
    open: (file, options) => {
      if (options?.flag === "ax") made.add(file)
      return fs.open(file, options)
    },
    remove: (file, options) => isPending(file) && !made.has(file) ? Effect.void : fs.remove(file, options)
  })
}
