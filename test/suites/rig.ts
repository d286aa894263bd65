/**
 * What many tests stand on: a temporary directory, a process that can be killed
 * by a word, and all services over real files.
 */
import { NodeCrypto, NodeFileSystem, NodePath } from "@effect/platform-node"
import { Effect, FileSystem, Layer, Path } from "effect"
import {
  type Liveness,
  ProjectDirectory,
  ResumeLimit,
  type Session,
  SessionLimits,
  SessionStore,
  Supervisor
} from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import { FileSystemHooks, TestLiveness, TestSessions } from "effect-reprise/testing"
import { Kdf } from "effect/crypto"

export const config: Session.SessionConfig = { provider: "test", model: "model", temperature: 0.5, maxTokens: 1000 }

export const layerPlatform = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeCrypto.layerSecureRandom)

/** A temporary directory with an empty project, deleted at the end. */
export const workspace = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = yield* fs.realPath(yield* fs.makeTempDirectoryScoped({ prefix: "reprise-" }))
  const project = path.join(root, "project")
  yield* fs.makeDirectory(project)
  return { root, project, sessions: path.join(root, "sessions") }
}).pipe(Effect.provide(layerPlatform))

/** What a rig provides to operations. */
export type Services = Layer.Success<ReturnType<typeof layer>>

export interface RigOptions {
  readonly sessions: string
  /** Sees every call of the store and of the project directory. */
  readonly hook?: FileSystemHooks.Hook
  /** Which process this is; by default one of a machine of its own. */
  readonly liveness?: Layer.Layer<Liveness.Liveness>
  readonly limits?: Partial<SessionLimits.Limits>
  readonly resumeLimit?: Layer.Layer<ResumeLimit.ResumeLimit>
  readonly allowedRoots?: ReadonlyArray<string>
}

/** All services over files, signed with the test key. */
export const layer = (options: RigOptions) => {
  const limits = Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, ...options.limits })
  const platform = Layer.mergeAll(
    Layer.provide(FileSystemHooks.layer(options.hook ?? FileSystemHooks.none), NodeFileSystem.layer),
    NodePath.layer,
    NodeCrypto.layerSecureRandom,
    NodeHmac.layer,
    Kdf.layerWebCrypto,
    options.liveness ?? TestLiveness.machine().process().layer
  )
  return Layer.mergeAll(
    SessionStore.layerFileSystem({ directory: options.sessions }),
    ProjectDirectory.layerWith(options),
    Supervisor.layer,
    TestSessions.layerSigner,
    options.resumeLimit ?? ResumeLimit.layerOff
  ).pipe(Layer.provideMerge(platform), Layer.provide(limits))
}

/** A machine, and processes on it over one directory of sessions. They end with the scope. */
export const processesOver = (sessions: string) => {
  const machine = TestLiveness.machine()
  const boot = Effect.fnUntraced(function*(hook: FileSystemHooks.Hook = FileSystemHooks.none) {
    const { layer: liveness, pid } = machine.process()
    const context = yield* Layer.build(Layer.fresh(layer({ sessions, hook, liveness })))
    return {
      pid,
      kill: Effect.sync(() => machine.kill(pid)),
      run: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Services>> =>
        Effect.provideContext(effect, context)
    }
  })
  return { boot, machine }
}
