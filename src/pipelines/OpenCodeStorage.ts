/**
 * A session of OpenCode, whose messages and parts are a file each.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import type * as Intake from "../core/history/Intake.ts"
import * as OpenCode from "../core/history/OpenCode.ts"
import * as Records from "../core/history/Records.ts"
import * as Transcript from "../core/history/Transcript.ts"
import type { JsonObject } from "../core/Json.ts"
import * as Text from "../core/Text.ts"
import * as Files from "../services/store/Files.ts"

type Options = Omit<Intake.Options, "kind" | "layout">

/** A file as a record, or why it is none. */
const recordIn = Effect.fnUntraced(function*(file: string, { maxDepth, maxRecordBytes }: Options) {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* Effect.result(Files.make(fs).read(file, maxRecordBytes))
  if (Result.isFailure(bytes)) {
    const { failure } = bytes
    return Result.fail(
      failure._tag === "TooLarge" ? `longer than ${maxRecordBytes} bytes` : "a file that can't be read"
    )
  }
  const text = Text.fromBytes(bytes.success.bytes)
  return Option.isNone(text) ? Result.fail("not UTF-8") : Records.parse(text.value, maxDepth)
})

/** Names of the JSON files in a directory, in their order. None, if there is no such directory. */
const namesIn = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.catchTag(fs.readDirectory(directory), "PlatformError", () => Effect.succeed([]))
  return names.filter((name) => name.endsWith(".json")).sort((one, two) => one < two ? -1 : 1)
})

/**
 * Reads a session of OpenCode from its storage: none of its files is fatal.
 *
 * @category operations
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function*(
  source: { readonly path: string; readonly storage: string },
  options: Options,
  onRead: (bytes: number) => Effect.Effect<void>
) {
  const path = yield* Path.Path
  const transcript = Transcript.make(OpenCode.reader, options.bounds)
  let count = 0

  const records = Effect.fnUntraced(function*(directory: string) {
    const found: Array<JsonObject> = []
    for (const name of yield* namesIn(directory)) {
      count++
      yield* onRead(0)
      const read = yield* recordIn(path.join(directory, name), options)
      if (Result.isFailure(read)) {
        transcript.skip(read.failure, count)
        continue
      }
      transcript.changed(read.success.changes)
      // Its name counts: what is in it may have been written before it was moved.
      found.push({ ...read.success.record, id: path.basename(name, ".json") })
    }
    return found
  })

  const id = path.basename(source.path, ".json")
  for (const name of yield* namesIn(path.join(source.storage, "message", id))) {
    count++
    const at = count
    const read = yield* recordIn(path.join(source.storage, "message", id, name), options)
    if (Result.isFailure(read)) {
      transcript.skip(read.failure, at)
      continue
    }
    const messageId = path.basename(name, ".json")
    const own = yield* records(path.join(source.storage, "part", messageId))
    const parts = own.length > 0 ? own : yield* records(path.join(source.storage, "part", id, messageId))
    // The oldest messages have their parts in themselves.
    const { parts: inside = [], ...info } = read.success.record
    transcript.add(
      OpenCode.reader.read({ info: { ...info, id: messageId }, parts: parts.length > 0 ? parts : inside }),
      at
    )
    transcript.changed(read.success.changes)
  }

  count++
  const session = yield* recordIn(source.path, options)
  const todos = yield* todosIn(path.join(source.storage, "todo", `${id}.json`), options)
  if (Result.isFailure(session)) transcript.skip(session.failure, count)
  const info = Result.isSuccess(session) ? session.success.record : {}
  const readings = OpenCode.reader.read({ info: { ...info, id, ...todos } })
  transcript.add(Result.isSuccess(session) ? readings : readings.map((each) => ({ ...each, records: 0 })), count)
  const history: Intake.History = { reader: OpenCode.reader, conversations: transcript.finish() }
  return history
})

/** The to-do list is a list, and no record. */
const todosIn = Effect.fnUntraced(function*(file: string, { maxDepth, maxRecordBytes }: Options) {
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* Effect.option(Files.make(fs).read(file, maxRecordBytes))
  const text = Option.flatMap(bytes, (read) => Text.fromBytes(read.bytes))
  if (Option.isNone(text)) return {}
  return Result.match(Records.parse(`{"todos":${text.value}}`, maxDepth), {
    onFailure: () => ({}),
    onSuccess: ({ record }) => record
  })
})
