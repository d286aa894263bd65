/** What a running session's appends notice of a directory that has been at rest for a while. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { type SessionError, Sessions } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

const workspace = Effect.acquireRelease(
  Effect.sync(() => NodeFs.realpathSync(NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reprise-watch-")))),
  (root) => Effect.sync(() => NodeFs.rmSync(root, { recursive: true, force: true }))
)

/** Long enough ago that any change from now on shows. */
const longAgo = new Date("2020-01-01T00:00:00Z")

const assertLost = (error: SessionError.EventRejected | SessionError.SessionEnded | SessionError.StoreError) =>
  assert.isTrue(error._tag === "SessionEnded" && error.reason._tag === "LeaseLost", error.message)

const say = { role: "user", content: "hello" } as const

for (const smallCalls of ["threads", "synchronous"] as const) {
  /** A session that has appended to its directory at rest, and so may remember what is in it. */
  const running = Effect.gen(function*() {
    const root = yield* workspace
    const directory = NodePath.join(root, "sessions")
    const services = yield* Layer.build(NodeSessions.layer({ directory, smallCalls }))
    const session = yield* Effect.provide(
      Sessions.create({
        name: "watched",
        project: root,
        config: { provider: "test", model: "test", temperature: 0, maxTokens: 1 }
      }),
      services
    )
    const own = NodePath.join(directory, session.id)
    yield* session.append(say)
    NodeFs.utimesSync(own, longAgo, longAgo)
    yield* session.append(say)
    yield* session.append(say)
    return { session, own }
  })

  const journalIn = (directory: string) =>
    NodeFs.readdirSync(directory).filter((name) => name.startsWith("journal."))
      .map((name) => NodeFs.readFileSync(NodePath.join(directory, name), "utf8")).join("")

  describe(`Appending to a session whose directory is at rest (${smallCalls})`, () => {
    it.live("goes on while nothing changes in it", () =>
      Effect.gen(function*() {
        const { own, session } = yield* running
        yield* session.append(say)
        assert.lengthOf(journalIn(own).trim().split("\n"), 5)
        assert.deepStrictEqual(NodeFs.statSync(own).mtime, longAgo)
      }))

    it.live("ends with a lost lease as soon as another one is higher", () =>
      Effect.gen(function*() {
        const { own, session } = yield* running
        NodeFs.writeFileSync(NodePath.join(own, "lease.1000.json"), "")
        const before = journalIn(own)
        const error = yield* Effect.flip(session.append(say))
        assertLost(error)
        assert.strictEqual(journalIn(own), before)
      }))

    it.live("ends with a lost lease where another directory of the same age took its place", () =>
      Effect.gen(function*() {
        const { own, session } = yield* running
        NodeFs.renameSync(own, `${own}.aside`)
        NodeFs.mkdirSync(own)
        NodeFs.utimesSync(own, longAgo, longAgo)
        const error = yield* Effect.flip(session.append(say))
        assertLost(error)
        assert.lengthOf(journalIn(`${own}.aside`).trim().split("\n"), 4)
      }))

    it.live("ends with a lost lease where it is gone", () =>
      Effect.gen(function*() {
        const { own, session } = yield* running
        NodeFs.renameSync(own, `${own}.aside`)
        const error = yield* Effect.flip(session.append(say))
        assertLost(error)
      }))
  })
}
