/**
 * A chat of effect/ai whose history is a running session.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as LanguageModel from "effect/ai/LanguageModel"
import * as Prompt from "effect/ai/Prompt"
import type * as Response from "effect/ai/Response"
import type * as Tool from "effect/ai/Tool"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import type { NoExcessProperties } from "effect/Types"
import type { StoreError } from "../core/SessionError.ts"
import type { ChangeError, RunningSession } from "../services/RunningSession.ts"
import * as Calls from "./Calls.ts"
import * as History from "./History.ts"
import * as Recorder from "./Recorder.ts"
import * as Repair from "./Repair.ts"
import type * as ToolCalls from "./ToolCalls.ts"
import * as Turn from "./Turn.ts"

/**
 * A tool call that waits for somebody's word: answer it with a
 * `tool-approval-response` in the next prompt.
 *
 * @category models
 * @since 0.1.0
 */
export interface PendingApproval extends ToolCalls.Call {
  readonly approvalId: string
}

/**
 * What a turn can fail with beside what a `Chat` does: the session refused what
 * was said, has ended, or could not be written.
 *
 * @category errors
 * @since 0.1.0
 */
export type TurnError<Options> = LanguageModel.ExtractError<Options> | ChangeError

/**
 * The three operations of a `Chat`, with the errors of the session.
 *
 * @category models
 * @since 0.1.0
 */
export interface Operations {
  /** One request to the model, and the tools that it asks for. As `Chat.generateText`. */
  readonly generateText: {
    <Options extends NoExcessProperties<LanguageModel.GenerateTextOptions<{}>, Options>>(
      options: Options & { readonly toolkit?: undefined } & LanguageModel.GenerateTextOptions<{}>
    ): Effect.Effect<
      LanguageModel.GenerateTextResponse<{}, LanguageModel.ExtractToolParametersModeWithoutToolkit<Options>>,
      TurnError<Options>,
      LanguageModel.LanguageModel | LanguageModel.ExtractServices<Options>
    >
    <
      Tools extends Record<string, Tool.Any>,
      Options extends NoExcessProperties<
        LanguageModel.GenerateTextOptions<Tools> & { readonly toolkit: LanguageModel.ToolkitInput<Tools> },
        Options
      >
    >(
      options: Options & LanguageModel.GenerateTextOptions<Tools> & {
        readonly toolkit: LanguageModel.ToolkitInput<Tools>
      }
    ): Effect.Effect<
      LanguageModel.GenerateTextResponse<Tools, LanguageModel.ExtractToolParametersMode<Options>>,
      TurnError<Options>,
      LanguageModel.LanguageModel | LanguageModel.ExtractServices<Options>
    >
  }

  /**
   * The same with the response as a stream. Its tools are run when the model has
   * spoken to the end; the `finish` part is the last one, and comes when all of
   * the turn is durable. As `Chat.streamText`.
   */
  readonly streamText: {
    <Options extends NoExcessProperties<LanguageModel.GenerateTextOptions<{}>, Options>>(
      options: Options & { readonly toolkit?: undefined } & LanguageModel.GenerateTextOptions<{}>
    ): Stream.Stream<
      Response.StreamPart<{}, LanguageModel.ExtractToolParametersModeWithoutToolkit<Options>>,
      TurnError<Options>,
      LanguageModel.LanguageModel | LanguageModel.ExtractServices<Options>
    >
    <
      Tools extends Record<string, Tool.Any>,
      Options extends NoExcessProperties<
        LanguageModel.GenerateTextOptions<Tools> & { readonly toolkit: LanguageModel.ToolkitInput<Tools> },
        Options
      >
    >(
      options: Options & LanguageModel.GenerateTextOptions<Tools> & {
        readonly toolkit: LanguageModel.ToolkitInput<Tools>
      }
    ): Stream.Stream<
      Response.StreamPart<Tools, LanguageModel.ExtractToolParametersMode<Options>>,
      TurnError<Options>,
      LanguageModel.LanguageModel | LanguageModel.ExtractServices<Options>
    >
  }

  /**
   * One request whose response is a value of a schema. A response that is none
   * is not recorded, and its tools are not run. As `Chat.generateObject`.
   */
  readonly generateObject: <
    ObjectEncoded extends Record<string, unknown>,
    ObjectSchema extends Schema.Encoder<ObjectEncoded, unknown>,
    Options extends NoExcessProperties<
      LanguageModel.GenerateObjectOptions<LanguageModel.ExtractTools<Options>, ObjectSchema>,
      Options
    >
  >(
    options: Options & LanguageModel.GenerateObjectOptions<LanguageModel.ExtractTools<Options>, ObjectSchema>
  ) => Effect.Effect<
    LanguageModel.GenerateObjectResponse<
      LanguageModel.ExtractTools<Options>,
      ObjectSchema["Type"],
      LanguageModel.ExtractToolParametersMode<Options>
    >,
    TurnError<Options>,
    LanguageModel.ExtractServices<Options> | ObjectSchema["DecodingServices"] | LanguageModel.LanguageModel
  >
}

/**
 * A chat whose history is a running session.
 *
 * **Details**
 *
 * Each message is durable before what comes next begins: the prompt before the
 * model is asked, what the model says before its tools are run, each result
 * before the turn goes on. What is not complete is not recorded: after a failed
 * or interrupted turn the same prompt, or an empty one, takes it again, and
 * nothing is said twice. Turns of one session are taken one after the other.
 *
 * **Gotchas**
 *
 * A `Chat` keeps what was streamed before a consumer left; this one does not. A
 * prompt stays in the history when the model fails on it. A tool that uses the
 * chat that runs it waits for ever.
 *
 * @category models
 * @since 0.1.0
 */
export interface SessionChat extends Operations {
  readonly session: RunningSession
  /**
   * The conversation as the model gets it, without the `system` of the options. A large
   * part that is missing or damaged is told of in words, and logged.
   */
  readonly history: Effect.Effect<Prompt.Prompt, StoreError>
  /** The tool calls that had no result when the chat was made, and how they were answered. */
  readonly repaired: ReadonlyArray<Repair.Repaired>
  /** The tool calls that wait for an approval. They outlive a crash. */
  readonly pendingApprovals: Effect.Effect<ReadonlyArray<PendingApproval>, StoreError>
  /** The history as data that `Chat.fromExport` takes. */
  readonly export: Effect.Effect<unknown, AiError.AiError | StoreError>
  /** The history as JSON that `Chat.fromJson` takes. */
  readonly exportJson: Effect.Effect<string, AiError.AiError | StoreError>
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What the model is told before the history. It is not stored: a later version may tell it something else. */
  readonly system?: string
  /** What a request cost, in the currency of the application. Nothing by default. */
  readonly cost?: Recorder.Cost
  /**
   * *answer*, the default: calls without a result are answered when the chat is
   * made. *keep*: they are answered at the next turn that has no results for
   * them, for applications that run tools themselves.
   */
  readonly unanswered?: "answer" | "keep"
}

/** Of one session there is one turn at a time, whatever the number of chats. */
const locks = new WeakMap<RunningSession, Semaphore.Semaphore>()

const lockOf = (session: RunningSession): Semaphore.Semaphore => {
  const known = locks.get(session)
  if (known !== undefined) return known
  const lock = Semaphore.makeUnsafe(1)
  locks.set(session, lock)
  return lock
}

/** Calls stay with the chat, which records them before they are run. */
const withRecordedCalls = { disableToolCallResolution: true, toolCallValidation: "deferred" } as const

type ObjectOptions = LanguageModel.GenerateObjectOptions<
  ToolCalls.Tools,
  Schema.Encoder<Record<string, unknown>, unknown>
>

/** What a model without tools is asked: there is no choice of them. */
const withoutTools = (
  { concurrency, disableToolCallResolution, toolCallValidation }: Turn.Options,
  { prompt }: Turn.Begun
) => ({ concurrency, disableToolCallResolution, prompt, toolCallValidation })

const withTools = (
  options: Turn.Options,
  begun: Turn.Begun,
  toolkit: ToolCalls.AnyToolkit
) => ({
  ...withoutTools(options, begun),
  toolkit,
  toolChoice: options.toolChoice,
  ...(begun.resolves ? withRecordedCalls : {})
})

const operations = (subject: Turn.Subject, lock: Semaphore.Semaphore) => {
  const complete = Effect.fnUntraced(function*(
    method: string,
    options: Turn.Options,
    begun: Turn.Begun,
    said: ReadonlyArray<Response.Part<ToolCalls.Tools, Response.ToolParametersMode>>
  ) {
    const { requests, results } = yield* Turn.speak(subject, method, begun, said, options)
    const final = yield* Stream.runCollect(Stream.filter(results, ({ preliminary }) => !preliminary))
    return [...begun.decided, ...said, ...requests, ...final]
  })

  const generateText = Effect.fn("SessionChat.generateText")(function*(options: Turn.Options) {
    const begun = yield* Turn.begin(subject, "generateText", options)
    const { content } = Option.isSome(begun.toolkit)
      ? yield* LanguageModel.generateText(withTools(options, begun, begun.toolkit.value))
      : yield* LanguageModel.generateText(withoutTools(options, begun))
    return new LanguageModel.GenerateTextResponse(yield* complete("generateText", options, begun, content))
  }, lock.withPermit)

  const generateObject = Effect.fn("SessionChat.generateObject")(function*(options: ObjectOptions) {
    const { objectName, schema } = options
    const begun = yield* Turn.begin(subject, "generateObject", options)
    const request = Option.isSome(begun.toolkit)
      ? withTools(options, begun, begun.toolkit.value)
      : withoutTools(options, begun)
    const { content, value } = yield* LanguageModel.generateObject({ ...request, objectName, schema })
    return new LanguageModel.GenerateObjectResponse(value, yield* complete("generateObject", options, begun, content))
  }, lock.withPermit)

  const streamText = (options: Turn.Options) =>
    Stream.unwrap(Effect.gen(function*() {
      yield* Effect.acquireRelease(lock.take(1), () => lock.release(1), { interruptible: true })
      const begun = yield* Turn.begin(subject, "streamText", options)
      const said: Array<Response.StreamPart<ToolCalls.Tools, Response.ToolParametersMode>> = []
      const speech = (Option.isSome(begun.toolkit)
        ? LanguageModel.streamText(withTools(options, begun, begun.toolkit.value))
        : LanguageModel.streamText(withoutTools(options, begun))).pipe(
          Stream.tap((part) => Effect.sync(() => void said.push(part))),
          Stream.filter(({ type }) => type !== "finish")
        )
      const rest = Stream.unwrap(
        Effect.gen(function*() {
          const { requests, results } = yield* Turn.speak(subject, "streamText", begun, said, options)
          const finish = said.filter(({ type }) => type === "finish")
          return Stream.fromIterable(requests).pipe(Stream.concat(results), Stream.concat(Stream.fromIterable(finish)))
        })
      )
      return Stream.fromIterable(begun.decided).pipe(Stream.concat(speech), Stream.concat(rest))
    })).pipe(Stream.withSpan("SessionChat.streamText"))

  return { generateText, generateObject, streamText }
}

/** Operations that know nothing of the tools that they run, with the types that callers give them. */
function typed(operations: Untyped): Operations
function typed(operations: Untyped): unknown {
  return operations
}

type Untyped = ReturnType<typeof operations>

const encodeHistory = Schema.encodeEffect(Prompt.Prompt)

const exported = (method: string, history: Effect.Effect<Prompt.Prompt, StoreError>) =>
  Effect.flatMap(history, (prompt) =>
    Effect.mapError(
      encodeHistory(prompt),
      (error) =>
        AiError.make({ module: "SessionChat", method, reason: AiError.InvalidOutputError.fromSchemaError(error) })
    ))

/** JSON leaves out what is undefined, and a reader would miss the result of a tool that gives none. */
const toJson = (history: unknown): string => JSON.stringify(history, (_, value: unknown) => value ?? null)

/**
 * A chat on a running session.
 *
 * **Details**
 *
 * Tool calls without a result, which a crash or an interruption left, are
 * answered here, once and for all: with a result that says that the outcome is
 * unknown, or by running those again whose tool is in `toolkit` and is declared
 * `Tool.Idempotent`. The message that answers them has `chat.repair`, and
 * `repaired` tells of them. Pending approvals stay pending.
 *
 * Two chats of one session share their history and take turns.
 *
 * @category constructors
 * @since 0.1.0
 */
export function make(
  session: RunningSession,
  options?: Options & { readonly toolkit?: undefined }
): Effect.Effect<SessionChat, ChangeError>
export function make<Tools extends Record<string, Tool.Any>, E = never, R = never>(
  session: RunningSession,
  options: Options & { readonly toolkit: LanguageModel.ToolkitInput<Tools, E, R> }
): Effect.Effect<SessionChat, ChangeError | E, R | Tool.HandlerServices<Tools[keyof Tools]>>
export function make(
  session: RunningSession,
  options: Options & { readonly toolkit?: LanguageModel.ToolkitInput<ToolCalls.Tools, unknown, unknown> | undefined } =
    {}
): Effect.Effect<SessionChat, unknown, unknown> {
  const { cost = () => 0, system, unanswered = "answer" } = options
  const lock = lockOf(session)
  const recorder = Recorder.make(session, cost)
  const subject: Turn.Subject = {
    session,
    recorder,
    system: system === undefined ? [] : [Prompt.systemMessage({ content: system })]
  }
  const history = Effect.map(Turn.messagesOf(session), History.toPrompt)
  const openCalls = Effect.map(Turn.messagesOf(session), Calls.open)

  const repaired = Effect.gen(function*() {
    if (unanswered === "keep") return []
    const calls = (yield* openCalls).filter((call) => !Calls.isPending(call))
    return yield* Repair.repair(recorder, { id: session.id, toolkit: yield* Turn.toolkitOf(options.toolkit), calls })
  })

  return Effect.map(lock.withPermit(repaired), (repaired): SessionChat => ({
    ...typed(operations(subject, lock)),
    session,
    history,
    repaired,
    pendingApprovals: Effect.map(
      openCalls,
      (calls) =>
        calls.flatMap((call) =>
          call.approval !== undefined && Calls.isPending(call)
            ? [{ approvalId: call.approval.id, id: call.id, name: call.name, params: call.params }]
            : []
        )
    ),
    export: exported("export", history),
    exportJson: Effect.map(exported("exportJson", history), toJson)
  }))
}
