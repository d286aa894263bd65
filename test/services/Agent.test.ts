import { assert, describe, it } from "@effect/vitest"
import {
  Cause,
  Clock,
  Context,
  Deferred,
  Duration,
  Effect,
  Exit,
  Fiber,
  Layer,
  Logger,
  Option,
  Queue,
  Ref,
  Schedule,
  Struct
} from "effect"
import { Agent, Sessions, Supervisor } from "effect-reprise"
import { TestClock } from "effect/testing"
import * as Rig from "../suites/rig.ts"

type Services = Layer.Success<ReturnType<typeof Rig.layer>>
type Space = Effect.Success<typeof Rig.workspace>

/** Runs a program over real files, with an agent in every session. */
const withAgent = <A, E>(
  agent: Layer.Layer<never>,
  program: (space: Space) => Effect.Effect<A, E, Services>,
  options: Omit<Rig.RigOptions, "sessions"> = {}
) =>
  Effect.flatMap(Rig.workspace, (space) =>
    Effect.provide(
      program(space),
      Layer.provide(Rig.layer({ ...options, sessions: space.sessions }), agent),
      { local: true }
    ))

const create = ({ project }: Space) => Sessions.create({ project, config: Rig.config })

/** The present clock, which tells whenever somebody begins to wait for it. */
const watchedClock = Effect.gen(function*() {
  const clock = yield* Clock.Clock
  const waits = yield* Queue.unbounded<Duration.Duration>()
  const watched: Clock.Clock = {
    ...Struct.omit(clock, ["sleep"]),
    sleep: (duration) => Effect.andThen(Queue.offer(waits, duration), clock.sleep(duration))
  }
  return { watched, waits }
})

/** Real time, for what should never have to wait: fails where it would hang. */
const soon = <A, E>(effect: Effect.Effect<A, E>) => TestClock.withLive(Effect.timeout(effect, "5 seconds"))

const failureOf = (exit: Exit.Exit<void, unknown>) =>
  Exit.isFailure(exit) ? Cause.findErrorOption(exit.cause) : Option.none()

class Greeting extends Context.Service<Greeting, { readonly text: string }>()("test/services/Agent/Greeting") {}

describe("Agent.layer", () => {
  it.effect("runs its program in a created session, and again when it is resumed", () =>
    Effect.gen(function*() {
      const started = yield* Queue.unbounded<string>()
      const agent = Agent.layer((session) => Effect.asVoid(Queue.offer(started, session.id)))
      yield* withAgent(agent, (space) =>
        Effect.gen(function*() {
          const { id } = yield* create(space)
          assert.strictEqual(yield* Queue.take(started), id)
          yield* Sessions.close(id)
          yield* Sessions.resume(id)
          assert.strictEqual(yield* Queue.take(started), id)
          assert.strictEqual(yield* Queue.size(started), 0)
        }))
    }))

  it.effect("runs one program for each of several sessions, with the handle of its own", () =>
    Effect.gen(function*() {
      const agent = Agent.layer((session) => session.recordPrompt(`I am ${session.id}`))
      yield* withAgent(agent, (space) =>
        Effect.gen(function*() {
          const one = yield* create(space)
          const other = yield* Sessions.create({ project: space.root, config: Rig.config })
          assert.isTrue(Exit.isSuccess(yield* one.awaitExit))
          assert.isTrue(Exit.isSuccess(yield* other.awaitExit))
          assert.deepStrictEqual((yield* one.state).promptHistory, [`I am ${one.id}`])
          assert.deepStrictEqual((yield* other.state).promptHistory, [`I am ${other.id}`])
        }))
    }))

  it.effect("does not run where the session could not be resumed", () =>
    Effect.gen(function*() {
      const started = yield* Ref.make(0)
      const agent = Agent.layer(() => Ref.update(started, (count) => count + 1))
      yield* withAgent(
        agent,
        (space) =>
          Effect.gen(function*() {
            const { awaitExit, id } = yield* create(space)
            yield* awaitExit
            yield* Effect.flip(Sessions.resume(id))
            yield* Sessions.close(id)
            assert.strictEqual(yield* Ref.get(started), 1)
          })
      )
    }))

  it.effect("takes its program's requirements from where the layer is built", () =>
    Effect.gen(function*() {
      const agent = Agent.layer((session) => Greeting.use(({ text }) => session.recordPrompt(text)))
      yield* withAgent(Layer.provide(agent, Layer.succeed(Greeting, { text: "hello" })), (space) =>
        Effect.gen(function*() {
          const session = yield* create(space)
          assert.isTrue(Exit.isSuccess(yield* session.awaitExit))
          assert.deepStrictEqual((yield* session.state).promptHistory, ["hello"])
        }))
    }))

  it.effect("provides the supervisor that runs the session", () =>
    Effect.gen(function*() {
      const found = yield* Deferred.make<boolean>()
      const agent = Agent.layer((session) =>
        Supervisor.Supervisor.use(({ get }) => get(session.id)).pipe(
          Effect.flatMap((own) => Deferred.succeed(found, Option.exists(own, (found) => found === session))),
          Effect.asVoid
        )
      )
      yield* withAgent(agent, (space) => Effect.andThen(create(space), Deferred.await(found)))
      assert.isTrue(yield* Deferred.await(found))
    }))

  it.effect("provides the session's scope, which outlives the program and closes when the session has been saved", () =>
    Effect.gen(function*() {
      const closed = yield* Deferred.make<string>()
      const agent = Agent.layer(({ id }) => Effect.addFinalizer(() => Effect.asVoid(Deferred.succeed(closed, id))))
      yield* withAgent(agent, (space) =>
        Effect.gen(function*() {
          const { awaitExit, id } = yield* create(space)
          yield* awaitExit
          assert.isFalse(yield* Deferred.isDone(closed))
          yield* Sessions.close(id)
          assert.strictEqual(yield* soon(Deferred.await(closed)), id)
        }))
    }))
})

describe("restart", () => {
  const failing = (runs: Ref.Ref<number>) => Effect.flatMap(Ref.updateAndGet(runs, (count) => count + 1), Effect.fail)

  it.effect("runs a failed program as often again as the schedule says, and then tells its last failure", () =>
    Effect.gen(function*() {
      const runs = yield* Ref.make(0)
      const agent = Agent.layer(() => failing(runs), { restart: Schedule.recurs(3) })
      yield* withAgent(agent, (space) =>
        Effect.gen(function*() {
          const { awaitExit } = yield* create(space)
          assert.deepStrictEqual(failureOf(yield* awaitExit), Option.some(4))
          assert.strictEqual(yield* Ref.get(runs), 4)
        }))
    }))

  it.effect("waits as long as the schedule says", () =>
    Effect.gen(function*() {
      const runs = yield* Queue.unbounded<void>()
      const agent = Agent.layer(() => Effect.andThen(Queue.offer(runs, undefined), Effect.fail("again")), {
        restart: Schedule.spaced("1 minute")
      })
      const { waits, watched } = yield* watchedClock
      yield* withAgent(agent, (space) =>
        Effect.gen(function*() {
          yield* create(space)
          yield* Queue.take(runs)
          assert.deepStrictEqual(Duration.toMillis(yield* Queue.take(waits)), 60_000)
          yield* TestClock.adjust("59 seconds")
          assert.strictEqual(yield* Queue.size(runs), 0)
          yield* TestClock.adjust("1 second")
          yield* soon(Queue.take(runs))
        })).pipe(Effect.provideService(Clock.Clock, watched))
    }))

  it.effect("does not run a program again that succeeded", () =>
    Effect.gen(function*() {
      const runs = yield* Ref.make(0)
      const agent = Agent.layer(() => Ref.update(runs, (count) => count + 1), { restart: Schedule.recurs(3) })
      yield* withAgent(agent, (space) =>
        Effect.gen(function*() {
          const { awaitExit } = yield* create(space)
          assert.deepStrictEqual(yield* awaitExit, Exit.void)
          assert.strictEqual(yield* Ref.get(runs), 1)
        }))
    }))

  it.effect("does not run a program again once its session is closed", () =>
    Effect.gen(function*() {
      const runs = yield* Queue.unbounded<void>()
      const agent = Agent.layer(() => Effect.andThen(Queue.offer(runs, undefined), Effect.fail("again")), {
        restart: Schedule.spaced("1 minute")
      })
      yield* withAgent(agent, (space) =>
        Effect.gen(function*() {
          const { id } = yield* create(space)
          yield* Queue.take(runs)
          yield* Sessions.close(id)
          yield* TestClock.adjust("1 hour")
          assert.strictEqual(yield* Queue.size(runs), 0)
        }))
    }))
})

describe("awaitExit", () => {
  const outcomes: ReadonlyArray<{
    readonly name: string
    readonly program: Effect.Effect<void, string>
    readonly isExpected: (exit: Exit.Exit<void, unknown>) => boolean
  }> = [
    { name: "a success", program: Effect.void, isExpected: Exit.isSuccess },
    {
      name: "a typed failure",
      program: Effect.fail("refused"),
      isExpected: (exit) => Option.contains(failureOf(exit), "refused")
    },
    {
      name: "a defect",
      program: Effect.die("broken"),
      isExpected: (exit) => Exit.isFailure(exit) && Cause.hasDies(exit.cause)
    },
    {
      name: "an interruption of its own",
      program: Effect.interrupt,
      isExpected: (exit) => Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)
    }
  ]
  for (const { isExpected, name, program } of outcomes) {
    it.effect(`tells that the agent ended with ${name}, and the session runs on`, () =>
      withAgent(Agent.layer(() => program), (space) =>
        Effect.gen(function*() {
          const session = yield* create(space)
          assert.isTrue(isExpected(yield* session.awaitExit))
          yield* session.append({ role: "user", content: "still here" })
          assert.strictEqual((yield* Supervisor.Supervisor.use(({ running }) => running)).length, 1)
          yield* Sessions.close(session.id)
          const { report, state } = yield* Sessions.load(session.id)
          assert.strictEqual(report.status, "closed")
          assert.strictEqual(state.conversation.length, 1)
        })))
  }

  it.effect("tells that the agent was interrupted by the close of its session", () =>
    withAgent(Agent.layer(() => Effect.never), (space) =>
      Effect.gen(function*() {
        const { awaitExit, id } = yield* create(space)
        yield* Sessions.close(id)
        const exit = yield* soon(awaitExit)
        assert.isTrue(Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause))
      })))

  it.effect("tells without an agent that the session ended, and that nothing went wrong", () =>
    withAgent(Layer.empty, (space) =>
      Effect.gen(function*() {
        const { awaitExit, id } = yield* create(space)
        const waiting = yield* Effect.forkChild(awaitExit)
        yield* Sessions.close(id)
        assert.deepStrictEqual(yield* soon(Fiber.join(waiting)), Exit.void)
      })))

  it.effect("warns of an agent that failed, and not of one that an ordinary close ended", () =>
    Effect.gen(function*() {
      const warnings: Array<unknown> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === "Warn" || logLevel === "Error") warnings.push(message)
      })
      const closeOne = (agent: Layer.Layer<never>) =>
        withAgent(agent, (space) =>
          Effect.gen(function*() {
            const { id } = yield* create(space)
            yield* Sessions.close(id)
          })).pipe(Effect.provide(Logger.layer([logger])))
      yield* closeOne(Layer.empty)
      assert.deepStrictEqual(warnings, [])
      yield* closeOne(Agent.layer(() => Effect.never))
      assert.deepStrictEqual(warnings, [])
      yield* closeOne(Agent.layer(() => Effect.fail("refused")))
      assert.strictEqual(warnings.length, 1)
    }))
})

describe("an agent and the end of its session", () => {
  it.effect("can write into its session while it is being stopped", () =>
    withAgent(
      Agent.layer((session) =>
        Effect.onInterrupt(Effect.never, () => Effect.ignore(session.recordPrompt("last words")))
      ),
      (space) =>
        Effect.gen(function*() {
          const { id } = yield* create(space)
          yield* Sessions.close(id)
          assert.deepStrictEqual((yield* Sessions.load(id)).state.promptHistory, ["last words"])
        })
    ))

  it.effect("closes its own session without waiting for itself", () =>
    withAgent(
      Agent.layer((session) => Effect.andThen(session.recordPrompt("done"), Sessions.close(session.id))),
      (space) =>
        Effect.gen(function*() {
          const { awaitExit, id } = yield* create(space)
          yield* soon(awaitExit)
          const { running } = yield* Supervisor.Supervisor
          yield* soon(Effect.repeat(running, { until: (sessions) => sessions.length === 0 }))
          const { report, state } = yield* Sessions.load(id)
          assert.strictEqual(report.status, "closed")
          assert.deepStrictEqual(state.promptHistory, ["done"])
        })
    ))

  it.effect("closes its own session also where it can't be interrupted, after the grace", () =>
    Effect.gen(function*() {
      const { waits, watched } = yield* watchedClock
      const agent = Agent.layer((session) => Effect.uninterruptible(Sessions.close(session.id)))
      yield* withAgent(agent, (space) =>
        Effect.gen(function*() {
          const { awaitExit, id } = yield* create(space)
          yield* Queue.take(waits)
          yield* TestClock.adjust("10 seconds")
          yield* soon(awaitExit)
          assert.strictEqual((yield* Sessions.load(id)).report.status, "closed")
        })).pipe(Effect.provideService(Clock.Clock, watched))
    }))

  /** An agent that nothing ends before `release`, and what the end of its session looks like meanwhile. */
  const hanging = Effect.gen(function*() {
    const release = yield* Deferred.make<void>()
    const started = yield* Deferred.make<void>()
    const wait = Effect.andThen(Deferred.succeed(started, undefined), Deferred.await(release))
    yield* Effect.addFinalizer(() => Deferred.succeed(release, undefined))
    return { started, wait, release: Deferred.succeed(release, undefined) }
  })

  it.effect("does not keep a close waiting beyond the grace", () =>
    Effect.gen(function*() {
      const { release, started, wait } = yield* hanging
      const { waits, watched } = yield* watchedClock
      yield* withAgent(
        Agent.layer(() => Effect.uninterruptible(wait)),
        (space) =>
          Effect.gen(function*() {
            const session = yield* create(space)
            yield* Deferred.await(started)
            yield* session.append({ role: "user", content: "keep this" })
            const closing = yield* Effect.forkChild(
              Effect.provideService(Sessions.close(session.id), Clock.Clock, watched)
            )
            assert.strictEqual(Duration.toMillis(yield* Queue.take(waits)), 7000)
            yield* TestClock.adjust("6999 millis")
            assert.isUndefined(closing.pollUnsafe())
            yield* TestClock.adjust("1 millis")
            yield* soon(Fiber.join(closing))
            assert.deepStrictEqual(yield* Supervisor.Supervisor.use(({ running }) => running), [])
            const { report, state } = yield* Sessions.load(session.id)
            assert.strictEqual(report.status, "closed")
            assert.strictEqual(state.conversation.length, 1)
            yield* Sessions.resume(session.id)
          }).pipe(Effect.ensuring(release)),
        { limits: { agentGrace: Duration.seconds(7) } }
      )
    }))

  it.effect("does not keep a teardown waiting beyond the grace", () =>
    Effect.gen(function*() {
      const { release, started, wait } = yield* hanging
      const { waits, watched } = yield* watchedClock
      const agent = Agent.layer(() => Effect.uninterruptible(wait))
      const tearDown = yield* Effect.forkChild(
        withAgent(agent, (space) => Effect.andThen(create(space), Deferred.await(started))).pipe(
          Effect.provideService(Clock.Clock, watched)
        )
      )
      yield* Queue.take(waits)
      yield* TestClock.adjust("10 seconds")
      yield* Effect.ensuring(soon(Fiber.join(tearDown)), release)
    }))

  it.effect("does not keep a close waiting beyond the grace with a finalizer that never ends", () =>
    Effect.gen(function*() {
      const { release, started, wait } = yield* hanging
      const { waits, watched } = yield* watchedClock
      yield* withAgent(
        Agent.layer(() => Effect.addFinalizer(() => wait)),
        (space) =>
          Effect.gen(function*() {
            const session = yield* create(space)
            yield* session.awaitExit
            const closing = yield* Effect.forkChild(
              Effect.provideService(Sessions.close(session.id), Clock.Clock, watched)
            )
            yield* soon(Deferred.await(started))
            yield* Effect.forever(Effect.andThen(Queue.take(waits), TestClock.adjust("10 seconds"))).pipe(
              Effect.forkChild
            )
            yield* soon(Fiber.join(closing))
            assert.strictEqual((yield* Sessions.load(session.id)).report.status, "closed")
          }).pipe(Effect.ensuring(release))
      )
    }))
})
