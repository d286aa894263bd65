/**
 * How often sessions may be resumed. Attempts count, not successes, on
 * monotonic time.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { RateLimited } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import { SessionLimits } from "./SessionLimits.ts"

/**
 * @category services
 * @since 0.1.0
 */
export class ResumeLimit extends Context.Service<ResumeLimit, {
  /** Counts an attempt, or refuses it and says how long to wait. */
  readonly attempt: (id: SessionId) => Effect.Effect<void, RateLimited>
}>()("effect-reprise/services/ResumeLimit") {}

/**
 * `resumePerSession` attempts for a session and `resumeOverall` over all within
 * `resumeWindow`, counted by Effect's `RateLimiter`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<ResumeLimit, never, RateLimiter.RateLimiter> = Layer.effect(
  ResumeLimit,
  Effect.gen(function*() {
    const limiter = yield* RateLimiter.RateLimiter
    const limits = yield* SessionLimits
    const consume = (key: string, limit: number) =>
      limiter.consume({ algorithm: "fixed-window", onExceeded: "fail", window: limits.resumeWindow, limit, key }).pipe(
        Effect.catchReason(
          "RateLimiterError",
          "RateLimitExceeded",
          ({ retryAfter }) => new RateLimited({ retryAfter })
        ),
        Effect.catchTag("RateLimiterError", (error) => Effect.logWarning("the resume limit is out of order", error)),
        Effect.asVoid
      )
    return ResumeLimit.of({
      attempt: (id) =>
        Effect.andThen(consume(`resume/${id}`, limits.resumePerSession), consume("resume", limits.resumeOverall))
    })
  })
)

/**
 * No limit.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerOff: Layer.Layer<ResumeLimit> = Layer.succeed(
  ResumeLimit,
  ResumeLimit.of({ attempt: () => Effect.void })
)

/**
 * Counters of a `RateLimiter` in memory, on monotonic time: setting the clock
 * frees nobody and locks nobody out. At most `maxKeys` are kept (by default
 * 10,000); the one that ends first makes room.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerStoreMonotonic = (
  options: { readonly maxKeys?: number } = {}
): Layer.Layer<RateLimiter.RateLimiterStore> =>
  Layer.effect(
    RateLimiter.RateLimiterStore,
    Effect.gen(function*() {
      const memory = yield* RateLimiter.RateLimiterStore
      const counters = new Map<string, { count: number; endsAt: number }>()

      const makeRoom = (at: number) => {
        for (const [key, { endsAt }] of counters) if (endsAt <= at) counters.delete(key)
        if (counters.size < (options.maxKeys ?? 10_000)) return
        let first: { readonly key: string; readonly endsAt: number } | undefined
        for (const [key, { endsAt }] of counters) {
          if (first === undefined || endsAt < first.endsAt) first = { key, endsAt }
        }
        if (first !== undefined) counters.delete(first.key)
      }

      return RateLimiter.RateLimiterStore.of({
        ...memory,
        fixedWindow: ({ key, limit, refillRate, tokens }) =>
          Effect.map(Clock.monotonicTimeNanos, (nanos) => {
            const at = Number(nanos / 1_000_000n)
            const found = counters.get(key)
            const counter = found !== undefined && found.endsAt > at ? found : { count: 0, endsAt: at }
            const count = counter.count + tokens
            if (limit !== undefined && count > limit) return [count, Math.max(1, counter.endsAt - at)] as const
            if (found === undefined) makeRoom(at)
            counter.count = count
            counter.endsAt += Duration.toMillis(refillRate) * tokens
            counters.set(key, counter)
            return [count, counter.endsAt - at] as const
          })
      })
    })
  ).pipe(Layer.provide(RateLimiter.layerStoreMemory))
