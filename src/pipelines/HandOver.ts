/**
 * The moment between a session's start and its caller.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { SessionId } from "../core/SessionId.ts"
import type { RunningSession } from "../services/RunningSession.ts"
import { Supervisor } from "../services/Supervisor.ts"

/**
 * Runs what starts a session. Interrupted when the session runs and the caller
 * does not have it yet, it stops it without saving, and then runs `undo`:
 * nobody would know of it.
 *
 * @category operations
 * @since 0.1.0
 */
export const handOver = <E, R, R2>(
  run: (started: (session: RunningSession) => Effect.Effect<void>) => Effect.Effect<RunningSession, E, R>,
  undo: (id: SessionId) => Effect.Effect<void, never, R2>
): Effect.Effect<RunningSession, E, R | R2 | Supervisor> =>
  Effect.suspend(() => {
    let running = Option.none<SessionId>()
    const started = ({ id }: RunningSession) =>
      Effect.sync(() => {
        running = Option.some(id)
      })
    return Effect.onInterrupt(run(started), () =>
      Option.match(running, {
        onNone: () => Effect.void,
        onSome: (id) => Effect.andThen(Supervisor.use(({ discard }) => discard(id)), undo(id))
      }))
  })
