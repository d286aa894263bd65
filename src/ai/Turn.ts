/**
 * One turn of a chat: what was left open is answered, the prompt is recorded,
 * the model is asked, what it says is recorded, and only then its tools are run.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import type * as LanguageModel from "effect/ai/LanguageModel"
import * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Message } from "../core/Session.ts"
import { EventRejected, type StoreError } from "../core/SessionError.ts"
import type { RunningSession } from "../services/RunningSession.ts"
import * as Calls from "./Calls.ts"
import * as History from "./History.ts"
import * as Input from "./Input.ts"
import type { Recorder } from "./Recorder.ts"
import * as Repair from "./Repair.ts"
import * as SessionPrompt from "./SessionPrompt.ts"
import * as ToolCalls from "./ToolCalls.ts"
import * as Whole from "./Whole.ts"

/**
 * What a turn works on. `system` is what the application tells the model first,
 * and is not stored.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject {
  readonly session: RunningSession
  readonly recorder: Recorder
  readonly system: ReadonlyArray<Prompt.SystemMessage>
}

/**
 * @category models
 * @since 0.1.0
 */
export type Options = LanguageModel.GenerateTextOptions<ToolCalls.Tools>

/**
 * A turn before the model is asked: its prompt, the last message in that, its
 * tools, whether they are run here, and the results of calls that were decided on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Begun {
  readonly prompt: Prompt.Prompt
  readonly after: string | undefined
  readonly toolkit: Option.Option<ToolCalls.AnyToolkit>
  readonly resolves: boolean
  readonly decided: ReadonlyArray<ToolCalls.ResultPart>
}

/**
 * The messages of a session in the model's order, with their large parts.
 *
 * @category getters
 * @since 0.1.0
 */
export const messagesOf = (session: RunningSession): Effect.Effect<ReadonlyArray<Message>, StoreError> =>
  Effect.flatMap(session.state, ({ conversation }) => Whole.messages(session, History.arrange(conversation)))

/**
 * The tools that a caller hands in, if there are any.
 *
 * @category getters
 * @since 0.1.0
 */
export const toolkitOf = <E, R>(
  input: LanguageModel.ToolkitInput<ToolCalls.Tools, E, R> | undefined
): Effect.Effect<Option.Option<ToolCalls.AnyToolkit>, E, R> => {
  if (input === undefined) return Effect.succeedNone
  const toolkit = Effect.isEffect(input) ? input : Effect.succeed(input)
  return Effect.map(
    toolkit,
    (toolkit) => Object.keys(toolkit.tools).length === 0 ? Option.none() : Option.some(toolkit)
  )
}

const aiError = (method: string, reason: AiError.AiErrorReason) =>
  AiError.make({ module: "SessionChat", method, reason })

const decodeMessages = Schema.decodeEffect(Schema.Array(Prompt.Message))

const given = Effect.fnUntraced(function*(session: RunningSession, method: string, prompt: Prompt.RawInput) {
  const invalid = (error: Schema.SchemaError) =>
    aiError(method, new AiError.InvalidUserInputError({ description: `it is no prompt: ${error.message}` }))
  const { content } = typeof prompt === "string" || Prompt.isPrompt(prompt)
    ? Prompt.make(prompt)
    : Prompt.fromMessages(yield* Effect.mapError(decodeMessages(Array.from(prompt)), invalid))
  return yield* Effect.mapError(
    Effect.fromResult(SessionPrompt.toMessages(Prompt.fromMessages(content))),
    (reason) => new EventRejected({ id: session.id, reason })
  )
})

const resultIds = (messages: ReadonlyArray<Calls.Said>): ReadonlySet<string> =>
  new Set(messages.flatMap(Calls.partsOf).flatMap((part) => part.type === "tool-result" ? [part.id] : []))

/** Runs a call and records its result, which is then told. A tool that fails leaves a result that says so. */
const answer = ({ recorder }: Subject, toolkit: ToolCalls.AnyToolkit, call: ToolCalls.Call) =>
  ToolCalls.run(toolkit, call).pipe(
    Stream.catchCause((cause) =>
      Option.match(Cause.findErrorOption(cause), {
        onNone: () => Stream.failCause(cause),
        onSome: (error) =>
          ToolCalls.failed(toolkit, call, error).pipe(
            Effect.flatMap((part) => recorder.result(part)),
            Effect.as(Stream.failCause(cause)),
            Stream.unwrap
          )
      })
    ),
    Stream.tap((part) =>
      part.preliminary
        ? Effect.void
        : Effect.flatMap(recorder.result(part), Option.match({ onNone: () => Effect.void, onSome: Effect.fail }))
    )
  )

/** Runs what was approved, and answers what was denied. */
const decide = (
  subject: Subject,
  toolkit: ToolCalls.AnyToolkit,
  calls: ReadonlyArray<Calls.OpenCall>,
  options: Options
) =>
  Stream.mergeAll(
    calls.map((call) => {
      if (call.approval?.answer?.approved === true) return answer(subject, toolkit, call)
      const denied = ToolCalls.failure(call, "execution-denied", call.approval?.answer?.reason)
      return Stream.fromEffect(Effect.as(subject.recorder.results([denied]), denied))
    }),
    { concurrency: options.concurrency ?? "unbounded" }
  ).pipe(
    Stream.filter(({ preliminary }) => !preliminary),
    Stream.runCollect
  )

const checkDecided = Effect.fnUntraced(function*(
  method: string,
  toolkit: Option.Option<ToolCalls.AnyToolkit>,
  calls: ReadonlyArray<Calls.OpenCall>
) {
  if (Option.isSome(toolkit)) {
    return yield* ToolCalls.check(toolkit.value, calls.filter(({ approval }) => approval?.answer?.approved), method)
  }
  if (calls.length === 0) return
  const pendingApprovals = calls.map(({ name }) => name)
  return yield* aiError(method, new AiError.ToolkitRequiredError({ pendingApprovals }))
})

/**
 * Answers calls that were left open, records the prompt, and runs what it
 * approved. A prompt that is refused changes nothing.
 *
 * @category steps
 * @since 0.1.0
 */
export const begin = Effect.fnUntraced(function*(subject: Subject, method: string, options: Options) {
  const { recorder, session, system } = subject
  const toolkit = yield* toolkitOf(options.toolkit)
  const messages = yield* given(session, method, options.prompt)
  const arranged = yield* messagesOf(session)

  const answered = resultIds(messages)
  const open = Calls.open(arranged)
  const left = open.filter((call) => !Calls.isPending(call) && !answered.has(call.id))
  const others = open.filter((call) => !left.includes(call))
  const input = yield* Effect.mapError(
    Effect.fromResult(Input.check(arranged, others, messages)),
    (description) => aiError(method, new AiError.InvalidUserInputError({ description }))
  )
  yield* checkDecided(method, toolkit, input.decided)

  yield* Repair.repair(recorder, { id: session.id, toolkit, calls: left })
  yield* recorder.input(input.messages)
  const decided = Option.isSome(toolkit) ? yield* decide(subject, toolkit.value, input.decided, options) : []

  const history = yield* messagesOf(session)
  const prompt = Prompt.fromMessages([...system, ...History.toPrompt(history).content])
  const begun: Begun = {
    prompt,
    after: history.at(-1)?.id,
    toolkit,
    resolves: options.disableToolCallResolution !== true,
    decided
  }
  return begun
})

const completeReasons: ReadonlySet<string> = new Set(["stop", "tool-calls", "pause"])

/** Why a response ended before it was complete. What its calls would have been is then unknown. */
const cutOff = (parts: ReadonlyArray<Response.AnyPart>): string | undefined =>
  parts.flatMap((part) => part.type === "finish" && !completeReasons.has(part.reason) ? [part.reason] : [])[0]

/**
 * Records what the model said; what it asked for is run as the results are
 * taken.
 *
 * @category steps
 * @since 0.1.0
 */
export const speak = Effect.fnUntraced(function*(
  subject: Subject,
  method: string,
  { after, prompt, resolves, toolkit }: Begun,
  parts: ReadonlyArray<Response.AnyPart>,
  { concurrency = "unbounded" }: Options
) {
  const { recorder } = subject
  if (Option.isNone(toolkit) || !resolves) {
    yield* recorder.speech(parts, after)
    return { requests: [], results: Stream.empty }
  }
  const calls = ToolCalls.of(Prompt.fromResponseParts(parts).content)
  yield* ToolCalls.check(toolkit.value, calls, method)
  const reason = cutOff(parts)
  if (reason !== undefined) {
    yield* recorder.speech(parts, after)
    const why = `Tool call execution was interrupted because the response finished with reason "${reason}"`
    const failures = calls.map((call) => ToolCalls.failure(call, "execution-interrupted", why))
    if (failures.length > 0) yield* recorder.results(failures)
    return { requests: [], results: Stream.fromIterable(failures) }
  }
  const requests = yield* ToolCalls.approvalRequests(toolkit.value, calls, prompt.content)
  yield* recorder.speech([...parts, ...requests], after)
  const waiting = new Set(requests.map(({ toolCallId }) => toolCallId))
  const results = Stream.mergeAll(
    calls.filter(({ id }) => !waiting.has(id)).map((call) => answer(subject, toolkit.value, call)),
    { concurrency }
  )
  return { requests, results }
})
