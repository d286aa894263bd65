/**
 * Which session a history becomes: always the same one, on every machine.
 *
 * @since 0.1.0
 */
import * as Hex from "effect/encoding/Hex"
import * as SessionId from "../SessionId.ts"
import * as Text from "../Text.ts"
import type { HistoryKind } from "./History.ts"

/**
 * What an id is derived from, where the agent's own can't be one.
 *
 * @category encoding
 * @since 0.1.0
 */
export const name = (kind: HistoryKind, id: string): Uint8Array => Text.toBytes(`${kind}\n${id}`)

/**
 * The key of the derivation. It keeps nothing secret: it keeps these ids apart
 * from what others derive from the same names.
 *
 * @category constants
 * @since 0.1.0
 */
export const key: Uint8Array = Text.toBytes("effect-reprise/core/history/HistoryId")

/**
 * The agent's own id, if it is a UUID v4.
 *
 * @category decoding
 * @since 0.1.0
 */
export const own = (id: string): SessionId.SessionId | undefined => {
  const lower = id.toLowerCase()
  return SessionId.isSessionId(lower) ? lower : undefined
}

/**
 * A UUID v4 of a digest's first bytes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromDigest = (digest: Uint8Array): SessionId.SessionId => {
  const bytes = digest.slice(0, 16)
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x40
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80
  const hex = Hex.encode(bytes)
  return SessionId.make(
    [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join("-")
  )
}
