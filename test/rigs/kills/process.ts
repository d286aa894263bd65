/**
 * What a process that a rig spawns runs on: a store over real files, on a disk
 * that may be broken on purpose.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { ResumeLimit, SessionLimits, type SessionList } from "../../../src/index.ts"
import { NodeSessions } from "../../../src/node/index.ts"
import * as FileSystemHooks from "../../../src/testing/FileSystemHooks.ts"
import * as Broken from "../mutants/broken.ts"
import * as Places from "../places.ts"
import * as Database from "../sql/database.ts"

export const everyStatus: ReadonlyArray<SessionList.Status> = [
  "closed",
  "running",
  "interrupted",
  "elsewhere",
  "removed"
]

/** A supervisor runs one session in a directory, and more than one shall run. */
export const projects = ({ project }: ReturnType<typeof Places.below>): ReadonlyArray<string> => [
  `${project}/one`,
  `${project}/two`
]

/** Small enough that journals are checkpointed by themselves now and then. */
const limits = { ...SessionLimits.defaults, checkpointBytes: 8 * 1024 }

/** The hook sees what reaches the system below a broken disk. */
export const layer = (
  places: ReturnType<typeof Places.below>,
  options: { readonly mutant?: string | undefined; readonly hook?: FileSystemHooks.Hook } = {}
) => {
  const disk = Layer.provide(FileSystemHooks.layer(options.hook ?? FileSystemHooks.none), NodeFileSystem.layer)
  return Layer.mergeAll(NodeSessions.layerServices({ directory: places.sessions }), ResumeLimit.layerOff).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        NodeSessions.layerPlatform,
        Layer.provide(Broken.layerDisk(options.mutant), disk),
        Broken.layerLiveness(options.mutant)
      )
    ),
    Layer.provide(Layer.succeed(SessionLimits.SessionLimits, limits)),
    // Standard output is for what the program says.
    Layer.provideMerge(Logger.layer([]))
  )
}

/** The store that a root names: below a directory, or in a database. Only what is needed is imported. */
export const at = (
  root: string,
  options: { readonly mutant?: string | undefined } = {}
): Layer.Layer<NodeSessions.Services, unknown> =>
  Database.isRoot(root)
    ? Layer.unwrap(
      Effect.map(Effect.promise(() => import("../sql/process.ts")), (Process) => Process.layer(root, options))
    ).pipe(
      Layer.provide(Layer.succeed(SessionLimits.SessionLimits, limits)),
      Layer.provideMerge(Logger.layer([]))
    )
    : layer(Places.below(root), options)
