/**
 * Writes what is said in a turn to the session, each message when it is
 * complete: what comes next begins when that is durable.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Message, MessageInput, Usage } from "../core/Session.ts"
import { EventRejected } from "../core/SessionError.ts"
import type { ChangeError, RunningSession } from "../services/RunningSession.ts"
import type { Note, Repair } from "./Note.ts"
import * as SessionPrompt from "./SessionPrompt.ts"
import * as ToolCalls from "./ToolCalls.ts"

/**
 * What a request cost, in the currency of the application.
 *
 * @category models
 * @since 0.1.0
 */
export type Cost = (usage: Response.Usage) => number

/**
 * @category models
 * @since 0.1.0
 */
export interface Recorder {
  readonly input: (messages: ReadonlyArray<MessageInput>) => Effect.Effect<void, ChangeError>
  /** What the model said, with what it used. `after` is the last message that it had seen. */
  readonly speech: (
    parts: ReadonlyArray<Response.AnyPart>,
    after: string | undefined
  ) => Effect.Effect<void, ChangeError>
  /** The result of a call that was run. Where it can't be stored a failure is, and what was wrong is returned. */
  readonly result: (
    part: ToolCalls.ResultPart,
    repair?: Repair
  ) => Effect.Effect<Option.Option<EventRejected>, ChangeError>
  /** Results of calls that are not run, in one message. */
  readonly results: (parts: ReadonlyArray<ToolCalls.ResultPart>, repair?: Repair) => Effect.Effect<void, ChangeError>
}

const count = (...numbers: ReadonlyArray<number | undefined>): number =>
  numbers.reduce<number>((sum, number) => sum + Math.max(0, number ?? 0), 0)

const usageOf = (parts: ReadonlyArray<Response.AnyPart>, cost: Cost): Usage | undefined => {
  const finish = parts.findLast((part) => part.type === "finish")
  if (finish === undefined) return undefined
  const { inputTokens: input, outputTokens: output } = finish.usage
  return {
    inputTokens: input.total === undefined
      ? count(input.uncached, input.cacheRead, input.cacheWrite)
      : count(input.total),
    outputTokens: output.total === undefined ? count(output.text, output.reasoning) : count(output.total),
    totalCost: Math.max(0, cost(finish.usage))
  }
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (session: RunningSession, cost: Cost): Recorder => {
  const append = (message: Prompt.Message, more: { readonly chat?: Note; readonly usage?: Usage }) =>
    Effect.fromResult(SessionPrompt.toMessage(message)).pipe(
      Effect.mapError((reason) => new EventRejected({ id: session.id, reason })),
      Effect.flatMap((input): Effect.Effect<Message, ChangeError> => session.append({ ...input, ...more }))
    )

  const results: Recorder["results"] = (parts, repair) =>
    Effect.forEach(
      Prompt.fromResponseParts(parts).content,
      (message) => append(message, repair === undefined ? {} : { chat: { repair } }),
      { discard: true }
    )

  const speech: Recorder["speech"] = Effect.fnUntraced(function*(parts, after) {
    const said = Prompt.fromResponseParts(parts).content
    const usage = usageOf(parts, cost)
    const more = { ...(after === undefined ? {} : { chat: { after } }), ...(usage === undefined ? {} : { usage }) }
    // What was used is recorded even where nothing was said.
    const messages = said.length === 0 && usage !== undefined ? [Prompt.assistantMessage({ content: [] })] : said
    yield* Effect.forEach(messages, (message) => append(message, message.role === "assistant" ? more : {}), {
      discard: true
    })
  })

  const result: Recorder["result"] = (part, repair) =>
    results([part], repair).pipe(
      Effect.as(Option.none()),
      Effect.catchTag("EventRejected", (error) => {
        const reason = `The tool ran, but its result can't be stored: ${error.reason.message}`
        const instead = ToolCalls.failure(part, "execution-interrupted", reason)
        return Effect.as(results([instead], repair), Option.some(error))
      })
    )

  return {
    input: (messages) => Effect.forEach(messages, session.append, { discard: true }),
    speech,
    result,
    results
  }
}
