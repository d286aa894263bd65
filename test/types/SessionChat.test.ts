import { describe, expectTypeOf, it } from "@effect/vitest"
import { Context, type Effect, Schema, type Stream } from "effect"
import type { RunningSession, SessionError } from "effect-reprise"
import { SessionChat } from "effect-reprise/ai"
import { type AiError, type LanguageModel, type Prompt, type Response, Tool, Toolkit } from "effect/ai"

type Change = SessionError.EventRejected | SessionError.SessionEnded | SessionError.StoreError

/** A service that a tool needs. */
class Disk extends Context.Service<Disk, { readonly name: string }>()("test/types/SessionChat/Disk") {}

class Full extends Schema.TaggedError<Full>()("Full", {}) {}

const Save = Tool.make("save", {
  parameters: Schema.Struct({ bytes: Schema.FiniteFromString }),
  success: Schema.Date,
  failure: Full,
  dependencies: [Disk]
})

const toolkit = Toolkit.make(Save)

declare const session: RunningSession
declare const chat: SessionChat.SessionChat
declare const withHandler: Toolkit.WithHandler<{ readonly save: typeof Save }>

const typeOf = <A>(make: () => A): A | undefined => make.length > 0 ? make() : undefined

describe("The types of a SessionChat", () => {
  it("pin what a chat is made from, fails with and needs", () => {
    expectTypeOf(typeOf(() => SessionChat.make(session))).toEqualTypeOf<
      Effect.Effect<SessionChat.SessionChat, Change> | undefined
    >()
    expectTypeOf(typeOf(() => SessionChat.make(session, { toolkit, system: "x" }))).toEqualTypeOf<
      Effect.Effect<SessionChat.SessionChat, Change, Tool.Handler<"save"> | Disk> | undefined
    >()
    expectTypeOf(typeOf(() => SessionChat.make(session, { toolkit: withHandler }))).toEqualTypeOf<
      Effect.Effect<SessionChat.SessionChat, Change, Disk> | undefined
    >()
  })

  it("pin that a turn fails as a Chat's does, or with what the session says", () => {
    type Turn = typeof chat.generateText<{ readonly prompt: string }>
    expectTypeOf<ReturnType<Turn>>().toEqualTypeOf<
      Effect.Effect<
        LanguageModel.GenerateTextResponse<{}>,
        AiError.AiError | Change,
        LanguageModel.LanguageModel
      >
    >()
    const withTools = typeOf(() => chat.generateText({ prompt: "x", toolkit: withHandler }))
    expectTypeOf(withTools).toEqualTypeOf<
      | Effect.Effect<
        LanguageModel.GenerateTextResponse<{ readonly save: typeof Save }, "opaque">,
        AiError.AiError | Full | Change,
        LanguageModel.LanguageModel | Disk
      >
      | undefined
    >()
    const streamed = typeOf(() => chat.streamText({ prompt: "x", toolkit: withHandler }))
    expectTypeOf(streamed).toEqualTypeOf<
      | Stream.Stream<
        Response.StreamPart<{ readonly save: typeof Save }, "opaque">,
        AiError.AiError | Full | Change,
        LanguageModel.LanguageModel | Disk
      >
      | undefined
    >()
    const object = typeOf(() => chat.generateObject({ prompt: "x", schema: Schema.Struct({ a: Schema.Date }) }))
    expectTypeOf(object).toEqualTypeOf<
      | Effect.Effect<
        LanguageModel.GenerateObjectResponse<{}, { readonly a: Date }, "opaque">,
        AiError.AiError | Change,
        LanguageModel.LanguageModel
      >
      | undefined
    >()
  })

  it("pin that its history can be read and not be written", () => {
    expectTypeOf<typeof chat.history>().toEqualTypeOf<Effect.Effect<Prompt.Prompt, SessionError.StoreError>>()
  })

  it("refuse options that a model does not have", () => {
    // @ts-expect-error there is no such option
    typeOf(() => chat.generateText({ prompt: "x", temperature: 1 }))
    // @ts-expect-error tools are toolkits
    typeOf(() => chat.generateText({ prompt: "x", toolkit: [Save] }))
  })
})
