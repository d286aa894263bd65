/**
 * What `reprise delete` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Backend from "../Backend.ts"
import * as Removal from "../Removal.ts"
import * as Target from "../Target.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly targets: ReadonlyArray<string>
  readonly interrupted: boolean
}

/**
 * Moves sessions to the trash. Nothing is moved before every target is known to
 * mean one session.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.delete")(function*({ interrupted, targets }: Input) {
  const found = yield* Effect.forEach(targets, (target) => Target.resolve(target))
  const distinct = [...new Map(found.map((target) => [target.id, target])).values()]
  yield* Removal.remove({ targets: distinct, isInterruptedToo: interrupted, skipped: [] })
}, Backend.withListing)
