/**
 * A session on the runner that has it: running when somebody needs it, and
 * closed, and so saved, before it goes elsewhere.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { JsonObject } from "../core/Json.ts"
import type { Message, SessionConfig, SessionState, Todo } from "../core/Session.ts"
import { RestoreFailed, SessionEnded } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as Close from "../pipelines/Close.ts"
import * as Create from "../pipelines/Create.ts"
import * as Resume from "../pipelines/Resume.ts"
import { Agent } from "../services/Agent.ts"
import { ProjectDirectory } from "../services/ProjectDirectory.ts"
import type { ChangeError, RunningSession } from "../services/RunningSession.ts"
import { SessionStore } from "../services/SessionStore.ts"
import { Supervisor } from "../services/Supervisor.ts"
import * as StateChange from "./StateChange.ts"

/** How often a lease that is about to end is asked for again. */
const pause = Schedule.spaced(Duration.millis(100))

/** How often work that can't go on now is tried again. */
const rest = Schedule.spaced(Duration.seconds(1))

/** How often a session that ends while it is used is resumed. */
const attempts = 3

/** A session that was asked for while its last holder may still live. */
const isHeld = (error: Resume.ResumeError): boolean =>
  error._tag === "RestoreFailed" && error.reason._tag === "AlreadyRunning"

/** What may be otherwise in a while. */
const mayPass = (error: Resume.ResumeError | SessionEnded): boolean =>
  error._tag === "StoreError" || error._tag === "SessionEnded" ||
  (error._tag === "RestoreFailed" && (error.reason._tag === "AlreadyRunning" || error.reason._tag === "TooManyRunning"))

/**
 * A project that is not on this machine is in nobody's way: only directories that
 * can be seen are told apart.
 */
const apart = (id: SessionId, directory: ProjectDirectory["Service"]): ProjectDirectory["Service"] =>
  ProjectDirectory.of({
    fingerprint: (path) =>
      Effect.map(directory.fingerprint(path), (seen) => seen.ino === "" ? { ...seen, ino: id } : seen)
  })

/** The messages of a running session by their ids, of which each is looked at once. */
const indexOf = (session: RunningSession) => {
  const known = new Map<string, Message>()
  let read = 0
  return Effect.map(session.state, ({ conversation }) => {
    for (const message of conversation.slice(read)) known.set(message.id, message)
    read = conversation.length
    return known
  })
}

/**
 * What has this session for as long as the scope is open.
 */
export const make = Effect.fnUntraced(function*(id: SessionId, options: {
  /** How long a session waits until its last holder is gone. */
  readonly leasePatience: Duration.Duration
  /** Whether the session's agent has something to do. */
  readonly isDue: (state: SessionState) => boolean
  /** Has the cluster send a `Wake`, until it is answered; false where it could not be told. */
  readonly wake: Effect.Effect<boolean>
}) {
  const scope = yield* Effect.scope
  const supervisor = yield* Supervisor
  const store = yield* SessionStore
  const hasAgent = Option.isSome(yield* Agent)
  const services = Context.add(
    yield* Effect.context<Resume.ResumeServices>(),
    ProjectDirectory,
    apart(id, yield* ProjectDirectory)
  )
  const turns = yield* Semaphore.make(1)
  const appends = new Map<string, Fiber.Fiber<Message, Resume.ResumeError | ChangeError>>()
  let index: { readonly of: RunningSession; readonly messages: ReturnType<typeof indexOf> } | undefined
  let isLeaving = false
  let isAwake = false

  /** In a fiber that lives as long as this does: whoever asked may be gone before it is done. */
  const fork = <A, E>(effect: Effect.Effect<A, E>) => Effect.forkIn(effect, scope)

  const resumed = Resume.resume(id).pipe(
    Effect.retry({ while: isHeld, schedule: Schedule.upTo(pause, { duration: options.leasePatience }) }),
    Effect.provideContext(services)
  )

  /** The session that runs, or `start`s; not the one that has `ended`. */
  const running = <E>(start: Effect.Effect<RunningSession, E>, ended?: RunningSession) =>
    turns.withPermit(
      Effect.flatMap(supervisor.get(id), (found) =>
        isLeaving
          ? Effect.interrupt
          : Option.match(Option.filter(found, (session) => session !== ended), {
            onNone: () => start,
            onSome: Effect.succeed
          }))
    ).pipe(fork, Effect.flatMap(Fiber.join))

  /** Uses the session, and the one that is resumed for it where it ends meanwhile. */
  const use = <A, E>(
    f: (session: RunningSession) => Effect.Effect<A, E | SessionEnded>
  ): Effect.Effect<A, E | SessionEnded | Resume.ResumeError> => {
    const attempt = (left: number, ended?: RunningSession): Effect.Effect<A, E | SessionEnded | Resume.ResumeError> =>
      Effect.flatMap(
        running(resumed, ended),
        (session) =>
          Effect.catchIf(
            f(session),
            (error) => error instanceof SessionEnded && left > 0,
            () => attempt(left - 1, session)
          )
      )
    return attempt(attempts)
  }

  /** Work for the agent is kept by the cluster before anybody is told that it was taken. */
  const stayAwake = (session: RunningSession) =>
    Effect.flatMap(session.state, (state) => {
      if (!hasAgent || isAwake || !options.isDue(state)) return Effect.void
      isAwake = true
      return Effect.map(options.wake, (isKept) => {
        if (!isKept) isAwake = false
      })
    })

  /** Whether there is nothing to do; from then on the next work needs a `Wake` of its own. */
  const settle = (session: RunningSession) =>
    Effect.map(session.state, (state) => {
      if (options.isDue(state)) return false
      isAwake = false
      return true
    })

  const known = (session: RunningSession, id: string) => {
    if (index?.of !== session) index = { of: session, messages: indexOf(session) }
    return Effect.map(index.messages, (messages) => Option.fromUndefinedOr(messages.get(id)))
  }

  const appendOnce = (message: Message) =>
    use((session) =>
      Effect.flatMap(
        known(session, message.id),
        Option.match({
          onNone: () => session.append(message),
          onSome: Effect.succeed
        })
      ).pipe(Effect.tap(stayAwake(session)))
    )

  /** How often it comes, and however many come at once. */
  const append = (message: Message) =>
    Effect.suspend(() => {
      const underWay = appends.get(message.id)
      if (underWay !== undefined) return Fiber.join(underWay)
      const once = Effect.ensuring(
        appendOnce(message),
        Effect.sync(() => appends.delete(message.id))
      )
      return Effect.flatMap(fork(once), (fiber) => {
        appends.set(message.id, fiber)
        return Fiber.join(fiber)
      })
    })

  /** Says whether the session was closed, and not only on its way to another runner. */
  const lastWord = (session: RunningSession): Stream.Stream<StateChange.StateChange> =>
    Stream.unwrap(Effect.match(session.checkpoint, {
      onSuccess: () => Stream.empty,
      onFailure: (error) =>
        !isLeaving && error._tag === "SessionEnded" && error.reason._tag === "Closed"
          ? Stream.succeed({ _tag: "Closed" })
          : Stream.empty
    }))

  const changes = Stream.unwrap(Effect.map(running(resumed), (session) =>
    session.changes.pipe(
      Stream.mapAccum(
        (): SessionState | undefined => undefined,
        (before, state) => [state, [StateChange.since(before, state)]] as const
      ),
      Stream.concat(lastWord(session))
    )))

  /** Goes on until nothing is due, the agent has ended or somebody closed the session: not where it was lost. */
  const work = use((session) =>
    Effect.gen(function*() {
      isAwake = hasAgent
      if (!hasAgent) return
      const settled = Stream.runDrain(Stream.takeUntilEffect(session.changes, () => settle(session)))
      const exit = yield* Effect.raceFirst(Effect.as(settled, undefined), session.awaitExit)
      const isOver = exit === undefined ? isAwake : Exit.hasInterrupts(exit)
      if (isOver) {
        yield* Effect.catchReason(session.checkpoint, "SessionEnded", "Closed", () => Effect.void)
      }
      isAwake = false
    })
  )

  const stop = Effect.provideContext(Close.close(id), services)

  const close = Effect.gen(function*() {
    if (Option.isNone(yield* supervisor.get(id))) {
      const { status } = yield* store.read(id)
      if (status === "closed") return
    }
    yield* use(() =>
      Effect.catchTag(
        stop,
        "SessionEnded",
        (error) => error.reason._tag === "LeaseLost" ? Effect.fail(error) : Effect.void
      )
    )
  }).pipe(fork, Effect.flatMap(Fiber.join))

  const create = (input: Create.CreateOptions) => {
    const created = Create.createAs(id, input).pipe(
      Effect.catchTag("AlreadyRunning", (reason) => new RestoreFailed({ id, reason })),
      Effect.provideContext(services)
    )
    return Effect.asVoid(running(Effect.catchTag(resumed, "NotFound", () => created)))
  }

  yield* Effect.addFinalizer(() => {
    isLeaving = true
    return Effect.catchTags(stop, {
      SessionEnded: () => Effect.void,
      StoreError: (error) =>
        Effect.logError("a session was not saved and stays interrupted", error).pipe(
          Effect.annotateLogs({ sessionId: id }),
          Effect.andThen(supervisor.discard(id))
        )
    })
  })

  return {
    create,
    resume: Effect.asVoid(running(resumed)),
    append,
    replaceTodos: (todos: ReadonlyArray<Todo>) => use((session) => session.replaceTodos(todos)),
    configure: (config: SessionConfig) => use((session) => session.configure(config)),
    rename: (name: string) => use((session) => session.rename(name)),
    annotate: (metadata: JsonObject) => use((session) => session.annotate(metadata)),
    state: Effect.flatMap(running(resumed), ({ state }) => state),
    changes,
    checkpoint: use((session) => session.checkpoint),
    close,
    work: Effect.retry(work, { while: mayPass, schedule: rest })
  }
})
