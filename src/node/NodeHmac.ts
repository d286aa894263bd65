/**
 * HMAC-SHA256 with a running hash state, on `node:crypto`. Node's own `Hmac`
 * ends with its first digest; its `Hash` can be copied, so HMAC is built from
 * that (RFC 2104).
 *
 * @since 0.1.0
 */
import * as Layer from "effect/Layer"
import * as NodeCrypto from "node:crypto"
import type { RunningMac } from "../core/Signature.ts"
import { Hmac } from "../services/Hmac.ts"

const blockBytes = 64

const start = (secret: Uint8Array): RunningMac => {
  const key = secret.length > blockBytes ? NodeCrypto.createHash("sha256").update(secret).digest() : secret
  const pad = (byte: number) => {
    const block = new Uint8Array(blockBytes)
    for (let index = 0; index < blockBytes; index++) block[index] = byte ^ (key[index] ?? 0)
    return block
  }
  const inner = NodeCrypto.createHash("sha256").update(pad(0x36))
  const outer = new Uint8Array(blockBytes + 32)
  outer.set(pad(0x5c))
  return {
    update: (bytes) => void inner.update(bytes),
    digest: () => {
      outer.set(inner.copy().digest(), blockBytes)
      return NodeCrypto.hash("sha256", outer, "buffer")
    }
  }
}

/**
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Hmac> = Layer.succeed(Hmac, Hmac.of({ start }))
