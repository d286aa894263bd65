/**
 * Runs sessions, each in a scope of its own that no caller can keep open or
 * close by accident.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type { Fingerprint } from "../core/ProjectPath.ts"
import {
  AlreadyRunning,
  NotRunning,
  ProjectAlreadyOpen,
  SessionEnded,
  type StoreError,
  TooManyRunning
} from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import { Agent } from "./Agent.ts"
import * as Handle from "./Handle.ts"
import { Redaction } from "./Redaction.ts"
import type { RunningSession } from "./RunningSession.ts"
import { SessionLimits } from "./SessionLimits.ts"
import type { SessionWriter } from "./SessionWriter.ts"

/**
 * Takes a place for a session in its project directory, for as long as its
 * scope is open.
 *
 * @category models
 * @since 0.1.0
 */
export type Admit = (project: Fingerprint) => Effect.Effect<void, TooManyRunning | ProjectAlreadyOpen>

/**
 * @category services
 * @since 0.1.0
 */
export class Supervisor extends Context.Service<Supervisor, {
  /**
   * Starts a session: `launch` brings it to where it can be written, in a scope
   * of its own. Whatever ends `launch` but success closes that scope, and
   * nothing is left of it.
   */
  readonly start: <E, R>(
    id: SessionId,
    launch: (admit: Admit) => Effect.Effect<SessionWriter, E, R>
  ) => Effect.Effect<RunningSession, E | AlreadyRunning, Exclude<R, Scope.Scope>>
  /** Stops the agent and saves. Fails, and the session runs on without its agent, where it can't be saved. */
  readonly stop: (id: SessionId) => Effect.Effect<void, SessionEnded | StoreError>
  /** Stops the agent and gives the session back as it is stored. Nothing happens to one that does not run. */
  readonly discard: (id: SessionId) => Effect.Effect<void>
  readonly get: (id: SessionId) => Effect.Effect<Option.Option<RunningSession>>
  readonly running: Effect.Effect<ReadonlyArray<RunningSession>>
}>()("effect-reprise/services/Supervisor") {}

/** A session between the first step of its start and the last of its end. */
interface Slot {
  readonly scope: Scope.Closeable
  project: Option.Option<Fingerprint>
  live: Option.Option<Live>
}

interface Live {
  readonly session: RunningSession
  readonly writer: SessionWriter
  readonly agent: { readonly fiber: Fiber.Fiber<unknown>; readonly scope: Scope.Closeable }
  stopping: Option.Option<Deferred.Deferred<void, SessionEnded | StoreError>>
  discarding: Option.Option<Deferred.Deferred<void>>
}

const sameDirectory = (self: Fingerprint, that: Fingerprint): boolean =>
  self.ino === "" ? self.path === that.path : self.dev === that.dev && self.ino === that.ino

const make = Effect.gen(function*() {
  const limits = yield* SessionLimits
  const agent = yield* Agent
  const redact = yield* Redaction
  const random = yield* SecureRandom.SecureRandom
  const root = yield* Scope.make()
  const slots = new Map<SessionId, Slot>()
  let isClosing = false

  const notRunning = (id: SessionId) => new SessionEnded({ id, reason: new NotRunning({}) })

  const liveOf = (id: SessionId): Option.Option<Live> =>
    Option.flatMap(Option.fromUndefinedOr(slots.get(id)), ({ live }) => live)

  const admit = (id: SessionId, slot: Slot): Admit => (project) =>
    Effect.suspend((): Effect.Effect<void, TooManyRunning | ProjectAlreadyOpen> => {
      let running = 0
      for (const [other, { project: theirs }] of slots) {
        if (Option.isNone(theirs) || other === id) continue
        running++
        if (sameDirectory(project, theirs.value)) {
          return Effect.fail(new ProjectAlreadyOpen({ path: project.path, id: other }))
        }
      }
      if (running >= limits.maxRunning) {
        return Effect.fail(new TooManyRunning({ running, limit: limits.maxRunning }))
      }
      slot.project = Option.some(project)
      return Effect.void
    })

  /** Without the cause, which may hold what was said: `awaitExit` has it. */
  const warnOfAgent = (id: SessionId) =>
    Effect.annotateLogs(Effect.logWarning("the agent failed; awaitExit says how"), { sessionId: id })

  const leave = (id: SessionId, slot: Slot, exit: Exit.Exit<unknown, unknown>) =>
    Effect.andThen(
      Scope.close(slot.scope, exit),
      Effect.sync(() => {
        if (slots.get(id) === slot) slots.delete(id)
      })
    )

  /** Starts the agent and the watch over the lease. */
  const open = Effect.fnUntraced(function*(id: SessionId, slot: Slot, writer: SessionWriter) {
    const exit = yield* Deferred.make<Exit.Exit<void, unknown>>()
    const session = Handle.make({
      id,
      writer,
      limits,
      redact,
      random,
      exit: Option.isSome(agent) ? Deferred.await(exit) : Effect.as(writer.ended, Exit.void)
    })
    const scope = yield* Scope.make()
    const services = Context.add(Context.make(Supervisor, supervisor), Scope.Scope, scope)
    const program: Effect.Effect<void, unknown> = Option.isSome(agent) ? agent.value(session, services) : Effect.void
    const fiber = yield* program.pipe(
      Effect.onExit((outcome) => Deferred.succeed(exit, outcome)),
      Effect.tapCause((cause) => Cause.hasInterruptsOnly(cause) ? Effect.void : warnOfAgent(id)),
      Effect.exit,
      Effect.forkDetach
    )
    slot.live = Option.some({
      session,
      writer,
      agent: { fiber, scope },
      stopping: Option.none(),
      discarding: Option.none()
    })
    yield* writer.ended.pipe(
      Effect.tap(({ reason }) => reason._tag === "LeaseLost" ? discard(id) : Effect.void),
      Effect.forkIn(root)
    )
    return session
  })

  /** What was refused because the session runs; one that has ended is only waited for. */
  const unlessOver = <A, E, R>(id: SessionId, again: () => Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const live = liveOf(id)
      if (Option.isNone(live) || !(yield* live.value.writer.isOver)) {
        return yield* new AlreadyRunning({ liveness: "alive" })
      }
      yield* discard(id)
      return yield* again()
    })

  const start = <E, R>(
    id: SessionId,
    launch: (admit: Admit) => Effect.Effect<SessionWriter, E, R>
  ): Effect.Effect<RunningSession, E | AlreadyRunning, Exclude<R, Scope.Scope>> =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend((): Effect.Effect<RunningSession, E | AlreadyRunning, Exclude<R, Scope.Scope>> => {
        if (isClosing) return Effect.interrupt
        if (slots.has(id)) return restore(unlessOver(id, () => start(id, launch)))
        const slot: Slot = { scope: Scope.forkUnsafe(root), project: Option.none(), live: Option.none() }
        slots.set(id, slot)
        return restore(launch(admit(id, slot))).pipe(
          Scope.provide(slot.scope),
          Effect.tap(() => isClosing ? Effect.interrupt : Effect.void),
          Effect.onError((cause) => leave(id, slot, Exit.failCause(cause))),
          Effect.flatMap((writer) => open(id, slot, writer))
        )
      })
    )

  /**
   * Stops the agent and lets its finalizers run, but does not wait for ever: a
   * session must not hang on a program that won't stop. The agent is in no scope
   * of ours for that reason.
   */
  const stopAgent = ({ agent }: Live) =>
    Fiber.interrupt(agent.fiber).pipe(
      Effect.andThen(Scope.close(agent.scope, Exit.void)),
      Effect.forkDetach,
      Effect.flatMap((stopped) => Effect.timeoutOption(Fiber.join(stopped), limits.agentGrace))
    )

  const save = Effect.fnUntraced(function*(id: SessionId, slot: Slot, live: Live) {
    yield* stopAgent(live)
    yield* live.writer.close
    yield* Effect.annotateLogs(Effect.logInfo("closed"), { sessionId: id })
    yield* leave(id, slot, Exit.void)
  })

  const stop: Supervisor["Service"]["stop"] = (id) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const slot = slots.get(id)
        const live = liveOf(id)
        if (slot === undefined || Option.isNone(live)) return Effect.fail(notRunning(id))
        if (Option.isSome(live.value.stopping)) return restore(Deferred.await(live.value.stopping.value))
        const done = Deferred.makeUnsafe<void, SessionEnded | StoreError>()
        live.value.stopping = Option.some(done)
        // In a fiber of its own: an agent may close its own session, and callers may give up waiting.
        return save(id, slot, live.value).pipe(
          Effect.onError(() =>
            Effect.sync(() => {
              live.value.stopping = Option.none()
            })
          ),
          Effect.onExit((exit) => Deferred.done(done, exit)),
          Effect.exit,
          Effect.forkIn(root),
          Effect.andThen(restore(Deferred.await(done)))
        )
      })
    )

  const discard: Supervisor["Service"]["discard"] = (id) =>
    Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        const slot = slots.get(id)
        const live = liveOf(id)
        if (slot === undefined || Option.isNone(live)) return Effect.void
        if (Option.isSome(live.value.discarding)) return restore(Deferred.await(live.value.discarding.value))
        const done = Deferred.makeUnsafe<void>()
        live.value.discarding = Option.some(done)
        const stopping = Option.match(live.value.stopping, {
          onNone: () => Effect.void,
          onSome: (done) => Effect.exit(Deferred.await(done))
        })
        return live.value.writer.end(notRunning(id)).pipe(
          Effect.andThen(stopping),
          Effect.andThen(stopAgent(live.value)),
          Effect.andThen(leave(id, slot, Exit.void)),
          Effect.ensuring(Deferred.succeed(done, undefined)),
          Effect.forkIn(root),
          Effect.andThen(restore(Deferred.await(done)))
        )
      })
    )

  const supervisor = Supervisor.of({
    start,
    stop,
    discard,
    get: (id) => Effect.sync(() => Option.map(liveOf(id), ({ session }) => session)),
    running: Effect.sync(() =>
      [...slots.keys()].flatMap((id) => Option.toArray(liveOf(id))).map(({ session }) => session)
    )
  })

  const saveOrDiscard = (id: SessionId) =>
    Effect.catchTags(stop(id), {
      SessionEnded: () => Effect.void,
      StoreError: (error) =>
        Effect.logError("a session was not saved and stays interrupted", error).pipe(
          Effect.annotateLogs({ sessionId: id }),
          Effect.andThen(discard(id))
        )
    })

  yield* Effect.addFinalizer((exit) => {
    isClosing = true
    return Effect.forEach([...slots.keys()], saveOrDiscard, { concurrency: "unbounded", discard: true }).pipe(
      Effect.andThen(Scope.close(root, exit))
    )
  })
  return supervisor
})

/**
 * Closes, and so saves, every session when it is torn down.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Supervisor, never, SecureRandom.SecureRandom> = Layer.effect(Supervisor, make)
