import { NodeCrypto, NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Result, Scope, Stream } from "effect"
import { type Liveness, ResumeLimit, type SessionId, Sessions, SessionStore, Signer, Supervisor } from "effect-reprise"
import { NodeHmac, NodeSessions } from "effect-reprise/node"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import { Kdf } from "effect/crypto"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"
import * as Stack from "../suites/stack.ts"

/** A whole process over one directory, with the key ring of its machine. */
const processOver = (
  directory: string,
  liveness: Layer.Layer<Liveness.Liveness>,
  hook: FileSystemHooks.Hook = FileSystemHooks.none
) => {
  const platform = Layer.mergeAll(
    Layer.provide(FileSystemHooks.layer(hook), NodeFileSystem.layer),
    NodePath.layer,
    NodeCrypto.layerSecureRandom,
    NodeHmac.layer,
    Kdf.layerWebCrypto,
    liveness
  )
  const services = NodeSessions.layerServices({ directory, keyFile: `${directory}/../keys/keyring.json` })
  return Layer.fresh(Layer.merge(services, ResumeLimit.layerOff)).pipe(Layer.provideMerge(platform))
}

type Services = Layer.Success<ReturnType<typeof processOver>>

/** A directory of sessions, and processes that use it. */
const scene = Effect.gen(function*() {
  const { root, sessions } = yield* Rig.workspace
  NodeFs.mkdirSync(`${root}/keys`, { mode: 0o700 })
  const machine = TestLiveness.machine()
  const start = (hook?: FileSystemHooks.Hook) =>
    Effect.map(Layer.build(processOver(sessions, machine.process().layer, hook)), (services) => ({
      ring: Context.get(services, Signer.Signer),
      run: <A, E>(program: Effect.Effect<A, E, Services>) => Effect.provide(program, services)
    }))
  /** Runs operations as a process of their own. */
  const once = <A, E>(program: Effect.Effect<A, E, Services>, hook?: FileSystemHooks.Hook) =>
    Effect.provide(program, processOver(sessions, machine.process().layer, hook), { local: true })
  /** As a process that is killed afterwards. */
  const killed = Effect.fnUntraced(function*<A, E>(program: Effect.Effect<A, E, Services>) {
    const victim = machine.process()
    const services = yield* Layer.build(processOver(sessions, victim.layer))
    const result = yield* Effect.provide(program, services)
    machine.kill(victim.pid)
    return result
  })
  const project = (name: string) => {
    NodeFs.mkdirSync(`${root}/${name}`)
    return `${root}/${name}`
  }
  const create = (name: string) =>
    Effect.gen(function*() {
      const session = yield* Sessions.create({ project: project(name), name, config: Rig.config })
      yield* session.append({ role: "user", content: `in ${name}` })
      return session
    })
  const closed = (name: string) => once(Effect.flatMap(create(name), ({ id }) => Effect.as(Sessions.close(id), id)))
  /** One that has a snapshot and a journal with an event in it. */
  const interrupted = (name: string) =>
    killed(Effect.flatMap(create(name), (session) => Effect.as(session.recordPrompt("unsaved"), session.id)))
  const rotate = (options?: Sessions.RotateOptions) => Stream.runCollect(Sessions.rotate(options))
  /** The keys that the files of a session are signed with. */
  const keysOf = (id: SessionId.SessionId): ReadonlyArray<string> =>
    NodeFs.readdirSync(`${sessions}/${id}`).filter((name) => name.startsWith("session") || name.startsWith("journal"))
      .flatMap((name) => {
        const text = NodeFs.readFileSync(`${sessions}/${id}/${name}`, "utf8")
        return name.startsWith("session")
          ? (/"signature":"hs256\.([^.]+)\.[^"]*"\}$/.exec(text)?.[1] ?? "none")
          : (/"key":"([^"]+)"/.exec(text)?.[1] ?? /hs256\.([^.]+)\./.exec(text)?.[1] ?? "none")
      })
  return { closed, create, interrupted, keysOf, killed, once, root, rotate, sessions, start }
})

const load = (id: SessionId.SessionId) => Effect.map(Sessions.load(id), ({ state }) => state)

const tally = (rotations: ReadonlyArray<Sessions.Rotation>) =>
  Object.fromEntries(rotations.map(({ id, outcome }): readonly [string, string] => [
    id,
    outcome._tag === "Skipped" ? `Skipped ${outcome.reason}` : outcome._tag
  ]))

describe("A rotation", () => {
  it.effect("signs each stored session with a new key, which all verify, and says so one by one", () =>
    Effect.scoped(Effect.gen(function*() {
      const { closed, keysOf, once, rotate } = yield* scene
      const ids = yield* Effect.forEach(["a", "b", "c"], closed)
      const before = yield* once(Effect.forEach(ids, (id) => Sessions.load(id)))
      const old = keysOf(ids[0] ?? (yield* Effect.die("no session")))
      const rotations = yield* once(rotate())
      assert.deepStrictEqual(tally(rotations), Object.fromEntries(ids.map((id) => [id, "Resigned"])))
      assert.sameMembers(rotations.map(({ index }) => index), [0, 1, 2])
      for (const { keyId, total } of rotations) {
        assert.strictEqual(total, 3)
        assert.notInclude(old, keyId)
        for (const id of ids) assert.deepStrictEqual(keysOf(id), [keyId])
      }
      const after = yield* once(Effect.forEach(ids, (id) => Sessions.load(id)))
      assert.deepStrictEqual(after.map(({ state }) => state), before.map(({ state }) => state))
      assert.deepStrictEqual(
        after.map(({ report }) => [report.status, report.closedAt]),
        before.map(({ report }) => [report.status, report.closedAt])
      )
    })))

  it.effect("keeps an interrupted session interrupted, with all its events", () =>
    Effect.scoped(Effect.gen(function*() {
      const { interrupted, keysOf, once, rotate } = yield* scene
      const id = yield* interrupted("a")
      const before = yield* once(Sessions.load(id))
      assert.strictEqual(before.report.status, "interrupted")
      const [rotation] = yield* once(rotate())
      assert.strictEqual(rotation?.outcome._tag, "Resigned")
      const after = yield* once(Sessions.load(id))
      assert.deepStrictEqual(after.state, before.state)
      assert.strictEqual(after.report.status, "interrupted")
      assert.strictEqual(keysOf(id)[0], rotation?.keyId)
      const resumed = yield* once(Effect.flatMap(Sessions.resume(id), ({ state }) => state))
      assert.deepStrictEqual(resumed, before.state)
    })))

  it.effect("leaves alone what runs, is broken or in the trash, says so, and signs the others", () =>
    Effect.scoped(Effect.gen(function*() {
      const { closed, create, keysOf, once, rotate, sessions, start } = yield* scene
      const [good, broken, removed] = [yield* closed("good"), yield* closed("broken"), yield* closed("removed")]
      NodeFs.writeFileSync(`${sessions}/${broken}/session.json`, "{}")
      yield* once(Sessions.remove(removed))
      const { run } = yield* start()
      const running = yield* run(create("running"))
      NodeFs.writeFileSync(`${sessions}/${good}.json`, "{}")
      const others = () => Stack.everything(sessions).filter((line) => !line.startsWith(good))
      const before = others()
      const rotations = yield* once(rotate())
      assert.deepStrictEqual(tally(rotations), {
        [good]: "Resigned",
        [broken]: "Failed",
        [removed]: "Skipped removed",
        [running.id]: "Skipped running"
      })
      const failed = rotations.find(({ id }) => id === broken)?.outcome
      assert.deepInclude(failed, { _tag: "Failed" })
      if (failed?._tag === "Failed") assert.strictEqual(failed.error._tag, "InvalidJson")
      assert.deepStrictEqual(others(), before)
      assert.strictEqual(keysOf(good)[0], rotations[0]?.keyId)
      // What runs goes on, and signs with the new key once it is resumed again.
      yield* run(Effect.andThen(running.append({ role: "user", content: "more" }), Sessions.close(running.id)))
      assert.lengthOf((yield* once(load(running.id))).conversation, 2)
      yield* once(Effect.andThen(Sessions.restore(removed), load(removed)))
      assert.deepStrictEqual(tally(yield* once(rotate({ addKey: false }))), {
        [good]: "Skipped current",
        [broken]: "Failed",
        [removed]: "Resigned",
        [running.id]: "Resigned"
      })
    })))

  it.effect("leaves alone what this program runs itself", () =>
    Effect.scoped(Effect.gen(function*() {
      const { create, rotate, start } = yield* scene
      const { run } = yield* start()
      yield* run(Effect.gen(function*() {
        const running = yield* create("a")
        assert.deepStrictEqual(tally(yield* rotate()), { [running.id]: "Skipped running" })
        yield* running.append({ role: "user", content: "more" })
        yield* running.checkpoint
        const state = yield* running.state
        yield* Sessions.close(running.id)
        assert.deepStrictEqual(yield* load(running.id), state)
      }))
    })))

  it.effect("twice makes two keys; without a new key nothing is written that is signed with the newest", () =>
    Effect.scoped(Effect.gen(function*() {
      const { closed, once, root, rotate } = yield* scene
      const id = yield* closed("a")
      yield* once(rotate())
      yield* once(rotate())
      const ring = yield* once(Signer.Signer.use(({ ids }) => Effect.succeed(ids)))
      assert.lengthOf(ring, 3)
      const before = Stack.everything(root)
      assert.deepStrictEqual(tally(yield* once(rotate({ addKey: false }))), { [id]: "Skipped current" })
      assert.deepStrictEqual(Stack.everything(root), before)
    })))

  it.effect("of an empty store makes a key and nothing else", () =>
    Effect.scoped(Effect.gen(function*() {
      const { once, rotate, sessions } = yield* scene
      assert.deepStrictEqual([...(yield* once(rotate()))], [])
      assert.deepStrictEqual(Stack.everything(sessions), [])
      assert.lengthOf(yield* once(Signer.Signer.use(({ ids }) => Effect.succeed(ids))), 2)
    })))

  it.effect("goes only as far as somebody asks, and can be gone on with", () =>
    Effect.scoped(Effect.gen(function*() {
      const { closed, once, rotate } = yield* scene
      const ids = yield* Effect.forEach(["a", "b", "c"], closed)
      yield* once(Stream.runCollect(Stream.take(Sessions.rotate(), 1)))
      yield* once(Effect.forEach(ids, load))
      const rest = tally(yield* once(rotate({ addKey: false })))
      for (const id of ids) assert.include(["Resigned", "Skipped current"], rest[id])
      assert.deepStrictEqual(
        tally(yield* once(rotate({ addKey: false }))),
        Object.fromEntries(ids.map((id) => [id, "Skipped current"]))
      )
    })))
})

describe("A process that opened the key ring before a rotation", () => {
  it.effect("loads, resumes, renames, exports and closes what was signed anew", () =>
    Effect.scoped(Effect.gen(function*() {
      const { closed, interrupted, once, root, rotate, start } = yield* scene
      const operations: ReadonlyArray<
        (id: SessionId.SessionId) => Effect.Effect<unknown, unknown, Services>
      > = [
        (id) => Sessions.load(id),
        (id) => Sessions.verify(id),
        (id) => Sessions.rename(id, "new"),
        (id) => Sessions.exportTo(id, `${root}/out`, { overwrite: true }),
        (id) =>
          Effect.gen(function*() {
            const running = yield* Sessions.resume(id)
            yield* running.append({ role: "user", content: "more" })
            yield* Sessions.close(id)
          })
      ]
      const id = yield* closed("a")
      const other = yield* interrupted("b")
      for (const operation of operations) {
        const { ring, run } = yield* start()
        const keys = ring.ids.length
        yield* once(rotate())
        yield* run(operation(id))
        yield* run(operation(other))
        assert.lengthOf(ring.ids, keys + 1)
      }
      // Whoever has all keys reads what it wrote.
      const { state } = yield* once(Sessions.load(id))
      assert.deepStrictEqual(state.conversation.map(({ content }) => content), ["in a", "more"])
    })))

  it.effect("takes in the key when it goes on with the rotation itself", () =>
    Effect.scoped(Effect.gen(function*() {
      const { closed, keysOf, once, rotate, start } = yield* scene
      const id = yield* closed("a")
      const { ring, run } = yield* start()
      const keyId = yield* once(Signer.Signer.use(({ addKey }) => addKey))
      const [rotation] = yield* run(rotate({ addKey: false }))
      assert.strictEqual(rotation?.keyId, keyId)
      assert.strictEqual(ring.current, keyId)
      assert.deepStrictEqual(keysOf(id), [keyId])
    })))

  it.effect("says which key is unknown where no process has it", () =>
    Effect.scoped(Effect.gen(function*() {
      const { closed, once, root } = yield* scene
      const id = yield* closed("a")
      NodeFs.rmSync(`${root}/keys`, { recursive: true })
      NodeFs.mkdirSync(`${root}/keys`, { mode: 0o700 })
      NodeFs.renameSync(`${root}/sessions`, `${root}/aside`)
      yield* once(Effect.void)
      NodeFs.renameSync(`${root}/aside`, `${root}/sessions`)
      const error = yield* once(Effect.flip(Sessions.load(id)))
      assert.strictEqual(error._tag === "InvalidJson" ? error.reason._tag : error._tag, "UnknownKey")
    })))
})

describe("Two processes that rotate at once", () => {
  it.effect("lose no key and no session, and the next rotation without a key ends it", () =>
    Effect.scoped(Effect.gen(function*() {
      const { closed, interrupted, once, rotate, start } = yield* scene
      const ids = [...yield* Effect.forEach(["a", "b", "c", "d"], closed), yield* interrupted("e")]
      const before = yield* once(Effect.forEach(ids, load))
      const [one, other, third] = [yield* start(), yield* start(), yield* start()]
      const rounds = yield* Effect.all([one.run(rotate()), other.run(rotate()), third.run(rotate())], {
        concurrency: "unbounded"
      })
      for (const { outcome } of rounds.flat()) {
        // Where the other one held it, or was faster.
        if (outcome._tag === "Failed") assert.fail(`${outcome.error._tag} ${outcome.error.message}`)
      }
      const ring = yield* once(Signer.Signer.use(({ ids }) => Effect.succeed(ids)))
      assert.lengthOf(ring, 4)
      assert.includeMembers([...ring], rounds.flat().map(({ keyId }) => keyId))
      assert.deepStrictEqual(yield* once(Effect.forEach(ids, load)), before)
      yield* once(rotate({ addKey: false }))
      assert.deepStrictEqual(
        tally(yield* once(rotate({ addKey: false }))),
        Object.fromEntries(ids.map((id) => [id, "Skipped current"]))
      )
      assert.deepStrictEqual(yield* once(Effect.forEach(ids, load)), before)
    })))
})

describe("A rotation that does not come to its end", () => {
  /** A closed and an interrupted session, what they hold, and a way back to how they were. */
  const prepared = Effect.gen(function*() {
    const found = yield* scene
    const ids = [yield* found.closed("a"), yield* found.interrupted("b")]
    const before = yield* found.once(Effect.forEach(ids, (id) => Sessions.load(id)))
    const { root } = found
    const parts = ["sessions", "keys"]
    for (const part of parts) NodeFs.cpSync(`${root}/${part}`, `${root}/before/${part}`, { recursive: true })
    const reset = Effect.sync(() => {
      for (const part of parts) {
        NodeFs.rmSync(`${root}/${part}`, { recursive: true })
        NodeFs.cpSync(`${root}/before/${part}`, `${root}/${part}`, { recursive: true })
        NodeFs.chmodSync(`${root}/${part}`, 0o700)
      }
    })
    /** Every session is as it was, and another rotation signs them all. */
    const check = Effect.fnUntraced(function*(where: string) {
      const loaded = yield* found.once(Effect.forEach(ids, (id) => Sessions.load(id)))
      for (const [index, { report, state }] of loaded.entries()) {
        assert.deepStrictEqual(state, before[index]?.state, where)
        assert.strictEqual(report.status, before[index]?.report.status, where)
      }
      const outcomes = tally(yield* found.once(found.rotate({ addKey: false })))
      for (const id of ids) assert.include(["Resigned", "Skipped current"], outcomes[id], where)
      assert.deepStrictEqual(
        tally(yield* found.once(found.rotate({ addKey: false }))),
        Object.fromEntries(ids.map((id) => [id, "Skipped current"])),
        where
      )
    })
    return { ...found, ids, reset, check }
  })

  it.effect(
    "because any call fails leaves every session loadable, and a second one finishes it",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const { check, once, reset, rotate } = yield* prepared
        const attempt = Effect.fnUntraced(function*(number: number) {
          yield* reset
          const { counter, hook } = FileSystemHooks.failAt([number])
          let isOn = false
          const outcome = yield* once(
            Effect.result(Effect.suspend(() => {
              isOn = true
              return rotate()
            })),
            (call) => (run) => Effect.suspend(() => isOn ? hook(call)(run) : run)
          )
          const where = `${number}: ${counter.failed.map(({ method, path }) => `${method} ${path}`).join()}`
          if (Result.isFailure(outcome)) assert.strictEqual(outcome.failure._tag, "StoreError", where)
          yield* check(where)
          return counter.seen
        })
        const calls = yield* attempt(Number.POSITIVE_INFINITY)
        assert.isAbove(calls, 50)
        // Every third call, from another one on in each third of them: all kinds of calls are met.
        for (let number = 0; number < calls; number += 7) {
          yield* attempt(number + (Math.floor((number * 3) / calls) % 3))
        }
      })),
    120_000
  )

  it.effect(
    "because it is interrupted at any call leaves every session loadable, and a second one finishes it",
    () =>
      Effect.scoped(Effect.gen(function*() {
        const { check, once, reset, rotate } = yield* prepared
        const attempt = Effect.fnUntraced(function*(number: number) {
          yield* reset
          let seen = 0
          let interrupt = () => {}
          const fiber = yield* Effect.forkChild(
            once(rotate(), () => (run) =>
              Effect.suspend(() => {
                if (seen++ === number) interrupt()
                return run
              })),
            { startImmediately: false }
          )
          interrupt = () => fiber.interruptUnsafe()
          yield* Fiber.await(fiber)
          yield* check(`interrupted at ${number}`)
          return seen
        })
        const calls = yield* attempt(Number.POSITIVE_INFINITY)
        for (let number = 1; number < calls; number += 23) yield* attempt(number)
      })),
    120_000
  )

  it.effect("because its process is killed leaves every session loadable, and a second one finishes it", () =>
    Effect.scoped(Effect.gen(function*() {
      const { check, ids, killed, reset } = yield* prepared
      yield* reset
      const scope = yield* Effect.scope
      // It holds a session and has gone no further.
      yield* killed(Effect.gen(function*() {
        yield* Signer.Signer.use(({ addKey }) => addKey)
        const store = yield* SessionStore.SessionStore
        for (const id of ids) yield* Effect.provideService(store.claim(id), Scope.Scope, scope)
      }))
      yield* check("killed")
    })))

  it.effect("starts nothing, whatever happens", () =>
    Effect.scoped(Effect.gen(function*() {
      const { once, rotate } = yield* prepared
      const running = yield* once(Effect.andThen(rotate(), Supervisor.Supervisor.use(({ running }) => running)))
      assert.deepStrictEqual(running, [])
    })))
})
