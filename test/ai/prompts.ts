/** Prompts that a session can hold, and how they are compared. */
import { Predicate } from "effect"
import { Prompt } from "effect/ai"

const isPlain = (value: unknown): value is object => {
  if (!Predicate.isObject(value)) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

/** The nearest value that JSON can hold: well-formed text, finite numbers, no members that are undefined. */
const mendJson = (value: unknown): unknown => {
  if (typeof value === "string") return value.toWellFormed()
  if (typeof value === "number") return Number.isFinite(value) ? value + 0 : 0
  if (value === null || typeof value === "boolean") return value
  if (Array.isArray(value)) return value.map((member: unknown) => mendJson(member) ?? null)
  if (!isPlain(value)) return undefined
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [key.toWellFormed(), mendJson(member)]).filter(([, member]) =>
      member !== undefined
    )
  )
}

const mendPart = (part: Prompt.Part): object =>
  Object.fromEntries(
    Object.entries(part).map(([key, value]: [string, unknown]) => [
      key,
      value instanceof Uint8Array || value instanceof URL ? value : key === "modelOutput" && Array.isArray(value)
        ? value.filter(Prompt.isPart).map(mendPart)
        : mendJson(value)
    ])
  )

const isMessages = (value: ReadonlyArray<unknown>): value is ReadonlyArray<Prompt.Message> =>
  value.every(Prompt.isMessage)

/** The prompt with every value replaced that no session can hold. */
export const mend = (prompt: Prompt.Prompt): Prompt.Prompt => {
  const mended: ReadonlyArray<unknown> = prompt.content.map((message) =>
    Object.assign(Object.fromEntries(Object.entries(message)), {
      options: mendJson(message.options),
      content: typeof message.content === "string" ? message.content.toWellFormed() : message.content.map(mendPart)
    })
  )
  return isMessages(mended) ? Prompt.fromMessages(mended) : Prompt.empty
}

/** A prompt as plain data: bytes and addresses told apart from text, and `undefined` from nothing only where it counts. */
export const plain = (value: unknown): unknown => {
  if (value instanceof Uint8Array) return { bytes: Array.from(value) }
  if (value instanceof URL) return { href: value.href }
  if (Array.isArray(value)) return value.map(plain)
  if (!Predicate.isObject(value)) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => member !== undefined || key === "params" || key === "result")
      .sort(([one], [other]) => one < other ? -1 : 1)
      .map(([key, member]) => [key, plain(member)])
  )
}
