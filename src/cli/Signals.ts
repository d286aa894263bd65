/**
 * What the signals of the terminal mean while somebody else has it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

let holders = 0

/**
 * Whether another program, such as a pager, has the terminal: Ctrl-C is then its
 * matter alone.
 *
 * @category predicates
 * @since 0.1.0
 */
export const areHeld = (): boolean => holders > 0

/**
 * Leaves Ctrl-C to another program while an effect runs.
 *
 * @category running
 * @since 0.1.0
 */
export const held = <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.acquireUseRelease(
    Effect.sync(() => void (holders += 1)),
    () => effect,
    () => Effect.sync(() => void (holders -= 1))
  )
