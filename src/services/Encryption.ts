/**
 * The key ring that stored sessions are encrypted with, and where its keys come from.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { StoreError } from "../core/SessionError.ts"
import type { Hmac } from "./Hmac.ts"
import * as Signer from "./Signer.ts"

/**
 * The newest key encrypts, all decrypt. No key is used as it is: keys of files are
 * derived from it, by HMAC-SHA256 over words that nothing is ever signed with.
 *
 * @category services
 * @since 0.1.0
 */
export class Encryption
  extends Context.Service<Encryption, Signer.GrowingKeyRing>()("effect-reprise/services/Encryption")
{}

/**
 * Encrypts with keys that are derived from those that sign: one key ring to keep,
 * and one rotation for both.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSigner: Layer.Layer<Encryption, never, Signer.Signer> = Layer.effect(Encryption, Signer.Signer)

/**
 * A key ring of given keys, newest first, apart from those that sign.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: { readonly keys: ReadonlyArray<Signer.Key> }
): Layer.Layer<Encryption, StoreError, Hmac> => Layer.effect(Encryption, Signer.make(options.keys))

/**
 * Takes the key ring from configuration, by default from
 * `REPRISE_ENCRYPTION_KEYS`, in the form of `Signer.keysFromText`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFromConfig = (
  config: Config.Config<Redacted.Redacted> = Config.Redacted("REPRISE_ENCRYPTION_KEYS")
): Layer.Layer<Encryption, Config.ConfigError | StoreError, Hmac> =>
  Layer.effect(
    Encryption,
    Effect.gen(function*() {
      const text = yield* config
      return yield* Signer.make(yield* Effect.fromResult(Signer.keysFromText(Redacted.value(text))))
    })
  )
