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
 * frees nobody and locks nobody out. A window slides: what it admits at most, it
 * admits within any time of its length. At most `maxKeys` are kept (by default
 * 10,000); the one that was used longest ago makes room.
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
      const maxKeys = options.maxKeys ?? 10_000
      /** When each key was admitted, oldest first; keys in the order of their last use. */
      const admitted = new Map<string, Array<number>>()

      /** The times of a key that are within the window still. */
      const timesOf = (key: string, since: number): Array<number> => {
        const times = admitted.get(key) ?? []
        const first = times.findIndex((time) => time > since)
        times.splice(0, first < 0 ? times.length : first)
        return times
      }

      const keep = (key: string, times: Array<number>) => {
        admitted.delete(key)
        admitted.set(key, times)
        const [oldest] = admitted.keys()
        if (admitted.size > maxKeys && oldest !== undefined) admitted.delete(oldest)
      }

      return RateLimiter.RateLimiterStore.of({
        ...memory,
        fixedWindow: ({ key, limit, refillRate, tokens }) =>
          Effect.map(Clock.monotonicTimeNanos, (nanos) => {
            const now = Number(nanos / 1_000_000n)
            const window = Math.round(Duration.toMillis(refillRate) * (limit ?? 1))
            const times = timesOf(key, now - window)
            const count = times.length + tokens
            if (limit !== undefined && count > limit) {
              const firstToLeave = times[count - limit - 1] ?? now
              return [count, Math.max(1, firstToLeave + window - now)] as const
            }
            for (let token = 0; token < tokens; token++) times.push(now)
            keep(key, times)
            return [count, window] as const
          })
      })
    })
  ).pipe(Layer.provide(RateLimiter.layerStoreMemory))
