import { NodeCrypto, NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Deferred, Effect, Fiber, Layer, Option, Result } from "effect"
import { Sessions, Signer } from "effect-reprise"
import { NodeHmac, NodeSessions } from "effect-reprise/node"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import { inspect } from "node:util"
import * as Rig from "../suites/rig.ts"

const makeScene = Effect.gen(function*() {
  const { project, root, sessions } = yield* Rig.workspace
  const machine = TestLiveness.machine()
  const keys = `${root}/keys`
  NodeFs.mkdirSync(keys, { mode: 0o700 })
  const file = `${keys}/keyring.json`
  const boot = (hook: FileSystemHooks.Hook = FileSystemHooks.none) => {
    const { layer, pid } = machine.process()
    const platform = Layer.mergeAll(
      Layer.provide(FileSystemHooks.layer(hook), NodeFileSystem.layer),
      NodePath.layer,
      NodeCrypto.layerSecureRandom,
      NodeHmac.layer,
      layer
    )
    return {
      platform,
      kill: Effect.sync(() => machine.kill(pid)),
      /** The key ring, as a layer of this process finds or makes it. */
      open: Effect.scoped(Effect.map(
        Layer.build(Layer.fresh(Layer.provide(Signer.layerMachineSecret({ file, sessions }), platform))),
        Context.get(Signer.Signer)
      ))
    }
  }
  /** A session of its own, signed with the key ring. */
  const store = Effect.gen(function*() {
    const services = Layer.provideMerge(
      NodeSessions.layerServices({ directory: sessions, keyFile: file }),
      boot().platform
    )
    return yield* Effect.flatMap(
      Sessions.create({ project, name: "signed", config: Rig.config }),
      ({ id }) => Effect.as(Sessions.close(id), id)
    ).pipe(Effect.provide(services, { local: true }))
  })
  return { boot, file, keys, root, sessions, store }
})

/** Everything below a directory: what it is, its mode, and its bytes. */
const everything = (directory: string): ReadonlyArray<string> =>
  NodeFs.readdirSync(directory, { recursive: true, encoding: "utf8" }).sort().map((name) => {
    const path = `${directory}/${name}`
    const info = NodeFs.lstatSync(path)
    const content = info.isFile()
      ? NodeFs.readFileSync(path, "latin1")
      : info.isSymbolicLink()
      ? NodeFs.readlinkSync(path)
      : ""
    return `${name} ${info.mode.toString(8)} ${content}`
  })

const macOf = (keyRing: Signer.Signer["Service"], id = keyRing.current) =>
  Option.map(keyRing.mac(id), (mac) => {
    mac.update(new Uint8Array([1, 2, 3]))
    return Buffer.from(mac.digest()).toString("hex")
  })

describe("A key ring file", () => {
  it.effect("is made with one key that only its owner can read, and found again", () =>
    Effect.gen(function*() {
      const { boot, file, keys } = yield* makeScene
      const first = yield* boot().open
      const before = everything(keys)
      const second = yield* boot().open
      assert.deepStrictEqual(first.ids, [first.current])
      assert.deepStrictEqual(macOf(first), macOf(second))
      assert.isTrue(Option.isSome(macOf(first)))
      assert.strictEqual(NodeFs.statSync(file).mode & 0o777, 0o600)
      assert.deepStrictEqual(everything(keys), before)
      assert.lengthOf(before, 1)
    }))

  it.effect("has another secret on another machine", () =>
    Effect.gen(function*() {
      const one = yield* (yield* makeScene).boot().open
      const other = yield* (yield* makeScene).boot().open
      assert.notStrictEqual(one.current, other.current)
      assert.notDeepEqual(macOf(one), macOf(other))
    }))

  it.effect("signs with its first key and verifies with all", () =>
    Effect.gen(function*() {
      const { boot, file } = yield* makeScene
      const old = yield* boot().open
      const ring: unknown = JSON.parse(NodeFs.readFileSync(file, "utf8"))
      const newest = {
        id: "newest",
        secret: Buffer.alloc(32, 1).toString("base64url"),
        createdAt: "2026-01-31T09:30:00.000Z"
      }
      assert.isTrue(isRing(ring))
      if (!isRing(ring)) return
      NodeFs.writeFileSync(file, JSON.stringify({ ...ring, keys: [newest, ...ring.keys] }))
      const rotated = yield* boot().open
      assert.deepStrictEqual(rotated.ids, ["newest", old.current])
      assert.strictEqual(rotated.current, "newest")
      assert.deepStrictEqual(macOf(rotated, old.current), macOf(old))
    }))

  it.effect("that is missing once sessions are stored is not made anew", () =>
    Effect.gen(function*() {
      const { boot, file, root, store } = yield* makeScene
      yield* store
      NodeFs.rmSync(file)
      const before = everything(root)
      const error = yield* Effect.flip(boot().open)
      assert.strictEqual(error._tag, "StoreError")
      assert.match(inspect(error), /missing/)
      assert.deepStrictEqual(everything(root), before)
    }))

  it.effect("that is missing while only sessions in the trash are stored is not made anew", () =>
    Effect.gen(function*() {
      const { boot, file, root, sessions, store } = yield* makeScene
      const id = yield* store
      yield* Sessions.remove(id).pipe(
        Effect.provide(
          Layer.provideMerge(NodeSessions.layerServices({ directory: sessions, keyFile: file }), boot().platform),
          { local: true }
        )
      )
      NodeFs.rmSync(file)
      const before = everything(root)
      assert.strictEqual((yield* Effect.flip(boot().open))._tag, "StoreError")
      assert.deepStrictEqual(everything(root), before)
    }))
})

const isRing = (value: unknown): value is { readonly keys: ReadonlyArray<unknown> } =>
  typeof value === "object" && value !== null && "keys" in value && Array.isArray(value.keys)

const secret = Buffer.alloc(32, 7).toString("base64url")
const short = Buffer.alloc(31, 7).toString("base64url")
const createdAt = "2026-01-31T09:30:00.000Z"
const ringOf = (...keys: ReadonlyArray<unknown>) => JSON.stringify({ version: 1, keys })

/** What may be in the place of a key ring, made from a good one. */
const unusable: ReadonlyArray<{ readonly name: string; readonly spoil: (file: string) => void }> = [
  { name: "is empty", spoil: (file) => NodeFs.writeFileSync(file, "") },
  { name: "is cut short", spoil: (file) => NodeFs.truncateSync(file, 80) },
  { name: "is garbage", spoil: (file) => NodeFs.writeFileSync(file, Buffer.from([0xff, 0xfe, 0, 1, 2])) },
  { name: "is a bare secret", spoil: (file) => NodeFs.writeFileSync(file, secret) },
  {
    name: "is of another version",
    spoil: (file) =>
      NodeFs.writeFileSync(file, `{"version":2,"keys":[{"id":"k","secret":"${secret}","createdAt":"${createdAt}"}]}`)
  },
  { name: "has no key", spoil: (file) => NodeFs.writeFileSync(file, ringOf()) },
  {
    name: "has a secret of 31 bytes",
    spoil: (file) => NodeFs.writeFileSync(file, ringOf({ id: "k", secret: short, createdAt }))
  },
  {
    name: "has a short secret behind a good one",
    spoil: (file) =>
      NodeFs.writeFileSync(file, ringOf({ id: "k", secret, createdAt }, { id: "l", secret: short, createdAt }))
  },
  {
    name: "has an empty secret",
    spoil: (file) => NodeFs.writeFileSync(file, ringOf({ id: "k", secret: "", createdAt }))
  },
  {
    name: "has a secret that is not base64url",
    spoil: (file) => NodeFs.writeFileSync(file, ringOf({ id: "k", secret: `${secret}!`, createdAt }))
  },
  {
    name: "has an id twice",
    spoil: (file) => NodeFs.writeFileSync(file, ringOf({ id: "k", secret, createdAt }, { id: "k", secret, createdAt }))
  },
  {
    name: "has an id that is none",
    spoil: (file) => NodeFs.writeFileSync(file, ringOf({ id: "a.b", secret, createdAt }))
  },
  {
    name: "is huge",
    spoil: (file) => NodeFs.writeFileSync(file, ringOf({ id: "k", secret, createdAt }) + " ".repeat(100_000))
  },
  { name: "can be read by its group", spoil: (file) => NodeFs.chmodSync(file, 0o640) },
  { name: "can be read by everybody", spoil: (file) => NodeFs.chmodSync(file, 0o604) },
  { name: "can be written by its group", spoil: (file) => NodeFs.chmodSync(file, 0o620) },
  {
    name: "is a directory",
    spoil: (file) => {
      NodeFs.rmSync(file)
      NodeFs.mkdirSync(file)
    }
  },
  {
    name: "is a link to itself elsewhere",
    spoil: (file) => {
      NodeFs.renameSync(file, `${file}.moved`)
      NodeFs.symlinkSync(`${file}.moved`, file)
    }
  },
  {
    name: "is a link to nothing",
    spoil: (file) => {
      NodeFs.rmSync(file)
      NodeFs.symlinkSync(`${file}.moved`, file)
    }
  },
  {
    name: "is a FIFO",
    spoil: (file) => {
      NodeFs.rmSync(file)
      NodeChildProcess.execFileSync("mkfifo", ["-m", "600", file])
    }
  }
]

for (const when of ["before any session is stored", "once sessions are stored"]) {
  describe(`A key ring file, ${when}, that`, () => {
    for (const { name, spoil } of unusable) {
      it.effect(`${name} is refused, left as it is, and its secrets are not told`, () =>
        Effect.gen(function*() {
          const { boot, file, root, store } = yield* makeScene
          yield* when === "once sessions are stored" ? store : boot().open
          spoil(file)
          const before = everything(root)
          const error = yield* Effect.flip(boot().open)
          assert.strictEqual(error._tag, "StoreError")
          assert.deepStrictEqual(everything(root), before)
          for (const text of [error.message, String(error), JSON.stringify(error), inspect(error, { depth: 10 })]) {
            assert.notInclude(text, secret.slice(0, 20))
            assert.notInclude(text, short.slice(0, 20))
          }
        }))
    }
  })
}

describe("A first run", () => {
  it.effect("at any call of which the disk fails makes no key ring or a whole one, and can be repeated", () =>
    Effect.gen(function*() {
      const attempt = Effect.fnUntraced(function*(number: number) {
        const { boot, keys } = yield* makeScene
        const { counter, hook } = FileSystemHooks.failAt([number])
        let isOn = true
        const process = boot((call) => (run) => Effect.suspend(() => isOn ? hook(call)(run) : run))
        const result = yield* Effect.result(process.open)
        isOn = false
        if (Result.isFailure(result)) assert.strictEqual(result.failure._tag, "StoreError")
        assert.includeDeepMembers([[], ["keyring.json"]], [NodeFs.readdirSync(keys)])
        const again = yield* process.open
        assert.deepStrictEqual(macOf(again), macOf(yield* boot().open))
        assert.deepStrictEqual(NodeFs.readdirSync(keys), ["keyring.json"])
        return counter.seen
      }, Effect.scoped)
      const calls = yield* attempt(Number.POSITIVE_INFINITY)
      assert.isAbove(calls, 10)
      for (let number = 0; number < calls; number++) yield* attempt(number)
    }))

  it.effect("that is suspended at any call does not keep others from making one, and ends with theirs", () =>
    Effect.gen(function*() {
      const attempt = Effect.fnUntraced(function*(number: number) {
        const { boot, keys } = yield* makeScene
        const reached = yield* Deferred.make<void>()
        const released = yield* Deferred.make<void>()
        let seen = 0
        const slow = boot(() => (run) =>
          Effect.suspend(() =>
            seen++ === number
              ? Deferred.succeed(reached, undefined).pipe(Effect.andThen(Deferred.await(released)), Effect.andThen(run))
              : run
          )
        )
        const fiber = yield* Effect.forkScoped(Effect.ensuring(slow.open, Deferred.succeed(reached, undefined)))
        yield* Deferred.await(reached)
        // Before the fiber is interrupted, which waits for it.
        yield* Effect.addFinalizer(() => Deferred.succeed(released, undefined))
        const other = yield* boot().open
        yield* Deferred.succeed(released, undefined)
        assert.deepStrictEqual(macOf(yield* Fiber.join(fiber)), macOf(other))
        assert.deepStrictEqual(macOf(yield* boot().open), macOf(other))
        assert.deepStrictEqual(NodeFs.readdirSync(keys), ["keyring.json"])
        return seen
      }, Effect.scoped)
      const calls = yield* attempt(Number.POSITIVE_INFINITY)
      assert.isAbove(calls, 10)
      for (let number = 0; number < calls; number++) yield* attempt(number)
    }))

  it.effect("that is killed at any call leaves nothing that the next one does not sweep", () =>
    Effect.gen(function*() {
      const attempt = Effect.fnUntraced(function*(number: number) {
        const { boot, keys } = yield* makeScene
        const reached = yield* Deferred.make<void>()
        const released = yield* Deferred.make<void>()
        let seen = 0
        const victim = boot(() => (run) =>
          Effect.suspend(() =>
            seen++ === number
              ? Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(released)).pipe(Effect.andThen(run))
              : run
          )
        )
        yield* Effect.forkScoped(Effect.ensuring(Effect.ignore(victim.open), Deferred.succeed(reached, undefined)))
        yield* Deferred.await(reached)
        // Before the fiber is interrupted, which waits for it.
        yield* Effect.addFinalizer(() => Deferred.succeed(released, undefined))
        yield* victim.kill
        const next = yield* boot().open
        assert.deepStrictEqual(NodeFs.readdirSync(keys), ["keyring.json"])
        assert.deepStrictEqual(macOf(yield* boot().open), macOf(next))
        return seen
      }, Effect.scoped)
      const calls = yield* attempt(Number.POSITIVE_INFINITY)
      for (let number = 0; number < calls; number++) yield* attempt(number)
    }))

  it.effect("at the same time as many others, in two processes, ends with the same key as all of them", () =>
    Effect.gen(function*() {
      const { boot, file, keys } = yield* makeScene
      const processes = [boot(), boot()]
      const rings = yield* Effect.forEach(
        Array.from({ length: 64 }, (_, index) => processes[index % 2]).flatMap((process) => process ?? []),
        ({ open }) => open,
        { concurrency: "unbounded" }
      )
      assert.lengthOf([...new Set(rings.map((ring) => Option.getOrThrow(macOf(ring))))], 1)
      assert.deepStrictEqual(NodeFs.readdirSync(keys), ["keyring.json"])
      assert.strictEqual(NodeFs.statSync(file).mode & 0o777, 0o600)
    }))

  it.effect("leaves alone what a living process has under way", () =>
    Effect.gen(function*() {
      const { boot, keys } = yield* makeScene
      const reached = yield* Deferred.make<void>()
      const slow = boot(({ method }) => (run) =>
        method === "link" ? Effect.andThen(Deferred.succeed(reached, undefined), Effect.never) : run
      )
      yield* Effect.forkDetach(slow.open)
      yield* Deferred.await(reached)
      const underWay = NodeFs.readdirSync(keys)
      assert.lengthOf(underWay, 1)
      yield* boot().open
      assert.includeMembers(NodeFs.readdirSync(keys), [...underWay, "keyring.json"])
    }))
})
