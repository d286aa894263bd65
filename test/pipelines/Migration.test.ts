import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Result, Schema, Stream } from "effect"
import { Migration, type SessionId, Sessions } from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"
import * as Stack from "../suites/stack.ts"
import * as Golden from "../suites/version1.ts"

type Step = Migration.Format["steps"][number]

const inUpperCase = (json: Schema.Json | undefined): Schema.Json => typeof json === "string" ? json.toUpperCase() : null

const isList = Schema.is(Schema.Array(Schema.Record(Schema.String, Schema.Json)))

/** A version 3 in which names are written in upper case, messages have a member more, and prompts a mark. */
const toVersion3: Step = {
  from: 2,
  head: (head) => Result.succeed({ document: { ...head, name: inUpperCase(head["name"]) }, changes: [] }),
  document: (document) => {
    const { conversation, name } = document
    return Result.succeed({
      document: {
        ...document,
        name: inUpperCase(name),
        conversation: isList(conversation) ? conversation.map((message) => ({ ...message, moved: true })) : null
      },
      changes: [{ path: "name", change: "written in upper case" }]
    })
  },
  event: (event) =>
    Result.succeed({
      document: typeof event["prompt"] === "string" ? { ...event, prompt: `${event["prompt"]}!` } : event,
      changes: []
    })
}

const version3: Migration.Format = { version: 3, steps: [...Migration.current.steps, toVersion3] }

const failing = (part: keyof Omit<Step, "from">): Migration.Format => ({
  version: 3,
  steps: [...Migration.current.steps, { ...toVersion3, [part]: () => Result.fail("it is broken") }]
})

/** A closed session and one that a killed process left open, both of version 2, and a machine to go on with. */
const scene = Effect.gen(function*() {
  const { root, sessions } = yield* Rig.workspace
  const machine = TestLiveness.machine()
  const owner = machine.process()
  const services = yield* Layer.build(Layer.fresh(Stack.layer({ sessions, liveness: owner.layer })))
  const create = (name: string) =>
    Effect.gen(function*() {
      const project = `${root}/${name}`
      NodeFs.mkdirSync(project)
      const session = yield* Sessions.create({ project, name, config: Rig.config })
      yield* session.append({ role: "user", content: "first" })
      yield* session.recordPrompt("first")
      return session
    })
  const { closed, open } = yield* Effect.provide(
    Effect.gen(function*() {
      const closed = yield* create("closed")
      yield* Sessions.close(closed.id)
      return { closed: closed.id, open: (yield* create("open")).id }
    }),
    services
  )
  machine.kill(owner.pid)
  const as =
    (format: Migration.Format, hook?: FileSystemHooks.Hook) => <A, E>(program: Effect.Effect<A, E, Stack.Services>) =>
      Stack.run(program, {
        sessions,
        format,
        liveness: machine.process().layer,
        ...(hook === undefined ? {} : { hook })
      })
  const file = (id: SessionId.SessionId, name = "session.json") => `${sessions}/${id}/${name}`
  return { closed, open, sessions, root, as, file }
})

const versionIn = (file: string): unknown => /^\{"version":(\d+),/.exec(NodeFs.readFileSync(file, "utf8"))?.[1]

const list = Effect.map(Stream.runCollect(Sessions.list()), (entries) => entries)

describe("A session of version 2, for a program of version 3", () => {
  it.effect("is loaded through the step, its journal too, and stays as it is", () =>
    Effect.gen(function*() {
      const { as, closed, open, sessions } = yield* scene
      const before = Stack.everything(sessions)
      const [one, two] = yield* as(version3)(Effect.all([Sessions.load(closed), Sessions.load(open)]))
      assert.strictEqual(one.state.session.name, "CLOSED")
      assert.strictEqual(two.state.session.name, "OPEN")
      assert.strictEqual(one.state.conversation[0]?.["moved"], true)
      assert.deepStrictEqual(one.state.promptHistory, ["first"])
      assert.deepStrictEqual(two.state.promptHistory, ["first!"])
      assert.strictEqual(two.report.status, "interrupted")
      assert.deepStrictEqual(Stack.everything(sessions), before)
    }))

  it.effect("is listed through the step, and stays as it is", () =>
    Effect.gen(function*() {
      const { as, sessions } = yield* scene
      const before = Stack.everything(sessions)
      const entries = yield* as(version3)(list)
      assert.sameMembers(
        entries.map((entry) => entry._tag === "Stored" ? `${entry.name} ${entry.status}` : entry._tag),
        [
          "CLOSED closed",
          "OPEN interrupted"
        ]
      )
      assert.deepStrictEqual(Stack.everything(sessions), before)
    }))

  for (const kind of ["closed", "open"] as const) {
    it.effect(`is resumed, goes on and is closed as version 3, and the original stays beside it: ${kind}`, () =>
      Effect.gen(function*() {
        const { as, file, ...ids } = yield* scene
        const id = ids[kind]
        const original = NodeFs.readFileSync(file(id))
        const loaded = yield* as(version3)(Sessions.load(id))
        yield* as(version3)(Effect.gen(function*() {
          const running = yield* Sessions.resume(id)
          assert.deepStrictEqual(yield* running.state, loaded.state)
          yield* running.append({ role: "user", content: "second" })
          yield* running.recordPrompt("second")
          // As acknowledged, so durable: another process sees it.
          const seen = yield* as(version3)(Sessions.load(id))
          assert.deepStrictEqual(seen.state, yield* running.state)
          yield* Sessions.close(id)
        }))
        assert.strictEqual(versionIn(file(id)), "3")
        assert.strictEqual(Buffer.compare(NodeFs.readFileSync(file(id, "original.v2.json")), original), 0)
        assert.strictEqual(NodeFs.statSync(file(id, "original.v2.json")).mode & 0o777, 0o600)
        const { state } = yield* as(version3)(Sessions.load(id))
        assert.strictEqual(state.session.name, kind.toUpperCase())
        assert.deepStrictEqual(state.conversation.map(({ content }) => content), ["first", "second"])
        assert.isFalse("moved" in (state.conversation[1] ?? {}))
        assert.deepStrictEqual(state.promptHistory, [kind === "open" ? "first!" : "first", "second"])
      }))

    it.effect(`keeps what it was given while it runs, when it is killed there: ${kind}`, () =>
      Effect.gen(function*() {
        const { sessions, file, root: _, as, ...ids } = yield* scene
        const id = ids[kind]
        const machine = TestLiveness.machine("elsewhere")
        const process = machine.process()
        const services = yield* Layer.build(
          Layer.fresh(Stack.layer({ sessions, format: version3, liveness: process.layer }))
        )
        yield* Effect.provide(
          Effect.flatMap(Sessions.resume(id, { takeOver: true }), (running) => running.recordPrompt("second")),
          services
        )
        machine.kill(process.pid)
        const { state } = yield* as(version3)(Sessions.load(id))
        assert.strictEqual(state.promptHistory.at(-1)?.replace("!", ""), "second")
        assert.strictEqual(versionIn(file(id)) === "3", NodeFs.existsSync(file(id, "original.v2.json")))
      }))

    it.effect(`is not changed where a step fails, and the error says why: ${kind}`, () =>
      Effect.gen(function*() {
        const { as, sessions, ...ids } = yield* scene
        const id = ids[kind]
        const before = Stack.everything(sessions)
        const parts = kind === "open" ? ["document", "event"] as const : ["document"] as const
        for (const part of parts) {
          const errors = yield* as(failing(part))(Effect.all([
            Effect.flip(Sessions.load(id)),
            Effect.flip(Sessions.verify(id)),
            Effect.flip(Sessions.resume(id)),
            Effect.flip(Sessions.exportTo(id, `${sessions}/../out`)),
            Effect.flip(Sessions.rename(id, "other"))
          ]))
          for (const error of errors) {
            assert.strictEqual(error._tag, "SchemaVersion", part)
            assert.deepInclude(error, { id, found: 2, supported: 3, cause: "it is broken" }, part)
          }
        }
        assert.deepStrictEqual(Stack.everything(sessions), before)
      }))
  }

  it.effect("is listed as broken where the step for its head fails", () =>
    Effect.gen(function*() {
      const { as } = yield* scene
      const entries = yield* as(failing("head"))(list)
      for (const entry of entries) {
        assert.strictEqual(entry._tag, "Broken")
        if (entry._tag !== "Broken") continue
        assert.deepInclude(entry.error, { _tag: "SchemaVersion", found: 2, supported: 3, cause: "it is broken" })
      }
      assert.lengthOf(entries, 2)
    }))

  it.effect("is renamed as version 3, closed or interrupted as it was, and the original stays beside it", () =>
    Effect.gen(function*() {
      const { as, closed, file, open } = yield* scene
      for (const [id, status] of [[closed, "closed"], [open, "interrupted"]] as const) {
        const original = NodeFs.readFileSync(file(id))
        yield* as(version3)(Sessions.rename(id, "other"))
        assert.strictEqual(versionIn(file(id)), "3")
        assert.strictEqual(Buffer.compare(NodeFs.readFileSync(file(id, "original.v2.json")), original), 0)
        const { report, state } = yield* as(version3)(Sessions.load(id))
        assert.strictEqual(state.session.name, "other")
        assert.strictEqual(report.status, status)
        assert.deepStrictEqual(state.promptHistory, [id === open ? "first!" : "first"])
      }
    }))

  it.effect("keeps the last snapshot of version 2, also where an earlier migration had failed", () =>
    Effect.gen(function*() {
      const { as, closed, file } = yield* scene
      const dying: FileSystemHooks.Hook = (call) => (run) =>
        call.method === "rename" && call.to?.endsWith("/session.json") === true
          ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO"))
          : run
      const error = yield* as(version3, dying)(Effect.flip(Sessions.rename(closed, "other")))
      assert.strictEqual(error._tag, "StoreError")
      yield* as(Migration.current)(Effect.gen(function*() {
        const running = yield* Sessions.resume(closed)
        yield* running.append({ role: "user", content: "in the old program again" })
        yield* Sessions.close(closed)
      }))
      const last = NodeFs.readFileSync(file(closed), "utf8")
      assert.include(last, "in the old program again")
      yield* as(version3)(Effect.andThen(Sessions.resume(closed), Sessions.close(closed)))
      assert.strictEqual(versionIn(file(closed)), "3")
      assert.strictEqual(NodeFs.readFileSync(file(closed, "original.v2.json"), "utf8"), last)
      const { state } = yield* as(version3)(Sessions.load(closed))
      assert.deepStrictEqual(state.conversation.map(({ content }) => content), ["first", "in the old program again"])
    }))

  it.effect("is still there, whole, whichever call fails while it is resumed and closed", () =>
    Effect.gen(function*() {
      const { as, closed, file, sessions } = yield* scene
      const original = NodeFs.readFileSync(file(closed))
      const pristine = `${sessions}.before`
      NodeFs.cpSync(sessions, pristine, { recursive: true })
      const attempt = Effect.fnUntraced(function*(number: number) {
        NodeFs.rmSync(sessions, { recursive: true })
        NodeFs.cpSync(pristine, sessions, { recursive: true })
        NodeFs.chmodSync(sessions, 0o700)
        const { counter, hook } = FileSystemHooks.failAt([number])
        yield* Effect.exit(as(version3, hook)(Effect.andThen(Sessions.resume(closed), Sessions.close(closed))))
        const { state } = yield* as(version3)(Sessions.load(closed))
        assert.deepStrictEqual(state.conversation.map(({ content }) => content), ["first"])
        if (versionIn(file(closed)) === "3") {
          assert.strictEqual(Buffer.compare(NodeFs.readFileSync(file(closed, "original.v2.json")), original), 0)
        } else assert.strictEqual(Buffer.compare(NodeFs.readFileSync(file(closed)), original), 0, String(number))
        return counter.seen
      })
      const calls = yield* attempt(Number.POSITIVE_INFINITY)
      assert.isAbove(calls, 20)
      for (let number = 0; number < calls; number++) yield* attempt(number)
    }), 60_000)

  it.effect("is exported as version 3, and an export of version 2 is imported through the step", () =>
    Effect.gen(function*() {
      const { as, closed, root } = yield* scene
      const from = (format: Migration.Format, name: string) => as(format)(Sessions.exportTo(closed, `${root}/${name}`))
      yield* from(Migration.current, "two")
      yield* from(version3, "three")
      assert.strictEqual(versionIn(`${root}/three`), "3")
      const into = (format: Migration.Format, name: string) =>
        Stack.run(
          Effect.flatMap(Sessions.importFile(`${root}/${name}`), (report) =>
            Effect.map(Sessions.load(closed), ({ state }) => ({ report, state }))),
          { sessions: `${root}/there-${name}`, format }
        )
      const { report, state } = yield* into(version3, "two")
      assert.deepInclude(report, { version: 2, isVerified: true })
      assert.deepStrictEqual(report.changes, [{ path: "name", change: "written in upper case" }])
      assert.strictEqual(state.session.name, "CLOSED")
      assert.strictEqual(state.conversation[0]?.["moved"], true)
      const error = yield* Effect.flip(into(Migration.current, "three"))
      assert.deepInclude(error, { _tag: "SchemaVersion", found: 3, supported: 2 })
      assert.isFalse(NodeFs.existsSync(`${root}/there-three`))
    }))

  it.effect("that comes from version 1 takes both steps", () =>
    Effect.gen(function*() {
      const { root } = yield* scene
      const imported = yield* Stack.run(
        Effect.flatMap(Sessions.importFile(Golden.pathOf("usage"), Golden.credentials), (report) =>
          Effect.map(Sessions.load(report.id), ({ state }) => ({ report, state }))),
        { sessions: `${root}/there`, format: version3 }
      )
      assert.strictEqual(imported.state.session.name, "N")
      assert.strictEqual(imported.state.conversation[0]?.["moved"], true)
      assert.deepInclude(imported.report.changes, { path: "updated_at", change: "cut to milliseconds" })
      assert.deepInclude(imported.report.changes, { path: "name", change: "written in upper case" })
      assert.strictEqual(versionIn(`${root}/there/${Golden.id}/session.json`), "3")
    }))
})

describe("A session of version 3, for a program of version 2", () => {
  /** Both sessions of the scene, taken to version 3; the open one is left open. */
  const newer = Effect.gen(function*() {
    const found = yield* scene
    yield* found.as(version3)(Effect.andThen(Sessions.rename(found.closed, "new"), Sessions.rename(found.open, "new")))
    return found
  })

  for (const kind of ["closed", "open"] as const) {
    it.effect(`is refused with the versions, and left byte-identical: ${kind}`, () =>
      Effect.gen(function*() {
        const { as, root, sessions, ...ids } = yield* newer
        const id = ids[kind]
        const before = Stack.everything(sessions)
        const attempts: ReadonlyArray<
          readonly [string, Effect.Effect<unknown, { readonly _tag: string }, Stack.Services>]
        > = [
          ["load", Sessions.load(id)],
          ["verify", Sessions.verify(id)],
          ["resume", Sessions.resume(id)],
          ["takeOver", Sessions.resume(id, { takeOver: true })],
          ["export", Sessions.exportTo(id, `${root}/out`)],
          ["rename", Sessions.rename(id, "other")]
        ]
        for (const [name, attempt] of attempts) {
          const error = yield* as(Migration.current)(Effect.flip(attempt))
          assert.deepInclude<object>(error, { _tag: "SchemaVersion", id, found: 3, supported: 2 }, name)
          assert.deepStrictEqual(Stack.everything(sessions), before, name)
        }
        assert.isFalse(NodeFs.existsSync(`${root}/out`))
      }))
  }

  it.effect("is listed as broken with the versions, and left byte-identical", () =>
    Effect.gen(function*() {
      const { as, sessions } = yield* newer
      const before = Stack.everything(sessions)
      const entries = yield* as(Migration.current)(list)
      assert.lengthOf(entries, 2)
      for (const entry of entries) {
        assert.strictEqual(entry._tag, "Broken")
        if (entry._tag === "Broken") assert.deepInclude(entry.error, { _tag: "SchemaVersion", found: 3, supported: 2 })
      }
      assert.deepStrictEqual(Stack.everything(sessions), before)
    }))

  it.effect("is not signed anew by a rotation, which says why, and left byte-identical", () =>
    Effect.gen(function*() {
      const { as, sessions } = yield* newer
      const before = Stack.everything(sessions)
      const outcomes = yield* as(Migration.current)(Stream.runCollect(Sessions.rotate({ addKey: false })))
      assert.lengthOf(outcomes, 2)
      for (const { outcome } of outcomes) {
        assert.strictEqual(outcome._tag, "Failed")
        if (outcome._tag === "Failed") {
          assert.deepInclude(outcome.error, { _tag: "SchemaVersion", found: 3, supported: 2 })
        }
      }
      assert.deepStrictEqual(Stack.everything(sessions), before)
    }))

  it.effect("is what it was once the newer program is back", () =>
    Effect.gen(function*() {
      const { as, open } = yield* newer
      yield* as(Migration.current)(Effect.ignore(Sessions.resume(open)))
      const { report, state } = yield* as(version3)(Sessions.load(open))
      assert.strictEqual(report.status, "interrupted")
      assert.deepStrictEqual(state.promptHistory, ["first!"])
    }))
})

describe("A session of the program's own version", () => {
  it.effect("has no original beside it, however often it is published", () =>
    Effect.gen(function*() {
      const { as, closed, sessions } = yield* scene
      for (const format of [Migration.current, Migration.current]) {
        yield* as(format)(Effect.gen(function*() {
          const running = yield* Sessions.resume(closed)
          yield* running.checkpoint
          yield* Sessions.close(closed)
        }))
      }
      assert.isFalse(NodeFs.readdirSync(`${sessions}/${closed}`).some((name) => name.startsWith("original")))
    }))
})
