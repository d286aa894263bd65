/**
 * An agent's work on a session: one prompt, tools, and an answer, from a model
 * with a script. It tells each event as it comes, and can be killed at any.
 */
import * as LanguageModel from "effect/ai/LanguageModel"
import type * as Response from "effect/ai/Response"
import * as Tool from "effect/ai/Tool"
import * as Toolkit from "effect/ai/Toolkit"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as NodeFs from "node:fs"
import * as SessionChat from "../../../src/ai/SessionChat.ts"
import type { RunningSession } from "../../../src/index.ts"
import * as Model from "../model.ts"

export const prompt = "Work."

const Write = Tool.make("write", { parameters: Schema.Struct({ line: Schema.String }), success: Schema.String })

const Read = Tool.make("read", { success: Schema.String }).annotate(Tool.Idempotent, true)

const toolkit = Toolkit.make(Write, Read)

/** What the tools did, a line each. */
export const traces = (project: string): string => `${project}/traces`

type Tell = (event: string) => Effect.Effect<void>

const handlers = (project: string, tell: Tell) => {
  const run = (name: string) =>
    tell(`${name} begins`).pipe(
      Effect.andThen(Effect.sync(() => NodeFs.appendFileSync(traces(project), `${name}\n`))),
      Effect.andThen(tell(`${name} is done`)),
      Effect.as("ok")
    )
  return toolkit.toLayer({ write: () => run("write"), read: () => run("read") })
}

/** Never says the same twice in a conversation. */
const script: Model.Script = ({ content }) =>
  Effect.sync((): ReadonlyArray<Response.PartEncoded> => {
    const number = content.filter(({ role }) => role === "assistant").length
    return content.at(-1)?.role === "tool"
      ? [Model.text(`Answer ${number}.`), Model.finish()]
      : [
        Model.text(`Step ${number}.`),
        Model.call(`write-${number}`, "write", { line: "x" }),
        Model.call(`read-${number}`, "read", {}),
        Model.finish("tool-calls")
      ]
  })

const watched = (session: RunningSession, tell: Tell): RunningSession => ({
  ...session,
  append: (message) =>
    tell(`append ${message.role}`).pipe(
      Effect.andThen(session.append(message)),
      Effect.tap(tell(`appended ${message.role}`))
    )
})

const model = (tell: Tell) =>
  Layer.effect(
    LanguageModel.LanguageModel,
    Model.make((prompt) => Effect.andThen(tell("asked"), script(prompt)), { onPiece: tell("piece") })
  )

/** Answers what the session was asked, or asks first where nothing was. */
export const work = (session: RunningSession, project: string, tell: Tell) =>
  Effect.gen(function*() {
    const tools = yield* toolkit
    const chat = yield* SessionChat.make(watched(session, tell), { toolkit: tools })
    for (;;) {
      const last = (yield* chat.history).content.at(-1)
      if (last?.role === "assistant") return chat
      // A turn that was cut off before the model answered is asked for again.
      const turn = chat.streamText({ prompt: last?.role === "tool" ? [] : prompt, toolkit: tools, concurrency: 1 })
      yield* Stream.runDrain(turn)
    }
  }).pipe(Effect.provide([handlers(project, tell), model(tell)]))
