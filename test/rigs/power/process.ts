/**
 * A make-believe process with all services of the library over one file system.
 * It can be stopped at any call: then no call of it is ever made again.
 */
import { type Context, Deferred, Effect, Exit, Fiber, FileSystem, Layer, Logger, Option, Scope } from "effect"
import { SessionLimits } from "../../../src/index.ts"
import { NodeSessions } from "../../../src/node/index.ts"
import { FileSystemHooks, type TestLiveness } from "../../../src/testing/index.ts"

export interface Place {
  readonly fs: FileSystem.FileSystem
  readonly machine: TestLiveness.Machine
  readonly sessions: string
}

type Services = NodeSessions.Services

export interface Process {
  /** Does something in this process: none if the process is killed before it ends. */
  readonly run: <A, E>(effect: Effect.Effect<A, E, Services>) => Effect.Effect<Option.Option<Exit.Exit<A, E>>>
  /** Kills it before the next but `changes` of its calls that change something. */
  readonly killAfter: (changes: number) => void
  readonly kill: () => void
  readonly isKilled: () => boolean
  /** Closes its sessions, and ends it; none if it is killed meanwhile. */
  readonly shutDown: Effect.Effect<Option.Option<Exit.Exit<void>>>
  /** Lets go of everything, without another call. */
  readonly dispose: Effect.Effect<void>
}

/** Small, so that journals are checkpointed by themselves; resumes are not counted. */
const limits: SessionLimits.Limits = {
  ...SessionLimits.defaults,
  checkpointBytes: 16 * 1024,
  resumePerSession: 1_000_000,
  resumeOverall: 1_000_000
}

const servicesOver = (fs: FileSystem.FileSystem, place: Place, liveness: ReturnType<TestLiveness.Machine["process"]>) =>
  NodeSessions.layerServices({ directory: place.sessions }).pipe(
    Layer.provideMerge(
      Layer.mergeAll(NodeSessions.layerPlatform, Layer.succeed(FileSystem.FileSystem, fs), liveness.layer)
    ),
    Layer.provide(Layer.merge(Logger.layer([]), Layer.succeed(SessionLimits.SessionLimits, limits)))
  )

/** Does something in a process of its own, which ends without a word. */
export const once = <A, E>(place: Place, effect: Effect.Effect<A, E, Services>) =>
  Effect.gen(function*() {
    const liveness = place.machine.process()
    const scope = yield* Scope.make()
    const context = yield* Layer.buildWithMemoMap(
      servicesOver(place.fs, place, liveness),
      Layer.makeMemoMapUnsafe(),
      scope
    )
    const result = yield* Effect.provideContext(effect, context)
    yield* Scope.close(scope, Exit.void)
    place.machine.kill(liveness.pid)
    return result
  })

const changing = ["file.sync", "file.truncate", "file.write", "link", "makeDirectory", "remove", "rename"]
const changes = ({ flag, method }: FileSystemHooks.Call): boolean =>
  changing.includes(method) || (method === "open" && flag !== "r")

/** Starts a process. `around` stands between the library and what is recorded. */
export const start = Effect.fnUntraced(function*(
  place: Place,
  around: (fs: FileSystem.FileSystem) => FileSystem.FileSystem
) {
  const liveness = place.machine.process()
  const scope = yield* Scope.make()
  const died = yield* Deferred.make<void>()
  const over = yield* Deferred.make<void>()
  let left = Infinity
  let isKilled = false
  const kill = () => {
    isKilled = true
    place.machine.kill(liveness.pid)
  }
  const hook: FileSystemHooks.Hook = (call) => (run) =>
    Effect.suspend(() => {
      if (!isKilled && (left > 0 || !changes(call))) {
        if (changes(call)) left--
        return run
      }
      kill()
      return Deferred.succeed(died, undefined).pipe(
        Effect.andThen(Deferred.await(over)),
        Effect.andThen(Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO")))
      )
    })
  const fs = around(FileSystemHooks.make(place.fs, hook))

  const unlessKilled = Effect.fnUntraced(function*<A, E>(effect: Effect.Effect<A, E>) {
    const fiber = yield* Effect.forkDetach(effect)
    return yield* Effect.raceFirst(
      Effect.asSome(Fiber.await(fiber)),
      Effect.as(Deferred.await(died), Option.none<Exit.Exit<A, E>>())
    )
  })

  const built = yield* unlessKilled(
    Layer.buildWithMemoMap(servicesOver(fs, place, liveness), Layer.makeMemoMapUnsafe(), scope)
  )
  const context: Context.Context<Services> = yield* Option.match(built, {
    onNone: () => Effect.die(new Error("it was killed before it began")),
    onSome: (exit) => Effect.orDie(exit)
  })
  const process: Process = {
    run: (effect) => unlessKilled(Effect.provideContext(effect, context)),
    killAfter: (changes) => {
      left = changes
    },
    kill,
    isKilled: () => isKilled,
    shutDown: Effect.tap(unlessKilled(Scope.close(scope, Exit.void)), (done) =>
      Effect.sync(() => {
        if (Option.isSome(done)) place.machine.kill(liveness.pid)
      })),
    dispose: Effect.suspend(() => {
      kill()
      return Effect.andThen(Deferred.succeed(over, undefined), Scope.close(scope, Exit.void))
    })
  }
  return process
})
