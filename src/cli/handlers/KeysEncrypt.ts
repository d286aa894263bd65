/**
 * What `reprise keys encrypt` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Backend from "../Backend.ts"
import * as KeysRotate from "./KeysRotate.ts"

/**
 * Turns encryption on, and encrypts all sessions.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.keys.encrypt")(
  function*(_input: object) {
    yield* KeysRotate.rotate(false)
  },
  Backend.withProtected({ encryption: true, allowPlain: true })
)
