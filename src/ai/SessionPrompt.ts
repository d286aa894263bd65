/**
 * The messages of a session as a `Prompt` of effect/ai, and a `Prompt` as
 * messages: nothing is lost on the way there and back.
 *
 * @since 0.1.0
 */
import * as Prompt from "effect/ai/Prompt"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Check from "../core/Check.ts"
import * as Json from "../core/Json.ts"
import { Message, type MessageInput } from "../core/Session.ts"
import { Invalid } from "../core/SessionError.ts"

const { content, role } = Message.schema.fields

const isInput = Check.make(Schema.StructWithRest(Schema.Struct({ role, content }), Message.records))

const encode = Schema.encodeResult(Prompt.Message)

/** Deep enough for every limit that a session may have; what it allows is checked when a message is appended. */
const maxDepth = 1024

/** The members of parts that may be of any type. JSON has no `undefined`: `absent` stands for it. */
const anything = { "tool-call": "params", "tool-result": "result" } as const

const hasAnything = (type: string): type is keyof typeof anything => Object.hasOwn(anything, type)

const hasOptions = ({ options }: { readonly options?: unknown }): boolean =>
  Predicate.isObject(options) && Object.keys(options).length > 0

/** A part or a message without options that say nothing. */
const withoutEmptyOptions = <A extends { readonly options?: unknown }>(self: A): Omit<A, "options"> | A => {
  if (hasOptions(self)) return self
  const { options: _, ...others } = self
  return others
}

const storedPart = (part: Prompt.PartEncoded): object => {
  const slim = withoutEmptyOptions(part)
  if (!hasAnything(part.type)) return slim
  const member = anything[part.type]
  return Predicate.hasProperty(part, member) && part[member] !== undefined
    ? slim
    : { ...slim, [member]: null, absent: true }
}

const stored = (message: Prompt.MessageEncoded): object => {
  const { content } = message
  return {
    ...withoutEmptyOptions(message),
    content: typeof content === "string" ? content : content.map(storedPart)
  }
}

/**
 * One message of a prompt as a message to append.
 *
 * @category converting
 * @since 0.1.0
 */
export const toMessage = (message: Prompt.Message): Result.Result<MessageInput, Invalid> =>
  encode(message).pipe(
    Result.mapError(() => new Invalid({ path: "", expected: "a message of a prompt" })),
    Result.flatMap((encoded) =>
      Result.mapError(
        Json.copy(stored(encoded), maxDepth),
        ({ expected, path }) => new Invalid({ path: Json.formatPath(path), expected })
      )
    ),
    Result.flatMap((copied) =>
      Result.mapError(isInput(copied), ([{ expected, path }]) => new Invalid({ path, expected }))
    )
  )

/**
 * The messages of a prompt as messages to append to a session: every part with
 * all its members and options, and the options of the messages.
 *
 * **Details**
 *
 * Fails for what JSON can't hold, and a session therefore not either: parameters
 * and results that are no JSON, and lone surrogates. Members that are `undefined`
 * are left out, as JSON does; parameters and results that are `undefined` as a
 * whole come back so.
 *
 * @category converting
 * @since 0.1.0
 */
export const toMessages = (prompt: Prompt.Prompt): Result.Result<ReadonlyArray<MessageInput>, Invalid> =>
  Result.all(prompt.content.map(toMessage))

/**
 * A part that a prompt has no place for: of another role than its message, or of
 * a shape that effect/ai does not know.
 *
 * @category models
 * @since 0.1.0
 */
export interface LeftOut {
  readonly messageId: string
  readonly index: number
  readonly type: string
}

/**
 * @category models
 * @since 0.1.0
 */
export interface Converted {
  readonly prompt: Prompt.Prompt
  readonly leftOut: ReadonlyArray<LeftOut>
}

const isOptions = Schema.is(Prompt.ProviderOptions)

const decodeUserPart = Schema.decodeUnknownOption(Prompt.UserMessagePart)
const decodeAssistantPart = Schema.decodeUnknownOption(Prompt.AssistantMessagePart)
const decodeToolPart = Schema.decodeUnknownOption(Prompt.ToolMessagePart)
const decodeText = Schema.decodeUnknownOption(Prompt.TextPart)

type StoredPart = Exclude<Message["content"], string>[number]

const revived = (part: StoredPart): object =>
  part["absent"] === true && hasAnything(part.type) ? { ...part, [anything[part.type]]: undefined } : part

/** One message of a prompt, and what it had to leave out. */
interface Read {
  readonly message: Prompt.Message
  readonly leftOut: ReadonlyArray<LeftOut>
}

const readParts = <A>(
  { content, id }: Message,
  decode: (part: unknown) => Option.Option<A>
): { readonly parts: ReadonlyArray<A>; readonly leftOut: ReadonlyArray<LeftOut> } => {
  const parts: Array<A> = []
  const leftOut: Array<LeftOut> = []
  const given = typeof content === "string" ? [{ type: "text" as const, text: content }] : content
  for (const [index, part] of given.entries()) {
    const decoded = decode(revived(part))
    if (Option.isSome(decoded)) parts.push(decoded.value)
    else leftOut.push({ messageId: id, index, type: part.type })
  }
  return { parts, leftOut }
}

const readOne = (message: Message): Read => {
  const options = isOptions(message["options"]) ? message["options"] : {}
  switch (message.role) {
    case "system": {
      const { leftOut, parts } = readParts(message, decodeText)
      const content = parts.map(({ text }) => text).join("\n")
      return { message: Prompt.systemMessage({ content, options }), leftOut }
    }
    case "user": {
      const { leftOut, parts } = readParts(message, decodeUserPart)
      return { message: Prompt.userMessage({ content: parts, options }), leftOut }
    }
    case "assistant": {
      const { leftOut, parts } = readParts(message, decodeAssistantPart)
      return { message: Prompt.assistantMessage({ content: parts, options }), leftOut }
    }
    case "tool": {
      const { leftOut, parts } = readParts(message, decodeToolPart)
      return { message: Prompt.toolMessage({ content: parts, options }), leftOut }
    }
  }
}

/** What reads a history again and again gets the same messages again, as objects. */
const known = new WeakMap<Message, Read>()

const read = (message: Message): Read => {
  const before = known.get(message)
  if (before !== undefined) return before
  const made = readOne(message)
  known.set(message, made)
  return made
}

/**
 * The messages of a session as a prompt, and which parts a prompt has no place
 * for. Whatever `toMessages` made comes back as it was.
 *
 * **Details**
 *
 * Text that is all of a message becomes a text part, and the parts of a system
 * message become its text.
 *
 * @category converting
 * @since 0.1.0
 */
export const fromMessages = (messages: ReadonlyArray<Message>): Converted => {
  const all = messages.map(read)
  return {
    prompt: Prompt.fromMessages(all.map(({ message }) => message)),
    leftOut: all.flatMap(({ leftOut }) => leftOut)
  }
}
