/**
 * What `reprise restore` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Trash from "../../pipelines/Trash.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Output from "../Output.ts"
import * as Removal from "../Removal.ts"
import * as Target from "../Target.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly target: string
}

/**
 * Takes a session out of the trash.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.restore")(function*({ target }: Input) {
  const { isJson, style } = yield* Output.current
  const entry = yield* Target.resolve(target, { isRemoved: true })
  yield* Trash.restore(entry.id)
  if (isJson) return yield* Output.printJson(CliJson.Named, { id: entry.id, name: entry.name })
  yield* Output.print(`Restored ${style.bold(Removal.label(entry))}. Go on with it: reprise resume ${entry.id}`)
}, Backend.withListing)
