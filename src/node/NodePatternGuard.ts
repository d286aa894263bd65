/**
 * Stops expressions that take too long, by the time limit of node's virtual machine.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as NodeVm from "node:vm"
import { PatternTooSlow } from "../core/SessionError.ts"
import { PatternGuard } from "../services/PatternGuard.ts"

const isTimeout = (error: unknown): boolean =>
  Predicate.hasProperty(error, "code") && error.code === "ERR_SCRIPT_EXECUTION_TIMEOUT"

/**
 * Gives each piece of work `limit`, two seconds by default, and then ends it, in the
 * middle of an expression, too. Nothing else runs meanwhile.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (limit: Duration.Input = "2 seconds"): typeof PatternGuard.Service => {
  const duration = Duration.fromInputUnsafe(limit)
  const room: { work?: () => void } = {}
  const context = NodeVm.createContext(room)
  const script = new NodeVm.Script("work()")
  return {
    run: <A>(work: () => A) =>
      Effect.suspend(() => {
        let done = Option.none<A>()
        room.work = () => {
          done = Option.some(work())
        }
        try {
          script.runInContext(context, { timeout: Math.max(1, Duration.toMillis(duration)) })
        } catch (error) {
          return isTimeout(error) ? Effect.fail(new PatternTooSlow({ limit: duration })) : Effect.die(error)
        }
        return Effect.orDie(Effect.fromOption(done))
      })
  }
}

/**
 * @category layers
 * @since 0.1.0
 */
export const layer = (limit?: Duration.Input): Layer.Layer<never> => Layer.sync(PatternGuard, () => make(limit))
