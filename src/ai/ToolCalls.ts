/**
 * Running the tools that a model asks for, as effect/ai's language models do,
 * but after the calls were recorded.
 *
 * @since 0.1.0
 */
import * as AiError from "effect/ai/AiError"
import * as IdGenerator from "effect/ai/IdGenerator"
import type * as Prompt from "effect/ai/Prompt"
import * as Response from "effect/ai/Response"
import * as Tool from "effect/ai/Tool"
import type * as Toolkit from "effect/ai/Toolkit"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"

/**
 * Tools of any kind, by name.
 *
 * @category models
 * @since 0.1.0
 */
export type Tools = Record<string, Tool.Any>

/**
 * @category models
 * @since 0.1.0
 */
export type AnyToolkit = Toolkit.WithHandler<Tools>

/**
 * @category models
 * @since 0.1.0
 */
export interface Call {
  readonly id: string
  readonly name: string
  readonly params: unknown
}

/**
 * @category models
 * @since 0.1.0
 */
export type ResultPart = Response.ToolResultPart<string, unknown, unknown>

/**
 * The result of a call that was not run, or not to its end.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failure = (
  { id, name }: Pick<Call, "id" | "name">,
  type: "execution-denied" | "execution-interrupted",
  reason: string | undefined
): ResultPart => {
  const result = { type, reason }
  return Response.makePart("tool-result", {
    id,
    name,
    isFailure: true,
    result,
    encodedResult: result,
    preliminary: false,
    providerExecuted: false
  })
}

/**
 * The calls of a response that are to be run here.
 *
 * @category getters
 * @since 0.1.0
 */
export const of = (messages: ReadonlyArray<Prompt.Message>): ReadonlyArray<Prompt.ToolCallPart> =>
  messages.flatMap((message) =>
    message.role === "assistant"
      ? message.content.flatMap((part) => part.type === "tool-call" && !part.providerExecuted ? [part] : [])
      : []
  )

const toolOf = ({ tools }: AnyToolkit, name: string): Tool.Any | undefined =>
  Object.hasOwn(tools, name) ? tools[name] : undefined

/**
 * Refuses calls of tools that there are not, and two calls with one id: nobody
 * could tell their results apart.
 *
 * @category checking
 * @since 0.1.0
 */
export const check = Effect.fnUntraced(function*(toolkit: AnyToolkit, calls: ReadonlyArray<Call>, method: string) {
  const fail = (reason: AiError.AiErrorReason) => AiError.make({ module: "SessionChat", method, reason })
  const unknown = calls.find(({ name }) => toolOf(toolkit, name) === undefined)
  if (unknown !== undefined) {
    const availableTools = Object.keys(toolkit.tools)
    return yield* fail(new AiError.ToolNotFoundError({ toolName: unknown.name, availableTools }))
  }
  if (new Set(calls.map(({ id }) => id)).size < calls.length) {
    const description = "The response has tool calls that share an id"
    return yield* fail(new AiError.InvalidOutputError({ description }))
  }
})

/** Parameters that can't be decoded are refused by the toolkit when the tool is run. */
const needsApproval = Effect.fnUntraced(
  function*(tool: Tool.Any, call: Call, messages: ReadonlyArray<Prompt.Message>) {
    if (typeof tool.needsApproval !== "function") return tool.needsApproval === true
    const params = yield* Schema.decodeUnknownEffect(tool.parametersSchema)(call.params)
    const needed = tool.needsApproval(params, { toolCallId: call.id, messages })
    return Effect.isEffect(needed) ? yield* needed : needed
  },
  Effect.orElseSucceed(() => false)
)

/**
 * A request for each call whose tool may not be run without an approval.
 *
 * @category approving
 * @since 0.1.0
 */
export const approvalRequests = Effect.fnUntraced(function*(
  toolkit: AnyToolkit,
  calls: ReadonlyArray<Call>,
  messages: ReadonlyArray<Prompt.Message>
) {
  const generator = Option.getOrElse(
    yield* Effect.serviceOption(IdGenerator.IdGenerator),
    () => IdGenerator.defaultIdGenerator
  )
  const requests: Array<Response.ToolApprovalRequestPart> = []
  for (const call of calls) {
    const tool = toolOf(toolkit, call.name)
    if (tool === undefined || !(yield* needsApproval(tool, call, messages))) continue
    const approvalId = yield* generator.generateId()
    requests.push(Response.makePart("tool-approval-request", { approvalId, toolCallId: call.id }))
  }
  return requests
})

/**
 * Whether the application declares that a tool may be run again with the same
 * parameters (`Tool.Idempotent`).
 *
 * @category predicates
 * @since 0.1.0
 */
export const isIdempotent = (toolkit: AnyToolkit, { name }: Call): boolean => {
  const tool = toolOf(toolkit, name)
  return tool !== undefined && Context.get(tool.annotations, Tool.Idempotent)
}

/**
 * Runs a call: preliminary results, then the final one. What tools fail with and
 * need is known where they are handed in.
 *
 * @category running
 * @since 0.1.0
 */
export const run = (
  toolkit: AnyToolkit,
  { id, name, params }: Call
): Stream.Stream<ResultPart, unknown, unknown> =>
  Stream.unwrap(toolkit.handle(name, params, id)).pipe(
    Stream.map(({ encodedResult, isFailure, modelOutput, preliminary, result }): ResultPart =>
      Response.makePart("tool-result", {
        id,
        name,
        isFailure,
        result,
        encodedResult,
        preliminary,
        providerExecuted: false,
        ...(modelOutput === undefined ? {} : { modelOutput })
      })
    )
  )

/**
 * The result of a call whose tool failed, in the tool's own words where it has a
 * schema for them.
 *
 * @category running
 * @since 0.1.0
 */
export const failed: (
  toolkit: AnyToolkit,
  call: Call,
  error: unknown
) => Effect.Effect<ResultPart, never, unknown> = Effect.fnUntraced(function*(toolkit, call, error) {
  const tool = toolOf(toolkit, call.name)
  const encoded = tool === undefined
    ? Option.none()
    : yield* Effect.option(Schema.encodeUnknownEffect(Tool.failureResultSchema(tool))(error))
  const interrupted = failure(call, "execution-interrupted", "The tool failed.")
  return Option.match(encoded, {
    onNone: () => interrupted,
    onSome: (encodedResult): ResultPart =>
      Response.makePart("tool-result", {
        id: call.id,
        name: call.name,
        isFailure: true,
        result: error,
        encodedResult,
        preliminary: false,
        providerExecuted: false
      })
  })
})
