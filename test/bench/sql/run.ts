/** One run on a PostgreSQL: appends, pages, the report. */
import { Console, DateTime, Effect, Logger } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { parseArgs } from "node:util"
import * as PostgresServer from "../../suites/postgres-server.ts"
import * as Machine from "../measuring/machine.ts"
import * as Report from "../measuring/report.ts"
import type * as Rounds from "../measuring/rounds.ts"
import type { Row } from "../measuring/rows.ts"
import * as Appends from "./appends.ts"
import * as Pages from "./pages.ts"

export interface Options {
  readonly rounds: Rounds.Options
  /** How many sessions there are in the lists; none leaves them out. */
  readonly sessions: ReadonlyArray<number>
  /** With how many connections claims and appends are measured; none leaves them out. */
  readonly connections: ReadonlyArray<number>
  /** A server; by default one of its own that waits for its disk. */
  readonly url?: string
  readonly tell: (text: string) => Effect.Effect<void>
}

const server = PostgresServer.start({
  isDurable: true,
  settings: { shared_buffers: "512MB", max_wal_size: "4GB", autovacuum: "off" }
})

/** Measures. What a group has found is told as soon as it is there. */
export const run = Effect.fnUntraced(
  function*(options: Options) {
    const { connections, rounds, sessions, tell } = options
    const machine = Machine.describe(NodeOs.tmpdir())
    yield* tell(Report.heading(machine))
    const url = options.url ?? (yield* server).url
    const told = (name: string, rows: ReadonlyArray<Row>) => Effect.as(tell(`\n${name}\n${Report.table(rows)}`), rows)
    const appends = connections.length > 0
      ? yield* told("append", yield* Appends.appends(url, connections, rounds))
      : []
    const pages = sessions.length > 0
      ? yield* told("list", yield* Pages.pages({ url, sessions, rounds, tell }))
      : []
    return Report.make(
      { at: DateTime.formatIso(yield* DateTime.now), seed: 0, rounds: rounds.rounds, machine },
      [...appends, ...pages]
    )
  },
  Effect.scoped,
  Effect.provide(Logger.layer([]))
)

const full: Rounds.Options = { rounds: 15, roundMillis: 100, warmMillis: 500, warmLaps: 0, minLaps: 5, maxLaps: 50 }

/** Runs with the options of the command line; fails where a must is exceeded by more than the slack. */
export const main = Effect.gen(function*() {
  const { values } = parseArgs({
    options: {
      sessions: { type: "string", default: "" },
      only: { type: "string", default: "" },
      rounds: { type: "string", default: String(full.rounds) },
      json: { type: "string", default: NodePath.join(NodeOs.tmpdir(), `reprise-bench-sql-${process.pid}.json`) }
    }
  })
  const url = process.env["REPRISE_TEST_PG"]
  const report = yield* run({
    rounds: { ...full, rounds: Number(values.rounds) },
    sessions: values.sessions === "" ? [] : values.sessions.split(",").map(Number),
    connections: values.only === "list" ? [] : [1, 10],
    ...url === undefined ? {} : { url },
    tell: Console.log
  })
  NodeFs.writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
  yield* Console.log(`\n${report.rows.length} rows, ${report.failed} failed, written to ${values.json}`)
  process.exitCode = report.failed > 0 ? 1 : 0
})
