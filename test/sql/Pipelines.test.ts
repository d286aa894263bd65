import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Option, Result, type Scope, Stream } from "effect"
import {
  type Liveness,
  ProjectDirectory,
  ResumeLimit,
  SessionList,
  Sessions,
  SessionStore,
  Supervisor
} from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import { TestLiveness, TestSessions } from "effect-reprise/testing"
import { Kdf, SecureRandom } from "effect/crypto"
import { TestClock } from "effect/testing"
import * as Rig from "../suites/rig.ts"
import * as SqlStack from "../suites/sql-stack.ts"

type Services =
  | SessionStore.SessionStore
  | ProjectDirectory.ProjectDirectory
  | ResumeLimit.ResumeLimit
  | Supervisor.Supervisor
  | SecureRandom.SecureRandom
  | Layer.Success<typeof TestSessions.layerSigner>

/** A place that processes share, and the services that one of them has. */
interface Place {
  readonly as: <A, E>(
    program: Effect.Effect<A, E, Services>,
    liveness?: Layer.Layer<Liveness.Liveness>
  ) => Effect.Effect<A, unknown>
}

const files = Effect.map(Rig.workspace, ({ sessions }): Place => ({
  as: (program, liveness = TestLiveness.machine().process().layer) =>
    Effect.provide(
      program,
      Layer.mergeAll(
        SessionStore.layerFileSystem({ directory: sessions }),
        ProjectDirectory.layerNone,
        ResumeLimit.layerOff,
        Supervisor.layer,
        TestSessions.layerSigner
      ).pipe(Layer.provideMerge(Layer.mergeAll(
        NodeFileSystem.layer,
        NodePath.layer,
        SecureRandom.layerWebCrypto,
        Kdf.layerWebCrypto,
        NodeHmac.layer,
        liveness
      ))),
      { local: true }
    )
}))

const places: ReadonlyArray<{ readonly name: string; readonly place: Effect.Effect<Place, unknown, Scope.Scope> }> = [
  { name: "files", place: files },
  ...SqlStack.kinds.map(({ name, place }) => ({
    name,
    place: Effect.map(place, (client): Place => ({
      as: (program, liveness) => SqlStack.run(program, { client, ...(liveness === undefined ? {} : { liveness }) })
    }))
  }))
]

const entriesOf = (status?: ReadonlyArray<SessionList.Status>) =>
  Stream.runCollect(Sessions.list(status === undefined ? {} : { status }))

/** What a list shows of each session, but for what is different each time. */
const shown = Effect.map(
  Effect.all([entriesOf(), entriesOf(["removed"])]),
  (lists) =>
    lists.flat().map((entry) =>
      SessionList.isStored(entry)
        ? `${entry.name} ${entry.status} ${entry.messages} ${entry.todosOpen} ${entry.closedAt ?? "open"} ${
          entry.holder === undefined ? "nobody" : "held"
        } ${entry.removedAt ?? "kept"}`
        : entry._tag
      // Files take their time from the disk, whatever the `Clock` shows.
    ).sort()
)

const create = (name: string) => Sessions.create({ project: `/projects/${name}`, name, config: Rig.config })

/** A life in which each operation happens, and what is seen at each step. */
const life = Effect.fnUntraced(function*({ as }: Place) {
  const seen: Array<unknown> = []
  const see = <A, E, R>(what: string, effect: Effect.Effect<A, E, R>) =>
    Effect.gen(function*() {
      const result = yield* Effect.result(effect)
      const reason = Result.isFailure(result)
        ? JSON.stringify(result.failure).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "ID")
        : "done"
      seen.push([what, reason, yield* shown])
    })

  const id = yield* as(Effect.gen(function*() {
    const session = yield* create("first")
    yield* see("append", session.append({ role: "user", content: "one" }))
    yield* see("todos", session.replaceTodos([{ content: "do", status: "pending", activeForm: "doing" }]))
    yield* see("checkpoint", session.checkpoint)
    yield* TestClock.adjust("1 second")
    yield* see("append", session.append({ role: "assistant", content: "two" }))
    yield* see("remove while it runs", Sessions.remove(session.id))
    yield* see("resume while it runs", Sessions.resume(session.id))
    yield* see("close", Sessions.close(session.id))
    yield* see("close again", Sessions.close(session.id))
    yield* see("append after close", session.append({ role: "user", content: "late" }))
    return session.id
  }))
  yield* as(Effect.gen(function*() {
    yield* TestClock.adjust("1 second")
    yield* see("resume", Sessions.resume(id))
    const session = Option.getOrThrow(yield* Supervisor.Supervisor.use(({ get }) => get(id)))
    yield* see("append", session.append({ role: "user", content: "three" }))
    yield* Supervisor.Supervisor.use(({ discard }) => discard(id))
    yield* see("left", Effect.void)
    yield* see("remove what was left", Sessions.remove(id))
  }))
  yield* as(Effect.gen(function*() {
    yield* see("resume what was left", Sessions.resume(id))
    yield* see("close", Sessions.close(id))
    yield* see("rename", Sessions.rename(id, "renamed"))
    const { report, state } = yield* Sessions.load(id)
    seen.push(
      state.conversation.map(({ content }) => content),
      state.revision,
      report.status,
      report.events,
      report.bytes > 0
    )
    yield* see("remove", Sessions.remove(id))
    yield* see("load from the trash", Sessions.verify(id))
    yield* see("resume from the trash", Sessions.resume(id))
    yield* see("purge another", Sessions.purge(yield* Effect.map(create("second"), ({ id }) => id)))
    yield* see("restore", Sessions.restore(id))
    yield* see("remove again", Sessions.remove(id))
    yield* TestClock.adjust("60 days")
    const { purged, removed, skipped } = yield* Sessions.cleanup()
    seen.push(removed.length, purged.length, skipped.map(({ reason }) => reason))
    yield* see("load what is gone", Sessions.load(id))
  }))
  return seen
})

describe("Over a database", () => {
  it.effect("every operation does what it does over files, and lists say the same words", () =>
    Effect.gen(function*() {
      const [overFiles, ...overDatabases] = yield* Effect.forEach(places, ({ place }) =>
        Effect.scoped(Effect.flatMap(place, life)).pipe(Effect.provide(TestClock.layer(), { local: true })))
      assert.isAbove(overFiles?.length ?? 0, 25)
      for (const seen of overDatabases) {
        assert.deepStrictEqual(seen, overFiles)
      }
    }))
})
