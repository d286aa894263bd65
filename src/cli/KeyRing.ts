/**
 * The key ring that is beside a sessions directory.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import { StoreError } from "../core/SessionError.ts"
import { isSessionId } from "../core/SessionId.ts"

const pattern = /^keyring(?:\.(\d+))?\.json$/

/** Which generation of a key ring a file is; 0 for what is none. */
const generationOf = (name: string): number => {
  const found = pattern.exec(name)
  return found === null ? 0 : Number(found[1] ?? 1)
}

const namesIn = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  return yield* Effect.orElseSucceed(fs.readDirectory(directory), () => [])
})

/**
 * The file of the key ring beside a sessions directory: its newest generation.
 *
 * @category getters
 * @since 0.1.0
 */
export const file = Effect.fnUntraced(function*(directory: string) {
  const path = yield* Path.Path
  const beside = path.dirname(directory)
  const [newest] = (yield* namesIn(beside))
    .filter((name) => generationOf(name) > 0)
    .toSorted((self, that) => generationOf(that) - generationOf(self))
  return Option.map(Option.fromUndefinedOr(newest), (name) => path.join(beside, name))
})

/**
 * Gives a place that has neither a key ring nor sessions a copy of another place's
 * key ring, and tells where it is then. The copy is there as a whole or not at all.
 *
 * @category operations
 * @since 0.1.0
 */
export const bring = Effect.fnUntraced(
  function*(from: string, to: string) {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const source = yield* file(from)
    const isMissing = Option.isNone(yield* file(to)) && !(yield* namesIn(to)).some(isSessionId)
    if (Option.isNone(source) || !isMissing) return Option.none<string>()
    const beside = path.dirname(to)
    const target = path.join(beside, "keyring.json")
    const bytes = yield* fs.readFile(source.value)
    yield* fs.makeDirectory(beside, { recursive: true, mode: 0o700 })
    const prepared = path.join(beside, `.keyring.${process.pid}.tmp`)
    const write = Effect.gen(function*() {
      const opened = yield* fs.open(prepared, { flag: "wx", mode: 0o600 })
      yield* opened.writeAll(bytes)
      yield* opened.sync
    })
    yield* fs.remove(prepared, { force: true }).pipe(
      Effect.andThen(Effect.scoped(write)),
      Effect.andThen(fs.link(prepared, target)),
      Effect.ensuring(Effect.ignore(fs.remove(prepared, { force: true })))
    )
    return Option.some(target)
  },
  Effect.mapError((cause) => new StoreError({ operation: "bringing the key ring", cause }))
)
