import { assert, it } from "@effect/vitest"
import { Effect, Layer, Option } from "effect"
import { Sessions } from "effect-reprise"
import { type FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as Rig from "../suites/rig.ts"

it.live("A close succeeds beside another process that resumes the session as soon as it is released", () =>
  Effect.gen(function*() {
    const { project, sessions } = yield* Rig.workspace
    const machine = TestLiveness.machine()
    const other = yield* Layer.build(Rig.layer({ sessions, liveness: machine.process().layer }))
    let whenLinked = Option.none<Effect.Effect<unknown>>()
    const hook: FileSystemHooks.Hook = (call) => (run) =>
      Effect.suspend(() => {
        if (call.method !== "link" || Option.isNone(whenLinked)) return run
        const { value } = whenLinked
        whenLinked = Option.none()
        return Effect.tap(run, value)
      })
    const layer = Rig.layer({ sessions, liveness: machine.process().layer, hook })
    yield* Effect.gen(function*() {
      const session = yield* Sessions.create({ project, config: Rig.config })
      yield* session.append({ role: "user", content: "said" })
      whenLinked = Option.some(
        Effect.orDie(Effect.provide(Sessions.resume(session.id), other))
      )
      yield* Sessions.close(session.id)
      const { state } = yield* Effect.provide(Sessions.load(session.id), other)
      assert.deepStrictEqual(state.conversation.map(({ content }) => content), ["said"])
    }).pipe(Effect.provide(layer, { local: true }))
  }).pipe(Effect.scoped))
