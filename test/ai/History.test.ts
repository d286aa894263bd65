/** Whatever a session holds, what the model gets is what providers accept. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { type Session, Sessions } from "effect-reprise"
import { SessionChat } from "effect-reprise/ai"
import { TestSessions } from "effect-reprise/testing"
import { config } from "../suites/rig.ts"
import * as Model from "./model.ts"
import * as Rules from "./rules.ts"

/** One message of a conversation that anything may have happened to; calls are numbered as they come. */
const Step = Schema.Union([
  Schema.TaggedStruct("User", { texts: Schema.Array(Schema.Literals(["", "a", "b"])) }),
  Schema.TaggedStruct("Speech", {
    text: Schema.Literals(["", "c", "d"]),
    calls: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))
  }),
  /** Results of some calls, counted back from the last one: in time, late, twice, or of none. */
  Schema.TaggedStruct("Results", {
    of: Schema.NonEmptyArray(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 })))
  })
])

const messagesOf = (steps: ReadonlyArray<typeof Step.Type>): ReadonlyArray<Session.MessageInput> => {
  let calls = 0
  return steps.map((step): Session.MessageInput => {
    switch (step._tag) {
      case "User":
        return { role: "user", content: step.texts.map((text) => ({ type: "text", text })) }
      case "Speech":
        return {
          role: "assistant",
          content: [
            { type: "text", text: step.text },
            ...Array.from({ length: step.calls }, () => ({
              type: "tool-call" as const,
              id: String(calls++),
              name: "tool",
              params: {}
            }))
          ]
        }
      case "Results":
        return {
          role: "tool",
          content: step.of.map((back) => ({
            type: "tool-result",
            id: String(calls - back),
            name: "tool",
            isFailure: false,
            result: back
          }))
        }
    }
  })
}

describe("The history that a model gets", () => {
  it.effect("is accepted by providers, whatever happened to the conversation", () =>
    Effect.gen(function*() {
      const conversations = yield* Arbitrary.sampleEffect(
        Arbitrary.schema(Schema.Array(Step).check(Schema.isMaxLength(10))),
        { count: 60, size: 10, seed: 11 }
      )
      let repaired = 0
      for (const steps of conversations) {
        const session = yield* Sessions.create({ project: "/project", config })
        // The first word is a user's, as in every conversation that a chat began.
        yield* session.append({ role: "user", content: "go" })
        yield* Effect.forEach(messagesOf(steps), session.append, { discard: true })
        const chat = yield* SessionChat.make(session)
        assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [], JSON.stringify(steps))
        yield* Effect.provide(
          chat.generateText({ prompt: "and now?" }),
          Model.layer(Model.inTurn([Model.text("done")]))
        )
        assert.deepStrictEqual((yield* SessionChat.make(session)).repaired, [])
        repaired += chat.repaired.length
        yield* Sessions.close(session.id)
      }
      assert.isAbove(repaired, 50)
    }).pipe(Effect.provide(TestSessions.layerMemory)))
})
