/** Real processes over one directory: killed, asked to end, taken over, and many first runs at once. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Queue, Schema, type Scope, Stream } from "effect"
import { SessionError, SessionId, SessionList, Sessions } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as NodeFs from "node:fs"
import * as Programs from "../suites/programs.ts"
import * as Rig from "../suites/rig.ts"

const program = Programs.fileOf(new URL("programs/session.ts", import.meta.url))

/** A process of its own, the lines it says, and a way to ask it. It ends with the test. */
const spawn = Effect.fnUntraced(function*(...args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const requests = yield* Queue.unbounded<string>()
  const child = yield* spawner.spawn(
    ChildProcess.make(process.execPath, [yield* program, ...args], {
      stdin: Stream.encodeText(Stream.fromQueue(requests)),
      env: yield* Programs.environment,
      extendEnv: true,
      stderr: "inherit",
      killSignal: "SIGKILL"
    })
  )
  const lines = yield* Queue.unbounded<string, "end">()
  yield* child.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => Queue.offer(lines, line)),
    Effect.ensuring(Queue.fail(lines, "end")),
    Effect.forkScoped
  )
  return {
    pid: child.pid,
    says: Queue.take(lines),
    /** All that it says until it ends. */
    rest: Stream.runCollect(Stream.catchCause(Stream.fromQueue(lines), () => Stream.empty)),
    ask: (line: string) => Effect.andThen(Queue.offer(requests, `${line}\n`), Queue.take(lines)),
    tell: (line: string) => Queue.offer(requests, `${line}\n`),
    signal: (killSignal: "SIGKILL" | "SIGTERM" | "SIGINT") => child.kill({ killSignal }),
    exitCode: child.exitCode
  }
})

/** What one process does: a layer of its own, torn down at the end. */
const inSessions = (directory: string) => Effect.provide(NodeSessions.layer({ directory }), { local: true })

const messagesOf = (id: SessionId.SessionId) =>
  Effect.map(Sessions.load(id), ({ state }) => state.conversation.map((message) => message.id))

const onlyEntry = Effect.flatMap(Stream.runCollect(Sessions.list()), ([entry, ...others]) => {
  assert.lengthOf(others, 0)
  assert.isTrue(entry !== undefined && SessionList.isStored(entry))
  return entry !== undefined && SessionList.isStored(entry) ? Effect.succeed(entry) : Effect.die(new Error("no entry"))
})

const debris = (directory: string) =>
  NodeFs.readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => /(^|\/)(pending|creating|deleting)\./.test(name))

const Ended = Schema.fromJsonString(Schema.TaggedStruct("SessionEnded", {
  reason: Schema.TaggedStruct("LeaseLost", { holder: Schema.Struct({ pid: Schema.Int }) })
}))

const test = <A, E>(
  name: string,
  body: () => Effect.Effect<A, E, ChildProcessSpawner.ChildProcessSpawner | Scope.Scope>
) => it.effect(name, () => Effect.provide(body(), NodeServices.layer), 60_000)

describe("A process that is killed in the middle of a run", () => {
  const killed = (encryption: boolean) =>
    Effect.gen(function*() {
      const { project, root, sessions } = yield* Rig.workspace
      // What the key ring says from then on is what every process does.
      if (encryption) yield* Effect.provide(Effect.void, NodeSessions.layer({ directory: sessions, encryption }))
      const child = yield* spawn("endless", sessions, project)
      const id = SessionId.make(yield* child.says)
      const acknowledged: Array<string> = []
      while (acknowledged.length < 25) acknowledged.push(yield* child.says)
      yield* child.signal("SIGKILL")
      acknowledged.push(...(yield* child.rest))
      const found = yield* Effect.gen(function*() {
        const entry = yield* onlyEntry
        assert.deepStrictEqual([entry.id, entry.status], [id, "interrupted"])
        const session = yield* Sessions.resume(id)
        const { conversation } = yield* session.state
        yield* session.append({
          id: SessionId.make("00000000-0000-4000-8000-000000000000"),
          role: "user",
          content: "on"
        })
        yield* Sessions.close(id)
        return conversation
      }).pipe(inSessions(sessions))
      assert.deepStrictEqual(found.slice(0, acknowledged.length).map((message) => message.id), acknowledged)
      assert.isAtMost(found.length, acknowledged.length + 1)
      assert.deepStrictEqual(found.map(({ content }) => content), found.map((_, number) => `message ${number}`))
      yield* Effect.gen(function*() {
        assert.lengthOf(yield* messagesOf(id), found.length + 1)
        assert.strictEqual((yield* onlyEntry).status, "closed")
      }).pipe(inSessions(sessions))
      assert.deepStrictEqual(debris(root), [])
      const snapshot = NodeFs.readFileSync(`${sessions}/${id}/session.json`, "latin1")
      assert.strictEqual(snapshot.includes("conversation"), !encryption)
    })

  test("leaves exactly what it acknowledged, and perhaps the message under way, to the next one", () => killed(false))
  test("leaves the same where everything is encrypted", () => killed(true))
})

describe("A session that runs in another process", () => {
  test("is loaded and listed as running there, and not resumed", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const child = yield* spawn("asked", sessions, project)
      const id = SessionId.make(yield* child.says)
      const acknowledged = [yield* child.ask("one"), yield* child.ask("two")]
      yield* Effect.gen(function*() {
        const { report, state } = yield* Sessions.load(id)
        assert.deepStrictEqual(state.conversation.map((message) => message.id), acknowledged)
        assert.strictEqual(report.status, "running")
        assert.deepStrictEqual(report.holder._tag === "Some" && report.holder.value.pid, Number(child.pid))
        const entry = yield* onlyEntry
        assert.deepStrictEqual([entry.status, entry.holder?.pid], ["running", Number(child.pid)])
        const error = yield* Effect.flip(Sessions.resume(id))
        assert.isTrue(
          error instanceof SessionError.RestoreFailed && error.reason._tag === "AlreadyRunning" &&
            error.reason.liveness === "alive" && error.reason.holder?.pid === Number(child.pid)
        )
        assert.include(error.message, String(child.pid))
        acknowledged.push(yield* child.ask("three"))
        assert.deepStrictEqual(yield* messagesOf(id), acknowledged)
      }).pipe(inSessions(sessions))
    }))

  test("can be taken over, and its next append there fails with LeaseLost", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const child = yield* spawn("asked", sessions, project)
      const id = SessionId.make(yield* child.says)
      const acknowledged = [yield* child.ask("one")]
      yield* Effect.gen(function*() {
        const session = yield* Sessions.resume(id, { takeOver: true })
        acknowledged.push((yield* session.append({ role: "user", content: "mine" })).id)
        const ended = yield* Schema.decodeEffect(Ended)(yield* child.ask("late"))
        assert.strictEqual(ended.reason.holder.pid, process.pid)
        acknowledged.push((yield* session.append({ role: "user", content: "still mine" })).id)
        yield* Sessions.close(id)
        yield* child.signal("SIGTERM")
        yield* child.exitCode
        assert.deepStrictEqual(yield* messagesOf(id), acknowledged)
        assert.strictEqual((yield* onlyEntry).status, "closed")
      }).pipe(inSessions(sessions))
      assert.deepStrictEqual(debris(sessions), [])
    }))
})

describe("A process that is asked to end", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    test(`with ${signal} saves its sessions`, () =>
      Effect.gen(function*() {
        const { project, root, sessions } = yield* Rig.workspace
        const child = yield* spawn("saved", sessions, project)
        const id = SessionId.make(yield* child.says)
        const acknowledged = [yield* child.says, yield* child.says, yield* child.says]
        assert.strictEqual(yield* child.says, "ready")
        yield* child.signal(signal)
        yield* child.exitCode
        yield* Effect.gen(function*() {
          assert.strictEqual((yield* onlyEntry).status, "closed")
          assert.deepStrictEqual(yield* messagesOf(id), acknowledged)
        }).pipe(inSessions(sessions))
        assert.deepStrictEqual(NodeFs.readdirSync(`${sessions}/${id}`).length, 2)
        assert.deepStrictEqual(debris(root), [])
      }))
  }
})

test("A second signal ends the process at once: its session is interrupted, with all that was acknowledged", () =>
  Effect.gen(function*() {
    const { project, root, sessions } = yield* Rig.workspace
    const child = yield* spawn("stubborn", sessions, project)
    const id = SessionId.make(yield* child.says)
    const acknowledged = [yield* child.says, yield* child.says, yield* child.says]
    assert.strictEqual(yield* child.says, "ready")
    process.kill(Number(child.pid), "SIGINT")
    assert.strictEqual(yield* child.says, "stopping")
    process.kill(Number(child.pid), "SIGTERM")
    assert.strictEqual(Number(yield* child.exitCode), 130)
    yield* Effect.gen(function*() {
      assert.strictEqual((yield* onlyEntry).status, "interrupted")
      yield* Sessions.resume(id)
      assert.deepStrictEqual(yield* messagesOf(id), acknowledged)
      yield* Sessions.close(id)
    }).pipe(inSessions(sessions))
    assert.deepStrictEqual(debris(root), [])
  }))

/** Modes of everything below a directory, by what it is. */
const modesBelow = (directory: string) =>
  NodeFs.readdirSync(directory, { recursive: true, encoding: "utf8" }).map((name) => {
    const info = NodeFs.lstatSync(`${directory}/${name}`)
    return `${info.isDirectory() ? "directory" : "file"} ${(info.mode & 0o7777).toString(8)}`
  })

test("Whatever the process's mask allows, files are 0600 and directories 0700, the key ring, too", () =>
  Effect.gen(function*() {
    const { project, root } = yield* Rig.workspace
    const place = `${root}/some/where`
    const child = yield* spawn("open", `${place}/sessions`, project)
    while ((yield* child.says) !== "ready") yield* Effect.void
    assert.isTrue(NodeFs.existsSync(`${place}/keyring.json`))
    assert.deepStrictEqual([...new Set(modesBelow(`${root}/some`))].sort(), ["directory 700", "file 600"])
    assert.strictEqual(NodeFs.statSync(`${root}/some`).mode & 0o7777, 0o700)
    yield* child.signal("SIGTERM")
    yield* child.exitCode
    assert.deepStrictEqual([...new Set(modesBelow(`${root}/some`))].sort(), ["directory 700", "file 600"])
    assert.deepStrictEqual(debris(root), [])
  }))

test("32 first runs at once, in 4 processes, end with one key ring that reads every session", () =>
  Effect.gen(function*() {
    const { project, root, sessions } = yield* Rig.workspace
    const children = yield* Effect.forEach(
      Array.from({ length: 4 }),
      () => Effect.tap(spawn("once", sessions, project), ({ says }) => says),
      { concurrency: "unbounded" }
    )
    yield* Effect.forEach(children, ({ tell }) => tell("go"), { discard: true })
    const said = yield* Effect.forEach(
      children,
      ({ exitCode, rest }) => Effect.tap(rest, Effect.map(exitCode, (code) => assert.strictEqual(Number(code), 0))),
      { concurrency: "unbounded" }
    )
    const ids = said.flat().map((id) => SessionId.make(id))
    assert.lengthOf([...new Set(ids)], 32)
    assert.deepStrictEqual(NodeFs.readdirSync(root).sort(), ["keyring.json", "project", "sessions"])
    assert.strictEqual(NodeFs.statSync(`${root}/keyring.json`).mode & 0o7777, 0o600)
    assert.deepStrictEqual(debris(root), [])
    yield* Effect.forEach(ids, (id) =>
      Effect.map(Sessions.load(id), ({ report, state }) => {
        assert.strictEqual(report.status, "closed")
        assert.deepStrictEqual(state.conversation.map(({ content }) => content), [state.session.projectPath])
      })).pipe(inSessions(sessions))
  }))
