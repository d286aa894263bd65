/**
 * A line of a journal: an object whose last member is the MAC of everything before
 * it in the file.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type { RunningMac } from "./Signature.ts"
import * as Signature from "./Signature.ts"
import * as Text from "./Text.ts"

const macLength = 43
const sealLength = `,"mac":""}`.length + macLength
const newline = Text.toBytes("\n")

/**
 * An object without its closing brace: how it starts, in ASCII, and what follows.
 *
 * @category models
 * @since 0.1.0
 */
export interface Body {
  readonly start: string
  readonly rest: Uint8Array
}

/**
 * Signs objects, one a line: the MAC becomes the last member of each.
 *
 * @category signing
 * @since 0.1.0
 */
export const seal = (mac: RunningMac, bodies: ReadonlyArray<Body>): Uint8Array => {
  const lengths = bodies.map(({ rest, start }) => start.length + rest.length + sealLength + newline.length)
  const lines = new Uint8Array(lengths.reduce((sum, length) => sum + length, 0))
  let offset = 0
  for (const { rest, start } of bodies) {
    const body = offset
    offset += Text.encodeInto(start, lines.subarray(offset))
    lines.set(rest, offset)
    offset += rest.length
    mac.update(lines.subarray(body, offset))
    const end = offset
    const signature = Signature.make("", mac.digest()).text.slice(-macLength)
    offset += Text.encodeInto(`,"mac":"${signature}"}\n`, lines.subarray(offset))
    mac.update(lines.subarray(end, offset))
  }
  return lines
}

/**
 * Takes a line (without its newline) for verified, and moves the running MAC
 * behind it.
 *
 * @category signing
 * @since 0.1.0
 */
export const open = (mac: RunningMac, keyId: string, line: Uint8Array): Option.Option<Uint8Array> => {
  const body = line.subarray(0, Math.max(0, line.length - sealLength))
  const end = Text.fromBytes(line.subarray(body.length))
  const encoded = Option.flatMap(end, (text) => Option.fromUndefinedOr(/^,"mac":"([^"]*)"\}$/.exec(text)?.[1]))
  const signature = Option.flatMap(encoded, (text) => Signature.parse(`hs256.${keyId}.${text}`))
  mac.update(body)
  if (!Option.exists(signature, (signature) => Signature.matches(mac, signature))) return Option.none()
  mac.update(line.subarray(body.length))
  mac.update(newline)
  return Option.some(body)
}
