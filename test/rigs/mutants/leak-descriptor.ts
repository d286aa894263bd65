/** A file system whose files stay open when a write to them failed. */
import { Effect, FileSystem, Scope } from "effect"
import type { Mutant } from "../trials/world.ts"

export const mutant: Mutant = {
  fileSystem: (fs) =>
    FileSystem.FileSystem.of({
      ...fs,
      open: (path, options) =>
        Effect.gen(function*() {
          const scope = yield* Scope.make()
          let isLeaked = false
          yield* Effect.addFinalizer((exit) => isLeaked ? Effect.void : Scope.close(scope, exit))
          const file = yield* Scope.provide(fs.open(path, options), scope)
          const leaky: FileSystem.File = {
            [FileSystem.FileTypeId]: FileSystem.FileTypeId,
            stat: file.stat,
            sync: file.sync,
            seek: (offset, from) => file.seek(offset, from),
            read: (buffer, options) => file.read(buffer, options),
            readAlloc: (size, options) => file.readAlloc(size, options),
            truncate: (length) => file.truncate(length),
            write: (bytes) => file.write(bytes),
            writeAll: (bytes) =>
              Effect.tapError(file.writeAll(bytes), () =>
                Effect.sync(() => {
                  isLeaked = true
                }))
          }
          return leaky
        })
    })
}
