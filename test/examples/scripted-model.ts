/**
 * A model of effect/ai that follows a script, for the coding assistant: it knows
 * how to `show FILE` and how to `replace "this" with "that" in FILE`, with the
 * tools `read_file` and `write_file`. It is not clever, but it looks before it
 * writes, and looks again where it does not know what became of a call.
 */
import { Effect, Layer, Stream } from "effect"
import { LanguageModel, type Prompt, type Response } from "effect/ai"

type Part = Response.TextPartEncoded | Response.ToolCallPartEncoded

type Task =
  | { readonly _tag: "Show"; readonly path: string }
  | { readonly _tag: "Replace"; readonly path: string; readonly from: string; readonly to: string }

const taskOf = (text: string): Task | undefined => {
  const [, from, to, target] = /replace "(.+)" with "(.*)" in (\S+)/i.exec(text) ?? []
  if (from !== undefined && to !== undefined && target !== undefined) {
    return { _tag: "Replace", path: target, from, to }
  }
  const [, path] = /show (\S+)/i.exec(text) ?? []
  return path === undefined ? undefined : { _tag: "Show", path }
}

const text = (text: string): ReadonlyArray<Part> => [{ type: "text", text }]

const textOf = (message: Prompt.Message): string =>
  message.role === "user" ? message.content.map((part) => part.type === "text" ? part.text : "").join("\n") : ""

const lastResult = (message: Prompt.Message | undefined): Prompt.ToolResultPart | undefined =>
  message?.role === "tool" ? message.content.findLast((part) => part.type === "tool-result") : undefined

const afterReading = (
  task: Task,
  { isFailure, result }: Prompt.ToolResultPart,
  hasWritten: boolean,
  call: (name: string, params: object) => ReadonlyArray<Part>
): ReadonlyArray<Part> => {
  const content = String(result)
  if (isFailure) return text(`I can't read ${task.path}: ${content}.`)
  if (task._tag === "Show") return text(`${task.path}:\n\n${content.trimEnd()}`)
  if (content.includes(task.from)) {
    return call("write_file", { path: task.path, content: content.replace(task.from, () => task.to) })
  }
  return text(hasWritten ? `${task.path} is changed.` : `There is no "${task.from}" in ${task.path}.`)
}

/** What the model says next: from the last request, and what was done for it. */
const next = ({ content }: Prompt.Prompt): ReadonlyArray<Part> => {
  const asked = content.findLastIndex(({ role }) => role === "user")
  const request = content[asked]
  const task = request === undefined ? undefined : taskOf(textOf(request))
  if (task === undefined) return text("I can show a file, and replace \"this\" with \"that\" in one.")
  const call = (name: string, params: object): ReadonlyArray<Part> => [
    { type: "text", text: name === "read_file" ? `I look into ${task.path}.` : `I change ${task.path}.` },
    { type: "tool-call", id: `call-${content.length}`, name, params }
  ]
  const result = lastResult(content.at(-1))
  if (result === undefined) return call("read_file", { path: task.path })
  const hasWritten = content.slice(asked).some((message) => lastResult(message)?.name === "write_file")
  if (result.name === "read_file") return afterReading(task, result, hasWritten, call)
  // Written, or cut off on the way: the file tells.
  return result.isFailure ? call("read_file", { path: task.path }) : text(`${task.path} is changed.`)
}

const finish: Response.FinishPartEncoded = {
  type: "finish",
  reason: "stop",
  usage: {
    inputTokens: { uncached: undefined, total: 100, cacheRead: undefined, cacheWrite: undefined },
    outputTokens: { total: 10, text: undefined, reasoning: undefined }
  }
}

const streamed = (part: Part, id: string): ReadonlyArray<Response.StreamPartEncoded> =>
  part.type === "text"
    ? [{ type: "text-start", id }, { type: "text-delta", id, delta: part.text }, { type: "text-end", id }]
    : [part]

export const layer = Layer.effect(
  LanguageModel.LanguageModel,
  LanguageModel.make({
    generateText: ({ prompt }) => Effect.sync(() => [...next(prompt), finish]),
    streamText: ({ prompt }) =>
      Stream.suspend(() =>
        Stream.fromIterable([...next(prompt).flatMap((part, index) => streamed(part, String(index))), finish])
      )
  })
)
