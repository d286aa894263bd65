/**
 * The moment between a session that is there and its caller.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SessionId } from "../core/SessionId.ts"
import { Supervisor } from "../services/Supervisor.ts"

/**
 * Runs what makes a session. Interrupted when the session is made and the caller
 * does not have it yet, it runs `undo`: nobody would know of it.
 *
 * @category operations
 * @since 0.1.0
 */
export const handOver = <A, E, R, R2>(
  run: (made: (id: SessionId) => Effect.Effect<void>) => Effect.Effect<A, E, R>,
  undo: (id: SessionId) => Effect.Effect<void, never, R2>
): Effect.Effect<A, E, R | R2> =>
  Effect.suspend(() => {
    let there = Option.none<SessionId>()
    const made = (id: SessionId) =>
      Effect.sync(() => {
        there = Option.some(id)
      })
    return Effect.onInterrupt(run(made), () => Option.match(there, { onNone: () => Effect.void, onSome: undo }))
  })

/**
 * Stops a session that runs here without saving it.
 *
 * @category operations
 * @since 0.1.0
 */
export const discard = (id: SessionId) => Supervisor.use((supervisor) => supervisor.discard(id))
