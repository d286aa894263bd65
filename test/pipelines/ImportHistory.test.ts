import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { type Session, SessionId, Sessions, SessionStore } from "effect-reprise"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import * as Dice from "../hostile/fuzzing/dice.ts"
import * as Mutate from "../hostile/fuzzing/mutate.ts"
import * as Histories from "../suites/history.ts"
import * as Rig from "../suites/rig.ts"
import * as Stack from "../suites/stack.ts"

const collect = (target: string, options: Sessions.ImportHistoryOptions = {}) =>
  Stream.runCollect(Sessions.importHistory(target, options))

type Report = Extract<Sessions.HistoryOutcome, { readonly _tag: "Imported" | "AlreadyStored" }>

const isReport = (outcome: Sessions.HistoryOutcome): outcome is Report =>
  outcome._tag === "Imported" || outcome._tag === "AlreadyStored"

/** Lines in a file of a workspace, imported. */
const importing = Effect.fnUntraced(function*(
  lines: string | Uint8Array | ReadonlyArray<unknown>,
  options: Sessions.ImportHistoryOptions & { readonly name?: string } & Pick<Stack.Options, "limits"> = {}
) {
  const { project, root, sessions } = yield* Rig.workspace
  const file = NodePath.join(root, options.name ?? "history.jsonl")
  NodeFs.writeFileSync(
    file,
    typeof lines === "string" || lines instanceof Uint8Array
      ? lines
      : lines.map((line) => typeof line === "string" ? line : JSON.stringify(line)).join("\n")
  )
  return yield* Stack.run(
    Effect.gen(function*() {
      const outcomes = yield* collect(file, { defaultProject: project, ...options })
      const reports = outcomes.filter(isReport)
      const states = yield* Effect.forEach(reports, ({ id }) => Effect.map(Sessions.load(id), ({ state }) => state))
      return { outcomes, reports, states, project, stored: Stack.everything(sessions) }
    }),
    { sessions, ...(options.limits === undefined ? {} : { limits: options.limits }) }
  )
})

/** The one session that came of it. */
const only = <A>(found: { readonly reports: ReadonlyArray<Report>; readonly states: ReadonlyArray<A> }) => {
  const [report] = found.reports
  const [state] = found.states
  assert.lengthOf(found.reports, 1)
  assert.isDefined(report)
  assert.isDefined(state)
  return { report, state }
}

const reasonsOf = ({ records }: Pick<Report, "records">) =>
  Object.fromEntries(records.reasons.map(({ count, outcome, reason }) => [`${outcome}: ${reason}`, count]))

const sessionId = "0f8fad5b-d9cb-469f-a165-70867728950e"

/** Records of Claude Code, each after the one before it. */
const claude = (...said: ReadonlyArray<readonly ["user" | "assistant", unknown, object?]>) =>
  said.map(([type, content, extra = {}], index) => ({
    parentUuid: index === 0 ? null : `u${index}`,
    uuid: `u${index + 1}`,
    sessionId,
    cwd: "/tmp",
    timestamp: `2026-01-05T09:30:${String(index % 60).padStart(2, "0")}Z`,
    type,
    message: { role: type, content, ...(type === "assistant" ? { id: `m${index}`, model: "claude" } : {}) },
    ...extra
  }))

const textsOf = (conversation: ReadonlyArray<Session.Message>) =>
  conversation.map(({ content, role }) =>
    `${role}: ${
      typeof content === "string"
        ? content
        : content.map((part) => part.type === "text" || part.type === "reasoning" ? part.text : part.type).join(" ")
    }`
  )

describe("Importing what an agent keeps of its sessions", () => {
  for (const agent of Histories.agents) {
    it.effect(`gives each session of it, message by message, with its counts: ${agent}`, () =>
      Effect.gen(function*() {
        const { sessions } = yield* Rig.workspace
        yield* Stack.run(
          Effect.gen(function*() {
            const outcomes = yield* collect(`${Histories.fixtures}${agent}`, { defaultProject: "/tmp" })
            const expected = Histories.expected(agent)
            assert.sameMembers(outcomes.filter(isReport).map(({ original }) => original), Object.keys(expected))
            assert.isTrue(outcomes.every(({ _tag }) => _tag === "Imported"))
            for (const report of outcomes.filter(isReport)) {
              const wanted = expected[report.original]
              const { report: loaded, state } = yield* Sessions.load(report.id)
              const { conversation, session, todos, usage } = state
              const { config, createdAt, metadata, name, updatedAt } = session
              assert.deepStrictEqual<unknown>(
                { name, config, createdAt, updatedAt, conversation, todos, usage, metadata },
                wanted?.session
              )
              assert.strictEqual(report.id, wanted?.id)
              assert.strictEqual(report.parent, wanted?.parent)
              assert.deepStrictEqual<unknown>(report.records, wanted?.records)
              assert.strictEqual(loaded.status, "closed")
              const { cwd } = Histories.historyOf(session.metadata)
              assert.strictEqual(session.projectPath, cwd ?? "/tmp")
              assert.strictEqual(report.projectExists, cwd === undefined)
              Histories.assertAcceptable(conversation)
            }
          }),
          { sessions }
        )
      }))
  }

  it.effect("finds the sessions again that it brought in before, and changes nothing", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const options = { defaultProject: project }
      const ids = yield* Stack.run(
        Effect.map(collect(Histories.fixtures, options), (all) => all.filter(isReport).map(({ id }) => id)),
        { sessions }
      )
      const before = Stack.everything(sessions)
      const again = yield* Stack.run(collect(Histories.fixtures, options), { sessions })
      assert.deepStrictEqual(again.filter(isReport).map(({ id }) => id), ids)
      assert.isTrue(again.filter(isReport).every(({ _tag }) => _tag === "AlreadyStored"))
      assert.deepStrictEqual(Stack.everything(sessions), before)
    }))

  it.effect("says when the session is in the trash, and leaves it there", () =>
    Effect.gen(function*() {
      const { sessions } = yield* Rig.workspace
      const file = `${Histories.fixtures}pi/version1.jsonl`
      yield* Stack.run(
        Effect.gen(function*() {
          const [first] = (yield* collect(file)).filter(isReport)
          assert.isDefined(first)
          yield* Sessions.remove(first.id)
          const [again] = yield* collect(file)
          assert.deepInclude(again, { _tag: "AlreadyStored", isRemoved: true, id: first.id })
        }),
        { sessions }
      )
    }))

  it.effect("makes a second session of it with copy", () =>
    Effect.gen(function*() {
      const { sessions } = yield* Rig.workspace
      const file = `${Histories.fixtures}pi/version1.jsonl`
      const [first, second] = yield* Stack.run(
        Effect.all([collect(file), collect(file, { copy: true })]),
        { sessions }
      )
      assert.strictEqual(first[0]?._tag, "Imported")
      assert.strictEqual(second[0]?._tag, "Imported")
      assert.notStrictEqual(first.find(isReport)?.id, second.find(isReport)?.id)
    }))

  it.effect("leaves the files as they are", () =>
    Effect.gen(function*() {
      const { sessions } = yield* Rig.workspace
      const before = Stack.everything(Histories.fixtures)
      yield* Stack.run(collect(Histories.fixtures, { defaultProject: "/tmp" }), { sessions })
      assert.deepStrictEqual(Stack.everything(Histories.fixtures), before)
    }))

  it.effect("leaves out what sub-agents said if it is told to, and says so", () =>
    Effect.gen(function*() {
      const { sessions } = yield* Rig.workspace
      const outcomes = yield* Stack.run(collect(`${Histories.fixtures}claude-code`, { subagents: false }), { sessions })
      assert.deepStrictEqual(outcomes.map(({ _tag }) => _tag), ["Imported", "Ignored", "Ignored"])
    }))

  it.effect("reads a session of OpenCode by its file as well", () =>
    Effect.gen(function*() {
      const { sessions } = yield* Rig.workspace
      const file = Histories.filesBelow(`${Histories.fixtures}opencode/storage/session`)[0] ?? ""
      const outcomes = yield* Stack.run(collect(file), { sessions })
      assert.deepStrictEqual(outcomes.filter(isReport).map(({ messages }) => messages), [2])
    }))

  it.effect("takes the name that Gemini CLI keeps of a project beside its chats", () =>
    Effect.gen(function*() {
      const { project, root, sessions } = yield* Rig.workspace
      const chats = NodePath.join(root, "gemini", "chats")
      NodeFs.mkdirSync(chats, { recursive: true })
      NodeFs.writeFileSync(NodePath.join(root, "gemini", ".project_root"), project)
      NodeFs.writeFileSync(
        NodePath.join(chats, "session-1.json"),
        JSON.stringify({
          sessionId,
          projectHash: "abc",
          startTime: "2026-01-05T09:30:00.000Z",
          lastUpdated: "2026-01-05T09:30:00.000Z",
          messages: [{ id: "1", timestamp: "2026-01-05T09:30:00.000Z", type: "user", content: "Hello" }]
        })
      )
      const outcomes = yield* Stack.run(collect(root), { sessions })
      assert.deepInclude(outcomes.find(isReport), {
        _tag: "Imported",
        id: SessionId.make(sessionId),
        projectPath: project,
        projectExists: true
      })
    }))
})

describe("Where an imported session works", () => {
  const lines = claude(["user", "Hello"])

  it.effect("is the directory that the history names, if it is there", () =>
    Effect.gen(function*() {
      const { project } = yield* Rig.workspace
      const { report } = only(yield* importing(lines.map((line) => ({ ...line, cwd: project }))))
      assert.deepInclude(report, { projectPath: project, projectExists: true })
    }))

  it.effect("is the one that is asked for, which must be there", () =>
    Effect.gen(function*() {
      const { project } = yield* Rig.workspace
      const { report } = only(yield* importing(lines, { project }))
      assert.strictEqual(report.projectPath, project)
      const { outcomes, stored } = yield* importing(lines, { project: `${project}/nowhere` })
      assert.strictEqual(outcomes[0]?._tag, "Failed")
      assert.deepStrictEqual(stored, [])
    }))

  it.effect("is the default one, if the history names none, or one of another system", () =>
    Effect.gen(function*() {
      for (const cwd of [undefined, "C:\\Users\\somebody\\project", "relative", "/with\0nul"]) {
        const found = yield* importing(lines.map((line) => ({ ...line, cwd })))
        assert.strictEqual(only(found).report.projectPath, found.project)
      }
    }))

  it.effect("is missing where nothing tells it, and then nothing is stored", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* Rig.workspace
      const file = NodePath.join(root, "history.jsonl")
      NodeFs.writeFileSync(file, JSON.stringify({ ...lines[0], cwd: undefined }))
      const [outcome] = yield* Stack.run(collect(file), { sessions })
      assert.strictEqual(outcome?._tag, "Failed")
      assert.deepStrictEqual(Stack.everything(sessions), [])
    }))
})

describe("A history with something wrong in it", () => {
  const good = claude(["user", "Hello"], ["assistant", [{ type: "text", text: "Hi" }]])
  const deep = `{"type":"user","sessionId":"${sessionId}","uuid":"d","message":{"content":${"[".repeat(200)}${
    "]".repeat(200)
  }}}`

  it.effect("comes in without its bad lines, each of them counted with the reason", () =>
    Effect.gen(function*() {
      const found = only(
        yield* importing([
          "not json",
          good[0],
          "{\"type\":\"user\",",
          "[]",
          "42",
          deep,
          "",
          "   ",
          "\0\0\0",
          `{"type":"user","sessionId":"${sessionId}","x":1e999}`,
          good[1]
        ])
      )
      assert.deepStrictEqual(textsOf(found.state.conversation), ["user: Hello", "assistant: Hi"])
      assert.deepStrictEqual(reasonsOf(found.report), {
        "skipped: not JSON": 3,
        "skipped: not an object": 2,
        "skipped: nested deeper than 52 levels": 1,
        "skipped: a number that is too large": 1
      })
      assert.strictEqual(found.report.records.read, 9)
    }))

  it.effect("keeps what a line says whose text or numbers need mending", () =>
    Effect.gen(function*() {
      const { report, state } = only(
        yield* importing([
          ...good,
          `{"parentUuid":"u2","uuid":"u3","sessionId":"${sessionId}","type":"user","message":{"role":"user","content":"cut \\ud83d off"}}`,
          `{"parentUuid":"u3","uuid":"u4","sessionId":"${sessionId}","type":"assistant","message":{"id":"m9","role":"assistant","content":[{"type":"tool_use","id":"t","name":"n","input":{"id":12345678901234567890}}]}}`
        ])
      )
      assert.include(textsOf(state.conversation), "user: cut \uFFFD off")
      assert.include(JSON.stringify(state.conversation), "12345678901234567000")
      assert.sameDeepMembers([...report.records.changes], [
        { change: "text that is not well-formed Unicode: mended", count: 1 },
        { change: "a number that a double can't hold: rounded", count: 1 },
        { change: "a call without a result: answered as interrupted", count: 1 }
      ])
    }))

  it.effect("keeps keys that are dangerous elsewhere, and NUL, as what they are", () =>
    Effect.gen(function*() {
      const input: unknown = JSON.parse(
        "{\"__proto__\":{\"polluted\":true},\"constructor\":{\"prototype\":1},\"nul\":\"a\\u0000b\"}"
      )
      const { state } = only(
        yield* importing([
          `{"__proto__":{"type":"user"},"sessionId":"${sessionId}","uuid":"p"}`,
          ...claude(["user", "Hello"], ["assistant", [{ type: "tool_use", id: "t", name: "__proto__", input }]])
        ])
      )
      const [call] = state.conversation[1]?.content ?? []
      assert.strictEqual(
        JSON.stringify(call),
        JSON.stringify({ type: "tool-call", id: "t", name: "__proto__", params: input })
      )
      assert.isUndefined(Object.getOwnPropertyDescriptor(Object.prototype, "polluted"))
    }))

  it.effect("leaves out a line that is longer than a session may be, in the memory of one", () =>
    Effect.gen(function*() {
      const { report, state } = only(
        yield* importing([good[0], { ...good[1], filler: "x".repeat(200_000) }, good[1]], {
          limits: { maxBytes: 100_000 }
        })
      )
      assert.lengthOf(state.conversation, 2)
      assert.deepStrictEqual(reasonsOf(report), { "skipped: longer than 100000 bytes": 1 })
    }))

  it.effect("comes in from bytes that are no UTF-8, with a byte order mark and with other line ends", () =>
    Effect.gen(function*() {
      const [one, two] = good.map((line) => Buffer.from(JSON.stringify(line)))
      const broken = Buffer.from(
        JSON.stringify(claude(["user", "a?b"])[0]).replace("null", "\"u2\"").replace("u1", "u3")
      )
      broken[broken.indexOf("a?b") + 1] = 0xff
      const { report, state } = only(
        yield* importing(
          Buffer.concat([
            Buffer.from("\uFEFF"),
            one ?? broken,
            Buffer.from("\r\n"),
            two ?? broken,
            Buffer.from("\r\n"),
            broken
          ])
        )
      )
      assert.deepStrictEqual(textsOf(state.conversation), ["user: Hello", "assistant: Hi", "user: a\uFFFDb"])
      assert.deepStrictEqual(report.records.changes, [{ change: "bytes that are no UTF-8: replaced", count: 1 }])
    }))

  it.effect("is refused if it is nobody's, and stores nothing", () =>
    Effect.gen(function*() {
      for (const content of ["", "{}", "hello", "[1,2,3]", "{\"messages\":[]}", "{\"type\":\"x\"}\n".repeat(500)]) {
        for (const name of ["history.jsonl", "history.json"]) {
          const { outcomes, stored } = yield* importing(content, { name })
          assert.strictEqual(outcomes[0]?._tag, "Failed", `${name} ${content.slice(0, 20)}`)
          assert.deepStrictEqual(stored, [])
        }
      }
    }))

  it.effect("is empty where nothing was said, and stores nothing", () =>
    Effect.gen(function*() {
      const { outcomes, stored } = yield* importing([{ type: "summary", summary: "Elsewhere", leafUuid: "x" }])
      assert.strictEqual(outcomes[0]?._tag, "Empty")
      assert.deepStrictEqual(stored, [])
    }))

  it.effect("does not stop the others of a directory, of which what is no history is told", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* Rig.workspace
      const directory = NodePath.join(root, "all")
      NodeFs.mkdirSync(NodePath.join(directory, "deeper"), { recursive: true })
      const write = (name: string, content: string) => NodeFs.writeFileSync(NodePath.join(directory, name), content)
      write("a.jsonl", good.map((line) => JSON.stringify(line)).join("\n"))
      write("b.jsonl", "nothing of interest")
      write("c.jsonl.zst", "packed")
      write("opencode.db", "SQLite format 3")
      write("d.md", "# Notes")
      write("deeper/e.json", "{\"settings\":true}")
      NodeFs.symlinkSync(directory, NodePath.join(directory, "deeper", "around"))
      const outcomes = yield* Stack.run(collect(directory, { defaultProject: root }), { sessions })
      assert.sameDeepMembers(outcomes.map(({ _tag, source }) => [_tag, NodePath.basename(source)]), [
        ["Imported", "a.jsonl"],
        ["Ignored", "b.jsonl"],
        ["Failed", "c.jsonl.zst"],
        ["Failed", "opencode.db"],
        ["Ignored", "e.json"]
      ])
    }))

  it.effect("fails as a whole only where there is nothing to read", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* Rig.workspace
      const error = yield* Effect.flip(Stack.run(collect(`${root}/nowhere`), { sessions }))
      assert.strictEqual(error._tag, "StoreError")
    }))
})

describe("A history that is larger than a session may be", () => {
  const turn = (number: number, length: number) =>
    claude(["user", `Question ${number}`], ["assistant", [{ type: "text", text: "x".repeat(length) }]])
  const turns = (count: number, length: number) =>
    Array.from({ length: count }, (_, number) => turn(number, length)).flat().map((line, index) => ({
      ...line,
      uuid: `u${index + 1}`,
      parentUuid: index === 0 ? null : `u${index}`,
      ...(line.type === "assistant" ? { message: { ...line.message, id: `m${index}` } } : {})
    }))
  const limits = { maxBytes: 100_000 }

  it.effect("comes in with its newest turns, has room to go on, and says what is left out", () =>
    Effect.gen(function*() {
      const found = yield* importing(turns(100, 5_000), { limits })
      const { report, state } = only(found)
      assert.strictEqual(textsOf(state.conversation).at(-2), "user: Question 99")
      assert.match(textsOf(state.conversation)[0] ?? "", /^user: Question \d+$/)
      assert.strictEqual(report.messages + report.leftOut, 200)
      assert.strictEqual(report.records.mapped, report.messages)
      assert.strictEqual(reasonsOf(report)["skipped: older than what fits into a session"], report.leftOut)
      assert.isAbove(report.messages, 24)
      assert.deepInclude(state.session.metadata["history"], { leftOut: report.leftOut })
      const snapshot = found.stored.find((line) => line.includes("session.json")) ?? ""
      assert.isBelow(snapshot.length, 81_000)
    }))

  it.effect("is refused instead, if it is told to", () =>
    Effect.gen(function*() {
      const { outcomes, stored } = yield* importing(turns(100, 5_000), { limits, whenTooLarge: "refuse" })
      assert.strictEqual(outcomes[0]?._tag, "Failed")
      assert.deepStrictEqual(stored, [])
    }))

  it.effect("comes in with the beginning and the newest steps of its last turn, if that is too large itself", () =>
    Effect.gen(function*() {
      const steps = claude(
        ["user", "Work on"],
        ...Array.from({ length: 100 }, (_, step) => [
          ["assistant", [{ type: "tool_use", id: `t${step}`, name: "run", input: {} }]] as const,
          ["user", [{ type: "tool_result", tool_use_id: `t${step}`, content: "y".repeat(2_000) }]] as const
        ]).flat()
      )
      const { report, state } = only(yield* importing(steps, { limits }))
      assert.strictEqual(textsOf(state.conversation)[0], "user: Work on")
      Histories.assertAcceptable(state.conversation)
      assert.isAbove(report.leftOut, 100)
      assert.strictEqual(report.messages + report.leftOut, 201)
    }))

  it.effect("comes in with notes in the place of parts that are too large for any session", () =>
    Effect.gen(function*() {
      const { report, state } = only(
        yield* importing(
          claude(
            ["user", [{ type: "text", text: "Look" }, {
              type: "image",
              source: { type: "base64", media_type: "image/png", data: "A".repeat(30_000) }
            }]],
            ["assistant", [{ type: "tool_use", id: "t", name: "run", input: { script: "z".repeat(40_000) } }]],
            ["user", [{ type: "tool_result", tool_use_id: "t", content: "w".repeat(40_000) }]]
          ),
          { limits }
        )
      )
      Histories.assertAcceptable(state.conversation)
      assert.lengthOf(state.conversation, 3)
      assert.include(
        report.records.changes.map(({ change }) => change),
        "a part that is too large: a note stands for it"
      )
      assert.include(JSON.stringify(state.conversation), "left out on import")
    }))

  it.effect("is refused like any other session when there is no room for one more", () =>
    Effect.gen(function*() {
      const { outcomes, stored } = yield* importing(turns(1, 10), { limits: { maxStored: 0 } })
      assert.strictEqual(outcomes[0]?._tag, "Failed")
      assert.deepStrictEqual(stored, [])
    }))
})

describe("Any history", () => {
  const seeds = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))
  const files = Histories.agents.flatMap((agent) =>
    Histories.filesBelow(`${Histories.fixtures}${agent}`).filter((file) => !file.includes("/storage/"))
  )

  /** The value as a text, with some of what is in it replaced by anything else. */
  const distorted = (dice: Dice.Dice, value: Schema.Json): string => {
    if (dice.below(40) === 0) return Mutate.json(dice, 2)
    if (typeof value !== "object" || value === null) return JSON.stringify(value)
    return Array.isArray(value)
      ? `[${value.map((each: Schema.Json) => distorted(dice, each)).join(",")}]`
      : `{${
        Object.entries(value).map(([key, member]) => `${JSON.stringify(key)}:${distorted(dice, member)}`).join(",")
      }}`
  }

  const decodeJson = Schema.decodeSync(Schema.fromJsonString(Schema.Json))

  /** Fails unless what came of it is a session that can be gone on with, and each record was counted once. */
  const assertSound = ({ outcomes, reports, states }: Effect.Success<ReturnType<typeof importing>>) => {
    for (const outcome of outcomes) {
      // What it says may be nobody's history any more; it is never anything else.
      if (outcome._tag === "Failed") assert.strictEqual(outcome.error._tag, "InvalidJson")
    }
    for (const [index, { messages, records }] of reports.entries()) {
      assert.strictEqual(records.read, records.mapped + records.kept + records.skipped)
      assert.strictEqual(records.reasons.reduce((sum, { count }) => sum + count, 0), records.kept + records.skipped)
      assert.lengthOf(states[index]?.conversation ?? [], messages)
      Histories.assertAcceptable(states[index]?.conversation ?? [])
    }
  }

  const keysOf = (value: Schema.Json): ReadonlyArray<string> => {
    if (typeof value !== "object" || value === null) return []
    if (Array.isArray(value)) return value.flatMap((each: Schema.Json) => keysOf(each))
    return Object.entries(value).flatMap(([key, member]) => [key, ...keysOf(member)])
  }

  const without = (value: Schema.Json, key: string): Schema.Json => {
    if (typeof value !== "object" || value === null) return value
    if (Array.isArray(value)) return value.map((each: Schema.Json) => without(each, key))
    return Object.fromEntries(
      Object.entries(value).flatMap(([name, member]) => name === key ? [] : [[name, without(member, key)]])
    )
  }

  for (const file of files) {
    it.effect(`never fails for a member that all its records lack (each third one): ${NodePath.basename(file)}`, () =>
      Effect.gen(function*() {
        const text = NodeFs.readFileSync(file, "utf8")
        const records = (file.endsWith(".json") ? [text] : text.split("\n").filter((line) => line.trim().endsWith("}")))
          .map((line) => decodeJson(line))
        const keys = [...new Set(records.flatMap(keysOf))]
        for (const key of keys.filter((_, index) => index % 3 === file.length % 3)) {
          const lines = records.map((record) => without(record, key))
          assertSound(yield* importing(lines, { name: NodePath.basename(file) }))
        }
      }))
  }

  it.effect.prop(
    "never fails for members that are missing, or of another kind than its records have",
    [seeds],
    ([seed]) =>
      Effect.gen(function*() {
        const dice = Dice.make(seed)
        const file = dice.pick(files) ?? ""
        const text = NodeFs.readFileSync(file, "utf8")
        const whole = file.endsWith(".json") ? [text] : text.split("\n")
        const lines = whole.flatMap((line) => line.trim().endsWith("}") ? [distorted(dice, decodeJson(line))] : [])
        assertSound(yield* importing(lines, { name: NodePath.basename(file) }))
      }),
    { arbitrary: { runs: 40, seed: 11 } }
  )

  it.effect.prop(
    "never fails for what is in it, counts each record once, and becomes a session that a model would take",
    [seeds],
    ([seed]) =>
      Effect.gen(function*() {
        const dice = Dice.make(seed)
        const file = dice.pick(files) ?? ""
        const lines = NodeFs.readFileSync(file, "utf8").split("\n").filter((line) => line !== "")
        const chosen = file.endsWith(".jsonl")
          ? lines.flatMap((line) => dice.below(6) === 0 ? [] : dice.below(8) === 0 ? [line, line] : [line])
          : lines
        const shuffled = dice.below(3) === 0 ? chosen.sort(() => dice.below(3) - 1) : chosen
        let bytes: Uint8Array = Buffer.from(shuffled.join("\n"))
        for (let times = dice.below(8); times > 0; times--) bytes = Mutate.mutated(dice, bytes)
        assertSound(
          yield* importing(bytes, {
            name: NodePath.basename(file),
            limits: dice.below(2) === 0 ? { maxBytes: 20_000 } : {}
          })
        )
      }),
    { arbitrary: { runs: 40, seed: 7 } }
  )

  it.effect("is found in the store under an id of this library, whatever the agent calls it", () =>
    Effect.gen(function*() {
      const { sessions } = yield* Rig.workspace
      yield* Stack.run(
        Effect.gen(function*() {
          const outcomes = yield* collect(Histories.fixtures, { defaultProject: "/tmp" })
          const entries = yield* SessionStore.SessionStore.use(({ entries }) => Stream.runCollect(entries))
          assert.sameMembers(
            entries.flatMap((entry) => "id" in entry ? [String(entry.id)] : []),
            outcomes.filter(isReport).map(({ id }) => id)
          )
          assert.isTrue(outcomes.filter(isReport).every(({ id }) => SessionId.isSessionId(id)))
        }),
        { sessions }
      )
    }))
})
