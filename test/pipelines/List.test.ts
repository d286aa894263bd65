import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, type Layer, Stream } from "effect"
import { type SessionError, type SessionList, Sessions, Supervisor } from "effect-reprise"
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

const list = (filter?: SessionList.Filter) => Stream.runCollect(Sessions.list(filter))

/** What a list shows, in short: ids of sessions with their status, names of the others with their error. */
const shown = (entries: ReadonlyArray<SessionList.Entry>) =>
  entries.map((entry) =>
    entry._tag === "Stored" ? `${entry.id} ${entry.status}` : `${entry.name} ${entry._tag} ${nameOf(entry.error)}`
  )

const idsOf = (entries: ReadonlyArray<SessionList.Entry>) =>
  entries.map((entry) => entry._tag === "Stored" ? entry.id : entry.name)

const create = Effect.fnUntraced(function*(project: string, name: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(project, { recursive: true })
  return yield* Sessions.create({ project, name, config: Rig.config })
})

/** A closed session, a second younger than the one before. */
const createClosed = Effect.fnUntraced(function*(project: string, name: string) {
  const { id } = yield* create(project, name)
  yield* TestClock.adjust("1 second")
  yield* Sessions.close(id)
  return id
})

/** A session that its holder left without closing it. */
const createInterrupted = Effect.fnUntraced(function*(project: string, name: string) {
  const running = yield* create(project, name)
  yield* running.append({ role: "user", content: "unsaved" })
  yield* Supervisor.Supervisor.use(({ discard }) => discard(running.id))
  return running.id
})

describe("Sessions.list", () => {
  it.effect("is empty where there is no sessions directory, and makes none", () =>
    overFiles(Effect.fnUntraced(function*({ sessions }) {
      const fs = yield* FileSystem.FileSystem
      assert.deepStrictEqual(yield* list(), [])
      assert.isFalse(yield* fs.exists(sessions))
    })))

  it.effect("shows good sessions newest first", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const first = yield* createClosed(project, "first")
      const second = yield* createClosed(project, "second")
      const third = yield* createClosed(project, "third")
      assert.deepStrictEqual(shown(yield* list()), [`${third} closed`, `${second} closed`, `${first} closed`])

      yield* Sessions.rename(first, "first again")
      assert.deepStrictEqual(idsOf(yield* list()), [first, third, second])
    })))

  it.effect("shows sessions of the same moment in the same order each time", () =>
    overFiles(Effect.fnUntraced(function*({ root }) {
      const ids: Array<string> = []
      for (const number of [1, 2, 3, 4, 5, 6]) {
        const { id } = yield* create(`${root}/${number}`, "same")
        yield* Sessions.close(id)
        ids.push(id)
      }
      assert.deepStrictEqual(idsOf(yield* list()), ids.toSorted())
      assert.deepStrictEqual(idsOf(yield* list()), ids.toSorted())
    })))

  it.effect("tells of a closed session what its head says", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      yield* TestClock.setTime(Date.parse("2026-03-01T10:00:00.000Z"))
      const running = yield* create(project, "head")
      yield* running.append({ role: "user", content: "one" })
      yield* running.append({ role: "user", content: "two" })
      yield* running.replaceTodos([
        { content: "a", status: "completed", activeForm: "a" },
        { content: "b", status: "in_progress", activeForm: "b" },
        { content: "c", status: "pending", activeForm: "c" }
      ])
      yield* TestClock.adjust("1 hour")
      yield* Sessions.close(running.id)
      const { size } = yield* fs.stat(`${sessions}/${running.id}/session.json`)
      const [entry] = yield* list()
      assert.deepStrictEqual<unknown>(entry, {
        _tag: "Stored",
        id: running.id,
        name: "head",
        projectPath: project,
        status: "closed",
        createdAt: "2026-03-01T10:00:00.000Z",
        updatedAt: "2026-03-01T10:00:00.000Z",
        closedAt: "2026-03-01T11:00:00.000Z",
        messages: 2,
        todosOpen: 2,
        todosDone: 1,
        bytes: Number(size)
      })
    })))

  it.effect("shows running and interrupted sessions as such, the running one with its holder", () =>
    overFiles(Effect.fnUntraced(function*({ project, root }) {
      const closed = yield* createClosed(project, "closed")
      const interrupted = yield* createInterrupted(project, "interrupted")
      const { id: running } = yield* create(`${root}/other`, "running")
      const entries = yield* list()
      assert.sameMembers(shown(entries), [
        `${closed} closed`,
        `${interrupted} interrupted`,
        `${running} running`
      ])
      for (const entry of entries) {
        if (entry._tag === "Stored") assert.strictEqual(entry.holder !== undefined, entry.status === "running")
      }
    })))

  it.effect("shows a name that looks like the rest of a head", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const names = [
        "\",\"config\":{}",
        "a\\\",\"config\":",
        "\u2028\u2029\u0000\u001f\\",
        "𝕳".repeat(50),
        "👩‍👩‍👧‍👦".repeat(40)
      ]
      for (const name of names) {
        const { id } = yield* create(project, name)
        yield* Sessions.close(id)
        const entry = yield* Sessions.find({ name, pick: "only" })
        assert.strictEqual(entry.id, id)
      }
    })))

  it.effect("leaves sessions in the trash out, unless it is asked for them", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const kept = yield* createClosed(project, "kept")
      const removed = yield* createClosed(project, "removed")
      yield* Sessions.remove(removed)
      assert.deepStrictEqual(shown(yield* list()), [`${kept} closed`])
      assert.deepStrictEqual(shown(yield* list({ status: ["removed"] })), [`${removed} removed`])
      assert.deepStrictEqual(shown(yield* list({ status: ["removed", "closed"] })), [
        `${removed} removed`,
        `${kept} closed`
      ])
    })))
})

describe("Sessions.list beside what can't be read", () => {
  const sizes = { maxBytes: 64 * 1024 }
  const foreign = "0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f.json"
  const unrelated = [
    "README.md",
    ".DS_Store",
    "session.json",
    "keyring.json",
    "0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f.json.bak",
    "0d2b6f0e-2a4d-1f0b-8f6f-9a1b2c3d4e5f",
    "creating.boot.pids.1.1.0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f"
  ]

  /** Each way in which a session's directory can be broken, with the error a list shows. */
  const broken: ReadonlyArray<{
    readonly name: string
    readonly error: string
    readonly breakIt: (directory: string, fs: FileSystem.FileSystem) => Effect.Effect<void, unknown>
  }> = [
    {
      name: "truncated",
      error: "InvalidJson/Syntax",
      breakIt: (directory, fs) => fs.truncate(`${directory}/session.json`, 200)
    },
    {
      name: "empty",
      error: "InvalidJson/Syntax",
      breakIt: (directory, fs) => fs.truncate(`${directory}/session.json`)
    },
    {
      name: "an array",
      error: "InvalidJson/Shape",
      breakIt: (directory, fs) => fs.writeFileString(`${directory}/session.json`, "[]")
    },
    {
      name: "an empty object",
      error: "InvalidJson/Unsigned",
      breakIt: (directory, fs) => fs.writeFileString(`${directory}/session.json`, "{}")
    },
    {
      name: "long and cut",
      error: "InvalidJson/Unsigned",
      breakIt: (directory, fs) => fs.writeFileString(`${directory}/session.json`, `{"a":"${"a".repeat(9000)}`)
    },
    {
      name: "too large",
      error: "InvalidJson/TooLarge",
      breakIt: (directory, fs) => fs.truncate(`${directory}/session.json`, sizes.maxBytes + 1)
    },
    {
      name: "newer",
      error: "SchemaVersion",
      breakIt: (directory, fs) => fs.writeFileString(`${directory}/session.json`, "{\"version\":3}")
    },
    { name: "missing", error: "StoreError", breakIt: (directory, fs) => fs.remove(`${directory}/session.json`) },
    {
      name: "a directory",
      error: "StoreError",
      breakIt: (directory, fs) =>
        Effect.andThen(fs.remove(`${directory}/session.json`), fs.makeDirectory(`${directory}/session.json`))
    },
    {
      name: "a link",
      error: "StoreError",
      breakIt: (directory, fs) =>
        Effect.andThen(
          fs.rename(`${directory}/session.json`, `${directory}/elsewhere.json`),
          fs.symlink("elsewhere.json", `${directory}/session.json`)
        )
    },
    {
      name: "in a directory that is empty",
      error: "StoreError",
      breakIt: (directory, fs) => Effect.andThen(fs.remove(directory, { recursive: true }), fs.makeDirectory(directory))
    },
    {
      name: "in a directory that is a file",
      error: "StoreError",
      breakIt: (directory, fs) =>
        Effect.andThen(fs.remove(directory, { recursive: true }), fs.writeFileString(directory, "{}"))
    },
    {
      name: "in a directory that is a link",
      error: "StoreError",
      breakIt: (directory, fs) =>
        Effect.andThen(fs.rename(directory, `${directory}.away`), fs.symlink(`${directory}.away`, directory))
    }
  ]

  for (const { breakIt, error, name } of broken) {
    it.effect(`lists a session whose session.json is ${name} with ${error}, after the good ones`, () =>
      overFiles(
        Effect.fnUntraced(function*({ project, sessions }) {
          const fs = yield* FileSystem.FileSystem
          const good = yield* createClosed(project, "good")
          const bad = yield* createClosed(project, "bad")
          const better = yield* createClosed(project, "better")
          yield* breakIt(`${sessions}/${bad}`, fs)
          assert.deepStrictEqual(shown(yield* list()), [
            `${better} closed`,
            `${good} closed`,
            `${bad} Broken ${error}`
          ])
        }),
        { limits: sizes }
      ))
  }

  it.effect("shows everything at once: sessions newest first, then the others by name, and nothing unrelated", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, root, sessions }) {
        const fs = yield* FileSystem.FileSystem
        const bad: Array<string> = []
        for (const { breakIt, error, name } of broken) {
          const id = yield* createClosed(project, name)
          yield* breakIt(`${sessions}/${id}`, fs)
          bad.push(`${id} Broken ${error}`)
        }
        const closed = yield* createClosed(project, "closed")
        const interrupted = yield* createInterrupted(project, "interrupted")
        const { id: running } = yield* create(`${root}/running`, "running")
        yield* fs.writeFileString(`${sessions}/${foreign}`, "{\"version\":1}")
        for (const name of unrelated) yield* fs.writeFileString(`${sessions}/${name}`, "{}")

        const lines = shown(yield* list())
        assert.sameMembers(lines.slice(0, 2), [`${interrupted} interrupted`, `${running} running`])
        assert.strictEqual(lines[2], `${closed} closed`)
        assert.deepStrictEqual(
          lines.slice(3),
          [...bad, `${foreign} Foreign InvalidJson/Unsigned`].sort()
        )
      }),
      { limits: sizes }
    ))

  it.effect("gives every broken and foreign entry an error that says what to do", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, sessions }) {
        const fs = yield* FileSystem.FileSystem
        for (const { breakIt, name } of broken) {
          yield* breakIt(`${sessions}/${yield* createClosed(project, name)}`, fs)
        }
        yield* fs.writeFileString(`${sessions}/${foreign}`, "{}")
        const entries = yield* list()
        assert.lengthOf(entries, broken.length + 1)
        for (const entry of entries) {
          assert.notStrictEqual(entry._tag, "Stored")
          if (entry._tag !== "Stored") assert.match(entry.error.message, /[Rr]estore|Raise|Update|see cause|import/i)
        }
      }),
      { limits: sizes }
    ))

  it.effect("lists a session whose directory can't be entered, and the others", () => {
    let forbidden = ""
    const hook: FileSystemHooks.Hook = (call) => (run) =>
      call.method === "readDirectory" && forbidden !== "" && call.path.endsWith(forbidden)
        ? Effect.fail(FileSystemHooks.systemError(call, "PermissionDenied", "EACCES"))
        : run
    return overFiles(
      Effect.fnUntraced(function*({ project }) {
        const good = yield* createClosed(project, "good")
        forbidden = yield* createClosed(project, "forbidden")
        assert.deepStrictEqual(shown(yield* list()), [`${good} closed`, `${forbidden} Broken StoreError`])
      }),
      { hook }
    )
  })

  it.effect("fails with StoreError where the sessions directory is a link, or can't be read", () =>
    overFiles(Effect.fnUntraced(function*({ project, root, sessions }) {
      const fs = yield* FileSystem.FileSystem
      yield* createClosed(project, "good")
      yield* fs.rename(sessions, `${root}/moved`)
      yield* fs.symlink(`${root}/moved`, sessions)
      assert.strictEqual((yield* Effect.flip(list()))._tag, "StoreError")
      yield* fs.remove(sessions)
      yield* fs.writeFileString(sessions, "")
      assert.strictEqual((yield* Effect.flip(list()))._tag, "StoreError")
    })))
})

describe("Sessions.list with a filter", () => {
  it.effect("shows the sessions of a project, whichever path leads to it", () =>
    overFiles(Effect.fnUntraced(function*({ project, root, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const mine = yield* createClosed(project, "mine")
      yield* createClosed(`${root}/other`, "other")
      yield* createClosed(`${project}/below`, "below")
      yield* createClosed(`${root}/project2`, "longer")
      yield* fs.writeFileString(`${sessions}/0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f.json`, "{}")
      yield* fs.symlink(project, `${root}/link`)
      yield* fs.symlink(`${root}/link`, `${root}/link of a link`)
      for (
        const path of [
          project,
          `${project}/`,
          `${project}/../project`,
          `${project}/.`,
          `${root}/link`,
          `${root}/link/`,
          `${root}/link of a link`
        ]
      ) {
        assert.deepStrictEqual(shown(yield* list({ project: path })), [`${mine} closed`], path)
      }
    })))

  it.effect("shows the sessions of a project that is no longer there, by its path", () =>
    overFiles(Effect.fnUntraced(function*({ project, root }) {
      const fs = yield* FileSystem.FileSystem
      const mine = yield* createClosed(project, "mine")
      yield* createClosed(`${root}/other`, "other")
      yield* fs.remove(project, { recursive: true })
      assert.deepStrictEqual(shown(yield* list({ project })), [`${mine} closed`])
      assert.deepStrictEqual(yield* list({ project: `${root}/never` }), [])
    })))

  it.effect("shows the sessions created through a link under the project's real path", () =>
    overFiles(Effect.fnUntraced(function*({ project, root }) {
      const fs = yield* FileSystem.FileSystem
      yield* fs.symlink(project, `${root}/link`)
      const { id } = yield* Sessions.create({ project: `${root}/link`, config: Rig.config })
      assert.deepStrictEqual(shown(yield* list({ project })), [`${id} running`])
    })))

  it.effect("shows the sessions of the statuses it asks for", () =>
    overFiles(Effect.fnUntraced(function*({ project, root }) {
      const closed = yield* createClosed(project, "closed")
      const interrupted = yield* createInterrupted(project, "interrupted")
      const { id: running } = yield* create(`${root}/other`, "running")
      assert.deepStrictEqual(idsOf(yield* list({ status: ["closed"] })), [closed])
      assert.deepStrictEqual(idsOf(yield* list({ status: ["interrupted"] })), [interrupted])
      assert.deepStrictEqual(idsOf(yield* list({ status: ["running"] })), [running])
      assert.sameMembers(idsOf(yield* list({ status: ["running", "interrupted"] })), [running, interrupted])
      assert.deepStrictEqual(yield* list({ status: ["elsewhere"] }), [])
      assert.deepStrictEqual(yield* list({ status: [] }), [])
    })))

  it.effect("shows the sessions whose name or path has a text in it, whatever its case", () =>
    overFiles(Effect.fnUntraced(function*({ root }) {
      const name = yield* createClosed(`${root}/plain`, "Refactor the Parser")
      const path = yield* createClosed(`${root}/PARSER`, "docs")
      yield* createClosed(`${root}/third`, "(.*)")
      assert.deepStrictEqual(idsOf(yield* list({ text: "parser" })), [path, name])
      assert.deepStrictEqual(idsOf(yield* list({ text: "the pARSER" })), [name])
      assert.lengthOf(yield* list({ text: ".*" }), 1)
      assert.lengthOf(yield* list({ text: "" }), 3)
      assert.deepStrictEqual(yield* list({ text: "lexer" }), [])
    })))

  it.effect("shows the page it asks for, and all pages together are the list", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      for (const name of ["a", "b", "c", "d", "e"]) yield* createClosed(project, name)
      yield* fs.writeFileString(`${sessions}/0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f.json`, "{}")
      const all = idsOf(yield* list())
      assert.lengthOf(all, 6)
      for (const limit of [1, 2, 4, 6, 100]) {
        const pages: Array<string> = []
        for (let offset = 0; offset < 6; offset += limit) {
          const page = idsOf(yield* list({ offset, limit }))
          assert.isAtMost(page.length, limit)
          pages.push(...page)
        }
        assert.deepStrictEqual(pages, all)
      }
      assert.deepStrictEqual(yield* list({ offset: 6 }), [])
      assert.deepStrictEqual(yield* list({ limit: 0 }), [])
      assert.deepStrictEqual(idsOf(yield* list({ offset: 4 })), all.slice(4))
    })))

  it.effect("filters first and pages then", () =>
    overFiles(Effect.fnUntraced(function*({ project, root }) {
      const first = yield* createClosed(project, "first")
      yield* createClosed(`${root}/other`, "between")
      const second = yield* createClosed(project, "second")
      assert.deepStrictEqual(idsOf(yield* list({ project, offset: 1, limit: 1 })), [first])
      assert.deepStrictEqual(idsOf(yield* list({ project, status: ["closed"], text: "sec", limit: 5 })), [second])
    })))
})

describe("Sessions.find", () => {
  it.effect("finds the latest session, of a project or of all", () =>
    overFiles(Effect.fnUntraced(function*({ project, root }) {
      const fs = yield* FileSystem.FileSystem
      yield* createClosed(project, "older")
      const mine = yield* createClosed(project, "mine")
      const latest = yield* createClosed(`${root}/other`, "latest")
      yield* fs.symlink(project, `${root}/link`)
      assert.strictEqual((yield* Sessions.find()).id, latest)
      assert.strictEqual((yield* Sessions.find({ pick: "latest" })).id, latest)
      assert.strictEqual((yield* Sessions.find({ project })).id, mine)
      assert.strictEqual((yield* Sessions.find({ project: `${root}/link`, pick: "latest" })).id, mine)
    })))

  it.effect("finds a session by its whole name", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const one = yield* createClosed(project, "one")
      yield* createClosed(project, "one more")
      assert.strictEqual((yield* Sessions.find({ name: "one" })).id, one)
      assert.strictEqual((yield* Sessions.find({ name: "one", pick: "only" })).id, one)
      assert.strictEqual((yield* Effect.flip(Sessions.find({ name: "One" })))._tag, "NotFound")
    })))

  it.effect("finds the only one, and fails with NotFound where there are several or none", () =>
    overFiles(Effect.fnUntraced(function*({ project, root }) {
      const only = yield* createClosed(project, "only")
      assert.strictEqual((yield* Sessions.find({ pick: "only" })).id, only)
      yield* createClosed(`${root}/other`, "another")
      const several = yield* Effect.flip(Sessions.find({ pick: "only" }))
      assert.strictEqual(several._tag, "NotFound")
      assert.include(several.message, "2")
      assert.strictEqual((yield* Sessions.find({ project, pick: "only" })).id, only)
      assert.strictEqual((yield* Effect.flip(Sessions.find({ project: `${root}/never` })))._tag, "NotFound")
    })))

  it.effect("fails with NotFound where nothing is stored, or nothing that can be read", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      assert.strictEqual((yield* Effect.flip(Sessions.find()))._tag, "NotFound")
      const id = yield* createClosed(project, "broken")
      yield* fs.truncate(`${sessions}/${id}/session.json`)
      assert.strictEqual((yield* Effect.flip(Sessions.find()))._tag, "NotFound")
    })))

  it.effect("never finds a session in the trash, unless it is asked for one", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const id = yield* createClosed(project, "removed")
      yield* Sessions.remove(id)
      assert.strictEqual((yield* Effect.flip(Sessions.find({ name: "removed" })))._tag, "NotFound")
      assert.strictEqual((yield* Sessions.find({ status: ["removed"] })).id, id)
    })))
})

describe("What Sessions.list reads", () => {
  const count = () => {
    const counted = { bytes: 0, calls: new Array<FileSystemHooks.Call>() }
    const hook: FileSystemHooks.Hook = (call) => (run) =>
      Effect.tap(run, (value) =>
        Effect.sync(() => {
          counted.calls.push(call)
          if (call.method === "file.read" && typeof value === "number") counted.bytes += value
        }))
    return { counted, hook }
  }

  it.effect("is less than 8 KiB of a session of 5 MB", () => {
    const { counted, hook } = count()
    return overFiles(
      Effect.fnUntraced(function*({ project }) {
        const running = yield* create(project, "large")
        for (const letter of ["a", "b", "c", "d", "e"]) {
          yield* running.append({ role: "user", content: letter.repeat(1_000_000) })
        }
        yield* Sessions.close(running.id)
        counted.bytes = 0
        const [entry] = yield* list()
        assert.strictEqual(entry?._tag === "Stored" ? entry.messages : 0, 5)
        assert.isAbove(entry?._tag === "Stored" ? entry.bytes : 0, 5_000_000)
        assert.isAbove(counted.bytes, 0)
        assert.isBelow(counted.bytes, 8 * 1024)
        const before = counted.bytes
        yield* Sessions.load(running.id)
        assert.isAbove(counted.bytes - before, 5_000_000)
      }),
      { hook }
    )
  })

  it.effect("is less than 8 KiB of an interrupted session with a journal of 5 MB", () => {
    const { counted, hook } = count()
    return overFiles(
      Effect.fnUntraced(function*({ project }) {
        const running = yield* create(project, "large")
        for (const letter of ["a", "b", "c", "d", "e"]) {
          yield* running.append({ role: "user", content: letter.repeat(1_000_000) })
        }
        yield* Supervisor.Supervisor.use(({ discard }) => discard(running.id))
        counted.bytes = 0
        const [entry] = yield* list()
        assert.strictEqual(entry?._tag === "Stored" ? entry.status : "", "interrupted")
        assert.isAbove(entry?._tag === "Stored" ? entry.bytes : 0, 5_000_000)
        assert.isBelow(counted.bytes, 8 * 1024)
      }),
      { hook, limits: { checkpointBytes: 9 * 1024 * 1024 } }
    )
  })

  it.effect("changes nothing: it asks the file system for nothing but reading", () => {
    const { counted, hook } = count()
    return overFiles(
      Effect.fnUntraced(function*({ project, root }) {
        yield* createClosed(project, "closed")
        yield* createInterrupted(project, "interrupted")
        yield* create(`${root}/running`, "running")
        counted.calls = []
        yield* list({ project })
        const reading = ["access", "file.read", "file.stat", "lstat", "open", "readDirectory", "realPath", "stat"]
        assert.isAbove(counted.calls.length, 0)
        for (const { flag, method } of counted.calls) {
          assert.include(reading, method)
          if (method === "open") assert.strictEqual(flag, "r")
        }
      }),
      { hook }
    )
  })
})
