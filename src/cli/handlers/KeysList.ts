/**
 * What `reprise keys list` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Signer from "../../services/Signer.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Output from "../Output.ts"

/**
 * Lists the ids of keys.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.keys.list")(function*(_input: object) {
  const { isJson, style } = yield* Output.current
  const { current, encrypts = false, ids } = yield* Signer.Signer
  if (isJson) return yield* Output.printJson(CliJson.Keys, { current, ids, encrypts })
  yield* Output.print(...ids.map((id) =>
    id === current ?
      `${style.bold(id)}  ${encrypts ? "signs, encrypts, verifies and decrypts" : "signs and verifies"}`
      : `${id}  ${encrypts ? "verifies and decrypts" : "verifies"}`
  ))
}, Backend.withSessions)
