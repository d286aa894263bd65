/** The example agent, as `reprise resume --agent` runs it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Note, SessionPrompt } from "effect-reprise/ai"
import * as NodeFs from "node:fs"
import { fileURLToPath } from "node:url"
import * as Person from "../cli/resume/person.ts"
import * as Stories from "../cli/resume/stories.ts"
import * as Rules from "./rules.ts"

const assistant = fileURLToPath(new URL("../examples/coding-assistant.ts", import.meta.url))

const sum = "export const sum = (a, b) => a + b + 1\n"

const test = <A, E>(name: string, body: (desk: Person.Desk) => Effect.Effect<A, E>) =>
  it.effect(name, () => Effect.scoped(Effect.flatMap(Person.desk, body)))

const none = { conversation: [], todos: [] }

describe("The coding assistant", () => {
  test("reads and writes the files of its project, and none outside", (desk) =>
    Effect.gen(function*() {
      const file = `${desk.project}/sum.js`
      NodeFs.writeFileSync(file, sum)
      NodeFs.writeFileSync(`${desk.root}/secret`, "secret")
      NodeFs.symlinkSync(`${desk.root}/secret`, `${desk.project}/link`)
      const id = yield* Person.store(desk, none)
      const input = "show sum.js\nreplace \" + 1\" with \"\" in sum.js\nshow ../secret\nshow link\nshow nothing\n"
      const { code, err } = yield* Person.pipe(desk, ["resume", id, "--agent", assistant], input)
      assert.deepStrictEqual([code, err], [0, ""])
      assert.strictEqual(NodeFs.readFileSync(file, "utf8"), "export const sum = (a, b) => a + b\n")
      const { state } = yield* Person.load(desk, id)
      const said = state.conversation.filter(({ role }) => role === "assistant").map(({ content }) => content)
      assert.includeMembers(said, [
        "sum.js:\n\nexport const sum = (a, b) => a + b + 1",
        "sum.js is changed.",
        "I can't read ../secret: ../secret is outside of the project.",
        "I can't read link: link is outside of the project.",
        "I can't read nothing: there is no nothing."
      ])
      assert.notInclude(JSON.stringify(state.conversation), "\"secret\"")
      assert.deepStrictEqual(Rules.mistakes(SessionPrompt.fromMessages(state.conversation).prompt), [])
      assert.isAbove(state.usage.inputTokens, 0)
    }))

  for (const wasWritten of [true, false]) {
    test(`finds out what became of a call that was cut off (it was ${wasWritten ? "" : "not "}done)`, (desk) =>
      Effect.gen(function*() {
        const file = `${desk.project}/sum.js`
        const changed = "export const sum = (a, b) => a + b\n"
        NodeFs.writeFileSync(file, wasWritten ? changed : sum)
        const id = yield* Person.store(desk, {
          todos: [],
          conversation: [
            { id: "1", role: "user", content: "replace \" + 1\" with \"\" in sum.js", timestamp: Stories.at(1) },
            {
              id: "2",
              role: "assistant",
              content: [{
                type: "tool-call",
                id: "c1",
                name: "write_file",
                params: { path: "sum.js", content: changed }
              }],
              timestamp: Stories.at(1)
            }
          ]
        })
        yield* Person.sit(
          desk,
          ["resume", id, "--agent", assistant],
          ({ shows, type }) => Effect.andThen(shows("sum.js is changed."), type("<ctrl-d>"))
        )
        assert.strictEqual(NodeFs.readFileSync(file, "utf8"), changed)
        const { state } = yield* Person.load(desk, id)
        const repairs = state.conversation.map((message) => Note.of(message).repair)
        assert.lengthOf(repairs.filter((repair) => repair === "interrupted"), 1)
        const writes = JSON.stringify(state.conversation).match(/"type":"tool-call","id":"[^"]+","name":"write_file"/g)
        assert.lengthOf(writes ?? [], wasWritten ? 1 : 2)
        assert.deepStrictEqual(Rules.mistakes(SessionPrompt.fromMessages(state.conversation).prompt), [])
      }))
  }
})
