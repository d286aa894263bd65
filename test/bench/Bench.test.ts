import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as Report from "./measuring/report.ts"
import * as Rounds from "./measuring/rounds.ts"
import * as Rows from "./measuring/rows.ts"
import * as Run from "./run.ts"
import * as Scales from "./scale.ts"

/** A subject that takes that many milliseconds of the processor, at least. */
const busy = (millis: number): Rounds.Subject =>
  Rounds.whole(Effect.sync(() => {
    const end = performance.now() + millis
    while (performance.now() < end);
  }))

const once = { rounds: 5, roundMillis: 0, warmMillis: 0, warmLaps: 0, minLaps: 1, maxLaps: 1 }

const judged = (must: number) =>
  Effect.map(
    Rows.against(
      { unit: "x", subject: busy(1) },
      [{ title: { operation: "wait", of: "nothing", variant: "slow", must, aim: 1 }, subject: busy(10) }],
      once
    ),
    (rows) => rows.map(Rows.judge)
  )

describe("A benchmark", () => {
  it.live("measures every operation, in a report of one shape, and leaves nothing", () =>
    Effect.gen(function*() {
      const directory = NodeFs.mkdtempSync(`${NodeOs.tmpdir()}/reprise-bench-test-`)
      const told: Array<string> = []
      const report = yield* Run.run({
        scale: Scales.tiny,
        seed: 7,
        only: [],
        directory,
        library: "sources",
        tell: (text) => Effect.sync(() => told.push(text))
      })
      const read = yield* Schema.decodeEffect(Schema.fromJsonString(Report.Report))(JSON.stringify(report))
      assert.deepStrictEqual(read, report)
      assert.deepStrictEqual([...new Set(report.rows.map(({ operation }) => operation))], [
        "load",
        "load, journal of 25 %",
        "append",
        "16 appends at once",
        "append, growth",
        "append, bytes written",
        "append, syncs",
        "resume, over load",
        "resume, over load and its calls",
        "resume, last 20 messages",
        "first append after a resume",
        "first close",
        "checkpoint, few new",
        "list, first call",
        "list, first call, no index",
        "list again",
        "list, growth",
        "load, peak memory over imports",
        "import"
      ])
      for (const { operation, value: { max, median, min } } of report.rows) {
        assert.isTrue(min <= median && median <= max, operation)
      }
      assert.strictEqual(report.machine.node, process.version)
      assert.match(told[0] ?? "", /^Node v\d+.*\nfiles in .* \(\w+\)$/)
      assert.deepStrictEqual(NodeFs.readdirSync(directory), [])
      NodeFs.rmdirSync(directory)
    }), 60_000)

  it.live("fails an operation that takes longer than it must", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* judged(2), ["FAILED"])
      assert.deepStrictEqual(yield* judged(1000), ["must"])
    }))

  it("counts what failed, and lets pass what is a quarter over its must", () => {
    const row = (value: number): Rows.Row => ({
      operation: "load",
      of: "10 MB",
      variant: "FileSystem",
      unit: "L",
      value: Rows.spread([value]),
      must: 2,
      aim: 1
    })
    const machine = { ...once, node: "", cpu: "", cores: 1, memory: "", platform: "", directory: "", fileSystem: "" }
    const report = Report.make(
      { at: "", seed: 1, rounds: 1, machine: { ...machine, load: 0 } },
      [1, 2, 2.5, 2.6].map(row)
    )
    assert.deepStrictEqual(report.rows.map(({ verdict }) => verdict), ["aim", "must", "slack", "FAILED"])
    assert.strictEqual(report.failed, 1)
    assert.match(Report.table(report.rows), /2\.60 {2}2\.60–2\.60 {5}L {3}≤ 2 {2}≤ 1 +FAILED$/)
  })

  it("takes the median, the least and the most of its rounds", () => {
    assert.deepStrictEqual(Rows.spread([5, 1, 4, 2, 3]), { median: 3, min: 1, max: 5 })
    assert.deepStrictEqual(Rows.spread([4, 1, 3, 2]), { median: 2.5, min: 1, max: 4 })
  })
})
