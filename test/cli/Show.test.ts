import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Sink, Stream } from "effect"
import { Sessions } from "effect-reprise"
import { type ChildProcess, ChildProcessSpawner } from "effect/process"
import { TestClock } from "effect/testing"
import * as CliJson from "../../src/cli/CliJson.ts"
import * as Output from "../../src/cli/Output.ts"
import * as Cli from "./cli-rig.ts"

const decode = Schema.decodeEffect(Schema.fromJsonString(CliJson.Show))

/** A session of an agent that did something. */
const told = Effect.gen(function*() {
  const cli = yield* Cli.inMemory
  yield* TestClock.setTime(Date.UTC(2026, 10, 22, 12))
  const id = yield* cli.within(Effect.gen(function*() {
    const session = yield* Sessions.create({
      project: cli.project,
      name: "Fix the tests",
      config: { provider: "anthropic", model: "claude", temperature: 0.5, maxTokens: 100 }
    })
    yield* session.append({ role: "user", content: "The tests fail.\nPlease fix them." })
    yield* TestClock.adjust("3 minutes")
    yield* session.append({
      role: "assistant",
      content: [
        { type: "reasoning", text: "what would they be" },
        { type: "text", text: "I'll run them." },
        { type: "tool-call", id: "t1", name: "run", params: { command: "npm test" } }
      ],
      usage: { inputTokens: 1234, outputTokens: 56, totalCost: 0.1 }
    })
    yield* session.append({
      role: "tool",
      content: [{
        type: "tool-result",
        id: "t1",
        name: "run",
        isFailure: true,
        result: "\nexpected 4\nreceived 5\u001b[2J"
      }]
    })
    yield* session.append({ role: "system", content: [{ type: "file", mediaType: "image/png", data: "AAAA" }] })
    yield* session.replaceTodos([
      { content: "Find it", status: "completed", activeForm: "Finding it" },
      { content: "Fix it", status: "in_progress", activeForm: "Fixing it" },
      { content: "Run them", status: "pending", activeForm: "Running them" }
    ])
    yield* Sessions.close(session.id)
    return session.id
  }))
  yield* TestClock.adjust("1 hour")
  return { ...cli, id }
})

describe("reprise show", () => {
  it.effect("tells how large a part is that is stored beside the session, and shows what tools said in full", () =>
    Effect.gen(function*() {
      const { project, run, within } = yield* Cli.inMemory
      const result = `${"x".repeat(60)}\n`.repeat(2000)
      const id = yield* within(Effect.gen(function*() {
        const config = { provider: "anthropic", model: "claude", temperature: 0.5, maxTokens: 100 }
        const session = yield* Sessions.create({ project, config })
        yield* session.append({
          role: "user",
          content: [{ type: "file", mediaType: "image/png", data: "!".repeat(1_300_000) }]
        })
        yield* session.append({
          role: "tool",
          content: [{ type: "tool-result", id: "t1", name: "run", isFailure: false, result }]
        })
        yield* Sessions.close(session.id)
        return session.id
      }))
      const short = yield* run(["show", id])
      assert.include(short.out, "(file, image/png, 1.2 MiB)")
      assert.include(short.out, "[122000 bytes, stored as blob ")
      const full = (yield* run(["show", id, "--full"])).out
      assert.isAbove(full.split("x".repeat(60)).length, 2000)
      assert.strictEqual((yield* run(["verify", id])).code, 0)
    }))

  it.effect("tells who said what and when, folds tool calls and results, and shows todos and usage", () =>
    Effect.gen(function*() {
      const { id, project, run } = yield* told
      const { code, err, out } = yield* run(["show", "last"])
      assert.deepStrictEqual([code, err], [0, ""])
      assert.strictEqual(
        out.replaceAll(/2026-11-2\d \d\d:(\d\d:\d\d)/g, "<day> <hour>:$1").replace(/\d\.\d KiB/, "<size>"),
        `Fix the tests
closed · 1 hour ago · 4 messages · <size>
${project}
anthropic claude, temperature 0.5, 100 tokens
${id}

user  1 hour ago, <day> <hour>:00:00  #1
  The tests fail.
  Please fix them.

assistant  1 hour ago, <day> <hour>:03:00  #2
  (reasoning, 4 words)
  I'll run them.
  → run  {"command":"npm test"}

tool  1 hour ago, <day> <hour>:03:00  #3
  ← run failed  expected 4 (3 lines)

system  1 hour ago, <day> <hour>:03:00  #4
  (file, image/png)

Todos
  [x] Find it
  [~] Fixing it
  [ ] Run them

Usage
  1,234 tokens in, 56 out, cost 0.1
`
      )
    }))

  it.effect("unfolds everything with --full, and drives no terminal", () =>
    Effect.gen(function*() {
      const { run } = yield* told
      const { out } = yield* run(["show", "last", "--full"])
      assert.include(out, "  what would they be\n")
      assert.include(out, "  → run\n    {\"command\":\"npm test\"}\n")
      assert.include(out, "  ← run failed\n\n    expected 4\n    received 5\\x1b[2J\n")
      assert.notInclude(out, "\u001b")
    }))

  it.effect("shows the last messages with --tail, and says how many are before", () =>
    Effect.gen(function*() {
      const { run } = yield* told
      const { out } = yield* run(["show", "last", "--tail", "1"])
      assert.include(out, "(3 messages before)\n\nsystem  ")
      assert.notInclude(out, "assistant")
      assert.include((yield* run(["show", "last", "--tail", "0"])).out, "(4 messages before)\n\n\nTodos\n")
      assert.strictEqual((yield* run(["show", "last", "--tail", "-1"])).code, 2)
    }))

  it.effect("fits the terminal", () =>
    Effect.gen(function*() {
      const { run } = yield* told
      for (const terminal of [40, 80, 200]) {
        const { out } = yield* run(["show", "last", "--full", "--no-pager"], { terminal })
        for (const line of out.split("\n")) assert.isAtMost(Output.width(line), terminal, line)
      }
    }))

  it.effect("prints the session itself with --json, its end with --tail", () =>
    Effect.gen(function*() {
      const { id, run, within } = yield* told
      const { state } = yield* within(Sessions.load(id))
      const shown = yield* decode((yield* run(["show", "last", "--json"])).out)
      assert.deepStrictEqual(shown.session, state)
      assert.deepStrictEqual([shown.state, shown.torn], ["closed", 0])
      const tail = yield* decode((yield* run(["show", "last", "--json", "--tail", "2"])).out)
      assert.deepStrictEqual(tail.session.conversation, state.conversation.slice(-2))
    }))

  it.effect("prints the stored document with --raw, which is the same JSON", () =>
    Effect.gen(function*() {
      const { id, run } = yield* told
      const { out } = yield* run(["show", "last", "--raw"])
      const document = yield* Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({
        id: Schema.String,
        conversation: Schema.Array(Schema.Json),
        signature: Schema.String
      })))(out)
      assert.deepStrictEqual([document.id, document.conversation.length], [id, 4])
      assert.match(document.signature, /^hs256\./)
    }))

  it.effect("refuses what was tampered with, unless --raw asks for it all the same", () =>
    Effect.gen(function*() {
      const cli = yield* Cli.overFiles()
      const NodeFs = yield* Effect.promise(() => import("node:fs"))
      const id = yield* cli.within(Cli.stored({ project: cli.project, name: "one", messages: 1 }))
      const file = `${cli.sessions}/${id}/session.json`
      NodeFs.writeFileSync(file, NodeFs.readFileSync(file, "utf8").replace("message 0", "message 1"))
      const { code, err, out } = yield* cli.run(["show", "last"])
      assert.deepStrictEqual([code, out], [4, ""])
      assert.strictEqual(
        err,
        `error: Session ${id} can't be believed.\n  why: Its signature does not fit its content: the file was changed.\n` +
          `  do:  Put the file back from a backup, or remove the session: reprise delete ${id}\n`
      )
      assert.include((yield* cli.run(["show", "last", "--raw"])).out, "message 1")
    }))
})

describe("The pager", () => {
  const spawner = (exitCode: number) => {
    const started: Array<{ readonly args: ReadonlyArray<unknown>; readonly input: string }> = []
    const take = (command: ChildProcess.Command) =>
      Effect.gen(function*() {
        if (command._tag !== "StandardCommand") return yield* Effect.die(new Error("one program"))
        const { stdin } = command.options
        const input = Stream.isStream(stdin) ? yield* Stream.mkString(Stream.decodeText(stdin)) : ""
        started.push({ args: [command.command, ...command.args], input })
        return ChildProcessSpawner.makeHandle({
          pid: ChildProcessSpawner.ProcessId(1),
          exitCode: Effect.succeed(ChildProcessSpawner.ExitCode(exitCode)),
          isRunning: Effect.succeed(false),
          kill: () => Effect.void,
          unref: Effect.succeed(Effect.void),
          stdin: Sink.drain,
          stdout: Stream.empty,
          stderr: Stream.empty,
          all: Stream.empty,
          getInputFd: () => Sink.drain,
          getOutputFd: () => Stream.empty
        })
      })
    return { started, spawner: ChildProcessSpawner.make((command) => Effect.orDie(take(command))) }
  }

  it.effect("gets what is shown on a terminal", () =>
    Effect.gen(function*() {
      const { run } = yield* told
      const { spawner: one, started } = spawner(0)
      const { code, out } = yield* run(["show", "last"], { terminal: 80, spawner: one, env: { PAGER: "more -x" } })
      assert.deepStrictEqual([code, out], [0, ""])
      assert.deepStrictEqual(started.map(({ args }) => args), [["sh", "-c", "more -x"]])
      assert.include(started[0]?.input ?? "", "Please fix them.")
    }))

  it.effect("is less where PAGER is not set, and none where there is no such program", () =>
    Effect.gen(function*() {
      const { run } = yield* told
      const { spawner: one, started } = spawner(127)
      const { out } = yield* run(["show", "last"], { terminal: 80, spawner: one })
      assert.deepStrictEqual(started.map(({ args }) => args), [["sh", "-c", "less"]])
      assert.include(out, "Please fix them.")
    }))

  it.effect("is left out without a terminal, with --no-pager, --json, and with PAGER=cat", () =>
    Effect.gen(function*() {
      const { run } = yield* told
      const ways: ReadonlyArray<readonly [ReadonlyArray<string>, Cli.RunOptions]> = [
        [[], {}],
        [["--no-pager"], { terminal: 80 }],
        [["--json"], { terminal: 80 }],
        [[], { terminal: 80, env: { PAGER: "cat" } }]
      ]
      for (const [args, options] of ways) {
        assert.include((yield* run(["show", "last", ...args], options)).out, "The tests fail.")
      }
    }))
})
