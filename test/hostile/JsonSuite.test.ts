import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import { cases } from "./json-cases.ts"
import * as JsonSuite from "./json-suite.ts"

/** A directory with the files of the public suite, or of any other: `y_….json`, `n_….json`, `i_….json`. */
const suite = process.env["REPRISE_JSON_SUITE"]

const groups = new Set(cases.map(({ name }) => name.split("_")[1] ?? ""))

describe("A file that holds, or is, a case of JSON", () => {
  it.live.each([...groups])(
    "is read with its one meaning or refused, by load, list, verify, resume and import: %s",
    (group) =>
      Effect.gen(function*() {
        const chosen = cases.filter(({ name }) => name.split("_")[1] === group)
        const { counts, findings } = yield* JsonSuite.run(chosen)
        assert.deepStrictEqual(findings, [])
        assert.strictEqual(counts.accepted + counts.refused >= 3 * chosen.length, true)
      }),
    60_000
  )

  it.live("is taken from a directory of files too, and told apart by its name", () =>
    Effect.gen(function*() {
      const directory = NodeFs.mkdtempSync(`${NodeOs.tmpdir()}/reprise-suite-`)
      yield* Effect.addFinalizer(() => Effect.sync(() => NodeFs.rmSync(directory, { recursive: true })))
      NodeFs.writeFileSync(`${directory}/y_array.json`, "[1]")
      NodeFs.writeFileSync(`${directory}/n_comma.json`, "[1,]")
      NodeFs.writeFileSync(`${directory}/i_exponent.json`, "[1e999]")
      NodeFs.writeFileSync(`${directory}/LICENSE`, "MIT")
      assert.deepStrictEqual(
        JsonSuite.casesIn(directory).map(({ name, value, verdict }) => [name, verdict, value]),
        [["i_exponent", "either", undefined], ["n_comma", "reject", undefined], ["y_array", "accept", [1]]]
      )
    }).pipe(Effect.scoped))

  it.live("is found out where its name says otherwise", () =>
    Effect.gen(function*() {
      const bytes = new TextEncoder().encode("[1]")
      const { findings } = yield* JsonSuite.run([
        { name: "n_an_array", verdict: "reject", bytes },
        { name: "y_another_array", verdict: "accept", bytes, value: [2] }
      ])
      assert.include(findings, "n_an_array: load took it for [1]")
      assert.include(findings, "y_another_array: load read [1] for [2]")
    }))

  it.live.skipIf(suite === undefined)(
    "is read with its one meaning or refused: the suite in REPRISE_JSON_SUITE",
    () =>
      Effect.gen(function*() {
        const chosen = JsonSuite.casesIn(suite ?? "")
        assert.isNotEmpty(chosen)
        const { findings } = yield* JsonSuite.run(chosen)
        assert.deepStrictEqual(findings, [])
      }),
    300_000
  )
})
