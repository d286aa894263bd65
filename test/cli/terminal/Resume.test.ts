/** `reprise resume` in a real terminal. */
import { assert, describe } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import * as Desk from "./desk.ts"
import * as Tmux from "./tmux.ts"

const agent = (name: string) => fileURLToPath(new URL(`../resume/agents/${name}.ts`, import.meta.url))

const tests: Desk.Seed = {
  name: "Fix the tests",
  messages: [
    { role: "user", content: "The tests fail. Please fix them." },
    {
      role: "assistant",
      content: [
        { type: "text", text: "I'll run them first." },
        { type: "tool-call", id: "call-1", name: "run", params: { command: "npm test" } }
      ]
    },
    {
      role: "tool",
      content: [{ type: "tool-result", id: "call-1", name: "run", isFailure: true, result: "expected 4, received 5" }]
    }
  ],
  todos: [
    { content: "Find the failing test", status: "completed", activeForm: "Finding the failing test" },
    { content: "Fix the sum", status: "in_progress", activeForm: "Fixing the sum" }
  ]
}

const seeds = ({ root }: Desk.Desk): ReadonlyArray<Desk.Seed> => [
  { name: "Another project", project: `${root}/website` },
  { name: "日本語のセッション", messages: [{ role: "user", content: "すべてのテストを直してください。" }] },
  {
    name: "Write the docs",
    messages: [{ role: "user", content: "Write a README." }, { role: "assistant", content: "It is written." }],
    todos: [{ content: "Write a README", status: "completed", activeForm: "Writing a README" }]
  },
  tests
]

/** Tells the exit code, and that the terminal reads lines and echoes them, as it did before. */
const aftermath = "echo after: $?; stty -a | grep -ow -e '-*icanon' -e '-*echo'; cat"

const usual = { columns: 80, rows: 24 }

describe("In a real terminal", () => {
  Desk.test("a session is searched for, seen in every size, and picked", (desk) =>
    Effect.gen(function*() {
      yield* Desk.store(desk, seeds(desk))
      const terminal = yield* Desk.terminal(desk, usual, Desk.reprise("resume"))
      yield* terminal.shows("received 5")
      yield* Desk.shows(desk, terminal, "picker")
      assert.isTrue((yield* terminal.modes).isAlternate)
      yield* terminal.resize(40, 20)
      yield* Desk.shows(desk, terminal, "picker-40")
      yield* terminal.resize(200, 20)
      yield* Desk.shows(desk, terminal, "picker-200")
      yield* terminal.resize(usual.columns, usual.rows)
      yield* terminal.type("docs")
      yield* Desk.shows(desk, terminal, "picker-search")
      yield* terminal.press("Escape")
      yield* Desk.shows(desk, terminal, "picker")
      yield* terminal.press("Tab", "Down", "Down")
      yield* Desk.shows(desk, terminal, "picker-all")
      yield* terminal.press("Up", "Up", "Enter")
      yield* terminal.shows("ctrl-d leave")
      yield* Desk.shows(desk, terminal, "prompt")
      assert.isFalse((yield* terminal.modes).isAlternate)
    }))

  Desk.test("Escape leaves the picker, and the screen is as it was", (desk) =>
    Effect.gen(function*() {
      yield* Desk.store(desk, [tests])
      const terminal = yield* Desk.terminal(desk, usual, Desk.shell(`echo before; reprise resume; ${aftermath}`))
      yield* terminal.shows("received 5")
      yield* terminal.press("Escape")
      yield* terminal.shows("echo")
      yield* Desk.shows(desk, terminal, "left")
      assert.deepStrictEqual(yield* terminal.modes, { isAlternate: false, isCursorVisible: true })
    }))

  Desk.test("what is typed is stored, the prompt follows the terminal's size, and Ctrl-C twice leaves", (desk) =>
    Effect.gen(function*() {
      const [id] = yield* Desk.store(desk, [tests])
      const terminal = yield* Desk.terminal(desk, usual, Desk.shell(`reprise resume last; ${aftermath}`))
      yield* terminal.shows("ctrl-d leave")
      yield* terminal.type("Go on.")
      yield* terminal.press("Enter")
      yield* terminal.shows("  Go on.", "ctrl-d leave")
      yield* terminal.type("/todo Run them again")
      yield* terminal.press("Enter")
      yield* terminal.shows("Todos 1/3")
      yield* terminal.type("/done 3")
      yield* terminal.press("Enter")
      yield* terminal.shows("Todos 2/3")
      yield* terminal.paste("two lines,\none message")
      yield* Desk.shows(desk, terminal, "typed")
      yield* terminal.resize(40, 20)
      yield* Desk.shows(desk, terminal, "typed-40")
      yield* terminal.resize(200, 30)
      yield* Desk.shows(desk, terminal, "typed-200")
      yield* terminal.resize(usual.columns, usual.rows)
      yield* terminal.press("Enter")
      yield* terminal.shows("  one message", "ctrl-d leave")
      yield* terminal.type("never sent")
      yield* terminal.press("C-c")
      yield* Desk.shows(desk, terminal, "interrupted-once")
      yield* terminal.press("C-c")
      yield* terminal.shows("icanon")
      yield* Desk.shows(desk, terminal, "interrupted-twice")
      assert.isTrue((yield* terminal.modes).isCursorVisible)
      assert.isDefined(id)
      if (id === undefined) return
      const { report, state } = yield* Desk.load(desk, id)
      assert.strictEqual(report.status, "closed")
      assert.deepStrictEqual(Desk.said(state).slice(-2), ["Go on.", "two lines,\none message"])
      assert.deepStrictEqual(state.todos.map(({ status }) => status), ["completed", "in_progress", "completed"])
    }))

  Desk.test("a window that is closed leaves a session that has everything and can be resumed", (desk) =>
    Effect.gen(function*() {
      const [id] = yield* Desk.store(desk, [tests])
      const terminal = yield* Desk.terminal(desk, usual, Desk.reprise("resume", "last"))
      yield* terminal.shows("ctrl-d leave")
      yield* terminal.type("The last word.")
      yield* terminal.press("Enter")
      yield* terminal.shows("  The last word.")
      const pid = yield* terminal.pid
      yield* terminal.hangUp
      assert.isTrue(yield* Tmux.gone(pid))
      assert.isDefined(id)
      if (id === undefined) return
      const { report, state } = yield* Desk.load(desk, id)
      assert.strictEqual(report.status, "closed")
      assert.strictEqual(state.conversation.at(-1)?.content, "The last word.")
    }))

  Desk.test("kill -9 in the prompt loses nothing that was acknowledged: it is there when it is resumed", (desk) =>
    Effect.gen(function*() {
      yield* Desk.store(desk, [tests])
      const killed = yield* Desk.terminal(desk, usual, Desk.reprise("resume", "last"))
      yield* killed.shows("ctrl-d leave")
      for (const word of ["first", "second", "third"]) {
        yield* killed.type(`the ${word} word`)
        yield* killed.press("Enter")
        yield* killed.shows(`\n  the ${word} word`)
      }
      yield* killed.type("never sent")
      yield* killed.shows("> never sent")
      const pid = yield* killed.pid
      yield* Effect.sync(() => process.kill(pid, "SIGKILL"))
      assert.isTrue(yield* Tmux.gone(pid))
      const terminal = yield* Desk.terminal(desk, { columns: 80, rows: 30 }, Desk.reprise("resume"))
      yield* terminal.shows("interrupted", "the third word")
      yield* terminal.press("Enter")
      yield* terminal.shows("ctrl-d leave")
      yield* Desk.shows(desk, terminal, "resumed-after-kill")
    }))

  Desk.test("SIGTERM ends the prompt in order", (desk) =>
    Effect.gen(function*() {
      const [id] = yield* Desk.store(desk, [tests])
      const terminal = yield* Desk.terminal(desk, usual, Desk.shell(`reprise resume last; ${aftermath}`))
      yield* terminal.shows("ctrl-d leave")
      const pid = yield* terminal.child
      yield* Effect.sync(() => process.kill(pid, "SIGTERM"))
      yield* terminal.shows(`Go on with: reprise resume ${id}`, "after: 130\nicanon\necho")
      assert.isTrue((yield* terminal.modes).isCursorVisible)
      assert.isDefined(id)
      if (id !== undefined) assert.strictEqual((yield* Desk.load(desk, id)).report.status, "closed")
    }))

  Desk.test("what is piped in is stored, and without a name and a terminal there is nothing to pick", (desk) =>
    Effect.gen(function*() {
      const [id] = yield* Desk.store(desk, [tests])
      const script =
        `printf 'Go on.\\n/done 2\\n' | reprise resume last; echo; reprise resume < /dev/null; ${aftermath}`
      const terminal = yield* Desk.terminal(desk, { columns: 80, rows: 40 }, Desk.shell(script))
      yield* terminal.shows("after: 2\nicanon\necho")
      yield* Desk.shows(desk, terminal, "piped")
      assert.isDefined(id)
      if (id === undefined) return
      const { report, state } = yield* Desk.load(desk, id)
      assert.strictEqual(report.status, "closed")
      assert.strictEqual(state.conversation.at(-1)?.content, "Go on.")
    }))

  Desk.test("Ctrl-Z stops it for the shell, and fg goes on with what was typed", (desk) =>
    Effect.gen(function*() {
      yield* Desk.store(desk, [tests])
      const terminal = yield* Desk.terminal(desk, usual, ["bash", "--norc", "--noprofile", "-i"])
      yield* terminal.type(Desk.reprise("resume", "last").join(" "))
      yield* terminal.press("Enter")
      yield* terminal.shows("ctrl-d leave")
      yield* terminal.type("half a ")
      yield* terminal.shows("> half a")
      yield* terminal.press("C-z")
      yield* terminal.shows("Stopped")
      yield* terminal.type("stty -a | grep -ow -e '-*icanon' -e '-*echo'")
      yield* terminal.press("Enter")
      yield* terminal.shows("\nicanon\necho\n")
      yield* terminal.type("fg")
      yield* terminal.press("Enter")
      yield* terminal.shows("> half a\n")
      yield* terminal.type("line")
      yield* terminal.press("Enter")
      yield* terminal.shows("\n  half a line\n")
    }))

  Desk.test("an agent that ends the process leaves the terminal as it was, and the session resumable", (desk) =>
    Effect.gen(function*() {
      const [id] = yield* Desk.store(desk, [tests])
      const script = `reprise resume last --agent '${agent("exiting")}'; ${aftermath}`
      const terminal = yield* Desk.terminal(desk, usual, Desk.shell(script))
      yield* terminal.shows("ctrl-d leave")
      yield* terminal.type("exit")
      yield* terminal.press("Enter")
      yield* terminal.shows("after: 7\nicanon\necho")
      assert.isTrue((yield* terminal.modes).isCursorVisible)
      assert.isDefined(id)
      if (id === undefined) return
      const { report, state } = yield* Desk.load(desk, id)
      assert.strictEqual(report.status, "interrupted")
      assert.strictEqual(state.conversation.at(-1)?.content, "exit")
    }))
})
