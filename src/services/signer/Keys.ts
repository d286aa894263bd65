/**
 * The key ring that stored sessions are signed with: the newest key signs, all
 * verify. Which bytes are signed is core's matter.
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { type InvalidJson, type SchemaVersion, StoreError } from "../../core/SessionError.ts"
import type { KeyRing } from "../../core/Signature.ts"
import * as Signature from "../../core/Signature.ts"
import { Hmac } from "../Hmac.ts"

/**
 * A key ring that can grow while it is in use.
 *
 * @category models
 * @since 0.1.0
 */
export interface GrowingKeyRing extends KeyRing {
  /** Makes a key that signs from now on, durably; the others still verify. Its id. */
  readonly addKey: Effect.Effect<string, StoreError>
  /** Takes in what others have added since. Whether there was anything. */
  readonly refresh: Effect.Effect<boolean, StoreError>
  /** Whether what is stored is to be encrypted, where the key ring itself says so. */
  readonly encrypts?: boolean
}

/**
 * @category services
 * @since 0.1.0
 */
export class Signer extends Context.Service<Signer, GrowingKeyRing>()("effect-reprise/services/Signer") {}

/**
 * A key of at least 32 secret bytes. Its id stands in each signature: 1 to 32
 * of `A-Z a-z 0-9 _ -`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Key {
  readonly id: string
  readonly secret: Redacted.Redacted<Uint8Array>
}

/**
 * The fewest bytes of a secret.
 *
 * @category limits
 * @since 0.1.0
 */
export const minimumSecretBytes = 32

const invalid = (cause: string) => new StoreError({ operation: "opening the key ring", cause: new Error(cause) })

/**
 * Signs with the first of the keys and verifies with all of them. Fails where
 * there is none, one is too short, or an id is not one or comes twice.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keyRing = Effect.fnUntraced(function*(keys: ReadonlyArray<Key>) {
  const hmac = yield* Hmac
  const secrets = new Map<string, Uint8Array>()
  for (const [index, { id, secret }] of keys.entries()) {
    // By position: what was given as an id may be a secret in the wrong place.
    const key = `key ${index + 1} of ${keys.length}`
    if (!Signature.isKeyId(id)) return yield* invalid(`the id of ${key} is not 1 to 32 of A-Z a-z 0-9 _ -`)
    if (secrets.has(id)) return yield* invalid(`the id of ${key} comes twice`)
    const bytes = Redacted.value(secret)
    if (bytes.length < minimumSecretBytes) return yield* invalid(`${key} has less than ${minimumSecretBytes} bytes`)
    secrets.set(id, bytes)
  }
  const [current] = secrets.keys()
  if (current === undefined) return yield* invalid("there is no key")
  const ring: KeyRing = {
    current,
    ids: [...secrets.keys()],
    mac: (keyId) => Option.map(Option.fromUndefinedOr(secrets.get(keyId)), hmac.start)
  }
  return ring
})

/**
 * The signer of given keys, newest first: what gave them is where a new one
 * belongs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (keys: ReadonlyArray<Key>) =>
  Effect.map(keyRing(keys), (ring) =>
    Signer.of({
      ...ring,
      addKey: Effect.suspend(() =>
        invalid("it was given from outside: put the new key in front there, then rotate without a new key")
      ),
      refresh: Effect.succeed(false)
    }))

/**
 * The signer of a secret that two machines share.
 *
 * @category constructors
 * @since 0.1.0
 */
export const shared = (secret: Redacted.Redacted<Uint8Array>) => make([{ id: "shared", secret }])

/**
 * A key ring of given keys, newest first.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: { readonly keys: ReadonlyArray<Key> }): Layer.Layer<Signer, StoreError, Hmac> =>
  Layer.effect(Signer, make(options.keys))

/**
 * Reads a key ring from text: `id:secret` pairs, newest first, separated by
 * commas; secrets in base64url.
 *
 * @category constructors
 * @since 0.1.0
 */
export const keysFromText = (text: string): Result.Result<ReadonlyArray<Key>, StoreError> =>
  Result.all(
    text.split(",").map((pair, index) => {
      const [id = "", secret = "", ...more] = pair.trim().split(":")
      if (secret === "" || more.length > 0) return Result.fail(invalid(`key ${index + 1} is not id:secret`))
      return Result.mapBoth(Base64Url.decode(secret), {
        onFailure: () => invalid(`the secret of key ${index + 1} is not base64url`),
        onSuccess: (bytes): Key => ({ id, secret: Redacted.make(bytes) })
      })
    })
  )

/**
 * Takes the key ring from configuration, by default from `REPRISE_KEYS`, in the
 * form of {@link keysFromText}.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerFromConfig = (
  config: Config.Config<Redacted.Redacted> = Config.Redacted("REPRISE_KEYS")
): Layer.Layer<Signer, Config.ConfigError | StoreError, Hmac> =>
  Layer.effect(
    Signer,
    Effect.gen(function*() {
      const text = yield* config
      return yield* make(yield* Effect.fromResult(keysFromText(Redacted.value(text))))
    })
  )

/**
 * What was verified. Where a key was unknown, it is looked for once more among
 * those that other processes have added.
 *
 * @category signing
 * @since 0.1.0
 */
export const verified = <A, E extends InvalidJson | SchemaVersion>(
  { refresh }: GrowingKeyRing,
  verify: () => Result.Result<A, E>
): Effect.Effect<A, E> => {
  const attempt = Effect.suspend(() => Effect.fromResult(verify()))
  return Effect.catchIf(attempt, isUnknownKey, (error) =>
    Effect.flatMap(
      Effect.orElseSucceed(refresh, () => false),
      (isNew) => isNew ? attempt : Effect.fail(error)
    ))
}

const isUnknownKey = (error: InvalidJson | SchemaVersion): boolean =>
  error._tag === "InvalidJson" && error.reason._tag === "UnknownKey"

/**
 * What was signed, or that the key ring lost the key that signs.
 *
 * @category signing
 * @since 0.1.0
 */
export const signed = <A>(result: Option.Option<A>): Effect.Effect<A, StoreError> =>
  Effect.mapError(Effect.fromOption(result), () =>
    new StoreError({
      operation: "signing",
      cause: new Error("the key ring lost the key that signs")
    }))
