import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Option, Redacted, type Scope, Stream } from "effect"
import {
  ProjectDirectory,
  ResumeLimit,
  SessionError,
  type SessionId,
  SessionLimits,
  Sessions,
  SessionStore,
  Signer,
  Supervisor
} from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import { SqlSessionStore } from "effect-reprise/sql"
import { FileSystemHooks, TestLiveness, TestSessions } from "effect-reprise/testing"
import { Kdf } from "effect/crypto"
import { SqlClient } from "effect/sql"
import * as NodeFs from "node:fs"
import * as Encrypted from "../suites/encryption.ts"
import * as Rig from "../suites/rig.ts"
import * as SqlStack from "../suites/sql-stack.ts"
import { fingerprint } from "../suites/tree.ts"

const over = 1024
const picture = (seed: number): string => Buffer.alloc(2 * over, `picture ${seed}`).toString("base64")

type StoreLayer = Layer.Layer<SessionStore.SessionStore, unknown>

const limits = { ...SessionLimits.defaults, blobOver: over }
const limited = Layer.provide(Layer.succeed(SessionLimits.SessionLimits, limits))

/** All services over a store, which everything in the scope sees as one process. */
const stackOn = (store: StoreLayer, signer = TestSessions.layerSigner) =>
  Layer.build(
    Supervisor.layer.pipe(
      Layer.provideMerge(
        Layer.mergeAll(
          store,
          signer,
          ProjectDirectory.layerNone,
          ResumeLimit.layerOff,
          NodeHmac.layer,
          Kdf.layerWebCrypto
        )
      ),
      Layer.provideMerge(Rig.layerPlatform),
      limited,
      Layer.fresh
    )
  )

type Stack = Effect.Success<ReturnType<typeof stackOn>>

/** A place for sessions: as often as its layer is built, it sees the same ones. */
interface Kind {
  readonly name: string
  readonly place: Effect.Effect<StoreLayer, unknown, Scope.Scope>
}

const onThisMachine = (layer: Layer.Layer<SessionStore.SessionStore, unknown, Layer.Success<typeof machine>>) =>
  layer.pipe(Layer.provide(machine), limited)
const machine = Layer.merge(Rig.layerPlatform, TestLiveness.machine().process().layer)

const memory: Kind = {
  name: "memory",
  place: Effect.map(Layer.build(Layer.fresh(limited(SessionStore.layerMemory))), (kept) => Layer.succeedContext(kept))
}
const inFiles = (directory: string) => onThisMachine(SessionStore.layerFileSystem({ directory }))
const files: Kind = { name: "files", place: Effect.map(Rig.workspace, ({ sessions }) => inFiles(sessions)) }
const [sqlite, postgres] = SqlStack.kinds.map(({ name, place }): Kind => ({
  name,
  place: Effect.map(place, (client) => onThisMachine(Layer.provide(SqlSessionStore.layer(), client)))
}))
const encrypted = (kind: Kind, byte: number): Kind => ({
  name: `encrypted ${kind.name}`,
  place: Effect.map(
    kind.place,
    (store) => Layer.provide(SessionStore.layerEncrypted(store), Encrypted.layer([Encrypted.key("own", byte)]))
  )
})

const plain = [memory, files, sqlite, postgres].filter((kind) => kind !== undefined)
const pairs: ReadonlyArray<readonly [Kind, Kind]> = [
  ...plain.flatMap((from) => plain.map((to) => [from, to] as const)),
  [encrypted(files, 1), files],
  [files, encrypted(files, 2)],
  [encrypted(files, 1), encrypted(memory, 2)],
  ...(postgres === undefined ? [] : [[encrypted(files, 1), encrypted(postgres, 2)] as const])
]

const create = (name: string) => Sessions.create({ project: `/project/${name}`, name, config: Rig.config })

/** Says something, and shows a picture, which is stored beside the session. */
const talk = Effect.fnUntraced(function*(name: string, seed: number) {
  const running = yield* create(name)
  yield* running.append({ role: "user", content: `hello ${seed}` })
  yield* running.append({ role: "user", content: [{ type: "file", mediaType: "image/png", data: picture(seed) }] })
  return running
})

const closed = Effect.fnUntraced(function*(name: string, seed: number) {
  const { id } = yield* talk(name, seed)
  yield* Sessions.close(id)
  return id
})

/** One whose holder is gone, with what it said in its journal. */
const interrupted = Effect.fnUntraced(function*(name: string, seed: number) {
  const { id } = yield* talk(name, seed)
  yield* Effect.scoped(SessionStore.SessionStore.use(({ claim }) => claim(id, { takeOver: true })))
  return id
})

const removed = Effect.fnUntraced(function*(name: string, seed: number) {
  const id = yield* closed(name, seed)
  yield* Sessions.remove(id)
  return id
})

/** Sessions in every state, by it. */
const world = Effect.gen(function*() {
  return {
    closed: yield* closed("closed", 1),
    interrupted: yield* interrupted("interrupted", 2),
    removed: yield* removed("removed", 3),
    running: (yield* talk("running", 4)).id
  }
})

const copies = (from: Stack) =>
  Effect.map(
    Stream.runCollect(Sessions.copyFrom(Context.get(from, SessionStore.SessionStore))),
    (all) => all.toSorted((self, that) => self.name < that.name ? -1 : 1)
  )

const tellOf = ({ name, outcome }: Sessions.Copy): string => {
  if (outcome._tag === "Skipped") return `${name}: skipped, ${outcome.reason}`
  if (outcome._tag === "Different") {
    return `${name}: different, ${outcome.revision} and ${Option.getOrElse(outcome.found, () => "?")}`
  }
  if (outcome._tag !== "Failed") return `${name}: ${outcome._tag.toLowerCase()}`
  const { at, error } = outcome
  return `${name}: failed at the ${at}, ${"reason" in error ? error.reason._tag : error._tag}`
}

const told = (from: Stack) => Effect.map(copies(from), (all) => all.map(tellOf))

/** What a list shows, by name. Files tell by their own time when a journal was written. */
const list = Effect.map(
  Stream.runCollect(Sessions.list({ status: ["closed", "interrupted", "removed"] })),
  (entries) =>
    entries.flatMap((entry) => {
      if (entry._tag !== "Stored") return []
      const { bytes: _bytes, holder: _holder, updatedAt, ...shown } = entry
      return [shown.status === "interrupted" ? shown : { ...shown, updatedAt }]
    }).toSorted((self, that) => self.name < that.name ? -1 : 1)
)

/** Everything that a session says, its pictures too. */
const everything = Effect.fnUntraced(function*(id: SessionId.SessionId) {
  const { state } = yield* Sessions.load(id)
  return {
    ...state,
    conversation: yield* Effect.forEach(state.conversation, (message) => Sessions.materialise(id, message))
  }
})

/** The rows of a database, with when each was written. */
const rows = Effect.fnUntraced(function*() {
  const sql = yield* SqlClient.SqlClient
  const tables = ["reprise_sessions", "reprise_snapshots", "reprise_journal", "reprise_blobs", "reprise_originals"]
  const written = sql.onDialectOrElse({ pg: () => "xmin::text, ctid::text", orElse: () => "rowid" })
  return yield* Effect.forEach(
    tables,
    (table) => sql`SELECT ${sql.literal(written)}, * FROM ${sql(table)} ORDER BY 1, 2`
  )
})

describe("Sessions.copyFrom", () => {
  for (const [from, to] of pairs) {
    it.effect(`brings every session at rest from ${from.name} to ${to.name}, as it is`, () =>
      Effect.gen(function*() {
        const source = yield* stackOn(yield* from.place)
        const there = yield* to.place
        const target = yield* stackOn(there)
        const ids = yield* Effect.provide(world, source)
        const before = yield* Effect.provide(list, source)

        assert.deepStrictEqual(yield* Effect.provide(told(source), target), [
          "closed: copied",
          "interrupted: copied",
          "removed: copied",
          "running: skipped, running"
        ])
        assert.deepStrictEqual(yield* Effect.provide(list, target), before)
        for (const id of [ids.closed, ids.interrupted, ids.removed]) {
          assert.deepStrictEqual(
            yield* Effect.provide(everything(id), target),
            yield* Effect.provide(everything(id), source)
          )
        }
        assert.deepStrictEqual(yield* Effect.provide(told(source), target), [
          "closed: present",
          "interrupted: present",
          "removed: present",
          "running: skipped, running"
        ])

        // Gone on with there, it is another one: the source does not take its place.
        const goOn = Effect.gen(function*() {
          const running = yield* Sessions.resume(ids.interrupted)
          yield* running.append({ role: "assistant", content: "elsewhere" })
          yield* Sessions.close(ids.interrupted)
          return yield* everything(ids.interrupted)
        })
        const gone = yield* Effect.provide(goOn, target)
        yield* Effect.provide(Sessions.restore(ids.removed), target)
        assert.deepStrictEqual(yield* Effect.provide(told(source), target), [
          "closed: present",
          "interrupted: different, 2 and 3",
          "removed: different, 2 and 2",
          "running: skipped, running"
        ])
        assert.deepStrictEqual(yield* Effect.provide(everything(ids.interrupted), target), gone)
        yield* Effect.provide(Sessions.verify(ids.interrupted), target)
      }))
  }

  it.effect("leaves every file of its source as it was", () =>
    Effect.gen(function*() {
      const { sessions } = yield* Rig.workspace
      yield* Effect.scoped(Effect.flatMap(stackOn(inFiles(sessions)), (stack) => Effect.provide(world, stack)))
      const before = fingerprint(sessions)
      const source = yield* stackOn(inFiles(sessions))
      const target = yield* stackOn(yield* memory.place)
      const outcomes = yield* Effect.provide(copies(source), target)
      assert.strictEqual(outcomes.filter(({ outcome }) => outcome._tag === "Copied").length, 4)
      assert.strictEqual(fingerprint(sessions), before)
    }))

  for (const { name, place } of SqlStack.kinds) {
    it.effect(`leaves every row of its source in ${name} as it was`, () =>
      Effect.gen(function*() {
        const client = yield* Layer.build(yield* place)
        const store = onThisMachine(Layer.provide(SqlSessionStore.layer(), Layer.succeedContext(client)))
        const source = yield* stackOn(store)
        yield* Effect.provide(Effect.all([closed("closed", 1), interrupted("interrupted", 2)]), source)
        const before = yield* Effect.provide(rows(), client)
        const target = yield* stackOn(yield* memory.place)
        assert.deepStrictEqual(yield* Effect.provide(told(source), target), ["closed: copied", "interrupted: copied"])
        assert.deepStrictEqual(yield* Effect.provide(rows(), client), before)
      }))
  }

  it.effect("tells what is damaged at its source, stores nothing of it, and goes on with the others", () =>
    Effect.gen(function*() {
      const { sessions } = yield* Rig.workspace
      const source = yield* stackOn(inFiles(sessions))
      const make = Effect.all([closed("blob", 1), closed("missing", 2), closed("snapshot", 3), closed("well", 4)])
      const [blob, missing, snapshot] = yield* Effect.provide(make, source)
      const blobOf = (id: string) => `${sessions}/${id}/blobs/${NodeFs.readdirSync(`${sessions}/${id}/blobs`)[0]}`
      NodeFs.appendFileSync(blobOf(blob), "x")
      NodeFs.rmSync(blobOf(missing))
      NodeFs.writeFileSync(
        `${sessions}/${snapshot}/session.json`,
        NodeFs.readFileSync(`${sessions}/${snapshot}/session.json`, "utf8").replace("hello", "hullo")
      )
      NodeFs.writeFileSync(`${sessions}/${blob.replace(/^./, "0")}.json`, "{}")
      const target = yield* stackOn(yield* files.place)
      assert.deepStrictEqual(yield* Effect.provide(told(source), target), [
        `${blob.replace(/^./, "0")}.json: skipped, foreign`,
        "blob: failed at the source, BlobDamaged",
        "missing: failed at the source, BlobMissing",
        "snapshot: failed at the source, BadSignature",
        "well: copied"
      ])
      assert.deepStrictEqual((yield* Effect.provide(list, target)).map(({ name }) => name), ["well"])
    }))

  it.effect("stores nothing that the key ring here can't verify, and tells that the key is unknown", () =>
    Effect.gen(function*() {
      const key = { id: "other", secret: Redacted.make(new Uint8Array(32).fill(3)) }
      const other = Layer.provide(Signer.layer({ keys: [key] }), NodeHmac.layer)
      const source = yield* stackOn(yield* memory.place, other)
      yield* Effect.provide(closed("one", 1), source)
      const target = yield* stackOn(yield* memory.place)
      assert.deepStrictEqual(yield* Effect.provide(told(source), target), ["one: failed at the source, UnknownKey"])
      const withItsSigner = Sessions.copyFrom(Context.get(source, SessionStore.SessionStore), {
        signer: Context.get(source, Signer.Signer)
      })
      const [copy] = yield* Effect.provide(Stream.runCollect(withItsSigner), target)
      assert.strictEqual(copy && tellOf(copy), "one: failed at the destination, UnknownKey")
      assert.deepStrictEqual(yield* Effect.provide(list, target), [])
    }))

  it.effect("keeps to the limit on stored sessions, and removes nothing to make room", () =>
    Effect.gen(function*() {
      const source = yield* stackOn(yield* memory.place)
      yield* Effect.provide(Effect.all([closed("a", 1), closed("b", 2), removed("c", 3)]), source)
      const small = { ...limits, maxStored: 2, whenFull: "removeOldest" as const }
      const target = yield* stackOn(
        Layer.provide(Layer.fresh(SessionStore.layerMemory), Layer.succeed(SessionLimits.SessionLimits, small))
      )
      yield* Effect.provide(closed("own", 4), target)
      const all = yield* Effect.provide(told(source), target)
      assert.strictEqual(all.filter((line) => line.endsWith("failed at the destination, TooManyStored")).length, 1)
      assert.strictEqual(all.filter((line) => line.endsWith("copied")).length, 2)
      const names = (yield* Effect.provide(list, target)).map(({ name }) => name)
      assert.include(names, "own")
    }))

  it.effect("tells of a session that was changed while it was copied", () =>
    Effect.gen(function*() {
      const source = yield* stackOn(yield* memory.place)
      const id = yield* Effect.provide(closed("one", 1), source)
      const store = Context.get(source, SessionStore.SessionStore)
      const change = Effect.gen(function*() {
        const running = yield* Sessions.resume(id)
        yield* running.append({ role: "user", content: "meanwhile" })
        yield* Sessions.close(id)
      })
      const changing: SessionStore.SessionStore["Service"] = {
        ...store,
        readBlob: (...args) => Effect.tap(store.readBlob(...args), Effect.orDie(Effect.provide(change, source)))
      }
      const target = yield* stackOn(yield* memory.place)
      const [copy] = yield* Effect.provide(Stream.runCollect(Sessions.copyFrom(changing)), target)
      assert.isTrue(copy?.outcome._tag === "Copied" && copy.outcome.isOutdated)
      yield* Effect.provide(Sessions.verify(id), target)
    }))

  it.effect("tells at which side a store failed, and goes on where only one session is concerned", () =>
    Effect.gen(function*() {
      const source = yield* stackOn(yield* memory.place)
      const target = yield* stackOn(yield* memory.place)
      const [first] = yield* Effect.provide(Effect.all([closed("a", 1), closed("b", 2)]), source)
      const from = Context.get(source, SessionStore.SessionStore)
      const to = Context.get(target, SessionStore.SessionStore)
      const error = new SessionError.StoreError({ operation: "read", cause: new Error("unreadable") })
      const unreadable: SessionStore.SessionStore["Service"] = {
        ...from,
        readBlob: (id, ...args) => id === first ? error : from.readBlob(id, ...args)
      }
      const unwritable: SessionStore.SessionStore["Service"] = {
        ...to,
        deposit: (id, session) => id === first ? error : to.deposit(id, session)
      }
      const copied = (from: SessionStore.SessionStore["Service"], to: SessionStore.SessionStore["Service"]) =>
        Stream.runCollect(Sessions.copyFrom(from)).pipe(
          Effect.map((all) => all.map(tellOf).sort()),
          Effect.provideService(SessionStore.SessionStore, to),
          Effect.provide(target)
        )
      assert.deepStrictEqual(yield* copied(unreadable, to), ["a: failed at the source, StoreError", "b: copied"])
      assert.deepStrictEqual(yield* copied(from, unwritable), [
        "a: failed at the destination, StoreError",
        "b: present"
      ])
    }))

  it.effect("ends with the error of a store that can't be reached any more", () =>
    Effect.gen(function*() {
      const source = yield* stackOn(yield* memory.place)
      yield* Effect.provide(Effect.all([closed("a", 1), closed("b", 2)]), source)
      const store = Context.get(source, SessionStore.SessionStore)
      const gone = new SessionError.StoreError({ operation: "read", cause: new Error("gone") })
      let reads = 0
      const leaving: SessionStore.SessionStore["Service"] = {
        ...store,
        entries: Stream.suspend(() => reads === 0 ? store.entries : Stream.fail(gone)),
        read: () => Effect.suspend(() => (reads++, gone))
      }
      const target = yield* stackOn(yield* memory.place)
      const error = yield* Effect.flip(Effect.provide(Stream.runCollect(Sessions.copyFrom(leaving)), target))
      assert.strictEqual(error, gone)
    }))

  it.effect("leaves nothing half done where a call of its destination fails, and goes on with the next run", () =>
    Effect.gen(function*() {
      const source = yield* stackOn(yield* memory.place)
      yield* Effect.provide(Effect.all([interrupted("interrupted", 1), closed("closed", 2)]), source)
      const expected = yield* Effect.provide(list, source)
      let isOver = false
      let trials = 0
      for (let at = 0; !isOver; at += 8) {
        const { sessions } = yield* Rig.workspace
        let seen = 0
        const hook: FileSystemHooks.Hook = () => (run) =>
          Effect.suspend(() => seen++ === at ? Effect.andThen(run, Effect.die("here")) : run)
        const broken = onThisMachine(
          Layer.provide(
            SessionStore.layerFileSystem({ directory: sessions }),
            Layer.provide(FileSystemHooks.layer(hook), Rig.layerPlatform)
          )
        )
        yield* Effect.exit(
          Effect.scoped(Effect.flatMap(stackOn(broken), (stack) => Effect.provide(told(source), stack)))
        )
        isOver = seen <= at
        trials++
        const target = yield* stackOn(inFiles(sessions))
        for (const entry of yield* Effect.provide(list, target)) {
          assert.deepInclude(expected, entry)
          yield* Effect.provide(Sessions.verify(entry.id), target)
        }
        yield* Effect.provide(told(source), target)
        assert.deepStrictEqual(yield* Effect.provide(list, target), expected)
      }
      assert.isAbove(trials, 8)
    }))
})
