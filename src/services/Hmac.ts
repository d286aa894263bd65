/**
 * HMAC-SHA256 over bytes that arrive in pieces. Effect's own `Mac` takes the
 * whole message at once, which would make each journal line cost as much as
 * everything before it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type { RunningMac } from "../core/Signature.ts"

/**
 * @category services
 * @since 0.1.0
 */
export class Hmac extends Context.Service<Hmac, {
  /** Starts a MAC with a secret of any length. */
  readonly start: (secret: Uint8Array) => RunningMac
}>()("effect-reprise/services/Hmac") {}
