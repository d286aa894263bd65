/**
 * A disk that puts a prepared file in its place before its bytes are in it: a
 * process that is killed between leaves a name with nothing behind.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"

/** How long the name is there without its bytes. */
const gap = "4 millis"

export const make = (fs: FileSystem.FileSystem): FileSystem.FileSystem => {
  /** What was written to files that are not in their place yet. */
  const deferred = new Map<string, Array<Uint8Array>>()

  /** Writes what was held back, where it is now. */
  const settle = Effect.fnUntraced(function*(from: string, to: string) {
    const moved = [...deferred].filter(([path]) => path === from || path.startsWith(`${from}/`))
    for (const [path, chunks] of moved) {
      deferred.delete(path)
      yield* Effect.sleep(gap)
      yield* fs.writeFile(`${to}${path.slice(from.length)}`, Buffer.concat(chunks))
    }
  })

  const isPrepared = (path: string) => /\/(pending|creating)\.[^/]*(\/[^/]*)?$/.test(path)

  return FileSystem.make({
    ...fs,
    open: (path, options) =>
      Effect.map(fs.open(path, options), (file) => {
        if (options?.flag !== "ax" || !isPrepared(path)) return file
        deferred.set(path, [])
        return {
          ...file,
          writeAll: (bytes) =>
            Effect.suspend(() => {
              const chunks = deferred.get(path)
              if (chunks === undefined) return file.writeAll(bytes)
              chunks.push(bytes)
              return Effect.void
            })
        }
      }),
    link: (from, to) => Effect.andThen(fs.link(from, to), settle(from, to)),
    rename: (from, to) => Effect.andThen(fs.rename(from, to), settle(from, to))
  })
}
