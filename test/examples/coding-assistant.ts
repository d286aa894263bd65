/**
 * A small coding assistant: it reads and writes the files of its project.
 *
 *     reprise new --name "Try it"
 *     reprise resume last --agent test/examples/coding-assistant.ts
 *
 * Ask it to `show sum.js`, or to `replace "+ 1" with "" in sum.js`. It needs no
 * network: its model follows a script. Give `assistant` any other model of
 * effect/ai, for example `AnthropicLanguageModel.model("claude-sonnet-4-5")`, and
 * it is one that thinks.
 *
 * Kill it at any moment and resume the session: what was said is there, a call
 * that was cut off is answered, and it goes on.
 */
import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { Console, Effect, FileSystem, Path, Schema, Stream } from "effect"
import { Tool, Toolkit } from "effect/ai"
// An application imports these from "effect-reprise/ai" and "effect-reprise".
import { SessionChat } from "../../src/ai/index.ts"
import type { RunningSession } from "../../src/index.ts"
import * as ScriptedModel from "./scripted-model.ts"

const system = "You are a coding assistant. You read and write the files of one project, and say briefly what you did."

const file = Schema.String.annotate({ description: "The path of a file, relative to the project" })

const ReadFile = Tool.make("read_file", {
  description: "Reads a file of the project.",
  parameters: Schema.Struct({ path: file }),
  success: Schema.String,
  failure: Schema.String,
  failureMode: "return"
  // Reading changes nothing: a call that a crash cut off is made again.
}).annotate(Tool.Idempotent, true)

const WriteFile = Tool.make("write_file", {
  description: "Writes a file of the project.",
  parameters: Schema.Struct({ path: file, content: Schema.String }),
  success: Schema.String,
  failure: Schema.String,
  failureMode: "return"
})

const Files = Toolkit.make(ReadFile, WriteFile)

/** The tools on one project: no path leads out of it. */
const filesOf = (project: string) =>
  Files.toLayer(Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const root = yield* Effect.orDie(fs.realPath(project))

    const inside = Effect.fnUntraced(function*(name: string) {
      const whole = path.resolve(root, name)
      // What is not there yet is judged by its directory: neither may be a link that leads out.
      const real = yield* fs.realPath(whole).pipe(
        Effect.catch(() => Effect.map(fs.realPath(path.dirname(whole)), (to) => path.join(to, path.basename(whole)))),
        Effect.mapError(() => `there is no ${name}`)
      )
      return real.startsWith(root + path.sep) ? real : yield* Effect.fail(`${name} is outside of the project`)
    })

    return {
      read_file: (params) =>
        Effect.flatMap(inside(params.path), (file) =>
          Effect.mapError(fs.readFileString(file), () => `there is no ${params.path}`)),
      write_file: (params) =>
        Effect.flatMap(inside(params.path), (file) =>
          Effect.mapBoth(fs.writeFileString(file, params.content), {
            onFailure: () =>
              `${params.path} can't be written`,
            onSuccess: () => `wrote ${params.path}`
          }))
    }
  }))

/** Answers whatever is not answered yet, for as long as the session runs. On any model. */
export const assistant = Effect.fnUntraced(function*(session: RunningSession) {
  const { session: { projectPath } } = yield* session.state
  const toolkit = yield* Effect.provide(Files, filesOf(projectPath))
  const chat = yield* SessionChat.make(session, { system, toolkit })
  for (const { how, name } of chat.repaired) {
    yield* Console.log(how === "ranAgain" ? `${name} was cut off and was done again` : `${name} was cut off`)
  }

  const answer = Effect.gen(function*() {
    const last = (yield* chat.history).content.at(-1)
    if (last === undefined || last.role === "assistant") return
    // What is to be answered is in the session already.
    let { toolCalls } = yield* chat.generateText({ prompt: [], toolkit })
    while (toolCalls.length > 0) ({ toolCalls } = yield* chat.generateText({ prompt: [], toolkit }))
  })

  yield* Stream.runForEach(session.changes, () => answer)
})

/** The same on a model that needs no network. */
export default (session: RunningSession) =>
  Effect.provide(assistant(session), [ScriptedModel.layer, NodeFileSystem.layer, NodePath.layer])
