/**
 * A disk that shows the lease that this process linked last as the highest, as
 * long as that one is held: whoever looks whether it still holds the session
 * finds that it does.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Lease from "../../../src/core/Lease.ts"
import * as Layout from "../../../src/services/store/Layout.ts"

export const make = (fs: FileSystem.FileSystem, path: Path.Path): FileSystem.FileSystem => {
  /** The epoch of the lease that this process holds in a directory, as it believes. */
  const own = new Map<string, number>()

  const remember = Effect.fnUntraced(function*(file: string) {
    const [epoch] = Layout.parse([path.basename(file)]).leases
    if (epoch === undefined) return
    const lease = Lease.fromBytes(yield* fs.readFile(file), epoch)
    if (Option.exists(lease, ({ state }) => state === "held")) own.set(path.dirname(file), epoch)
    else own.delete(path.dirname(file))
  })

  return FileSystem.make({
    ...fs,
    link: (from, to) => Effect.tap(fs.link(from, to), remember(to)),
    readDirectory: (directory, options) =>
      Effect.map(fs.readDirectory(directory, options), (names) => {
        const held = own.get(directory)
        if (held === undefined) return names
        return [
          ...names.filter((name) => Layout.parse([name]).leases.every((epoch) => epoch < held)),
          Layout.lease(held)
        ]
      })
  })
}
