/**
 * Who runs a session, in facts that another process on the machine can check.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * A process, named so that a later one with the same number is not mistaken
 * for it.
 *
 * **Details**
 *
 * `bootId` changes with each start of the machine, `pidNamespace` is where
 * `pid` has its meaning (containers have their own), `startTime` is the
 * process's start in the kernel's own unit. Empty texts stand for what a
 * platform does not tell.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Holder = Schema.Struct({
  host: Schema.String,
  bootId: Schema.String,
  pidNamespace: Schema.String,
  pid: Schema.Int,
  startTime: Schema.String
})

/**
 * @category models
 * @since 0.1.0
 */
export type Holder = typeof Holder.Type

/**
 * Names a holder in words that a person can act on.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (holder: Holder): string => `process ${holder.pid} on ${holder.host}`
