/** `reprise resume`, as a command: through a pipe, and at a terminal in memory. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { Sessions } from "effect-reprise"
import { FileSystemHooks } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import * as Deed from "../../../src/cli/resume/Deed.ts"
import * as Events from "../../../src/cli/resume/Events.ts"
import * as Person from "./person.ts"
import * as Stories from "./stories.ts"

const agent = (name: string) => fileURLToPath(new URL(`agents/${name}.ts`, import.meta.url))
const scripted = fileURLToPath(new URL("../../examples/scripted-agent.ts", import.meta.url))

const before = Stories.conversation.map(({ content }) => content)

const test = <A, E>(name: string, body: (desk: Person.Desk) => Effect.Effect<A, E>) =>
  it.effect(name, () => Effect.scoped(Effect.flatMap(Person.desk, body)))

describe("Without a terminal", () => {
  test("a session must be named", (desk) =>
    Effect.gen(function*() {
      yield* Person.store(desk)
      const { code, err, out } = yield* Person.pipe(desk, ["resume"], "hello\n")
      assert.deepStrictEqual([code, out], [2, ""])
      assert.include(err, "No session was named.")
      assert.include(err, "do:  Name one: reprise resume last")
    }))

  test("each line becomes a message, and the end of the input closes the session", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const { code, err, out } = yield* Person.pipe(desk, ["resume", "last"], "he", "llo\r\n\n  wor", "ld\nno end")
      assert.deepStrictEqual([code, err], [0, ""])
      const { report, state } = yield* Person.load(desk, id)
      assert.deepStrictEqual(Person.said(state), [...before, "hello", "  world", "no end"])
      assert.deepStrictEqual(state.conversation.slice(-3).map(({ role }) => role), ["user", "user", "user"])
      assert.deepStrictEqual(state.promptHistory, ["hello", "  world", "no end"])
      assert.strictEqual(report.status, "closed")
      assert.include(out, "Fix the tests")
      assert.include(out, "Todos 1/3")
      assert.include(out, "I'll correct it.")
      assert.match(out, /\n {2}hello\n[^]*\n {2} {2}world\n[^]*\n {2}no end\n/)
      assert.isTrue(out.endsWith(`Go on with: reprise resume ${id} --dir ${desk.sessions}`))
    }))

  test("commands are done as at the prompt", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const input = "/todo Write tests\n/done 4\n/save\n/todo\n/help\n/show\n//path\n/quit\nnever\n"
      const { code, out } = yield* Person.pipe(desk, ["resume", id], input)
      assert.strictEqual(code, 0)
      const { state } = yield* Person.load(desk, id)
      assert.deepStrictEqual(state.todos.at(-1), {
        content: "Write tests",
        activeForm: "Write tests",
        status: "completed"
      })
      assert.strictEqual(state.conversation.at(-1)?.content, "/path")
      assert.lengthOf(out.match(/Todos 2\/4/g) ?? [], 3)
      assert.include(out, "/todo TEXT")
    }))

  test("a line that is no command ends it, and what was before stays", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const { code, err, out } = yield* Person.pipe(desk, ["resume", id], "one\n/nonsense\u001b[2J\ntwo\n")
      assert.strictEqual(code, 2)
      assert.include(err, "Line 2, /nonsense\\x1b[2J, was not done, and none after it.")
      assert.include(out, "Go on with:")
      const { report, state } = yield* Person.load(desk, id)
      assert.deepStrictEqual(Person.said(state), [...before, "one"])
      assert.strictEqual(report.status, "closed")
    }))

  test("a todo that is not there is not done", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk, { todos: [] })
      const { code, err } = yield* Person.pipe(desk, ["resume", id], "/done 1\n")
      assert.strictEqual(code, 1)
      assert.include(err, "There is no todo 1.")
      assert.include(err, "Add one: /todo TEXT")
    }))

  test("bytes that are no text are refused, and so is a line without end", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const bytes = yield* Person.pipe(desk, ["resume", id], "one\n", new Uint8Array([0x61, 0xff, 0x0a]))
      assert.strictEqual(bytes.code, 1)
      assert.include(bytes.err, "Line 2 of the input was not taken.")
      assert.include(bytes.err, "It is not UTF-8 text.")
      const piece = "x".repeat(1 << 20)
      const long = yield* Person.pipe(desk, ["resume", id], ...Array.from({ length: 11 }, () => piece))
      assert.strictEqual(long.code, 1)
      assert.include(long.err, "It is longer than a session may be")
      const { state } = yield* Person.load(desk, id)
      assert.deepStrictEqual(Person.said(state), [...before, "one"])
    }))

  test("characters that are split between two pieces are whole", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const [first, ...others] = new TextEncoder().encode("語\n")
      assert.isDefined(first)
      yield* Person.pipe(desk, ["resume", id], Uint8Array.of(first ?? 0), Uint8Array.from(others))
      assert.strictEqual((yield* Person.load(desk, id)).state.conversation.at(-1)?.content, "語")
    }))

  test("with --json every event is a line that its schema reads", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const input = "hello\n/todo Write tests\n/todo\n/show\n/help\n"
      const { code, err, out } = yield* Person.pipe(desk, ["resume", id, "--json"], input)
      assert.deepStrictEqual([code, err], [0, ""])
      const decode = Schema.decodeEffect(Schema.fromJsonString(Events.Event))
      const events = yield* Effect.forEach(out.split("\n"), (line) => decode(line))
      assert.deepStrictEqual(events.map(({ event }) => event), ["resumed", "message", "todos", "resumed", "closed"])
      assert.deepInclude(events[0], { event: "resumed", id, name: "Fix the tests", messages: 4, todos: Stories.todos })
      assert.deepInclude(events[4], { event: "closed", resume: `reprise resume ${id} --dir ${desk.sessions}` })
    }))
})

describe("Which session, and where", () => {
  test("one that runs elsewhere is left there, and taken with --take-over", (desk) =>
    Person.whileRunning(desk, (session) =>
      Effect.gen(function*() {
        const busy = yield* Person.pipe(desk, ["resume", session.id], "mine\n")
        assert.strictEqual(busy.code, 5)
        assert.match(busy.err, /It is running in process \d+ on laptop/)
        assert.include(busy.err, `reprise resume ${session.id} --take-over`)
        const taken = yield* Person.pipe(desk, ["resume", session.id, "--take-over"], "mine\n")
        assert.strictEqual(taken.code, 0)
        const { state } = yield* Person.load(desk, session.id)
        assert.strictEqual(state.conversation.at(-1)?.content, "mine")
        const error = yield* Effect.flip(session.append({ role: "user", content: "late" }))
        assert.strictEqual(error._tag === "SessionEnded" && error.reason._tag, "LeaseLost")
      })))

  test("one whose project is gone is resumed where --project says", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const moved = `${desk.root}/moved`
      NodeFs.renameSync(desk.project, moved)
      const gone = yield* Person.pipe({ ...desk, project: desk.root }, ["resume", id], "")
      assert.strictEqual(gone.code, 1)
      assert.include(gone.err, `reprise resume ${id} --project DIR`)
      const found = yield* Person.pipe({ ...desk, project: desk.root }, ["resume", id, "--project", "moved"], "")
      assert.strictEqual(found.code, 0)
      assert.strictEqual((yield* Person.load(desk, id)).state.session.projectPath, moved)
    }))

  test("one that was interrupted says so, and has everything", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.interrupted(desk, "the last word")
      const { code, out } = yield* Person.pipe(desk, ["resume", id], "go on\n")
      assert.strictEqual(code, 0)
      assert.include(out, "It was interrupted. Everything that was acknowledged is here.")
      const { state } = yield* Person.load(desk, id)
      assert.deepStrictEqual(Person.said(state), [...before, "the last word", "go on"])
    }))
})

describe("A todo", () => {
  test("that is not the one that was seen is left as it is", (desk) =>
    Person.whileRunning(desk, (session) =>
      Effect.gen(function*() {
        const seen = Stories.todos.toReversed()
        const error = yield* Effect.flip(Deed.perform(session, { _tag: "FinishTodo", number: 3 }, seen))
        assert.strictEqual(error._tag === "Failure" && error.kind, "TodoChanged")
        assert.deepStrictEqual((yield* session.state).todos, Stories.todos)
        yield* Deed.perform(session, { _tag: "FinishTodo", number: 2 }, seen)
        assert.strictEqual((yield* session.state).todos[1]?.status, "completed")
      })))
})

describe("At a terminal", () => {
  test("one is picked, talked to, and left", (desk) =>
    Effect.gen(function*() {
      yield* Person.store(desk, { session: { ...Stories.state().session, name: "Write the docs" } })
      const id = yield* Person.store(desk)
      const { err, exit, out } = yield* Person.sit(desk, ["resume"], ({ shows, type }) =>
        Effect.gen(function*() {
          yield* shows("Resume a session  2 in this project", "I'll correct it.")
          yield* type("tests")
          yield* shows("1 of 2")
          yield* type("<return>")
          yield* shows("enter send")
          yield* type("hello<return>")
          const screen = yield* shows("  hello\n\n>")
          assert.notInclude(screen, "saving")
          yield* type("/todo Write tests<return>/done 4<return>/save<return>")
          yield* shows("4 [x] Write tests", "Saved.")
          yield* type("<ctrl-c>")
          yield* shows("Press Ctrl-C again to leave.")
          yield* type("<ctrl-c>")
        }))
      assert.deepStrictEqual(exit, Exit.succeed(0))
      assert.deepStrictEqual([out, err], [`\nGo on with: reprise resume ${id} --dir ${desk.sessions}`, ""])
      const { report, state } = yield* Person.load(desk, id)
      assert.deepStrictEqual(Person.said(state), [...before, "hello"])
      assert.deepStrictEqual(state.promptHistory, ["hello"])
      assert.strictEqual(state.todos[3]?.status, "completed")
      assert.strictEqual(report.status, "closed")
    }))

  test("leaving at once after Enter loses nothing", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      yield* Person.sit(desk, ["resume", id], ({ type }) => type("one<return>two<return><ctrl-d>"))
      assert.deepStrictEqual(Person.said((yield* Person.load(desk, id)).state), [...before, "one", "two"])
    }))

  test("the picker and the prompt follow the size of the terminal", (desk) =>
    Effect.gen(function*() {
      yield* Person.store(desk)
      yield* Person.sit(desk, ["resume"], ({ resize, shows, type }) =>
        Effect.gen(function*() {
          yield* shows("\n" + "─".repeat(80))
          yield* resize(40, 30)
          yield* shows("\n" + "─".repeat(40) + "\n")
          yield* type("<return>")
          yield* shows("enter send")
          yield* type("abcdefghijklmnopqrstuvwxyz")
          yield* resize(20, 30)
          yield* shows("> abcdefghijklmnopq\n  rstuvwxyz\nenter send")
          yield* type("<ctrl-c><ctrl-c>")
        }))
    }))

  test("a session that was tampered with says so before it is picked, and is not resumed", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const file = `${desk.sessions}/${id}/session.json`
      NodeFs.writeFileSync(file, NodeFs.readFileSync(file, "utf8").replace("Please fix them.", "Please break them"))
      const { err, exit } = yield* Person.sit(
        desk,
        ["resume"],
        ({ shows, type }) =>
          Effect.andThen(shows("It can't be read.", "why: Its signature does not fit its content"), type("<return>"))
      )
      assert.deepStrictEqual(exit, Exit.succeed(4))
      assert.include(err, "Its signature does not fit its content")
    }))

  test("nothing is resumed where none is picked", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const left = yield* Person.sit(desk, ["resume"], ({ type }) => type("<escape>"))
      assert.deepStrictEqual([left.exit, left.err], [Exit.succeed(0), "Nothing was resumed."])
      const interrupted = yield* Person.sit(desk, ["resume"], ({ type }) => type("<ctrl-c>"))
      assert.deepStrictEqual(interrupted.exit, Exit.succeed(130))
      assert.deepStrictEqual(Person.said((yield* Person.load(desk, id)).state), before)
    }))

  test("there is nothing to pick where nothing is stored", (desk) =>
    Effect.gen(function*() {
      const { err, exit } = yield* Person.sit(desk, ["resume"], () => Effect.void)
      assert.deepStrictEqual(exit, Exit.succeed(3))
      assert.include(err, "Begin one: reprise new")
    }))

  test("a terminal that hangs up leaves, with everything saved", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      yield* Person.sit(desk, ["resume", id], ({ hangUp, type }) => Effect.andThen(type("one<return>"), hangUp))
      const { report, state } = yield* Person.load(desk, id)
      assert.deepStrictEqual([...before, "one"], Person.said(state))
      assert.strictEqual(report.status, "closed")
    }))

  test("a signal ends it in order: the session is closed, and the way back is printed", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const { exit, out } = yield* Person.sit(
        desk,
        ["resume", id],
        ({ interrupt, shows, type }) =>
          Effect.gen(function*() {
            yield* type("one<return>not sent")
            yield* shows("  one\n\n> not sent")
            yield* interrupt
          })
      )
      assert.isTrue(Exit.hasInterrupts(exit))
      assert.include(out, `Go on with: reprise resume ${id}`)
      const { report, state } = yield* Person.load(desk, id)
      assert.deepStrictEqual(Person.said(state), [...before, "one"])
      assert.strictEqual(report.status, "closed")
    }))

  test("Ctrl-Z gives the terminal to the shell, and what was typed is there again", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      yield* Person.sit(desk, ["resume", id], ({ shows, type }) =>
        Effect.gen(function*() {
          yield* type("half a ")
          yield* shows("> half a")
          yield* type("<ctrl-z>line")
          yield* shows("again\n[stopped]\n\n> half a line\nenter send")
          yield* type("<ctrl-c><ctrl-c>")
        }))
    }))

  test("a session that its own agent closes is over, and the way back is printed", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const { err, exit, out } = yield* Person.sit(desk, ["resume", id, "--agent", agent("closing")], ({ type }) =>
        type("close<return>"))
      assert.deepStrictEqual([exit, err], [Exit.succeed(0), ""])
      assert.include(out, `Go on with: reprise resume ${id}`)
      assert.strictEqual((yield* Person.load(desk, id)).report.status, "closed")
    }))

  test("a message that can't be written is shown so, comes back, and can be sent again", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      let isFull = false
      desk.hook = (call) => (run) =>
        isFull && call.method === "file.write"
          ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "ENOSPC"))
          : run
      yield* Person.sit(desk, ["resume", id], ({ shows, type }) =>
        Effect.gen(function*() {
          yield* type("one<return>")
          yield* shows("  one\n\n>")
          isFull = true
          yield* type("two<return>")
          yield* shows("error:", "ENOSPC", "> two")
          isFull = false
          yield* type("<return>")
          yield* shows("  two\n\n>")
          yield* type("<ctrl-d>")
        }))
      assert.deepStrictEqual(Person.said((yield* Person.load(desk, id)).state), [...before, "one", "two"])
    }))

  test("a session that can't be saved at the end fails, stays resumable, and the way back is printed", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      let isFull = false
      desk.hook = (call) => (run) =>
        isFull && call.method === "file.write"
          ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "ENOSPC"))
          : run
      const { err, exit, out } = yield* Person.sit(desk, ["resume", id], ({ shows, type }) =>
        Effect.gen(function*() {
          yield* type("one<return>")
          yield* shows("  one\n\n>")
          isFull = true
          yield* type("<ctrl-d>")
        }))
      assert.deepStrictEqual(exit, Exit.succeed(1))
      assert.include(err, "ENOSPC")
      assert.include(out, `Go on with: reprise resume ${id}`)
      assert.deepStrictEqual(Person.said((yield* Person.load(desk, id)).state), [...before, "one"])
    }))

  test("a session that another process takes is over here, and says who has it", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const { err, exit } = yield* Person.sit(desk, ["resume", id], ({ shows, type }) =>
        Effect.gen(function*() {
          yield* shows("enter send")
          yield* Sessions.resume(id, { takeOver: true }).pipe(Person.inSessions(desk))
          yield* type("late<return>")
        }))
      assert.deepStrictEqual(exit, Exit.succeed(5))
      assert.match(err, /was taken over by process \d+ on laptop/)
    }))
})

describe("An agent", () => {
  test("answers each message before the next line is read", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk, { conversation: [], todos: [] })
      const { code, err } = yield* Person.pipe(desk, ["resume", id, "--agent", scripted], "one\ntwo\n")
      assert.deepStrictEqual([code, err], [0, ""])
      const { state } = yield* Person.load(desk, id)
      const turn = ["user", "assistant", "tool", "assistant"]
      assert.deepStrictEqual(state.conversation.map(({ role }) => role), [...turn, ...turn])
      assert.strictEqual(state.conversation.at(-1)?.content, "sum() is fixed, and all tests pass.")
      assert.deepStrictEqual(state.todos.map(({ status }) => status), ["completed", "completed"])
    }))

  test("answers at the prompt", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk, { conversation: [], todos: [] })
      const { out } = yield* Person.sit(
        desk,
        ["resume", id, "--agent", pathToFileURL(scripted).href],
        ({ shows, type }) =>
          Effect.gen(function*() {
            yield* type("Please look at the tests.<return>")
            yield* shows("→ run", "One test fails: sum() adds one too many.", "[x] Run the tests")
            yield* type("<ctrl-d>")
          })
      )
      assert.include(out, `reprise resume ${id} --dir ${desk.sessions} --agent ${pathToFileURL(scripted).href}`)
    }))

  test("that fails is told of, and the session goes on", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const { err } = yield* Person.sit(desk, ["resume", id, "--agent", agent("failing")], ({ shows, type }) =>
        Effect.gen(function*() {
          yield* shows("error: The agent failed.", "why: no model answers\n")
          yield* type("hello<return>")
          yield* shows("  hello\n\n>")
          yield* type("<ctrl-d>")
        }))
      assert.strictEqual(err, "")
      const piped = yield* Person.pipe(desk, ["resume", id, "--agent", agent("failing")], "again\n")
      assert.strictEqual(piped.code, 0)
      assert.include(piped.err, "why: no model answers")
      const json = yield* Person.pipe(desk, ["resume", id, "--agent", agent("failing"), "--json"], "more\n")
      assert.include(json.out.split("\n"), `{"event":"agent","why":"no model answers"}`)
      assert.deepStrictEqual(Person.said((yield* Person.load(desk, id)).state), [...before, "hello", "again", "more"])
    }))

  test("prints above the prompt, and nothing that the terminal would act on", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      yield* Person.sit(desk, ["resume", id, "--agent", agent("chatty")], ({ shows, type }) =>
        Effect.gen(function*() {
          yield* type("hel")
          yield* shows("> hel")
          yield* type("lo<return>")
          yield* shows("\nheard hello\\x1b[2J\n", "\n  hello\n", "\n>\nenter send")
          yield* type("<ctrl-d>")
        }))
    }))

  test("that comes to its end says so", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      yield* Person.sit(desk, ["resume", id, "--agent", agent("ending")], ({ shows, type }) =>
        Effect.andThen(shows("  That is all.", "The agent has ended."), type("<ctrl-d>")))
      const { out } = yield* Person.pipe(desk, ["resume", id, "--agent", agent("idle"), "--json"], "hello\n")
      assert.include(out.split("\n"), `{"event":"agent"}`)
    }))

  const refused = {
    "is not there": ["missing", "There is no file"],
    "can't be loaded": ["throwing", "It can't be loaded: out of order"],
    "has no default export": ["nameless", "It has no default export."],
    "exports an Effect": ["constant", "Its default export is an Effect that is not given the session."]
  } as const
  for (const [what, [name, why]] of Object.entries(refused)) {
    test(`that ${what} is refused before a session is touched`, (desk) =>
      Effect.gen(function*() {
        const id = yield* Person.store(desk)
        const { code, err, out } = yield* Person.pipe(desk, ["resume", id, "--agent", agent(name)], "hello\n")
        assert.deepStrictEqual([code, out], [2, ""])
        assert.include(err, "is no agent.")
        assert.include(err, why)
        assert.deepStrictEqual(Person.said((yield* Person.load(desk, id)).state), before)
      }))
  }

  test("that returns no Effect has failed", (desk) =>
    Effect.gen(function*() {
      const id = yield* Person.store(desk)
      const { code, err } = yield* Person.pipe(desk, ["resume", id, "--agent", agent("promising")], "hello\n")
      assert.strictEqual(code, 0)
      assert.include(err, "It returned what is of type object, and no Effect.")
    }))
})
