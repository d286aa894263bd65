import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Cause, Effect, Exit, Option, Schema } from "effect"
import { Blob, type Session, SessionError, SessionId, Sessions, SessionStore } from "effect-reprise"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Path from "node:path"
import * as Rig from "../suites/rig.ts"

const over = 1024
const limits = { blobOver: over }

/** Bytes that no other seed gives, as base64. */
const picture = (seed: number, bytes: number): string =>
  Buffer.from(Uint8Array.from({ length: bytes }, (_, index) => (index * 31 + seed * 17 + (index >> 8)) & 0xff))
    .toString("base64")

const screenshot = (seed: number, bytes = 2 * over): Session.MessageInput => ({
  role: "user",
  content: [
    { type: "text", text: `what is on picture ${seed}?` },
    { type: "file", mediaType: "image/png", data: picture(seed, bytes) }
  ]
})

const blobsOf = (sessions: string, id: SessionId.SessionId): ReadonlyArray<string> => {
  const directory = `${sessions}/${id}/blobs`
  return NodeFs.existsSync(directory) ? NodeFs.readdirSync(directory).sort() : []
}

/** The message as it was handed in. */
const whole = (id: SessionId.SessionId, message: Session.Message) => Sessions.materialise(id, message)

const only = <A>(all: ReadonlyArray<A>): A => {
  assert.strictEqual(all.length, 1)
  const [first] = all
  return first ?? assert.fail("there is none")
}

const failureOf = <A, E>(exit: Exit.Exit<A, E>): E =>
  Exit.isFailure(exit)
    ? Option.getOrThrow(Cause.findErrorOption(exit.cause))
    : assert.fail("it did not fail")

/** A workspace, and a session in it with one screenshot. */
const withScreenshot = Effect.fnUntraced(function*(options: Partial<Rig.RigOptions> = {}) {
  const { project, root, sessions } = yield* Rig.workspace
  const layer = Rig.layer({ sessions, limits, ...options })
  const id = yield* Effect.gen(function*() {
    const running = yield* Sessions.create({ project, config: Rig.config })
    yield* running.append(screenshot(1))
    yield* Sessions.close(running.id)
    return running.id
  }).pipe(Effect.provide(layer, { local: true }))
  const run = <A, E>(effect: Effect.Effect<A, E, Rig.Services>) => Effect.provide(effect, layer, { local: true })
  return { id, project, root, run, sessions, file: `${sessions}/${id}/blobs/${only(blobsOf(sessions, id))}` }
})

describe("A large part", () => {
  it.effect("is stored beside the session by its SHA-256, and the message refers to it", () =>
    Effect.gen(function*() {
      const { id, run, sessions } = yield* withScreenshot()
      const { state } = yield* run(Sessions.load(id))
      const message = only(state.conversation)
      const reference = only(Blob.references(message))
      const bytes = Buffer.from(picture(1, 2 * over), "base64")
      assert.strictEqual(reference.bytes, bytes.length)
      assert.deepStrictEqual(reference.at, ["content", 1, "data"])
      assert.strictEqual(
        reference.sha256,
        Buffer.from(yield* Effect.promise(() => crypto.subtle.digest("SHA-256", bytes))).toString("hex")
      )
      const name = only(blobsOf(sessions, id))
      assert.strictEqual(name, `${reference.sha256}.1`)
      const info = NodeFs.statSync(`${sessions}/${id}/blobs/${name}`)
      assert.strictEqual(info.mode & 0o777, 0o600)
      assert.strictEqual(NodeFs.statSync(`${sessions}/${id}/blobs`).mode & 0o777, 0o700)
      assert.deepStrictEqual(NodeFs.readFileSync(`${sessions}/${id}/blobs/${name}`), bytes)
      const { content } = yield* run(whole(id, message))
      assert.deepStrictEqual(content, screenshot(1).content)
    }).pipe(Effect.scoped))

  const text = Arbitrary.map(Arbitrary.schema(Schema.String), (text) => text.toWellFormed())
  const length = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: over - 8, maximum: over + 8 })))
  const value = Arbitrary.map(Arbitrary.schema(Schema.Json), (json) => json)
  it.effect.prop(
    "comes back as it was appended, whatever it is made of and however its size is to the limit",
    { text, length, value, kind: Arbitrary.schema(Schema.Literals(["user", "assistant", "tool"])) },
    ({ kind, length, text, value }) =>
      Effect.gen(function*() {
        const { project, sessions } = yield* Rig.workspace
        const long = `${text}${"ü".repeat(length / 2)}`.slice(0, length).toWellFormed()
        const input: Session.MessageInput = {
          role: kind,
          $blobs: [{ own: long }],
          $$blobs: "also",
          content: [
            { type: "text", text: long },
            { type: "file", mediaType: "image/png", data: picture(length, length) },
            { type: "file", mediaType: "image/png", data: `data:image/png;base64,${picture(length, length)}` },
            { type: "file", mediaType: "text/plain", data: `\uFEFF${long}=` },
            { type: "tool-call", id: "1", name: "write", params: { deep: [{ content: long }, value], $blobs: long } },
            { type: "tool-result", id: "1", name: "write", isFailure: false, result: [long, long, { long, value }] },
            {
              type: "tool-result",
              id: "2",
              name: "list",
              isFailure: false,
              result: Array.from({ length: Math.ceil(length / 16) }, (_, row) => ({ row, value }))
            }
          ]
        }
        yield* Effect.gen(function*() {
          const running = yield* Sessions.create({ project, config: Rig.config })
          const { id: messageId, timestamp, ...stored } = yield* running.append(input)
          const expected = JSON.stringify({
            id: messageId,
            role: kind,
            content: input.content,
            timestamp,
            $blobs: input["$blobs"],
            $$blobs: input["$$blobs"]
          })
          assert.isAbove(Object.keys(stored).length, 3)
          yield* Sessions.close(running.id)
          const { state } = yield* Sessions.load(running.id)
          const message = only(state.conversation)
          const restored = yield* whole(running.id, message)
          assert.strictEqual(JSON.stringify(restored), expected)
          yield* Sessions.verify(running.id)
        }).pipe(Effect.provide(Rig.layer({ sessions, limits }), { local: true }))
      }).pipe(Effect.scoped),
    { arbitrary: { runs: 8, seed: 11 } }
  )

  it.effect("is what a tool says, and never what a person or a model does", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const long = "line\n".repeat(over)
      yield* Effect.gen(function*() {
        const running = yield* Sessions.create({ project, config: Rig.config })
        const said = yield* running.append({ role: "user", content: long })
        const answered = yield* running.append({ role: "assistant", content: [{ type: "text", text: long }] })
        assert.deepStrictEqual([said.content, answered.content], [long, [{ type: "text", text: long }]])
        const output = yield* running.append({ role: "tool", content: long })
        assert.strictEqual(only(Blob.references(output)).encoding, "utf8")
        assert.strictEqual((yield* running.materialise(output)).content, long)
      }).pipe(Effect.provide(Rig.layer({ sessions, limits }), { local: true }))
    }).pipe(Effect.scoped))

  it.effect("stays in the session where blobs are turned off", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      yield* Effect.gen(function*() {
        const running = yield* Sessions.create({ project, config: Rig.config })
        const { content } = yield* running.append(screenshot(1, 100_000))
        assert.deepStrictEqual(content, screenshot(1, 100_000).content)
        assert.deepStrictEqual(blobsOf(sessions, running.id), [])
      }).pipe(Effect.provide(Rig.layer({ sessions, limits: { blobOver: Infinity } }), { local: true }))
    }).pipe(Effect.scoped))

  it.effect("that nobody can read leaves everything else readable, and is told by session, message and name", () =>
    Effect.gen(function*() {
      const { file, id, run } = yield* withScreenshot()
      const bytes = NodeFs.readFileSync(file)
      const harms: ReadonlyArray<readonly [string, () => void]> = [
        ["BlobDamaged", () => NodeFs.writeFileSync(file, Buffer.concat([bytes.subarray(1), Buffer.from("x")]))],
        ["BlobDamaged", () => NodeFs.writeFileSync(file, bytes.subarray(1))],
        ["BlobDamaged", () => NodeFs.writeFileSync(file, Buffer.concat([bytes, bytes]))],
        ["BlobDamaged", () => {
          NodeFs.rmSync(file)
          NodeFs.writeFileSync(`${file}.elsewhere`, bytes)
          NodeFs.symlinkSync(`${file}.elsewhere`, file)
        }],
        ["BlobDamaged", () => {
          NodeFs.rmSync(file)
          NodeFs.mkdirSync(file)
        }],
        ["BlobMissing", () => NodeFs.rmSync(file, { recursive: true })],
        ["BlobMissing", () => NodeFs.rmSync(Path.dirname(file), { recursive: true })]
      ]
      for (const [reason, harm] of harms) {
        harm()
        const { state } = yield* run(Sessions.load(id))
        const message = only(state.conversation)
        const { sha256 } = only(Blob.references(message))
        const attempts: ReadonlyArray<Effect.Effect<void, SessionError.SessionError, Rig.Services>> = [
          Effect.asVoid(Sessions.verify(id)),
          Effect.asVoid(whole(id, message)),
          Effect.asVoid(Sessions.exportTo(id, `${file}.json`)),
          Effect.asVoid(Effect.flatMap(Sessions.resume(id), (running) => running.materialise(message)))
        ]
        for (const attempt of attempts) {
          const error = failureOf(yield* Effect.exit(run(attempt)))
          if (!(error instanceof SessionError.InvalidBlob)) return assert.fail(String(error))
          assert.deepStrictEqual(
            [error.id, error.messageId, error.digest, error.reason._tag],
            [id, message.id, sha256, reason]
          )
        }
        assert.isFalse(NodeFs.existsSync(`${file}.json`))
      }
    }).pipe(Effect.scoped))

  it.effect("is made whole by appending it again", () =>
    Effect.gen(function*() {
      const { file, id, run } = yield* withScreenshot()
      NodeFs.writeFileSync(file, "damaged")
      yield* run(Effect.gen(function*() {
        const running = yield* Sessions.resume(id)
        yield* running.append(screenshot(1))
        yield* Sessions.close(id)
        yield* Sessions.verify(id)
      }))
    }).pipe(Effect.scoped))

  it.effect("that is too large, or one too many, changes nothing on disk", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const bytes = 2 * over
      yield* Effect.gen(function*() {
        const running = yield* Sessions.create({ project, config: Rig.config })
        yield* running.append(screenshot(1))
        const before = blobsOf(sessions, running.id)
        const reasons = [
          failureOf(yield* Effect.exit(running.append(screenshot(2, bytes + 1)))),
          failureOf(yield* Effect.exit(running.append(screenshot(3))))
        ].map((error) => error._tag === "EventRejected" ? error.reason : error)
        assert.deepStrictEqual(reasons, [
          new SessionError.PartTooLarge({ bytes: bytes + 1, limit: bytes }),
          new SessionError.PartsFull({ bytes: 2 * bytes, limit: 2 * bytes - 1 })
        ])
        assert.deepStrictEqual(blobsOf(sessions, running.id), before)
        // What is there already takes no more room.
        yield* running.append(screenshot(1))
      }).pipe(
        Effect.provide(
          Rig.layer({ sessions, limits: { ...limits, maxBlobBytes: bytes, maxBlobsBytes: 2 * bytes - 1 } }),
          { local: true }
        )
      )
    }).pipe(Effect.scoped))

  it.effect("counts among all of a session that was resumed with its last messages only", () =>
    Effect.gen(function*() {
      const { id, run, sessions } = yield* withScreenshot({ limits: { ...limits, maxBlobsBytes: 2 * over } })
      yield* run(Effect.gen(function*() {
        const running = yield* Sessions.resume(id, { tail: 0 })
        const error = failureOf(yield* Effect.exit(running.append(screenshot(2))))
        assert.strictEqual(error._tag === "EventRejected" ? error.reason._tag : error._tag, "PartsFull")
        yield* running.append({ role: "user", content: "go on" })
        yield* Sessions.close(id)
        yield* Sessions.verify(id)
      }))
      assert.strictEqual(blobsOf(sessions, id).length, 1)
    }).pipe(Effect.scoped))
})

describe("The blobs of a session", () => {
  it.effect("cost a load nothing: of 200 screenshots it reads the text", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const each = 3000
      let read = 0
      const hook: FileSystemHooks.Hook = (call) => (run) => {
        if (call.method !== "file.read") return run
        return Effect.tap(run, (count) => Effect.sync(() => void (read += Number(count))))
      }
      yield* Effect.gen(function*() {
        const running = yield* Sessions.create({ project, config: Rig.config })
        yield* Effect.forEach(Array.from({ length: 200 }, (_, seed) => screenshot(seed, each)), running.append, {
          concurrency: "unbounded",
          discard: true
        })
        yield* Sessions.close(running.id)
        read = 0
        const { report, state } = yield* Sessions.load(running.id)
        assert.strictEqual(state.conversation.length, 200)
        assert.strictEqual(blobsOf(sessions, running.id).length, 200)
        assert.isBelow(report.bytes, 200 * 1024)
        assert.isBelow(read, report.bytes + 16 * 1024)
        assert.isAbove(read, 0)
      }).pipe(Effect.provide(Rig.layer({ sessions, hook, limits }), { local: true }))
    }).pipe(Effect.scoped))

  it.effect("stay with it through resume, checkpoint, rename, rotate, trash and restore, and go with its purge", () =>
    Effect.gen(function*() {
      const { id, run, sessions } = yield* withScreenshot()
      const names = blobsOf(sessions, id)
      yield* run(Effect.gen(function*() {
        const running = yield* Sessions.resume(id)
        yield* running.append({ role: "user", content: "go on" })
        yield* running.checkpoint
        yield* Sessions.close(id)
        yield* Sessions.rename(id, "another")
        yield* Sessions.remove(id)
        yield* Sessions.restore(id)
        yield* Sessions.verify(id)
        assert.deepStrictEqual(blobsOf(sessions, id), names)
        yield* Sessions.remove(id)
        assert.deepStrictEqual(blobsOf(sessions, id), names)
        yield* Sessions.purge(id)
      }))
      assert.deepStrictEqual(NodeFs.readdirSync(sessions), [])
    }).pipe(Effect.scoped))

  it.effect("come along in an export, and out of it again on import", () =>
    Effect.gen(function*() {
      const { id, root, run, sessions } = yield* withScreenshot()
      yield* run(Effect.gen(function*() {
        yield* Sessions.exportTo(id, `${root}/session.json`)
        assert.include(NodeFs.readFileSync(`${root}/session.json`, "utf8"), picture(1, 2 * over))
        const copy = yield* Sessions.importFile(`${root}/session.json`, { copy: true })
        yield* Sessions.verify(copy.id)
        const { state } = yield* Sessions.load(copy.id)
        assert.deepStrictEqual((yield* whole(copy.id, only(state.conversation))).content, screenshot(1).content)
        assert.deepStrictEqual(blobsOf(sessions, copy.id), blobsOf(sessions, id))
      }))
    }).pipe(Effect.scoped))

  it.effect("come along into a fork, as they are stored, and outlive its parent", () =>
    Effect.gen(function*() {
      const { file, id, run, sessions } = yield* withScreenshot()
      yield* run(Effect.gen(function*() {
        const fork = yield* Sessions.fork(id)
        const { state: { conversation } } = yield* Sessions.load(fork.id)
        assert.deepStrictEqual(conversation, (yield* Sessions.load(id)).state.conversation)
        const name = only(blobsOf(sessions, fork.id))
        assert.strictEqual(NodeFs.statSync(`${sessions}/${fork.id}/blobs/${name}`).ino, NodeFs.statSync(file).ino)
        yield* Sessions.remove(id)
        yield* Sessions.purge(id)
        yield* Sessions.verify(fork.id)
        assert.deepStrictEqual((yield* whole(fork.id, only(conversation))).content, screenshot(1).content)
      }))
    }).pipe(Effect.scoped))

  it.effect("come along into another session that is created from it, and outlive that", () =>
    Effect.gen(function*() {
      const { file, id, run, sessions } = yield* withScreenshot()
      const { state } = yield* run(Sessions.load(id))
      const digests = Blob.digestsOf(state.conversation)
      const absent = Blob.Digest.make("0".repeat(64))
      const child = SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
      yield* run(Effect.scoped(Effect.gen(function*() {
        const store = yield* SessionStore.SessionStore
        const { snapshot } = yield* store.read(id)
        yield* store.create(child, snapshot, new Uint8Array(), { from: { id, digests: [...digests, absent] } })
        const name = only(blobsOf(sessions, child))
        assert.strictEqual(NodeFs.statSync(`${sessions}/${child}/blobs/${name}`).ino, NodeFs.statSync(file).ino)
        yield* Sessions.remove(id)
        yield* Sessions.purge(id)
        const bytes = yield* store.readBlob(child, only(digests), 2 * over)
        assert.deepStrictEqual(Buffer.from(bytes).toString("base64"), picture(1, 2 * over))
      })))
    }).pipe(Effect.scoped))

  it.effect("that a crash left without a message are deleted when the session is closed again, and no other", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const machine = TestLiveness.machine()
      const killed = machine.process()
      let isFull = false
      const hook: FileSystemHooks.Hook = (call) => (run) =>
        isFull && call.method === "file.write" && call.path.endsWith(".jsonl")
          ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "ENOSPC"))
          : run
      const next = Rig.layer({ sessions, limits, liveness: machine.process().layer })
      yield* Effect.gen(function*() {
        const { append, id } = yield* Sessions.create({ project, config: Rig.config })
        yield* append(screenshot(1))
        isFull = true
        assert.strictEqual(failureOf(yield* Effect.exit(append(screenshot(2))))._tag, "StoreError")
        assert.strictEqual(blobsOf(sessions, id).length, 2)
        machine.kill(killed.pid)
        yield* Effect.gen(function*() {
          const running = yield* Sessions.resume(id)
          assert.strictEqual((yield* running.state).conversation.length, 1)
          yield* running.append(screenshot(3))
          yield* Sessions.close(id)
          yield* Sessions.verify(id)
        }).pipe(Effect.provide(next, { local: true }))
        assert.strictEqual(blobsOf(sessions, id).length, 2)
      }).pipe(Effect.provide(Rig.layer({ sessions, hook, limits, liveness: killed.layer }), { local: true }))
    }).pipe(Effect.scoped))

  it.effect("leave the session whole where there is no room for one, and the same message fits once there is", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      for (const method of ["file.write", "file.sync", "rename", "makeDirectory"]) {
        let isFull = false
        const hook: FileSystemHooks.Hook = (call) => (run) =>
          isFull && call.method === method
            ? Effect.fail(FileSystemHooks.systemError(call, "Unknown", "ENOSPC"))
            : run
        yield* Effect.gen(function*() {
          const running = yield* Sessions.create({ project, config: Rig.config })
          yield* running.append({ role: "user", content: "before" })
          isFull = true
          const error = failureOf(yield* Effect.exit(running.append(screenshot(1))))
          assert.strictEqual(error._tag, "StoreError", method)
          assert.strictEqual((yield* Sessions.load(running.id)).state.conversation.length, 1)
          isFull = false
          yield* running.append(screenshot(1))
          yield* running.append({ role: "user", content: "after" })
          yield* Sessions.verify(running.id)
          yield* Sessions.close(running.id)
          yield* Sessions.verify(running.id)
          assert.strictEqual(blobsOf(sessions, running.id).length, 1)
        }).pipe(Effect.provide(Rig.layer({ sessions, hook, limits }), { local: true }))
      }
    }).pipe(Effect.scoped))
})
