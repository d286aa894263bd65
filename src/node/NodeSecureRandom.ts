/**
 * Random bytes of node's generator, fetched by the page: asking the system for
 * sixteen takes as long as asking for thousands.
 *
 * @since 0.1.0
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import * as NodeCrypto from "node:crypto"

const pageBytes = 4096

/** The most that is taken from a page. */
const smallBytes = 64

const make = () => {
  const page = new Uint8Array(pageBytes)
  let used = pageBytes
  return SecureRandom.make((size) => {
    if (size > smallBytes) return NodeCrypto.randomFillSync(new Uint8Array(size))
    if (used + size > pageBytes) {
      NodeCrypto.randomFillSync(page)
      used = 0
    }
    const bytes = page.slice(used, used + size)
    // What was given out is in nobody's memory but the caller's.
    page.fill(0, used, used + size)
    used += size
    return bytes
  })
}

/**
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<SecureRandom.SecureRandom> = Layer.sync(SecureRandom.SecureRandom, make)
