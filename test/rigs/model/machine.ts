/**
 * Processes over one store in memory, each with all of the library's layers:
 * they end in good order, die at any call, move out of sight, meet disks that
 * fail, and take turns call by call.
 */
import { NodePath } from "@effect/platform-node"
import { Cause, Effect, Exit, type Fiber, FileSystem, Layer, Option, Path, Predicate, Random, Scope } from "effect"
import { SecureRandom } from "effect/crypto"
import {
  ProjectDirectory,
  ResumeLimit,
  type RunningSession,
  SessionId,
  SessionLimits,
  SessionStore,
  type Signer,
  Supervisor
} from "../../../src/index.ts"
import { NodeHmac, NodeSessions } from "../../../src/node/index.ts"
import { FileSystemHooks, TestLiveness, TestSessions } from "../../../src/testing/index.ts"
import * as MemoryDisk from "../memory-disk.ts"

/** What happens to one call of an operation, counted from 0. */
export type Trouble =
  | {
    readonly _tag: "Fault"
    readonly at: number
    readonly code: "EIO" | "ENOSPC" | "EACCES"
    readonly isDone: boolean
  }
  /** From there on nothing can be written until the operation is over. */
  | { readonly _tag: "Full"; readonly at: number }
  /** The process dies: before the call, after it, or with half of a write done. */
  | { readonly _tag: "Death"; readonly at: number; readonly moment: "before" | "half" | "after" }

/** Everything that runs in one history. */
export interface Options {
  readonly store: "files" | "memory"
  readonly limits: Partial<SessionLimits.Limits>
  readonly isRateLimited: boolean
  /** What is broken, in every process but those that look on. */
  readonly mutant: Mutant
}

export interface Mutant {
  readonly disk?: ((fs: FileSystem.FileSystem, path: Path.Path) => FileSystem.FileSystem) | undefined
  readonly store?: Layer.Layer<SessionStore.SessionStore, never, SessionStore.SessionStore | Signer.Signer> | undefined
}

type Services =
  | SessionStore.SessionStore
  | Signer.Signer
  | ProjectDirectory.ProjectDirectory
  | ResumeLimit.ResumeLimit
  | Supervisor.Supervisor
  | SecureRandom.SecureRandom

export interface Process {
  readonly number: number
  readonly pid: number
  readonly run: <A, E>(effect: Effect.Effect<A, E, Services>) => Effect.Effect<A, E>
  /** The handles it was given, the last one of each session. */
  readonly handles: Map<SessionId.SessionId, RunningSession>
  /** Ends it in good order. */
  readonly end: Effect.Effect<void>
  readonly disk: Disk
}

/** How a process's calls to the disk go. */
interface Disk {
  isCut: boolean
  calls: number
  trouble: Trouble | undefined
  /** Whether the trouble came. */
  isStruck: boolean
  /** How long to wait before the next call, in turns. */
  pause: () => number
}

export const sessions = "/home/code/sessions"
export const projects = ["/home/code/a", "/home/code/b", "/home/code/c"] as const
export const missingProject = "/home/code/none"

const waits = (turns: number): Effect.Effect<void> =>
  turns === 0 ? Effect.void : Effect.andThen(Effect.yieldNow, waits(turns - 1))

const writes = ({ flag, method }: FileSystemHooks.Call) =>
  method === "open" ? flag !== "r" : ["file.write", "file.sync", "link", "makeDirectory", "rename"].includes(method)

/** Dies at a call: what it does from then on never comes to pass, and nobody hears of it. */
const dies = <A, E>(disk: Disk, last: Effect.Effect<A, E>) =>
  Effect.andThen(
    Effect.sync(() => {
      disk.isStruck = true
    }),
    Effect.andThen(
      Effect.exit(last),
      Effect.andThen(
        Effect.sync(() => {
          disk.isCut = true
        }),
        Effect.never
      )
    )
  )

const hookOf = (disk: Disk): FileSystemHooks.Hook => (call) => (run) => {
  const fail = (code: "EIO" | "ENOSPC" | "EACCES") => {
    disk.isStruck = true
    return Effect.fail(FileSystemHooks.systemError(call, code === "EACCES" ? "PermissionDenied" : "Unknown", code))
  }
  const now = Effect.suspend(() => {
    if (disk.isCut) return Effect.never
    const { trouble } = disk
    const number = disk.calls++
    if (trouble === undefined || number < trouble.at) return run
    if (trouble._tag === "Full") return writes(call) ? fail("ENOSPC") : run
    if (number !== trouble.at) return run
    if (trouble._tag === "Fault") {
      return trouble.isDone
        ? Effect.andThen(Effect.exit(run), Effect.suspend(() => fail(trouble.code)))
        : fail(trouble.code)
    }
    return dies(disk, trouble.moment === "before" ? Effect.void : run)
  })
  return Effect.suspend(() => {
    const turns = disk.pause()
    return turns === 0 ? now : Effect.andThen(waits(turns), now)
  })
}

export const make = Effect.fnUntraced(function*(options: Options) {
  const random = yield* Random.Random
  const clock = yield* Effect.clockWith(Effect.succeed)
  const { fileSystem: memory, namesIn, stampOf } = MemoryDisk.make(() => clock.currentTimeMillisUnsafe())
  const machine = TestLiveness.machine()
  let processes = 0

  for (const project of projects) yield* memory.makeDirectory(project, { recursive: true })

  const secureRandom = Layer.succeed(
    SecureRandom.SecureRandom,
    SecureRandom.make((size) => Uint8Array.from({ length: size }, () => random.nextIntUnsafe() & 0xff))
  )
  const signer = Layer.succeedContext(yield* Layer.build(TestSessions.layerSigner))
  const limits = Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, ...options.limits })
  const shared = Layer.succeedContext(yield* Layer.build(Layer.provide(SessionStore.layerMemory, limits)))

  /** The disk of one process; half a write is what its death leaves of it. */
  const fileSystem = (disk: Disk) => {
    const torn: FileSystem.FileSystem = {
      ...memory,
      open: (path, options) =>
        Effect.map(memory.open(path, options), (file) => ({
          ...file,
          writeAll: (bytes) =>
            Effect.suspend(() =>
              file.writeAll(disk.isStruck && isTorn(disk) ? bytes.subarray(0, bytes.length >> 1) : bytes)
            )
        }))
    }
    return FileSystemHooks.make(torn, hookOf(disk))
  }

  const isTorn = ({ trouble }: Disk) => trouble?._tag === "Death" && trouble.moment === "half"

  const layerOf = (disk: Disk, liveness: ReturnType<typeof machine.process>["layer"], isOnlooker: boolean) => {
    const fs = fileSystem(disk)
    const { disk: broken, store: mutated }: Mutant = isOnlooker ? {} : options.mutant
    const platform = Layer.mergeAll(
      Layer.effect(FileSystem.FileSystem, Effect.map(Path.Path, (path) => broken?.(fs, path) ?? fs)).pipe(
        Layer.provide(NodePath.layer)
      ),
      NodePath.layer,
      NodeHmac.layer,
      liveness,
      secureRandom
    )
    const whole = options.store === "memory" ? shared : SessionStore.layerFileSystem({ directory: sessions })
    const store = mutated === undefined ? whole : Layer.provide(mutated, Layer.merge(whole, signer))
    return Layer.mergeAll(
      store,
      signer,
      options.store === "memory" ? ProjectDirectory.layerNone : ProjectDirectory.layer,
      Supervisor.layer,
      options.isRateLimited && !isOnlooker ? NodeSessions.layerResumeLimit : ResumeLimit.layerOff
    ).pipe(Layer.provideMerge(platform), Layer.provide(limits))
  }

  const start = Effect.fnUntraced(function*(isOnlooker: boolean = false) {
    const { layer, pid } = machine.process()
    const disk: Disk = { isCut: false, calls: 0, trouble: undefined, isStruck: false, pause: () => 0 }
    // In no scope of ours: what died runs no finalizers.
    const own = yield* Scope.make()
    const context = yield* Layer.buildWithScope(Layer.fresh(layerOf(disk, layer, isOnlooker)), own)
    const process: Process = {
      number: processes++,
      pid,
      disk,
      handles: new Map(),
      run: (effect) => Effect.provideContext(effect, context),
      end: Scope.close(own, Exit.void)
    }
    return process
  })

  /** What is left on the disk beside sessions, and in those that were closed in good order. */
  const strays = Effect.fnUntraced(function*(closed: ReadonlyArray<string>) {
    const names = (directory: string) => Effect.orElseSucceed(memory.readDirectory(directory), () => [])
    const found = (yield* names(sessions)).filter((name) => !SessionId.isSessionId(name))
    for (const id of closed) {
      const [lease, ...others] = (yield* names(`${sessions}/${id}`)).filter((name) => name !== "session.json")
      const extra = lease?.startsWith("lease.") === true ? others : [lease, ...others]
      found.push(...extra.map((name) => `${id}/${name}`))
    }
    return found
  })

  return {
    strays,
    /** The sessions that are there by name. */
    names: () => namesIn(sessions).filter(SessionId.isSessionId),
    start,
    /** Tells what is stored of a session, or of all, from what was there before. */
    stampOf: (id: string = "") => stampOf(`${sessions}/${id}`),
    kill: ({ disk, pid }: Process) =>
      Effect.sync(() => {
        disk.isCut = true
        machine.kill(pid)
      }),
    hide: ({ pid }: Process) => Effect.sync(() => machine.hide(pid))
  }
})

export type Machine = Effect.Success<ReturnType<typeof make>>

/** In words: success with what was found, the error with its reason, or a bug. */
export const outcomeOf = <E>(exit: Exit.Exit<unknown, E>): string => {
  if (Exit.isSuccess(exit)) return typeof exit.value === "string" ? `ok ${exit.value}` : "ok"
  const error = Option.getOrUndefined(Cause.findErrorOption(exit.cause))
  if (error === undefined) return `defect ${Cause.pretty(exit.cause)}`
  const tags = (value: unknown): ReadonlyArray<string> => {
    if (!Predicate.hasProperty(value, "_tag")) return []
    const reason = Predicate.hasProperty(value, "reason") ? tags(value.reason) : []
    return [
      String(value._tag),
      ...reason,
      ...(Predicate.hasProperty(value, "liveness") ? [String(value.liveness)] : [])
    ]
  }
  return tags(error).join("/")
}

/** More turns than anything takes. */
const tooManyTurns = 20_000

/** Waits for a fiber, turn by turn, until it is over, its process has died, or it seems to hang. */
export const awaitTurns = Effect.fnUntraced(function*<E>(fiber: Fiber.Fiber<unknown, E>, { disk }: Process) {
  for (let turns = 0; turns < tooManyTurns; turns++) {
    const exit = fiber.pollUnsafe()
    if (disk.isCut) return "died"
    if (exit !== undefined) return outcomeOf(exit)
    yield* Effect.yieldNow
  }
  return "it hangs"
})
