/**
 * The directory a session works in: whether it can be used, and whether it is
 * still the same one later.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Predicate from "effect/Predicate"
import type { Fingerprint } from "../core/ProjectPath.ts"
import * as ProjectPath from "../core/ProjectPath.ts"
import type { ProjectReason } from "../core/SessionError.ts"
import {
  ProjectForbidden,
  ProjectMissing,
  ProjectNotDirectory,
  ProjectOutside,
  StoreError
} from "../core/SessionError.ts"
import * as InOneGo from "./store/InOneGo.ts"

/**
 * @category services
 * @since 0.1.0
 */
export class ProjectDirectory extends Context.Service<ProjectDirectory, {
  /** Follows the path to its real directory and takes its fingerprint. */
  readonly fingerprint: (path: string) => Effect.Effect<Fingerprint, ProjectReason | StoreError>
}>()("effect-reprise/services/ProjectDirectory") {}

const isTooLong = ({ reason }: PlatformError): boolean =>
  Predicate.hasProperty(reason.cause, "code") && reason.cause.code === "ENAMETOOLONG"

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Directories that projects must be in, themselves included, once links are followed. Anywhere by default. */
  readonly allowedRoots?: ReadonlyArray<string>
}

/**
 * Looks at directories of this machine.
 *
 * **Details**
 *
 * With `allowedRoots` a link is followed only where it ends inside one of them;
 * anything else is `ProjectOutside`. A root that is missing allows nothing.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerWith = (
  options: Options
): Layer.Layer<ProjectDirectory, never, FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    ProjectDirectory,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const follow = InOneGo.follow(fs)

      const isInside = (real: string) => (root: string) =>
        Effect.match(fs.realPath(root), {
          onFailure: () => false,
          onSuccess: (top) => real === top || real.startsWith(top.endsWith(path.sep) ? top : top + path.sep)
        })

      const checkRoots = Effect.fnUntraced(function*(project: string, real: string, roots: ReadonlyArray<string>) {
        const inside = yield* Effect.forEach(roots, isInside(real))
        if (!inside.includes(true)) return yield* new ProjectOutside({ path: project, roots: [...roots] })
      })

      const reason = (project: string) => (error: PlatformError): ProjectReason | StoreError => {
        switch (error.reason._tag) {
          case "NotFound":
            return new ProjectMissing({ path: project })
          case "BadResource":
            return new ProjectNotDirectory({ path: project })
          case "PermissionDenied":
            return new ProjectForbidden({ path: project })
          default:
            // No directory can have a name that the file system does not take.
            if (isTooLong(error)) return new ProjectMissing({ path: project })
            return new StoreError({ operation: "checking the project directory", cause: error })
        }
      }

      const look = Effect.fnUntraced(function*(project: string) {
        const { info: found, path: real } = yield* follow(project)
        if (options.allowedRoots !== undefined) yield* checkRoots(project, real, options.allowedRoots)
        const info = yield* Effect.fromResult(found)
        if (info.type !== "Directory") return yield* new ProjectNotDirectory({ path: project })
        const text = (value: Option.Option<number | bigint>) =>
          Option.match(value, { onNone: () => "", onSome: String })
        const fingerprint: Fingerprint = {
          path: real,
          dev: String(info.dev),
          ino: text(info.ino),
          uid: text(info.uid),
          gid: text(info.gid),
          mode: String(info.mode)
        }
        return fingerprint
      })

      return ProjectDirectory.of({
        fingerprint: (project) =>
          Effect.fromResult(ProjectPath.check(project, path.isAbsolute)).pipe(
            Effect.andThen(look(project)),
            Effect.catchTag("PlatformError", (error) => Effect.fail(reason(project)(error)))
          )
      })
    })
  )

/**
 * Looks at directories of this machine, wherever they are.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<ProjectDirectory, never, FileSystem.FileSystem | Path.Path> = layerWith({})

/**
 * For projects that are not on this machine: takes every path as it is.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerNone: Layer.Layer<ProjectDirectory> = Layer.succeed(
  ProjectDirectory,
  ProjectDirectory.of({
    fingerprint: (path) => Effect.succeed({ path, dev: "", ino: "", uid: "", gid: "", mode: "" })
  })
)
