import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, FileSystem, type Layer, Result, Schema } from "effect"
import { type RunningSession, Session, type SessionId, Sessions, Supervisor, Timestamp } from "effect-reprise"
import { TestClock } from "effect/testing"
import * as NodeAssert from "node:assert"
import * as Rig from "../suites/rig.ts"

type Services = Layer.Success<ReturnType<typeof Rig.layer>>
type Space = Effect.Success<typeof Rig.workspace>

const overFiles = <A, E>(
  program: (space: Space) => Effect.Effect<A, E, Services>,
  options: Omit<Rig.RigOptions, "sessions"> = {}
) =>
  Effect.flatMap(
    Rig.workspace,
    (workspace) =>
      Effect.provide(program(workspace), Rig.layer({ ...options, sessions: workspace.sessions }), { local: true })
  )

/** Equal in every own member, prototypes and all; and so in its JSON. */
const assertSame = (found: Session.SessionState, expected: Session.SessionState) => {
  NodeAssert.deepStrictEqual(found, expected)
  assert.strictEqual(JSON.stringify(found), JSON.stringify(expected))
}

/** What a crash at this moment leaves, loaded by another process. */
const loadCrashed = Effect.fnUntraced(function*({ root, sessions }: Space, id: SessionId.SessionId) {
  const fs = yield* FileSystem.FileSystem
  const image = `${yield* fs.makeTempDirectoryScoped({ directory: root })}/image`
  yield* fs.copy(sessions, image)
  return yield* Effect.provide(Sessions.load(id), Rig.layer({ sessions: image }), { local: true })
}, Effect.scoped)

/** Texts that have broken programs before. */
const naughty = [
  "",
  " ",
  "\0",
  "a\0b",
  "\u0001\u001f\u007f\u0080\u009f",
  "\n",
  "\r\n",
  "\t\v\f\b",
  "\u2028\u2029",
  "\u200b\u200e\u202e\u2066evil\u2069",
  "\ufeff",
  "\ufffe\uffff\ufffd",
  "\ud7ff\ue000",
  "\u{10ffff}\u{1f98a}",
  "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪",
  "Z̡̢̛̗̘̙͓̰ͣ͆a̷lgo",
  "é vs é",
  "ﷺ ﷽ 田中さん مرحبا שלום",
  "\\",
  "\\\\",
  "\\u0000",
  "\\ud83d",
  "\"",
  "'`",
  "\",\"signature\":\"",
  ",\"signature\":\"hs256.test.AAAA\"}",
  ",\"mac\":\"AAAA\"}\n",
  "]\n}",
  "}\n{\"seq\":1,\"batch\":1,",
  "\",\"config\":{",
  "],\"todos\":[",
  "{\"version\":3,\"id\":",
  "</script><script>alert(1)</script>",
  "%00 %s %d %n ${jndi:ldap://x} {{7*7}}",
  "'; DROP TABLE sessions; --",
  "../../etc/passwd",
  "CON",
  "null",
  "undefined",
  "NaN",
  "true",
  "0",
  "-0",
  "1e999",
  "9007199254740993",
  "__proto__",
  "constructor",
  "prototype",
  "toString",
  "hasOwnProperty",
  "valueOf",
  "then",
  "length",
  "toJSON",
  "\u001b[31mred\u001b[0m",
  "x".repeat(5000)
]

const bytes = (text: string) => new TextEncoder().encode(text).length

const number = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

const oneOf = <A>(first: Arbitrary.Arbitrary<A>, ...others: ReadonlyArray<Arbitrary.Arbitrary<A>>) =>
  Arbitrary.flatMap(number(0, others.length), (index) => others[index - 1] ?? first)

const codePoint = Arbitrary.map(
  oneOf(number(0, 0x7f), number(0, 0x7ff), number(0, 0xd7ff), number(0xe000, 0xffff), number(0x10000, 0x10ffff)),
  (code) => String.fromCodePoint(code)
)

const text = oneOf(
  Arbitrary.map(Arbitrary.array(codePoint, { maxLength: 12 }), (characters) => characters.join("")),
  Arbitrary.map(number(0, naughty.length - 1), (index) => naughty[index] ?? "")
)

const isJson = Schema.is(Schema.Json)

/** JSON as it is after a trip through text: no -0, and well-formed. */
const json = Arbitrary.filterMap(Arbitrary.schema(Schema.Json), (value) => {
  const copied: unknown = JSON.parse(JSON.stringify(value))
  return isJson(copied) && !/\\ud[89a-f]/.test(JSON.stringify(copied)) ? Result.succeed(copied) : Result.failVoid
})

const further = Arbitrary.map(
  Arbitrary.array(Arbitrary.all([text, oneOf(json, text)]), { maxLength: 3 }),
  (members): { readonly [member: string]: Schema.Json } =>
    Object.fromEntries(members.map(([key, value]) => [`+${key}`, value]))
)

/** Metadata may have any key at all. */
const metadata = Arbitrary.map(
  Arbitrary.array(Arbitrary.all([text, oneOf(json, text)]), { maxLength: 6 }),
  (members): { readonly [member: string]: Schema.Json } => Object.fromEntries(members)
)

const boolean = Arbitrary.schema(Schema.Boolean)

const part: Arbitrary.Arbitrary<Session.Part> = oneOf<Session.Part>(
  Arbitrary.map(Arbitrary.all([text, further]), ([text, more]) => ({ ...more, type: "text", text })),
  Arbitrary.map(Arbitrary.all([text, further]), ([text, more]) => ({ ...more, type: "reasoning", text })),
  Arbitrary.map(
    Arbitrary.all([text, json, further]),
    ([mediaType, data, more]) => ({ ...more, type: "file", mediaType, data })
  ),
  Arbitrary.map(
    Arbitrary.all([text, text, json, further]),
    ([id, name, params, more]) => ({ ...more, type: "tool-call", id, name, params })
  ),
  Arbitrary.map(
    Arbitrary.all([text, text, boolean, json, further]),
    ([id, name, isFailure, result, more]) => ({ ...more, type: "tool-result", id, name, isFailure, result })
  ),
  Arbitrary.map(
    Arbitrary.all([text, text, further]),
    ([approvalId, toolCallId, more]) => ({ ...more, type: "tool-approval-request", approvalId, toolCallId })
  ),
  Arbitrary.map(
    Arbitrary.all([text, boolean, further]),
    ([approvalId, approved, more]) => ({ ...more, type: "tool-approval-response", approvalId, approved })
  )
)

const role = Arbitrary.schema(Session.Role)

const usage = Arbitrary.map(
  Arbitrary.all([number(0, 1_000_000), number(0, 1_000_000), number(0, 100_000)]),
  ([inputTokens, outputTokens, cents]) => ({ inputTokens, outputTokens, totalCost: cents / 100 })
)

const message: Arbitrary.Arbitrary<Session.MessageInput> = Arbitrary.map(
  Arbitrary.all([
    role,
    oneOf<string | ReadonlyArray<Session.Part>>(text, Arbitrary.array(part, { maxLength: 4 })),
    further,
    oneOf<Session.Usage | undefined>(Arbitrary.Constant(undefined), usage),
    oneOf<string | undefined>(Arbitrary.Constant(undefined), text)
  ]),
  ([role, content, more, usage, id]): Session.MessageInput => ({
    ...more,
    role,
    content,
    ...(usage === undefined ? {} : { usage }),
    ...(id === undefined || id === "" ? {} : { id })
  })
)

const todo: Arbitrary.Arbitrary<Session.Todo> = Arbitrary.map(
  Arbitrary.all([text, text, Arbitrary.schema(Schema.Literals(["pending", "in_progress", "completed"])), further]),
  ([content, activeForm, status, more]) => ({ ...more, content, activeForm, status })
)

const config: Arbitrary.Arbitrary<Session.SessionConfig> = Arbitrary.map(
  Arbitrary.all([number(0, 200), number(1, 1_000_000), further]),
  ([temperature, maxTokens, more]) => ({
    ...more,
    provider: "p",
    model: "m",
    temperature: temperature / 100,
    maxTokens
  })
)

const isName = Schema.is(Session.Name)

/** One thing that happens to a running session, and what it makes of what is expected. */
type Step = (session: RunningSession, expected: Expected) => Effect.Effect<Expected, unknown, Services>

interface Expected {
  readonly conversation: ReadonlyArray<Session.MessageInput>
  readonly todos: ReadonlyArray<Session.Todo>
  readonly promptHistory: ReadonlyArray<string>
  readonly name: string
  readonly config: Session.SessionConfig
  readonly metadata: Session.Session["metadata"]
  readonly events: number
}

const happens = (change: Effect.Effect<unknown, unknown>, expected: Expected, changes: Partial<Expected>) =>
  Effect.as(change, { ...expected, ...changes, events: expected.events + 1 })

const step: Arbitrary.Arbitrary<Step> = oneOf<Step>(
  Arbitrary.map(message, (message): Step => (session, expected) =>
    Effect.map(session.append(message), (stored) => {
      NodeAssert.deepStrictEqual({ ...stored, ...message }, stored)
      return { ...expected, conversation: [...expected.conversation, stored], events: expected.events + 1 }
    })),
  Arbitrary.map(
    Arbitrary.array(todo, { maxLength: 4 }),
    (todos): Step => (session, expected) => happens(session.replaceTodos(todos), expected, { todos })
  ),
  Arbitrary.map(
    text,
    (prompt): Step => (session, expected) =>
      happens(session.recordPrompt(prompt), expected, { promptHistory: [...expected.promptHistory, prompt] })
  ),
  Arbitrary.map(
    config,
    (config): Step => (session, expected) => happens(session.configure(config), expected, { config })
  ),
  Arbitrary.map(
    metadata,
    (metadata): Step => (session, expected) => happens(session.annotate(metadata), expected, { metadata })
  ),
  Arbitrary.map(
    text,
    (name): Step => (session, expected) =>
      isName(name) ? happens(session.rename(name), expected, { name }) : Effect.succeed(expected)
  )
)

describe("A session under any events", () => {
  it.effect.prop(
    "is the same running, loaded while it runs, after a crash, closed, and resumed",
    { steps: Arbitrary.array(step, { maxLength: 12 }), metadata },
    ({ metadata, steps }) =>
      overFiles((space) =>
        Effect.gen(function*() {
          const session = yield* Sessions.create({ project: space.project, name: "n", config: Rig.config, metadata })
          let expected: Expected = {
            conversation: [],
            todos: [],
            promptHistory: [],
            name: "n",
            config: Rig.config,
            metadata,
            events: 0
          }
          for (const step of steps) {
            yield* TestClock.adjust("1 second")
            expected = yield* step(session, expected)
          }
          const state = yield* session.state
          const { conversation, promptHistory, revision, session: facts, todos } = state
          NodeAssert.deepStrictEqual(
            { conversation, todos, promptHistory, name: facts.name, config: facts.config, metadata: facts.metadata },
            {
              conversation: expected.conversation,
              todos: expected.todos,
              promptHistory: expected.promptHistory,
              name: expected.name,
              config: expected.config,
              metadata: expected.metadata
            }
          )
          assert.strictEqual(revision, expected.events)

          const live = yield* Sessions.load(session.id)
          assertSame(live.state, state)
          assert.strictEqual(live.report.events, expected.events)

          const crashed = yield* loadCrashed(space, session.id)
          assertSame(crashed.state, state)
          assert.strictEqual(crashed.report.status, "interrupted")
          assert.strictEqual(crashed.report.torn, 0)

          yield* Sessions.close(session.id)
          const closed = yield* Sessions.load(session.id)
          assertSame(closed.state, state)
          assert.strictEqual(closed.report.events, 0)

          const resumed = yield* Sessions.resume(session.id)
          assertSame(yield* resumed.state, state)
        })
      ),
    { arbitrary: { runs: 15, seed: 41 } }
  )

  it.effect.prop(
    "is the same after checkpoints, crashes, closes and resumes at any point between them",
    { steps: Arbitrary.array(Arbitrary.all([number(0, 5), step]), { minLength: 1, maxLength: 15 }) },
    ({ steps }) =>
      overFiles((space) =>
        Effect.gen(function*() {
          let session = yield* Sessions.create({ project: space.project, name: "n", config: Rig.config })
          let expected: Expected = {
            conversation: [],
            todos: [],
            promptHistory: [],
            name: "n",
            config: Rig.config,
            metadata: {},
            events: 0
          }
          for (const [between, step] of steps) {
            expected = yield* step(session, expected)
            const before = yield* session.state
            if (between === 0) yield* session.checkpoint
            if (between === 1) assertSame((yield* loadCrashed(space, session.id)).state, before)
            if (between === 2 || between === 3) {
              if (between === 2) yield* Sessions.close(session.id)
              else yield* Supervisor.Supervisor.use(({ discard }) => discard(session.id))
              assertSame((yield* Sessions.load(session.id)).state, before)
              session = yield* Sessions.resume(session.id)
            }
            assertSame(yield* session.state, before)
            assertSame((yield* Sessions.load(session.id)).state, before)
          }
          const state = yield* session.state
          NodeAssert.deepStrictEqual(state.conversation, expected.conversation)
          NodeAssert.deepStrictEqual(state.promptHistory, expected.promptHistory)
          NodeAssert.deepStrictEqual(state.todos, expected.todos)
          assert.strictEqual(state.revision, expected.events)
        })
      ),
    { arbitrary: { runs: 12, seed: 42 } }
  )
})

describe("A conversation", () => {
  it.effect("keeps its order and doubles nothing over 100 cycles of close and resume", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const { id } = yield* Sessions.create({ project, config: Rig.config })
      yield* Sessions.close(id)
      for (let cycle = 0; cycle < 100; cycle++) {
        const session = yield* Sessions.resume(id)
        yield* session.append({ role: cycle % 2 === 0 ? "user" : "assistant", content: `message ${cycle}` })
        yield* session.recordPrompt(`prompt ${cycle}`)
        yield* session.replaceTodos([{ content: `todo ${cycle}`, status: "pending", activeForm: "doing" }])
        yield* Sessions.close(id)
      }
      const { report, state } = yield* Sessions.load(id)
      const numbers = Array.from({ length: 100 }, (_, cycle) => cycle)
      assert.deepStrictEqual(state.conversation.map(({ content }) => content), numbers.map((n) => `message ${n}`))
      assert.deepStrictEqual(state.promptHistory, numbers.map((n) => `prompt ${n}`))
      assert.deepStrictEqual(state.todos.map(({ content }) => content), ["todo 99"])
      assert.lengthOf(new Set(state.conversation.map(({ id }) => id)), 100)
      assert.strictEqual(state.revision, 300)
      assert.strictEqual(report.events, 0)
    })))

  it.effect("keeps the order in which messages were appended at once", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const session = yield* Sessions.create({ project, config: Rig.config })
      const numbers = Array.from({ length: 1000 }, (_, index) => String(index))
      yield* Effect.forEach(numbers, (content) => session.append({ role: "user", content }), {
        concurrency: "unbounded"
      })
      const state = yield* session.state
      assert.deepStrictEqual(state.conversation.map(({ content }) => content), numbers)
      assertSame((yield* Sessions.load(session.id)).state, state)
      yield* Sessions.close(session.id)
      assertSame((yield* Sessions.load(session.id)).state, state)
    })))

  it.effect("keeps messages of the same id and time apart, and in order", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const timestamp = Timestamp.Timestamp.make("2020-02-29T00:00:00.000Z")
      const session = yield* Sessions.create({ project, config: Rig.config })
      for (const content of ["a", "b", "a"]) yield* session.append({ id: "same", role: "user", content, timestamp })
      yield* Sessions.close(session.id)
      const resumed = yield* Sessions.resume(session.id)
      assert.deepStrictEqual((yield* resumed.state).conversation, [
        { id: "same", role: "user", content: "a", timestamp },
        { id: "same", role: "user", content: "b", timestamp },
        { id: "same", role: "user", content: "a", timestamp }
      ])
    })))

  it.effect("keeps every role with every kind of part, further members and all", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const more = { options: { provider: { cache: true } }, "": [], "__proto__x": 1 }
      const parts: ReadonlyArray<Session.Part> = [
        { type: "text", text: "", ...more },
        { type: "reasoning", text: "because", signature: "abc", ...more },
        { type: "file", mediaType: "image/png", data: "iVBORw0KGgo=", fileName: "a.png", ...more },
        { type: "file", mediaType: "text/plain", data: { url: "https://example.org" } },
        { type: "tool-call", id: "call", name: "read", params: { path: "a", lines: [1, null, 0.1, true] }, ...more },
        { type: "tool-call", id: "call 2", name: "none", params: null, providerExecuted: false },
        { type: "tool-result", id: "call", name: "read", isFailure: false, result: [{ a: [[[]]] }], ...more },
        { type: "tool-result", id: "call 2", name: "none", isFailure: true, result: "" },
        { type: "tool-approval-request", approvalId: "a", toolCallId: "call", ...more },
        { type: "tool-approval-response", approvalId: "a", approved: false, reason: "no", ...more }
      ]
      const session = yield* Sessions.create({ project, config: Rig.config })
      for (const role of Session.Role.literals) {
        yield* session.append({ role, content: parts, tags: ["x"] })
        yield* session.append({ role, content: [] })
        yield* session.append({ role, content: "" })
      }
      yield* Sessions.close(session.id)
      const resumed = yield* Sessions.resume(session.id)
      const { conversation } = yield* resumed.state
      assert.lengthOf(conversation, 12)
      for (const [index, role] of Session.Role.literals.entries()) {
        assert.deepStrictEqual(
          conversation.slice(index * 3, index * 3 + 3).map(({ content, role, tags }) => ({ content, role, tags })),
          [{ role, content: parts, tags: ["x"] }, { role, content: [], tags: undefined }, {
            role,
            content: "",
            tags: undefined
          }]
        )
      }
    })))

  it.effect("adds up what its messages used, and keeps the sum", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const session = yield* Sessions.create({ project, config: Rig.config })
      for (const inputTokens of [1, 20, 300]) {
        const usage = { inputTokens, outputTokens: 2, totalCost: 0.1 }
        yield* session.append({ role: "assistant", content: "x", usage })
      }
      const { usage } = yield* session.state
      assert.deepInclude(usage, { inputTokens: 321, outputTokens: 6 })
      assert.closeTo(usage.totalCost, 0.3, 1e-9)
      for (let cycle = 0; cycle < 3; cycle++) {
        yield* Sessions.close(session.id)
        assert.deepStrictEqual((yield* Sessions.load(session.id)).state.usage, usage)
        yield* Sessions.resume(session.id)
      }
    })))
})

describe("Naughty texts", () => {
  it.effect("come back from every field through five cycles of close and resume", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const everything = Object.fromEntries(naughty.map((text) => [text, text]))
      const config = { ...everything, ...Rig.config }
      const session = yield* Sessions.create({ project, name: "naughty", config, metadata: everything })
      for (const text of naughty) {
        yield* session.append({ ...everything, role: "user", content: text })
        yield* session.append({
          role: "assistant",
          content: [
            { type: "text", text },
            { type: "reasoning", text, [`+${text}`]: text },
            { type: "file", mediaType: text, data: text },
            { type: "tool-call", id: text, name: text, params: { [text]: text, list: [text, { [text]: [text] }] } }
          ]
        })
        yield* session.append({
          role: "tool",
          content: [{ type: "tool-result", id: text, name: text, isFailure: true, result: { [text]: text } }]
        })
        if (text !== "") yield* session.append({ id: text, role: "system", content: [] })
        yield* session.recordPrompt(text)
        if (isName(text)) yield* session.rename(text)
      }
      yield* session.replaceTodos(
        naughty.map((text) => ({ [`+${text}`]: text, content: text, status: "in_progress", activeForm: text }))
      )
      const state = yield* session.state
      assert.isTrue(Object.hasOwn(state.session.metadata, "__proto__"))
      assert.isTrue(Object.hasOwn(state.session.config, "__proto__"))
      assert.deepStrictEqual(state.promptHistory, naughty)
      assert.deepStrictEqual(state.todos.map(({ content }) => content), naughty)
      NodeAssert.deepStrictEqual(state.session.metadata, everything)

      for (let cycle = 0; cycle < 5; cycle++) {
        assertSame((yield* Sessions.load(session.id)).state, state)
        yield* Sessions.close(session.id)
        assertSame((yield* Sessions.load(session.id)).state, state)
        const resumed = yield* Sessions.resume(session.id)
        assertSame(yield* resumed.state, state)
      }
    })))

  it.effect("come back as keys, also beside keys that are alike but for an escape", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const session = yield* Sessions.create({ project, config: Rig.config })
      for (const [index, key] of ["a\\", "a\n", "a\"", "a\0", "\\\\b", "\\bc"].entries()) {
        const metadata = { before: index, [key]: {} }
        yield* session.annotate(metadata)
        const { content } = yield* session.append({ role: "user", content: [{ type: "text", text: "", [key]: 1 }] })
        const { state } = yield* Sessions.load(session.id)
        NodeAssert.deepStrictEqual(state.session.metadata, metadata)
        NodeAssert.deepStrictEqual(state.conversation.at(-1)?.content, content)
      }
    })))

  it.effect("are names that survive close and resume, and are found by", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const [first = "name", ...names] = naughty.filter(isName)
      const { id } = yield* Sessions.create({ project, name: first, config: Rig.config })
      for (const next of names) {
        const { name } = (yield* Sessions.load(id)).state.session
        yield* Sessions.close(id)
        assert.strictEqual((yield* Sessions.find({ name, pick: "only" })).id, id)
        const resumed = yield* Sessions.resume(id)
        assert.strictEqual((yield* resumed.state).session.name, name)
        yield* Sessions.rename(id, next)
        assert.strictEqual((yield* resumed.state).session.name, next)
      }
    })))

  it.effect("are names that a session is created with, and keeps for five cycles", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      for (const name of ["__proto__", "\0", "\",\"config\":{", "👩‍👩‍👧‍👦🏳️‍🌈🇩🇪", "\u2028\\"]) {
        const { id } = yield* Sessions.create({ project, name, config: Rig.config })
        for (let cycle = 0; cycle < 5; cycle++) {
          yield* Sessions.close(id)
          assert.strictEqual((yield* Sessions.load(id)).state.session.name, name)
          yield* Sessions.resume(id)
        }
        yield* Sessions.close(id)
      }
    })))
})

describe("Lists", () => {
  it.effect("may be empty again after they were full", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const session = yield* Sessions.create({ project, config: Rig.config })
      const todos = Array.from({ length: 2000 }, (_, index): Session.Todo => ({
        content: `todo ${index}`,
        status: index % 2 === 0 ? "completed" : "pending",
        activeForm: ""
      }))
      yield* session.replaceTodos(todos)
      yield* Sessions.close(session.id)
      assert.deepStrictEqual((yield* Sessions.load(session.id)).state.todos, todos)
      const entry = yield* Sessions.find()
      assert.deepStrictEqual([entry.todosOpen, entry.todosDone], [1000, 1000])

      const resumed = yield* Sessions.resume(session.id)
      yield* resumed.replaceTodos([])
      yield* resumed.annotate({})
      yield* Sessions.close(session.id)
      const { state } = yield* Sessions.load(session.id)
      assert.deepStrictEqual([state.todos, state.session.metadata, state.revision], [[], {}, 3])
    })))

  it.effect("may hold texts as long as the session may be", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const session = yield* Sessions.create({ project, config: Rig.config })
      const large = "ä\u0000\"".repeat(500_000)
      yield* session.append({ role: "user", content: large })
      assert.isAbove(bytes(JSON.stringify(large)), 4_000_000)
      const state = yield* session.state
      yield* Sessions.close(session.id)
      const loaded = yield* Sessions.load(session.id)
      assert.isTrue(loaded.state.conversation[0]?.content === large)
      assertSame(loaded.state, state)
    })))
})
