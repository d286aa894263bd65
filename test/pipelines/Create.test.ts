import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, type Layer, Result, Schema, Stream } from "effect"
import { Session, type SessionError, SessionId, Sessions, Supervisor } from "effect-reprise"
import { FileSystemHooks } from "effect-reprise/testing"
import { TestClock } from "effect/testing"
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

const nameOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

const running = Supervisor.Supervisor.use(({ running }) => running)
const list = Stream.runCollect(Sessions.list())

interface Changes {
  readonly provider?: string
  readonly model?: string
  readonly temperature?: number
  readonly maxTokens?: number
}

const config = (changes: Changes): Session.SessionConfig => ({ ...Rig.config, ...changes })

const family = "👩‍👩‍👧‍👦"

const isConfig = Schema.is(Session.SessionConfig)

const cyclic: Record<string, Schema.Json> = {}
cyclic["self"] = cyclic

const nested = (depth: number): Schema.Json => depth === 0 ? "deep" : [nested(depth - 1)]

/** Options that are refused, each with the places that its issues have to name. */
const mistakes: ReadonlyArray<{
  readonly name: string
  readonly options: Partial<Sessions.CreateOptions>
  readonly places: ReadonlyArray<string>
}> = [
  { name: "an empty name", options: { name: "" }, places: ["name"] },
  { name: "a name of 51 letters", options: { name: "n".repeat(51) }, places: ["name"] },
  { name: "a name of 51 composed characters", options: { name: "é".repeat(51) }, places: ["name"] },
  { name: "a name of one endless character", options: { name: `a${"\u0301".repeat(2000)}` }, places: ["name"] },
  { name: "a name with a lone surrogate", options: { name: "a\ud83d" }, places: ["name"] },
  {
    name: "a temperature below 0",
    options: { config: config({ temperature: -0.1 }) },
    places: ["config.temperature"]
  },
  { name: "a temperature over 2", options: { config: config({ temperature: 2.1 }) }, places: ["config.temperature"] },
  {
    name: "a temperature that is no number",
    options: { config: config({ temperature: Number.NaN }) },
    places: ["config.temperature"]
  },
  {
    name: "an infinite temperature",
    options: { config: config({ temperature: Number.POSITIVE_INFINITY }) },
    places: ["config.temperature"]
  },
  { name: "no tokens", options: { config: config({ maxTokens: 0 }) }, places: ["config.maxTokens"] },
  { name: "half a token", options: { config: config({ maxTokens: 1.5 }) }, places: ["config.maxTokens"] },
  { name: "less than no tokens", options: { config: config({ maxTokens: -1 }) }, places: ["config.maxTokens"] },
  {
    name: "more tokens than can be counted",
    options: { config: config({ maxTokens: 2 ** 53 }) },
    places: ["config.maxTokens"]
  },
  { name: "an empty provider", options: { config: config({ provider: "" }) }, places: ["config.provider"] },
  { name: "an empty model", options: { config: config({ model: "" }) }, places: ["config.model"] },
  { name: "an endless model", options: { config: config({ model: "m".repeat(257) }) }, places: ["config.model"] },
  {
    name: "a further setting that is no JSON",
    options: { config: { ...Rig.config, retry: [{ after: Number.NaN }] } },
    places: ["config.retry[0].after"]
  },
  { name: "metadata that holds itself", options: { metadata: cyclic }, places: ["metadata.self.self"] },
  {
    name: "metadata that is nested too deeply",
    options: { metadata: { deep: nested(70) } },
    places: ["metadata.deep"]
  },
  {
    name: "metadata with a lone surrogate in a key",
    options: { metadata: { inner: { "\udc00": 1 } } },
    places: ["metadata.inner"]
  },
  {
    name: "several mistakes at once",
    options: { name: "", config: { provider: "", model: "", temperature: 3, maxTokens: 0 } },
    places: ["name", "config.provider", "config.model", "config.temperature", "config.maxTokens"]
  }
]

describe("Sessions.create of what is no session", () => {
  for (const { name, options, places } of mistakes) {
    it.effect(`refuses ${name} with InvalidSession that names the place; nothing is stored and nothing runs`, () =>
      overFiles(Effect.fnUntraced(function*({ project, sessions }) {
        const fs = yield* FileSystem.FileSystem
        const error = yield* Effect.flip(Sessions.create({ project, config: Rig.config, ...options }))
        assert.strictEqual(nameOf(error), "CreateFailed/InvalidSession")
        if (error._tag !== "CreateFailed" || error.reason._tag !== "InvalidSession") return
        const { issues } = error.reason
        assert.lengthOf(issues, places.length)
        for (const place of places) {
          assert.isTrue(issues.some((issue) => issue.startsWith(place)), `${place} in ${issues.join("; ")}`)
        }
        assert.deepStrictEqual(yield* running, [])
        assert.isFalse(yield* fs.exists(sessions))
        assert.deepStrictEqual(yield* fs.readDirectory(project), [])
        yield* Sessions.create({ project, config: Rig.config })
      })))
  }

  it.effect("never shows a value in its message", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const canary = "CANARY-4711"
      const wrong: ReadonlyArray<Partial<Sessions.CreateOptions>> = [
        { name: canary.repeat(6) },
        { config: config({ model: canary.repeat(100) }) },
        { config: config({ temperature: 4711.25 }) },
        { config: config({ maxTokens: -471_125 }) },
        { metadata: { inner: [canary, Number.NaN] } }
      ]
      for (const options of wrong) {
        const error = yield* Effect.flip(Sessions.create({ project, config: Rig.config, ...options }))
        assert.notInclude(JSON.stringify(error) + error.message, "CANARY")
        assert.notMatch(error.message, /4711/)
      }
    })))
})

describe("Sessions.create of a project that can't be used", () => {
  const projects: ReadonlyArray<{
    readonly name: string
    readonly project: (space: Space, fs: FileSystem.FileSystem) => Effect.Effect<string, unknown>
    readonly error: string
    readonly issue?: string
  }> = [
    {
      name: "a relative path",
      project: () => Effect.succeed("."),
      error: "CreateFailed/InvalidSession",
      issue: "absolute"
    },
    {
      name: "an empty path",
      project: () => Effect.succeed(""),
      error: "CreateFailed/InvalidSession",
      issue: "absolute"
    },
    {
      name: "a path with NUL",
      project: ({ project }) => Effect.succeed(`${project}\0`),
      error: "CreateFailed/InvalidSession",
      issue: "NUL"
    },
    {
      name: "a path with a lone surrogate",
      project: ({ project }) => Effect.succeed(`${project}/\ud83d`),
      error: "CreateFailed/InvalidSession",
      issue: "surrogate"
    },
    {
      name: "a path of 4,097 bytes",
      project: () => Effect.succeed(`/${"ä/".repeat(1365)}x`),
      error: "CreateFailed/InvalidSession",
      issue: "4096"
    },
    {
      name: "a missing directory",
      project: ({ project }) => Effect.succeed(`${project}/missing`),
      error: "CreateFailed/ProjectMissing"
    },
    {
      name: "a link to nothing",
      project: ({ root }, fs) => Effect.as(fs.symlink(`${root}/nothing`, `${root}/link`), `${root}/link`),
      error: "CreateFailed/ProjectMissing"
    },
    {
      name: "a file",
      project: ({ root }, fs) => Effect.as(fs.writeFileString(`${root}/file`, ""), `${root}/file`),
      error: "CreateFailed/ProjectNotDirectory"
    },
    {
      name: "a path below a file",
      project: ({ root }, fs) => Effect.as(fs.writeFileString(`${root}/file`, ""), `${root}/file/below`),
      error: "CreateFailed/ProjectNotDirectory"
    },
    {
      name: "a link to itself",
      project: ({ root }, fs) => Effect.as(fs.symlink(`${root}/loop`, `${root}/loop`), `${root}/loop`),
      error: "CreateFailed/ProjectNotDirectory"
    },
    {
      name: "a name that no file system takes",
      project: ({ root }) => Effect.succeed(`${root}/${"n".repeat(300)}`),
      error: "CreateFailed/ProjectMissing"
    }
  ]
  for (const { error, issue, name, project } of projects) {
    it.effect(`refuses ${name} with ${error}; nothing is stored and nothing runs`, () =>
      overFiles(Effect.fnUntraced(function*(space) {
        const fs = yield* FileSystem.FileSystem
        const path = yield* project(space, fs)
        const failure = yield* Effect.flip(Sessions.create({ project: path, config: Rig.config }))
        assert.strictEqual(nameOf(failure), error)
        if (issue !== undefined) assert.include(failure.message, issue)
        assert.deepStrictEqual(yield* running, [])
        assert.isFalse(yield* fs.exists(space.sessions))
      })))
  }

  it.effect("refuses a directory that this user can't read with ProjectForbidden", () => {
    // Root may enter everything, so the refusal is the file system's word.
    const hook: FileSystemHooks.Hook = (call) => (run) =>
      call.method === "access" && call.path.endsWith("/project")
        ? Effect.fail(FileSystemHooks.systemError(call, "PermissionDenied", "EACCES"))
        : run
    return overFiles(
      Effect.fnUntraced(function*({ project, sessions }) {
        const fs = yield* FileSystem.FileSystem
        const error = yield* Effect.flip(Sessions.create({ project, config: Rig.config }))
        assert.strictEqual(nameOf(error), "CreateFailed/ProjectForbidden")
        assert.isFalse(yield* fs.exists(sessions))
      }),
      { hook }
    )
  })

  it.effect("refuses a directory that is replaced while the session is created", () => {
    let looks = 0
    let swap: Effect.Effect<void, unknown> = Effect.void
    const hook: FileSystemHooks.Hook = (call) => (run) =>
      call.method === "realPath" && looks++ === 1 ? Effect.andThen(Effect.orDie(swap), run) : run
    return overFiles(
      Effect.fnUntraced(function*({ project, root, sessions }) {
        const fs = yield* FileSystem.FileSystem
        swap = Effect.andThen(fs.rename(project, `${root}/away`), fs.makeDirectory(project))
        const error = yield* Effect.flip(Sessions.create({ project, config: Rig.config }))
        assert.strictEqual(nameOf(error), "CreateFailed/ProjectChanged")
        assert.deepStrictEqual(yield* running, [])
        assert.isFalse(yield* fs.exists(sessions))
      }),
      { hook }
    )
  })
})

describe("Sessions.create", () => {
  it.effect("runs and stores a session that nothing has happened in", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      yield* TestClock.setTime(Date.parse("2026-02-03T04:05:06.007Z"))
      const session = yield* Sessions.create({ project, name: "new", config: Rig.config, metadata: { a: [1] } })
      assert.isTrue(SessionId.isSessionId(session.id))
      const state = yield* session.state
      assert.deepStrictEqual<unknown>(state, {
        session: {
          id: session.id,
          name: "new",
          projectPath: project,
          config: Rig.config,
          createdAt: "2026-02-03T04:05:06.007Z",
          updatedAt: "2026-02-03T04:05:06.007Z",
          metadata: { a: [1] }
        },
        conversation: [],
        todos: [],
        promptHistory: [],
        usage: { inputTokens: 0, outputTokens: 0, totalCost: 0 },
        revision: 0,
        extra: {}
      })
      assert.deepStrictEqual((yield* Sessions.load(session.id)).state, state)
      assert.deepStrictEqual((yield* running).map(({ id }) => id), [session.id])
    })))

  it.effect("takes every value at the edge of what is allowed", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const edges: ReadonlyArray<Partial<Sessions.CreateOptions>> = [
        { name: "n" },
        { name: "n".repeat(50) },
        { name: "é".repeat(50) },
        { name: family.repeat(40) },
        { name: " " },
        { config: config({ temperature: 0 }) },
        { config: config({ temperature: 2 }) },
        { config: config({ maxTokens: 1 }) },
        { config: config({ maxTokens: Number.MAX_SAFE_INTEGER }) },
        { config: config({ provider: "p", model: "m".repeat(256) }) }
      ]
      for (const options of edges) {
        const session = yield* Sessions.create({ project, config: Rig.config, ...options })
        const state = yield* session.state
        yield* Sessions.close(session.id)
        assert.deepStrictEqual((yield* Sessions.load(session.id)).state, state)
        if (options.name !== undefined) assert.strictEqual(state.session.name, options.name)
        assert.deepStrictEqual(state.session.config, options.config ?? Rig.config)
      }
    })))

  it.effect("names a session after its directory where no name is given", () =>
    overFiles(Effect.fnUntraced(function*({ project, root }) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.symlink(project, `${root}/link`)
      const directories: ReadonlyArray<readonly [path: string, name: string]> = [
        [project, "project"],
        [`${project}/`, "project"],
        [`${root}/link`, "project"],
        [`${root}/Größe 🦊`, "Größe 🦊"],
        [`${root}/${"long".repeat(20)}`, "long".repeat(20).slice(0, 50)],
        [`${root}/${family.repeat(9)}`, family.repeat(9)],
        ["/", "session"]
      ]
      for (const [path, name] of directories) {
        yield* fs.makeDirectory(path, { recursive: true })
        const session = yield* Sessions.create({ project: path, config: Rig.config })
        assert.strictEqual((yield* session.state).session.name, name)
        yield* Sessions.close(session.id)
        assert.strictEqual((yield* Sessions.load(session.id)).state.session.name, name)
      }
    })))

  it.effect("stores the real path of a project that a link leads to", () =>
    overFiles(Effect.fnUntraced(function*({ project, root }) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.symlink(project, `${root}/link`)
      const session = yield* Sessions.create({ project: `${root}/link/../link`, config: Rig.config })
      assert.strictEqual((yield* session.state).session.projectPath, project)
    })))

  it.effect("keeps settings that it does not know through close and resume", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const further: unknown = JSON.parse(
        "{\"provider\":\"test\",\"model\":\"m\",\"temperature\":1,\"maxTokens\":10,\"topP\":0.5,\"stop\":[\"\",\"\\n\"]," +
          "\"nested\":{\"deep\":[{\"__proto__\":{\"polluted\":true}}]},\"__proto__\":{\"polluted\":true}," +
          "\"constructor\":null,\"toString\":\"x\",\"1\":1,\"\":{}}"
      )
      if (!isConfig(further)) return assert.fail("these settings are valid")
      assert.isTrue(Object.hasOwn(further, "__proto__"))
      const session = yield* Sessions.create({ project, config: further })
      for (let round = 0; round < 3; round++) {
        yield* Sessions.close(session.id)
        const { session: loaded } = (yield* Sessions.load(session.id)).state
        assert.deepStrictEqual(loaded.config, further)
        assert.strictEqual(JSON.stringify(loaded.config), JSON.stringify(further))
        const resumed = yield* Sessions.resume(session.id)
        assert.strictEqual(JSON.stringify((yield* resumed.state).session.config), JSON.stringify(further))
      }
      assert.isFalse("polluted" in {})
    })))

  it.effect("keeps what it was given, whatever happens to the objects afterwards", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const tags = ["a"]
      const metadata = { tags }
      const changing = { ...Rig.config, stop: ["x"] }
      const session = yield* Sessions.create({ project, config: changing, metadata })
      tags.push("b")
      changing.stop.push("y")
      changing.model = "other"
      const state = yield* session.state
      assert.deepStrictEqual(state.session.metadata, { tags: ["a"] })
      assert.deepStrictEqual(state.session.config, { ...Rig.config, stop: ["x"] })
      yield* Sessions.close(session.id)
      assert.deepStrictEqual((yield* Sessions.load(session.id)).state, state)
    })))

  it.effect("is two sessions when it is called twice", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const first = yield* Sessions.create({ project, config: Rig.config })
      yield* Sessions.close(first.id)
      const second = yield* Sessions.create({ project, config: Rig.config })
      assert.notStrictEqual(second.id, first.id)
      assert.lengthOf(yield* list, 2)
    })))
})

describe("Sessions.create beside others", () => {
  it.effect("refuses a second session in a directory where one runs, whichever path leads there", () =>
    overFiles(Effect.fnUntraced(function*({ project, root }) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.symlink(project, `${root}/link`)
      const first = yield* Sessions.create({ project, config: Rig.config })
      for (const path of [project, `${project}/.`, `${root}/link`]) {
        const error = yield* Effect.flip(Sessions.create({ project: path, config: Rig.config }))
        assert.strictEqual(nameOf(error), "CreateFailed/ProjectAlreadyOpen")
        assert.include(error.message, first.id)
      }
      assert.lengthOf(yield* list, 1)
      yield* Sessions.close(first.id)
      yield* Sessions.create({ project: `${root}/link`, config: Rig.config })
    })))

  it.effect("lets one of many that are created at once have the directory", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const results = yield* Effect.forEach(
        Array.from({ length: 10 }),
        () => Effect.result(Sessions.create({ project, config: Rig.config })),
        { concurrency: "unbounded" }
      )
      assert.lengthOf(results.filter(Result.isSuccess), 1)
      assert.deepStrictEqual(
        new Set(results.filter(Result.isFailure).map(({ failure }) => nameOf(failure))),
        new Set(["CreateFailed/ProjectAlreadyOpen"])
      )
      assert.lengthOf(yield* list, 1)
      assert.lengthOf(yield* running, 1)
    })))

  it.effect("refuses one more than may run, and leaves no trace of it", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, root }) {
        const fs = yield* FileSystem.FileSystem
        yield* fs.makeDirectory(`${root}/other`)
        const first = yield* Sessions.create({ project, config: Rig.config })
        const error = yield* Effect.flip(Sessions.create({ project: `${root}/other`, config: Rig.config }))
        assert.strictEqual(nameOf(error), "CreateFailed/TooManyRunning")
        assert.lengthOf(yield* list, 1)
        yield* Sessions.close(first.id)
        yield* Sessions.create({ project: `${root}/other`, config: Rig.config })
      }),
      { limits: { maxRunning: 1 } }
    ))

  it.effect("refuses a session that is too large to be loaded again", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, sessions }) {
        const fs = yield* FileSystem.FileSystem
        const metadata = { notes: "n".repeat(20_000) }
        const error = yield* Effect.flip(Sessions.create({ project, config: Rig.config, metadata }))
        assert.strictEqual(nameOf(error), "CreateFailed/InvalidSession")
        assert.include(error.message, "16384")
        assert.isFalse(yield* fs.exists(sessions))
      }),
      { limits: { maxBytes: 16 * 1024 } }
    ))

  it.effect("leaves nothing that a list shows when the disk fails, and the project free", () => {
    let isBroken = true
    const hook: FileSystemHooks.Hook = (call) => (run) =>
      isBroken && call.method === "file.sync"
        ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO"))
        : run
    return overFiles(
      Effect.fnUntraced(function*({ project }) {
        const error = yield* Effect.flip(Sessions.create({ project, config: Rig.config }))
        assert.strictEqual(error._tag, "StoreError")
        assert.deepStrictEqual(yield* list, [])
        assert.deepStrictEqual(yield* running, [])
        isBroken = false
        yield* Sessions.create({ project, config: Rig.config })
        assert.lengthOf(yield* list, 1)
      }),
      { hook }
    )
  })
})
