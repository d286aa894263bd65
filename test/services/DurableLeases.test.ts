/**
 * A lease is durable before anything relies on it, and not sooner: a resume waits
 * for no disk, and a power loss after it leaves nobody in the way.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { type RunningSession, type Session, type SessionId, Sessions, SessionStore } from "effect-reprise"
import { FileSystemHooks } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

const say = (session: RunningSession, content: string) => session.append({ role: "user", content })

const textsOf = ({ conversation }: Session.SessionState) => conversation.map(({ content }) => content)

/** A closed session in which "a" was said, and processes as they are needed. */
const makeScene = Effect.gen(function*() {
  const { project, sessions } = yield* Rig.workspace
  const { boot } = Rig.processesOver(sessions)
  const first = yield* boot()
  const session = yield* first.run(Sessions.create({ project, name: "waiting", config: Rig.config }))
  yield* say(session, "a")
  yield* first.run(Sessions.close(session.id))
  const { id } = session
  const directory = `${sessions}/${id}`
  /** Resumes it in a process that dies before anything happens. */
  const resumeAndDie = Effect.gen(function*() {
    const process = yield* boot()
    yield* process.run(Sessions.resume(id))
    yield* process.kill
  })
  return { boot, directory, id, resumeAndDie }
})

const statusOf = (id: SessionId.SessionId) =>
  Effect.map(
    Stream.runCollect(Sessions.list()),
    (entries) => entries.flatMap((entry) => entry._tag === "Stored" && entry.id === id ? [entry.status] : [])
  )

const leasesIn = (directory: string) => NodeFs.readdirSync(directory).filter((name) => name.startsWith("lease.")).sort()

const torn = (lease: Uint8Array): ReadonlyArray<{ readonly name: string; readonly bytes: Uint8Array }> => [
  { name: "nothing", bytes: new Uint8Array(0) },
  { name: "zeros", bytes: new Uint8Array(lease.length) },
  { name: "the first half", bytes: lease.subarray(0, lease.length / 2) },
  { name: "most", bytes: lease.subarray(0, -2) },
  { name: "the second half", bytes: lease.map((byte, index) => index < lease.length / 2 ? 0 : byte) }
]

describe("A resumed session in which nothing happens", () => {
  it.effect("is closed when its process dies, and as it was", () =>
    Effect.gen(function*() {
      const { boot, directory, id, resumeAndDie } = yield* makeScene
      const before = NodeFs.readFileSync(`${directory}/session.json`)
      yield* resumeAndDie
      assert.deepStrictEqual(NodeFs.readdirSync(directory).sort(), ["lease.2.json", "lease.3.json", "session.json"])
      assert.deepStrictEqual(NodeFs.readFileSync(`${directory}/session.json`), before)
      const { run } = yield* boot()
      assert.deepStrictEqual(yield* run(statusOf(id)), ["closed"])
      assert.deepStrictEqual(textsOf((yield* run(Sessions.load(id))).state), ["a"])
    }).pipe(Effect.scoped))

  it.effect("leaves no journal when it is given back, and one lease", () =>
    Effect.gen(function*() {
      const { boot, directory, id } = yield* makeScene
      const { run } = yield* boot()
      yield* Effect.scoped(run(SessionStore.SessionStore.use((store) => store.claim(id))))
      assert.deepStrictEqual(NodeFs.readdirSync(directory).sort(), ["lease.4.json", "session.json"])
    }).pipe(Effect.scoped))

  it.effect("leaves two leases at most, however often its process dies", () =>
    Effect.gen(function*() {
      const { boot, directory, id, resumeAndDie } = yield* makeScene
      for (let time = 1; time <= 20; time++) {
        yield* resumeAndDie
        assert.isAtMost(leasesIn(directory).length, 2)
        assert.include(leasesIn(directory), `lease.${2 + time}.json`)
      }
      const { run } = yield* boot()
      const session = yield* run(Sessions.resume(id))
      yield* say(session, "b")
      assert.deepStrictEqual(leasesIn(directory), ["lease.23.json"])
    }).pipe(Effect.scoped))
})

describe("After a power loss, a lease", () => {
  for (const { name } of torn(new Uint8Array(2))) {
    it.effect(`of which ${name} is left is of nobody`, () =>
      Effect.gen(function*() {
        const { boot, directory, id, resumeAndDie } = yield* makeScene
        yield* resumeAndDie
        const file = `${directory}/lease.3.json`
        const bytes = torn(NodeFs.readFileSync(file)).find((each) => each.name === name)?.bytes
        assert.isDefined(bytes)
        NodeFs.writeFileSync(file, bytes ?? "")
        const { run } = yield* boot()
        assert.deepStrictEqual(yield* run(statusOf(id)), ["closed"])
        const session = yield* run(Sessions.resume(id))
        yield* say(session, "b")
        yield* run(Sessions.close(id))
        assert.deepStrictEqual(textsOf((yield* run(Sessions.load(id))).state), ["a", "b"])
        assert.deepStrictEqual(leasesIn(directory), ["lease.5.json"])
      }).pipe(Effect.scoped))

    it.effect(`of which ${name} is left can't be judged where no other shows that it was not durable yet`, () =>
      Effect.gen(function*() {
        const { boot, directory, id } = yield* makeScene
        const file = `${directory}/lease.2.json`
        const bytes = torn(NodeFs.readFileSync(file)).find((each) => each.name === name)?.bytes
        NodeFs.writeFileSync(file, bytes ?? "")
        const { run } = yield* boot()
        assert.deepStrictEqual(yield* run(statusOf(id)), ["elsewhere"])
        assert.isTrue(Result.isFailure(yield* Effect.result(run(Sessions.resume(id)))))
        yield* run(Sessions.resume(id, { takeOver: true }))
      }).pipe(Effect.scoped))
  }

  it.effect("that is too large to be one can't be judged", () =>
    Effect.gen(function*() {
      const { boot, directory, id } = yield* makeScene
      NodeFs.writeFileSync(`${directory}/lease.3.json`, `{"version":2,"padding":"${"x".repeat(5000)}"}`)
      const { run } = yield* boot()
      assert.deepStrictEqual(yield* run(statusOf(id)), ["elsewhere"])
    }).pipe(Effect.scoped))

  it.effect("that a journal is named after was durable: cut short, it can't be judged", () =>
    Effect.gen(function*() {
      const { boot, directory, id } = yield* makeScene
      const process = yield* boot()
      yield* say(yield* process.run(Sessions.resume(id)), "b")
      yield* process.kill
      NodeFs.copyFileSync(`${directory}/lease.3.json`, `${directory}/lease.2.json`)
      NodeFs.writeFileSync(`${directory}/lease.3.json`, "")
      const { run } = yield* boot()
      assert.deepStrictEqual(yield* run(statusOf(id)), ["elsewhere"])
    }).pipe(Effect.scoped))
})

describe("The first event of a resumed session", () => {
  const syncs: ReadonlyArray<{ readonly name: string; readonly of: (path: string, id: string) => boolean }> = [
    { name: "lease", of: (path) => path.endsWith("/lease.3.json") },
    { name: "directory", of: (path, id) => path.endsWith(id) },
    { name: "journal", of: (path) => path.includes("/pending.") }
  ]
  for (const { name, of } of syncs) {
    it.effect(`is refused where the ${name} can't be made durable, and the next one is stored`, () =>
      Effect.gen(function*() {
        const { boot, id } = yield* makeScene
        let struck = 0
        const process = yield* boot((call) => (run) =>
          Effect.suspend(() => {
            if (call.method !== "file.sync" || !of(call.path, id) || struck > 0) return run
            struck++
            return Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO"))
          })
        )
        const session = yield* process.run(Sessions.resume(id))
        assert.strictEqual(struck, 0)
        const refused = yield* Effect.result(say(session, "b"))
        assert.strictEqual(Result.isFailure(refused) ? refused.failure._tag : "stored", "StoreError")
        assert.strictEqual(struck, 1)
        yield* say(session, "c")
        yield* process.kill
        const { run } = yield* boot()
        assert.deepStrictEqual(textsOf((yield* run(Sessions.load(id))).state), ["a", "c"])
        assert.deepStrictEqual(yield* run(statusOf(id)), ["interrupted"])
        yield* run(Sessions.resume(id))
      }).pipe(Effect.scoped))
  }

  it.effect("is refused where somebody else resumed the session meanwhile", () =>
    Effect.gen(function*() {
      const { boot, id } = yield* makeScene
      const [former, holder] = [yield* boot(), yield* boot()]
      const late = yield* former.run(Sessions.resume(id))
      const session = yield* holder.run(Sessions.resume(id, { takeOver: true }))
      const refused = yield* Effect.result(say(late, "late"))
      assert.strictEqual(Result.isFailure(refused) ? refused.failure._tag : "stored", "SessionEnded")
      yield* say(session, "b")
      assert.deepStrictEqual(textsOf((yield* holder.run(Sessions.load(id))).state), ["a", "b"])
    }).pipe(Effect.scoped))
})
