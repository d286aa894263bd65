/** `reprise import` of what other agents keep. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { SessionId, Sessions } from "effect-reprise"
import { TestClock } from "effect/testing"
import * as NodeFs from "node:fs"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Histories from "../suites/history.ts"
import * as Cli from "./cli-rig.ts"

const decode = (text: string) => Effect.orDie(Schema.decodeEffect(Schema.fromJsonString(CliJson.Import))(text))

const id = "0f8fad5b-d9cb-469f-a165-70867728950e"

describe("reprise import of histories", () => {
  it.effect("tells of each session what became of its records, and at the end how many there are", () =>
    Effect.gen(function*() {
      const { run, within } = yield* Cli.overFiles()
      const { code, out } = yield* run(["import", `${Histories.fixtures}claude-code`])
      assert.strictEqual(code, 0)
      const file = `${Histories.fixtures}claude-code/${id}.jsonl`
      assert.include(
        out,
        `Imported ${file} as ${id}: Mend the sum of two numbers, 17 messages (Claude Code).\n` +
          "  31 records: 21 mapped, 5 kept as metadata, 5 skipped\n" +
          "  2 skipped: on a branch that was left (first: 24)\n"
      )
      assert.include(out, "  1 skipped: not JSON (first: 22)\n")
      assert.include(out, "  3 × toolUseResult: left out, what the tool answered is kept\n")
      assert.include(out, `  /home/somebody/project is not there: reprise resume ${id} --project DIR\n`)
      assert.include(out, "4 messages (Claude Code, sub-agent e1c84ba5).\n")
      assert.isTrue(out.endsWith("3 sessions imported, 0 failed.\n"))
      const { state } = yield* within(Sessions.load(SessionId.make(id)))
      assert.lengthOf(state.conversation, 17)
    }))

  it.effect("says the second time that they are stored, and ends with 0", () =>
    Effect.gen(function*() {
      const { run, within } = yield* Cli.overFiles()
      yield* run(["import", `${Histories.fixtures}claude-code`])
      const { code, out } = yield* run(["import", `${Histories.fixtures}claude-code`])
      assert.strictEqual(code, 0)
      assert.include(out, `is stored already as ${id}.\n`)
      assert.isTrue(out.endsWith("0 sessions imported, 0 failed, 3 stored already.\n"))
      yield* within(Sessions.remove(SessionId.make(id)))
      assert.include((yield* run(["import", `${Histories.fixtures}claude-code`])).out, `reprise restore ${id}\n`)
    }))

  it.effect("prints one document with every session, what is left alone and what failed", () =>
    Effect.gen(function*() {
      const { root, run } = yield* Cli.overFiles()
      const directory = `${root}/histories`
      NodeFs.cpSync(Histories.fixtures, directory, { recursive: true })
      NodeFs.writeFileSync(`${directory}/settings.json`, "{\"theme\":\"dark\"}")
      NodeFs.writeFileSync(`${directory}/rollout-1.jsonl.zst`, "packed")
      NodeFs.writeFileSync(`${directory}/empty.jsonl`, "{\"type\":\"summary\",\"summary\":\"x\",\"leafUuid\":\"y\"}")
      const { code, err, out } = yield* run(["import", directory, "--json"])
      const report = yield* decode(out)
      assert.strictEqual(code, 4)
      const originals = Histories.agents.flatMap((agent) => Object.keys(Histories.expected(agent)))
      assert.sameMembers(report.histories.map(({ original }) => original), originals)
      assert.isTrue(report.histories.every(({ outcome }) => outcome === "imported"))
      for (const { records } of report.histories) {
        assert.strictEqual(records.read, records.mapped + records.kept + records.skipped)
      }
      assert.deepStrictEqual(report.ignored.map(({ file }) => file), [`${directory}/settings.json`])
      assert.deepStrictEqual(report.empty.map(({ file }) => file), [`${directory}/empty.jsonl`])
      assert.deepStrictEqual(report.failed.map(({ error }) => error), ["InvalidJson/Shape"])
      assert.include((yield* Cli.errorOf(err)).why, "zstd -d")
    }))

  it.effect("takes sessions for the directory that it runs in, where they don't say where they worked", () =>
    Effect.gen(function*() {
      const { project, run } = yield* Cli.overFiles()
      const [file = ""] = Histories.filesBelow(`${Histories.fixtures}codex`)
      const { histories } = yield* decode((yield* run(["import", file, "--json"])).out)
      assert.deepStrictEqual(histories.map(({ project, projectExists }) => [project, projectExists]), [[project, true]])
      const elsewhere = yield* run(["import", file, "--project", "nowhere", "--copy"])
      assert.strictEqual(elsewhere.code, 1)
      assert.include(elsewhere.err, "nowhere")
    }))

  it.effect("leaves out sub-agents, refuses what is too large, and reads what it is told, when it is told to", () =>
    Effect.gen(function*() {
      const { root, run } = yield* Cli.overFiles({ limits: { maxBytes: 20_000 } })
      const main = yield* run(["import", `${Histories.fixtures}claude-code`, "--main-only"])
      assert.isTrue(main.out.endsWith("1 session imported, 0 failed, 2 other files left alone.\n"))
      const [, file = ""] = Histories.filesBelow(`${Histories.fixtures}pi`)
      assert.strictEqual((yield* run(["import", file, "--from", "codex"])).code, 0)
      assert.strictEqual((yield* run(["import", file, "--from", "somebody"])).code, 2)
      const large = `${root}/large.jsonl`
      const line = (index: number) =>
        JSON.stringify({ type: "message", message: { role: "user", content: `${index} ${"x".repeat(1000)}` } })
      NodeFs.writeFileSync(
        large,
        [
          "{\"type\":\"session\",\"id\":\"large\",\"cwd\":\"/tmp\"}",
          ...Array.from({ length: 100 }, (_, index) => line(index))
        ]
          .join("\n")
      )
      assert.strictEqual((yield* run(["import", large, "--whole"])).code, 1)
      assert.match(
        (yield* run(["import", large])).out,
        / {2}\d+ older messages left out: a session can't be that large\n/
      )
    }))

  it.effect("shows on a terminal how far it has come", () =>
    Effect.gen(function*() {
      const { root, run } = yield* Cli.overFiles()
      const file = `${root}/long.jsonl`
      const line = JSON.stringify({ type: "custom", data: "x".repeat(10_000) })
      NodeFs.writeFileSync(file, `{"type":"session","id":"long","cwd":"/tmp"}\n${`${line}\n`.repeat(300)}`)
      yield* TestClock.adjust("1 day")
      let drawn = ""
      yield* run(["import", file], {
        terminal: 80,
        onStderr: (text) => {
          drawn += text
        }
      })
      assert.include(drawn, "import 1/3")
    }))

  it.effect("tells of a file that is not there, and of one that is nobody's", () =>
    Effect.gen(function*() {
      const { root, run } = yield* Cli.overFiles()
      const missing = yield* run(["import", "nowhere.jsonl"])
      assert.strictEqual(missing.code, 1)
      assert.include(missing.err, "ENOENT")
      NodeFs.writeFileSync(`${root}/notes.jsonl`, "{\"note\":1}\n")
      const nobodys = yield* run(["import", `${root}/notes.jsonl`])
      assert.strictEqual(nobodys.code, 4)
      assert.include(nobodys.err, "a history of a known agent")
    }))
})
