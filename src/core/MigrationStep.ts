/**
 * One step from a format version to the next.
 *
 * @since 0.1.0
 */
import type * as Result from "effect/Result"
import type { JsonObject } from "./Json.ts"

/**
 * What a step can't take over as it is: where it was, and what came of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Change {
  readonly path: string
  /** `dropped`, or what stands there now and why. Never what stood there. */
  readonly change: string
}

/**
 * What a step made of its input.
 *
 * @category models
 * @since 0.1.0
 */
export interface Migrated {
  readonly document: JsonObject
  readonly changes: ReadonlyArray<Change>
}

/**
 * A step's answer: the next version's JSON, or what is wrong, without values.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer = Result.Result<Migrated, string>

/**
 * Leads from version `from` to the next one. `head` sees the members of a
 * snapshot's first line up to the counts, `event` one event of a journal.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly from: number
  readonly document: (document: JsonObject) => Answer
  readonly head: (head: JsonObject) => Answer
  readonly event: (event: JsonObject) => Answer
}
