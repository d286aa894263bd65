/**
 * Who this process is, and whether other holders still live. Never guessed
 * from age.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { Holder } from "../core/Holder.ts"

/**
 * *unknown* is a holder out of sight: on another host, or in another pid
 * namespace.
 *
 * @category models
 * @since 0.1.0
 */
export type Verdict = "alive" | "dead" | "unknown"

/**
 * @category services
 * @since 0.1.0
 */
export class Liveness extends Context.Service<Liveness, {
  readonly self: Holder
  /**
   * The nonces of the leases that this process holds. One of its own that is
   * not among them belongs to a claim that is over.
   */
  readonly held: Set<string>
  readonly judge: (lease: { readonly holder: Holder; readonly nonce: string }) => Effect.Effect<Verdict>
}>()("effect-reprise/services/Liveness") {}
