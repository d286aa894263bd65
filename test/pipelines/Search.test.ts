import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer, Logger, Stream } from "effect"
import { type SessionId, Sessions, SessionStore } from "effect-reprise"
import { NodePatternGuard } from "effect-reprise/node"
import { TestLiveness, TestSessions } from "effect-reprise/testing"
import { TestClock } from "effect/testing"
import * as NodeFs from "node:fs"
import * as Rig from "../suites/rig.ts"
import * as SqlStack from "../suites/sql-stack.ts"
import * as Stack from "../suites/stack.ts"

/** A session in which something is said, a second after the last one; left running. */
const begin = Effect.fnUntraced(function*(name: string, project: string, ...texts: ReadonlyArray<string>) {
  yield* TestClock.adjust("1 second")
  const session = yield* Sessions.create({ project, name, config: Rig.config })
  yield* Effect.forEach(texts, (content) => session.append({ role: "user", content }), { discard: true })
  return session.id
})

const closed = Effect.fnUntraced(function*(name: string, project: string, ...texts: ReadonlyArray<string>) {
  const id = yield* begin(name, project, ...texts)
  yield* Sessions.close(id)
  return id
})

const search = (query: Sessions.SearchQuery) => Stream.runCollect(Sessions.search(query))

/** What was found, in a word each. */
const told = (results: Iterable<Sessions.SearchResult>) =>
  Array.from(results, (result) =>
    result._tag === "Match"
      ? `${result.session.name} ${result.number} ${result.text}`
      : `${result.entry._tag} ${result.error._tag}`)

const found = (query: Sessions.SearchQuery) => Effect.map(search(query), told)

describe("A search", () => {
  it.effect("finds what was said in any session, the newest first, whatever it is doing", () =>
    Effect.gen(function*() {
      const { project, root, sessions } = yield* Rig.workspace
      const other = `${root}/other`
      NodeFs.mkdirSync(other)
      const machine = TestLiveness.machine()
      const [one, two, three] = [machine.process(), machine.process(), machine.process()]
      yield* Stack.run(closed("closed", project, "no", "A Fox"), { sessions })
      yield* Stack.run(
        Effect.gen(function*() {
          yield* begin("interrupted", project, "fox 1")
          machine.kill(one.pid)
          yield* Stack.run(
            Effect.gen(function*() {
              yield* begin("running", other, "fox 2, fox 3")
              const looking = Effect.gen(function*() {
                assert.sameMembers(yield* found({ text: "fox" }), [
                  "running 1 fox",
                  "running 1 fox",
                  "interrupted 1 fox",
                  "closed 2 Fox"
                ])
                const results = yield* search({ text: "fox", project: other })
                const [match] = results
                if (match?._tag !== "Match") return assert.fail("found nothing")
                assert.deepInclude(match, { role: "user", place: "text", before: "", text: "fox", after: " 2, fox 3" })
                assert.deepInclude(match.session, { status: "running", projectPath: other })
                assert.deepStrictEqual(yield* found({ text: "fox", status: ["interrupted"] }), ["interrupted 1 fox"])
                assert.deepStrictEqual(yield* found({ text: /f.x$/i, status: ["closed"] }), ["closed 2 Fox"])
              })
              yield* Stack.run(looking, { sessions, liveness: three.layer })
            }),
            { sessions, liveness: two.layer }
          )
        }),
        { sessions, liveness: one.layer }
      )
    }))

  it.effect("tells of every session that can't be read, and of files of other formats, and goes on", () =>
    Effect.gen(function*() {
      const { project, root, sessions } = yield* Rig.workspace
      yield* Stack.run(
        Effect.gen(function*() {
          yield* closed("good", project, "fox")
          const changed = yield* closed("changed", project, "fox")
          const headless = yield* closed("headless", project, "fox")
          const file = (id: SessionId.SessionId) => `${sessions}/${id}/session.json`
          NodeFs.writeFileSync(file(changed), NodeFs.readFileSync(file(changed), "utf8").replace("\"fox\"", "\"Fox\""))
          NodeFs.truncateSync(file(headless))
          NodeFs.writeFileSync(`${sessions}/6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10.json`, "{}")
          const before = Stack.everything(sessions)
          const all = ["good 1 fox", "Stored InvalidJson", "Broken InvalidJson", "Foreign InvalidJson"]
          assert.sameMembers(yield* found({ text: "fox" }), all)
          assert.sameMembers(yield* found({ text: "fox", project }), all)
          assert.sameMembers(yield* found({ text: "fox", status: ["closed"] }), all)
          assert.sameMembers(yield* found({ text: "fox", project: root }), [
            "Broken InvalidJson",
            "Foreign InvalidJson"
          ])
          assert.deepStrictEqual(Stack.everything(sessions), before)
        }),
        { sessions }
      )
    }))

  it.effect("looks into the trash only where it is asked to", () =>
    Effect.gen(function*() {
      const id = yield* closed("removed", "/project", "fox")
      yield* Sessions.remove(id)
      assert.deepStrictEqual(yield* found({ text: "fox" }), [])
      assert.deepStrictEqual(yield* found({ text: "fox", status: ["removed"] }), ["removed 1 fox"])
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))

  it.effect("ends with the last match that is asked for, and reads no session behind it", () =>
    Effect.gen(function*() {
      for (const name of ["one", "two", "three"]) yield* closed(name, "/project", "fox fox", "fox")
      const reads: Array<SessionId.SessionId> = []
      const counting = SessionStore.SessionStore.useSync((store) => ({
        ...store,
        read: (id: SessionId.SessionId) => Effect.andThen(Effect.sync(() => reads.push(id)), store.read(id))
      }))
      const limited = (limit: number) =>
        Effect.provideServiceEffect(found({ text: "fox", limit }), SessionStore.SessionStore, counting)
      assert.deepStrictEqual(yield* limited(4), ["three 1 fox", "three 1 fox", "three 2 fox", "two 1 fox"])
      assert.lengthOf(reads, 2)
      assert.deepStrictEqual(yield* limited(0), [])
      assert.lengthOf(yield* limited(100), 9)
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))

  it.effect("leaves out a session that is deleted while it searches", () =>
    Effect.gen(function*() {
      const [one] = [yield* closed("one", "/project", "fox"), yield* closed("two", "/project", "fox")]
      const names = yield* Stream.runCollect(Stream.tap(
        Sessions.search({ text: "fox" }),
        () => Effect.andThen(Sessions.remove(one), Sessions.purge(one))
      ))
      assert.deepStrictEqual(told(names), ["two 1 fox"])
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))

  it.effect("holds a few matches at a time, however many there are, and lets others have a turn", () =>
    Effect.gen(function*() {
      yield* closed("many", "/project", "x".repeat(1000))
      const sizes: Array<number> = []
      let turns = 0
      const others = yield* Effect.forkChild(
        Effect.forever(Effect.andThen(Effect.sync(() => turns++), Effect.yieldNow))
      )
      yield* Stream.runForEachArray(
        Sessions.search({ text: "x" }),
        (matches) => Effect.sync(() => sizes.push(matches.length))
      )
      yield* Fiber.interrupt(others)
      assert.strictEqual(sizes.reduce((sum, size) => sum + size, 0), 1000)
      assert.isAtMost(Math.max(...sizes), 64)
      assert.isAbove(turns, 3)
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))

  it.effect("is stopped where an expression takes for ever, says so, and goes on with the next session", () =>
    Effect.gen(function*() {
      yield* closed("harmless", "/project", "aaa")
      yield* closed("hard", "/project", "aa", `${"a".repeat(40)}b`)
      const results = yield* search({ text: /^(a+)+$/ })
      assert.deepStrictEqual(told(results), ["hard 1 aa", "Stored PatternTooSlow", "harmless 1 aaa"])
      assert.include(results[1]?._tag === "Unsearched" ? results[1].error.message : "", "stopped after 700ms")
      assert.deepStrictEqual(yield* found({ text: "aab" }), ["hard 2 aab"])
    }).pipe(
      Effect.provide(Layer.merge(TestSessions.layerMemory, NodePatternGuard.layer("700 millis")), { local: true })
    ))

  it.effect("for nothing finds nothing", () =>
    Effect.gen(function*() {
      yield* closed("one", "/project", "fox")
      assert.deepStrictEqual(yield* found({ text: "" }), [])
      assert.deepStrictEqual(yield* found({ text: /$/ }), [])
    }).pipe(Effect.provide(TestSessions.layerMemory, { local: true })))

  for (const { name, place } of SqlStack.kinds) {
    it.live(`finds in ${name} what is there`, () =>
      Effect.gen(function*() {
        const client = yield* place
        const results = yield* SqlStack.run(
          Effect.gen(function*() {
            const session = yield* Sessions.create({ project: "/project", name: "one", config: Rig.config })
            yield* session.append({ role: "user", content: "a fox" })
            return yield* found({ text: "FOX", project: "/project" })
          }),
          { client }
        )
        assert.deepStrictEqual(results, ["one 1 fox"])
      }).pipe(Effect.provide(Logger.layer([]))))
  }
})

describe("What stops expressions on Node", () => {
  it.effect("gives the result of work that is done in time, and a defect where it throws", () =>
    Effect.gen(function*() {
      const { run } = NodePatternGuard.make("1 minute")
      assert.deepStrictEqual(yield* run(() => [1, 2]), [1, 2])
      assert.isUndefined(yield* run(() => undefined))
      const exit = yield* Effect.exit(run(() => {
        throw new Error("mistake")
      }))
      assert.include(String(exit._tag === "Failure" ? exit.cause : ""), "mistake")
    }))
})
