/** One run: a directory, the groups one after the other, the report, the judgement. */
import { Console, DateTime, Effect, Logger } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { parseArgs } from "node:util"
import { groups } from "./groups.ts"
import * as Machine from "./measuring/machine.ts"
import * as Report from "./measuring/report.ts"
import type { Scale } from "./scale.ts"
import * as Scales from "./scale.ts"
import type { Setting } from "./setting.ts"
import * as Variants from "./variants.ts"
import * as Workspace from "./workspace.ts"

export interface Options {
  readonly scale: Scale
  readonly seed: number
  /** Names of groups; all of them where there are none. */
  readonly only: ReadonlyArray<string>
  /** Where a directory is made to work in. */
  readonly directory: string
  readonly library: Setting["library"]
  /** Hears what is found while the run goes on. */
  readonly tell: (text: string) => Effect.Effect<void>
}

/** Measures. What a group has found is told as soon as it is there. */
export const run = Effect.fnUntraced(
  function*(options: Options) {
    const root = yield* Workspace.make(options.directory)
    const machine = Machine.describe(root)
    yield* options.tell(Report.heading(machine))
    const chosen = Object.entries(groups).filter(([name]) => options.only.length === 0 || options.only.includes(name))
    const rows = yield* Effect.forEach(
      chosen,
      ([name, group]) =>
        Effect.scoped(group({ ...options, root, variants: Variants.all })).pipe(
          Effect.tap((rows) => options.tell(`\n${name}\n${Report.table(rows)}`))
        )
    )
    return Report.make({
      at: DateTime.formatIso(yield* DateTime.now),
      seed: options.seed,
      rounds: options.scale.rounds,
      machine
    }, rows.flat())
  },
  Effect.scoped,
  Effect.provide(Logger.layer([]))
)

const parse = () => {
  const { values } = parseArgs({
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      directory: { type: "string", default: NodeOs.tmpdir() },
      json: { type: "string" },
      seed: { type: "string", default: "1" },
      rounds: { type: "string" }
    }
  })
  const scale = values.quick ? Scales.quick : Scales.full
  const options: Options = {
    scale: values.rounds === undefined ? scale : { ...scale, rounds: Number(values.rounds) },
    seed: Number(values.seed),
    only: values.only === "" ? [] : values.only.split(","),
    directory: values.directory,
    library: "built",
    tell: Console.log
  }
  return { options, json: values.json ?? NodePath.join(NodeOs.tmpdir(), `reprise-bench-${process.pid}.json`) }
}

/** Runs with the options of the command line; fails where a must is exceeded by more than the slack. */
export const main = Effect.gen(function*() {
  const { json, options } = yield* Effect.sync(parse)
  const report = yield* run(options)
  NodeFs.writeFileSync(json, `${JSON.stringify(report, undefined, 2)}\n`)
  yield* Console.log(`\n${report.rows.length} rows, ${report.failed} failed, written to ${json}`)
  process.exitCode = report.failed > 0 ? 1 : 0
})
