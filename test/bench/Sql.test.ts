import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Postgres from "../suites/postgres-shared.ts"
import * as Report from "./measuring/report.ts"
import * as Run from "./sql/run.ts"

describe("The benchmark of PostgreSQL", () => {
  it.live("measures claims, appends and pages, in the report's shape", () =>
    Effect.gen(function*() {
      const told: Array<string> = []
      const report = yield* Run.run({
        rounds: { rounds: 2, roundMillis: 0, warmMillis: 0, warmLaps: 0, minLaps: 1, maxLaps: 1 },
        sessions: [120, 240],
        connections: [2],
        url: yield* Postgres.url,
        tell: (text) => Effect.sync(() => told.push(text))
      })
      const read = yield* Schema.decodeEffect(Schema.fromJsonString(Report.Report))(JSON.stringify(report))
      assert.deepStrictEqual(read, report)
      const operations = [...new Set(report.rows.map(({ operation }) => operation))]
      assert.includeMembers(operations, ["claim", "append", "16 appends at once", "list, first page, looked at"])
      for (const { operation, value: { max, median, min } } of report.rows) {
        assert.isTrue(min <= median && median <= max, operation)
      }
      // None of ten pages shows more than it looks at, and none looks at everything there is.
      const looked = report.rows.filter(({ operation }) => operation.endsWith("looked at"))
      assert.lengthOf(looked, 10)
      assert.isAbove(looked[0]?.value.median ?? 0, 50)
      assert.include(told.join("\n"), "240 sessions in")
    }), 60_000)
})
