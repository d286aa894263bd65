/** What an encrypted store leaves on the disk, and what it makes of other keys. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { type SessionError, type SessionId, SessionList, Sessions, type SessionStore, Supervisor } from "effect-reprise"
import { FileSystemHooks } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Encrypted from "../suites/encryption.ts"
import * as Rig from "../suites/rig.ts"
import * as Stack from "../suites/stack.ts"

interface Place extends SessionStore.EncryptedOptions {
  readonly sessions: string
  readonly keys?: ReadonlyArray<Encrypted.Key>
  readonly hook?: FileSystemHooks.Hook
}

/** Runs operations as one process over an encrypted store. */
const run = <A, E>(program: Effect.Effect<A, E, Rig.Services>, { hook, sessions, ...options }: Place) =>
  program.pipe(
    Effect.provide(Encrypted.layerFiles(sessions, options), { local: true }),
    Effect.provide(Rig.layer({ sessions, ...(hook === undefined ? {} : { hook }) }), { local: true })
  )

const runPlain = <A, E>(program: Effect.Effect<A, E, Rig.Services>, sessions: string) =>
  Effect.provide(program, Rig.layer({ sessions }), { local: true })

const a = Encrypted.key("a", 1)
const b = Encrypted.key("b", 2)

const createClosed = Effect.fnUntraced(function*(project: string, ...messages: ReadonlyArray<string>) {
  const { append, id } = yield* Sessions.create({ project, name: "quiet name", config: Rig.config })
  yield* Effect.forEach(messages, (content) => append({ role: "user", content }))
  yield* Sessions.close(id)
  return id
})

const messagesOf = (id: SessionId.SessionId) =>
  Effect.map(Sessions.load(id), ({ state }) => state.conversation.map(({ content }) => content))

const entries = Stream.runCollect(Sessions.list())

const nameOf = (error: SessionError.SessionError): string =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

/** What all operations that read come to. */
const failures = (id: SessionId.SessionId) =>
  Effect.all([
    Effect.map(Effect.flip(Sessions.load(id)), nameOf),
    Effect.map(Effect.flip(Sessions.verify(id)), nameOf),
    Effect.map(Effect.flip(Sessions.resume(id)), nameOf),
    Effect.map(Effect.flip(Sessions.rename(id, "other")), nameOf)
  ])

const errorsOf = (entries: ReadonlyArray<SessionList.Entry>) =>
  entries.map((entry) => entry._tag === "Broken" ? [entry.id, nameOf(entry.error)] : entry._tag)

describe("What an encrypted store writes", () => {
  it.effect("has no word of a session in it, in no file and at no time", () =>
    Effect.gen(function*() {
      const { root, sessions } = yield* Rig.workspace
      const project = `${root}/canaryProject`
      NodeFs.mkdirSync(project)
      const calls: Array<FileSystemHooks.Call> = []
      const id = yield* run(
        Effect.gen(function*() {
          const config = { ...Rig.config, provider: "canaryProvider", model: "canaryModel" }
          const running = yield* Sessions.create({ project, name: "canaryName", config })
          yield* running.append({ role: "user", content: "canaryQuestion" })
          yield* running.append({
            role: "assistant",
            content: [
              { type: "text", text: "canaryAnswer" },
              { type: "tool-call", id: "1", name: "canaryTool", params: { path: "canaryParameter" } }
            ]
          })
          yield* running.replaceTodos([{ content: "canaryTodo", status: "pending", activeForm: "canaryDoing" }])
          yield* running.recordPrompt("canaryPrompt")
          yield* running.annotate({ canaryKey: "canaryValue" })
          yield* running.checkpoint
          yield* running.append({ role: "user", content: "canaryLater" })
          yield* Sessions.close(running.id)
          yield* Sessions.rename(running.id, "canaryRenamed")
          const again = yield* Sessions.resume(running.id)
          yield* again.append({ role: "user", content: "canaryAgain" })
          yield* Sessions.close(running.id)
          yield* Stream.runDrain(Sessions.rotate({ addKey: false }))
          return running.id
        }),
        { sessions, hook: FileSystemHooks.recordInto(calls) }
      )
      const written = calls.flatMap(({ bytes, path, to = "" }) => [
        ...(path.startsWith(sessions) ? [path, to] : []),
        ...(bytes === undefined ? [] : [Buffer.from(bytes).toString("latin1")])
      ]).map((text) => text.replaceAll(sessions, "")).join("\n")
      assert.isAbove(calls.filter(({ bytes }) => bytes !== undefined).length, 10)
      assert.include(written, id)
      assert.notMatch(written, /canary/i)
      // Nor as base64, wherever a group of three bytes begins.
      for (const shifted of ["canary", "anary", "nary"]) {
        assert.notInclude(written, Buffer.from(shifted).toString("base64url").slice(0, shifted.length === 5 ? 6 : 5))
      }
      for (const word of ["provider", "conversation", "tool-call", "projectPath", "hs256", "\"event\""]) {
        assert.notInclude(written, word)
      }
      const { name, projectPath } = (yield* run(Sessions.load(id), { sessions })).state.session
      assert.deepStrictEqual([name, projectPath], ["canaryRenamed", project])
    }))

  it.effect("never is the same twice, for the same session", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const id = yield* run(createClosed(project, "x"), { sessions })
      const file = `${sessions}/${id}/session.json`
      const before = NodeFs.readFileSync(file)
      yield* run(Effect.andThen(Sessions.resume(id), Sessions.close(id)), { sessions })
      const seals = [before, NodeFs.readFileSync(file)].map((bytes) =>
        /cc20p\.secret\.([\w-]{43})/.exec(bytes.toString())?.[1]
      )
      assert.strictEqual(new Set(seals).size, 2)
    }))
})

describe("An encrypted session", () => {
  it.effect.each(
    [
      ["another key under its id", [Encrypted.key("a", 9)], "InvalidJson/EncryptionKeyWrong"],
      ["another key", [b], "InvalidJson/EncryptionKeyMissing"]
    ] as const
  )(
    "is listed by its id with %s, nothing is read or changed, and nothing is lost",
    ([, keys, reason]) =>
      Effect.gen(function*() {
        const { project, sessions } = yield* Rig.workspace
        const id = yield* run(createClosed(project, "x"), { sessions, keys: [a] })
        const before = Stack.everything(sessions)
        assert.deepStrictEqual(errorsOf(yield* run(entries, { sessions, keys })), [[id, reason]])
        assert.deepStrictEqual<ReadonlyArray<string>>(
          yield* run(failures(id), { sessions, keys }),
          Array(4).fill(reason)
        )
        assert.deepStrictEqual(Stack.everything(sessions), before)
        assert.deepStrictEqual(yield* run(messagesOf(id), { sessions, keys: [a] }), ["x"])
      })
  )

  it.effect("is listed by its id in a store without encryption, and moved to the trash and back", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const id = yield* run(createClosed(project, "x"), { sessions })
      const before = Stack.everything(sessions)
      assert.deepStrictEqual(errorsOf(yield* runPlain(entries, sessions)), [[id, "InvalidJson/Encrypted"]])
      assert.deepStrictEqual(
        yield* runPlain(failures(id), sessions),
        Array.from({ length: 4 }, () => "InvalidJson/Encrypted")
      )
      assert.deepStrictEqual(Stack.everything(sessions), before)
      yield* runPlain(Sessions.remove(id), sessions)
      assert.deepStrictEqual(yield* run(entries, { sessions }), [])
      yield* runPlain(Sessions.restore(id), sessions)
      assert.deepStrictEqual(yield* run(messagesOf(id), { sessions }), ["x"])
    }))

  it.effect("that was interrupted is not removed without a word, whoever has its key", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const id = yield* run(
        Effect.gen(function*() {
          const running = yield* Sessions.create({ project, config: Rig.config })
          yield* running.append({ role: "user", content: "x" })
          yield* Supervisor.Supervisor.use(({ discard }) => discard(running.id))
          return running.id
        }),
        { sessions }
      )
      const [entry] = yield* run(entries, { sessions })
      assert.isTrue(entry !== undefined && SessionList.isStored(entry) && entry.status === "interrupted")
      for (const keys of [[b], Encrypted.defaultKeys]) {
        const failure = yield* Effect.flip(run(Sessions.remove(id), { sessions, keys }))
        assert.strictEqual(nameOf(failure), "RestoreFailed/AlreadyRunning")
      }
      assert.strictEqual(
        nameOf(yield* Effect.flip(runPlain(Sessions.remove(id), sessions))),
        "RestoreFailed/AlreadyRunning"
      )
      assert.deepStrictEqual(yield* run(messagesOf(id), { sessions }), ["x"])
    }))

  it.effect("is told by its head from that of another session, put in its place", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const [one, other] = yield* run(Effect.all([createClosed(project, "1"), createClosed(project, "2")]), {
        sessions
      })
      NodeFs.copyFileSync(`${sessions}/${one}/session.json`, `${sessions}/${other}/session.json`)
      const found = yield* run(failures(other), { sessions })
      assert.deepStrictEqual(new Set(found), new Set(["InvalidJson/IdMismatch"]))
      // Relabelled it is no better: the key is that of another session.
      const text = NodeFs.readFileSync(`${sessions}/${one}/session.json`, "latin1").replace(one, other)
      NodeFs.writeFileSync(`${sessions}/${other}/session.json`, text, "latin1")
      assert.deepStrictEqual(
        new Set(yield* run(failures(other), { sessions })),
        new Set(["InvalidJson/BadCiphertext"])
      )
      assert.deepStrictEqual(yield* run(messagesOf(one), { sessions }), ["1"])
    }))
})

describe("A rotation", () => {
  it.effect("encrypts with the newest key what an older one encrypted, and skips it then", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const id = yield* run(createClosed(project, "x"), { sessions, keys: [a] })
      const rotate = Effect.map(
        Stream.runCollect(Sessions.rotate({ addKey: false })),
        (rotations) => rotations.map(({ outcome }) => outcome._tag)
      )
      const keys = [b, a]
      assert.deepStrictEqual(yield* run(messagesOf(id), { sessions, keys }), ["x"])
      assert.deepStrictEqual(yield* run(rotate, { sessions, keys }), ["Resigned"])
      assert.deepStrictEqual(yield* run(rotate, { sessions, keys }), ["Skipped"])
      assert.deepStrictEqual(yield* run(messagesOf(id), { sessions, keys: [b] }), ["x"])
    }))

  it.effect("encrypts what was not, where that is allowed; elsewhere it is neither read nor believed", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const id = yield* runPlain(createClosed(project, "x"), sessions)
      const before = Stack.everything(sessions)
      assert.deepStrictEqual(errorsOf(yield* run(entries, { sessions })), [[id, "InvalidJson/NotEncrypted"]])
      assert.deepStrictEqual(new Set(yield* run(failures(id), { sessions })), new Set(["InvalidJson/NotEncrypted"]))
      assert.deepStrictEqual(Stack.everything(sessions), before)
      const allowed = { sessions, allowPlain: true }
      assert.deepStrictEqual(errorsOf(yield* run(entries, allowed)), ["Stored"])
      assert.deepStrictEqual(yield* run(messagesOf(id), allowed), ["x"])
      yield* run(Stream.runDrain(Sessions.rotate({ addKey: false })), allowed)
      assert.deepStrictEqual(yield* run(messagesOf(id), { sessions }), ["x"])
      assert.notMatch(NodeFs.readFileSync(`${sessions}/${id}/session.json`, "latin1"), /conversation/)
    }))

  it.effect("is not needed by a plain session that is resumed where that is allowed: it is encrypted from then on", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const id = yield* runPlain(createClosed(project, "x"), sessions)
      yield* run(
        Effect.gen(function*() {
          const { append } = yield* Sessions.resume(id)
          yield* append({ role: "user", content: "canaryNext" })
          assert.notMatch(Stack.everything(sessions).join("\n"), /canaryNext/)
          assert.deepStrictEqual(yield* messagesOf(id), ["x", "canaryNext"])
          yield* Sessions.close(id)
        }),
        { sessions, allowPlain: true }
      )
      assert.deepStrictEqual(yield* run(messagesOf(id), { sessions }), ["x", "canaryNext"])
    }))
})
