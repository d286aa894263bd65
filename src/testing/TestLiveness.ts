/**
 * Processes that live and die at a test's word.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Holder } from "../core/Holder.ts"
import { Liveness, type Verdict } from "../services/Liveness.ts"

/**
 * A make-believe machine: what it knows of its processes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Machine {
  /** A process of this machine. Each call is another one. */
  readonly process: () => { readonly pid: number; readonly layer: Layer.Layer<Liveness> }
  /** Ends a process without a word: what it held is held by nobody. */
  readonly kill: (pid: number) => void
  /** Moves a process out of sight: nobody can tell whether it lives. */
  readonly hide: (pid: number) => void
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const machine = (host: string = "test"): Machine => {
  const verdicts = new Map<number, Verdict>()
  let next = 1000
  return {
    process: () => {
      const pid = next++
      verdicts.set(pid, "alive")
      const held = new Set<string>()
      const self: Holder = { host, bootId: "boot", pidNamespace: "pids", pid, startTime: String(pid) }
      return {
        pid,
        layer: Layer.succeed(
          Liveness,
          Liveness.of({
            self,
            held,
            judge: ({ holder, nonce }) =>
              Effect.sync((): Verdict => {
                if (holder.host !== host) return "unknown"
                if (holder.pid === pid) return held.has(nonce) ? "alive" : "dead"
                return verdicts.get(holder.pid) ?? "dead"
              })
          })
        )
      }
    },
    kill: (pid) => void verdicts.set(pid, "dead"),
    hide: (pid) => void verdicts.set(pid, "unknown")
  }
}
