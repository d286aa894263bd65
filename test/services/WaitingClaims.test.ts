/**
 * A claim whose lease is not durable yet: whatever comes first, and fails first,
 * nothing is acknowledged on what a power loss could take.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result, Scope } from "effect"
import type { SessionStore } from "effect-reprise"
import { FileSystemHooks } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Blob from "../../src/core/Blob.ts"
import * as Head from "../../src/core/Head.ts"
import * as Journal from "../../src/core/Journal.ts"
import { signed, Signer } from "../../src/services/Signer.ts"
import * as Scene from "../../src/testing/StoreScene.ts"
import * as Rig from "../suites/rig.ts"

type Call = FileSystemHooks.Call

const { id } = Scene

/** Fails the first call that it is true of, once it is armed. */
const makeFault = (isIt: (call: Call) => boolean) => {
  const fault = { isArmed: false, struck: 0 }
  const hook: FileSystemHooks.Hook = (call) => (run) =>
    Effect.suspend(() => {
      if (!fault.isArmed || fault.struck > 0 || !isIt(call)) return run
      fault.struck++
      return Effect.fail(FileSystemHooks.systemError(call, "Unknown", "EIO"))
    })
  return { fault, hook }
}

const isSyncOf = (end: string) => ({ method, path }: Call) => method === "file.sync" && path.endsWith(`/${end}`)

/** A session at rest, and a process that claims it and begins an empty journal. */
const makeScene = Effect.fnUntraced(function*(hook: FileSystemHooks.Hook = FileSystemHooks.none) {
  const { sessions } = yield* Rig.workspace
  const { boot } = Rig.processesOver(sessions)
  const first = yield* boot()
  yield* first.run(Scene.createClosed(id))
  const holder = yield* boot(hook)
  const scope = yield* Scope.make()
  const { claim, writer } = yield* holder.run(Effect.gen(function*() {
    const claim = yield* Scope.provide(Scene.store.use((store) => store.claim(id)), scope)
    const { snapshot } = yield* claim.stored
    const writer = yield* signed(
      Journal.writer(yield* Signer, {
        id,
        epoch: claim.epoch,
        part: 0,
        snapshot: yield* Effect.fromOption(Head.signatureAtEnd(snapshot)),
        revision: 1
      })
    )
    yield* claim.begin({ part: 0, bytes: writer.firstLine, isEmpty: true })
    return { claim, writer }
  }))
  const documents = (...history: ReadonlyArray<string>) =>
    holder.run(
      Scene.documents({ ...Scene.stateOf(id), promptHistory: history, revision: history.length }, {
        epoch: claim.epoch,
        part: 1
      })
    )
  const directory = `${sessions}/${id}`
  /** What another process finds. */
  const found = Effect.flatMap(boot(), ({ run }) => run(Effect.all([Scene.statusOf(id), Scene.history(id)])))
  const leases = () => NodeFs.readdirSync(directory).filter((name) => name.startsWith("lease."))
  return { claim, directory, documents, found, holder, leases, writer }
})

type Claimed = Effect.Success<ReturnType<typeof makeScene>>

const changes: ReadonlyArray<{
  readonly name: string
  readonly act: (scene: Claimed) => Effect.Effect<unknown, Effect.Error<ReturnType<SessionStore.Claim["append"]>>>
}> = [
  { name: "append", act: ({ claim, writer }) => claim.append(Scene.prompts(writer, "more")) },
  {
    name: "checkpoint",
    act: ({ claim, documents }) =>
      Effect.flatMap(
        Effect.orDie(documents("closed", "more")),
        ({ snapshot, writer }) => claim.checkpoint(snapshot, { part: 1, bytes: writer.firstLine })
      )
  },
  { name: "storing blobs", act: ({ claim }) => claim.putBlobs([blob]) },
  { name: "keeping an original", act: ({ claim }) => claim.keepOriginal(1) }
]

const blobBytes = new TextEncoder().encode("a large part")
const blob = { digest: Blob.Digest.make("0".repeat(64)), bytes: blobBytes }

describe("A claim whose lease is not durable yet", () => {
  for (const { act, name } of changes) {
    it.effect(`is durable before ${name}, and its lease the only one`, () =>
      Effect.gen(function*() {
        const scene = yield* makeScene()
        assert.deepStrictEqual(scene.leases().sort(), ["lease.2.json", "lease.3.json"])
        yield* act(scene)
        assert.deepStrictEqual(scene.leases(), ["lease.3.json"])
      }).pipe(Effect.scoped))

    for (const what of ["lease.3.json", id]) {
      it.effect(`is won anew where ${name} could not sync ${what === id ? "the directory" : "the lease"}`, () =>
        Effect.gen(function*() {
          const { fault, hook } = makeFault(isSyncOf(what))
          const scene = yield* makeScene(hook)
          fault.isArmed = true
          assert.isTrue(Result.isFailure(yield* Effect.result(act(scene))))
          assert.strictEqual(fault.struck, 1)
          // An append waits for a checkpoint then.
          const { act: next } = changes[1] ?? { act }
          yield* (name === "append" ? next(scene) : act(scene))
          assert.deepStrictEqual(scene.leases(), ["lease.4.json"])
        }).pipe(Effect.scoped))
    }
  }

  it.effect("has no use for its empty journal once a close may have replaced the snapshot", () =>
    Effect.gen(function*() {
      const { fault, hook } = makeFault(isSyncOf(id))
      const armed: FileSystemHooks.Hook = (call) => (run) =>
        Effect.suspend(() => {
          if (call.method === "rename" && call.to?.endsWith("/session.json") === true) fault.isArmed = true
          return hook(call)(run)
        })
      const { claim, documents, found, holder, writer } = yield* makeScene(armed)
      const { snapshot } = yield* documents("closed", "more")
      assert.isTrue(Result.isFailure(yield* Effect.result(claim.close(snapshot))))
      const appended = yield* Effect.result(claim.append(Scene.prompts(writer, "late")))
      assert.strictEqual(Result.isFailure(appended) ? appended.failure._tag : "stored", "StoreError")
      yield* holder.kill
      assert.deepStrictEqual(yield* found, ["closed", ["closed", "more"]])
    }).pipe(Effect.scoped))

  it.effect("holds the session again before it changes anything after a release that failed", () =>
    Effect.gen(function*() {
      const { fault, hook } = makeFault(isSyncOf(id))
      const { claim, documents, found } = yield* makeScene(hook)
      fault.isArmed = true
      assert.isTrue(Result.isFailure(yield* Effect.result(claim.release)))
      const { snapshot, writer } = yield* documents("closed", "more")
      yield* claim.checkpoint(snapshot, { part: 1, bytes: writer.firstLine })
      assert.deepStrictEqual(yield* found, ["running", ["closed", "more"]])
    }).pipe(Effect.scoped))

  it.effect("is won anew where its lease was lost before the first event, and no sync told", () =>
    Effect.gen(function*() {
      const { claim, directory, found, holder, leases, writer } = yield* makeScene()
      NodeFs.writeFileSync(`${directory}/lease.3.json`, "")
      assert.isTrue(Result.isFailure(yield* Effect.result(claim.append(Scene.prompts(writer, "late")))))
      assert.include(leases(), "lease.2.json")
      yield* holder.kill
      assert.deepStrictEqual(yield* found, ["closed", ["closed"]])
    }).pipe(Effect.scoped))
})
