import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, FileSystem, type Layer, Logger, Path, References, Result, Stream } from "effect"
import { type SessionError, type SessionId, type SessionList, Sessions, Supervisor } from "effect-reprise"
import { FileSystemHooks } from "effect-reprise/testing"
import { TestClock } from "effect/testing"
import * as NodeCrypto from "node:crypto"
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

const idsOf = (entries: ReadonlyArray<SessionList.Entry>) =>
  entries.map((entry) => entry._tag === "Stored" ? entry.id : entry.name)

const full = "CreateFailed/TooManyStored"

const start = Date.parse("2026-01-01T00:00:00.000Z")

const create = Effect.fnUntraced(function*(project: string, name: string = "session") {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(project, { recursive: true })
  return yield* Sessions.create({ project, name, config: Rig.config })
})

const createClosed = Effect.fnUntraced(function*(project: string, name?: string) {
  const running = yield* create(project, name)
  yield* running.append({ role: "user", content: "kept" })
  yield* Sessions.close(running.id)
  return running.id
})

const createInterrupted = Effect.fnUntraced(function*(project: string, name?: string) {
  const running = yield* create(project, name)
  yield* running.append({ role: "user", content: "unsaved" })
  yield* Supervisor.Supervisor.use(({ discard }) => discard(running.id))
  return running.id
})

/** Every file below a directory by its SHA-256. */
const digests = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const found: Record<string, string> = {}
  for (const name of (yield* fs.readDirectory(directory, { recursive: true })).toSorted()) {
    const file = path.join(directory, name)
    if ((yield* fs.stat(file)).type !== "File") continue
    found[name] = NodeCrypto.createHash("sha256").update(yield* fs.readFile(file)).digest("hex")
  }
  return found
})

const snapshotOf = (space: Space, id: SessionId.SessionId) =>
  FileSystem.FileSystem.use((fs) => fs.readFile(`${space.sessions}/${id}/session.json`))

interface Line {
  readonly level: string
  readonly text: string
  readonly annotations: unknown
}

/** Runs an effect and hands back what it logged. */
const withLog = Effect.fnUntraced(function*<A, E, R>(effect: Effect.Effect<A, E, R>) {
  const lines: Array<Line> = []
  const logger = Logger.make(({ fiber, logLevel, message }) => {
    lines.push({
      level: logLevel,
      text: String(message),
      annotations: fiber.getRef(References.CurrentLogAnnotations)
    })
  })
  const value = yield* Effect.provide(effect, Logger.layer([logger]), { local: true })
  return { value, lines }
})

describe("Sessions.remove and Sessions.restore", () => {
  it.effect("take a session out of the list and bring it back, byte for byte", () =>
    overFiles(Effect.fnUntraced(function*(space) {
      const id = yield* createClosed(space.project)
      const before = yield* Sessions.load(id)
      const bytes = yield* snapshotOf(space, id)

      yield* Sessions.remove(id)
      assert.deepStrictEqual(yield* list(), [])
      assert.deepStrictEqual(idsOf(yield* list({ status: ["removed"] })), [id])
      assert.strictEqual((yield* Sessions.load(id)).report.status, "removed")
      assert.strictEqual((yield* Effect.flip(Sessions.resume(id)))._tag, "NotFound")
      assert.strictEqual((yield* Effect.flip(Sessions.rename(id, "new")))._tag, "NotFound")

      yield* Sessions.restore(id)
      assert.deepStrictEqual(idsOf(yield* list()), [id])
      const after = yield* Sessions.load(id)
      assert.deepStrictEqual(after.state, before.state)
      assert.strictEqual(after.report.status, "closed")
      assert.deepStrictEqual(yield* snapshotOf(space, id), bytes)
      const running = yield* Sessions.resume(id)
      assert.deepStrictEqual(yield* running.state, before.state)
    })))

  it.effect("done twice are done once", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const id = yield* createClosed(project)
      yield* Sessions.remove(id)
      const removed = yield* digests(sessions)
      yield* Sessions.remove(id)
      assert.deepStrictEqual(yield* digests(sessions), removed)
      yield* Sessions.restore(id)
      const restored = yield* digests(sessions)
      yield* Sessions.restore(id)
      assert.deepStrictEqual(yield* digests(sessions), restored)
    })))

  it.effect("keep the moment of the first removal when a session is removed again", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      yield* TestClock.setTime(start)
      const id = yield* createClosed(project)
      yield* Sessions.remove(id)
      yield* TestClock.adjust("5 days")
      yield* Sessions.remove(id)
      const [entry] = yield* list({ status: ["removed"] })
      assert.strictEqual(entry?._tag === "Stored" ? entry.removedAt : "", "2026-01-01T00:00:00.000Z")
    })))

  it.effect("leave a running session alone, which goes on", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const running = yield* create(project)
      const before = yield* digests(sessions)
      for (const options of [{}, { interrupted: true }]) {
        const error = yield* Effect.flip(Sessions.remove(running.id, options))
        assert.strictEqual(nameOf(error), "RestoreFailed/AlreadyRunning")
        assert.deepStrictEqual(yield* digests(sessions), before)
      }
      yield* Sessions.restore(running.id)
      yield* running.append({ role: "user", content: "still here" })
      assert.strictEqual((yield* Sessions.load(running.id)).report.status, "running")
    })))

  it.effect("leave an interrupted session alone, unless it is meant", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const id = yield* createInterrupted(project)
      const state = (yield* Sessions.load(id)).state
      const before = yield* digests(sessions)
      assert.strictEqual(nameOf(yield* Effect.flip(Sessions.remove(id))), "RestoreFailed/AlreadyRunning")
      assert.deepStrictEqual(yield* digests(sessions), before)

      yield* Sessions.remove(id, { interrupted: true })
      assert.deepStrictEqual(yield* list(), [])
      yield* Sessions.restore(id)
      const loaded = yield* Sessions.load(id)
      assert.strictEqual(loaded.report.status, "interrupted")
      assert.deepStrictEqual(loaded.state, state)
    })))

  it.effect("take a session that can't be read out of the list too", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const id = yield* createClosed(project)
      yield* fs.truncate(`${sessions}/${id}/session.json`, 10)
      assert.deepStrictEqual(idsOf(yield* list()), [id])
      yield* Sessions.remove(id)
      assert.deepStrictEqual(idsOf(yield* list()), [])
    })))

  it.effect("bring back a session that can't be read, so that it can be mended", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const id = yield* createClosed(project)
      const file = `${sessions}/${id}/session.json`
      const bytes = yield* fs.readFile(file)
      yield* fs.remove(file)
      yield* Sessions.remove(id)
      yield* Sessions.restore(id)
      yield* fs.writeFile(file, bytes)
      assert.strictEqual((yield* Sessions.load(id)).report.status, "closed")
    })))

  it.effect("fail with NotFound where there is no such session", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      const id = yield* createClosed(project)
      yield* Sessions.remove(id)
      yield* Sessions.purge(id)
      for (const effect of [Sessions.remove(id), Sessions.restore(id), Sessions.purge(id)]) {
        assert.strictEqual((yield* Effect.flip(effect))._tag, "NotFound")
      }
    })))
})

describe("Sessions.purge", () => {
  it.effect("deletes a session in the trash for ever, and nothing else", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const gone = yield* createClosed(project, "gone")
      const kept = yield* createClosed(project, "kept")
      yield* Sessions.remove(gone)
      yield* Sessions.purge(gone)
      assert.deepStrictEqual(yield* fs.readDirectory(sessions), [kept])
      assert.strictEqual((yield* Effect.flip(Sessions.load(gone)))._tag, "NotFound")
      assert.strictEqual((yield* Effect.flip(Sessions.purge(gone)))._tag, "NotFound")
      yield* Sessions.load(kept)
    })))

  it.effect("leaves every session alone that is not in the trash", () =>
    overFiles(Effect.fnUntraced(function*({ project, root, sessions }) {
      const closed = yield* createClosed(project)
      const interrupted = yield* createInterrupted(project)
      const { id: running } = yield* create(`${root}/other`)
      const restored = yield* createClosed(project)
      yield* Sessions.remove(restored)
      yield* Sessions.restore(restored)
      const before = yield* digests(sessions)
      for (const id of [closed, interrupted, running, restored]) {
        assert.strictEqual((yield* Effect.flip(Sessions.purge(id)))._tag, "NotFound")
      }
      assert.deepStrictEqual(yield* digests(sessions), before)
    })))

  it.effect("deletes a session in the trash that can't be read", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      const id = yield* createClosed(project)
      yield* fs.truncate(`${sessions}/${id}/session.json`, 10)
      yield* Sessions.remove(id)
      yield* Sessions.purge(id)
      assert.deepStrictEqual(yield* fs.readDirectory(sessions), [])
    })))
})

describe("Sessions.cleanup", () => {
  /** What a report says, by ids. */
  const brief = (report: Sessions.CleanupReport) => ({
    removed: idsOf(report.removed).toSorted(),
    purged: idsOf(report.purged).toSorted(),
    skipped: report.skipped.map(({ entry, reason }) => `${idsOf([entry]).join()} ${reason}`).toSorted(),
    failed: report.failed.map(({ entry, error }) => `${entry.id} ${error._tag}`)
  })
  const nothing = { removed: [], purged: [], skipped: [], failed: [] }

  it.effect("removes what was closed 30 days ago, and purges it 30 days later", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      const fs = yield* FileSystem.FileSystem
      yield* TestClock.setTime(start)
      const id = yield* createClosed(project)

      yield* TestClock.setTime(start + 30 * 86_400_000 - 1)
      assert.deepStrictEqual(brief(yield* Sessions.cleanup()), { ...nothing, skipped: [`${id} recent`] })
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(brief(yield* Sessions.cleanup()), { ...nothing, removed: [id] })
      assert.strictEqual((yield* Sessions.load(id)).report.status, "removed")

      yield* TestClock.adjust("30 days")
      assert.deepStrictEqual(brief(yield* Sessions.cleanup()), { ...nothing, purged: [id] })
      assert.deepStrictEqual(yield* fs.readDirectory(sessions), [])
      assert.deepStrictEqual(brief(yield* Sessions.cleanup()), nothing)
    })))

  it.effect("counts from the last closing, not from the creation", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      yield* TestClock.setTime(start)
      const id = yield* createClosed(project)
      yield* TestClock.adjust("29 days")
      yield* Sessions.resume(id)
      yield* Sessions.close(id)
      yield* TestClock.adjust("29 days")
      assert.deepStrictEqual(brief(yield* Sessions.cleanup()).removed, [])
      yield* TestClock.adjust("1 day")
      assert.deepStrictEqual(brief(yield* Sessions.cleanup()).removed, [id])
    })))

  it.effect("takes the age that it is given, and never less than a day", () =>
    overFiles(Effect.fnUntraced(function*({ project }) {
      yield* TestClock.setTime(start)
      const id = yield* createClosed(project)
      yield* TestClock.adjust("23 hours")
      for (const olderThan of ["1 day", "1 hour", "0 millis", "-5 days"] as const) {
        assert.deepStrictEqual(brief(yield* Sessions.cleanup({ olderThan })), { ...nothing, skipped: [`${id} recent`] })
      }
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(brief(yield* Sessions.cleanup({ olderThan: "2 days" })).removed, [])
      assert.deepStrictEqual(brief(yield* Sessions.cleanup({ olderThan: "1 hour" })).removed, [id])
    })))

  it.effect("takes its age from the limits where none is given", () =>
    overFiles(
      Effect.fnUntraced(function*({ project }) {
        yield* TestClock.setTime(start)
        const id = yield* createClosed(project)
        yield* TestClock.adjust("3 days")
        assert.deepStrictEqual(brief(yield* Sessions.cleanup()).removed, [id])
      }),
      { limits: { cleanupAge: Duration.days(3) } }
    ))

  it.effect("changes nothing in a dry run, and then does what the dry run told", () =>
    overFiles(Effect.fnUntraced(function*({ project, sessions }) {
      yield* TestClock.setTime(start)
      const trashed = yield* createClosed(project, "trashed")
      yield* Sessions.remove(trashed)
      yield* TestClock.adjust("1 day")
      const old = yield* createClosed(project, "old")
      yield* TestClock.adjust("30 days")
      const recent = yield* createClosed(project, "recent")
      const before = yield* digests(sessions)

      const told = yield* Sessions.cleanup({ dryRun: true })
      assert.deepStrictEqual(brief(told), {
        removed: [old],
        purged: [trashed],
        skipped: [`${recent} recent`],
        failed: []
      })
      assert.deepStrictEqual(yield* digests(sessions), before)
      assert.deepStrictEqual(yield* Sessions.cleanup({ dryRun: true }), told)
      assert.deepStrictEqual(yield* Sessions.cleanup(), told)
      assert.deepStrictEqual(brief(yield* Sessions.cleanup()), {
        ...nothing,
        skipped: [`${old} recent`, `${recent} recent`].toSorted()
      })
    })))

  it.effect("never touches running, interrupted, broken and foreign ones, however old", () =>
    overFiles(Effect.fnUntraced(function*({ project, root, sessions }) {
      const fs = yield* FileSystem.FileSystem
      yield* TestClock.setTime(start)
      const interrupted = yield* createInterrupted(project)
      const again = yield* createClosed(project)
      yield* Effect.tap(Sessions.resume(again), (running) => running.append({ role: "user", content: "more" }))
      yield* Supervisor.Supervisor.use(({ discard }) => discard(again))
      const broken = yield* createClosed(project)
      yield* fs.truncate(`${sessions}/${broken}/session.json`, 10)
      const { id: running } = yield* create(`${root}/other`)
      const foreign = "0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f.json"
      yield* fs.writeFileString(`${sessions}/${foreign}`, "{}")
      const before = yield* digests(sessions)

      yield* TestClock.setTime(start + 20 * 365 * 86_400_000)
      assert.deepStrictEqual(brief(yield* Sessions.cleanup({ olderThan: "1 day" })), {
        ...nothing,
        skipped: [
          `${interrupted} interrupted`,
          `${again} interrupted`,
          `${running} running`,
          `${broken} unreadable`,
          `${foreign} unreadable`
        ].toSorted()
      })
      assert.deepStrictEqual(yield* digests(sessions), before)
    })))

  it.effect("goes on with the others when some can't be removed or purged, and tells which", () => {
    const stuck = new Set<string>()
    const hook: FileSystemHooks.Hook = (call) => (run) =>
      [...stuck].some((id) => (call.method === "link" || call.method === "rename") && call.path.includes(id))
        ? Effect.fail(FileSystemHooks.systemError(call, "PermissionDenied", "EACCES"))
        : run
    return overFiles(
      Effect.fnUntraced(function*(space) {
        yield* TestClock.setTime(start)
        const ids: Array<SessionId.SessionId> = []
        for (const name of ["a", "b", "c", "d"]) ids.push(yield* createClosed(space.project, name))
        const [first, second, third, fourth] = ids
        if (first === undefined || second === undefined || third === undefined || fourth === undefined) return
        yield* Sessions.remove(third)
        yield* Sessions.remove(fourth)
        yield* TestClock.adjust("40 days")
        stuck.add(first).add(third)
        const bytes = yield* snapshotOf(space, first)

        const report = yield* Sessions.cleanup()
        assert.deepStrictEqual(brief(report), {
          removed: [second],
          purged: [fourth],
          skipped: [],
          failed: [`${first} StoreError`, `${third} StoreError`]
        })
        assert.deepStrictEqual(yield* snapshotOf(space, first), bytes)
        assert.strictEqual((yield* Sessions.load(first)).report.status, "closed")
        assert.strictEqual((yield* Sessions.load(third)).report.status, "removed")

        stuck.clear()
        const again = yield* Sessions.cleanup()
        assert.deepStrictEqual([brief(again).removed, brief(again).failed], [[first], []])
      }),
      { hook }
    )
  })

  it.effect("finds nothing where nothing is stored", () =>
    overFiles(() => Effect.map(Sessions.cleanup(), (report) => assert.deepStrictEqual(brief(report), nothing))))
})

describe("The limit of stored sessions", () => {
  const limits = { maxStored: 5, maxRunning: 10 }
  const warnings = (lines: ReadonlyArray<Line>) => lines.filter(({ level }) => level === "Warn")

  it.effect("warns from 80 % on, and says how many there are", () =>
    overFiles(
      Effect.fnUntraced(function*({ project }) {
        const counts: Array<number> = []
        for (const number of [1, 2, 3, 4, 5]) {
          const { lines } = yield* withLog(createClosed(project, String(number)))
          counts.push(warnings(lines).length)
          if (number < 4) continue
          assert.include(warnings(lines).at(0)?.annotations, { stored: number, limit: 5 })
        }
        assert.deepStrictEqual(counts, [0, 0, 0, 1, 1])
      }),
      { limits }
    ))

  it.effect("refuses one more than that: nothing is stored and nothing runs", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, sessions }) {
        for (const name of ["1", "2", "3", "4", "5"]) yield* createClosed(project, name)
        const before = yield* digests(sessions)
        const error = yield* Effect.flip(create(project, "6"))
        assert.strictEqual(error._tag, "CreateFailed")
        if (error._tag === "CreateFailed") {
          assert.deepInclude(error.reason, { _tag: "TooManyStored", stored: 5, limit: 5 })
        }
        assert.deepStrictEqual(yield* digests(sessions), before)
        assert.deepStrictEqual(yield* Supervisor.Supervisor.use(({ running }) => running), [])
      }),
      { limits }
    ))

  it.effect("counts running, interrupted and broken sessions, and neither foreign files nor the trash", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, root, sessions }) {
        const fs = yield* FileSystem.FileSystem
        yield* create(`${root}/running`)
        yield* createInterrupted(project)
        const broken = yield* createClosed(project)
        yield* fs.truncate(`${sessions}/${broken}/session.json`, 10)
        yield* Sessions.remove(yield* createClosed(project))
        yield* Sessions.remove(yield* createClosed(project))
        yield* fs.writeFileString(`${sessions}/0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f.json`, "{}")
        yield* createClosed(project)
        yield* createClosed(project)
        assert.strictEqual(nameOf(yield* Effect.flip(Sessions.create({ project, config: Rig.config }))), full)
      }),
      { limits }
    ))

  it.effect("leaves room where a session that can't be read was removed", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, sessions }) {
        const fs = yield* FileSystem.FileSystem
        for (const name of ["1", "2", "3", "4"]) yield* createClosed(project, name)
        const broken = yield* createClosed(project, "5")
        yield* fs.truncate(`${sessions}/${broken}/session.json`, 10)
        yield* Sessions.remove(broken)
        yield* createClosed(project, "6")
      }),
      { limits }
    ))

  it.effect("is respected by restore, which then leaves the session in the trash", () =>
    overFiles(
      Effect.fnUntraced(function*({ project }) {
        const removed = yield* createClosed(project, "removed")
        yield* Sessions.remove(removed)
        const ids: Array<SessionId.SessionId> = []
        for (const name of ["1", "2", "3", "4", "5"]) ids.push(yield* createClosed(project, name))
        assert.strictEqual(nameOf(yield* Effect.flip(Sessions.restore(removed))), full)
        assert.strictEqual((yield* Sessions.load(removed)).report.status, "removed")
        for (const id of ids) yield* Sessions.restore(id)
        for (const id of ids.slice(0, 1)) yield* Sessions.remove(id)
        yield* Sessions.restore(removed)
        assert.strictEqual((yield* Sessions.load(removed)).report.status, "closed")
      }),
      { limits }
    ))

  it.effect("is not asked by resume and close", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const provided = (maxStored: number) =>
        Effect.provide(Rig.layer({ sessions, limits: { maxStored } }), { local: true })
      const ids = yield* Effect.gen(function*() {
        return [yield* createClosed(project, "1"), yield* createClosed(project, "2")]
      }).pipe(provided(5))
      yield* Effect.gen(function*() {
        for (const id of ids) {
          yield* Effect.flatMap(Sessions.resume(id), (running) => running.append({ role: "user", content: "more" }))
          yield* Sessions.close(id)
        }
      }).pipe(provided(1))
    }))

  it.effect("removes the oldest closed session to the trash where the limits say so", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, root }) {
        const { id: running } = yield* create(`${root}/running`)
        const interrupted = yield* createInterrupted(project)
        const ids: Array<SessionId.SessionId> = []
        for (const name of ["1", "2", "3"]) {
          yield* TestClock.adjust("1 minute")
          ids.push(yield* createClosed(project, name))
        }
        yield* TestClock.adjust("1 minute")
        const { lines, value: sixth } = yield* withLog(createClosed(project, "4"))
        const [oldest = "", ...others] = ids
        assert.deepStrictEqual(idsOf(yield* list({ status: ["removed"] })), [oldest])
        assert.sameMembers(idsOf(yield* list()), [running, interrupted, ...others, sixth])
        assert.isTrue(lines.some(({ annotations }) => JSON.stringify(annotations).includes(oldest)))
      }),
      { limits: { ...limits, whenFull: "removeOldest" } }
    ))

  it.effect("refuses where no closed session is left to remove", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, root }) {
        yield* create(`${root}/running`)
        yield* createInterrupted(project)
        assert.strictEqual(nameOf(yield* Effect.flip(Sessions.create({ project, config: Rig.config }))), full)
        assert.lengthOf(yield* list(), 2)
      }),
      { limits: { maxStored: 2, whenFull: "removeOldest" } }
    ))

  it.effect("removes nothing to make room for a session that is refused for another reason", () =>
    overFiles(
      Effect.fnUntraced(function*({ project, root }) {
        yield* create(`${root}/running`)
        const closed = yield* createClosed(project)
        const error = yield* Effect.flip(Sessions.create({ project: `${root}/running`, config: Rig.config }))
        assert.strictEqual(nameOf(error), "CreateFailed/ProjectAlreadyOpen")
        assert.strictEqual((yield* Sessions.load(closed)).report.status, "closed")
      }),
      { limits: { maxStored: 2, whenFull: "removeOldest" } }
    ))

  it.effect("holds when many sessions are created at once in one process", () =>
    overFiles(
      Effect.fnUntraced(function*({ root }) {
        const fs = yield* FileSystem.FileSystem
        const projects = Array.from({ length: 12 }, (_, index) => `${root}/project ${index}`)
        for (const project of projects) yield* fs.makeDirectory(project)
        const results = yield* Effect.forEach(
          projects,
          (project) => Effect.result(Sessions.create({ project, config: Rig.config })),
          { concurrency: "unbounded" }
        )
        const refused = results.filter(Result.isFailure).map(({ failure }) => nameOf(failure))
        assert.lengthOf(yield* list(), 5)
        assert.deepStrictEqual(refused, Array.from({ length: 7 }, () => full))
      }),
      { limits: { maxStored: 5, maxRunning: 100 } }
    ))
})
