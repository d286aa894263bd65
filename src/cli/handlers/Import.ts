/**
 * What `reprise import` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { HistoryKind } from "../../core/history/History.ts"
import type { ImportFormat } from "../../core/ImportFormat.ts"
import type { HistoryOutcome, HistoryProgress } from "../../pipelines/HistoryReport.ts"
import * as HistorySource from "../../pipelines/HistorySource.ts"
import * as Import from "../../pipelines/Import.ts"
import * as ImportHistory from "../../pipelines/ImportHistory.ts"
import * as SessionStore from "../../services/SessionStore.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Failures from "../Failures.ts"
import * as HistoryLines from "../HistoryLines.ts"
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
  readonly from: Option.Option<ImportFormat | HistoryKind>
  readonly project: Option.Option<string>
  readonly root: Option.Option<string>
  readonly secretFile: Option.Option<string>
  readonly host: Option.Option<string>
  readonly application: Option.Option<string>
  readonly allowUnsigned: boolean
  readonly copy: boolean
  readonly mainOnly: boolean
  readonly whole: boolean
}

/** What came of one file. */
type Outcome =
  | { readonly _tag: "Import"; readonly file: string; readonly report: Import.ImportReport }
  | { readonly _tag: "History"; readonly outcome: HistoryOutcome }
  | { readonly _tag: "Failed"; readonly failed: Failures.Failed }

const isHistoryKind = Schema.is(HistoryKind)

const optionsOf = Effect.fnUntraced(function*(input: Input) {
  const path = yield* Path.Path
  const cwd = yield* Where.WorkingDirectory
  const from = Option.getOrUndefined(input.from)
  const options: Import.ImportOptions = {
    ...(from === undefined || isHistoryKind(from) ? {} : { from }),
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

/** Whether what was typed is the history of another agent. What can't be looked at is for the import to tell. */
const isHistory = Effect.fnUntraced(function*(file: string, { from }: Input) {
  const fs = yield* FileSystem.FileSystem
  const { limits } = yield* SessionStore.SessionStore
  if (Option.isSome(from)) return isHistoryKind(from.value)
  const info = yield* Effect.option(fs.stat(file))
  if (Option.isNone(info)) return false
  if (info.value.type !== "File" || !/\.json$/i.test(file)) return true
  return yield* Effect.orElseSucceed(HistorySource.isHistory(file, limits), () => false)
})

/** Bytes that one step of the progress stands for. */
const stepBytes = 1024 * 1024

/** Tells of each MiB that was read. */
const progressOf = (progress: Progress.Progress, name: (source: string) => string) => {
  let done = 0
  return Effect.fnUntraced(function*({ bytes, source, total }: HistoryProgress) {
    for (; done < Math.floor(bytes / stepBytes); done++) {
      yield* progress.step(name(source), Math.max(1, Math.ceil(total / stepBytes)))
    }
  })
}

const importHistories = Effect.fnUntraced(function*(
  file: string,
  input: Input,
  progress: Progress.Progress
) {
  const { isJson } = yield* Output.current
  const path = yield* Path.Path
  const cwd = yield* Where.WorkingDirectory
  const from = Option.getOrUndefined(input.from)
  const outcomes = ImportHistory.importHistory(path.resolve(cwd, file), {
    ...(isHistoryKind(from) ? { from } : {}),
    ...(Option.isSome(input.project) ? { project: path.resolve(cwd, input.project.value) } : {}),
    defaultProject: cwd,
    copy: input.copy,
    subagents: !input.mainOnly,
    whenTooLarge: input.whole ? "refuse" : "newest",
    onProgress: progressOf(progress, (source) => path.basename(source))
  })
  const told: Array<Outcome> = []
  yield* Stream.runForEach(outcomes, (outcome) => {
    told.push(
      outcome._tag === "Failed"
        ? { _tag: "Failed", failed: Failures.make(outcome.source, outcome.error) }
        : { _tag: "History", outcome }
    )
    return isJson ? Effect.void : progress.print(...HistoryLines.lines(outcome))
  })
  return told
})

const importFile = Effect.fnUntraced(function*(
  file: string,
  options: Import.ImportOptions,
  progress: Progress.Progress
) {
  const { isJson } = yield* Output.current
  const path = yield* Path.Path
  const cwd = yield* Where.WorkingDirectory
  const report = yield* Import.importFile(path.resolve(cwd, file), options)
  yield* progress.step(file)
  if (!isJson) yield* progress.print(...lines(file, report))
  return [{ _tag: "Import", file, report }] satisfies ReadonlyArray<Outcome>
})

const importedJson = ({ file, report }: Extract<Outcome, { readonly _tag: "Import" }>) => {
  const { projectPath, ...rest } = report
  return { file, ...rest, project: projectPath }
}

const historyJson = (outcome: HistoryOutcome): ReadonlyArray<typeof CliJson.History.Type> => {
  if (outcome._tag !== "Imported" && outcome._tag !== "AlreadyStored") return []
  const { agent, parent, projectPath, source, ...rest } = outcome
  const { _tag, ...report } = rest
  return [{
    file: source,
    outcome: _tag === "Imported" ? "imported" : "alreadyStored",
    ...report,
    ...(agent === undefined ? {} : { agent }),
    ...(parent === undefined ? {} : { parent }),
    project: projectPath
  }]
}

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
  const areHistories = yield* Effect.forEach(input.files, (file) => isHistory(path.resolve(cwd, file), input))
  const outcomes = yield* Progress.track(
    "import",
    areHistories.includes(true) ? undefined : input.files.length,
    (progress) =>
      Effect.forEach(input.files, (file, index) =>
        Effect.matchEffect(
          areHistories[index] === true
            ? importHistories(file, input, progress)
            : importFile(file, options, progress),
          {
            onFailure: (error) =>
              Effect.as(progress.step(file), [
                { _tag: "Failed", failed: Failures.make(file, error) } satisfies Outcome
              ]),
            onSuccess: (told: ReadonlyArray<Outcome>) => Effect.succeed(told)
          }
        ))
  )
  const all = outcomes.flat()
  yield* report(all, input.files.length, isJson)
}, Backend.withSessions)

const report = Effect.fnUntraced(function*(all: ReadonlyArray<Outcome>, files: number, isJson: boolean) {
  const imported = all.filter((each) => each._tag === "Import")
  const histories = all.flatMap((each) => each._tag === "History" ? [each.outcome] : [])
  const failed = all.flatMap((each) => each._tag === "Failed" ? [each.failed] : [])
  const ignored = histories.filter(({ _tag }) => _tag === "Ignored")
  if (isJson) {
    yield* Output.printJson(CliJson.Import, {
      imported: imported.map(importedJson),
      histories: histories.flatMap(historyJson),
      empty: histories.flatMap((outcome) =>
        outcome._tag === "Empty" ? [{ file: outcome.source, from: outcome.from, records: outcome.records }] : []
      ),
      ignored: histories.flatMap((outcome) =>
        outcome._tag === "Ignored" ? [{ file: outcome.source, reason: outcome.reason }] : []
      ),
      failed: failed.map(Failures.toJson)
    })
  } else if (all.length > 1 || files > 1) {
    const stored = imported.length + histories.filter(({ _tag }) => _tag === "Imported").length
    const known = histories.filter(({ _tag }) => _tag === "AlreadyStored").length
    yield* Output.print(
      `${Words.count(stored, "session")} imported, ${failed.length} failed` +
        (known === 0 ? "" : `, ${known} stored already`) +
        (ignored.length === 0 ? "" : `, ${Words.count(ignored.length, "other file")} left alone`) + "."
    )
  }
  yield* Failures.end(failed, { total: Math.max(files, all.length), done: "imported" })
})
