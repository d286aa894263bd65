/**
 * What `reprise import` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Import from "../../pipelines/Import.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Failures from "../Failures.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import * as Progress from "../Progress.ts"
import * as Secret from "../Secret.ts"
import * as Where from "../Where.ts"
import * as Words from "../Words.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly files: ReadonlyArray<string>
  readonly from: Option.Option<"reprise" | "jido_code">
  readonly project: Option.Option<string>
  readonly root: Option.Option<string>
  readonly secretFile: Option.Option<string>
  readonly host: Option.Option<string>
  readonly application: Option.Option<string>
  readonly allowUnsigned: boolean
  readonly copy: boolean
}

const optionsOf = Effect.fnUntraced(function*(input: Input) {
  const path = yield* Path.Path
  const cwd = yield* Where.WorkingDirectory
  const options: Import.ImportOptions = {
    ...(Option.isSome(input.from) ? { from: input.from.value } : {}),
    ...(Option.isSome(input.project) ? { project: path.resolve(cwd, input.project.value) } : {}),
    ...(Option.isSome(input.root) ? { root: path.resolve(cwd, input.root.value) } : {}),
    ...(Option.isSome(input.host) ? { host: input.host.value } : {}),
    ...(Option.isSome(input.application) ? { application: input.application.value } : {}),
    ...(yield* Secret.read(input.secretFile)),
    allowUnsigned: input.allowUnsigned,
    copy: input.copy
  }
  return options
})

const lines = (file: string, report: Import.ImportReport): ReadonlyArray<string> => [
  `Imported ${Printable.line(file)} as ${report.id}: ${Words.count(report.messages, "message")}, ${
    report.isVerified ? "verified" : "not verified"
  }.`,
  ...report.changes.map(({ change, path }) => `  ${Printable.line(path)}: ${Printable.line(change)}`),
  ...(report.projectExists
    ? []
    : [`  ${Printable.line(report.projectPath)} is not there: reprise resume ${report.id} --project DIR`])
]

/**
 * Brings in sessions from files. One that can't be brought in does not stop the
 * others.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.import")(function*(input: Input) {
  const { isJson } = yield* Output.current
  const path = yield* Path.Path
  const cwd = yield* Where.WorkingDirectory
  const options = yield* optionsOf(input)
  const outcomes = yield* Progress.track(
    "import",
    input.files.length,
    ({ print, step }) =>
      Effect.forEach(input.files, (file) =>
        Effect.gen(function*() {
          const outcome = yield* Effect.result(Import.importFile(path.resolve(cwd, file), options))
          yield* step(file)
          if (Result.isSuccess(outcome) && !isJson) yield* print(...lines(file, outcome.success))
          return Result.mapBoth(outcome, {
            onFailure: (error) => Failures.make(file, error),
            onSuccess: (report) => ({ file, report })
          })
        }))
  )
  const imported = outcomes.filter(Result.isSuccess).map(({ success }) => success)
  const failed = outcomes.filter(Result.isFailure).map(({ failure }) => failure)
  if (isJson) {
    yield* Output.printJson(CliJson.Import, {
      imported: imported.map(({ file, report: { projectPath, ...report } }) => ({
        file,
        ...report,
        project: projectPath
      })),
      failed: failed.map(Failures.toJson)
    })
  } else if (input.files.length > 1) {
    yield* Output.print(`${Words.count(imported.length, "session")} imported, ${failed.length} failed.`)
  }
  yield* Failures.end(failed, { total: input.files.length, done: "imported" })
}, Backend.withSessions)
