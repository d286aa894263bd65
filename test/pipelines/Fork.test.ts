import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Logger, Option, Stream } from "effect"
import { type Session, SessionId, SessionList, Sessions, Supervisor } from "effect-reprise"
import { SessionChat } from "effect-reprise/ai"
import { FileSystemHooks, TestLiveness, TestSessions } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Model from "../ai/model.ts"
import * as Rules from "../ai/rules.ts"
import * as Rig from "../suites/rig.ts"
import * as SqlStack from "../suites/sql-stack.ts"
import * as Stack from "../suites/stack.ts"

const describeError = (error: { readonly _tag: string; readonly reason?: { readonly _tag: string } }): string =>
  error.reason === undefined ? error._tag : `${error._tag} ${error.reason._tag}`

const usage: Session.Usage = { inputTokens: 10, outputTokens: 2, totalCost: 0.5 }

const conversation: ReadonlyArray<Session.MessageInput> = [
  { id: "m1", role: "user", content: "go" },
  {
    id: "m2",
    role: "assistant",
    content: [{ type: "tool-call", id: "t1", name: "read", params: { path: "a" } }],
    usage
  },
  { id: "m3", role: "tool", content: [{ type: "tool-result", id: "t1", name: "read", isFailure: false, result: 1 }] },
  { id: "m4", role: "assistant", content: "done", usage },
  { id: "m5", role: "user", content: "again" }
]

/** Creates a session with something of everything in it, and leaves it running. */
const begin = Effect.fnUntraced(function*(project: string) {
  const session = yield* Sessions.create({
    project,
    name: "travels",
    config: { ...Rig.config, further: [null] },
    metadata: { a: { b: 1 } }
  })
  yield* Effect.forEach(conversation, session.append, { discard: true })
  yield* session.replaceTodos([{ content: "c", status: "pending", activeForm: "f" }])
  yield* session.recordPrompt("go")
  return session
})

const closed = Effect.fnUntraced(function*(project: string) {
  const { id } = yield* begin(project)
  yield* Sessions.close(id)
  return id
})

const stateOf = (id: SessionId.SessionId) => Effect.map(Sessions.load(id), ({ state }) => state)

const entries = Stream.runCollect(Sessions.list())

/** A workspace with one closed session in it. */
const scene = Effect.gen(function*() {
  const workspace = yield* Rig.workspace
  const id = yield* Stack.run(closed(workspace.project), workspace)
  return {
    ...workspace,
    id,
    run: <A, E>(program: Effect.Effect<A, E, Stack.Services>) => Stack.run(program, workspace)
  }
})

/** What is stored of one session, to the byte. */
const filesOf = (sessions: string, id: SessionId.SessionId) => Stack.everything(`${sessions}/${id}`)

const ids = (state: Session.SessionState) => state.conversation.map(({ id }) => id)

describe("A fork", () => {
  it.effect("has everything of its parent, under an id and a name of its own, closed, and tells its lineage", () =>
    Effect.gen(function*() {
      const { id, project, run, sessions } = yield* scene
      const before = filesOf(sessions, id)
      yield* run(Effect.gen(function*() {
        const report = yield* Sessions.fork(id)
        const parent = { id, revision: 7, messages: 5 }
        assert.deepStrictEqual(report, {
          id: report.id,
          name: "Fork of travels",
          projectPath: project,
          parent,
          beyond: 0,
          leftOut: 0,
          todosLeftOut: 0,
          openCalls: 0
        })
        const [from, state] = [yield* stateOf(id), yield* stateOf(report.id)]
        const { createdAt, updatedAt } = state.session
        assert.deepStrictEqual(state, {
          ...from,
          session: { ...from.session, id: report.id, name: "Fork of travels", createdAt, updatedAt, parent },
          revision: 0
        })
        const entry = (yield* entries).filter(SessionList.isStored).find((entry) => entry.id === report.id)
        assert.deepInclude(entry, { status: "closed", messages: 5, parent, closedAt: updatedAt })
      }))
      assert.deepStrictEqual(filesOf(sessions, id), before)
    }))

  it.effect("at each message has the messages up to it, or up to the answers of its calls, and their usage", () =>
    Effect.gen(function*() {
      const { id, run } = yield* scene
      yield* run(Effect.gen(function*() {
        const from = yield* stateOf(id)
        const all = ids(from)
        for (const [index, taken] of [1, 3, 3, 4, 5].entries()) {
          for (const at of [index + 1, `m${index + 1}`]) {
            const report = yield* Sessions.fork(id, { at, name: "n" })
            assert.deepInclude(report, { beyond: taken - index - 1, leftOut: 5 - taken, openCalls: 0 })
            const state = yield* stateOf(report.id)
            assert.deepStrictEqual(state.conversation, from.conversation.slice(0, taken))
            assert.deepStrictEqual(state.todos, taken === 5 ? from.todos : [])
            assert.strictEqual(report.todosLeftOut, taken === 5 ? 0 : 1)
            assert.deepStrictEqual(state.promptHistory, ["go"])
            const used = [0, 0, 0, 1, 2, 2][taken] ?? 0
            assert.deepStrictEqual(state.usage, { inputTokens: 10 * used, outputTokens: 2 * used, totalCost: used / 2 })
          }
        }
        assert.deepStrictEqual(ids(yield* stateOf(id)), all)
      }))
    }))

  it.effect("goes on by itself, and its parent too", () =>
    Effect.gen(function*() {
      const { id, run } = yield* scene
      yield* run(Effect.gen(function*() {
        const { id: fork } = yield* Sessions.fork(id, { at: 4 })
        for (const [which, word] of [[fork, "left"], [id, "right"]] as const) {
          const session = yield* Sessions.resume(which)
          yield* session.append({ id: word, role: "user", content: word })
          yield* Sessions.close(which)
        }
        assert.deepStrictEqual(ids(yield* stateOf(fork)), ["m1", "m2", "m3", "m4", "left"])
        assert.deepStrictEqual(ids(yield* stateOf(id)), ["m1", "m2", "m3", "m4", "m5", "right"])
        assert.deepStrictEqual((yield* stateOf(fork)).session.parent, { id, revision: 7, messages: 4 })
        const again = yield* Sessions.fork(fork)
        assert.deepStrictEqual(again.parent, { id: fork, revision: 1, messages: 5 })
      }))
    }))

  it.effect("keeps its lineage through a crash, a new name, a takeover of its project, and when its parent is gone", () =>
    Effect.gen(function*() {
      const { id, root, run } = yield* scene
      const parent = { id, revision: 7, messages: 3 }
      yield* run(Effect.gen(function*() {
        const fork = yield* Sessions.fork(id, { at: 3 })
        NodeFs.mkdirSync(`${root}/moved`)
        const session = yield* Sessions.resume(fork.id, { project: `${root}/moved` })
        yield* session.append({ role: "user", content: "half said" })
        assert.deepStrictEqual((yield* session.state).session.parent, parent)
        yield* Supervisor.Supervisor.use(({ discard }) => discard(fork.id))
        yield* Sessions.rename(fork.id, "renamed")
        yield* Sessions.remove(id)
        yield* Sessions.purge(id)
        const { session: found } = yield* stateOf(fork.id)
        assert.deepStrictEqual([found.parent, found.name, found.projectPath], [parent, "renamed", `${root}/moved`])
        const [entry] = yield* entries
        assert.deepInclude(entry, { parent, status: "interrupted" })
      }))
    }))

  it.effect("keeps its lineage when it is exported and imported", () =>
    Effect.gen(function*() {
      const { id, root, run } = yield* scene
      yield* run(Effect.gen(function*() {
        const fork = yield* Sessions.fork(id)
        yield* Sessions.exportTo(fork.id, `${root}/fork.json`)
        const { id: copy } = yield* Sessions.importFile(`${root}/fork.json`, { copy: true })
        assert.deepStrictEqual((yield* stateOf(copy)).session.parent, { id, revision: 7, messages: 5 })
      }))
    }))

  it.effect("takes the name and the project that it is given", () =>
    Effect.gen(function*() {
      const { id, root, run } = yield* scene
      NodeFs.mkdirSync(`${root}/there`)
      NodeFs.symlinkSync(`${root}/there`, `${root}/link`)
      yield* run(Effect.gen(function*() {
        const { id: fork } = yield* Sessions.fork(id, { name: "mine", project: `${root}/link` })
        const { name, projectPath } = (yield* stateOf(fork)).session
        assert.deepStrictEqual([name, projectPath], ["mine", `${root}/there`])
      }))
    }))

  it.effect("of a session that runs here is of what it acknowledged, and both may run", () =>
    Effect.gen(function*() {
      const { id, root, run, sessions } = yield* scene
      NodeFs.mkdirSync(`${root}/other`)
      yield* run(Effect.gen(function*() {
        const session = yield* Sessions.resume(id)
        yield* session.append({ id: "m6", role: "user", content: "more" })
        const before = filesOf(sessions, id)
        const fork = yield* Sessions.fork(id)
        assert.deepStrictEqual(filesOf(sessions, id), before)
        assert.deepStrictEqual(fork.parent, { id, revision: 8, messages: 6 })
        const error = yield* Effect.flip(Sessions.resume(fork.id))
        assert.strictEqual(describeError(error), "RestoreFailed ProjectAlreadyOpen")
        const child = yield* Sessions.resume(fork.id, { project: `${root}/other` })
        assert.deepStrictEqual((yield* child.state).conversation, (yield* session.state).conversation)
        yield* session.append({ id: "m7", role: "user", content: "on it goes" })
        assert.lengthOf((yield* child.state).conversation, 6)
      }))
    }))

  it.effect("of a session that another process runs, or left behind, is of what that acknowledged", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const machine = TestLiveness.machine()
      const [one, two] = [machine.process(), machine.process()]
      yield* Stack.run(
        Effect.gen(function*() {
          const { id } = yield* begin(project)
          const forked = Stack.run(
            Effect.gen(function*() {
              const before = filesOf(sessions, id)
              const fork = yield* Sessions.fork(id, { at: "m2" })
              assert.deepStrictEqual(filesOf(sessions, id), before)
              assert.deepStrictEqual(ids(yield* stateOf(fork.id)), ["m1", "m2", "m3"])
              return (yield* Sessions.load(id)).report.status
            }),
            { sessions, liveness: two.layer }
          )
          assert.strictEqual(yield* forked, "running")
          machine.kill(one.pid)
          assert.strictEqual(yield* forked, "interrupted")
        }),
        { sessions, liveness: one.layer }
      )
    }))

  it.effect("in the middle of a tool call is one that providers take, as it is", () =>
    Effect.gen(function*() {
      const { id, run } = yield* scene
      yield* run(Effect.gen(function*() {
        for (const at of [1, 2, 3, 4, 5]) {
          const { id: fork } = yield* Sessions.fork(id, { at })
          const session = yield* Sessions.resume(fork)
          const chat = yield* SessionChat.make(session)
          assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [])
          yield* Effect.provide(
            chat.generateText({ prompt: "and now?" }),
            Model.layer(Model.inTurn([Model.text("done")]))
          )
          assert.deepStrictEqual(chat.repaired, [])
          yield* Sessions.close(fork)
        }
      }))
    }))

  it.effect("of a session that waits for a tool says so, and is answered as after a crash", () =>
    Effect.gen(function*() {
      const { project, run } = yield* scene
      yield* run(
        Effect.gen(function*() {
          const { append, id } = yield* Sessions.create({ project, config: Rig.config })
          yield* append({ role: "user", content: "go" })
          yield* append({
            role: "assistant",
            content: [{ type: "tool-call", id: "t", name: "read", params: {} }]
          })
          const { id: fork, openCalls } = yield* Sessions.fork(id, { at: 2 })
          assert.strictEqual(openCalls, 1)
          yield* Sessions.close(id)
          const chat = yield* SessionChat.make(yield* Sessions.resume(fork))
          yield* Effect.provide(chat.generateText({ prompt: "?" }), Model.layer(Model.inTurn([Model.text("done")])))
          assert.deepStrictEqual(chat.repaired.map(({ how, id }) => [id, how]), [["t", "interrupted"]])
          assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [])
        }).pipe(Effect.provide(Logger.layer([])))
      )
    }))
})

describe("A fork that can't be", () => {
  const refused = Effect.fnUntraced(function*(
    options: Sessions.ForkOptions,
    of?: SessionId.SessionId,
    stack: Omit<Stack.Options, "sessions"> = {}
  ) {
    const { id, sessions } = yield* scene
    const before = Stack.everything(sessions)
    const error = yield* Stack.run(Effect.flip(Sessions.fork(of ?? id, options)), { sessions, ...stack })
    assert.deepStrictEqual(Stack.everything(sessions), before)
    return error
  })

  it.effect("behind a message that is not there says how to find one", () =>
    Effect.gen(function*() {
      for (const at of ["m9", 0, 6, 1.5, Number.NaN]) {
        const error = yield* refused({ at })
        assert.strictEqual(describeError(error), "CreateFailed MessageUnknown")
        assert.include(error.message, `no message ${at} among its 5. Pass a number from 1 on`)
      }
    }))

  it.effect("in a project that is not there, or not allowed, or under no name, is refused as a new one would be", () =>
    Effect.gen(function*() {
      assert.strictEqual(describeError(yield* refused({ project: "/nowhere" })), "CreateFailed ProjectMissing")
      assert.strictEqual(describeError(yield* refused({ project: "." })), "CreateFailed InvalidSession")
      const outside = yield* refused({}, undefined, { allowedRoots: ["/nowhere"] })
      assert.strictEqual(describeError(outside), "CreateFailed ProjectOutside")
      assert.strictEqual(describeError(yield* refused({ name: "" })), "CreateFailed InvalidSession")
      assert.include((yield* refused({ name: "x".repeat(51) })).message, "name is not a name of 1 to 50 characters")
    }))

  it.effect("of a session that is not there, can't be believed or is in the trash changes nothing", () =>
    Effect.gen(function*() {
      const missing = SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
      assert.strictEqual(describeError(yield* refused({}, missing)), "NotFound")
      const { id, run, sessions } = yield* scene
      const file = `${sessions}/${id}/session.json`
      const text = NodeFs.readFileSync(file, "utf8")
      NodeFs.writeFileSync(file, text.replace("\"done\"", "\"gone\""))
      assert.strictEqual(describeError(yield* run(Effect.flip(Sessions.fork(id)))), "InvalidJson BadSignature")
      NodeFs.writeFileSync(file, text)
      const error = yield* run(Effect.andThen(Sessions.remove(id), Effect.flip(Sessions.fork(id))))
      assert.strictEqual(
        error.message,
        `No stored session ${id} outside the trash. List what is stored with Sessions.list.`
      )
      assert.deepStrictEqual(NodeFs.readdirSync(sessions), [id])
    }))

  it.effect("is one too many, or too large, where a new session would be", () =>
    Effect.gen(function*() {
      const full = yield* refused({}, undefined, { limits: { maxStored: 1 } })
      assert.strictEqual(describeError(full), "CreateFailed TooManyStored")
      const { id, project, run, sessions } = yield* scene
      const size = NodeFs.statSync(`${sessions}/${id}/session.json`).size
      const error = yield* Stack.run(
        Effect.flip(Sessions.fork(id, { name: "n".repeat(50), project })),
        { sessions, limits: { maxBytes: size + 100 } }
      )
      assert.strictEqual(describeError(error), "CreateFailed InvalidSession")
      assert.lengthOf(yield* run(entries), 1)
    }))

  it.effect("makes room for itself as a new session does, but never of its parent", () =>
    Effect.gen(function*() {
      const { id, project, run, sessions } = yield* scene
      const limits = { maxStored: 2, whenFull: "removeOldest" } as const
      const other = yield* run(closed(project))
      const fork = yield* Stack.run(Sessions.fork(id), { sessions, limits })
      assert.sameMembers((yield* run(entries)).map(({ name }) => name), ["travels", "Fork of travels"])
      assert.strictEqual((yield* run(Sessions.load(other))).report.status, "removed")
      yield* run(Sessions.remove(fork.id))
      const error = yield* Stack.run(Effect.flip(Sessions.fork(id)), { sessions, limits: { ...limits, maxStored: 1 } })
      assert.strictEqual(describeError(error), "CreateFailed TooManyStored")
    }).pipe(Effect.provide(Logger.layer([]))))
})

/** A stored session, and a way to disturb a fork of a copy of it and see what is left. */
const trials = Effect.gen(function*() {
  const { id, root, sessions: prepared } = yield* scene
  let trial = 0
  return Effect.fnUntraced(function*(
    hook: FileSystemHooks.Hook,
    run: <A, E>(fork: Effect.Effect<A, E>) => Effect.Effect<Exit.Exit<A, E>>
  ) {
    const sessions = `${root}/trial${trial++}`
    NodeFs.cpSync(prepared, sessions, { recursive: true })
    const before = filesOf(sessions, id)
    const exit = yield* run(Stack.run(Sessions.fork(id, { at: 3 }), { sessions, hook }))
    assert.deepStrictEqual(filesOf(sessions, id), before)
    const names = NodeFs.readdirSync(sessions).filter((name) => name !== id)
    if (Exit.isSuccess(exit)) {
      const { report, state } = yield* Stack.run(Sessions.load(exit.value.id), { sessions })
      assert.deepStrictEqual([report.status, ids(state)], ["closed", ["m1", "m2", "m3"]])
      assert.deepStrictEqual(names, [exit.value.id])
    }
    return { exit, names }
  })
})

describe("A fork that does not come to its end", () => {
  it.effect(
    "because any call to the file system fails leaves nothing, and its parent as it was",
    () =>
      Effect.gen(function*() {
        const disturbed = yield* trials
        const attempt = (number: number) => {
          const { counter, hook } = FileSystemHooks.failAt([number])
          return Effect.map(disturbed(hook, Effect.exit), (found) => ({ ...found, counter }))
        }
        const { counter: { seen } } = yield* attempt(Number.POSITIVE_INFINITY)
        assert.isAbove(seen, 30)
        let failed = 0
        for (let number = 0; number < seen; number++) {
          const { counter, exit, names } = yield* attempt(number)
          const call = `${number}: ${counter.failed.map(({ method, path }) => `${method} ${path}`).join()}`
          if (Exit.isSuccess(exit)) continue
          failed++
          const error = Option.getOrThrow(Cause.findErrorOption(exit.cause))
          assert.include(["StoreError", "CreateFailed"], error._tag, call)
          assert.deepStrictEqual(names, [], call)
        }
        assert.isAbove(failed, 15)
      }).pipe(Effect.provide(Logger.layer([]))),
    60_000
  )

  it.effect(
    "because it is interrupted at any call leaves nothing, and its parent as it was",
    () =>
      Effect.gen(function*() {
        const disturbed = yield* trials
        const attempt = Effect.fnUntraced(function*(number: number) {
          let seen = 0
          let interrupt = () => {}
          const hook: FileSystemHooks.Hook = () => (run) =>
            Effect.suspend(() => {
              if (seen++ === number) interrupt()
              return run
            })
          const found = yield* disturbed(hook, (fork) =>
            Effect.gen(function*() {
              const fiber = yield* Effect.forkChild(fork, { startImmediately: false })
              interrupt = () => fiber.interruptUnsafe()
              return yield* Fiber.await(fiber)
            }))
          return { ...found, seen }
        })
        const { seen } = yield* attempt(Number.POSITIVE_INFINITY)
        let interrupted = 0
        for (let number = 0; number < seen; number++) {
          const { exit, names } = yield* attempt(number)
          if (Exit.isSuccess(exit)) continue
          interrupted++
          assert.isTrue(Cause.hasInterruptsOnly(exit.cause), String(number))
          assert.deepStrictEqual(names, [], String(number))
        }
        assert.isAbove(interrupted, seen / 2)
      }).pipe(Effect.provide(Logger.layer([]))),
    60_000
  )
})

describe("A fork in", () => {
  /** Forks a session and lists both. */
  const lineage = Effect.gen(function*() {
    const id = yield* closed("/project")
    const fork = yield* Sessions.fork(id, { at: "m2" })
    const parents = (yield* entries).filter(SessionList.isStored).map((entry) => [entry.id, entry.parent] as const)
    assert.sameDeepMembers(parents, [[fork.id, { id, revision: 7, messages: 3 }], [id, undefined]])
    assert.deepStrictEqual(ids(yield* stateOf(fork.id)), ["m1", "m2", "m3"])
  })

  it.effect("memory is listed with its lineage", () =>
    Effect.provide(lineage, TestSessions.layerMemory, { local: true }))

  for (const { name, place } of SqlStack.kinds) {
    it.live(`${name} is listed with its lineage`, () =>
      Effect.flatMap(place, (client) => SqlStack.run(lineage, { client })).pipe(Effect.provide(Logger.layer([]))))
  }
})
