import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Option, Stream } from "effect"
import {
  Agent,
  type RunningSession,
  SessionId,
  SessionLimits,
  Sessions,
  SessionStore,
  Supervisor
} from "effect-reprise"
import { ClusterSessions } from "effect-reprise/cluster"
import { TestSessions } from "effect-reprise/testing"
import {
  MessageStorage,
  RunnerHealth,
  Runners,
  RunnerStorage,
  Sharding,
  ShardingConfig,
  TestRunner
} from "effect/cluster"
import { TestClock } from "effect/testing"

const config = { provider: "test", model: "model", temperature: 0, maxTokens: 10 }
const options = { project: "/project", config }

/** A runner of its own, of those that share a storage of messages. */
const sharding = Layer.fresh(Sharding.layer).pipe(
  Layer.provide(Layer.fresh(Runners.layerNoop)),
  Layer.provide([Layer.fresh(RunnerStorage.layerMemory), RunnerHealth.layerNoop]),
  Layer.provide(ShardingConfig.layer())
)

interface Setting extends ClusterSessions.RunnerOptions {
  readonly agent?: (session: RunningSession) => Effect.Effect<void>
  readonly limits?: Partial<SessionLimits.Limits>
}

/** A cluster of this process: every message is encoded and decoded as if it went to another. */
const cluster = ({ agent, limits, ...runner }: Setting = {}) =>
  ClusterSessions.layer().pipe(
    Layer.provideMerge(ClusterSessions.layerRunner(runner)),
    Layer.provide(agent === undefined ? Layer.empty : Agent.layer(agent)),
    Layer.provideMerge(TestSessions.layerMemory),
    Layer.provide(Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, ...limits })),
    Layer.provideMerge(TestRunner.layer)
  )

type Services = Layer.Success<ReturnType<typeof cluster>>

const inCluster = <A, E>(program: Effect.Effect<A, E, Services>, setting?: Setting) =>
  Effect.provide(program, cluster(setting), { local: true })

const create = ClusterSessions.ClusterSessions.use((sessions) => sessions.create(options))

const said = (session: ClusterSessions.ClusterSession) =>
  Effect.map(session.state, ({ conversation }) => conversation.map(({ content }) => content))

const failureOf = <A, E>(exit: Exit.Exit<A, E>) =>
  Exit.isFailure(exit) ? Option.getOrUndefined(Cause.findErrorOption(exit.cause)) : undefined

/** Lets what is not a matter of time come to its end. */
const tick = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** Lets time pass, a little at a time, until an effect is done: shards are taken in time of their own. */
const inTime = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.raceFirst(effect, Effect.forever(Effect.andThen(TestClock.adjust("50 millis"), tick)))

const statusOf = (id: SessionId.SessionId) =>
  Effect.map(SessionStore.SessionStore.use(({ read }) => read(id)), ({ status }) => status)

describe("ClusterSessions", () => {
  it.live("stores what its sessions are told, as on one machine", () =>
    inCluster(Effect.gen(function*() {
      const session = yield* create
      const todo = { content: "Test", status: "pending", activeForm: "Testing" } as const
      const message = yield* session.append({
        role: "assistant",
        content: [{ type: "tool-call", id: "t1", name: "read", params: { path: ["a", 1, null, true] } }],
        usage: { inputTokens: 1, outputTokens: 2, totalCost: 0.5 },
        model: { further: "member" }
      })
      yield* session.replaceTodos([todo])
      yield* session.configure({ ...config, temperature: 1 })
      yield* session.rename("another")
      yield* session.annotate({ owner: ["a", 1] })
      yield* session.checkpoint
      assert.strictEqual(yield* statusOf(session.id), "running")
      yield* session.close
      assert.strictEqual(yield* statusOf(session.id), "closed")
      const { state } = yield* Sessions.load(session.id)
      assert.deepStrictEqual(state.conversation, [message])
      assert.deepStrictEqual(state.todos, [todo])
      const { config: { temperature }, metadata, name } = state.session
      assert.deepStrictEqual([temperature, name, metadata], [1, "another", { owner: ["a", 1] }])
      assert.deepStrictEqual(yield* session.state, state)
    })))

  it.live("appends a message once, however often and by how many it is sent", () =>
    inCluster(Effect.gen(function*() {
      const session = yield* create
      const message = { id: "m1", role: "user", content: "hello" } as const
      const stored = yield* Effect.all(Array.from({ length: 5 }, () => session.append(message)), {
        concurrency: "unbounded"
      })
      yield* session.close
      const again = yield* session.append(message)
      assert.deepStrictEqual([...new Set([...stored, again].map(({ timestamp }) => timestamp))], [again.timestamp])
      assert.deepStrictEqual(yield* said(session), ["hello"])
    })))

  it.live("brings a closed session back with the next message", () =>
    inCluster(Effect.gen(function*() {
      const session = yield* create
      yield* session.append({ role: "user", content: "before" })
      yield* session.close
      yield* session.close
      yield* session.append({ role: "user", content: "after" })
      assert.deepStrictEqual(yield* said(session), ["before", "after"])
    })))

  it.live("shows each state that a reader is fast enough for, and ends when the session is closed", () =>
    inCluster(Effect.gen(function*() {
      const session = yield* create
      const read = yield* Effect.forkChild(Stream.runCollect(session.changes))
      yield* Stream.runHead(session.changes)
      for (const content of ["a", "b", "c"]) {
        yield* session.append({ role: "user", content })
        yield* Stream.runHead(Stream.filter(session.changes, (state) => state.conversation.at(-1)?.content === content))
      }
      const last = yield* session.state
      yield* session.close
      const states = yield* Fiber.join(read)
      const revisions = states.map(({ revision }) => revision)
      assert.deepStrictEqual(revisions, revisions.toSorted((self, that) => self - that))
      assert.deepStrictEqual(states.at(-1), last)
    })))

  it.live("keeps the tags, reasons and facts of errors on their way", () =>
    inCluster(
      Effect.gen(function*() {
        const { create, resume } = yield* ClusterSessions.ClusterSessions
        const nowhere = SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
        const missing = failureOf(yield* Effect.exit(resume(nowhere)))
        assert.deepStrictEqual([missing?._tag, missing instanceof Error], ["NotFound", true])

        const session = yield* create(options)
        const large = yield* Effect.flip(session.append({ role: "user", content: "x".repeat(5000) }))
        assert.strictEqual(large._tag, "EventRejected")
        if (large._tag === "EventRejected") {
          assert.strictEqual(large.reason._tag, "TooLarge")
          assert.include(large.message, "the limit is 4096")
        }
        const wrong = yield* Effect.flip(session.append({ role: "user", content: "x", further: 1n }))
        assert.strictEqual(wrong._tag === "EventRejected" ? wrong.reason._tag : wrong._tag, "Invalid")

        const full = yield* Effect.flip(create(options))
        assert.strictEqual(full._tag === "CreateFailed" ? full.reason._tag : full._tag, "TooManyRunning")
        const bad = yield* Effect.flip(create({ ...options, config: { ...config, temperature: 5 } }))
        assert.strictEqual(bad._tag === "CreateFailed" ? bad.reason._tag : bad._tag, "InvalidSession")

        yield* session.close
        yield* create(options)
        const late = yield* Effect.flip(session.append({ role: "user", content: "x" }))
        assert.strictEqual(late._tag === "RestoreFailed" ? late.reason._tag : late._tag, "TooManyRunning")
      }),
      { limits: { maxRunning: 1, maxBytes: 4096 } }
    ))

  it.live("runs several sessions of one project that is on no runner's disk", () =>
    inCluster(Effect.gen(function*() {
      const sessions = yield* Effect.all([create, create])
      yield* Effect.forEach(sessions, (session) => session.append({ role: "user", content: session.id }))
      const conversations: ReadonlyArray<ReadonlyArray<unknown>> = yield* Effect.forEach(sessions, said)
      assert.deepStrictEqual(conversations, sessions.map(({ id }): ReadonlyArray<unknown> => [id]))
    })))

  it.effect("closes a session that nobody sends anything to, and brings it back", () =>
    inCluster(
      Effect.gen(function*() {
        const session = yield* inTime(create)
        yield* inTime(session.append({ role: "user", content: "before" }))
        yield* TestClock.adjust("20 seconds")
        assert.strictEqual(yield* statusOf(session.id), "closed")
        yield* inTime(session.append({ role: "user", content: "after" }))
        assert.deepStrictEqual(yield* inTime(said(session)), ["before", "after"])
      }),
      { idleFor: "10 seconds" }
    ))

  it.effect("leaves a session alone whose agent owes an answer, until it is given", () =>
    inCluster(
      Effect.gen(function*() {
        const session = yield* inTime(create)
        yield* inTime(session.append({ role: "user", content: "question" }))
        yield* TestClock.adjust("30 seconds")
        assert.strictEqual(yield* statusOf(session.id), "running")
        yield* TestClock.adjust("1 minute")
        yield* inTime(Effect.repeat(Effect.andThen(tick, statusOf(session.id)), {
          until: (status) => status === "closed"
        }))
        assert.deepStrictEqual(yield* inTime(said(session)), ["question", "answer"])
      }),
      {
        idleFor: "10 seconds",
        agent: (session) =>
          session.changes.pipe(
            Stream.filter(ClusterSessions.isAnswerDue),
            Stream.runForEach(() =>
              Effect.ignore(Effect.delay(session.append({ role: "assistant", content: "answer" }), "1 minute"))
            )
          )
      }
    ))

  it.live("saves and gives back every session of a runner that is torn down", () =>
    Effect.gen(function*() {
      const store = yield* SessionStore.SessionStore
      const runner = Layer.provideMerge(ClusterSessions.layer(), ClusterSessions.layerRunner()).pipe(
        Layer.provide(TestRunner.layer)
      )
      const ids = yield* Effect.gen(function*() {
        const sessions = yield* Effect.all(Array.from({ length: 3 }, () => create))
        yield* Effect.forEach(sessions, (session) => session.append({ role: "user", content: "x" }))
        assert.lengthOf(yield* Supervisor.Supervisor.use(({ running }) => running), 3)
        return sessions.map(({ id }) => id)
      }).pipe(Effect.provide(runner, { local: true }))
      const stored = yield* Effect.forEach(ids, store.read)
      assert.deepStrictEqual(stored.map(({ status }) => status), ["closed", "closed", "closed"])
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))

  it.effect("goes on with what is due on the next runner, without a message", () =>
    Effect.gen(function*() {
      const runner = (agent: (session: RunningSession) => Effect.Effect<void, unknown>) =>
        Layer.provideMerge(
          ClusterSessions.layer(),
          Layer.provide(ClusterSessions.layerRunner(), Agent.layer(agent))
        ).pipe(Layer.provide(sharding))
      const { id } = yield* Effect.gen(function*() {
        const session = yield* inTime(create)
        yield* inTime(session.append({ role: "user", content: "question" }))
        return session
      }).pipe(Effect.provide(runner(() => Effect.never), { local: true }))
      assert.strictEqual(yield* statusOf(id), "closed")

      const answered = yield* Deferred.make<void>()
      const answer = (session: RunningSession) =>
        session.append({ role: "assistant", content: "answer" }).pipe(
          Effect.andThen(Deferred.succeed(answered, undefined))
        )
      yield* inTime(Deferred.await(answered)).pipe(Effect.provide(runner(answer), { local: true }))
      const { state } = yield* Sessions.load(id)
      assert.deepStrictEqual(state.conversation.map(({ content }) => content), ["question", "answer"])
    }).pipe(
      Effect.provide([TestSessions.layerMemory, Layer.provide(MessageStorage.layerMemory, ShardingConfig.layer())], {
        local: true
      })
    ))

  it.effect("says that a session is busy whose queue stays full", () =>
    inCluster(
      Effect.gen(function*() {
        const session = yield* inTime(create)
        yield* Effect.forkChild(Stream.runDrain(session.changes))
        yield* inTime(tick)
        const waiting = yield* Effect.forkChild(Effect.flip(session.append({ role: "user", content: "x" })))
        yield* TestClock.adjust("1 minute")
        const error = yield* inTime(Fiber.join(waiting))
        assert.deepStrictEqual(error._tag === "Unreachable" ? error.last : error._tag, "Busy")
      }),
      { maxWaiting: 1 }
    ))

  it.effect("says that nobody answers where there is no runner", () =>
    Effect.gen(function*() {
      const sessions = yield* ClusterSessions.ClusterSessions
      const waiting = yield* Effect.forkChild(Effect.exit(sessions.create(options)))
      yield* TestClock.adjust("6 seconds")
      const error = failureOf(yield* Fiber.join(waiting))
      assert.strictEqual(error?._tag, "Unreachable")
    }).pipe(
      Effect.provide(
        ClusterSessions.layer({ patience: "5 seconds" }).pipe(
          Layer.provide(Layer.merge(TestRunner.layer, TestSessions.layerMemory))
        ),
        { local: true }
      )
    ))
})
