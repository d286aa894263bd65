import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Option, Redacted, Result, Stream } from "effect"
import { type Session, SessionId, Sessions, SessionStore, Supervisor } from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"
import * as Stack from "../suites/stack.ts"
import * as Golden from "../suites/version1.ts"

const id = SessionId.make(Golden.id)
const file = "old.json"

/** Everything that is stored, in the trash or not. */
const entries = SessionStore.SessionStore.use(({ entries }) => Stream.runCollect(entries))

/** A workspace, and a file in it to import. */
const scene = Effect.fnUntraced(function*(content: string | Uint8Array = Golden.sign(Golden.document)) {
  const workspace = yield* Rig.workspace
  const path = `${workspace.root}/${file}`
  NodeFs.writeFileSync(path, content)
  return { ...workspace, path }
})

const importing = (
  content: string | Uint8Array,
  options: Sessions.ImportOptions = Golden.credentials,
  limits: Pick<Stack.Options, "limits"> = {}
) =>
  Effect.flatMap(scene(content), ({ path, sessions }) =>
    Effect.gen(function*() {
      const outcome = yield* Effect.result(Sessions.importFile(path, options))
      if (Result.isFailure(outcome)) assert.deepStrictEqual(Stack.everything(sessions), [])
      const report = yield* Effect.fromResult(outcome)
      const { report: { closedAt, status }, state } = yield* Sessions.load(report.id)
      return { report, state, status, closedAt: Option.getOrUndefined(closedAt) }
    }).pipe((program) => Stack.run(program, { sessions, ...limits })))

const describeError = (error: { readonly _tag: string; readonly reason?: { readonly _tag: string } }): string =>
  error.reason === undefined ? error._tag : `${error._tag} ${error.reason._tag}`

/** What an import of this content is refused with; it stores nothing. */
const refusal = (
  content: string | Uint8Array,
  options: Sessions.ImportOptions = Golden.credentials,
  limits: Pick<Stack.Options, "limits"> = {}
) => Effect.map(Effect.flip(importing(content, options, limits)), describeError)

const t = (seconds: number) => `2024-01-01T00:00:${String(seconds).padStart(2, "0")}Z`

const defaultConfig = { provider: "anthropic", model: "claude-3-5-sonnet-20241022", temperature: 0.7, maxTokens: 4096 }
const replaced = (...names: ReadonlyArray<string>) =>
  names.map((name) => ({ path: `config.${name}`, change: "replaced by the default" }))
const cut = { path: "updated_at", change: "cut to milliseconds" }

/** What the real files hold, in version 2. */
const common = {
  session: {
    id: Golden.id,
    name: "n",
    projectPath: "/tmp/p",
    config: defaultConfig,
    createdAt: "2024-01-01T00:00:00.000Z",
    updatedAt: "2024-01-01T00:00:00.123Z",
    metadata: {}
  },
  conversation: [],
  todos: [],
  promptHistory: [],
  usage: { inputTokens: 0, outputTokens: 0, totalCost: 0 },
  revision: 0,
  extra: {}
}

const allReplaced = replaced("provider", "model", "temperature", "max_tokens")

const expected: {
  readonly [Name in typeof Golden.names[number]]: { readonly state: unknown; readonly changes: ReadonlyArray<unknown> }
} = {
  empty: { state: common, changes: [cut, ...allReplaced] },
  floats: {
    state: {
      ...common,
      session: {
        ...common.session,
        config: {
          a: 1,
          b: 0,
          c: 0,
          d: 0.0001,
          e: 0.001,
          f: 1e22,
          g: 123456789,
          h: 9007199254740992,
          i: 1e15,
          j: 5e-324,
          k: 1.7976931348623157e308,
          l: 100,
          m: 0.1,
          n: 1e21,
          o: 1234567.125,
          p: 0.00012345,
          q: 15000000000,
          ...defaultConfig
        }
      }
    },
    changes: [cut, ...replaced("provider", "model")]
  },
  nested: {
    state: {
      ...common,
      session: { ...common.session, config: { x: { w: [[], [1, [2, {}]]], y: [], z: {} }, ...defaultConfig } }
    },
    changes: [cut, ...allReplaced]
  },
  todos: {
    state: {
      ...common,
      todos: [
        { content: "c", status: "pending", activeForm: "f" },
        { content: "", status: "completed", activeForm: "" }
      ]
    },
    changes: [cut, ...allReplaced]
  },
  usage: {
    state: {
      ...common,
      session: { ...common.session, metadata: { language: "rust" } },
      conversation: [{
        id: "m",
        role: "user",
        content: "hi",
        timestamp: "2024-01-01T00:00:00.000Z",
        usage: { inputTokens: 100, outputTokens: 200, totalCost: 0 }
      }],
      promptHistory: ["", "a", "b"],
      usage: { inputTokens: 100, outputTokens: 200, totalCost: 0.0015 }
    },
    changes: [cut, ...allReplaced]
  }
}

describe("Importing a real file of version 1", () => {
  for (const name of Golden.names) {
    it.effect(`gives exactly the session in it, closed, and says what changed: ${name}`, () =>
      Effect.gen(function*() {
        const { closedAt, report, state, status } = yield* importing(Golden.bytesOf(name))
        assert.deepStrictEqual<unknown>(JSON.parse(JSON.stringify(state)), expected[name].state)
        assert.sameDeepMembers([...report.changes], [...expected[name].changes])
        assert.deepInclude(report, {
          id,
          from: "jido_code",
          version: 1,
          isVerified: true,
          messages: state.conversation.length,
          todos: state.todos.length,
          prompts: state.promptHistory.length,
          projectPath: "/tmp/p",
          projectExists: NodeFs.existsSync("/tmp/p")
        })
        assert.strictEqual(status, "closed")
        assert.strictEqual(closedAt, "2024-01-01T00:00:00.000Z")
      }))

    it.effect(`leaves the file as it is: ${name}`, () =>
      Effect.gen(function*() {
        const { path, sessions } = yield* scene(Golden.bytesOf(name))
        yield* Stack.run(Sessions.importFile(path, Golden.credentials), { sessions })
        assert.deepStrictEqual(new Uint8Array(NodeFs.readFileSync(path)), Golden.bytesOf(name))
      }))

    it.effect(
      `is refused for any one byte of it that is changed (each third one): ${name}`,
      () =>
        Effect.gen(function*() {
          const { path, sessions } = yield* scene("")
          const bytes = Golden.bytesOf(name)
          yield* Stack.run(
            Effect.gen(function*() {
              for (let index = name.length % 3; index < bytes.length; index += 3) {
                // Each byte once, in one of its bits.
                for (const mask of [1 << (index % 8)]) {
                  const copy = Uint8Array.from(bytes)
                  copy[index] = (copy[index] ?? 0) ^ mask
                  NodeFs.writeFileSync(path, copy)
                  const outcome = yield* Effect.result(Sessions.importFile(path, Golden.credentials))
                  assert.isTrue(Result.isFailure(outcome), `byte ${index} by ${mask}`)
                  if (Result.isSuccess(outcome)) continue
                  assert.include(["InvalidJson", "SchemaVersion"], outcome.failure._tag, `byte ${index} by ${mask}`)
                }
              }
            }),
            { sessions }
          )
          assert.deepStrictEqual(Stack.everything(sessions), [])
        }),
      60_000
    )
  }

  it.effect("is refused for each character that its signature might end with but does not", () =>
    Effect.gen(function*() {
      const text = Buffer.from(Golden.bytesOf("empty")).toString()
      const last = /(.)="/.exec(text)?.[1] ?? ""
      for (const other of "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
        if (other === last) continue
        assert.strictEqual(yield* refusal(text.replace(`${last}="`, `${other}="`)), "InvalidJson BadSignature", other)
      }
    }))

  it.effect("is refused when it is cut short anywhere (each third place)", () =>
    Effect.gen(function*() {
      const { path, sessions } = yield* scene("")
      const bytes = Golden.bytesOf("usage")
      yield* Stack.run(
        Effect.forEach(Array.from({ length: Math.ceil(bytes.length / 3) }, (_, third) => 3 * third), (length) =>
          Effect.gen(function*() {
            NodeFs.writeFileSync(path, bytes.subarray(0, length))
            const error = yield* Effect.flip(Sessions.importFile(path, { ...Golden.credentials, allowUnsigned: true }))
            assert.strictEqual(describeError(error), "InvalidJson Syntax", String(length))
          })),
        { sessions }
      )
      assert.deepStrictEqual(Stack.everything(sessions), [])
    }))

  it.effect("can be imported from anywhere by its content, or as the kind that is named", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        (yield* importing(Golden.bytesOf("empty"), { ...Golden.credentials, from: "jido_code" })).report.from,
        "jido_code"
      )
      assert.match(yield* refusal(Golden.bytesOf("empty"), { ...Golden.credentials, from: "reprise" }), /^InvalidJson/)
    }))
})

describe("Whether a file of version 1 is verified", () => {
  const golden = Golden.bytesOf("usage")
  const unknown = "InvalidJson UnknownKey"

  it.effect("is for the secret and the host that signed it", () =>
    Effect.gen(function*() {
      const { host, secret } = Golden.credentials
      const wrong: ReadonlyArray<Sessions.ImportOptions> = [
        { secret, host: "other" },
        { secret, host: "VM" },
        { secret },
        { secret, host, application: "jido_code_session_v1" },
        { secret: Redacted.make(new Uint8Array(64)), host },
        { secret: Redacted.make(new Uint8Array()), host },
        { secret: Redacted.make(Uint8Array.of(...Golden.key.secret, 10)), host }
      ]
      for (const options of wrong) {
        assert.strictEqual(yield* refusal(golden, options), "InvalidJson BadSignature")
        assert.strictEqual(yield* refusal(golden, { ...options, allowUnsigned: true }), "InvalidJson BadSignature")
      }
    }))

  it.effect("can't be without the secret: it comes in with allowUnsigned only, and says so", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* refusal(golden, {}), unknown)
      assert.strictEqual(yield* refusal(golden, { host: Golden.key.host }), unknown)
      const { report } = yield* importing(golden, { allowUnsigned: true })
      assert.isFalse(report.isVerified)
    }))

  it.effect("is not for a file without a signature, or with null for it", () =>
    Effect.gen(function*() {
      for (const content of [Golden.layOut(Golden.document), Golden.layOut({ ...Golden.document, signature: null })]) {
        for (const options of [{}, Golden.credentials]) {
          assert.strictEqual(yield* refusal(content, options), "InvalidJson Unsigned")
          assert.isFalse((yield* importing(content, { ...options, allowUnsigned: true })).report.isVerified)
        }
      }
    }))

  it.effect("is not for a signature that is no text, not even with allowUnsigned", () =>
    Effect.gen(function*() {
      for (const signature of [0, 1.5, true, [], {}, ["x"]]) {
        for (const options of [{}, Golden.credentials, { allowUnsigned: true }]) {
          assert.strictEqual(
            yield* refusal(Golden.layOut({ ...Golden.document, signature }), options),
            "InvalidJson Shape"
          )
        }
      }
    }))

  it.effect("is not for a signature of another form, of another file, or in another place", () =>
    Effect.gen(function*() {
      const signed = Golden.sign(Golden.document)
      const line = /^ {2}"signature": .*\n/m.exec(signed)?.[0] ?? ""
      const bare = signed.replace(line, "")
      const other = /^ {2}"signature": .*\n/m.exec(Golden.sign(Golden.documentWith({ name: "other" })))?.[0] ?? ""
      assert.strictEqual((yield* importing(signed)).report.isVerified, true)
      const spoiled = [
        bare.replace("\n  \"todos\"", `\n${other}  "todos"`),
        signed.replace("=\"", "\""),
        signed.replace(/"signature": "[^"]*"/, "\"signature\": \"\""),
        signed.replace(line, line.replace("  ", "    ")),
        signed.replace(line, line.replace("\n", " \n")),
        `${signed}\n`,
        ` ${signed}`,
        JSON.stringify(JSON.parse(signed))
      ]
      for (const content of spoiled) {
        assert.strictEqual(yield* refusal(content), "InvalidJson BadSignature")
        assert.strictEqual(
          yield* refusal(content, { ...Golden.credentials, allowUnsigned: true }),
          "InvalidJson BadSignature"
        )
      }
      // Below another member it is nobody's signature.
      assert.strictEqual(
        yield* refusal(bare.replace("\"config\": {\n", `"config": {\n${line}`)),
        "InvalidJson Unsigned"
      )
    }))

  it.effect("is not for two signatures, the right one among them", () =>
    Effect.gen(function*() {
      const signed = Golden.sign(Golden.document)
      for (const extra of ["\"signature\": null,", "\"signature\": \"x\",", "\"sign\\u0061ture\": \"x\","]) {
        assert.strictEqual(yield* refusal(signed.replace("{\n", `{\n  ${extra}\n`)), "InvalidJson Shape")
        assert.strictEqual(
          yield* refusal(signed.replace("\n  \"todos\"", `\n  ${extra}\n  "todos"`), { allowUnsigned: true }),
          "InvalidJson Shape"
        )
      }
    }))

  it.effect("is for more than 32 keys, in the order in which that program left them", () =>
    Effect.gen(function*() {
      const config: { readonly [key: string]: Golden.Json } = {
        ...Golden.document.config,
        ...Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`k${(index * 37) % 60}`, index]))
      }
      // Past 32 keys that program's order is that of its hash table.
      const text = Golden.layOut(Golden.documentWith({ config: {} })).replace(
        "\"config\": {}",
        `"config": {\n${
          Object.entries(config).map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`).join(
            ",\n"
          )
        }\n  }`
      )
      const { report, state } = yield* importing(Golden.signText(text))
      assert.isTrue(report.isVerified)
      assert.lengthOf(Object.keys(state.session.config), 64)
      assert.strictEqual(state.session.config["k36"], 48)
    }))
})

describe("An imported session", () => {
  it.effect("keeps unknown members of configuration and document through resume, close and load", () =>
    Effect.gen(function*() {
      const { path, project, sessions } = yield* scene(Golden.sign(Golden.documentWith({
        config: { ...Golden.document.config, extra_key: { deep: [1, null, "x"] }, "": 0 },
        branch: "main",
        nested: { list: [{ a: 1.5 }] },
        language: "elixir",
        prompt_history: ["b", "a"],
        conversation: [Golden.message("2", t(2), { mood: "good" }), Golden.message("1", t(1))]
      })))
      yield* Stack.run(
        Effect.gen(function*() {
          const { report, state } = yield* Effect.flatMap(
            Sessions.importFile(path, { ...Golden.credentials, project }),
            (report) => Effect.map(Sessions.load(report.id), ({ state }) => ({ report, state }))
          )
          assert.deepStrictEqual(report.changes, [
            { path: "conversation", change: "put in the order of its timestamps" },
            { path: "projectPath", change: "mapped to this machine" }
          ])
          const running = yield* Sessions.resume(id)
          assert.deepStrictEqual(yield* running.state, state)
          yield* running.append({ role: "assistant", content: "3" })
          yield* Sessions.close(id)
          const after = (yield* Sessions.load(id)).state
          assert.deepStrictEqual(after.session.config, {
            "": 0,
            extra_key: { deep: [1, null, "x"] },
            provider: "anthropic",
            model: "m",
            temperature: 0.5,
            maxTokens: 100
          })
          assert.deepStrictEqual(after.extra, { branch: "main", nested: { list: [{ a: 1.5 }] } })
          assert.deepStrictEqual(after.session.metadata, { language: "elixir" })
          assert.deepStrictEqual(after.promptHistory, ["a", "b"])
          assert.deepStrictEqual(after.conversation.map(({ content }) => content), ["said 1", "said 2", "3"])
          assert.strictEqual(after.conversation[1]?.["mood"], "good")
          assert.deepStrictEqual(after.conversation.slice(0, 2), state.conversation)
        }),
        { sessions }
      )
    }))

  it.effect("is in order where that program had saved the conversation in reverse, once and twice", () =>
    Effect.gen(function*() {
      for (const order of [[5, 4, 3, 2, 1], [5, 1, 2, 3, 4], [1, 2, 3, 4, 5]]) {
        const conversation = order.map((index) => Golden.message(String(index), t(index)))
        const { report, state } = yield* importing(Golden.sign(Golden.documentWith({ conversation })))
        assert.deepStrictEqual(state.conversation.map(({ id }) => Number(id)), [1, 2, 3, 4, 5])
        assert.strictEqual(report.changes.length, order[0] === 1 ? 0 : 1)
      }
    }))

  it.effect("has the id of the file in lower case", () =>
    Effect.gen(function*() {
      const { report } = yield* importing(Golden.sign(Golden.documentWith({ id: Golden.id.toUpperCase() })))
      assert.strictEqual(report.id, Golden.id)
      assert.deepStrictEqual(report.changes, [{ path: "id", change: "written in lower case" }])
    }))

  const others = ["", "x", "../../etc", "550e8400-e29b-11d4-a716-446655440000", `${Golden.id}\n`, `${Golden.id}\0`]
  for (const other of others) {
    it.effect(`has a new id, and only as a copy, where the file's is none: ${JSON.stringify(other)}`, () =>
      Effect.gen(function*() {
        const content = Golden.sign(Golden.documentWith({ id: other }))
        assert.strictEqual(yield* refusal(content), "InvalidJson Shape")
        const { report } = yield* importing(content, { ...Golden.credentials, copy: true })
        assert.isTrue(SessionId.isSessionId(report.id))
        assert.deepInclude(report.changes, { path: "id", change: "replaced by a new one" })
      }))
  }

  it.effect("works in the real directory that is passed as project", () =>
    Effect.gen(function*() {
      const { path, project, root, sessions } = yield* scene()
      NodeFs.symlinkSync(project, `${root}/link`)
      const report = yield* Stack.run(
        Sessions.importFile(path, { ...Golden.credentials, project: `${root}/link` }),
        { sessions }
      )
      assert.deepInclude(report, { projectPath: project, projectExists: true })
    }))

  it.effect("is not stored where the directory that is passed as project can't be used", () =>
    Effect.gen(function*() {
      const { path, root, sessions } = yield* scene()
      const attempts = [
        ["relative", "CreateFailed InvalidSession"],
        ["", "CreateFailed InvalidSession"],
        [`${root}\0`, "CreateFailed InvalidSession"],
        [`/${"x".repeat(4096)}`, "CreateFailed InvalidSession"],
        [`${root}/missing`, "CreateFailed ProjectMissing"],
        [path, "CreateFailed ProjectNotDirectory"]
      ] as const
      for (const [project, reason] of attempts) {
        const error = yield* Stack.run(
          Effect.flip(Sessions.importFile(path, { ...Golden.credentials, project })),
          { sessions }
        )
        assert.strictEqual(describeError(error), reason, project.slice(0, 50))
      }
      assert.deepStrictEqual(Stack.everything(sessions), [])
    }))

  for (const project_path of ["", "relative", "a/b", "C:\\work", "/\0", `/${"x".repeat(4096)}`]) {
    it.effect(`with a project that is no path comes in with another one only: ${project_path.slice(0, 12)}`, () =>
      Effect.gen(function*() {
        const content = Golden.sign(Golden.documentWith({ project_path }))
        assert.include(["CreateFailed InvalidSession", "InvalidJson Shape"], yield* refusal(content))
        const { state } = yield* importing(content, { ...Golden.credentials, project: process.cwd() })
        assert.strictEqual(state.session.projectPath, process.cwd())
      }))
  }

  it.effect("says what strangers' files can't say: a prototype key stays a plain member", () =>
    Effect.gen(function*() {
      const text = Golden.layOut(Golden.documentWith({ config: {} })).replace(
        "\"config\": {}",
        "\"config\": {\n    \"__proto__\": {\n      \"polluted\": true\n    },\n    \"constructor\": 1\n  }"
      )
      const { state } = yield* importing(Golden.signText(text))
      assert.isTrue(Object.hasOwn(state.session.config, "__proto__"))
      assert.strictEqual(Object.entries(state.session.config).find(([key]) => key === "constructor")?.[1], 1)
      assert.isUndefined(Reflect.get({}, "polluted"))
    }))
})

describe("A file that is not to be believed", () => {
  const text = Golden.layOut(Golden.document)
  const unsigned: Sessions.ImportOptions = { allowUnsigned: true }
  const deep = (levels: number) => `${"[".repeat(levels)}${"]".repeat(levels)}`
  const withMember = (json: string) => text.replace("{\n", `{\n  "further": ${json},\n`)

  const cases: ReadonlyArray<readonly [string, string | Uint8Array, string]> = [
    ["that nests 5,000 levels deep", withMember(deep(5000)), "InvalidJson Shape"],
    ["that nests 64 levels deep inside", withMember(deep(64)), "InvalidJson Shape"],
    ["with a number that can't be kept", withMember("9007199254740993"), "InvalidJson Shape"],
    ["with a number that overflows", withMember("1e400"), "InvalidJson Shape"],
    ["with a key twice at the top", withMember("1").replace("{\n", "{\n  \"further\": 2,\n"), "InvalidJson Shape"],
    ["with a key twice inside", withMember("[{\"x\": {\"a\": 1, \"a\": 1}}]"), "InvalidJson Shape"],
    ["with a key twice, once escaped", withMember("{\"a\": 1, \"\\u0061\": 1}"), "InvalidJson Shape"],
    ["behind a byte order mark", `\ufeff${text}`, "InvalidJson NotUtf8"],
    ["that is not UTF-8", Buffer.from(withMember("\"ÿ\""), "latin1"), "InvalidJson NotUtf8"],
    ["with a lone surrogate", withMember("\"\\ud800\""), "InvalidJson Shape"],
    ["that is empty", "", "InvalidJson Syntax"],
    ["that is no JSON", "hello", "InvalidJson Syntax"],
    ["that is an array", "[]", "InvalidJson Shape"],
    ["that is no session", "{}", "InvalidJson Shape"],
    ["of version 2 of that program", text.replace("\"version\": 1", "\"version\": 2"), "SchemaVersion"],
    ["of version 0", text.replace("\"version\": 1", "\"version\": 0"), "SchemaVersion"],
    ["of version \"1\"", text.replace("\"version\": 1", "\"version\": \"1\""), "SchemaVersion"],
    ["without closed_at", Golden.layOut(Golden.documentWithout("closed_at")), "InvalidJson Shape"],
    [
      "with a message of another role",
      Golden.layOut(Golden.documentWith({
        conversation: [Golden.message("1", t(1), { role: "robot" })]
      })),
      "InvalidJson Shape"
    ]
  ]
  for (const [name, content, reason] of cases) {
    it.effect(`${name} is refused as ${reason}, allowed to be unsigned or not`, () =>
      Effect.gen(function*() {
        assert.strictEqual(yield* refusal(content, unsigned), reason)
        if (reason !== "InvalidJson Shape") assert.strictEqual(yield* refusal(content, Golden.credentials), reason)
      }))
  }

  it.effect("may nest as deep as the limit, and no deeper", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* importing(withMember(deep(63)), unsigned)).report.version, 1)
      assert.strictEqual(yield* refusal(withMember(deep(64)), unsigned), "InvalidJson Shape")
    }))

  it.effect("that was laid out by another program, unsigned, is taken for what it is", () =>
    Effect.gen(function*() {
      const { report } = yield* importing(JSON.stringify(Golden.document), unsigned)
      assert.strictEqual(report.from, "jido_code")
    }))

  it.effect("that is too large is refused from its size, without reading a byte", () =>
    Effect.gen(function*() {
      const { path, sessions } = yield* scene(" ".repeat(5000))
      const calls: Array<FileSystemHooks.Call> = []
      const attempt = (maxBytes: number) =>
        Stack.run(Effect.flip(Sessions.importFile(path, unsigned)), {
          sessions,
          limits: { maxBytes },
          hook: FileSystemHooks.recordInto(calls)
        })
      const error = yield* attempt(4999)
      assert.strictEqual(describeError(error), "InvalidJson TooLarge")
      assert.deepInclude(error, { id: file })
      assert.notInclude(calls.map(({ method }) => method), "file.read")
      assert.notInclude(calls.map(({ method }) => method), "readFile")
      assert.strictEqual(describeError(yield* attempt(5000)), "InvalidJson Syntax")
      assert.include(calls.map(({ method }) => method), "file.read")
    }))

  it.effect("that would be too large once it is stored is refused", () =>
    Effect.gen(function*() {
      // A message of one character takes more in version 2 than in this compact file, times and all.
      const content = JSON.stringify({ ...Golden.document, signature: null })
      assert.strictEqual(
        yield* refusal(content, { ...unsigned, from: "jido_code" }, { limits: { maxBytes: content.length } }),
        "CreateFailed InvalidSession"
      )
    }))

  it.effect("that is no regular file is a typed error at once", () =>
    Effect.gen(function*() {
      const { path, root, sessions } = yield* scene()
      NodeChildProcess.execFileSync("mkfifo", [`${root}/fifo`])
      NodeFs.symlinkSync(`${root}/fifo`, `${root}/to-fifo`)
      NodeFs.symlinkSync(`${root}/nothing`, `${root}/to-nothing`)
      NodeFs.symlinkSync(`${root}/loop`, `${root}/loop`)
      const paths = ["fifo", "to-fifo", "to-nothing", "loop", "project", "missing", "missing/x", `${file}/x`]
      for (
        const other of [
          ...paths.map((name) => `${root}/${name}`),
          "/dev/null",
          "/dev/zero",
          "",
          "\0",
          `/${"x".repeat(5000)}`
        ]
      ) {
        const error = yield* Stack.run(Effect.flip(Sessions.importFile(other, unsigned)), { sessions })
        assert.strictEqual(error._tag, "StoreError", other.slice(0, 60))
      }
      NodeFs.symlinkSync(path, `${root}/link`)
      assert.isTrue(
        (yield* Stack.run(Sessions.importFile(`${root}/link`, Golden.credentials), { sessions })).isVerified
      )
    }))

  it.effect("is not shown in the error", () =>
    Effect.gen(function*() {
      const secret = "something-that-was-said"
      for (
        const content of [
          `{"${secret}":`,
          Golden.layOut(Golden.documentWith({ id: secret })),
          Golden.layOut(Golden.documentWith({ conversation: [Golden.message(secret, secret, { role: secret })] })),
          withMember(`{"${secret}": 1, "${secret}": 1}`)
        ]
      ) {
        const error = yield* Effect.flip(importing(content, unsigned))
        assert.notInclude(error.message, secret)
        assert.notInclude(JSON.stringify(error), secret)
      }
    }))
})

const statuses = ["closed", "removed", "running", "interrupted", "broken"] as const

/** A sessions directory in which a session with the file's id is stored, in one of its statuses. */
const occupied = Effect.fnUntraced(function*(status: typeof statuses[number]) {
  const workspace = yield* scene()
  const { path, project, sessions } = workspace
  const machine = TestLiveness.machine()
  const owner = machine.process()
  const options = { sessions, liveness: owner.layer }
  yield* Stack.run(Sessions.importFile(path, { ...Golden.credentials, project }), options)
  if (status === "removed") yield* Stack.run(Sessions.remove(id), options)
  if (status === "broken") NodeFs.writeFileSync(`${sessions}/${Golden.id}/session.json`, "{}")
  if (status === "interrupted" || status === "running") {
    const services = yield* Layer.build(Layer.fresh(Stack.layer(options)))
    const running = yield* Effect.provide(Sessions.resume(id), services)
    yield* running.append({ role: "user", content: "more" })
    if (status === "interrupted") {
      machine.kill(owner.pid)
    }
  }
  return { ...workspace, liveness: machine.process().layer }
})

describe("Importing a session that is stored already", () => {
  for (const status of statuses) {
    it.effect(`is refused, and changes nothing, where it is ${status}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const { liveness, path, sessions } = yield* occupied(status)
        const before = Stack.everything(sessions)
        assert.lengthOf(yield* Stack.run(entries, { sessions, liveness }), 1)
        const error = yield* Stack.run(Effect.flip(Sessions.importFile(path, Golden.credentials)), {
          sessions,
          liveness
        })
        assert.strictEqual(describeError(error), "CreateFailed AlreadyStored")
        assert.deepStrictEqual(Stack.everything(sessions), before)
      })))

    it.effect(`as a copy puts another session beside it, where it is ${status}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const { liveness, path, sessions } = yield* occupied(status)
        const before = Stack.everything(sessions)
        const { loaded, report } = yield* Stack.run(
          Effect.gen(function*() {
            const report = yield* Sessions.importFile(path, { ...Golden.credentials, copy: true })
            return { report, loaded: yield* Sessions.load(report.id) }
          }),
          { sessions, liveness }
        )
        assert.notStrictEqual(report.id, Golden.id)
        assert.strictEqual(loaded.state.session.id, report.id)
        assert.deepStrictEqual(Stack.everything(sessions).filter((line) => !line.startsWith(report.id)), before)
      })))
  }

  it.effect("twice at the same time stores it once", () =>
    Effect.gen(function*() {
      const { path, sessions } = yield* scene()
      const machine = TestLiveness.machine()
      const attempt = () =>
        Stack.run(Effect.result(Sessions.importFile(path, Golden.credentials)), {
          sessions,
          liveness: machine.process().layer
        })
      const outcomes = yield* Effect.all([attempt(), attempt(), attempt(), attempt()], { concurrency: "unbounded" })
      assert.lengthOf(outcomes.filter(Result.isSuccess), 1)
      const { report } = yield* Stack.run(Sessions.load(id), { sessions })
      assert.strictEqual(report.status, "closed")
      assert.deepStrictEqual(NodeFs.readdirSync(sessions), [Golden.id])
    }))

  it.effect("is refused as one too many where the store is full, and stores nothing", () =>
    Effect.gen(function*() {
      const { path, sessions } = yield* scene()
      const limits = { maxStored: 2 }
      const copy = { ...Golden.credentials, copy: true }
      yield* Stack.run(Effect.andThen(Sessions.importFile(path, copy), Sessions.importFile(path, copy)), {
        sessions,
        limits
      })
      const before = Stack.everything(sessions)
      const error = yield* Stack.run(Effect.flip(Sessions.importFile(path, Golden.credentials)), { sessions, limits })
      assert.deepInclude(error, { _tag: "CreateFailed" })
      assert.strictEqual(describeError(error), "CreateFailed TooManyStored")
      assert.deepStrictEqual(Stack.everything(sessions), before)
    }))
})

/** What is stored after an import that did not end well: nothing, or all of it. */
const assertNothingOrAll = Effect.fnUntraced(function*(sessions: string, number: number) {
  const left = yield* Stack.run(
    Effect.gen(function*() {
      if ((yield* entries).length === 0) return "nothing"
      const { state } = yield* Sessions.load(id)
      assert.lengthOf(state.conversation, 1, String(number))
      return "all"
    }),
    { sessions }
  )
  return left
})

describe("An import that does not come to its end", () => {
  const prepared = Golden.bytesOf("usage")

  it.effect(
    "because any call to the file system fails stores nothing or all of it, and can be repeated",
    () =>
      Effect.gen(function*() {
        const attempt = Effect.fnUntraced(function*(number: number) {
          const { path, sessions } = yield* scene(prepared)
          const { counter, hook } = FileSystemHooks.failAt([number])
          const outcome = yield* Stack.run(Effect.result(Sessions.importFile(path, Golden.credentials)), {
            sessions,
            hook
          })
          const left = yield* assertNothingOrAll(sessions, number)
          const call = `${number}: ${counter.failed.map(({ method, path }) => `${method} ${path}`).join()}`
          if (Result.isSuccess(outcome)) assert.strictEqual(left, "all", call)
          else {
            assert.strictEqual(outcome.failure._tag, "StoreError", call)
            assert.strictEqual(left, "nothing", call)
            yield* Stack.run(Sessions.importFile(path, Golden.credentials), { sessions })
          }
          return counter.seen
        }, Effect.scoped)
        const calls = yield* attempt(Number.POSITIVE_INFINITY)
        assert.isAbove(calls, 20)
        for (let number = 0; number < calls; number++) yield* attempt(number)
      }),
    60_000
  )

  it.effect("because the disk dies at any call stores nothing or all of it", () =>
    Effect.gen(function*() {
      const attempt = Effect.fnUntraced(function*(number: number) {
        const { path, sessions } = yield* scene(prepared)
        let seen = 0
        const hook: FileSystemHooks.Hook = (call) => (run) =>
          Effect.suspend(() => seen++ < number ? run : Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO")))
        const outcome = yield* Stack.run(Effect.result(Sessions.importFile(path, Golden.credentials)), {
          sessions,
          hook
        })
        const left = yield* assertNothingOrAll(sessions, number)
        if (Result.isSuccess(outcome)) assert.strictEqual(left, "all", String(number))
        return seen
      }, Effect.scoped)
      const calls = yield* attempt(Number.POSITIVE_INFINITY)
      for (let number = 0; number < calls; number++) yield* attempt(number)
    }), 60_000)

  it.effect("because it is interrupted at any call stores nothing or all of it", () =>
    Effect.gen(function*() {
      const attempt = Effect.fnUntraced(function*(number: number) {
        const { path, sessions } = yield* scene(prepared)
        let seen = 0
        let interrupt = () => {}
        const hook: FileSystemHooks.Hook = () => (run) =>
          Effect.suspend(() => {
            if (seen++ === number) interrupt()
            return run
          })
        const fiber = yield* Effect.forkChild(
          Stack.run(Sessions.importFile(path, Golden.credentials), { sessions, hook }),
          { startImmediately: false }
        )
        interrupt = () => fiber.interruptUnsafe()
        const exit = yield* Fiber.await(fiber)
        const left = yield* assertNothingOrAll(sessions, number)
        if (exit._tag === "Success") assert.strictEqual(left, "all", String(number))
        return seen
      }, Effect.scoped)
      const calls = yield* attempt(Number.POSITIVE_INFINITY)
      for (let number = 0; number < calls; number++) yield* attempt(number)
    }), 60_000)
})

describe("Importing", () => {
  it.effect("starts nothing", () =>
    Effect.gen(function*() {
      const { path, sessions } = yield* scene()
      const running = yield* Stack.run(
        Effect.andThen(
          Sessions.importFile(path, Golden.credentials),
          Supervisor.Supervisor.use(({ running }) => running)
        ),
        { sessions }
      )
      assert.deepStrictEqual(running, [])
    }))

  it.effect("makes private files only", () =>
    Effect.gen(function*() {
      const { path, sessions } = yield* scene()
      yield* Stack.run(Sessions.importFile(path, Golden.credentials), { sessions })
      for (
        const name of [
          "",
          Golden.id,
          ...NodeFs.readdirSync(`${sessions}/${Golden.id}`).map((name) => `${Golden.id}/${name}`)
        ]
      ) {
        const info = NodeFs.lstatSync(`${sessions}/${name}`)
        assert.strictEqual(info.mode & 0o777, info.isDirectory() ? 0o700 : 0o600, name)
      }
    }))

  it.effect("a file from inside the sessions directory leaves it there, listed as foreign", () =>
    Effect.gen(function*() {
      const { sessions } = yield* scene()
      NodeFs.mkdirSync(sessions, { mode: 0o700 })
      const flat = `${sessions}/${Golden.id}.json`
      NodeFs.writeFileSync(flat, Golden.sign(Golden.document))
      yield* Stack.run(
        Effect.gen(function*() {
          const error = yield* Effect.flip(Sessions.load(id))
          assert.strictEqual(error._tag, "NotFound")
          yield* Sessions.importFile(flat, Golden.credentials)
          const entries = yield* Stream.runCollect(Sessions.list())
          assert.sameMembers(entries.map(({ _tag }) => _tag), ["Stored", "Foreign"])
          const { state }: { readonly state: Session.SessionState } = yield* Sessions.load(id)
          assert.strictEqual(state.session.name, "n")
        }),
        { sessions }
      )
      assert.isTrue(NodeFs.existsSync(flat))
    }))
})
