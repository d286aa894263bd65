/** Picking a session: keys go in, frames come out. */
import { assert, describe, it } from "@effect/vitest"
import * as Explain from "../../../src/cli/Explain.ts"
import * as Output from "../../../src/cli/Output.ts"
import * as Frame from "../../../src/cli/resume/Frame.ts"
import * as Picker from "../../../src/cli/resume/Picker.ts"
import * as PickerView from "../../../src/cli/resume/PickerView.ts"
import * as Style from "../../../src/cli/Style.ts"
import type { Target } from "../../../src/cli/Target.ts"
import * as Stories from "./stories.ts"
import * as Typing from "./typing.ts"

const tests = Stories.stored(1, {
  name: "Fix the tests",
  status: "interrupted",
  messages: 4,
  todosDone: 1,
  todosOpen: 2
})
const docs = Stories.stored(2, { name: "Write the docs", messages: 1 })
const running = Stories.stored(3, {
  name: "日本語のセッション",
  status: "running",
  holder: { host: "laptop", bootId: "boot", pidNamespace: "pids", pid: 4711, startTime: "1" }
})
const elsewhere = Stories.stored(20, { name: "Somewhere else", projectPath: "/projects/demo/another project" })

const entries: ReadonlyArray<Target> = [tests, docs, running, elsewhere, Stories.broken]

const begin = (options: Partial<Pick<Picker.Picker, "canTakeOver" | "entries" | "project">> = {}): Picker.Picker =>
  Picker.make({ canTakeOver: false, entries, project: Stories.project, ...options })

interface Played {
  readonly picker: Picker.Picker
  readonly result: Picker.Result | undefined
  /** The previews that were asked for. */
  readonly wanted: ReadonlyArray<string>
}

const play = (typed: string, from = begin()): Played =>
  Typing.keys(typed).reduce<Played>(({ picker, result, wanted }, key) => {
    assert.isUndefined(result, "keys after the end")
    const step = Picker.update(picker, { _tag: "Typed", key })
    return { picker: step.state, result: step.result, wanted: [...wanted, ...step.actions ?? []] }
  }, { picker: from, result: undefined, wanted: [...Picker.first(from).actions ?? []] })

const names = (picker: Picker.Picker) => Picker.shown(picker).map(({ name }) => name)

const chosen = (picker: Picker.Picker) => Picker.shown(picker)[picker.chosen]?.name

const previewed = (picker: Picker.Picker, number: number, preview: Picker.Preview): Picker.Picker =>
  Picker.update(picker, { _tag: "Previewed", id: Stories.idOf(number), preview }).state

const frame = (picker: Picker.Picker, columns: number, rows: number) =>
  Frame.fit(PickerView.view(Style.plain)(picker, { columns, rows, now: Stories.now }), columns)

const screen = (picker: Picker.Picker, columns: number, rows: number): string =>
  frame(picker, columns, rows).lines.join("\n")

const loaded = previewed(begin(), 1, { _tag: "Loaded", state: Stories.state() })

describe("What can be picked", () => {
  it("is this project's, and what can't be read", () => {
    assert.deepStrictEqual(names(begin()), [
      "Fix the tests",
      "Write the docs",
      "日本語のセッション",
      Stories.broken.name
    ])
  })

  it("is everything after Tab, and this project's again after another", () => {
    assert.include(names(play("<tab>").picker), "Somewhere else")
    assert.notInclude(names(play("<tab><tab>").picker), "Somewhere else")
  })

  it("is everything from the first where this project has none", () => {
    assert.lengthOf(names(begin({ project: "/home/nobody" })), entries.length)
  })

  it("is what has every word in its name, project, id or state, whatever the case", () => {
    assert.deepStrictEqual(names(play("THE docs").picker), ["Write the docs"])
    assert.deepStrictEqual(names(play("<tab>another").picker), ["Somewhere else"])
    assert.deepStrictEqual(names(play("interrupted").picker), ["Fix the tests"])
    assert.deepStrictEqual(names(play("00000002").picker), ["Write the docs"])
    assert.deepStrictEqual(names(play("broken").picker), [Stories.broken.name])
    assert.deepStrictEqual(names(play("日本").picker), ["日本語のセッション"])
    assert.deepStrictEqual(names(play("nothing like it").picker), [])
  })

  it("begins with the newest, and again whenever the words change", () => {
    assert.strictEqual(chosen(begin()), "Fix the tests")
    assert.strictEqual(chosen(play("<down>the").picker), "Fix the tests")
    assert.strictEqual(chosen(play("the<down>").picker), "Write the docs")
    assert.strictEqual(chosen(play("the<down><left>").picker), "Write the docs")
  })

  it("is chosen with the arrows, which stop at both ends", () => {
    assert.strictEqual(chosen(play("<down><ctrl-n>").picker), "日本語のセッション")
    assert.strictEqual(chosen(play("<down><down><up>").picker), "Write the docs")
    assert.strictEqual(chosen(play("<up><ctrl-p>").picker), "Fix the tests")
    assert.strictEqual(chosen(play("<pagedown><down>").picker), Stories.broken.name)
    assert.strictEqual(chosen(play("<pagedown><pageup>").picker), "Fix the tests")
  })
})

describe("Enter", () => {
  it("picks the chosen one", () => {
    assert.deepStrictEqual(play("<down><return>").result, { _tag: "Picked", entry: docs })
    assert.deepStrictEqual(play("fix<return>").result, { _tag: "Picked", entry: tests })
  })

  it("does nothing where there is nothing to pick", () => {
    assert.isUndefined(play("nothing like it<return>").result)
  })

  it("says why what can't be read is not resumed", () => {
    const { picker, result } = play("broken<return>")
    assert.isUndefined(result)
    assert.include(screen(picker, 80, 24), "can't be resumed")
    assert.notInclude(screen(play("<backspace>", picker).picker, 80, 24), "can't be resumed")
  })

  it("says who runs a session, unless it is to be taken over", () => {
    const { picker, result } = play("<down><down><return>")
    assert.isUndefined(result)
    assert.include(screen(picker, 80, 24), "It runs in process 4711 on laptop.")
    assert.deepStrictEqual(play("<down><down><return>", begin({ canTakeOver: true })).result, {
      _tag: "Picked",
      entry: running
    })
  })

  it("within a paste picks nothing", () => {
    const { picker, result } = play("<paste-start>the<return>docs<paste-end>")
    assert.isUndefined(result)
    assert.deepStrictEqual(names(picker), ["Write the docs"])
  })
})

describe("Leaving", () => {
  it("is Escape, which first clears the words", () => {
    assert.deepStrictEqual(play("<escape>").result, { _tag: "Left" })
    const { picker, result } = play("docs<escape>")
    assert.isUndefined(result)
    assert.lengthOf(names(picker), 4)
    assert.deepStrictEqual(play("docs<escape><escape>").result, { _tag: "Left" })
  })

  it("is Ctrl-D where there are no words, and deletes where there are", () => {
    assert.deepStrictEqual(play("<ctrl-d>").result, { _tag: "Left" })
    assert.isUndefined(play("a<ctrl-d>").result)
  })

  it("is Ctrl-C at any time, and a terminal that hangs up", () => {
    assert.deepStrictEqual(play("docs<ctrl-c>").result, { _tag: "Interrupted" })
    assert.deepStrictEqual(Picker.update(begin(), { _tag: "HungUp" }).result, { _tag: "Interrupted" })
  })
})

describe("Previews", () => {
  it("are asked for when something is chosen, once, and not for what can't be read", () => {
    assert.deepStrictEqual(play("").wanted, [Stories.idOf(1)])
    assert.deepStrictEqual(play("<down>").wanted, [Stories.idOf(1), Stories.idOf(2)])
    const seen = previewed(loaded, 2, { _tag: "Loaded", state: Stories.state() })
    assert.deepStrictEqual(play("<down><up>", seen).wanted, [])
    assert.deepStrictEqual(play("broken", seen).wanted, [])
  })

  it("of long ago are forgotten", () => {
    const many = Array.from({ length: 200 }, (_, number) => number)
      .reduce((picker, number) => previewed(picker, number, { _tag: "Loaded", state: Stories.state() }), begin())
    assert.strictEqual(many.previews.size, 64)
    assert.isTrue(many.previews.has(Stories.idOf(199)))
  })
})

describe("The picker", () => {
  it("has the preview below the list in 80 columns", () => {
    assert.strictEqual(
      screen(loaded, 80, 24),
      `Resume a session  4 in this project
> type to search
❯ Fix the tests                               interrupted  4 messages  1 min ago
  Write the docs                                            1 message  4 min ago
  日本語のセッション                          running      3 messages  9 min ago
  00000099-0000-4000-8000-000000000000        broken
────────────────────────────────────────────────────────────────────────────────
Fix the tests
interrupted · 4 messages · todos 1/3
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
enter resume · ↑↓ choose · tab all projects · esc leave`
    )
  })

  it("has marks for words in 40 columns", () => {
    assert.strictEqual(
      screen(loaded, 40, 14),
      `Resume a session  4 in this project
> type to search
❯ Fix the tests             !  1 min ago
  Write the docs               4 min ago
  日本語のセッション        *  9 min ago
────────────────────────────────────────
Fix the tests
interrupted · 4 messages · todos 1/3
/projects/demo/calculator

assistant  7 min ago
  sum() adds one too many. I'll correct
  it.
enter resume · ↑↓ choose · tab all proj…`
    )
  })

  it("has the preview beside the list in 200 columns, and the projects of all", () => {
    assert.strictEqual(
      screen(play("<tab>", loaded).picker, 200, 12),
      `Resume a session  5 in all projects
> type to search
❯ Fix the tests                          /projects/demo/calculator       interrupted   4 messages    1 min ago │ Fix the tests
  Write the docs                         /projects/demo/calculator                      1 message    4 min ago │ interrupted · 4 messages · todos 1/3
  日本語のセッション                     /projects/demo/calculator       running       3 messages    9 min ago │ /projects/demo/calculator
  Somewhere else                         /projects/demo/another project               20 messages  6 hours ago │
  00000099-0000-4000-8000-000000000000                                   broken                                │ tool  8 min ago, 2026-01-15 11:52:00
                                                                                                               │   ← run failed  sum(2, 2): expected 4, received 5
                                                                                                               │
                                                                                                               │ assistant  7 min ago, 2026-01-15 11:53:00
                                                                                                               │   sum() adds one too many. I'll correct it.
enter resume · ↑↓ choose · tab this project · esc leave`
    )
  })

  it("has the list alone where there are few rows", () => {
    assert.strictEqual(
      screen(loaded, 40, 6),
      `Resume a session  4 in this project
> type to search
❯ Fix the tests             !  1 min ago
  Write the docs               4 min ago
  日本語のセッション        *  9 min ago
enter resume · ↑↓ choose · tab all proj…`
    )
  })

  it("shows the chosen one of many", () => {
    const many = begin({ entries: Array.from({ length: 100 }, (_, number) => Stories.stored(number, {})) })
    const shown = screen(play("<pagedown><pagedown><down>", many).picker, 80, 9)
    assert.include(shown, "❯ session 21 ")
    assert.include(shown, "  session 20 ")
    assert.include(shown, "  session 22 ")
    assert.notInclude(shown, "session 10 ")
  })

  it("shows what was typed, with the cursor behind it", () => {
    const { cursor, lines } = frame(play("fix ").picker, 80, 24)
    assert.deepStrictEqual([lines[0], lines[1]], ["Resume a session  1 of 4 in this project", "> fix "])
    assert.deepStrictEqual(cursor, { row: 1, column: 6 })
  })

  it("says so where nothing is like it", () => {
    assert.include(screen(play("xyz").picker, 80, 24), "Nothing is like that in this project; tab looks in all.")
    assert.include(screen(play("<tab>xyz").picker, 80, 24), "Nothing is like that.")
    const others = begin({ entries: [elsewhere] })
    assert.include(screen(play("<tab>", others).picker, 80, 24), "There are none in this project; tab shows all.")
  })

  it("says why a session can't be read, and what to do", () => {
    const shown = screen(play("broken").picker, 80, 24)
    assert.include(shown, "It can't be read.")
    assert.include(shown, "why: Its signature does not fit its content")
    assert.include(shown, "do:  Put the file back from a backup")
    const failed = previewed(begin(), 1, { _tag: "Failed", explained: Explain.explain(Stories.broken.error) })
    assert.include(screen(failed, 80, 24), "why: Its signature does not fit its content")
  })

  it("says that it reads what it has not read yet, and that nothing was said", () => {
    assert.include(screen(begin(), 80, 24), "Reading it …")
    const silent = previewed(begin(), 1, { _tag: "Loaded", state: Stories.state({ conversation: [], todos: [] }) })
    assert.include(screen(silent, 80, 24), "Nothing was said yet.")
  })

  it("shows what is stored without what a terminal would act on", () => {
    const name = "\u001b[2J\u009b31mred\u0007\u202e"
    const evil = begin({
      entries: [Stories.stored(1, { name, projectPath: `${Stories.project}/\u001b]0;title\u0007`, status: "closed" })],
      project: "/"
    })
    const preview: Picker.Preview = {
      _tag: "Loaded",
      state: Stories.state({
        conversation: [{ id: "1", role: "user", content: "\u001b[31mred\r\n\u009b2J", timestamp: Stories.at(1) }]
      })
    }
    for (const columns of [40, 80, 200]) {
      const shown = screen(previewed(evil, 1, preview), columns, 24).replaceAll("\n", "")
      assert.notMatch(shown, /[\p{Cc}\u202e]/u)
      assert.include(shown, "\\x1b[2J")
    }
  })

  it("fits every size there is", () => {
    for (const columns of [4, 10, 20, 39, 59, 60, 99, 100, 101, 300]) {
      for (const rows of [1, 2, 3, 4, 5, 8, 9, 12, 50]) {
        for (const picker of [loaded, play("<tab>", loaded).picker, play("broken<return>").picker]) {
          const { cursor, lines } = frame(picker, columns, rows)
          assert.isAtMost(lines.length, rows)
          assert.isBelow(cursor.row, rows)
          for (const line of lines) assert.isAtMost(Output.width(line), columns, `${columns}x${rows}: ${line}`)
        }
      }
    }
  })
})
