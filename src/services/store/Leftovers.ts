/**
 * What processes that were killed left under private names.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import type { Liveness } from "../Liveness.ts"
import type { Files } from "./Files.ts"
import * as Layout from "./Layout.ts"

/**
 * Deletes everything in a directory that a process made under a private name and
 * that is dead now. As far as it goes, and never fails: the next one does it again.
 */
export const sweepPrivate = (
  services: { readonly files: Files; readonly liveness: Liveness["Service"]; readonly path: Path.Path },
  directory: string
): Effect.Effect<void> => {
  const { files, liveness, path } = services
  return Effect.gen(function*() {
    const names = yield* files.names(directory)
    // Before anything inside goes: a power loss must not undo the rename alone.
    if (names.some((name) => Option.isSome(Layout.makerOf(name, liveness.self)))) yield* files.syncDirectory(directory)
    for (const name of names) {
      const maker = Layout.makerOf(name, liveness.self)
      if (Option.isNone(maker) || (yield* liveness.judge(maker.value)) !== "dead") continue
      yield* files.removeQuietly(path.join(directory, name), { recursive: true })
    }
  }).pipe((effect) => Effect.asVoid(Effect.exit(effect)))
}
