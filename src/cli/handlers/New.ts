/**
 * What `reprise new` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Close from "../../pipelines/Close.ts"
import * as Create from "../../pipelines/Create.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import * as Where from "../Where.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly path: Option.Option<string>
  readonly name: Option.Option<string>
  readonly provider: string
  readonly model: string
  readonly temperature: number
  readonly maxTokens: number
}

/**
 * Creates a session, and closes it.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.new")(function*(input: Input) {
  const { isJson, style } = yield* Output.current
  const { maxTokens, model, provider, temperature } = input
  const session = yield* Create.create({
    project: yield* Where.project(Option.getOrUndefined(input.path)),
    ...Option.match(input.name, { onNone: () => ({}), onSome: (name) => ({ name }) }),
    config: { provider, model, temperature, maxTokens }
  })
  const { session: { id, name, projectPath } } = yield* session.state
  yield* Close.close(id)
  if (isJson) return yield* Output.printJson(CliJson.Named, { id, name, project: projectPath })
  yield* Output.print(
    `Created ${style.bold(Printable.line(name))} in ${Printable.line(projectPath)}.`,
    `Go on with it: reprise resume ${id}`
  )
}, Backend.withSessions)
