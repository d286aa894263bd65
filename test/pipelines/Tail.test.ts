import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { Sessions } from "effect-reprise"
import { TestLiveness } from "effect-reprise/testing"
import * as Rig from "../suites/rig.ts"

const texts = (messages: ReadonlyArray<{ readonly content: unknown }>) => messages.map(({ content }) => content)

/** A closed session of five messages; the third has more in it than text. */
const spoken = Effect.fnUntraced(function*(project: string) {
  const session = yield* Sessions.create({ project, name: "long", config: Rig.config })
  for (const content of ["one", "two", "{\"a\\n\": [[\"]}\n", "four", "five"]) {
    yield* session.append({ role: "user", content, usage: { inputTokens: 1, outputTokens: 2, totalCost: 0.5 } })
  }
  yield* Sessions.close(session.id)
  return { id: session.id, stored: (yield* Sessions.load(session.id)).state }
})

const within = <A, E>(
  use: (space: { readonly project: string; readonly sessions: string }) => Effect.Effect<A, E, Rig.Services>
) =>
  Effect.scoped(
    Effect.flatMap(Effect.provide(Rig.workspace, Rig.layerPlatform), (space) =>
      Effect.provide(use(space), Rig.layer({ sessions: space.sessions })))
  )

describe("A session that is resumed with a tail", () => {
  for (const tail of [0, 1, 3, 4, 5, 9]) {
    it.effect(`begins with the last ${tail} messages, and has the others when they are asked for`, () =>
      within(Effect.fnUntraced(function*({ project }) {
        const { id, stored } = yield* spoken(project)
        const session = yield* Sessions.resume(id, { tail })
        const state = yield* session.state
        const from = Math.max(0, 5 - tail)
        assert.deepStrictEqual(state, { ...stored, conversation: stored.conversation.slice(from) })
        assert.deepStrictEqual(yield* session.earlier, stored.conversation.slice(0, from))
      })))

    it.effect(`of ${tail} is saved with all its messages, by a checkpoint and by a close`, () =>
      within(Effect.fnUntraced(function*({ project }) {
        const { id, stored } = yield* spoken(project)
        const session = yield* Sessions.resume(id, { tail })
        yield* session.append({ role: "user", content: "six" })
        yield* session.checkpoint
        const open = yield* Sessions.load(id)
        assert.deepStrictEqual(texts(open.state.conversation), [...texts(stored.conversation), "six"])
        yield* session.append({ role: "user", content: "seven" })
        yield* Sessions.close(id)
        const closed = yield* Sessions.load(id)
        assert.deepStrictEqual(texts(closed.state.conversation), [...texts(stored.conversation), "six", "seven"])
        assert.deepStrictEqual(closed.state.usage, stored.usage)
        const found = yield* Sessions.find({ project })
        assert.strictEqual(found.messages, 7)
      })))
  }

  it.effect("has everything that its journal holds beside so many of the snapshot's", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Effect.provide(Rig.workspace, Rig.layerPlatform)
      const machine = TestLiveness.machine()
      const process = <A, E>(effect: Effect.Effect<A, E, Rig.Services>) =>
        Effect.provide(effect, Rig.layer({ sessions, liveness: machine.process().layer }), { local: true })
      yield* process(Effect.gen(function*() {
        const { id } = yield* spoken(project)
        const former = yield* Sessions.resume(id)
        yield* former.append({ role: "user", content: "six" })
        yield* process(Effect.gen(function*() {
          const session = yield* Sessions.resume(id, { tail: 1, takeOver: true })
          assert.deepStrictEqual(texts((yield* session.state).conversation), ["five", "six"])
          assert.deepStrictEqual(texts(yield* session.earlier), ["one", "two", "{\"a\\n\": [[\"]}\n", "four"])
        }))
      }))
    }).pipe(Effect.scoped))

  it.effect("is refused where a message that is not in the tail was changed", () =>
    within(Effect.fnUntraced(function*({ project, sessions }) {
      const { id } = yield* spoken(project)
      const fs = yield* FileSystem.FileSystem
      const file = `${sessions}/${id}/session.json`
      yield* fs.writeFileString(file, (yield* fs.readFileString(file)).replace("\"one\"", "\"uno\""))
      const error = yield* Effect.flip(Sessions.resume(id, { tail: 1 }))
      assert.strictEqual(error._tag === "InvalidJson" && error.reason._tag, "BadSignature")
    })))

  it.effect("is refused where that is no number of messages", () =>
    within(Effect.fnUntraced(function*({ project }) {
      const { id } = yield* spoken(project)
      for (const tail of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
        const error = yield* Effect.flip(Sessions.resume(id, { tail }))
        assert.strictEqual(error._tag === "RestoreFailed" && error.reason._tag, "InvalidSession")
      }
    })))
})
