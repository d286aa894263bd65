/** The prompt of a running session: events go in, frames and lines come out. */
import { assert, describe, it } from "@effect/vitest"
import { SessionError } from "effect-reprise"
import type * as Explain from "../../../src/cli/Explain.ts"
import * as Output from "../../../src/cli/Output.ts"
import type * as Loop from "../../../src/cli/resume/Loop.ts"
import * as Prompt from "../../../src/cli/resume/Prompt.ts"
import * as Style from "../../../src/cli/Style.ts"
import * as Stories from "./stories.ts"
import * as Typing from "./typing.ts"

interface Played {
  readonly prompt: Prompt.Prompt
  readonly printed: ReadonlyArray<string>
  readonly actions: ReadonlyArray<Prompt.Action>
  readonly isCleared: boolean
  readonly result: Prompt.Result | undefined
}

const room = (columns = 60, rows = 24): Loop.Room => ({ columns, rows, now: Stories.now })

const start = (session = Stories.state(), wasInterrupted = false) =>
  Prompt.first({ style: Style.plain, session, wasInterrupted })

const nothing = (prompt: Prompt.Prompt): Played => ({
  prompt,
  printed: [],
  actions: [],
  isCleared: false,
  result: undefined
})

const happen = (before: Played, event: Prompt.Event | Loop.Input): Played => {
  const step = Prompt.update(before.prompt, event)
  return {
    prompt: step.state,
    printed: [...before.printed, ...step.printed?.(room()) ?? []],
    actions: [...before.actions, ...step.actions ?? []],
    isCleared: before.isCleared || step.isCleared === true,
    result: step.result
  }
}

/** What came of typing, and nothing of what came before. */
const type = (typed: string, from = start().state): Played =>
  Typing.keys(typed).reduce((played, key) => happen(played, { _tag: "Typed", key }), nothing(from))

const tell = (from: Prompt.Prompt, event: Prompt.Event | Loop.Input): Played => happen(nothing(from), event)

const screen = (prompt: Prompt.Prompt, columns = 60, rows = 24): string =>
  Prompt.view(prompt, room(columns, rows)).lines.join("\n")

const explained: Explain.Explained = {
  exitCode: 1,
  error: "EventRejected/TooLarge",
  what: "It was refused.",
  why: "It is too much.",
  next: "Say less."
}

describe("What was restored", () => {
  it("is shown above the prompt: name, project, the last messages, the todos with their numbers", () => {
    const { printed } = start()
    assert.strictEqual(
      printed?.(room()).join("\n"),
      `Fix the tests
/projects/demo/calculator

user  9 min ago, 2026-01-15 11:51:00
  The tests fail. Please fix them.

assistant  8 min ago, 2026-01-15 11:52:00
  I'll run them first.
  → run  {"command":"npm test"}

tool  8 min ago, 2026-01-15 11:52:00
  ← run failed  sum(2, 2): expected 4, received 5

assistant  7 min ago, 2026-01-15 11:53:00
  sum() adds one too many. I'll correct it.

Todos 1/3
 1 [x] Find the failing test
 2 [~] Fixing the sum
 3 [ ] Run the tests again`
    )
  })

  it("is the messages that fit, and how many are before them", () => {
    const lines = start().printed?.(room(60, 20)).join("\n") ?? ""
    assert.include(lines, "(2 messages before; /show shows all)")
    assert.notInclude(lines, "Please fix them")
    assert.include(lines, "I'll correct it.")
  })

  it("is the end of the last message, where it alone is longer", () => {
    const content = Array.from({ length: 500 }, (_, number) => `row ${number}`).join("\n")
    const session = Stories.state({
      conversation: [...Stories.conversation, { id: "5", role: "assistant", content, timestamp: Stories.at(1) }]
    })
    const lines = start(session).printed?.(room()) ?? []
    assert.isAtMost(lines.length, 24)
    assert.include(lines.join("\n"), "(4 messages before; /show shows all)\n\n…\n")
    assert.include(lines, "  row 499")
  })

  it("says that it was interrupted", () => {
    assert.include(start(Stories.state(), true).printed?.(room()).join("\n"), "It was interrupted.")
  })

  it("may be nothing at all", () => {
    const printed = start(Stories.state({ conversation: [], todos: [] })).printed?.(room())
    assert.deepStrictEqual(printed, ["Fix the tests", "/projects/demo/calculator"])
  })
})

describe("What is typed", () => {
  it("is sent with Enter, waits, and shows up in the conversation once it is acknowledged", () => {
    const sent = type("hello<return>")
    assert.deepStrictEqual(sent.actions, [
      { _tag: "Do", typed: "hello", deed: { _tag: "Say", text: "hello" }, todos: Stories.todos }
    ])
    assert.deepStrictEqual(sent.printed, [])
    assert.strictEqual(
      screen(sent.prompt),
      `
… saving: hello
> 
enter send · /help commands · ctrl-d leave`
    )
    const message = { id: "5", role: "user", content: "hello", timestamp: Stories.at(0) } as const
    const session = Stories.state({ conversation: [...Stories.conversation, message], revision: 9 })
    const changed = tell(sent.prompt, { _tag: "Changed", session })
    assert.deepStrictEqual(changed.printed, ["", "user  just now, 2026-01-15 12:00:00", "  hello"])
    const done = tell(changed.prompt, { _tag: "Done", typed: "hello", deed: { _tag: "Say", text: "hello" } })
    assert.deepStrictEqual(done.prompt.waiting, [])
    assert.deepStrictEqual(tell(done.prompt, { _tag: "Changed", session }).printed, [])
  })

  it("comes back where it was refused, with why and what to do", () => {
    const sent = type("hello<return>")
    const { printed, prompt } = tell(sent.prompt, { _tag: "Refused", typed: "hello", explained })
    assert.deepStrictEqual(prompt.waiting, [])
    assert.strictEqual(prompt.editor.text, "hello")
    assert.deepStrictEqual(printed, ["", "error: It was refused.", "  why: It is too much.", "  do:  Say less."])
  })

  it("is not lost where it was refused while something else is typed", () => {
    const { prompt } = tell(type("hello<return>other").prompt, { _tag: "Refused", typed: "hello", explained })
    assert.strictEqual(prompt.editor.text, "other")
    assert.strictEqual(type("<up>", prompt).prompt.editor.text, "hello")
  })

  it("is several messages when Enter is pressed before the first one is acknowledged", () => {
    const { actions, prompt } = type("1<return>2<return>3<return>4<return>5<return>")
    assert.lengthOf(actions, 5)
    assert.deepStrictEqual(screen(prompt).split("\n").slice(1, 5), [
      "… saving: 1",
      "… saving: 2",
      "… saving: 3",
      "… and 2 more"
    ])
  })

  it("is several lines where it was pasted, and one message", () => {
    const { actions } = type("<paste-start>one<return>two<paste-end><return>")
    assert.deepStrictEqual(actions.map((action) => action._tag === "Do" && action.deed), [
      { _tag: "Say", text: "one\ntwo" }
    ])
  })

  it("before this run comes back with the arrows", () => {
    assert.strictEqual(type("<up>").prompt.editor.text, "The tests fail. Please fix them.")
  })

  it("is nothing where it is empty", () => {
    const { actions, printed } = type("  <return>")
    assert.deepStrictEqual([actions, printed], [[], []])
  })
})

describe("A command", () => {
  it("changes the session with the list that was seen", () => {
    assert.deepStrictEqual(type("/todo Write tests<return>/done 2<return>/save<return>").actions, [
      {
        _tag: "Do",
        typed: "/todo Write tests",
        deed: { _tag: "AddTodo", content: "Write tests" },
        todos: Stories.todos
      },
      { _tag: "Do", typed: "/done 2", deed: { _tag: "FinishTodo", number: 2 }, todos: Stories.todos },
      { _tag: "Do", typed: "/save", deed: { _tag: "Save" }, todos: Stories.todos }
    ])
  })

  it("that changes the todos shows them", () => {
    const session = Stories.state({ todos: Stories.todos.slice(0, 1), revision: 9 })
    assert.deepStrictEqual(tell(start().state, { _tag: "Changed", session }).printed, [
      "",
      "Todos 1/1",
      " 1 [x] Find the failing test"
    ])
  })

  it("that saves says so", () => {
    const { printed } = tell(type("/save<return>").prompt, { _tag: "Done", typed: "/save", deed: { _tag: "Save" } })
    assert.deepStrictEqual(printed, ["", "Saved."])
  })

  it("shows all of the conversation, the todos, or what can be typed", () => {
    const shown = type("/show<return>").printed.join("\n")
    assert.include(shown, "Please fix them")
    assert.include(shown, "I'll correct it.")
    assert.include(type("/todo<return>").printed.join("\n"), "Todos 1/3")
    assert.include(type("/todo<return>", start(Stories.state({ todos: [] })).state).printed.join("\n"), "No todos.")
    const help = type("/help<return>").printed.join("\n")
    for (const word of ["/todo TEXT", "/done N", "/save", "/show", "/help", "/quit", "//TEXT", "Ctrl-C"]) {
      assert.include(help, word)
    }
  })

  it("that nobody knows changes nothing, and can be corrected", () => {
    const { actions, printed, prompt } = type("/sav me<return>")
    assert.deepStrictEqual(actions, [])
    assert.deepStrictEqual(printed, [
      "",
      "error: /sav me?",
      "  why: There is no such command. Did you mean /save?",
      "  do:  See what there is with /help, or begin with // to say",
      "       it as it is."
    ])
    assert.strictEqual(prompt.editor.text, "/sav me")
  })
})

describe("Leaving", () => {
  const left = [{ _tag: "Leave" }] as const

  it("is Ctrl-D on an empty line, /quit, and a terminal that hangs up", () => {
    assert.deepStrictEqual(type("<ctrl-d>").actions, left)
    assert.deepStrictEqual(type("/quit<return>").actions, left)
    assert.deepStrictEqual(tell(start().state, { _tag: "HungUp" }).actions, left)
    assert.deepStrictEqual(type("a<left><ctrl-d>").actions, [])
    assert.strictEqual(type("a<left><ctrl-d>").prompt.editor.text, "")
  })

  it("is Ctrl-C twice: the first clears the line and says so", () => {
    const once = type("hello<ctrl-c>")
    assert.deepStrictEqual(once.actions, [])
    assert.strictEqual(once.prompt.editor.text, "")
    assert.include(screen(once.prompt), "Press Ctrl-C again to leave.")
    assert.deepStrictEqual(type("<ctrl-c>", once.prompt).actions, left)
  })

  it("is not Ctrl-C twice with something between", () => {
    const { actions, prompt } = type("<ctrl-c>a<ctrl-c>")
    assert.deepStrictEqual(actions, [])
    assert.include(screen(prompt), "Press Ctrl-C again to leave.")
    assert.notInclude(screen(type("b", prompt).prompt), "again")
  })

  it("waits for what is under way, and takes no more keys but Ctrl-C, which does not wait", () => {
    const { actions, prompt, result } = type("hello<return><ctrl-d>more<return><ctrl-d>")
    assert.deepStrictEqual(actions.map(({ _tag }) => _tag), ["Do", "Leave"])
    assert.isUndefined(result)
    assert.strictEqual(prompt.editor.text, "")
    assert.include(screen(prompt), "Leaving as soon as everything is saved.")
    assert.deepStrictEqual(type("<ctrl-c>", prompt).result, { _tag: "Interrupted" })
  })

  it("ends when everything is done", () => {
    assert.deepStrictEqual(tell(type("<ctrl-d>").prompt, { _tag: "Left" }).result, { _tag: "Left" })
  })

  it("is the end of the session, too", () => {
    const error = new SessionError.SessionEnded({ id: Stories.idOf(1), reason: new SessionError.LeaseLost({}) })
    assert.deepStrictEqual(tell(start().state, { _tag: "Ended", error }).result, { _tag: "Ended", error })
  })
})

describe("The prompt", () => {
  it("shows what an agent says, and how it ended", () => {
    assert.deepStrictEqual(tell(start().state, { _tag: "Said", lines: ["one", "two"] }).printed, ["", "one", "two"])
    assert.deepStrictEqual(tell(start().state, { _tag: "AgentEnded", failure: undefined }).printed, [
      "",
      "The agent has ended."
    ])
    const failure = { what: "The agent failed.", why: "It was tired.", next: "Let it rest." }
    assert.deepStrictEqual(tell(start().state, { _tag: "AgentEnded", failure }).printed, [
      "",
      "error: The agent failed.",
      "  why: It was tired.",
      "  do:  Let it rest."
    ])
  })

  it("clears the screen with Ctrl-L, and keeps the line", () => {
    const { isCleared, prompt } = type("hello<ctrl-l>")
    assert.isTrue(isCleared)
    assert.strictEqual(prompt.editor.text, "hello")
  })

  it("wraps a long line", () => {
    const { cursor, lines } = Prompt.view(type("abcdefghijklmnopqrstuvwxyz").prompt, room(20, 24))
    assert.deepStrictEqual(lines, ["", "> abcdefghijklmnopq", "  rstuvwxyz", "enter send · /help", "commands · ctrl-d"])
    assert.deepStrictEqual(cursor, { row: 2, column: 11 })
  })

  it("fits every size there is", () => {
    const prompts = [
      start().state,
      type("1<return>2<return>3<return>4<return>").prompt,
      type("one<enter>two<enter>three<enter>four<enter>five<enter>six").prompt,
      type("<ctrl-c>").prompt,
      type("<ctrl-d>").prompt
    ]
    for (const columns of [8, 20, 40, 200]) {
      for (const rows of [2, 3, 4, 5, 8, 24]) {
        for (const prompt of prompts) {
          const { cursor, lines } = Prompt.view(prompt, room(columns, rows))
          assert.isBelow(lines.length, rows + 1, `${columns}x${rows}`)
          assert.isBelow(cursor.row, lines.length)
          for (const line of lines) assert.isBelow(Output.width(line), columns, `${columns}x${rows}: ${line}`)
        }
      }
    }
  })
})
