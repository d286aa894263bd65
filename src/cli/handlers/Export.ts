/**
 * What `reprise export` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Export from "../../pipelines/Export.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import * as Removal from "../Removal.ts"
import * as Secret from "../Secret.ts"
import * as Target from "../Target.ts"
import * as Where from "../Where.ts"
import * as Words from "../Words.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly target: string
  readonly output: Option.Option<string>
  readonly root: Option.Option<string>
  readonly secretFile: Option.Option<string>
  readonly overwrite: boolean
}

/** A file name that any file system takes: `fix-the-tests-09ebe92c.json`. */
const fileName = (target: Target.Target): string => {
  const slug = target.name.toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40)
  return `${slug === "" ? "session" : slug}-${target.id.slice(0, 8)}.json`
}

/**
 * Writes a session to a file.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.export")(function*(input: Input) {
  const { isJson, style } = yield* Output.current
  const path = yield* Path.Path
  const cwd = yield* Where.WorkingDirectory
  const target = yield* Target.resolve(input.target)
  const report = yield* Export.exportTo(
    target.id,
    path.resolve(cwd, Option.getOrElse(input.output, () => fileName(target))),
    {
      ...Option.match(input.root, { onNone: () => ({}), onSome: (root) => ({ root: path.resolve(cwd, root) }) }),
      ...(yield* Secret.read(input.secretFile)),
      overwrite: input.overwrite
    }
  )
  const { bytes, file, projectPath } = report
  if (isJson) return yield* Output.printJson(CliJson.Export, { id: target.id, file, bytes, project: projectPath })
  yield* Output.print(
    `Exported ${style.bold(Removal.label(target))} to ${Printable.line(file)}, ${Words.size(bytes)}.`
  )
}, Backend.withSessions)
