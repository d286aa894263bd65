/** Large parts of messages in an encrypted store. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { Blob, type Session, SessionError, type SessionId, Sessions, SessionStore } from "effect-reprise"
import * as NodeFs from "node:fs"
import * as Encrypted from "../suites/encryption.ts"
import * as Rig from "../suites/rig.ts"

const picture = Buffer.from("canaryPixel".repeat(300))
const message: Session.MessageInput = {
  role: "user",
  content: [{ type: "file", mediaType: "image/png", data: picture.toString("base64") }]
}

interface Place extends SessionStore.EncryptedOptions {
  readonly keys?: ReadonlyArray<Encrypted.Key>
}

const scene = Effect.map(Rig.workspace, ({ project, sessions }) => {
  const limits = { blobOver: 1024 }
  const plain = <A, E>(program: Effect.Effect<A, E, Rig.Services>) =>
    Effect.provide(program, Rig.layer({ sessions, limits }), { local: true })
  const run = <A, E>(program: Effect.Effect<A, E, Rig.Services>, place: Place = {}) =>
    plain(Effect.provide(program, Encrypted.layerFiles(sessions, place), { local: true }))
  const blobs = (id: SessionId.SessionId) => {
    const directory = `${sessions}/${id}/blobs`
    return NodeFs.readdirSync(directory).map((name) => ({ name, bytes: NodeFs.readFileSync(`${directory}/${name}`) }))
  }
  const create = Effect.gen(function*() {
    const running = yield* Sessions.create({ project, config: Rig.config })
    yield* running.append(message)
    yield* Sessions.close(running.id)
    return running.id
  })
  return { blobs, create, plain, project, run, sessions }
})

const shown = Effect.fnUntraced(function*(id: SessionId.SessionId) {
  const { state: { conversation: [first] } } = yield* Sessions.load(id)
  return first === undefined ? assert.fail("no message") : (yield* Sessions.materialise(id, first)).content
})

const isPlain = ({ bytes, name }: { readonly bytes: Buffer; readonly name: string }, digest: string) =>
  bytes.includes("canaryPixel") || name.includes(digest)

const digest = Effect.map(
  Effect.promise(() => crypto.subtle.digest("SHA-256", picture)),
  (bytes) => Buffer.from(bytes).toString("hex")
)

const a = Encrypted.key("a", 1)
const b = Encrypted.key("b", 2)
const rotate = Stream.runDrain(Sessions.rotate({ addKey: false }))

describe("A large part in an encrypted store", () => {
  it.effect("is ciphertext under a name that its SHA-256 does not tell, and comes back whole", () =>
    Effect.gen(function*() {
      const { blobs, create, run } = yield* scene
      const id = yield* run(create)
      const stored = blobs(id)
      assert.lengthOf(stored, 1)
      const name = yield* digest
      assert.isFalse(stored.some((blob) => isPlain(blob, name)))
      assert.deepStrictEqual(yield* run(shown(id)), message.content)
      yield* run(Effect.andThen(Sessions.resume(id), Sessions.close(id)))
      assert.deepStrictEqual(yield* run(shown(id)), message.content)
      assert.lengthOf(blobs(id), 1)
    }))

  it.effect("that was changed is refused, and the rest of its session read", () =>
    Effect.gen(function*() {
      const { blobs, create, run, sessions } = yield* scene
      const id = yield* run(create)
      const [blob] = blobs(id)
      assert.isDefined(blob)
      for (const at of [0, 60, 200, 1000]) {
        const bytes = Buffer.from(blob.bytes)
        bytes[at] = (bytes[at] ?? 0) ^ 1
        NodeFs.writeFileSync(`${sessions}/${id}/blobs/${blob.name}`, bytes)
        const failure = yield* Effect.flip(run(shown(id)))
        assert.instanceOf(failure, SessionError.InvalidBlob)
        assert.strictEqual(failure.reason._tag, "BlobDamaged")
      }
      assert.lengthOf((yield* run(Sessions.load(id))).state.conversation, 1)
    }))

  it.effect("is encrypted with the newest key by a rotation, and read with that alone", () =>
    Effect.gen(function*() {
      const { blobs, create, run } = yield* scene
      const id = yield* run(create, { keys: [a] })
      assert.deepStrictEqual(yield* run(shown(id), { keys: [b, a] }), message.content)
      yield* run(rotate, { keys: [b, a] })
      assert.lengthOf(blobs(id), 1)
      assert.deepStrictEqual(yield* run(shown(id), { keys: [b] }), message.content)
    }))

  it.effect("is encrypted with the newest key by whoever resumes and closes its session, too", () =>
    Effect.gen(function*() {
      const { blobs, create, run } = yield* scene
      const id = yield* run(create, { keys: [a] })
      yield* run(
        Effect.gen(function*() {
          const { append } = yield* Sessions.resume(id)
          yield* append({ role: "user", content: "more" })
          yield* Sessions.close(id)
        }),
        { keys: [b, a] }
      )
      assert.lengthOf(blobs(id), 1)
      assert.deepStrictEqual(yield* run(shown(id), { keys: [b] }), message.content)
    }))

  it.effect("that was stored without encryption does not stay beside what a rotation makes of it", () =>
    Effect.gen(function*() {
      const { blobs, create, plain, run } = yield* scene
      const id = yield* plain(create)
      const name = yield* digest
      assert.isTrue(blobs(id).some((blob) => isPlain(blob, name)))
      assert.deepStrictEqual(yield* run(shown(id), { allowPlain: true }), message.content)
      yield* run(rotate, { allowPlain: true })
      assert.lengthOf(blobs(id), 1)
      assert.isFalse(blobs(id).some((blob) => isPlain(blob, name)))
      assert.deepStrictEqual(yield* run(shown(id)), message.content)
    }))

  it.effect("comes along to another session as it is encrypted, and encrypted where it is not", () =>
    Effect.gen(function*() {
      const { blobs, create, plain, project, run } = yield* scene
      const name = yield* digest
      for (const first of [run(create), plain(create)]) {
        const id = yield* first
        const bytes = yield* run(
          Effect.gen(function*() {
            const store = yield* SessionStore.SessionStore
            const { state } = yield* Sessions.load(id)
            const { snapshot } = yield* store.read(id)
            const other = yield* Sessions.create({ project, config: Rig.config })
            yield* Sessions.close(other.id)
            yield* Sessions.remove(other.id)
            yield* store.purge(other.id)
            const digests = state.conversation.flatMap((message) =>
              JSON.stringify(message).match(/[0-9a-f]{64}/g) ?? []
            )
            assert.deepStrictEqual(digests, [name])
            yield* Effect.scoped(
              store.create(other.id, snapshot, new TextEncoder().encode("{}\n"), {
                from: { id, digests: digests.map((digest) => Blob.Digest.make(digest)) }
              })
            )
            assert.isFalse(blobs(other.id).some((blob) => isPlain(blob, name)))
            return yield* store.readBlob(other.id, Blob.Digest.make(name), picture.length)
          }),
          { allowPlain: true }
        )
        assert.deepStrictEqual(Buffer.from(bytes), picture)
      }
    }))
})
