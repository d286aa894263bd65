import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Sessions } from "effect-reprise"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Rig from "../suites/rig.ts"
import * as Cli from "./cli-rig.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(CliJson.Fork))
const decodeList = Schema.decodeEffect(Schema.fromJsonString(CliJson.List))
const decodeShow = Schema.decodeEffect(Schema.fromJsonString(CliJson.Show))

/** A session with a tool call in it, and a to-do. */
const desk = Effect.gen(function*() {
  const cli = yield* Cli.inMemory
  const id = yield* cli.within(Effect.gen(function*() {
    const session = yield* Sessions.create({ project: cli.project, name: "Fix the tests", config: Rig.config })
    yield* session.append({ id: "ask", role: "user", content: "go" })
    yield* session.append({
      id: "call",
      role: "assistant",
      content: [{ type: "tool-call", id: "t", name: "read", params: {} }]
    })
    yield* session.append({
      role: "tool",
      content: [{ type: "tool-result", id: "t", name: "read", isFailure: false, result: "" }]
    })
    yield* session.append({ role: "assistant", content: "done" })
    yield* session.replaceTodos([{ content: "c", status: "pending", activeForm: "f" }])
    yield* Sessions.close(session.id)
    return session.id
  }))
  return { ...cli, id }
})

describe("reprise fork", () => {
  it.effect("makes a session like another one, and says how to go on with it", () =>
    Effect.gen(function*() {
      const { id, run, within } = yield* desk
      const { code, err, out } = yield* run(["fork", "last"])
      assert.deepStrictEqual([code, err], [0, ""])
      const [, fork = ""] = /reprise resume (\S+)\n$/.exec(out) ?? []
      assert.strictEqual(
        out,
        `Forked Fix the tests to Fork of Fix the tests, with 4 messages.\nGo on with it: reprise resume ${fork}\n`
      )
      const show = yield* decodeShow((yield* run(["show", fork, "--json"])).out)
      assert.deepStrictEqual(show.session.session.parent, { id, revision: 5, messages: 4 })
      assert.strictEqual((yield* within(Sessions.load(id))).state.conversation.length, 4)
    }))

  it.effect("takes messages by the numbers that reprise show tells, or by their ids, and says what else it took", () =>
    Effect.gen(function*() {
      const { id, run } = yield* desk
      assert.match((yield* run(["show", id])).out, /\nassistant {2}.* {2}#2\n/)
      assert.match((yield* run(["show", id, "--tail", "1"])).out, /\nassistant {2}.* {2}#4\n/)
      const { out } = yield* run(["fork", id, "--at", "2", "--name", "Another\u001b way"])
      assert.include(
        out,
        "Forked Fix the tests to Another\\x1b way, with 3 messages.\n" +
          "1 message more than asked for: the results of its tool calls.\n1 message left out.\n" +
          "1 to-do left out: what they were then is not known.\n"
      )
      const report = yield* decode((yield* run(["fork", id, "--at", "ask", "--json"])).out)
      assert.deepInclude(report, { messages: 1, beyond: 0, leftOut: 3, todosLeftOut: 1, openCalls: 0 })
      assert.deepStrictEqual(report.parent, { id, revision: 5, messages: 1 })
    }))

  it.effect("is seen in list and show, and where there is none nothing is", () =>
    Effect.gen(function*() {
      const { id, run } = yield* desk
      assert.notInclude((yield* run(["list"])).out, "FORK OF")
      const fork = yield* decode((yield* run(["fork", id, "--at", "1", "--json"])).out)
      const { out } = yield* run(["list", "--all"])
      assert.match(out, / ID +FORK OF +PROJECT\n/)
      assert.match(out, new RegExp(` ${fork.id.slice(0, 8)} +${id.slice(0, 8)} +/`))
      assert.match(out, new RegExp(` ${id.slice(0, 8)} +/`))
      const { sessions } = yield* decodeList((yield* run(["list", "--json"])).out)
      const parents = sessions.map((entry) => "parent" in entry ? entry.parent : undefined)
      assert.sameDeepMembers(parents, [fork.parent, undefined])
      assert.include((yield* run(["show", fork.id])).out, `\nFork of ${id}, from message 1 on\n`)
    }))

  it.effect("says what to do where there is no such message or session, and makes nothing", () =>
    Effect.gen(function*() {
      const { id, run } = yield* desk
      const { code, err } = yield* run(["fork", id, "--at", "9"])
      assert.strictEqual(code, 3)
      assert.strictEqual(
        err,
        `error: The session was not stored.\n  why: It has 4 messages, and none is 9.\n` +
          `  do:  See their numbers: reprise show ${id}\n`
      )
      assert.strictEqual((yield* run(["fork", "nothing"])).code, 3)
      assert.strictEqual((yield* run(["fork", id, "--name", ""])).code, 1)
      assert.lengthOf((yield* decodeList((yield* run(["list", "--json"])).out)).sessions, 1)
    }))

  it.effect("puts the session where it is told to", () =>
    Effect.gen(function*() {
      const { id, root, run } = yield* desk
      const { project } = yield* decode((yield* run(["fork", id, "--project", "..", "--json"])).out)
      assert.strictEqual(project, root)
    }))
})
