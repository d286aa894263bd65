/**
 * Keeps an expression that takes for ever from taking the program with it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type { PatternTooSlow } from "../core/SessionError.ts"

/**
 * Runs work that tries expressions, and stops it when it takes too long. Nothing
 * does by default: JavaScript alone can't stop an expression. `NodeSessions.layer`
 * brings one that can (`NodePatternGuard`).
 *
 * @category services
 * @since 0.1.0
 */
export class PatternGuard extends Context.Reference<{
  readonly run: <A>(work: () => A) => Effect.Effect<A, PatternTooSlow>
}>("effect-reprise/services/PatternGuard", {
  defaultValue: () => ({ run: (work) => Effect.sync(work) })
}) {}
