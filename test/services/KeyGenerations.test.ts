import { NodeCrypto, NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Fiber, Layer, Option, Result } from "effect"
import { Signer } from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import { FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"

type KeyRing = Signer.Signer["Service"]

/** A directory for a key ring, and processes that open it. */
const scene = Effect.gen(function*() {
  const { root, sessions } = yield* Rig.workspace
  const machine = TestLiveness.machine()
  const keys = `${root}/keys`
  NodeFs.mkdirSync(keys, { mode: 0o700 })
  const file = `${keys}/keyring.json`
  /** The key ring as another process finds it. */
  const open = (hook: FileSystemHooks.Hook = FileSystemHooks.none) => {
    const platform = Layer.mergeAll(
      Layer.provide(FileSystemHooks.layer(hook), NodeFileSystem.layer),
      NodePath.layer,
      NodeCrypto.layerSecureRandom,
      NodeHmac.layer,
      machine.process().layer
    )
    return Effect.scoped(Effect.map(
      Layer.build(Layer.fresh(Layer.provide(Signer.layerMachineSecret({ file, sessions }), platform))),
      Context.get(Signer.Signer)
    ))
  }
  const names = () => NodeFs.readdirSync(keys).sort()
  return { keys, file, open, names, second: `${keys}/keyring.2.json`, third: `${keys}/keyring.3.json` }
})

/** What a key makes of some bytes. */
const macOf = (ring: KeyRing, id = ring.current) =>
  Option.getOrUndefined(Option.map(ring.mac(id), (mac) => {
    mac.update(Uint8Array.of(1, 2, 3))
    return Buffer.from(mac.digest()).toString("hex")
  }))

const macsOf = (ring: KeyRing) => ring.ids.map((id) => [id, macOf(ring, id)] as const)

describe("A key that is added to a key ring", () => {
  it.effect("signs from then on, and the former keys verify as before, also for who opens it next", () =>
    Effect.gen(function*() {
      const { names, open, second } = yield* scene
      const ring = yield* open()
      const before = macsOf(ring)
      const id = yield* ring.addKey
      assert.strictEqual(ring.current, id)
      assert.deepStrictEqual(ring.ids, [id, ...before.map(([id]) => id)])
      assert.deepStrictEqual(macsOf(ring).slice(1), before)
      assert.notStrictEqual(macOf(ring), before[0]?.[1])
      assert.deepStrictEqual(names(), ["keyring.2.json"])
      assert.strictEqual(NodeFs.statSync(second).mode & 0o777, 0o600)
      assert.deepStrictEqual(macsOf(yield* open()), macsOf(ring))
    }))

  it.effect("is one more each time, and one file each time", () =>
    Effect.gen(function*() {
      const { names, open } = yield* scene
      const ring = yield* open()
      const added = [ring.current]
      for (let count = 0; count < 11; count++) added.unshift(yield* ring.addKey)
      assert.deepStrictEqual(ring.ids, added)
      assert.strictEqual(new Set(macsOf(ring).map(([, mac]) => mac)).size, 12)
      assert.deepStrictEqual(names(), ["keyring.12.json"])
      assert.deepStrictEqual(macsOf(yield* open()), macsOf(ring))
    }))

  it.effect("is taken in by a process that opened the ring before, once it asks, and not again", () =>
    Effect.gen(function*() {
      const { open } = yield* scene
      const one = yield* open()
      const other = yield* open()
      const id = yield* one.addKey
      assert.strictEqual(other.ids.length, 1)
      assert.isUndefined(macOf(other, id))
      assert.isTrue(yield* other.refresh)
      assert.deepStrictEqual(macsOf(other), macsOf(one))
      assert.isFalse(yield* other.refresh)
      assert.strictEqual(other.current, id)
    }))

  it.effect("does not lose those that others add at the same time", () =>
    Effect.gen(function*() {
      const { names, open } = yield* scene
      const rings = [yield* open(), yield* open(), yield* open()]
      const first = yield* open()
      const added = yield* Effect.forEach(
        Array.from({ length: 12 }, (_, index) => rings[index % 3]).flatMap((ring) => ring ?? []),
        (ring) => ring.addKey,
        { concurrency: "unbounded" }
      )
      const last = yield* open()
      assert.includeMembers([...last.ids], [...added, first.current])
      // One whose generation others have built upon already may make a second key.
      assert.isAtLeast(last.ids.length, 13)
      assert.deepStrictEqual(names(), [`keyring.${last.ids.length}.json`])
      for (const ring of rings) {
        yield* ring.refresh
        assert.deepStrictEqual(macsOf(ring), macsOf(last))
      }
    }))

  it.effect(
    "is made by none of the file systems' failures in halves: the ring can be opened after each, with all its keys",
    () =>
      Effect.gen(function*() {
        const attempt = Effect.fnUntraced(function*(number: number) {
          const { keys, names, open } = yield* scene
          let isOn = false
          const { counter, hook } = FileSystemHooks.failAt([number])
          const ring = yield* open((call) => (run) => Effect.suspend(() => isOn ? hook(call)(run) : run))
          const before = macsOf(ring)
          isOn = true
          const outcome = yield* Effect.result(ring.addKey)
          isOn = false
          const call = `${number}: ${counter.failed.map(({ method, path }) => `${method} ${path}`).join()}`
          const again = yield* open()
          assert.deepStrictEqual(macsOf(again).slice(-1), before, call)
          if (Result.isSuccess(outcome)) assert.strictEqual(again.current, outcome.success, call)
          else assert.strictEqual(outcome.failure._tag, "StoreError", call)
          assert.deepStrictEqual(macsOf(ring).slice(-1), before, call)
          yield* ring.addKey
          assert.deepStrictEqual(macsOf(yield* open()), macsOf(ring), call)
          for (const name of names()) assert.strictEqual(NodeFs.statSync(`${keys}/${name}`).mode & 0o777, 0o600, call)
          return counter.seen
        }, Effect.scoped)
        const calls = yield* attempt(Number.POSITIVE_INFINITY)
        assert.isAbove(calls, 8)
        for (let number = 0; number < calls; number++) yield* attempt(number)
      }),
    60_000
  )

  it.effect(
    "is there or not, and the former ones always, when its making is interrupted at any call",
    () =>
      Effect.gen(function*() {
        const attempt = Effect.fnUntraced(function*(number: number) {
          const { open } = yield* scene
          let seen = Number.NEGATIVE_INFINITY
          let interrupt = () => {}
          const ring = yield* open(() => (run) =>
            Effect.suspend(() => {
              if (seen++ === number) interrupt()
              return run
            })
          )
          const before = macsOf(ring)
          seen = 0
          const fiber = yield* Effect.forkChild(ring.addKey, { startImmediately: false })
          interrupt = () => fiber.interruptUnsafe()
          yield* Fiber.await(fiber)
          const again = yield* open()
          assert.deepStrictEqual(macsOf(again).slice(-1), before, String(number))
          assert.include([1, 2], again.ids.length)
          return seen
        }, Effect.scoped)
        const calls = yield* attempt(Number.POSITIVE_INFINITY)
        for (let number = 0; number < calls; number++) yield* attempt(number)
      }),
    60_000
  )

  it.effect("belongs elsewhere where the keys were given: the error says so", () =>
    Effect.gen(function*() {
      const layer = Layer.provide(
        Signer.layer({
          keys: Result.getOrThrow(Signer.keysFromText(`a:${Buffer.alloc(32, 1).toString("base64url")}`))
        }),
        NodeHmac.layer
      )
      const { error, isNew } = yield* Effect.provide(
        Signer.Signer.use((ring) => Effect.all({ error: Effect.flip(ring.addKey), isNew: ring.refresh })),
        layer
      )
      assert.strictEqual(error._tag, "StoreError")
      assert.include(String(error.cause), "given from outside")
      assert.isFalse(isNew)
    }))
})

describe("A key ring of which a crash left", () => {
  it.effect("two generations: the second counts, and the next key leaves one", () =>
    Effect.gen(function*() {
      const { file, names, open, second } = yield* scene
      const ring = yield* open()
      const first = NodeFs.readFileSync(file)
      yield* ring.addKey
      NodeFs.writeFileSync(file, first, { mode: 0o600 })
      assert.deepStrictEqual(names(), ["keyring.2.json", "keyring.json"])
      const again = yield* open()
      assert.deepStrictEqual(macsOf(again), macsOf(ring))
      const content = NodeFs.readFileSync(second)
      yield* again.addKey
      assert.deepStrictEqual(names(), ["keyring.3.json"])
      assert.lengthOf(again.ids, 3)
      assert.notDeepEqual(NodeFs.readFileSync(second.replace("keyring.2", "keyring.3")), content)
    }))

  it.effect("only the second generation: it counts, and no new ring is made", () =>
    Effect.gen(function*() {
      const { names, open } = yield* scene
      const ring = yield* open()
      yield* ring.addKey
      assert.deepStrictEqual(names(), ["keyring.2.json"])
      assert.deepStrictEqual(macsOf(yield* open()), macsOf(ring))
      assert.deepStrictEqual(names(), ["keyring.2.json"])
    }))

  it.effect("a hole: the highest generation counts, by number and not by name", () =>
    Effect.gen(function*() {
      const { file, keys, names, open } = yield* scene
      const ring = yield* open()
      const first = NodeFs.readFileSync(file)
      yield* ring.addKey
      NodeFs.renameSync(`${keys}/keyring.2.json`, `${keys}/keyring.10.json`)
      NodeFs.writeFileSync(`${keys}/keyring.9.json`, first, { mode: 0o600 })
      const again = yield* open()
      assert.deepStrictEqual(macsOf(again), macsOf(ring))
      yield* again.addKey
      assert.deepStrictEqual(names(), ["keyring.11.json"])
    }))

  it.effect("names that only look like generations: they are left alone and count for nothing", () =>
    Effect.gen(function*() {
      const { keys, names, open } = yield* scene
      const ring = yield* open()
      const others = [
        "keyring.0.json",
        "keyring.02.json",
        "keyring.-3.json",
        "keyring.9.json.bak",
        "keyring.x.json",
        "other.9.json"
      ]
      for (const name of others) NodeFs.writeFileSync(`${keys}/${name}`, "not a key ring")
      assert.deepStrictEqual(macsOf(yield* open()), macsOf(ring))
      yield* ring.addKey
      assert.deepStrictEqual(names(), [...others, "keyring.2.json"].sort())
    }))

  for (
    const [name, spoil] of [
      ["an empty one", (file: string) => NodeFs.writeFileSync(file, "")],
      ["one that others can read", (file: string) => NodeFs.chmodSync(file, 0o644)],
      ["a link", (file: string) => {
        NodeFs.renameSync(file, `${file}.moved`)
        NodeFs.symlinkSync(`${file}.moved`, file)
      }]
    ] as const
  ) {
    it.effect(`${name} as the last generation is refused, though an earlier one is good`, () =>
      Effect.gen(function*() {
        const { file, names, open, second } = yield* scene
        const ring = yield* open()
        const first = NodeFs.readFileSync(file)
        yield* ring.addKey
        NodeFs.writeFileSync(file, first, { mode: 0o600 })
        spoil(second)
        const before = names()
        assert.strictEqual((yield* Effect.flip(open()))._tag, "StoreError")
        assert.strictEqual((yield* Effect.flip(ring.refresh))._tag, "StoreError")
        assert.strictEqual((yield* Effect.flip(ring.addKey))._tag, "StoreError")
        // It goes on with the keys that it has.
        assert.lengthOf(ring.ids, 2)
        assert.isString(macOf(ring))
        assert.deepStrictEqual(names(), before)
      }))
  }
})
