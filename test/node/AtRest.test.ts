/** What a process that has loaded a session at rest notices when it loads it again. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { Sessions } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import type * as Leases from "../../src/services/store/Leases.ts"
import * as Recollections from "../../src/services/store/Recollections.ts"

const workspace = Effect.acquireRelease(
  Effect.sync(() => NodeFs.realpathSync(NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reprise-rest-")))),
  (root) => Effect.sync(() => NodeFs.rmSync(root, { recursive: true, force: true }))
)

/** Long enough ago that any change from now on shows. */
const longAgo = new Date("2020-01-01T00:00:00Z")

const say = (content: string) => ({ role: "user", content }) as const

for (const smallCalls of ["threads", "synchronous"] as const) {
  /** A closed session that one process has loaded while it was at rest, and a process beside that. */
  const remembered = Effect.gen(function*() {
    const root = yield* workspace
    const directory = NodePath.join(root, "sessions")
    const process = Effect.map(
      Layer.build(Layer.fresh(NodeSessions.layer({ directory, smallCalls }))),
      (services) => <A, E>(effect: Effect.Effect<A, E, NodeSessions.Services>) =>
        Effect.provideContext(effect, services)
    )
    const [reader, other] = [yield* process, yield* process]
    const { id } = yield* other(Sessions.create({
      name: "at rest",
      project: root,
      config: { provider: "test", model: "test", temperature: 0, maxTokens: 1 }
    }))
    yield* other(Sessions.close(id))
    const own = NodePath.join(directory, id)
    NodeFs.utimesSync(own, longAgo, longAgo)
    const load = reader(Sessions.load(id))
    yield* load
    assert.strictEqual((yield* load).report.status, "closed")
    return { id, load, other, own }
  })

  describe(`A session at rest that is loaded again (${smallCalls})`, () => {
    it.live("is the same while nothing changes", () =>
      Effect.gen(function*() {
        const { load, own } = yield* remembered
        assert.strictEqual((yield* load).report.status, "closed")
        assert.deepStrictEqual(NodeFs.statSync(own).mtime, longAgo)
      }))

    it.live("is known without its lease, which is never written again", () =>
      Effect.gen(function*() {
        const { load, own } = yield* remembered
        const [lease = ""] = NodeFs.readdirSync(own).filter((name) => name.startsWith("lease."))
        NodeFs.writeFileSync(NodePath.join(own, lease), "by hand")
        assert.strictEqual((yield* load).report.holder._tag, "Some")
        NodeFs.utimesSync(own, longAgo, new Date("2020-01-01T00:00:01Z"))
        assert.strictEqual((yield* load).report.holder._tag, "None")
      }))

    it.live("has what another process has added to it meanwhile, and runs there", () =>
      Effect.gen(function*() {
        const { id, load, other } = yield* remembered
        const session = yield* other(Sessions.resume(id))
        assert.strictEqual((yield* load).report.status, "running")
        yield* session.append(say("hello"))
        const { report, state } = yield* load
        assert.deepStrictEqual(state.conversation.map(({ content }) => content), ["hello"])
        assert.strictEqual(report.events, 1)
      }))

    it.live("is read without a journal that is gone, even where its directory tells an old time", () =>
      Effect.gen(function*() {
        const { id, load, other, own } = yield* remembered
        const session = yield* other(Sessions.resume(id))
        const later = new Date("2020-01-01T00:00:01Z")
        yield* session.append(say("hello"))
        NodeFs.utimesSync(own, longAgo, later)
        assert.strictEqual((yield* load).report.events, 1)
        for (const name of NodeFs.readdirSync(own)) {
          if (name.startsWith("journal.")) NodeFs.rmSync(NodePath.join(own, name))
        }
        NodeFs.utimesSync(own, longAgo, later)
        assert.strictEqual((yield* load).report.events, 0)
      }))

    it.live("is in the trash, and gone, as soon as it is", () =>
      Effect.gen(function*() {
        const { id, load, other } = yield* remembered
        yield* other(Sessions.remove(id))
        assert.strictEqual((yield* load).report.status, "removed")
        yield* other(Sessions.purge(id))
        assert.strictEqual((yield* Effect.flip(load))._tag, "NotFound")
      }))

    it.live("is refused where its snapshot was changed in place", () =>
      Effect.gen(function*() {
        const { load, own } = yield* remembered
        const file = NodePath.join(own, "session.json")
        NodeFs.writeFileSync(file, NodeFs.readFileSync(file, "utf8").replace("at rest", "AT REST"))
        NodeFs.utimesSync(own, longAgo, longAgo)
        const error = yield* Effect.flip(load)
        assert.strictEqual(error._tag === "InvalidJson" && error.reason._tag, "BadSignature")
      }))

    it.live("is what another directory of the same age holds that took its place", () =>
      Effect.gen(function*() {
        const { load, own } = yield* remembered
        NodeFs.cpSync(own, `${own}.copy`, { recursive: true })
        NodeFs.renameSync(own, `${own}.aside`)
        const [lease = ""] = NodeFs.readdirSync(`${own}.copy`).filter((name) => name.startsWith("lease."))
        NodeFs.rmSync(NodePath.join(`${own}.copy`, lease))
        NodeFs.renameSync(`${own}.copy`, own)
        NodeFs.utimesSync(own, longAgo, longAgo)
        assert.isTrue((yield* load).report.holder._tag === "None")
      }))

    it.live("is read as it stands where its directory changed a moment ago", () =>
      Effect.gen(function*() {
        const { load, own } = yield* remembered
        const [lease = ""] = NodeFs.readdirSync(own).filter((name) => name.startsWith("lease."))
        const past = new Date()
        NodeFs.utimesSync(own, past, past)
        yield* load
        const bytes = NodeFs.readFileSync(NodePath.join(own, lease))
        NodeFs.rmSync(NodePath.join(own, lease))
        NodeFs.utimesSync(own, past, past)
        assert.isTrue((yield* load).report.holder._tag === "None")
        NodeFs.writeFileSync(NodePath.join(own, lease), bytes)
        NodeFs.utimesSync(own, past, past)
        assert.isTrue((yield* load).report.holder._tag === "Some")
      }))
  })
}

describe("Recollections of directories", () => {
  const version = (identity: string) => ({ identity, size: 1, mode: 0o700, mtime: Option.none() })
  const names = ["session.json"]
  const highest: Leases.Highest = { epoch: 0, lease: Option.none(), isTorn: false }

  it("are of the version that they were kept for, once any change would show", () => {
    const kept = Recollections.make()
    kept.keep("/a", version("1"), { names, highest })
    assert.deepStrictEqual(kept.of("/a", { version: version("1"), isSettled: true })?.names, names)
    assert.isUndefined(kept.of("/a", { version: version("1"), isSettled: false }))
    assert.isUndefined(kept.of("/a", { version: version("2"), isSettled: true }))
    assert.isUndefined(kept.of("/b", { version: version("1"), isSettled: true }))
  })

  it("are not kept where the lease could not be read", () => {
    const kept = Recollections.make()
    kept.keep("/a", version("1"), { names, highest: { ...highest, epoch: 3 } })
    assert.isUndefined(kept.of("/a", { version: version("1"), isSettled: true }))
  })

  it("are kept of a thousand directories, and the first goes for the next", () => {
    const kept = Recollections.make()
    for (let index = 0; index <= 1000; index++) kept.keep(`/${index}`, version("1"), { names, highest })
    const settled = { version: version("1"), isSettled: true }
    assert.isUndefined(kept.of("/0", settled))
    assert.isDefined(kept.of("/1", settled))
    assert.isDefined(kept.of("/1000", settled))
  })
})
