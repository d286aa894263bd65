/**
 * Sessions in the situations that operations find them in. Each situation is
 * prepared once; every trial gets a copy of its files and processes of its own.
 */
import { NodeCrypto, NodePath } from "@effect/platform-node"
import { type Context, Effect, Exit, FileSystem, Layer, Scope } from "effect"
import * as NodeFs from "node:fs"
import { tmpdir } from "node:os"
import {
  ProjectDirectory,
  ResumeLimit,
  type RunningSession,
  SessionId,
  Sessions,
  SessionStore,
  type Signer,
  Supervisor
} from "../../../src/index.ts"
import { NodeHmac } from "../../../src/node/index.ts"
import { TestLiveness, TestSessions } from "../../../src/testing/index.ts"
import * as Places from "../places.ts"
import * as Disk from "./disk.ts"
import * as QuickFiles from "./quick-files.ts"

/** A store, or the file system under it, that is broken on purpose. */
export interface Mutant {
  readonly store?: Layer.Layer<SessionStore.SessionStore, never, SessionStore.SessionStore | Signer.Signer>
  readonly fileSystem?: (fs: FileSystem.FileSystem) => FileSystem.FileSystem
}

export interface BootOptions {
  readonly mutant?: Mutant
  /** The file system below the disk; by default the quick one. */
  readonly files?: Layer.Layer<FileSystem.FileSystem>
}

const layerSessions = (sessions: string, mutant: Mutant) => {
  const store = SessionStore.layerFileSystem({ directory: sessions })
  return Layer.mergeAll(
    mutant.store === undefined
      ? store
      : Layer.provide(mutant.store, Layer.merge(store, TestSessions.layerSigner)),
    TestSessions.layerSigner,
    ProjectDirectory.layer,
    Supervisor.layer,
    ResumeLimit.layerOff
  )
}

const layerOf = (
  sessions: string,
  disk: Disk.Disk,
  process: ReturnType<TestLiveness.Machine["process"]>,
  { files = QuickFiles.layer, mutant = {} }: BootOptions
) => {
  const mutated = Layer.effect(
    FileSystem.FileSystem,
    Effect.map(FileSystem.FileSystem, (fs) => mutant.fileSystem === undefined ? fs : mutant.fileSystem(fs))
  )
  const platform = Layer.mergeAll(
    mutated.pipe(Layer.provide(disk.layer), Layer.provide(files)),
    NodePath.layer,
    NodeCrypto.layerSecureRandom,
    NodeHmac.layer,
    process.layer
  )
  return Layer.provideMerge(layerSessions(sessions, mutant), platform)
}

export type Services = Layer.Success<ReturnType<typeof layerOf>>

/** What a situation is about, as every conversation in it begins. */
export const secret = "a-secret-fox"

export type Situation = "nothing" | "closed" | "interrupted" | "elsewhere" | "removed"

/** One process over the files of a trial. */
export interface Process {
  readonly disk: Disk.Disk
  readonly run: <A, E>(effect: Effect.Effect<A, E, Services>) => Effect.Effect<A, E>
  /** What it does when its layer is torn down. */
  readonly end: Effect.Effect<void>
}

/** Starts a process of a machine; it ends with the scope at the latest. */
export const boot = Effect.fnUntraced(function*(
  sessions: string,
  machine: TestLiveness.Machine,
  options: BootOptions = {}
) {
  const disk = Disk.make()
  const scope = yield* Scope.make()
  const end = Scope.close(scope, Exit.void)
  yield* Effect.addFinalizer(() => end)
  const context: Context.Context<Services> = yield* Layer.buildWithScope(
    Layer.fresh(layerOf(sessions, disk, machine.process(), options)),
    scope
  )
  const process: Process = { disk, end, run: (effect) => Effect.provideContext(effect, context) }
  return process
})

/** Something of everything a session holds. */
const fill = Effect.fnUntraced(function*(session: RunningSession) {
  yield* session.append({ role: "user", content: `${secret}: how are you, Grüße 🦊` })
  yield* session.append({
    role: "assistant",
    content: [{ type: "reasoning", text: secret }, {
      type: "tool-call",
      id: "1",
      name: "read",
      params: { path: secret }
    }],
    usage: { inputTokens: 12, outputTokens: 3, totalCost: 0.25 }
  })
  yield* session.append({
    role: "tool",
    content: [{ type: "tool-result", id: "1", name: "read", isFailure: false, result: [secret] }]
  })
  yield* session.replaceTodos([{ content: secret, status: "in_progress", activeForm: secret }])
  yield* session.recordPrompt(`${secret} prompt`)
})

/** Brings a session below `sessions` into a situation; leaves nothing running. */
const prepare = Effect.fnUntraced(function*(situation: Situation, project: string, sessions: string) {
  // Another host's leases can't be judged.
  const process = yield* boot(`${sessions}.live`, TestLiveness.machine(situation === "elsewhere" ? "far away" : "test"))
  const session = yield* process.run(Sessions.create({ project, name: "before", config: Places.config }))
  yield* fill(session)
  if (situation === "interrupted" || situation === "elsewhere") {
    yield* session.checkpoint
    yield* fill(session)
  } else {
    yield* process.run(Sessions.close(session.id))
  }
  if (situation === "removed") yield* process.run(Sessions.remove(session.id))
  // What a process leaves that is killed here.
  copyDirectory(`${sessions}.live`, sessions)
  yield* process.end
  NodeFs.rmSync(`${sessions}.live`, { recursive: true })
  return session.id
}, Effect.scoped)

const copyDirectory = (from: string, to: string): void => {
  if (!NodeFs.existsSync(from)) return
  NodeFs.mkdirSync(to, { mode: 0o700, recursive: true })
  for (const entry of NodeFs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [`${from}/${entry.name}`, `${to}/${entry.name}`]
    if (entry.isDirectory()) copyDirectory(source, target)
    else NodeFs.copyFileSync(source, target)
  }
}

/** Copies what is stored, for processes that look at it without a trace. */
export const copyOf = (sessions: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const copy = `${sessions}.copy.${copies++}`
      copyDirectory(sessions, copy)
      return copy
    }),
    (copy) => Effect.sync(() => NodeFs.rmSync(copy, { recursive: true, force: true }))
  )
let copies = 0

/** A trial's own files. */
export interface World {
  readonly root: string
  readonly sessions: string
  readonly project: string
  /** None where nothing is stored. */
  readonly id: SessionId.SessionId | undefined
  readonly machine: TestLiveness.Machine
}

/** Where directories are fast; they are as real there. */
const fastDirectory = NodeFs.existsSync("/dev/shm") ? "/dev/shm" : tmpdir()

/** Prepares situations on demand, and makes worlds of them. */
export const makeWorlds = Effect.gen(function*() {
  const root = yield* Effect.acquireRelease(
    Effect.sync(() => NodeFs.realpathSync(NodeFs.mkdtempSync(`${fastDirectory}/reprise-rig-`))),
    (root) => Effect.sync(() => NodeFs.rmSync(root, { recursive: true, force: true }))
  )
  const project = `${root}/project`
  NodeFs.mkdirSync(project)
  const ids = new Map<Situation, SessionId.SessionId>()
  for (const situation of ["closed", "interrupted", "elsewhere", "removed"] as const) {
    ids.set(situation, yield* prepare(situation, project, `${root}/${situation}`))
  }
  let worlds = 0

  /** A world that goes with its scope. */
  return Effect.fnUntraced(function*(situation: Situation) {
    const own = `${root}/world.${worlds++}`
    NodeFs.mkdirSync(own)
    yield* Effect.addFinalizer(() => Effect.sync(() => NodeFs.rmSync(own, { recursive: true, force: true })))
    const sessions = `${own}/sessions`
    copyDirectory(`${root}/${situation}`, sessions)
    const machine = TestLiveness.machine()
    // Whoever prepared the situation was the first process, and has ended.
    machine.kill(machine.process().pid)
    const world: World = { root: own, sessions, project, id: ids.get(situation), machine }
    return world
  })
})

export type MakeWorld = Effect.Success<typeof makeWorlds>

/** The files that this process has open below a directory. */
export const openBelow = (directory: string): ReadonlyArray<string> =>
  NodeFs.existsSync("/proc/self/fd")
    ? NodeFs.readdirSync("/proc/self/fd").flatMap((descriptor) => {
      try {
        const target = NodeFs.readlinkSync(`/proc/self/fd/${descriptor}`)
        return target.startsWith(`${directory}/`) ? [target.slice(directory.length + 1)] : []
      } catch {
        // The descriptor that the directory is read with.
        return []
      }
    })
    : []

/** Snapshots and journals of a session, byte for byte. */
export const documentsOf = ({ id, sessions }: World): ReadonlyMap<string, Buffer> => {
  const directory = `${sessions}/${id}`
  if (id === undefined || !NodeFs.existsSync(directory)) return new Map()
  return new Map(
    NodeFs.readdirSync(directory)
      .filter((name) => /^(session\.json|journal\..*)$/.test(name))
      .sort()
      .map((name) => [name, NodeFs.readFileSync(`${directory}/${name}`)])
  )
}

/** Blobs that the snapshot beside them does not name. */
const strayBlobs = (session: string): ReadonlyArray<string> => {
  const snapshot = NodeFs.readFileSync(`${session}/session.json`, "utf8")
  return NodeFs.readdirSync(`${session}/blobs`).filter((name) => !snapshot.includes(name.replace(/\.\d+$/, "")))
}

/** Names that a store at rest does not have. */
export const straysBelow = (sessions: string): ReadonlyArray<string> =>
  !NodeFs.existsSync(sessions) ? [] : NodeFs.readdirSync(sessions).flatMap((name) =>
    SessionId.isSessionId(name)
      ? NodeFs.readdirSync(`${sessions}/${name}`).flatMap((inside) => {
        if (inside === "blobs") return strayBlobs(`${sessions}/${name}`)
        return /^(session\.json|lease\.\d+\.json)$/.test(inside) ? [] : [inside]
      })
      : [name]
  )
