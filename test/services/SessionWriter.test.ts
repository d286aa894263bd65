import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Logger, Result, type Schema, type Scope } from "effect"
import {
  Redaction,
  type RunningSession,
  type Session,
  type SessionError,
  SessionLimits,
  Sessions
} from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import { TestClock } from "effect/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

type Services = Layer.Success<ReturnType<typeof Rig.layer>>

/** One process of a machine. */
interface Process {
  readonly run: <A, E, R extends Services | Scope.Scope>(
    effect: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, Exclude<R, Services>>
  /** Sees every call to the file system while it is set. */
  hook: FileSystemHooks.Hook
  readonly kill: Effect.Effect<void>
}

interface WorldOptions {
  readonly limits?: Partial<SessionLimits.Limits>
  readonly redact?: Redaction.Redact
}

/** A session that runs in a process of its own, and processes that look at it. */
const makeWorld = Effect.fnUntraced(function*({ limits = {}, redact = Effect.succeed }: WorldOptions = {}) {
  const { project, sessions } = yield* Rig.workspace
  const machine = TestLiveness.machine()
  const startProcess = Effect.gen(function*() {
    const { layer: liveness, pid } = machine.process()
    const hook: FileSystemHooks.Hook = (call) => (run) => Effect.suspend(() => process.hook(call)(run))
    const layer = Layer.provide(
      Rig.layer({ sessions, hook, liveness, limits }),
      Layer.succeed(Redaction.Redaction, redact)
    )
    const context = yield* Layer.build(Layer.fresh(layer))
    const process: Process = {
      run: (effect) => Effect.provide(effect, context),
      hook: FileSystemHooks.none,
      kill: Effect.sync(() => machine.kill(pid))
    }
    return process
  })
  const process = yield* startProcess
  const observer = yield* startProcess
  const session = yield* process.run(Sessions.create({ project, config: Rig.config }))
  const { id } = session
  const load = Effect.map(observer.run(Sessions.load(id)), ({ state }) => state)
  return { process, observer, session, id, load, directory: `${sessions}/${id}` }
})

const say = (session: RunningSession, content: string) => session.append({ role: "user", content })

const contentsOf = ({ conversation }: Session.SessionState) => conversation.map(({ content }) => content)

const reasonOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

const failure = <A, E extends SessionError.SessionError, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.map(Effect.flip(effect), reasonOf)

/** Blocks the calls that `isMeant` picks until it is opened; `reached` tells of the first. */
const gate = Effect.fnUntraced(function*(isMeant: (call: FileSystemHooks.Call) => boolean) {
  const reached = yield* Deferred.make<void>()
  const opened = yield* Deferred.make<void>()
  const hook: FileSystemHooks.Hook = (call) => (run) =>
    isMeant(call)
      ? Effect.andThen(Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(opened)), run)
      : run
  return { hook, reached: Deferred.await(reached), open: Deferred.succeed(opened, undefined) }
})

const texts = (count: number) => Array.from({ length: count }, (_, index) => `message ${index}`)

const atOnce = <A, B, E, R>(items: ReadonlyArray<A>, f: (item: A) => Effect.Effect<B, E, R>) =>
  Effect.forEach(items, f, { concurrency: "unbounded" })

describe("appends at the same time", () => {
  it.effect("share a sync, and keep their order", () =>
    Effect.gen(function*() {
      const { load, process, session } = yield* makeWorld()
      const calls: Array<FileSystemHooks.Call> = []
      process.hook = FileSystemHooks.recordInto(calls)
      yield* atOnce(texts(16), (text) => say(session, text))
      process.hook = FileSystemHooks.none
      assert.isAtMost(calls.filter(({ method }) => method === "file.sync").length, 2)
      assert.isAtMost(calls.filter(({ method }) => method === "file.write").length, 2)
      assert.deepStrictEqual(contentsOf(yield* session.state), texts(16))
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))

  it.effect("that come while a batch is written share the next one", () =>
    Effect.gen(function*() {
      const { load, process, session } = yield* makeWorld()
      const { hook, open, reached } = yield* gate(({ method }) => method === "file.sync")
      process.hook = hook
      const first = yield* Effect.forkChild(say(session, "first"))
      yield* reached
      const syncs: Array<FileSystemHooks.Call> = []
      process.hook = (call) => (run) => {
        if (call.method === "file.sync") syncs.push(call)
        return run
      }
      const later = yield* Effect.forEach(
        texts(16),
        (text) => Effect.forkChild(say(session, text), { startImmediately: true })
      )
      yield* open
      yield* Fiber.join(first)
      yield* Effect.forEach(later, Fiber.join)
      assert.strictEqual(syncs.length, 1)
      assert.deepStrictEqual(contentsOf(yield* load), ["first", ...texts(16)])
    }))

  it.effect("are not harmed by one among them that the reducer refuses", () =>
    Effect.gen(function*() {
      const { load, session } = yield* makeWorld()
      const append = (content: string, inputTokens: number) =>
        session.append({ role: "user", content, usage: { inputTokens, outputTokens: 0, totalCost: 0 } })
      const results = yield* Effect.all([
        Effect.result(append("one", 1)),
        Effect.result(append("too many tokens", Number.MAX_SAFE_INTEGER)),
        Effect.result(append("two", 2))
      ], { concurrency: "unbounded" })
      assert.deepStrictEqual(
        results.map((result) => Result.isSuccess(result) ? "kept" : reasonOf(result.failure)),
        ["kept", "EventRejected/Invalid", "kept"]
      )
      assert.deepStrictEqual(contentsOf(yield* session.state), ["one", "two"])
      assert.strictEqual((yield* session.state).usage.inputTokens, 3)
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))

  it.effect("are not harmed by one among them that is too large", () =>
    Effect.gen(function*() {
      const { load, session } = yield* makeWorld({ limits: { maxBytes: 8000 } })
      const results = yield* atOnce(
        ["one", "x".repeat(8000), "two"],
        (content) => Effect.result(say(session, content))
      )
      assert.deepStrictEqual(
        results.map((result) => Result.isSuccess(result) ? "kept" : reasonOf(result.failure)),
        ["kept", "EventRejected/TooLarge", "kept"]
      )
      assert.deepStrictEqual(contentsOf(yield* load), ["one", "two"])
    }))

  it.effect("of every kind end in one state, in memory and on disk, after a close and after a crash", () =>
    Effect.gen(function*() {
      const { id, load, observer, process, session } = yield* makeWorld()
      yield* Effect.all([
        say(session, "one"),
        session.recordPrompt("one"),
        session.replaceTodos([{ content: "one", status: "pending", activeForm: "doing one" }]),
        session.configure({ ...Rig.config, temperature: 2, further: ["member"] }),
        session.rename("one"),
        session.annotate({ one: [1, { two: null }] }),
        say(session, "two")
      ], { concurrency: "unbounded" })
      const state = yield* session.state
      assert.strictEqual(state.revision, 7)
      assert.deepStrictEqual(yield* load, state)
      yield* process.kill
      const resumed = yield* observer.run(Sessions.resume(id))
      assert.deepStrictEqual(yield* resumed.state, state)
      yield* observer.run(Sessions.close(id))
      assert.deepStrictEqual(yield* load, state)
    }))
})

describe("an append", () => {
  it.effect("fills in id and timestamp where they are missing, keeps those that are given, and returns what is stored", () =>
    Effect.gen(function*() {
      const { load, session } = yield* makeWorld()
      yield* TestClock.setTime(Date.UTC(2026, 0, 31, 9, 30))
      const filled = yield* say(session, "hello")
      assert.match(filled.id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      assert.strictEqual(filled.timestamp, "2026-01-31T09:30:00.000Z")
      const { timestamp } = filled
      yield* TestClock.adjust("1 hour")
      const given = yield* session.append({ role: "user", content: "hello", id: "mine", timestamp, further: 1 })
      assert.deepStrictEqual(given, { id: "mine", role: "user", content: "hello", timestamp, further: 1 })
      const { conversation, session: facts } = yield* load
      assert.deepStrictEqual(conversation, [filled, given])
      assert.strictEqual(facts.updatedAt, "2026-01-31T10:30:00.000Z")
    }))

  it.effect("is not reached by what the caller does to the message afterwards", () =>
    Effect.gen(function*() {
      const { load, session } = yield* makeWorld()
      const nested = { list: ["as it was"] }
      const content: Array<Session.Part> = [{ type: "text", text: "as it was" }]
      const message = { role: "user" as const, content, nested }
      const todo: { content: string; status: "pending"; activeForm: string } = {
        content: "as it was",
        status: "pending",
        activeForm: "as it was"
      }
      const todos = [todo]
      const metadata = { key: "as it was" }
      yield* session.append(message)
      yield* session.replaceTodos(todos)
      yield* session.annotate(metadata)
      const before = JSON.stringify(yield* session.state)
      content.push({ type: "text", text: "changed" })
      nested.list.push("changed")
      todo.content = "changed"
      todos.pop()
      metadata.key = "changed"
      assert.strictEqual(JSON.stringify(yield* session.state), before)
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))

  it.effect("that is interrupted while it waits for its turn never happens", () =>
    Effect.gen(function*() {
      const { load, process, session } = yield* makeWorld()
      const { hook, open, reached } = yield* gate(({ method }) => method === "file.sync")
      process.hook = hook
      const first = yield* Effect.forkChild(say(session, "first"))
      yield* reached
      const second = yield* Effect.forkChild(say(session, "never"), { startImmediately: true })
      const third = yield* Effect.forkChild(say(session, "third"), { startImmediately: true })
      yield* Fiber.interrupt(second)
      yield* open
      yield* Fiber.join(first)
      yield* Fiber.join(third)
      assert.deepStrictEqual(contentsOf(yield* session.state), ["first", "third"])
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))

  it.effect("that is interrupted while it is written is there whole or not at all, and hurts nobody", () =>
    Effect.gen(function*() {
      const { load, process, session } = yield* makeWorld()
      const { hook, open, reached } = yield* gate(({ method }) => method === "file.sync")
      process.hook = hook
      const first = yield* Effect.forkChild(say(session, "first"))
      yield* reached
      const interrupting = yield* Effect.forkChild(Fiber.interrupt(first), { startImmediately: true })
      const second = yield* Effect.forkChild(say(session, "second"), { startImmediately: true })
      yield* open
      yield* Fiber.join(interrupting)
      yield* Fiber.join(second)
      const contents = contentsOf(yield* session.state)
      assert.include([["first", "second"], ["second"]].map((each) => JSON.stringify(each)), JSON.stringify(contents))
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))
})

describe("an event that would make the session too large", () => {
  const maxBytes = 20_000
  const kinds: ReadonlyArray<{
    readonly name: string
    /** Submits an event with a text of that many characters. */
    readonly submit: (session: RunningSession, length: number) => Effect.Effect<unknown, SessionError.SessionError>
  }> = [
    { name: "a message", submit: (session, length) => say(session, "x".repeat(length)) },
    { name: "a prompt", submit: (session, length) => session.recordPrompt("x".repeat(length)) },
    {
      name: "a to-do list",
      submit: (session, length) =>
        session.replaceTodos([{ content: "x".repeat(length), status: "pending", activeForm: "é" }])
    },
    { name: "metadata", submit: (session, length) => session.annotate({ key: "x".repeat(length) }) },
    {
      name: "a configuration",
      submit: (session, length) => session.configure({ ...Rig.config, further: "x".repeat(length) })
    }
  ]
  for (const { name, submit } of kinds) {
    it.effect(`is refused if it is ${name}, and the largest one that is not can be closed, loaded and resumed`, () =>
      Effect.gen(function*() {
        const { id, load, observer, process, session } = yield* makeWorld({ limits: { maxBytes } })
        yield* say(session, "Grüße 🦊")
        const before = yield* session.state
        const refused = yield* Effect.flip(submit(session, maxBytes))
        if (refused._tag !== "EventRejected" || refused.reason._tag !== "TooLarge") {
          return assert.fail(reasonOf(refused))
        }
        assert.strictEqual(refused.reason.limit, maxBytes)
        const fits = maxBytes - (refused.reason.bytes - maxBytes)
        assert.isAbove(fits, maxBytes / 2)
        assert.strictEqual(yield* failure(submit(session, fits + 1)), "EventRejected/TooLarge")
        assert.deepStrictEqual(yield* session.state, before)
        assert.deepStrictEqual(yield* load, before)

        yield* submit(session, fits)
        assert.strictEqual(yield* failure(session.recordPrompt("one more")), "EventRejected/TooLarge")
        const state = yield* session.state
        assert.deepStrictEqual(yield* load, state)
        yield* process.run(Sessions.close(id))
        assert.deepStrictEqual(yield* load, state)
        assert.isAtMost((yield* process.run(Sessions.verify(id))).bytes, maxBytes)
        const resumed = yield* observer.run(Sessions.resume(id))
        assert.deepStrictEqual(yield* resumed.state, state)
        yield* resumed.replaceTodos([])
        yield* observer.run(Sessions.close(id))
      }))
  }

  it.effect("is told from its bytes, not from its characters", () =>
    Effect.gen(function*() {
      const { load, session } = yield* makeWorld({ limits: { maxBytes } })
      assert.strictEqual(yield* failure(say(session, "€".repeat(maxBytes / 3))), "EventRejected/TooLarge")
      assert.strictEqual(yield* failure(say(session, "\u0001".repeat(maxBytes / 6))), "EventRejected/TooLarge")
      yield* say(session, "€".repeat(maxBytes / 3 - 1000))
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))

  it.effect("never comes to pass event by event: snapshot and journal together stay within the limit", () =>
    Effect.gen(function*() {
      const { id, load, observer, session } = yield* makeWorld({ limits: { maxBytes } })
      let count = 0
      while (Result.isSuccess(yield* Effect.result(say(session, `message ${count}`)))) {
        count++
        assert.isAtMost((yield* observer.run(Sessions.verify(id))).bytes, maxBytes)
      }
      assert.isAbove(count, 50)
      assert.strictEqual((yield* load).conversation.length, count)
    }))

  it.effect("is announced by one warning when the session is nearly full", () =>
    Effect.gen(function*() {
      const warnings: Array<unknown> = []
      const logger = Logger.make(({ logLevel, message }) => {
        if (logLevel === "Warn") warnings.push(message)
      })
      yield* Effect.gen(function*() {
        const { session } = yield* makeWorld({ limits: { maxBytes } })
        yield* say(session, "x".repeat(maxBytes / 2))
        assert.strictEqual(warnings.length, 0)
        yield* say(session, "x".repeat(maxBytes / 4))
        yield* say(session, "more")
        assert.strictEqual(warnings.length, 1)
      }).pipe(Effect.provide(Logger.layer([logger])))
    }))
})

describe("a checkpoint", () => {
  const journalsIn = (directory: string) => NodeFs.readdirSync(directory).filter((name) => name.startsWith("journal."))

  it.effect("is made of a journal that grows over checkpointBytes", () =>
    Effect.gen(function*() {
      const { directory, id, load, observer, session } = yield* makeWorld({ limits: { checkpointBytes: 2000 } })
      const [before] = journalsIn(directory)
      yield* say(session, "x".repeat(500))
      assert.deepStrictEqual(journalsIn(directory), [before])
      yield* say(session, "x".repeat(2000))
      yield* session.recordPrompt("after it")
      const journals = journalsIn(directory)
      assert.strictEqual(journals.length, 1)
      assert.notStrictEqual(journals[0], before)
      assert.strictEqual((yield* observer.run(Sessions.verify(id))).events, 1)
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))

  it.effect("is not made of a journal that is less than a quarter of its snapshot", () =>
    Effect.gen(function*() {
      const { id, load, observer, session } = yield* makeWorld({ limits: { checkpointBytes: 2000 } })
      yield* say(session, "x".repeat(40_000))
      yield* session.checkpoint
      for (let number = 0; number < 3; number++) yield* say(session, "x".repeat(2000))
      assert.strictEqual((yield* observer.run(Sessions.verify(id))).events, 3)
      for (let number = 0; number < 3; number++) yield* say(session, "x".repeat(2000))
      assert.isBelow((yield* observer.run(Sessions.verify(id))).events, 3)
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))

  it.effect("writes the whole state, and twice writes two", () =>
    Effect.gen(function*() {
      const { id, load, observer, process, session } = yield* makeWorld()
      yield* say(session, "one")
      yield* process.run(Sessions.checkpoint(id))
      assert.strictEqual((yield* observer.run(Sessions.verify(id))).events, 0)
      const calls: Array<FileSystemHooks.Call> = []
      process.hook = FileSystemHooks.recordInto(calls)
      yield* session.checkpoint
      yield* session.checkpoint
      assert.strictEqual(calls.filter(({ to }) => to?.endsWith("session.json")).length, 2)
      yield* say(session, "two")
      assert.deepStrictEqual(contentsOf(yield* load), ["one", "two"])
    }))

  it.effect("that fails on its own fails no append: it is made up for with the next event", () =>
    Effect.gen(function*() {
      const { load, process, session } = yield* makeWorld({ limits: { checkpointBytes: 2000 } })
      process.hook = (call) => (run) =>
        call.method === "rename" ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO")) : run
      yield* say(session, "x".repeat(3000))
      assert.deepStrictEqual(yield* load, yield* session.state)
      process.hook = FileSystemHooks.none
      yield* say(session, "next")
      assert.strictEqual((yield* session.state).conversation.length, 2)
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))

  it.effect("makes appends wait, and all of them are kept", () =>
    Effect.gen(function*() {
      const { load, process, session } = yield* makeWorld()
      yield* say(session, "first")
      const { hook, open, reached } = yield* gate(({ to }) => to?.endsWith("session.json") === true)
      process.hook = hook
      const checkpoint = yield* Effect.forkChild(session.checkpoint)
      yield* reached
      const appends = yield* Effect.forEach(
        texts(5),
        (text) => Effect.forkChild(say(session, text), { startImmediately: true })
      )
      assert.deepStrictEqual(contentsOf(yield* session.state), ["first"])
      yield* open
      yield* Fiber.join(checkpoint)
      yield* Effect.forEach(appends, Fiber.join)
      assert.deepStrictEqual(contentsOf(yield* load), ["first", ...texts(5)])
    }))
})

describe("an append after a failed one", () => {
  const fail = (call: FileSystemHooks.Call) => Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO"))
  const faults: ReadonlyArray<{
    readonly name: string
    readonly hook: (directory: string) => FileSystemHooks.Hook
  }> = [
    {
      name: "nothing was written",
      hook: () => (call) => (run) => call.method === "file.write" ? fail(call) : run
    },
    {
      name: "half of it was written",
      hook: (directory) => (call) => (run) => {
        if (call.method !== "file.write" || call.bytes === undefined) return run
        const { bytes } = call
        const half = Effect.sync(() => {
          const [journal = ""] = NodeFs.readdirSync(directory).filter((name) => name.startsWith("journal."))
          NodeFs.appendFileSync(`${directory}/${journal}`, bytes.subarray(0, bytes.length / 2))
        })
        return Effect.andThen(half, fail(call))
      }
    },
    {
      name: "all of it was written",
      hook: () => (call) => (run) => call.method === "file.write" ? Effect.andThen(run, fail(call)) : run
    },
    { name: "it was not synced", hook: () => (call) => (run) => call.method === "file.sync" ? fail(call) : run },
    {
      name: "it was synced and reported as failed",
      hook: () => (call) => (run) => call.method === "file.sync" ? Effect.andThen(run, fail(call)) : run
    },
    {
      name: "its lease could not be checked",
      hook: () => (call) => (run) => call.method === "readDirectory" ? fail(call) : run
    },
    { name: "the disk was gone for a while", hook: () => (call) => () => fail(call) }
  ]
  for (const { hook, name } of faults) {
    it.effect(`loses no event and doubles none, where ${name}`, () =>
      Effect.gen(function*() {
        const { directory, id, load, observer, process, session } = yield* makeWorld()
        yield* say(session, "one")
        process.hook = hook(directory)
        for (const lost of ["lost", "lost too"]) {
          assert.strictEqual(yield* failure(say(session, lost)), "StoreError")
          assert.deepStrictEqual(contentsOf(yield* session.state), ["one"])
        }
        process.hook = FileSystemHooks.none
        yield* say(session, "two")
        assert.deepStrictEqual(contentsOf(yield* session.state), ["one", "two"])
        assert.deepStrictEqual(yield* load, yield* session.state)
        yield* say(session, "three")
        yield* process.kill
        const resumed = yield* observer.run(Sessions.resume(id))
        assert.deepStrictEqual(contentsOf(yield* resumed.state), ["one", "two", "three"])
      }))

    it.effect(`is not needed to save what was acknowledged, where ${name}`, () =>
      Effect.gen(function*() {
        const { directory, id, load, process, session } = yield* makeWorld()
        yield* say(session, "one")
        process.hook = hook(directory)
        assert.strictEqual(yield* failure(say(session, "lost")), "StoreError")
        process.hook = FileSystemHooks.none
        yield* process.run(Sessions.close(id))
        assert.deepStrictEqual(contentsOf(yield* load), ["one"])
      }))

    it.effect(`need not come: a crash leaves what was acknowledged and at most the failed event, where ${name}`, () =>
      Effect.gen(function*() {
        const { directory, id, observer, process, session } = yield* makeWorld()
        yield* say(session, "one")
        process.hook = hook(directory)
        assert.strictEqual(yield* failure(say(session, "unknown")), "StoreError")
        process.hook = FileSystemHooks.none
        yield* process.kill
        const resumed = yield* observer.run(Sessions.resume(id))
        const contents = contentsOf(yield* resumed.state)
        assert.include([["one"], ["one", "unknown"]].map((each) => JSON.stringify(each)), JSON.stringify(contents))
      }))
  }
})

describe("back pressure", () => {
  const maxQueuedBytes = 4000
  const overhead = 300

  const alphabets = [
    { name: "ASCII", letter: "x" },
    { name: "three bytes a character", letter: "€" }
  ]
  for (const { letter, name } of alphabets) {
    it.effect(`keeps no more than maxQueuedBytes waiting, of text in ${name}`, () =>
      Effect.gen(function*() {
        const { load, process, session } = yield* makeWorld({ limits: { maxQueuedBytes } })
        const text = letter.repeat(1000 / new TextEncoder().encode(letter).length)
        const written: Array<number> = []
        process.hook = (call) => (run) => {
          if (call.method === "file.write") written.push(call.bytes?.length ?? 0)
          return run
        }
        const contents = Array.from({ length: 20 }, (_, index) => `${index} ${text}`)
        yield* atOnce(contents, (content) => say(session, content))
        process.hook = FileSystemHooks.none
        for (const bytes of written) assert.isAtMost(bytes, maxQueuedBytes + 4 * overhead)
        assert.deepStrictEqual(contentsOf(yield* session.state), contents)
        assert.deepStrictEqual(yield* load, yield* session.state)
      }))
  }

  it.effect("makes a producer wait while the disk does, and gives its place up when it is interrupted", () =>
    Effect.gen(function*() {
      const { load, process, session } = yield* makeWorld({ limits: { maxQueuedBytes } })
      const { hook, open, reached } = yield* gate(({ method }) => method === "file.sync")
      process.hook = hook
      const text = (name: string) => `${name} ${"x".repeat(3000)}`
      const first = yield* Effect.forkChild(say(session, text("first")))
      yield* reached
      const second = yield* Effect.forkChild(say(session, text("second")), { startImmediately: true })
      const third = yield* Effect.forkChild(say(session, text("third")), { startImmediately: true })
      yield* Fiber.interrupt(second)
      yield* open
      yield* Fiber.join(first)
      yield* Fiber.join(third)
      assert.deepStrictEqual(contentsOf(yield* load), [text("first"), text("third")])
    }))

  it.effect("lets an event through that is larger than maxQueuedBytes", () =>
    Effect.gen(function*() {
      const { load, session } = yield* makeWorld({ limits: { maxQueuedBytes } })
      yield* atOnce(["a", "b"], (letter) => say(session, letter.repeat(3 * maxQueuedBytes)))
      assert.strictEqual((yield* load).conversation.length, 2)
    }))

  it.effect("ends with the session for those that wait", () =>
    Effect.gen(function*() {
      const { id, process, session } = yield* makeWorld({ limits: { maxQueuedBytes } })
      const appends = yield* Effect.forEach(
        texts(10),
        (text) => Effect.forkChild(say(session, text + "x".repeat(2000)), { startImmediately: true })
      )
      yield* process.run(Sessions.close(id))
      const exits = yield* Effect.forEach(appends, Fiber.await)
      const kept = exits.filter(Exit.isSuccess).length
      assert.strictEqual((yield* process.run(Sessions.load(id))).state.conversation.length, kept)
    }))
})

describe("the redaction hook", () => {
  it.effect("replaces what is stored, and the caller is told what that is", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const { id, load, session } = yield* makeWorld({
        redact: (event, id) =>
          Effect.sync(() => {
            seen.push(`${event._tag} of ${id}`)
            return event._tag === "MessageAppended"
              ? { ...event, message: { ...event.message, content: "[redacted]" } }
              : event
          })
      })
      const message = yield* say(session, "my password is hunter2")
      yield* session.recordPrompt("a prompt")
      assert.strictEqual(message.content, "[redacted]")
      assert.deepStrictEqual((yield* session.state).conversation, [message])
      assert.deepStrictEqual(yield* load, yield* session.state)
      assert.deepStrictEqual(seen, [`MessageAppended of ${id}`, `PromptRecorded of ${id}`])
    }))

  it.effect("leaves no trace of what it replaced on disk", () =>
    Effect.gen(function*() {
      const { directory, session } = yield* makeWorld({
        redact: (event) =>
          Effect.succeed(
            event._tag === "PromptRecorded" ? { ...event, prompt: event.prompt.replaceAll("hunter2", "***") } : event
          )
      })
      yield* session.recordPrompt("my password is hunter2")
      yield* session.checkpoint
      yield* session.recordPrompt("hunter2 again")
      for (const name of NodeFs.readdirSync(directory)) {
        assert.notInclude(NodeFs.readFileSync(`${directory}/${name}`, "utf8"), "hunter2")
      }
    }))

  const refusing: ReadonlyArray<{
    readonly name: string
    readonly redact: Redaction.Redact
    readonly reason: string
    readonly path?: string
  }> = [
    { name: "it refuses", redact: () => Effect.fail("no"), reason: "EventRejected/Refused" },
    {
      name: "it makes another kind of event of",
      redact: () => Effect.succeed({ _tag: "PromptRecorded", prompt: "instead" }),
      reason: "EventRejected/Refused"
    },
    {
      name: "it makes an invalid event of",
      redact: (event) =>
        Effect.succeed(
          event._tag === "MessageAppended" ? { ...event, message: { ...event.message, id: "" } } : event
        ),
      reason: "EventRejected/Invalid",
      path: "message.id"
    },
    {
      name: "it changes in place into an invalid one",
      redact: (event) =>
        Effect.sync(() => {
          if (event._tag === "MessageAppended") Object.assign(event.message, { role: "robot" })
          return event
        }),
      reason: "EventRejected/Invalid",
      path: "message.role"
    }
  ]
  for (const { name, path, reason, redact } of refusing) {
    it.effect(`has an event rejected that ${name}, and nothing changes`, () =>
      Effect.gen(function*() {
        const { load, session } = yield* makeWorld({
          redact: (event, id) => event._tag === "MessageAppended" ? redact(event, id) : Effect.succeed(event)
        })
        const before = yield* session.state
        const rejected = yield* Effect.flip(say(session, "hello"))
        assert.strictEqual(reasonOf(rejected), reason)
        if (path !== undefined) assert.deepInclude("reason" in rejected ? rejected.reason : {}, { path })
        assert.deepStrictEqual(yield* session.state, before)
        yield* session.recordPrompt("goes on")
        assert.deepStrictEqual(yield* load, yield* session.state)
      }))
  }

  it.effect("can't change afterwards what it was shown", () =>
    Effect.gen(function*() {
      const shown: Array<object> = []
      const { load, session } = yield* makeWorld({
        redact: (event) =>
          Effect.sync(() => {
            if (event._tag === "MessageAppended") shown.push(event.message)
            return event
          })
      })
      yield* say(session, "as it was")
      for (const message of shown) Object.assign(message, { content: "changed" })
      assert.deepStrictEqual(contentsOf(yield* session.state), ["as it was"])
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))

  it.effect("that dies takes down its own append and nothing else", () =>
    Effect.gen(function*() {
      const { load, session } = yield* makeWorld({
        redact: (event) => event._tag === "MessageAppended" ? Effect.die("broken") : Effect.succeed(event)
      })
      assert.isTrue(Exit.isFailure(yield* Effect.exit(say(session, "hello"))))
      yield* session.recordPrompt("goes on")
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))
})

describe("an invalid event", () => {
  const usage = (part: Partial<Session.Usage>) => ({ inputTokens: 0, outputTokens: 0, totalCost: 0, ...part })
  const nested = (levels: number): Schema.Json => levels === 0 ? "deep" : [nested(levels - 1)]
  const cycle: Record<string, unknown> = {}
  cycle["itself"] = cycle
  const message: Session.MessageInput = { role: "user", content: "hello" }
  const todo: Session.Todo = { content: "one", status: "pending", activeForm: "doing one" }

  const invalid: ReadonlyArray<{
    readonly name: string
    readonly path: string | RegExp
    readonly submit: (session: RunningSession) => Effect.Effect<unknown, SessionError.SessionError>
  }> = [
    {
      name: "an unknown role",
      path: "message.role",
      submit: (session) => session.append(Object.assign({ ...message }, { role: "robot" }))
    },
    { name: "an empty id", path: "message.id", submit: (session) => session.append({ ...message, id: "" }) },
    {
      name: "a timestamp in another form",
      path: "message.timestamp",
      submit: (session) => session.append(Object.assign({ ...message }, { timestamp: "22 Nov 2026" }))
    },
    {
      name: "a number that is none",
      path: "message.usage.totalCost",
      submit: (session) => session.append({ ...message, usage: usage({ totalCost: Number.NaN }) })
    },
    {
      name: "an infinite number deep inside",
      path: "message.further.list[1]",
      submit: (session) => session.append({ ...message, further: { list: [1, Number.POSITIVE_INFINITY] } })
    },
    {
      name: "a negative count",
      path: "message.usage.inputTokens",
      submit: (session) => session.append({ ...message, usage: usage({ inputTokens: -1 }) })
    },
    {
      name: "a broken count",
      path: "message.usage.outputTokens",
      submit: (session) => session.append({ ...message, usage: usage({ outputTokens: 0.5 }) })
    },
    {
      name: "a lone surrogate",
      path: "message.content",
      submit: (session) => session.append({ ...message, content: "half of it: \ud83e" })
    },
    {
      name: "a key with a lone surrogate",
      path: /^message\./,
      submit: (session) => session.append({ ...message, ["\udd8a"]: 1 })
    },
    {
      name: "a function",
      path: "message.further",
      submit: (session) => session.append({ ...message, further: () => 1 })
    },
    {
      name: "a class instance",
      path: "message.further",
      submit: (session) => session.append({ ...message, further: new Map() })
    },
    {
      name: "a date",
      path: "message.further",
      submit: (session) => session.append({ ...message, further: new Date(0) })
    },
    {
      name: "a big integer",
      path: "message.further",
      submit: (session) => session.append({ ...message, further: 1n })
    },
    {
      name: "a symbol",
      path: "message.further",
      submit: (session) => session.append({ ...message, further: Symbol("further") })
    },
    {
      name: "an array with a hole",
      path: "message.further[0]",
      submit: (session) => session.append({ ...message, further: Array.from({ length: 1 }) })
    },
    {
      name: "too many levels",
      path: /^message\.further(\[0\]){20,}$/,
      submit: (session) => session.append({ ...message, further: nested(100) })
    },
    {
      name: "a cycle",
      path: /^message\.further(\.itself){20,}$/,
      submit: (session) => session.append({ ...message, further: cycle })
    },
    {
      name: "a part of an unknown kind",
      path: /^message\.content/,
      submit: (session) =>
        session.append({ ...message, content: [Object.assign({ type: "text" as const, text: "" }, { type: "song" })] })
    },
    {
      name: "a part that lacks a member",
      path: /^message\.content/,
      submit: (session) =>
        session.append({
          ...message,
          content: [Object.assign({ type: "text" as const, text: "" }, { type: "tool-call", id: "1", name: "read" })]
        })
    },
    {
      name: "a to-do with an unknown status",
      path: "todos[1].status",
      submit: (session) => session.replaceTodos([todo, Object.assign({ ...todo }, { status: "someday" })])
    },
    {
      name: "a prompt with a lone surrogate",
      path: "prompt",
      submit: (session) => session.recordPrompt("\ud83e")
    },
    {
      name: "a temperature over 2",
      path: "config.temperature",
      submit: (session) => session.configure({ ...Rig.config, temperature: 2.1 })
    },
    {
      name: "no tokens at all",
      path: "config.maxTokens",
      submit: (session) => session.configure({ ...Rig.config, maxTokens: 0 })
    },
    { name: "an empty name", path: "name", submit: (session) => session.rename("") },
    {
      name: "metadata with a number that is none",
      path: "metadata.a.b",
      submit: (session) => session.annotate({ a: { b: Number.NaN } })
    }
  ]
  for (const { name, path, submit } of invalid) {
    it.effect(`is rejected for ${name}, with the place, and nothing changes`, () =>
      Effect.gen(function*() {
        const { load, session } = yield* makeWorld()
        const before = yield* session.state
        const rejected = yield* Effect.flip(submit(session))
        if (rejected._tag !== "EventRejected" || rejected.reason._tag !== "Invalid") {
          return assert.fail(reasonOf(rejected))
        }
        if (typeof path === "string") assert.strictEqual(rejected.reason.path, path)
        else assert.match(rejected.reason.path, path)
        assert.notStrictEqual(rejected.reason.expected, "")
        assert.deepStrictEqual(yield* session.state, before)
        yield* say(session, "goes on")
        assert.deepStrictEqual(yield* load, yield* session.state)
      }))
  }

  it.effect("is told from a valid one by the reader's own rule of depth: the deepest that is accepted can be loaded", () =>
    Effect.gen(function*() {
      const { id, load, process, session } = yield* makeWorld()
      const submitters: ReadonlyArray<(levels: number) => Effect.Effect<unknown, SessionError.SessionError>> = [
        (levels) => session.append({ ...message, further: nested(levels) }),
        (levels) => session.replaceTodos([Object.assign({ ...todo }, { further: nested(levels) })]),
        (levels) => session.configure(Object.assign({ ...Rig.config }, { further: nested(levels) })),
        (levels) => session.annotate(Object.assign({}, { further: nested(levels) }))
      ]
      for (const submit of submitters) {
        let levels = SessionLimits.defaults.maxDepth + 2
        while (Result.isFailure(yield* Effect.result(submit(levels)))) levels--
        assert.isAbove(levels, SessionLimits.defaults.maxDepth - 8)
        assert.deepStrictEqual(yield* load, yield* session.state)
      }
      yield* process.run(Sessions.close(id))
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))

  it.effect("is never made of members that are undefined: they are left out", () =>
    Effect.gen(function*() {
      const { load, session } = yield* makeWorld()
      const stored = yield* session.append({ ...message, further: undefined, list: { a: undefined, b: -0 } })
      assert.isFalse(Object.hasOwn(stored, "further"))
      assert.deepStrictEqual(stored["list"], { b: 0 })
      assert.deepStrictEqual(yield* load, yield* session.state)
    }))
})
