import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, FileSystem, Layer, Option, Result, Stream } from "effect"
import { type RunningSession, type Session, type SessionId, type SessionList, Sessions } from "effect-reprise"
import { type FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as Rig from "../suites/rig.ts"

type Services = Layer.Success<ReturnType<typeof Rig.layer>>

/** Numbers that look random and are the same for the same seed. */
const generator = (seed: number) => {
  let state = seed >>> 0
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const list = (filter?: SessionList.Filter) => Stream.runCollect(Sessions.list(filter))

const create = Effect.fnUntraced(function*(project: string, name: string) {
  const fs = yield* FileSystem.FileSystem
  yield* fs.makeDirectory(project, { recursive: true })
  return yield* Sessions.create({ project, name, config: Rig.config })
})

/** A session that nobody touches. */
const createStill = Effect.fnUntraced(function*(project: string, name: string) {
  const running = yield* create(project, name)
  yield* running.append({ role: "user", content: name.repeat(2000) })
  yield* Sessions.close(running.id)
  return (yield* Sessions.load(running.id)).state
})

/** What is known of the session that changes all the time: how many messages were acknowledged, and asked for. */
interface Progress {
  acknowledged: number
  asked: number
}

/** What readers check, once: everything that was there before they looked is still there, whole. */
const look = Effect.fnUntraced(function*(
  still: ReadonlyArray<Session.SessionState>,
  busy: SessionId.SessionId,
  progress: Progress,
  passing: ReadonlySet<SessionId.SessionId>
) {
  const entries = yield* list()
  const ids: Array<string> = []
  for (const entry of entries) {
    assert.strictEqual(
      entry._tag,
      "Stored",
      entry._tag === "Stored" ? "" : `${entry.name}: ${JSON.stringify(entry.error)}`
    )
    if (entry._tag !== "Stored") continue
    ids.push(entry.id)
    assert.match(entry.name, /^(still|busy|passing) \d+$/)
    assert.include(["running", "closed"], entry.status)
  }
  assert.lengthOf(new Set(ids), ids.length)
  assert.includeMembers(ids, [...still.map(({ session }) => session.id), busy])

  for (const state of still) assert.deepStrictEqual((yield* Sessions.load(state.session.id)).state, state)

  const least = progress.acknowledged
  const { state } = yield* Sessions.load(busy)
  assert.isAtLeast(state.conversation.length, least)
  assert.isAtMost(state.conversation.length, progress.asked)
  assert.deepStrictEqual(
    state.conversation.map(({ content }) => content),
    state.conversation.map((_, index) => `message ${index}`)
  )
  assert.strictEqual(state.revision, state.conversation.length)

  for (const id of passing) {
    const loaded = yield* Effect.result(Sessions.load(id))
    if (Result.isFailure(loaded)) assert.strictEqual(loaded.failure._tag, "NotFound")
    else assert.match(loaded.success.state.session.name, /^passing \d+$/)
  }
})

/** Looks again and again until told to stop; says how often. */
const lookUntil = <E>(done: Deferred.Deferred<void>, once: Effect.Effect<void, E, Services>) =>
  Effect.gen(function*() {
    let rounds = 0
    while (!(yield* Deferred.isDone(done))) {
      yield* once
      rounds++
    }
    return rounds
  })

/** Appends to one session, checkpoints, closes and resumes it, as the numbers say. */
const keepBusy = Effect.fnUntraced(function*(
  id: SessionId.SessionId,
  progress: Progress,
  rounds: number,
  next: (below: number) => number
) {
  let running = Option.none<RunningSession>()
  for (let round = 0; round < rounds; round++) {
    if (Option.isNone(running)) {
      running = Option.some(yield* Sessions.resume(id))
      continue
    }
    const choice = next(5)
    if (choice === 0) {
      yield* Sessions.close(id)
      running = Option.none()
    } else if (choice === 1) yield* Sessions.checkpoint(id)
    else {
      const { append } = running.value
      const contents = Array.from({ length: 1 + next(3) }, (_, index) => `message ${progress.asked + index}`)
      progress.asked += contents.length
      yield* Effect.forEach(contents, (content) => append({ role: "user", content }), { concurrency: "unbounded" })
      progress.acknowledged += contents.length
    }
  }
})

/** Creates sessions and takes each through its life to the end of it, as the numbers say. */
const comeAndGo = Effect.fnUntraced(function*(
  root: string,
  passing: Set<SessionId.SessionId>,
  rounds: number,
  next: (below: number) => number
) {
  const lives: Array<{ readonly id: SessionId.SessionId; age: number }> = []
  for (let round = 0; round < rounds; round++) {
    if (lives.length < 4) {
      const { append, id } = yield* create(`${root}/passing ${round}`, `passing ${round}`)
      passing.add(id)
      lives.push({ id, age: 0 })
      yield* append({ role: "user", content: "p".repeat(next(20_000)) })
      continue
    }
    const life = lives[next(lives.length)]
    if (life === undefined) continue
    const steps = [Sessions.close, Sessions.remove, Sessions.restore, Sessions.remove, Sessions.purge]
    yield* steps[life.age]?.(life.id) ?? Effect.void
    life.age++
    if (life.age === steps.length) lives.splice(lives.indexOf(life), 1)
  }
})

describe("Reading beside writing", () => {
  for (const seed of [1, 2]) {
    it.effect(`never misses a session, never shows half of one and never fails (seed ${seed})`, () =>
      Effect.gen(function*() {
        const { root, sessions } = yield* Rig.workspace
        const machine = TestLiveness.machine()
        const limits = { maxStored: 1000, maxRunning: 100 }
        const here = Rig.layer({ sessions, limits, liveness: machine.process().layer })
        const elsewhere = Rig.layer({ sessions, limits, liveness: machine.process().layer })
        yield* Effect.gen(function*() {
          const still: Array<Session.SessionState> = []
          for (const name of ["still 1", "still 2", "still 3"]) still.push(yield* createStill(`${root}/${name}`, name))
          const busy = yield* create(`${root}/busy`, "busy 1")
          yield* Sessions.close(busy.id)

          const next = generator(seed)
          const progress: Progress = { acknowledged: 0, asked: 0 }
          const passing = new Set<SessionId.SessionId>()
          const done = yield* Deferred.make<void>()
          const reader = lookUntil(done, look(still, busy.id, progress, passing))
          const readers = yield* Effect.forkChild(
            Effect.all([
              reader,
              reader,
              Effect.provide(Effect.all([reader, reader], { concurrency: 2 }), elsewhere, { local: true })
            ], { concurrency: 3 })
          )
          yield* Effect.all([
            keepBusy(busy.id, progress, 50, next),
            comeAndGo(root, passing, 40, next)
          ], { concurrency: 2 }).pipe(Effect.ensuring(Deferred.succeed(done, undefined)))
          const [first, second, others] = yield* Fiber.join(readers)
          for (const rounds of [first, second, ...others]) assert.isAbove(rounds, 3)
          assert.isAbove(progress.acknowledged, 10)
          yield* look(still, busy.id, progress, passing)
        }).pipe(Effect.provide(here, { local: true }))
      }))
  }

  it.effect("reads again when the snapshot is replaced between looking at it and opening it", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const machine = TestLiveness.machine()
      const writer = yield* Layer.build(Rig.layer({ sessions, liveness: machine.process().layer }))
      const { session } = yield* Effect.provide(createStill(project, "still 1"), writer)
      const renames = ["still 2", "still 3", "still 4"]
      const hook: FileSystemHooks.Hook = (call) => (run) => {
        const name = call.method === "open" && call.path.endsWith("/session.json") ? renames.shift() : undefined
        return name === undefined
          ? run
          : Effect.andThen(Effect.orDie(Effect.provide(Sessions.rename(session.id, name), writer)), run)
      }
      yield* Effect.gen(function*() {
        const [entry] = yield* list()
        assert.strictEqual(entry?._tag === "Stored" ? entry.name : entry?._tag, "still 4")
        renames.push("still 5", "still 6")
        assert.strictEqual((yield* Sessions.load(session.id)).state.session.name, "still 6")
        assert.deepStrictEqual(renames, [])
      }).pipe(Effect.provide(Rig.layer({ sessions, hook, liveness: machine.process().layer }), { local: true }))
    }))

  it.effect("shows a session that is renamed all the time under one of its names, and always", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const machine = TestLiveness.machine()
      yield* Effect.gen(function*() {
        const { session } = yield* createStill(project, "name 0")
        const done = yield* Deferred.make<void>()
        const reader = lookUntil(
          done,
          Effect.gen(function*() {
            const { name } = yield* Sessions.find({ text: "name", pick: "only" })
            assert.match(name, /^name \d+$/)
            assert.match((yield* Sessions.load(session.id)).state.session.name, /^name \d+$/)
          })
        )
        const reading = yield* Effect.forkChild(reader)
        const renaming = Effect.forEach(
          Array.from({ length: 60 }, (_, index) => `name ${index}`),
          (name) => Sessions.rename(session.id, name)
        )
        yield* Effect.provide(renaming, Rig.layer({ sessions, liveness: machine.process().layer }), { local: true })
          .pipe(
            Effect.ensuring(Deferred.succeed(done, undefined))
          )
        assert.isAbove(yield* Fiber.join(reading), 3)
        assert.strictEqual((yield* Sessions.load(session.id)).state.session.name, "name 59")
      }).pipe(Effect.provide(Rig.layer({ sessions, liveness: machine.process().layer }), { local: true }))
    }))
})
