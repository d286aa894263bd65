import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Predicate, Redacted, Result, Stream } from "effect"
import { type Session, type SessionId, Sessions, SessionStore, Signer } from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Journal from "../../src/core/Journal.ts"
import * as Snapshot from "../../src/core/Snapshot.ts"
import * as Documents from "../core/documents.ts"
import * as Rig from "../suites/rig.ts"
import * as Stack from "../suites/stack.ts"

const describeError = (error: { readonly _tag: string; readonly reason?: { readonly _tag: string } }): string =>
  error.reason === undefined ? error._tag : `${error._tag} ${error.reason._tag}`

const secret = (byte: number, length = 32) => Redacted.make(new Uint8Array(length).fill(byte))

const keys = (byte: number, id: string) => Signer.layer({ keys: [{ id, secret: secret(byte) }] })

/** A workspace with one closed session in it, and a second store to bring it to. */
const scene = Effect.gen(function*() {
  const workspace = yield* Rig.workspace
  const { project, root, sessions } = workspace
  const id = yield* Stack.run(
    Effect.gen(function*() {
      const session = yield* Sessions.create({
        project,
        name: "travels",
        config: { ...Rig.config, further: [null] },
        metadata: { a: { b: 1 } }
      })
      yield* session.append({ role: "user", content: "hello 👋" })
      yield* session.append({
        role: "assistant",
        content: [{ type: "text", text: "hi" }],
        usage: { inputTokens: 1, outputTokens: 2, totalCost: 0.5 }
      })
      yield* session.replaceTodos([{ content: "c", status: "pending", activeForm: "f" }])
      yield* session.recordPrompt("hello")
      yield* Sessions.close(session.id)
      return session.id
    }),
    { sessions }
  )
  return { ...workspace, id, file: `${root}/session.reprise.json`, elsewhere: `${root}/elsewhere` }
})

const load = (id: SessionId.SessionId) => Effect.map(Sessions.load(id), ({ state }) => state)

/** The text of a file with its JSON changed in one place. */
const tampered = (file: string, from: string | RegExp, to: string) => {
  const before = NodeFs.readFileSync(file, "utf8")
  const after = before.replace(from, to)
  assert.notStrictEqual(after, before)
  return after
}

describe("A session that is exported and imported elsewhere", () => {
  it.effect("is the same there, closed at the same time", () =>
    Effect.gen(function*() {
      const { elsewhere, file, id, sessions } = yield* scene
      const there = { sessions: `${elsewhere}/sessions` }
      const before = yield* Stack.run(Sessions.load(id), { sessions })
      const exported = yield* Stack.run(Sessions.exportTo(id, file), { sessions })
      const report = yield* Stack.run(Sessions.importFile(file), there)
      const after = yield* Stack.run(Sessions.load(id), there)
      assert.deepStrictEqual(after.state, before.state)
      assert.deepStrictEqual(after.report.closedAt, before.report.closedAt)
      assert.deepInclude(exported, {
        file,
        bytes: NodeFs.statSync(file).size,
        projectPath: before.state.session.projectPath
      })
      assert.deepInclude(report, {
        id,
        from: "reprise",
        version: 2,
        isVerified: true,
        messages: 2,
        todos: 1,
        prompts: 1,
        projectExists: true,
        changes: []
      })
    }))

  it.effect("changes nothing where it comes from, and can't be imported there again but as a copy", () =>
    Effect.gen(function*() {
      const { file, id, sessions } = yield* scene
      const before = Stack.everything(sessions)
      yield* Stack.run(Sessions.exportTo(id, file), { sessions })
      assert.deepStrictEqual(Stack.everything(sessions), before)
      const error = yield* Stack.run(Effect.flip(Sessions.importFile(file)), { sessions })
      assert.strictEqual(describeError(error), "CreateFailed AlreadyStored")
      assert.deepStrictEqual(Stack.everything(sessions), before)
      const { copy, original, report } = yield* Stack.run(
        Effect.gen(function*() {
          const report = yield* Sessions.importFile(file, { copy: true })
          return { report, copy: yield* load(report.id), original: yield* load(id) }
        }),
        { sessions }
      )
      assert.deepStrictEqual(report.changes, [{ path: "id", change: "replaced by a new one" }])
      assert.deepStrictEqual(copy, { ...original, session: { ...original.session, id: report.id } })
    }))

  it.effect.prop(
    "is the same whatever it holds",
    [Documents.states],
    Effect.fnUntraced(function*([generated]) {
      const { root, sessions } = yield* Rig.workspace
      const { session } = generated
      const state: Session.SessionState = { ...generated, session: { ...session, projectPath: root } }
      const { id } = session
      const options = { limits: { maxBytes: 64 * 1024 * 1024 } }
      const file = `${root}/file`
      yield* Stack.run(
        Effect.gen(function*() {
          const store = yield* SessionStore.SessionStore
          const ring = yield* Signer.Signer
          const messages = state.conversation.map(Snapshot.encodeMessage)
          const snapshot = yield* Signer.signed(Snapshot.encode(ring, state, messages, { epoch: 1 }))
          const { firstLine } = yield* Signer.signed(
            Journal.writer(ring, {
              id,
              epoch: 1,
              part: 0,
              snapshot: snapshot.signature,
              revision: state.revision,
              version: 2
            })
          )
          yield* Effect.scoped(Effect.flatMap(store.create(id, snapshot.bytes, firstLine), ({ release }) => release))
          yield* Sessions.exportTo(id, file, { root })
        }),
        { ...options, sessions }
      )
      const after = yield* Stack.run(Effect.andThen(Sessions.importFile(file, { root }), load(id)), {
        ...options,
        sessions: `${root}/elsewhere/sessions`
      })
      assert.deepStrictEqual(after, state)
      assert.strictEqual(JSON.stringify(after), JSON.stringify(state))
    }, Effect.scoped),
    { arbitrary: { runs: 40, seed: 4 }, timeout: 60_000 }
  )
})

describe("The project of an export", () => {
  const exported = Effect.fnUntraced(function*(below: string) {
    const workspace = yield* Rig.workspace
    const { root, sessions } = workspace
    const project = `${root}/${below}`
    NodeFs.mkdirSync(project, { recursive: true })
    const id = yield* Stack.run(
      Effect.flatMap(Sessions.create({ project, config: Rig.config }), ({ id }) => Effect.as(Sessions.close(id), id)),
      { sessions }
    )
    const to = (root: string) =>
      Stack.run(Effect.result(Sessions.exportTo(id, `${workspace.root}/out`, { root })), { sessions })
    return { ...workspace, project, id, file: `${root}/out`, to, there: { sessions: `${root}/there/sessions` } }
  })

  const places: ReadonlyArray<readonly [string, string, string]> = [
    ["work", "work", "."],
    ["work/a", "work", "./a"],
    ["work/a/b c/…", "work", "./a/b c/…"],
    ["work/..a/...", "work", "./..a/..."],
    ["work/a", "work/", "./a"],
    ["work/a", "work/a/../", "./a"]
  ]
  for (const [below, from, stored] of places) {
    it.effect(`is ${stored} for ${below} below ${from}, and found below another root`, () =>
      Effect.gen(function*() {
        const { file, root, there, to } = yield* exported(below)
        const report = Result.getOrThrow(yield* to(`${root}/${from}`))
        assert.strictEqual(report.projectPath, stored)
        assert.notInclude(NodeFs.readFileSync(file, "utf8"), root)
        const target = `${root}/other/${stored}`.replace(/\/\.?$/, "").replace("/./", "/")
        NodeFs.mkdirSync(target, { recursive: true })
        const imported = yield* Stack.run(Sessions.importFile(file, { root: `${root}/other` }), there)
        assert.deepInclude(imported, { projectPath: target, projectExists: true })
        assert.deepStrictEqual(imported.changes, [{ path: "projectPath", change: "mapped to this machine" }])
      }))
  }

  it.effect("is relative to a root that is reached through a link", () =>
    Effect.gen(function*() {
      const { root, to } = yield* exported("work/a")
      NodeFs.symlinkSync(`${root}/work`, `${root}/link`)
      assert.strictEqual(Result.getOrThrow(yield* to(`${root}/link`)).projectPath, "./a")
      NodeFs.rmSync(`${root}/out`)
      assert.strictEqual(Result.getOrThrow(yield* to("/")).projectPath, `.${root}/work/a`)
    }))

  it.effect("is refused outside the root, and nothing is written", () =>
    Effect.gen(function*() {
      const { file, root, to } = yield* exported("work/a")
      for (const other of [`${root}/wor`, `${root}/work/a/b`, `${root}/work/b`, `${root}/missing`]) {
        const error = Result.getOrThrow(Result.flip(yield* to(other)))
        assert.strictEqual(describeError(error), "ExportFailed ProjectOutside")
        assert.isFalse(NodeFs.existsSync(file))
      }
    }))

  it.effect("needs root or project where it is relative", () =>
    Effect.gen(function*() {
      const { file, project, root, there, to } = yield* exported("work/a")
      Result.getOrThrow(yield* to(`${root}/work`))
      const error = yield* Stack.run(Effect.flip(Sessions.importFile(file)), there)
      assert.strictEqual(describeError(error), "CreateFailed InvalidSession")
      assert.deepStrictEqual(Stack.everything(there.sessions), [])
      const report = yield* Stack.run(Sessions.importFile(file, { project }), there)
      assert.deepInclude(report, { projectPath: project, projectExists: true })
    }))

  it.effect("comes in where it is missing, and says so; it can be resumed with another one", () =>
    Effect.gen(function*() {
      const { file, id, project, root, there, to } = yield* exported("work/a")
      Result.getOrThrow(yield* to(`${root}/work`))
      const imported = yield* Stack.run(Sessions.importFile(file, { root: `${root}/nowhere` }), there)
      assert.deepInclude(imported, { projectPath: `${root}/nowhere/a`, projectExists: false })
      const { error, moved } = yield* Stack.run(
        Effect.gen(function*() {
          const error = yield* Effect.flip(Sessions.resume(id))
          const running = yield* Sessions.resume(id, { project })
          return { error, moved: (yield* running.state).session.projectPath }
        }),
        there
      )
      assert.strictEqual(describeError(error), "RestoreFailed ProjectMissing")
      assert.strictEqual(moved, project)
    }))

  it.effect("that leads out of its root is refused, though it is signed", () =>
    Effect.gen(function*() {
      const { file, id, root, sessions, there } = yield* exported("work/a")
      NodeFs.mkdirSync(`${root}/base`)
      const state = yield* Stack.run(load(id), { sessions })
      for (const projectPath of ["./..", "./../project", "./a/../../project", "./a/..", "./.."]) {
        const document = yield* Stack.run(
          Effect.flatMap(Signer.Signer, (ring) =>
            Signer.signed(Snapshot.encode(ring, { ...state, session: { ...state.session, projectPath } }, [], {
              epoch: 1,
              purpose: "export"
            }))),
          { sessions }
        )
        NodeFs.writeFileSync(file, document.bytes)
        const error = yield* Stack.run(Effect.flip(Sessions.importFile(file, { root: `${root}/base` })), there)
        assert.strictEqual(describeError(error), "CreateFailed InvalidSession", projectPath)
        assert.deepStrictEqual(Stack.everything(there.sessions), [])
      }
    }))
})

describe("The signature of an export", () => {
  it.effect("is verified with the secret that both sides share", () =>
    Effect.gen(function*() {
      const { elsewhere, file, id, sessions } = yield* scene
      const there = { sessions: `${elsewhere}/sessions`, signer: keys(9, "theirs") }
      yield* Stack.run(Sessions.exportTo(id, file, { secret: secret(1) }), { sessions })
      const refusals: ReadonlyArray<readonly [Sessions.ImportOptions, string]> = [
        [{}, "InvalidJson UnknownKey"],
        [{ secret: secret(2) }, "InvalidJson BadSignature"],
        [{ secret: secret(2), allowUnsigned: true }, "InvalidJson BadSignature"],
        [{ secret: secret(1, 31) }, "StoreError"],
        [{ secret: secret(1, 0), allowUnsigned: true }, "StoreError"]
      ]
      for (const [options, reason] of refusals) {
        assert.strictEqual(
          describeError(yield* Stack.run(Effect.flip(Sessions.importFile(file, options)), there)),
          reason
        )
      }
      assert.deepStrictEqual(Stack.everything(there.sessions), [])
      assert.isTrue((yield* Stack.run(Sessions.importFile(file, { secret: secret(1) }), there)).isVerified)
      assert.isFalse(
        (yield* Stack.run(Sessions.importFile(file, { allowUnsigned: true, copy: true }), there)).isVerified
      )
    }))

  it.effect("is not made with a secret that is too short, and nothing is written", () =>
    Effect.gen(function*() {
      const { file, id, sessions } = yield* scene
      const error = yield* Stack.run(Effect.flip(Sessions.exportTo(id, file, { secret: secret(1, 31) })), { sessions })
      assert.strictEqual(error._tag, "StoreError")
      assert.isFalse(NodeFs.existsSync(file))
    }))

  it.effect("is by a key that the other store does not have: it is named, and comes in with allowUnsigned only", () =>
    Effect.gen(function*() {
      const { elsewhere, file, id, sessions } = yield* scene
      const there = { sessions: `${elsewhere}/sessions`, signer: keys(9, "theirs") }
      yield* Stack.run(Sessions.exportTo(id, file), { sessions })
      const error = yield* Stack.run(Effect.flip(Sessions.importFile(file)), there)
      assert.deepInclude(error, { _tag: "InvalidJson", id: "session.reprise.json" })
      assert.strictEqual(describeError(error), "InvalidJson UnknownKey")
      assert.include(error.message, "test")
      const { report, state } = yield* Stack.run(
        Effect.gen(function*() {
          const report = yield* Sessions.importFile(file, { allowUnsigned: true })
          return { report, state: yield* load(id) }
        }),
        there
      )
      assert.isFalse(report.isVerified)
      assert.lengthOf(state.conversation, 2)
    }))

  it.effect(
    "covers every byte: each one changed is refused, allowed to be unsigned or not",
    () =>
      Effect.gen(function*() {
        const { elsewhere, file, id, sessions } = yield* scene
        const there = { sessions: `${elsewhere}/sessions` }
        yield* Stack.run(Sessions.exportTo(id, file), { sessions })
        const bytes = new Uint8Array(NodeFs.readFileSync(file))
        // A mark of another length where the signature was is a file without one: that is what allowUnsigned is for.
        const covered = Buffer.from(bytes).lastIndexOf(",\"signature\":\"")
        yield* Stack.run(
          Effect.forEach(bytes.keys(), (index) =>
            Effect.gen(function*() {
              NodeFs.writeFileSync(file, Documents.flipped(bytes, index, 1 << (index % 8)))
              const options = index < covered ? { allowUnsigned: true } : {}
              const outcome = yield* Effect.result(Sessions.importFile(file, options))
              assert.isTrue(Result.isFailure(outcome), String(index))
              if (Result.isSuccess(outcome)) return
              assert.include(["InvalidJson", "SchemaVersion"], outcome.failure._tag, String(index))
            })),
          there
        )
        assert.deepStrictEqual(Stack.everything(there.sessions), [])
      }),
    60_000
  )

  it.effect("is missing: it comes in with allowUnsigned only", () =>
    Effect.gen(function*() {
      const { elsewhere, file, id, sessions } = yield* scene
      const there = { sessions: `${elsewhere}/sessions` }
      yield* Stack.run(Sessions.exportTo(id, file), { sessions })
      NodeFs.writeFileSync(file, tampered(file, /,"signature":"[^"]*"\}$/, "}"))
      const error = yield* Stack.run(Effect.flip(Sessions.importFile(file)), there)
      assert.strictEqual(describeError(error), "InvalidJson Unsigned")
      assert.isFalse((yield* Stack.run(Sessions.importFile(file, { allowUnsigned: true }), there)).isVerified)
    }))

  it.effect("is there twice, or under an escaped name too, and refused", () =>
    Effect.gen(function*() {
      const { elsewhere, file, id, sessions } = yield* scene
      yield* Stack.run(Sessions.exportTo(id, file), { sessions })
      for (const extra of ["\"signature\":null,", "\"sign\\u0061ture\":\"x\","]) {
        const text = tampered(file, "\"todos\"", `${extra}"todos"`)
        NodeFs.writeFileSync(`${file}.2`, text)
        const error = yield* Stack.run(Effect.flip(Sessions.importFile(`${file}.2`, { allowUnsigned: true })), {
          sessions: `${elsewhere}/sessions`
        })
        assert.strictEqual(describeError(error), "InvalidJson Shape")
      }
    }))

  it.effect("is not that of a stored session, nor the other way round", () =>
    Effect.gen(function*() {
      const { elsewhere, file, id, sessions } = yield* scene
      const stored = `${sessions}/${id}/session.json`
      const there = { sessions: `${elsewhere}/sessions` }
      for (const options of [{}, { allowUnsigned: true }, { copy: true }]) {
        const error = yield* Stack.run(Effect.flip(Sessions.importFile(stored, options)), there)
        assert.strictEqual(describeError(error), "InvalidJson BadSignature")
      }
      yield* Stack.run(Sessions.exportTo(id, file), { sessions })
      NodeFs.copyFileSync(file, stored)
      const before = Stack.everything(sessions)
      const errors = yield* Stack.run(
        Effect.gen(function*() {
          return [
            yield* Effect.flip(Sessions.load(id)),
            yield* Effect.flip(Sessions.verify(id)),
            yield* Effect.flip(Sessions.resume(id)),
            yield* Effect.flip(Sessions.rename(id, "other")),
            yield* Effect.flip(Sessions.exportTo(id, `${file}.2`))
          ]
        }),
        { sessions }
      )
      for (const error of errors) assert.strictEqual(describeError(error), "InvalidJson BadSignature")
      assert.isFalse(NodeFs.existsSync(`${file}.2`))
      // A refused rename may have held it, and gave it back.
      assert.deepStrictEqual(
        Stack.everything(sessions).filter((line) => !/lease/.test(line)),
        before.filter((line) => !/lease/.test(line))
      )
    }))

  it.effect("is by a key that another process has just added", () =>
    Effect.gen(function*() {
      const { elsewhere, file, id, sessions } = yield* scene
      const old: ReadonlyArray<Parameters<typeof Signer.layer>[0]["keys"][number]> = [{ id: "test", secret: secret(7) }]
      const newer = [{ id: "newer", secret: secret(8) }, ...old]
      yield* Stack.run(Sessions.exportTo(id, file), { sessions, signer: Signer.layer({ keys: newer }) })
      const ring = Layer.effect(
        Signer.Signer,
        Effect.gen(function*() {
          let now = yield* Signer.keyRing(old)
          const next = yield* Signer.keyRing(newer)
          return Signer.Signer.of({
            get current() {
              return now.current
            },
            get ids() {
              return now.ids
            },
            mac: (key) => now.mac(key),
            addKey: Effect.die("not asked for"),
            refresh: Effect.sync(() => {
              const isNew = now !== next
              now = next
              return isNew
            })
          })
        })
      )
      const report = yield* Stack.run(Sessions.importFile(file), { sessions: `${elsewhere}/sessions`, signer: ring })
      assert.isTrue(report.isVerified)
    }))
})

const sessionOf = (file: string): { readonly [member: string]: unknown } => {
  const json: unknown = JSON.parse(NodeFs.readFileSync(file, "utf8"))
  return Predicate.isObject(json) ? { ...json } : {}
}

describe("The file of an export", () => {
  it.effect("can be read by its owner only, and is one JSON document", () =>
    Effect.gen(function*() {
      const { file, id, root, sessions } = yield* scene
      yield* Stack.run(Sessions.exportTo(id, file), { sessions })
      assert.strictEqual(NodeFs.statSync(file).mode & 0o777, 0o600)
      assert.deepInclude(sessionOf(file), { version: 2, id, name: "travels" })
      assert.deepStrictEqual(NodeFs.readdirSync(root).sort(), ["project", "session.reprise.json", "sessions"])
    }))

  it.effect("is not replaced, but with overwrite, and then has mode 0600", () =>
    Effect.gen(function*() {
      const { file, id, root, sessions } = yield* scene
      NodeFs.writeFileSync(file, "somebody's", { mode: 0o644 })
      const error = yield* Stack.run(Effect.flip(Sessions.exportTo(id, file)), { sessions })
      assert.strictEqual(describeError(error), "ExportFailed FileExists")
      assert.strictEqual(NodeFs.readFileSync(file, "utf8"), "somebody's")
      yield* Stack.run(Sessions.exportTo(id, file, { overwrite: true }), { sessions })
      assert.deepInclude(sessionOf(file), { id })
      assert.strictEqual(NodeFs.statSync(file).mode & 0o777, 0o600)
      assert.deepStrictEqual(NodeFs.readdirSync(root).sort(), ["project", "session.reprise.json", "sessions"])
    }))

  it.effect("replaces a link and not what it leads to", () =>
    Effect.gen(function*() {
      const { file, id, root, sessions } = yield* scene
      NodeFs.writeFileSync(`${root}/target`, "somebody's")
      for (const target of ["target", "nothing"]) {
        NodeFs.symlinkSync(`${root}/${target}`, file)
        const error = yield* Stack.run(Effect.flip(Sessions.exportTo(id, file)), { sessions })
        assert.strictEqual(describeError(error), "ExportFailed FileExists", target)
        yield* Stack.run(Sessions.exportTo(id, file, { overwrite: true }), { sessions })
        assert.isTrue(NodeFs.lstatSync(file).isFile(), target)
        NodeFs.rmSync(file)
      }
      assert.strictEqual(NodeFs.readFileSync(`${root}/target`, "utf8"), "somebody's")
      assert.isFalse(NodeFs.existsSync(`${root}/nothing`))
    }))

  it.effect("can be overwritten also where an export that was killed left something beside it", () =>
    Effect.gen(function*() {
      const { file, id, sessions } = yield* scene
      NodeFs.writeFileSync(`${file}.part`, "half")
      yield* Stack.run(Sessions.exportTo(id, file, { overwrite: true }), { sessions })
      assert.deepInclude(sessionOf(file), { id })
    }))

  it.effect("is none where there can be none, and the error is typed", () =>
    Effect.gen(function*() {
      const { file, id, project, root, sessions } = yield* scene
      NodeFs.writeFileSync(`${project}/x`, "")
      const attempts: ReadonlyArray<readonly [string, boolean, string]> = [
        [`${root}/missing/file`, false, "StoreError"],
        [`${root}/missing/file`, true, "StoreError"],
        [project, false, "ExportFailed FileExists"],
        [project, true, "StoreError"],
        [`${project}/x/y`, false, "StoreError"],
        [`/${"x".repeat(5000)}`, false, "StoreError"],
        [`${file}\0`, true, "StoreError"]
      ]
      const before = Stack.everything(root)
      for (const [target, overwrite, reason] of attempts) {
        const error = yield* Stack.run(Effect.flip(Sessions.exportTo(id, target, { overwrite })), { sessions })
        assert.strictEqual(describeError(error), reason, target.slice(0, 60))
      }
      assert.deepStrictEqual(Stack.everything(root), before)
    }))

  for (const overwrite of [false, true]) {
    for (const isThere of [false, true]) {
      it.effect(
        `is whole or as it was whichever call fails, ${overwrite ? "with" : "without"} overwrite, ` +
          `where ${isThere ? "somebody's file" : "nothing"} was`,
        () =>
          Effect.gen(function*() {
            const { id, root, sessions } = yield* scene
            const attempt = Effect.fnUntraced(function*(number: number) {
              const directory = `${root}/${number}`
              NodeFs.mkdirSync(directory)
              const file = `${directory}/out`
              if (isThere) NodeFs.writeFileSync(file, "somebody's")
              const { counter, hook } = FileSystemHooks.failAt([number])
              const outcome = yield* Stack.run(Effect.result(Sessions.exportTo(id, file, { overwrite })), {
                sessions,
                hook
              })
              const call = `${number}: ${counter.failed.map(({ method, path }) => `${method} ${path}`).join()}`
              const names = NodeFs.readdirSync(directory)
              if (Result.isSuccess(outcome)) {
                assert.deepStrictEqual(names, ["out"], call)
                assert.deepInclude(sessionOf(file), { id }, call)
              } else {
                assert.include(["StoreError", "ExportFailed", "InvalidJson"], outcome.failure._tag, call)
                const content = names.map((name) => NodeFs.readFileSync(`${directory}/${name}`, "utf8"))
                const before = isThere ? ["somebody's"] : []
                // What replaces a file can't be undone when only the sync of its directory fails.
                const isWhole = overwrite && names.join() === "out" && content[0]?.startsWith("{\"version\"") === true
                if (isWhole) assert.deepInclude(sessionOf(file), { id }, call)
                else assert.deepStrictEqual(content, before, call)
              }
              return counter.seen
            })
            const calls = yield* attempt(1000)
            assert.isAbove(calls, 5)
            for (let number = 0; number < calls; number++) yield* attempt(number)
          }),
        60_000
      )
    }
  }

  it.effect("is whole or none when the export is interrupted at any call", () =>
    Effect.gen(function*() {
      const { id, root, sessions } = yield* scene
      const attempt = Effect.fnUntraced(function*(number: number) {
        const directory = `${root}/${number}`
        NodeFs.mkdirSync(directory)
        let seen = 0
        let interrupt = () => {}
        const hook: FileSystemHooks.Hook = () => (run) =>
          Effect.suspend(() => {
            if (seen++ === number) interrupt()
            return run
          })
        const fiber = yield* Effect.forkChild(
          Stack.run(Sessions.exportTo(id, `${directory}/out`), { sessions, hook }),
          { startImmediately: false }
        )
        interrupt = () => fiber.interruptUnsafe()
        yield* Fiber.await(fiber)
        const names = NodeFs.readdirSync(directory)
        assert.includeDeepMembers([[], ["out"]], [names], String(number))
        if (names.length > 0) assert.deepInclude(sessionOf(`${directory}/out`), { id })
        return seen
      })
      const calls = yield* attempt(1000)
      for (let number = 0; number < calls; number++) yield* attempt(number)
    }), 60_000)
})

describe("An export", () => {
  it.effect("of a running session has what was acknowledged until then, from any process, and no time of closing", () =>
    Effect.gen(function*() {
      const { elsewhere, file, id, sessions } = yield* scene
      const machine = TestLiveness.machine()
      yield* Stack.run(
        Effect.gen(function*() {
          const running = yield* Sessions.resume(id)
          yield* running.append({ role: "user", content: "acknowledged" })
          yield* Sessions.exportTo(id, file)
          yield* Stack.run(Sessions.exportTo(id, `${file}.2`), { sessions, liveness: machine.process().layer })
          const state = yield* running.state
          for (const [index, name] of [file, `${file}.2`].entries()) {
            assert.isFalse("closedAt" in sessionOf(name), "closedAt")
            const there = { sessions: `${elsewhere}/${index}` }
            assert.deepStrictEqual(yield* Stack.run(Effect.andThen(Sessions.importFile(name), load(id)), there), state)
          }
          // It runs on.
          yield* running.append({ role: "user", content: "after" })
        }),
        { sessions, liveness: machine.process().layer }
      )
    }))

  it.effect("of a session in the trash is the session", () =>
    Effect.gen(function*() {
      const { elsewhere, file, id, sessions } = yield* scene
      const state = yield* Stack.run(load(id), { sessions })
      yield* Stack.run(Effect.andThen(Sessions.remove(id), Sessions.exportTo(id, file)), { sessions })
      const there = { sessions: `${elsewhere}/sessions` }
      assert.deepStrictEqual(yield* Stack.run(Effect.andThen(Sessions.importFile(file), load(id)), there), state)
    }))

  it.effect("of a session that is not stored, or broken, writes nothing", () =>
    Effect.gen(function*() {
      const { file, id, sessions } = yield* scene
      const missing = yield* Stack.run(Effect.flip(Sessions.exportTo(Documents.otherId, file)), { sessions })
      assert.strictEqual(missing._tag, "NotFound")
      NodeFs.writeFileSync(`${sessions}/${id}/session.json`, "{}")
      const broken = yield* Stack.run(Effect.flip(Sessions.exportTo(id, file)), { sessions })
      assert.strictEqual(describeError(broken), "InvalidJson Unsigned")
      assert.isFalse(NodeFs.existsSync(file))
    }))

  it.effect("is not made of what a former version of itself would be: it is listed nowhere", () =>
    Effect.gen(function*() {
      const { id, sessions } = yield* scene
      yield* Stack.run(Sessions.exportTo(id, `${sessions}/${Documents.otherId}.json`), { sessions })
      const names = yield* Stack.run(
        Effect.map(Stream.runCollect(Sessions.list()), (entries) => entries.map(({ _tag }) => _tag)),
        { sessions }
      )
      assert.sameMembers(names, ["Stored", "Foreign"])
      const error = yield* Stack.run(Effect.flip(Sessions.load(Documents.otherId)), { sessions })
      assert.strictEqual(error._tag, "NotFound")
    }))
})

describe("An export of one session", () => {
  it.effect("does not pass for another one's: its id is signed", () =>
    Effect.gen(function*() {
      const { elsewhere, file, id, sessions } = yield* scene
      yield* Stack.run(Sessions.exportTo(id, file), { sessions })
      NodeFs.writeFileSync(file, tampered(file, id, Documents.otherId))
      for (const options of [{}, { allowUnsigned: true }, { copy: true }]) {
        const error = yield* Stack.run(Effect.flip(Sessions.importFile(file, options)), { sessions: `${elsewhere}/s` })
        assert.strictEqual(describeError(error), "InvalidJson BadSignature")
      }
    }))
})
