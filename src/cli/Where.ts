/**
 * Where sessions are stored, and for which project a command runs.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as UserDirectories from "effect/persistence/UserDirectories"
import { ExitCode } from "./ExitCode.ts"
import { Failure } from "./Failure.ts"
import * as Place from "./Place.ts"
import { root } from "./Root.ts"

/**
 * The directory that the command runs in.
 *
 * @category services
 * @since 0.1.0
 */
export class WorkingDirectory extends Context.Reference<string>("effect-reprise/cli/Where/WorkingDirectory", {
  defaultValue: () => process.cwd()
}) {}

const noHome = (error: unknown) =>
  new Failure({
    kind: "NoDirectory",
    exitCode: ExitCode.failed,
    what: "There is no place to keep sessions in.",
    why: error instanceof Error ? error.message : "The user's state directory is not known.",
    next: "Name one: reprise --dir DIR …, or set REPRISE_DIR."
  })

/** What names the place: `--store`, unless `--dir` does, `REPRISE_STORE`. The command line counts more. */
const named = Effect.gen(function*() {
  const { dir, store } = yield* root
  if (Option.isSome(store) || Option.exists(dir, (dir) => dir !== "")) return store
  const fromEnvironment = yield* Effect.mapError(Config.option(Config.String("REPRISE_STORE")), noHome)
  return Option.filter(fromEnvironment, (store) => store !== "")
})

/**
 * The sessions directory, absolute, beside which keys are: what `--store` or
 * `REPRISE_STORE` name, where that is a directory, else `--dir`, else `REPRISE_DIR`,
 * else `reprise/sessions` in the user's state directory.
 *
 * @category getters
 * @since 0.1.0
 */
export const directory = Effect.gen(function*() {
  const path = yield* Path.Path
  const { dir } = yield* root
  const cwd = yield* WorkingDirectory
  const given = Option.orElse(
    Option.filter(yield* named, (store) => store !== "" && !Place.isAddress(store)),
    () => Option.filter(dir, (dir) => dir !== "")
  )
  if (Option.isSome(given)) return path.resolve(cwd, given.value)
  const fromEnvironment = yield* Effect.mapError(Config.option(Config.String("REPRISE_DIR")), noHome)
  if (Option.isSome(fromEnvironment) && fromEnvironment.value !== "") return path.resolve(cwd, fromEnvironment.value)
  const directories = yield* UserDirectories.UserDirectories
  return path.join(yield* Effect.mapError(directories.state("reprise"), noHome), "sessions")
}).pipe(Effect.provide(UserDirectories.layer))

/**
 * Where sessions are: below the directory, or in the database that `--store` or, without
 * `--dir`, `REPRISE_STORE` name.
 *
 * @category getters
 * @since 0.1.0
 */
export const place = Effect.gen(function*() {
  const home = yield* directory
  const store = yield* named
  const files: Place.Place = { _tag: "Files", directory: home }
  return Option.isNone(store) ? files : yield* Place.parse(store.value, { cwd: yield* WorkingDirectory, home })
})

/**
 * The project whose sessions a command is about: the real path of the working
 * directory, or of `given`.
 *
 * @category getters
 * @since 0.1.0
 */
export const project = Effect.fnUntraced(function*(given?: string) {
  const path = yield* Path.Path
  const fs = yield* FileSystem.FileSystem
  const cwd = yield* WorkingDirectory
  const resolved = given === undefined ? cwd : path.resolve(cwd, given)
  return yield* Effect.orElseSucceed(fs.realPath(resolved), () => resolved)
})
