/** A real process that brings in a history that is much larger than a session may be. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as NodeChildProcess from "node:child_process"
import { fileURLToPath } from "node:url"
import * as LongHistory from "../bench/long-history.ts"
import * as Rig from "../suites/rig.ts"

const program = fileURLToPath(new URL("../bench/import-history-program.ts", import.meta.url))

const MiB = 1024 * 1024

const Report = Schema.fromJsonString(
  Schema.Struct({ read: Schema.Int, messages: Schema.Int, leftOut: Schema.Int, inUse: Schema.Array(Schema.Int) })
)

describe("A process that brings in a long history", () => {
  it.effect("has no more of it in memory at the end than at the beginning", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* Rig.workspace
      const file = `${root}/long.jsonl`
      const records = LongHistory.write(file, "claude", 20 * MiB)
      const { status, stderr, stdout } = NodeChildProcess.spawnSync(
        process.execPath,
        ["--expose-gc", program, file, sessions, String(MiB), String(4 * MiB)],
        { encoding: "utf8" }
      )
      assert.strictEqual(status, 0, stderr.slice(-1000))
      const { inUse, leftOut, messages, read } = yield* Schema.decodeEffect(Report)(stdout)
      assert.strictEqual(read, records)
      assert.isAbove(messages, 500)
      assert.strictEqual(messages + leftOut, records)
      const [first = 0] = inUse
      assert.isAtLeast(inUse.length, 4)
      for (const mebibytes of inUse) assert.isAtMost(mebibytes, first + 3)
    }), 60_000)
})
