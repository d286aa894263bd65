/**
 * A disk below which epochs begin again: with the leases that no longer count
 * goes the released one that ended the session, so the next claim has number 1.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import * as Lease from "../../../src/core/Lease.ts"
import * as Layout from "../../../src/services/store/Layout.ts"

const epochAfter = (file: string): Option.Option<number> => {
  const [epoch] = Layout.parse([file]).leases
  return epoch === undefined ? Option.none() : Option.some(epoch + 1)
}

export const make = (fs: FileSystem.FileSystem, path: Path.Path): FileSystem.FileSystem => {
  const forget = Effect.fnUntraced(function*(directory: string, epoch: number) {
    const file = path.join(directory, Layout.lease(epoch))
    const lease = Lease.fromBytes(yield* fs.readFile(file), epoch)
    if (Option.exists(lease, ({ state }) => state === "released")) yield* fs.remove(file)
  }, (effect) => Effect.ignore(effect))

  return FileSystem.make({
    ...fs,
    remove: (file, options) =>
      Effect.tap(fs.remove(file, options), () =>
        Option.match(epochAfter(path.basename(file)), {
          onNone: () => Effect.void,
          onSome: (epoch) => forget(path.dirname(file), epoch)
        }))
  })
}
