/**
 * What `reprise rename` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Rename from "../../pipelines/Rename.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import * as Target from "../Target.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly target: string
  readonly name: string
}

/**
 * Renames a session.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.rename")(function*({ name, target }: Input) {
  const { isJson, style } = yield* Output.current
  const entry = yield* Target.resolve(target)
  yield* Rename.rename(entry.id, name)
  if (isJson) return yield* Output.printJson(CliJson.Named, { id: entry.id, name })
  const before = entry._tag === "Stored" ? Printable.line(entry.name) : entry.id
  yield* Output.print(`Renamed ${before} to ${style.bold(Printable.line(name))}.`)
}, Backend.withSessions)
