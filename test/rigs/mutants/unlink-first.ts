/** A file system that makes room for a new snapshot before it is in place. */
import { Effect, FileSystem } from "effect"
import type { Mutant } from "../trials/world.ts"

export const mutant: Mutant = {
  fileSystem: (fs) =>
    FileSystem.FileSystem.of({
      ...fs,
      rename: (from, to) =>
        to.endsWith("/session.json")
          ? Effect.andThen(fs.remove(to, { force: true }), fs.rename(from, to))
          : fs.rename(from, to)
    })
}
