/**
 * Which session a number means: the one that stood at that place when the
 * project's list was last shown.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Hash from "effect/Hash"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { SessionId } from "../core/SessionId.ts"
import * as Place from "./Place.ts"
import * as Where from "./Where.ts"

/** What stood at each place. Places of files that are no sessions are empty. */
const Shown = Schema.Struct({
  version: Schema.Literal(1),
  project: Schema.String,
  ids: Schema.Array(Schema.NullOr(SessionId))
})

const decode = Schema.decodeUnknownOption(Schema.fromJsonString(Shown))

const file = Effect.gen(function*() {
  const path = yield* Path.Path
  const directory = yield* Where.directory
  const place = yield* Where.place
  const project = yield* Where.project()
  // A name that another project shares does no harm: the file tells whose it is.
  const listed = place._tag === "Files" ? project : `${Place.shown(place)} ${project}`
  const name = [listed, `${listed}/`].map((text) => (Hash.string(text) >>> 0).toString(16).padStart(8, "0")).join("")
  return { project, name: path.join(path.dirname(directory), "listings", `${name}.json`) }
})

/**
 * Remembers a list as it is shown. Where that can't be written numbers are
 * refused later, and nothing else is lost.
 *
 * **Details**
 *
 * Written beside and renamed over, so a list that is shown at the same moment
 * elsewhere replaces it as a whole or not at all.
 *
 * @category numbers
 * @since 0.1.0
 */
export const remember = Effect.fnUntraced(function*(ids: ReadonlyArray<SessionId | null>) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { name, project } = yield* file
  const shown: typeof Shown.Type = { version: 1, project, ids }
  const text = `${JSON.stringify(shown)}\n`
  const before = yield* Effect.option(fs.readFileString(name))
  if (Option.isSome(before) && before.value === text) return
  const beside = `${name}.${process.pid}.tmp`
  yield* fs.makeDirectory(path.dirname(name), { recursive: true, mode: 0o700 })
  yield* fs.writeFileString(beside, text, { mode: 0o600 }).pipe(
    Effect.andThen(fs.rename(beside, name)),
    Effect.onError(() => Effect.ignore(fs.remove(beside, { force: true })))
  )
}, (effect) => Effect.ignore(effect))

/**
 * The list of this project as it was last shown.
 *
 * @category numbers
 * @since 0.1.0
 */
export const shown = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const { name, project } = yield* file
  const text = yield* Effect.option(fs.readFileString(name))
  return Option.flatMap(text, decode).pipe(
    Option.filter((shown) => shown.project === project),
    Option.map(({ ids }) => ids)
  )
})
