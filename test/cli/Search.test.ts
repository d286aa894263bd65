import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger, Schema } from "effect"
import { type Session, Sessions } from "effect-reprise"
import * as NodeFs from "node:fs"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Output from "../../src/cli/Output.ts"
import * as Rig from "../suites/rig.ts"
import * as Cli from "./cli-rig.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(CliJson.Search))
const decodeMatch = Schema.decodeEffect(Schema.fromJsonString(CliJson.Match))

const said: ReadonlyArray<Session.MessageInput> = [
  { id: "ask", role: "user", content: "Where is\nthe \u001b[2J Fox?" },
  {
    role: "assistant",
    content: [
      { type: "text", text: "I'll look for the fox." },
      { type: "tool-call", id: "t", name: "find", params: { what: "fox" } }
    ]
  },
  { role: "tool", content: [{ type: "tool-result", id: "t", name: "find", isFailure: false, result: "no fox" }] }
]

/** Two sessions in the project and one in another, in all of which a fox is spoken of. */
const desk = Effect.gen(function*() {
  const cli = yield* Cli.inMemory
  const hunt = yield* cli.within(Effect.gen(function*() {
    const session = yield* Sessions.create({ project: cli.project, name: "Fox\u0007 hunt", config: Rig.config })
    yield* Effect.forEach(said, session.append, { discard: true })
    yield* Sessions.close(session.id)
    return session.id
  }))
  const elsewhere = yield* cli.within(Effect.gen(function*() {
    const session = yield* Sessions.create({ project: "/elsewhere", name: "other", config: Rig.config })
    yield* session.append({ role: "user", content: "another fox" })
    yield* Sessions.close(session.id)
    return session.id
  }))
  return { ...cli, hunt, elsewhere }
})

describe("reprise search", () => {
  it.effect("shows what is found in this project, where, and how to go on with it, and drives no terminal", () =>
    Effect.gen(function*() {
      const { hunt, run } = yield* desk
      const { code, err, out } = yield* run(["search", "fox"])
      assert.deepStrictEqual([code, err], [0, ""])
      assert.strictEqual(
        out,
        `Fox\\x07 hunt  closed, just now  reprise resume ${hunt.slice(0, 8)}\n` +
          "  #1  user  Where is the \\x1b[2J Fox?\n" +
          "  #2  assistant  I'll look for the fox.\n" +
          "  #2  assistant  → find  fox\n" +
          "  #3  tool  ← find  no fox\n"
      )
    }))

  it.effect("highlights matches, and fits them with what is around them into the terminal", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* desk
      yield* within(Effect.gen(function*() {
        const { append } = yield* Sessions.create({ project, name: "long", config: Rig.config })
        yield* append({ role: "user", content: `${"日本語 ".repeat(30)}needle${" after".repeat(30)}` })
      }))
      for (const terminal of [40, 80, 200]) {
        const { out } = yield* run(["search", "needle"], { terminal })
        assert.include(out, "\u001b[33m\u001b[1mneedle\u001b[22m\u001b[39m")
        const plain = (yield* run(["search", "needle", "--color", "never"], { terminal })).out
        for (const line of plain.split("\n").slice(1)) assert.isAtMost(Output.width(line), terminal)
        assert.match(plain, /[日本語… ]{5,}needle( after)+/)
      }
    }))

  it.effect("looks where it is told to: every project, one of them, some roles, no tools, some states", () =>
    Effect.gen(function*() {
      const { run } = yield* desk
      const numbers = (...args: ReadonlyArray<string>) =>
        Effect.map(run(["search", "fox", ...args]), ({ out }) => Array.from(out.matchAll(/#\d {2}\w+/g), String))
      assert.lengthOf(yield* numbers("--all"), 5)
      assert.deepStrictEqual(yield* numbers("--project", "/elsewhere"), ["#1  user"])
      assert.deepStrictEqual(yield* numbers("--role", "user", "--role", "tool"), ["#1  user", "#3  tool"])
      assert.deepStrictEqual(yield* numbers("--no-tools"), ["#1  user", "#2  assistant"])
      assert.sameMembers(yield* numbers("--case", "exact", "--all"), [
        "#1  user",
        "#2  assistant",
        "#2  assistant",
        "#3  tool"
      ])
      assert.deepStrictEqual(yield* numbers("--state", "running"), [])
    }))

  it.effect("takes an expression, and says so where it is none", () =>
    Effect.gen(function*() {
      const { run } = yield* desk
      const { out } = yield* run(["search", "--regex", "^the .* f.x"])
      assert.include(out, "  #1  user  Where is the \\x1b[2J Fox?\n")
      assert.strictEqual((yield* run(["search", "--regex", "\\<fox"])).code, 1)
      const { code, err } = yield* run(["search", "--regex", "(fox"])
      assert.strictEqual(code, 2)
      assert.include(err, "error: That can't be searched for.\n  why: Invalid regular expression")
      assert.strictEqual((yield* run(["search", ""])).code, 2)
    }))

  it.effect("ends with 1 where nothing is found, and says where else to look", () =>
    Effect.gen(function*() {
      const { run } = yield* desk
      const { code, err, out } = yield* run(["search", "another"])
      assert.deepStrictEqual([code, out], [1, ""])
      assert.strictEqual(
        err,
        "error: Nothing was found.\n  why: No session has it.\n  do:  Search every project: --all\n"
      )
      assert.strictEqual((yield* run(["search", "another", "--all"])).code, 0)
    }))

  it.effect("shows no more than the limit, and says that there are more", () =>
    Effect.gen(function*() {
      const { run } = yield* desk
      const some = yield* run(["search", "fox", "--limit", "3"])
      assert.deepStrictEqual([some.out.match(/#/g)?.length, some.err], [3, "There are more: --limit 6\n"])
      assert.strictEqual((yield* run(["search", "fox", "--limit", "4"])).err, "")
      assert.strictEqual((yield* run(["search", "fox", "--limit", "0"])).code, 2)
    }))

  it.effect("prints JSON for programs, all at once or a match a line", () =>
    Effect.gen(function*() {
      const { elsewhere, hunt, project, run } = yield* desk
      const report = yield* decode((yield* run(["search", "fox", "--json", "--limit", "3", "--context", "4"])).out)
      assert.deepInclude(report, { project, isCut: true, failed: [] })
      assert.deepStrictEqual(
        report.matches.map((
          { after, before, match, number, place, tool }
        ) => [number, place, tool, before, match, after]),
        [
          [1, "text", undefined, "[2J ", "Fox", "?"],
          [2, "text", undefined, "the ", "fox", "."],
          [2, "tool-call", "find", "", "fox", ""]
        ]
      )
      assert.deepInclude(report.matches[0], { id: hunt, state: "closed", messageId: "ask", role: "user" })
      const lines = (yield* run(["search", "fox", "--all", "--ndjson"])).out.trimEnd().split("\n")
      const ids = yield* Effect.forEach(lines, (line) => Effect.map(decodeMatch(line), ({ id }) => id))
      assert.sameMembers(ids, [hunt, hunt, hunt, hunt, elsewhere])
      const none = yield* run(["search", "nothing", "--json"])
      assert.deepStrictEqual([none.code, (yield* decode(none.out)).matches], [1, []])
    }))

  it.effect("tells of what it could not search", () =>
    Effect.gen(function*() {
      const { project, run, sessions, within } = yield* Cli.overFiles()
      const id = yield* within(Cli.stored({ project, name: "broken", messages: 1 }))
      yield* within(Cli.stored({ project, name: "good", messages: 1 }))
      NodeFs.truncateSync(`${sessions}/${id}/session.json`)
      const { code, err, out } = yield* run(["search", "message"])
      assert.strictEqual(code, 0)
      assert.include(out, "  #1  user  message 0\n")
      assert.include(err, `${id}: Session ${id} can't be believed.\n  why: The file is not JSON`)
      const none = yield* run(["search", "nothing"])
      assert.strictEqual(none.code, 1)
      assert.include(none.err, "why: No session has it, but 1 session could not be searched.")
      const { failed } = yield* decode((yield* run(["search", "message", "--json"])).out)
      assert.deepStrictEqual(failed.map(({ target }) => target), [id])
    }))

  it.live("is not held up by an expression that takes for ever", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* Cli.asShipped
      yield* within(Effect.gen(function*() {
        const { append, id } = yield* Sessions.create({ project, config: Rig.config })
        yield* append({ role: "user", content: `${"a".repeat(60)}b` })
        yield* Sessions.close(id)
      }))
      const { code, err } = yield* run(["search", "--regex", "^(a+)+$"])
      assert.strictEqual(code, 1)
      assert.include(err, "The expression was stopped.\n  why: On some text it takes for ever.")
    }).pipe(Effect.provide(Logger.layer([]))), 30_000)
})
