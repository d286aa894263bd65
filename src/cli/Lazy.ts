/**
 * Handlers that are loaded when they run: a command imports what it needs, and
 * no other does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/**
 * The `run` of a module, as a handler.
 *
 * @category constructors
 * @since 0.1.0
 */
export const handler = <Input, A, E, R>(
  load: () => Promise<{ readonly run: (input: Input) => Effect.Effect<A, E, R> }>
) =>
(input: Input): Effect.Effect<A, E, R> => Effect.flatMap(Effect.promise(load), ({ run }) => run(input))
