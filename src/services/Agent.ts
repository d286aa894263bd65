/**
 * The application's own program, run inside every session that starts.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type { RunningSession } from "./RunningSession.ts"
import type { Supervisor } from "./Supervisor.ts"

/**
 * A program, and the services of the session that it runs in.
 *
 * @category models
 * @since 0.1.0
 */
export type Program = (
  session: RunningSession,
  services: Context.Context<Supervisor | Scope.Scope>
) => Effect.Effect<void, unknown>

/**
 * What runs inside a session, in a fiber of its own and the session's scope.
 * None by default.
 *
 * @category services
 * @since 0.1.0
 */
export class Agent extends Context.Reference<Option.Option<Program>>("effect-reprise/services/Agent", {
  defaultValue: Option.none
}) {}

/**
 * Runs a program in every session.
 *
 * **Details**
 *
 * Its requirements are taken from where the layer is built; the `Supervisor`
 * and the session's `Scope` are provided. A program that fails is started again
 * as long as `restart` says so. How it ended in the end is on
 * `running.awaitExit`; the session runs on.
 *
 * @category layers
 * @since 0.1.0
 */
export function layer<E, R>(
  program: (session: RunningSession) => Effect.Effect<void, E, R>,
  options?: { readonly restart?: Schedule.Schedule<unknown, E> }
): Layer.Layer<never, never, Exclude<R, Supervisor | Scope.Scope>>
export function layer(
  program: (session: RunningSession) => Effect.Effect<void, unknown, Supervisor | Scope.Scope>,
  options: { readonly restart?: Schedule.Schedule<unknown> } = {}
): Layer.Layer<never> {
  const { restart } = options
  return Layer.effect(
    Agent,
    Effect.map(Effect.context(), (outer) =>
      Option.some<Program>((session, services) =>
        program(session).pipe(
          (once) => restart === undefined ? once : Effect.retry(once, restart),
          // The session's own services, then what the layer was built with, then the caller's.
          Effect.updateContext((caller: Context.Context<never>) =>
            Context.merge(Context.merge(caller, outer), services)
          )
        )
      ))
  )
}
