import { assert, describe, it } from "@effect/vitest"
import { Clock, Duration, Effect, Exit, Fiber, Layer, Logger, Option, Result, Schema, Struct } from "effect"
import { RestoreStep, ResumeLimit, SessionId, SessionLimits, Sessions } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import { FileSystemHooks } from "effect-reprise/testing"
import { RateLimiter } from "effect/persistence"
import { TestClock } from "effect/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

const idOf = (number: number) => SessionId.make(`00000000-0000-4000-8000-${String(number).padStart(12, "0")}`)
const one = idOf(1)

const attempt = (id: SessionId.SessionId) => ResumeLimit.ResumeLimit.use(({ attempt }) => attempt(id))

const attempts = (id: SessionId.SessionId, count: number) =>
  Effect.forEach(Array.from({ length: count }), () => attempt(id), { discard: true })

/** How long a refused attempt is told to wait, in milliseconds. */
const refusal = (id: SessionId.SessionId) =>
  Effect.map(Effect.flip(attempt(id)), ({ retryAfter }) => Duration.toMillis(retryAfter))

const layer = (options: { readonly limits?: Partial<SessionLimits.Limits>; readonly maxKeys?: number } = {}) =>
  ResumeLimit.layer.pipe(
    Layer.provide(RateLimiter.layer),
    Layer.provide(ResumeLimit.layerStoreMonotonic({ maxKeys: options.maxKeys ?? 10_000 })),
    Layer.provide(Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, ...options.limits }))
  )

/** Five a minute for each session, and no limit over all. */
const perSession = layer({ limits: { resumeOverall: 1_000_000 } })

const limited = <A, E>(
  test: Effect.Effect<A, E, ResumeLimit.ResumeLimit>,
  limits: Layer.Layer<ResumeLimit.ResumeLimit> = layer()
) => Effect.provide(test, limits, { local: true })

/** The present clock with a wall clock that somebody set by that much. */
const withWallClockOff = (by: Duration.Input) => <A, E, R>(self: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (clock) => {
    const millis = Duration.toMillis(by)
    const nanos = BigInt(millis) * 1_000_000n
    const off: Clock.Clock = {
      ...Struct.omit(clock, ["currentTimeMillis", "currentTimeMillisUnsafe", "currentTimeNanos"]),
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (now) => now + millis),
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + millis,
      currentTimeNanos: Effect.map(clock.currentTimeNanos, (now) => now + nanos),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + nanos
    }
    return Effect.provideService(self, Clock.Clock, off)
  })

describe("ResumeLimit.layer", () => {
  it.effect("refuses the sixth attempt on a session within a minute, and says how long to wait", () =>
    limited(Effect.gen(function*() {
      yield* attempts(one, 5)
      assert.strictEqual(yield* refusal(one), 60_000)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(yield* refusal(one), 40_000)
      yield* TestClock.adjust("39999 millis")
      assert.strictEqual(yield* refusal(one), 1)
      yield* TestClock.adjust("1 millis")
      yield* attempt(one)
    })))

  it.effect("refuses the sixth attempt within a minute also when the others were spread over it", () =>
    limited(Effect.gen(function*() {
      for (const wait of ["13 seconds", "13 seconds", "13 seconds", "13 seconds", "7 seconds"] as const) {
        yield* attempt(one)
        yield* TestClock.adjust(wait)
      }
      assert.strictEqual(yield* refusal(one), 1000)
      yield* TestClock.adjust("1 second")
      yield* attempt(one)
    })))

  it.effect.prop(
    "lets no more than five attempts through in any minute, whenever they come",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40_000 }))).check(Schema.isMinLength(12))],
    ([gaps]) =>
      limited(
        Effect.gen(function*() {
          const admitted: Array<number> = []
          for (const gap of gaps) {
            yield* TestClock.adjust(gap)
            const now = yield* Clock.currentTimeMillis
            if (Result.isSuccess(yield* Effect.result(attempt(one)))) admitted.push(now)
          }
          for (const from of admitted) {
            assert.isAtMost(admitted.filter((time) => time >= from && time < from + 60_000).length, 5)
          }
        }),
        perSession
      ),
    { arbitrary: { runs: 60, seed: 11 } }
  )

  it.effect.prop(
    "refuses for exactly as long as it says",
    [Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 20_000 }))).check(Schema.isMinLength(6))],
    ([gaps]) =>
      limited(
        Effect.gen(function*() {
          for (const gap of gaps) {
            yield* TestClock.adjust(gap)
            const result = yield* Effect.result(attempt(one))
            if (Result.isSuccess(result)) continue
            const { retryAfter } = result.failure
            yield* TestClock.adjust(Duration.toMillis(retryAfter) - 1)
            assert.strictEqual(yield* refusal(one), 1)
            yield* TestClock.adjust(1)
            yield* attempt(one)
          }
        }),
        perSession
      ),
    { arbitrary: { runs: 60, seed: 12 } }
  )

  it.effect("does not count an attempt that it refused", () =>
    limited(Effect.gen(function*() {
      yield* attempts(one, 5)
      for (let number = 0; number < 10; number++) yield* refusal(one)
      yield* TestClock.adjust("60 seconds")
      yield* attempts(one, 5)
    })))

  it.effect("counts each session by itself", () =>
    limited(Effect.gen(function*() {
      yield* attempts(one, 5)
      yield* refusal(one)
      yield* attempts(idOf(2), 5)
    })))

  it.effect("refuses the twenty-first attempt over all sessions within a minute, and says how long to wait", () =>
    limited(Effect.gen(function*() {
      for (let number = 0; number < 20; number++) yield* attempt(idOf(number))
      yield* TestClock.adjust("45 seconds")
      assert.strictEqual(yield* refusal(idOf(20)), 15_000)
      yield* TestClock.adjust("15 seconds")
      yield* attempt(idOf(21))
    })))

  it.effect("takes its numbers from SessionLimits", () =>
    limited(
      Effect.gen(function*() {
        yield* attempts(one, 2)
        assert.strictEqual(yield* refusal(one), 10_000)
        yield* attempt(idOf(2))
        assert.strictEqual(yield* refusal(idOf(3)), 10_000)
        yield* TestClock.adjust("10 seconds")
        yield* attempt(idOf(3))
      }),
      layer({ limits: { resumePerSession: 2, resumeOverall: 3, resumeWindow: Duration.seconds(10) } })
    ))

  it.effect("lets everybody through, and warns, when its counters are out of order", () =>
    Effect.gen(function*() {
      const warnings: Array<unknown> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === "Warn") warnings.push(message)
      })
      const failing = Layer.effect(
        RateLimiter.RateLimiterStore,
        Effect.map(RateLimiter.RateLimiterStore, (store) =>
          RateLimiter.RateLimiterStore.of({
            ...store,
            fixedWindow: () =>
              Effect.fail(
                new RateLimiter.RateLimiterError({
                  reason: new RateLimiter.RateLimitStoreError({ message: "no connection" })
                })
              )
          }))
      ).pipe(Layer.provide(RateLimiter.layerStoreMemory))
      const broken = ResumeLimit.layer.pipe(Layer.provide(RateLimiter.layer), Layer.provide(failing))
      yield* limited(attempts(one, 10), broken).pipe(Effect.provide(Logger.layer([logger])))
      assert.isAbove(warnings.length, 0)
    }))

  it.effect("is not there with layerOff", () => limited(attempts(one, 1000), ResumeLimit.layerOff))
})

describe("ResumeLimit.layerStoreMonotonic", () => {
  const year = Duration.days(365)

  it.effect("is not moved by a wall clock that is set a year ahead or back", () =>
    limited(Effect.gen(function*() {
      yield* attempts(one, 5)
      assert.strictEqual(yield* withWallClockOff(year)(refusal(one)), 60_000)
      assert.strictEqual(yield* withWallClockOff(Duration.negate(year))(refusal(one)), 60_000)
      yield* TestClock.adjust("60 seconds")
      yield* withWallClockOff(Duration.negate(year))(attempts(one, 5))
      assert.strictEqual(yield* withWallClockOff(year)(refusal(one)), 60_000)
    })))

  it.effect("locks nobody out when the clock goes back under its feet", () =>
    limited(Effect.gen(function*() {
      yield* TestClock.setTime(Duration.toMillis(year))
      yield* attempts(one, 5)
      yield* TestClock.setTime(0)
      assert.strictEqual(yield* refusal(one), 60_000)
      yield* TestClock.adjust("60 seconds")
      yield* attempts(one, 5)
    })))

  it.effect("keeps no more counters than maxKeys, and forgets the one that ends first", () =>
    Effect.gen(function*() {
      const { consume } = yield* RateLimiter.RateLimiter
      const remaining = (key: string) =>
        Effect.map(consume({ key, limit: 5, window: "1 minute" }), ({ remaining }) => remaining)
      assert.strictEqual(yield* remaining("a"), 4)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* remaining("b"), 4)
      assert.strictEqual(yield* remaining("b"), 3)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* remaining("c"), 4)
      assert.strictEqual(yield* remaining("b"), 2)
      assert.strictEqual(yield* remaining("c"), 3)
      assert.strictEqual(yield* remaining("a"), 4)
    }).pipe(Effect.provide(
      RateLimiter.layer.pipe(Layer.provide(ResumeLimit.layerStoreMonotonic({ maxKeys: 2 }))),
      { local: true }
    )))

  it.effect("forgets those that ended before it forgets one that has not", () =>
    Effect.gen(function*() {
      const { consume } = yield* RateLimiter.RateLimiter
      const remaining = (key: string) =>
        Effect.map(consume({ key, limit: 1, window: "1 minute" }), ({ remaining }) => remaining)
      yield* remaining("ended")
      yield* TestClock.adjust("60 seconds")
      yield* remaining("a")
      yield* remaining("b")
      assert.isTrue(Result.isFailure(yield* Effect.result(remaining("a"))))
      assert.isTrue(Result.isFailure(yield* Effect.result(remaining("b"))))
    }).pipe(Effect.provide(
      RateLimiter.layer.pipe(Layer.provide(ResumeLimit.layerStoreMonotonic({ maxKeys: 2 }))),
      { local: true }
    )))
})

describe("Sessions.resume within the limit", () => {
  const overFiles = <A, E>(
    program: (
      space: Effect.Success<typeof Rig.workspace>
    ) => Effect.Effect<A, E, Layer.Success<ReturnType<typeof Rig.layer>>>,
    hook: FileSystemHooks.Hook = FileSystemHooks.none
  ) =>
    Effect.flatMap(Rig.workspace, (space) =>
      Effect.provide(
        program(space),
        Rig.layer({ sessions: space.sessions, hook, resumeLimit: NodeSessions.layerResumeLimit }),
        { local: true }
      ))

  const createClosed = Effect.fnUntraced(function*(project: string) {
    const { id } = yield* Sessions.create({ project, config: Rig.config })
    yield* Sessions.close(id)
    return id
  })

  const reason = (id: SessionId.SessionId) =>
    Effect.map(
      Effect.flip(Sessions.resume(id)),
      (error) => error._tag === "RestoreFailed" ? error.reason._tag : error._tag
    )

  it.effect("counts attempts that succeed", () =>
    overFiles(({ project }) =>
      Effect.gen(function*() {
        const id = yield* createClosed(project)
        for (let number = 0; number < 5; number++) {
          yield* Sessions.resume(id)
          yield* Sessions.close(id)
        }
        assert.strictEqual(yield* reason(id), "RateLimited")
        yield* TestClock.adjust("60 seconds")
        yield* Sessions.resume(id)
      })
    ))

  it.effect("counts attempts that fail, also on sessions that do not exist", () =>
    overFiles(({ project }) =>
      Effect.gen(function*() {
        const id = yield* createClosed(project)
        NodeFs.rmdirSync(project)
        for (let number = 0; number < 5; number++) assert.strictEqual(yield* reason(id), "ProjectMissing")
        NodeFs.mkdirSync(project)
        assert.strictEqual(yield* reason(id), "RateLimited")
        for (let number = 0; number < 5; number++) assert.strictEqual(yield* reason(one), "NotFound")
        assert.strictEqual(yield* reason(one), "RateLimited")
      })
    ))

  it.effect("counts attempts that were interrupted", () =>
    overFiles(({ project }) =>
      Effect.gen(function*() {
        const id = yield* createClosed(project)
        for (let number = 0; number < 5; number++) {
          const exit = yield* Sessions.resume(id).pipe(
            Effect.provideService(RestoreStep.RestoreStep, Option.some(() => Effect.interrupt)),
            Effect.forkChild,
            Effect.flatMap(Fiber.await)
          )
          assert.isTrue(Exit.isFailure(exit))
        }
        assert.strictEqual(yield* reason(id), "RateLimited")
      })
    ))

  it.effect("spends nothing on a session that runs here", () =>
    overFiles(({ project }) =>
      Effect.gen(function*() {
        const id = yield* createClosed(project)
        yield* Sessions.resume(id)
        for (let number = 0; number < 30; number++) assert.strictEqual(yield* reason(id), "AlreadyRunning")
        yield* Sessions.close(id)
        for (let number = 0; number < 4; number++) {
          yield* Sessions.resume(id)
          yield* Sessions.close(id)
        }
        assert.strictEqual(yield* reason(id), "RateLimited")
      })
    ))

  it.effect("refuses before it looks at the disk", () =>
    Effect.gen(function*() {
      const calls: Array<FileSystemHooks.Call> = []
      yield* overFiles(({ project }) =>
        Effect.gen(function*() {
          const id = yield* createClosed(project)
          for (let number = 0; number < 5; number++) {
            yield* Sessions.resume(id)
            yield* Sessions.close(id)
          }
          calls.length = 0
          assert.strictEqual(yield* reason(id), "RateLimited")
          assert.deepStrictEqual(calls, [])
        }), FileSystemHooks.recordInto(calls))
    }))
})
