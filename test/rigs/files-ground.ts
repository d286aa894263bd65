/** Sessions in files below a directory of their own. */
import { Effect, FileSystem, type Path } from "effect"
import * as Aftermath from "./aftermath.ts"
import type { Ground } from "./ground.ts"
import * as Process from "./kills/process.ts"
import * as Contenders from "./winner/contenders.ts"

/** A directory that goes with the scope. */
export const make = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const context = yield* Effect.context<FileSystem.FileSystem | Path.Path>()
  const places = yield* Aftermath.workspace
  yield* Effect.forEach(Process.projects(places), (project) => fs.makeDirectory(project))
  const within = <A, E>(effect: Effect.Effect<A, E, FileSystem.FileSystem | Path.Path>) =>
    Effect.provideContext(effect, context)
  const ground: Ground = {
    root: places.root,
    layer: Process.layer(places),
    // Whether a holder lives is seen at once.
    freed: () => Effect.void,
    look: (id) => within(Contenders.look(places, id)),
    unlike: (id, state) => Effect.orDie(within(Aftermath.unlike(places, id, state))),
    strays: (only) =>
      Effect.orDie(within(only === undefined ? Aftermath.strays(places) : Contenders.strays(places, only)))
  }
  return ground
})
