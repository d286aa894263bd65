import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, type Layer, Option, Path, Result, Schema } from "effect"
import { type SessionError, type SessionId, Sessions, SessionStore } from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as NodeCrypto from "node:crypto"
import * as Rig from "../suites/rig.ts"

type Services = Layer.Success<ReturnType<typeof Rig.layer>>

interface Space extends Effect.Success<typeof Rig.workspace> {
  /** Every call to the file system, in order. */
  readonly calls: Array<FileSystemHooks.Call>
}

/** Runs a program over real files, with every call to the file system written down. */
const overFiles = <A, E>(
  program: (space: Space) => Effect.Effect<A, E, Services>,
  options: Omit<Rig.RigOptions, "sessions" | "hook"> = {}
) =>
  Effect.flatMap(Rig.workspace, (workspace) => {
    const calls: Array<FileSystemHooks.Call> = []
    const hook = FileSystemHooks.recordInto(calls)
    return Effect.provide(
      program({ ...workspace, calls }),
      Rig.layer({ ...options, sessions: workspace.sessions, hook }),
      { local: true }
    )
  })

const nameOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

/** A closed session with something of everything in it. */
const createClosed = Effect.fnUntraced(function*(project: string) {
  const running = yield* Sessions.create({ project, name: "load", config: Rig.config, metadata: { origin: "test" } })
  yield* running.append({ role: "user", content: "how are you, Grüße 🦊" })
  yield* running.append({ role: "assistant", content: [{ type: "text", text: "well" }] })
  yield* running.replaceTodos([{ content: "one", status: "pending", activeForm: "doing one" }])
  yield* running.recordPrompt("how are you")
  const state = yield* running.state
  yield* Sessions.close(running.id)
  return { id: running.id, state }
})

/** Every file below a directory by its SHA-256; a link by its target. */
const digests = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const found: Record<string, string> = {}
  for (const name of (yield* fs.readDirectory(directory, { recursive: true })).toSorted()) {
    const file = path.join(directory, name)
    const link = yield* Effect.option(fs.readLink(file))
    if (Option.isSome(link)) found[name] = `-> ${link.value}`
    else if ((yield* fs.stat(file)).type === "Directory") found[name] = "directory"
    else found[name] = NodeCrypto.createHash("sha256").update(yield* fs.readFile(file)).digest("hex")
  }
  return found
})

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
const bytes = (text: string) => new TextEncoder().encode(text)

/** A copy with one bit flipped. */
const flip = (original: Uint8Array, offset: number, bit: number) =>
  Uint8Array.from(original, (byte, at) => at === offset ? byte ^ (1 << bit) : byte)

/** A flipped bit in every third byte, and in each of the last ones, where the signature is. */
const flips = (original: Uint8Array) =>
  Array.from(original.keys())
    .filter((offset) => offset % 3 === 0 || offset > original.length - 30)
    .map((offset) => {
      const bit = (offset * 5) % 8
      return { flipped: flip(original, offset, bit), place: `bit ${bit} of byte ${offset}` }
    })

const withChanged = (from: string, to: string) => (original: Uint8Array) => {
  const changed = text(original).replace(from, to)
  return changed === text(original) ? Result.failVoid : Result.succeed(bytes(changed))
}

/** What happens to `session.json`, and the error a load has to fail with. */
const damages: ReadonlyArray<{
  readonly name: string
  readonly damage: (original: Uint8Array) => Result.Result<Uint8Array, void>
  readonly error: string
}> = [
  { name: "is empty", damage: () => Result.succeed(new Uint8Array(0)), error: "InvalidJson/Syntax" },
  {
    name: "was cut in the middle",
    damage: (original) => Result.succeed(original.subarray(0, original.length / 2)),
    error: "InvalidJson/Syntax"
  },
  {
    name: "was cut by its last byte",
    damage: (original) => Result.succeed(original.subarray(0, -1)),
    error: "InvalidJson/Syntax"
  },
  { name: "is not JSON", damage: () => Result.succeed(bytes("not json\n")), error: "InvalidJson/Syntax" },
  {
    name: "is not UTF-8",
    damage: () => Result.succeed(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d])),
    error: "InvalidJson/NotUtf8"
  },
  {
    name: "begins with a byte order mark",
    damage: () => Result.succeed(bytes("\ufeff{}")),
    error: "InvalidJson/NotUtf8"
  },
  { name: "is an array", damage: () => Result.succeed(bytes("[]")), error: "InvalidJson/Shape" },
  { name: "is a number", damage: () => Result.succeed(bytes("42")), error: "InvalidJson/Shape" },
  { name: "is a string", damage: () => Result.succeed(bytes("\"session\"")), error: "InvalidJson/Shape" },
  { name: "is null", damage: () => Result.succeed(bytes("null")), error: "InvalidJson/Shape" },
  { name: "is an empty object", damage: () => Result.succeed(bytes("{}")), error: "InvalidJson/Unsigned" },
  {
    name: "lost its signature",
    damage: (original) => Result.succeed(bytes(text(original).replace(/,"signature":"[^"]*"\}$/, "}"))),
    error: "InvalidJson/Unsigned"
  },
  {
    name: "has the signature of nothing",
    damage: (original) => Result.succeed(bytes(text(original).replace(/[A-Za-z0-9_-]{43}"\}$/, `${"A".repeat(43)}"}`))),
    error: "InvalidJson/BadSignature"
  },
  {
    name: "has a signature that is none",
    damage: (original) =>
      Result.succeed(bytes(text(original).replace(/"signature":"[^"]*"\}$/, "\"signature\":\"\"}"))),
    error: "InvalidJson/BadSignature"
  },
  {
    name: "names a key that is not in the key ring",
    damage: withChanged("\"hs256.test.", "\"hs256.lost."),
    error: "InvalidJson/UnknownKey"
  },
  { name: "has another name inside", damage: withChanged("\"load\"", "\"loud\""), error: "InvalidJson/BadSignature" },
  { name: "has a changed message", damage: withChanged("well", "hell"), error: "InvalidJson/BadSignature" },
  {
    name: "has a space more",
    damage: withChanged("\"conversation\":[", "\"conversation\": ["),
    error: "InvalidJson/BadSignature"
  },
  { name: "is of a newer version", damage: withChanged("{\"version\":2,", "{\"version\":3,"), error: "SchemaVersion" },
  {
    name: "is a newer, unsigned document",
    damage: () => Result.succeed(bytes("{\"version\":9}")),
    error: "SchemaVersion"
  },
  {
    name: "is deeply nested around a lone surrogate",
    damage: () => Result.succeed(bytes(`${"[".repeat(200_000)}"\\ud83d"${"]".repeat(200_000)}`)),
    error: "InvalidJson/Shape"
  }
]

describe("Sessions.load of a damaged session.json", () => {
  for (const { damage, error, name } of damages) {
    it.effect(`fails with ${error} when it ${name}, and leaves it as it is`, () =>
      overFiles(Effect.fnUntraced(function*({ project, sessions }) {
        const fs = yield* FileSystem.FileSystem
        const { id } = yield* createClosed(project)
        const file = `${sessions}/${id}/session.json`
        yield* fs.writeFile(file, yield* Effect.fromResult(damage(yield* fs.readFile(file))))
        const before = yield* digests(sessions)

        assert.strictEqual(nameOf(yield* Effect.flip(Sessions.load(id))), error)
        assert.strictEqual(nameOf(yield* Effect.flip(Sessions.verify(id))), error)
        assert.deepStrictEqual(yield* digests(sessions), before)
      })))
  }

  it.effect("fails with InvalidJson/IdMismatch when it is another session's, and leaves it as it is", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const { id } = yield* createClosed(project)
      const other = yield* createClosed(project)
      yield* fs.copyFile(`${sessions}/${other.id}/session.json`, `${sessions}/${id}/session.json`)
      const before = yield* digests(sessions)

      const error = yield* Effect.flip(Sessions.load(id))
      assert.strictEqual(nameOf(error), "InvalidJson/IdMismatch")
      assert.deepStrictEqual((yield* Sessions.load(other.id)).state, other.state)
      assert.deepStrictEqual(yield* digests(sessions), before)
    })))

  it.effect("never succeeds with a bit flipped anywhere in it, and never dies of it", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const { id } = yield* createClosed(project)
      const file = `${sessions}/${id}/session.json`
      const original = yield* fs.readFile(file)
      for (const { flipped, place } of flips(original)) {
        yield* fs.writeFile(file, flipped)
        const error = yield* Effect.flip(Sessions.load(id))
        assert.include(["InvalidJson", "SchemaVersion"], error._tag, place)
      }
      yield* fs.writeFile(file, original)
      yield* Sessions.load(id)
    })))
})

describe("Sessions.load of what is no file", () => {
  it.effect("fails with NotFound, which names the id, where there is no such session", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const { id } = yield* createClosed(project)
      yield* fs.remove(`${sessions}/${id}`, { recursive: true })
      const error = yield* Effect.flip(Sessions.load(id))
      assert.strictEqual(error._tag, "NotFound")
      assert.include(error.message, id)
    })))

  it.effect("fails with NotFound where there is no sessions directory, and makes none", () =>
    overFiles(Effect.fnUntraced(function*({ sessions }) {
      const fs = yield* FileSystem.FileSystem
      const error = yield* Effect.flip(Sessions.load(idOf("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")))
      assert.strictEqual(error._tag, "NotFound")
      assert.isFalse(yield* fs.exists(sessions))
    })))

  const replacements: ReadonlyArray<{
    readonly name: string
    readonly replace: (file: string, space: Space) => Effect.Effect<void, unknown, FileSystem.FileSystem>
  }> = [
    { name: "is missing", replace: (file) => FileSystem.FileSystem.use((fs) => fs.remove(file)) },
    {
      name: "is a directory",
      replace: (file) => FileSystem.FileSystem.use((fs) => Effect.andThen(fs.remove(file), fs.makeDirectory(file)))
    },
    {
      name: "is a link to a good snapshot",
      replace: (file, { root }) =>
        FileSystem.FileSystem.use((fs) =>
          Effect.andThen(fs.rename(file, `${root}/outside.json`), fs.symlink(`${root}/outside.json`, file))
        )
    },
    {
      name: "is a link to nothing",
      replace: (file, { root }) =>
        FileSystem.FileSystem.use((fs) => Effect.andThen(fs.remove(file), fs.symlink(`${root}/nothing.json`, file)))
    }
  ]
  for (const { name, replace } of replacements) {
    it.effect(`fails with StoreError when session.json ${name}, and leaves everything as it is`, () =>
      overFiles(Effect.fnUntraced(function*(space) {
        const { project, root, sessions } = space
        const { id } = yield* createClosed(project)
        yield* replace(`${sessions}/${id}/session.json`, space)
        const before = yield* digests(root)
        assert.strictEqual((yield* Effect.flip(Sessions.load(id)))._tag, "StoreError")
        assert.deepStrictEqual(yield* digests(root), before)
      })))
  }

  it.effect("fails with StoreError when the session's directory is a link to a good one", () =>
    overFiles(Effect.fnUntraced(function*({ project, root, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const { id } = yield* createClosed(project)
      yield* fs.rename(`${sessions}/${id}`, `${root}/outside`)
      yield* fs.symlink(`${root}/outside`, `${sessions}/${id}`)
      assert.strictEqual((yield* Effect.flip(Sessions.load(id)))._tag, "StoreError")
    })))
})

describe("Sessions.load over the size limit", () => {
  const limits = { maxBytes: 64 * 1024 }

  it.effect("refuses a snapshot from its size, without reading a byte of it", () =>
    overFiles(
      Effect.fnUntraced(function*({ calls, project, sessions }) {
        const fs = yield* FileSystem.FileSystem
        const { id } = yield* createClosed(project)
        const file = `${sessions}/${id}/session.json`
        const readsOfIt = () => calls.filter((call) => call.method === "file.read" && call.path === file).length

        calls.length = 0
        yield* Sessions.load(id)
        assert.isAbove(readsOfIt(), 0)

        yield* fs.writeFile(file, new Uint8Array(limits.maxBytes + 1).fill(0x20))
        const before = yield* digests(sessions)
        calls.length = 0
        const error = yield* Effect.flip(Sessions.load(id))
        assert.strictEqual(nameOf(error), "InvalidJson/TooLarge")
        assert.include(error.message, String(limits.maxBytes + 1))
        assert.include(error.message, String(limits.maxBytes))
        assert.strictEqual(readsOfIt(), 0)
        assert.deepStrictEqual(yield* digests(sessions), before)
      }),
      { limits }
    ))

  it.effect("reads a file of exactly the limit", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, sessions }) {
        const fs = yield* FileSystem.FileSystem
        const { id } = yield* createClosed(project)
        yield* fs.writeFile(`${sessions}/${id}/session.json`, new Uint8Array(limits.maxBytes).fill(0x20))
        assert.strictEqual(nameOf(yield* Effect.flip(Sessions.load(id))), "InvalidJson/Syntax")
      }),
      { limits }
    ))

  it.effect("refuses a journal from its size: snapshot and journal count together", () =>
    overFiles(
      Effect.fnUntraced(function*({ calls, project, sessions }) {
        const fs = yield* FileSystem.FileSystem
        const { id } = yield* Sessions.create({ project, config: Rig.config })
        const snapshot = Number((yield* fs.stat(`${sessions}/${id}/session.json`)).size)
        const journal = `${sessions}/${id}/journal.1.0.jsonl`
        yield* fs.truncate(journal, limits.maxBytes - snapshot + 1)
        calls.length = 0
        assert.strictEqual(nameOf(yield* Effect.flip(Sessions.load(id))), "InvalidJson/TooLarge")
        // The first line is read to tell which snapshot it extends, in one read.
        assert.strictEqual(calls.filter((call) => call.method === "file.read" && call.path === journal).length, 1)
      }),
      { limits }
    ))
})

/** An id that no schema has looked at, as a program in plain JavaScript would pass it. */
const idOf = (text: string): SessionId.SessionId => Schema.String.pipe(Schema.brand("SessionId")).make(text)

describe("An id that is none", () => {
  const ids = (id: string) => [
    "",
    ".",
    "..",
    "../outside",
    `../sessions/${id}`,
    `${id}/`,
    `./${id}`,
    `${id}/../../outside`,
    `${id}\0`,
    `${id}\n`,
    ` ${id}`,
    id.toUpperCase(),
    `${id.slice(0, -1)}é`,
    id.replace(/^(.{14})4/, "$11"),
    "/etc",
    "__proto__",
    "session.json"
  ]
  const operations: ReadonlyArray<{
    readonly name: string
    readonly expected: string
    readonly run: (
      id: SessionId.SessionId
    ) => Effect.Effect<unknown, SessionError.SessionError, Services>
  }> = [
    { name: "load", expected: "NotFound", run: Sessions.load },
    { name: "verify", expected: "NotFound", run: Sessions.verify },
    { name: "resume", expected: "NotFound", run: (id) => Sessions.resume(id) },
    { name: "resume with takeOver", expected: "NotFound", run: (id) => Sessions.resume(id, { takeOver: true }) },
    { name: "resumeScoped", expected: "NotFound", run: (id) => Effect.scoped(Sessions.resumeScoped(id)) },
    { name: "rename", expected: "NotFound", run: (id) => Sessions.rename(id, "new") },
    { name: "remove", expected: "NotFound", run: (id) => Sessions.remove(id) },
    { name: "restore", expected: "NotFound", run: Sessions.restore },
    { name: "purge", expected: "NotFound", run: Sessions.purge },
    { name: "checkpoint", expected: "SessionEnded/NotRunning", run: Sessions.checkpoint },
    { name: "close", expected: "SessionEnded/NotRunning", run: Sessions.close }
  ]
  for (const { expected, name, run } of operations) {
    it.effect(`is refused by ${name} with ${expected}, before any call to the file system`, () =>
      overFiles(Effect.fnUntraced(function*({ calls, project, root, sessions }) {
        const fs = yield* FileSystem.FileSystem
        const { id } = yield* createClosed(project)
        yield* fs.copy(`${sessions}/${id}`, `${root}/outside`)
        yield* fs.copy(`${sessions}/${id}`, `${sessions}/${id.toUpperCase()}`)
        const before = yield* digests(root)
        calls.length = 0
        for (const none of ids(id)) {
          const error = yield* Effect.flip(run(idOf(none)))
          assert.strictEqual(nameOf(error), expected, JSON.stringify(none))
        }
        assert.deepStrictEqual(calls, [])
        assert.deepStrictEqual(yield* digests(root), before)
      })))
  }
})

describe("Sessions.load", () => {
  const reading = ["access", "exists", "file.read", "file.stat", "lstat", "open", "readDirectory", "realPath", "stat"]

  it.effect("changes nothing, and asks the file system for nothing but reading", () =>
    overFiles(Effect.fnUntraced(function*({ calls, project, sessions }) {
      const { id, state } = yield* createClosed(project)
      const before = yield* digests(sessions)
      calls.length = 0
      const first = yield* Sessions.load(id)
      const second = yield* Sessions.load(id)
      assert.deepStrictEqual(first.state, state)
      assert.deepStrictEqual(second, first)
      assert.isAbove(calls.length, 0)
      for (const call of calls) {
        assert.include(reading, call.method)
        if (call.method === "open") assert.strictEqual(call.flag, "r")
      }
      assert.deepStrictEqual(yield* digests(sessions), before)
    })))

  it.effect("verifies with the same report, without the session", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const { id } = yield* createClosed(project)
      assert.deepStrictEqual(yield* Sessions.verify(id), (yield* Sessions.load(id)).report)
    })))

  it.effect("reports status, closing time and sizes of a closed session", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const { id } = yield* createClosed(project)
      const { report } = yield* Sessions.load(id)
      const { size } = yield* fs.stat(`${sessions}/${id}/session.json`)
      assert.strictEqual(report.status, "closed")
      assert.isTrue(Option.isSome(report.closedAt))
      assert.strictEqual(report.bytes, Number(size))
      assert.strictEqual(report.events, 0)
      assert.strictEqual(report.torn, 0)
    })))

  it.effect("shows another process the acknowledged state of a running session, and who runs it", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const machine = TestLiveness.machine()
      const runner = machine.process()
      yield* Effect.gen(function*() {
        const running = yield* Sessions.create({ project, config: Rig.config })
        yield* running.append({ role: "user", content: "one" })
        yield* running.append({ role: "user", content: "two" })
        const state = yield* running.state
        const loaded = yield* Effect.provide(
          Sessions.load(running.id),
          Rig.layer({ sessions, liveness: machine.process().layer }),
          { local: true }
        )
        assert.deepStrictEqual(loaded.state, state)
        assert.strictEqual(loaded.report.status, "running")
        assert.strictEqual(Option.getOrThrow(loaded.report.holder).pid, runner.pid)
        assert.strictEqual(loaded.report.events, 2)
        assert.isTrue(Option.isNone(loaded.report.closedAt))
      }).pipe(Effect.provide(Rig.layer({ sessions, liveness: runner.layer }), { local: true }))
    }))
})

describe("Sessions.load of an interrupted session", () => {
  /** What a crash leaves: a copy of the files while the session runs, and each acknowledged state. */
  const crashed = Effect.fnUntraced(function*({ project, root, sessions }: Space) {
    const fs = yield* FileSystem.FileSystem
    const running = yield* Sessions.create({ project, config: Rig.config })
    const states = [yield* running.state]
    for (const content of ["one", "two", "three"]) {
      yield* running.append({ role: "user", content })
      states.push(yield* running.state)
    }
    yield* fs.copy(sessions, `${root}/image`)
    return {
      id: running.id,
      states,
      sessions: `${root}/image`,
      journal: `${root}/image/${running.id}/journal.1.0.jsonl`
    }
  })

  const loadFrom = (sessions: string, id: SessionId.SessionId) =>
    Effect.provide(Sessions.load(id), Rig.layer({ sessions }), { local: true })

  it.effect("returns every acknowledged event", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const { id, sessions, states } = yield* crashed(space)
      const { report, state } = yield* loadFrom(sessions, id)
      assert.strictEqual(report.status, "interrupted")
      assert.strictEqual(report.events, 3)
      assert.strictEqual(report.torn, 0)
      assert.deepStrictEqual(state, states.at(-1))
    })))

  it.effect("leaves out a last write that was cut anywhere, and says how many bytes that were", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const fs = yield* FileSystem.FileSystem
      const { id, journal, sessions, states } = yield* crashed(space)
      const before = yield* fs.readFile(journal)
      const lastLine = before.lastIndexOf(0x0a, before.length - 2) + 1
      for (let length = before.length - 1; length > lastLine; length -= 7) {
        yield* fs.writeFile(journal, before.subarray(0, length))
        const { report, state } = yield* loadFrom(sessions, id)
        assert.strictEqual(report.torn, length - lastLine)
        assert.deepStrictEqual(state, states.at(-2))
      }
    })))

  it.effect("fails with InvalidJson/BrokenJournal at the line when an earlier batch is damaged, and leaves it", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const fs = yield* FileSystem.FileSystem
      const { id, journal, sessions } = yield* crashed(space)
      const before = yield* fs.readFile(journal)
      const lines = text(before).split("\n")
      for (const [number, line] of lines.slice(0, 3).entries()) {
        const at = lines.slice(0, number).join("\n").length + 1 + Math.floor(line.length / 2)
        const flipped = flip(before, at, 0)
        yield* fs.writeFile(journal, flipped)
        const error = yield* Effect.flip(loadFrom(sessions, id))
        assert.strictEqual(nameOf(error), "InvalidJson/BrokenJournal")
        if (error._tag === "InvalidJson" && error.reason._tag === "BrokenJournal") {
          assert.strictEqual(error.reason.line, number + 1)
        }
        assert.deepStrictEqual(yield* fs.readFile(journal), flipped)
      }
    })))

  it.effect("never returns anything but an acknowledged state, whatever bit of the journal is flipped", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const fs = yield* FileSystem.FileSystem
      const { id, journal, sessions, states } = yield* crashed(space)
      const before = yield* fs.readFile(journal)
      const known = states.slice(-2).map((state) => JSON.stringify(state))
      yield* Effect.gen(function*() {
        const { read } = yield* SessionStore.SessionStore
        for (const { flipped, place } of flips(before)) {
          yield* fs.writeFile(journal, flipped)
          const loaded = yield* Effect.result(Sessions.load(id))
          if (Result.isSuccess(loaded)) {
            assert.include(known, JSON.stringify(loaded.success.state), place)
            assert.isAbove(loaded.success.report.torn, 0)
          } else assert.strictEqual(loaded.failure._tag, "InvalidJson")
        }
        yield* fs.writeFile(journal, before)
        assert.strictEqual((yield* read(id)).status, "interrupted")
      }).pipe(Effect.provide(Rig.layer({ sessions }), { local: true }))
    })))
})
