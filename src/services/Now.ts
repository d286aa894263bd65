/**
 * The present moment, as it is stored.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Timestamp from "../core/Timestamp.ts"

/**
 * What the `Clock` shows.
 *
 * @category getters
 * @since 0.1.0
 */
export const now: Effect.Effect<Timestamp.Timestamp> = Effect.map(Clock.currentTimeMillis, Timestamp.fromMillis)
