/** A model that says what a script tells, and rejects what a provider would. */
import * as AiError from "effect/ai/AiError"
import * as LanguageModel from "effect/ai/LanguageModel"
import type * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as Rules from "./rules.ts"

/** What the model says to a prompt. */
export type Script = (prompt: Prompt.Prompt) => Effect.Effect<ReadonlyArray<Response.PartEncoded>, AiError.AiError>

export const finish = (reason: Response.FinishReason = "stop"): Response.PartEncoded => ({
  type: "finish",
  reason,
  usage: {
    inputTokens: { uncached: 3, total: 10, cacheRead: 7, cacheWrite: undefined },
    outputTokens: { total: 4, text: 4, reasoning: undefined }
  }
})

export const text = (text: string): Response.PartEncoded => ({ type: "text", text })

export const call = (id: string, name: string, params: unknown): Response.PartEncoded => ({
  type: "tool-call",
  id,
  name,
  params
})

const pieces = (part: Response.PartEncoded, id: string): ReadonlyArray<Response.StreamPartEncoded> => {
  if (part.type === "text" || part.type === "reasoning") {
    const words = part.text.split(/(?<= )/)
    return part.type === "text"
      ? [
        { type: "text-start", id },
        ...words.map((delta) => ({ type: "text-delta" as const, id, delta })),
        { type: "text-end", id }
      ]
      : [
        { type: "reasoning-start", id },
        ...words.map((delta) => ({ type: "reasoning-delta" as const, id, delta })),
        { type: "reasoning-end", id }
      ]
  }
  return [part]
}

const rejected = (prompt: Prompt.Prompt, method: string): Effect.Effect<void, AiError.AiError> => {
  const mistakes = Rules.mistakes(prompt)
  return mistakes.length === 0 ? Effect.void : Effect.fail(
    AiError.make({
      module: "Model",
      method,
      reason: new AiError.InvalidRequestError({ description: mistakes.join("; ") })
    })
  )
}

/** Gives a piece at a time, so that a turn can end between any two. */
export const make = (script: Script, options: { readonly onPiece?: Effect.Effect<void> } = {}) =>
  LanguageModel.make({
    generateText: ({ prompt }) =>
      Effect.andThen(rejected(prompt, "generateText"), Effect.map(script(prompt), (parts) => [...parts])),
    streamText: ({ prompt }) =>
      Effect.andThen(rejected(prompt, "streamText"), script(prompt)).pipe(
        Effect.map((parts) => parts.flatMap((part, index) => pieces(part, String(index)))),
        Stream.fromIterableEffect,
        Stream.rechunk(1),
        Stream.tap(() => options.onPiece ?? Effect.void)
      )
  })

export const layer = (script: Script, options: { readonly onPiece?: Effect.Effect<void> } = {}) =>
  Layer.effect(LanguageModel.LanguageModel, make(script, options))

/** Says each of the turns once, in order. */
export const inTurn = (...turns: ReadonlyArray<ReadonlyArray<Response.PartEncoded>>): Script => {
  let next = 0
  return () => Effect.sync(() => turns[next++] ?? [text("nothing more to say")])
}

/**
 * Works on whatever is asked: adds, logs and reads at once, and says what came of
 * it. Ids and texts are never the same twice in one conversation.
 */
export const working: Script = ({ content }) =>
  Effect.sync(() => {
    const number = content.filter(({ role }) => role === "assistant").length
    return content.at(-1)?.role === "tool"
      ? [text(`Answer ${number}.`), finish()]
      : [
        text(`Step ${number}.`),
        call(`add-${number}`, "add", { a: "1", b: number }),
        call(`log-${number}`, "log", { line: String(number) }),
        call(`read-${number}`, "read", { path: "a" }),
        finish("tool-calls")
      ]
  })
