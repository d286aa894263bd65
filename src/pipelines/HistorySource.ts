/**
 * Finds the histories of other agents below a directory, and reads them.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import type { HistoryKind } from "../core/history/History.ts"
import * as Intake from "../core/history/Intake.ts"
import type { Limits } from "../services/SessionLimits.ts"

/**
 * A file that may hold a history, a session in OpenCode's storage, or a file of
 * which it is known that it can't be read. `bytes` is its size.
 *
 * @category models
 * @since 0.1.0
 */
export type Source =
  | { readonly _tag: "File"; readonly path: string; readonly bytes: number }
  | { readonly _tag: "OpenCode"; readonly path: string; readonly bytes: number; readonly storage: string }
  | { readonly _tag: "Unreadable"; readonly path: string; readonly bytes: number; readonly expected: string }

/** Directories in directories; deeper ones hold no histories of any agent. */
const maxLevels = 16

const sizeOf = (info: FileSystem.File.Info): number =>
  Option.getOrElse(ByteSize.toNumber(info.size), () => Number.MAX_SAFE_INTEGER)

/** What stands in the way of reading a file, and the way around it. */
const obstacle = (name: string): string | undefined => {
  if (name.endsWith(".jsonl.zst")) return "an unpacked history: unpack it with zstd -d first"
  if (/^opencode[\w-]*\.db$/.test(name)) {
    return "a history in JSON: print one with opencode export SESSION > session.json first"
  }
  return undefined
}

const isCandidate = (name: string): boolean => /\.jsonl?$/i.test(name)

/** Where OpenCode has its sessions in a directory, beside their messages: since it has several projects, and before. */
const sessionsOf = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const has = (name: string) => isDirectory(fs, path.join(directory, name))
  if (!(yield* has("message"))) return Option.none<string>()
  for (const name of ["session", "info"]) if (yield* has(name)) return Option.some(path.join(directory, name))
  return Option.none<string>()
})

const isDirectory = (fs: FileSystem.FileSystem, directory: string): Effect.Effect<boolean> =>
  Effect.match(fs.stat(directory), { onFailure: () => false, onSuccess: ({ type }) => type === "Directory" })

/** The names in a directory that is there, in order. */
const namesIn = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.catchTag(fs.readDirectory(directory), "PlatformError", () => Effect.succeed([]))
  return names.sort((one, two) => one < two ? -1 : 1)
})

const openCodeSessions = Effect.fnUntraced(function*(storage: string, sessions: string) {
  const path = yield* Path.Path
  const found: Array<Source> = []
  const take = (file: string) => {
    if (file.endsWith(".json")) found.push({ _tag: "OpenCode", path: file, bytes: 0, storage })
  }
  for (const name of yield* namesIn(sessions)) {
    take(path.join(sessions, name))
    for (const file of yield* namesIn(path.join(sessions, name))) take(path.join(sessions, name, file))
  }
  return found
})

const walk = (
  directory: string,
  levels: number
): Effect.Effect<ReadonlyArray<Source>, PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const sessions = yield* sessionsOf(directory)
    if (Option.isSome(sessions)) return yield* openCodeSessions(directory, sessions.value)
    const found: Array<Source> = []
    const entries = [...(yield* fs.readDirectoryEntries(directory))]
    for (const { name, type } of entries.sort((one, two) => one.name < two.name ? -1 : 1)) {
      const file = path.join(directory, name)
      if (type === "Directory" && levels > 0) found.push(...(yield* walk(file, levels - 1)))
      if (type !== "File") continue
      const expected = obstacle(name)
      if (expected !== undefined) found.push({ _tag: "Unreadable", path: file, bytes: 0, expected })
      else if (isCandidate(name)) found.push({ _tag: "File", path: file, bytes: sizeOf(yield* fs.stat(file)) })
    }
    // Its sessions before it had a database are in files, and these are read.
    return found.some(({ _tag }) => _tag === "OpenCode")
      ? found.filter((source) => source._tag !== "Unreadable" || !source.path.endsWith(".db"))
      : found
  })

/** The storage that a session's file is in: `<storage>/session/<project>/<session>.json`, or `<storage>/info/…`. */
const storageAround = Effect.fnUntraced(function*(file: string) {
  const path = yield* Path.Path
  const above = path.dirname(file)
  const sessions = path.basename(above) === "info" ? above : path.dirname(above)
  const storage = path.dirname(sessions)
  return Option.contains(yield* sessionsOf(storage), sessions) ? Option.some(storage) : Option.none<string>()
})

/**
 * What there is to read at a path: the file itself, or every file below the
 * directory that may hold a history. Links below it are not followed.
 *
 * @category operations
 * @since 0.1.0
 */
export const find = Effect.fnUntraced(function*(target: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const real = yield* fs.realPath(target)
  const info = yield* fs.stat(real)
  if (info.type === "Directory") return yield* walk(real, maxLevels)
  const expected = info.type === "File" ? obstacle(path.basename(real)) : "a file or a directory"
  if (expected !== undefined) return [{ _tag: "Unreadable", path: real, bytes: 0, expected } satisfies Source]
  const storage = yield* storageAround(real)
  const source: Source = Option.isSome(storage)
    ? { _tag: "OpenCode", path: real, bytes: 0, storage: storage.value }
    : { _tag: "File", path: real, bytes: sizeOf(info) }
  return [source]
})

/**
 * How a history is read, for a store with these limits.
 *
 * @category constructors
 * @since 0.1.0
 */
export const optionsFor = ({ maxBytes, maxDepth }: Limits): Omit<Intake.Options, "kind" | "layout"> => ({
  // Branches that were left, and texts that take more bytes here than there, have room beside what is brought in.
  bounds: { maxBytes: maxBytes * 1.5, maxKeptBytes: maxBytes / 32 },
  maxRecordBytes: maxBytes,
  // What a record says stands a few levels deeper in a snapshot.
  maxDepth: Math.max(8, maxDepth - 12)
})

/** Bytes that are read at once. */
const chunkSize = 256 * 1024

const readAs = Effect.fnUntraced(function*(
  file: string,
  options: Intake.Options,
  isEnough: (intake: Intake.Intake) => boolean,
  onRead: (bytes: number) => Effect.Effect<void>
) {
  const fs = yield* FileSystem.FileSystem
  const intake = Intake.make(options)
  yield* fs.stream(file, { chunkSize }).pipe(
    Stream.tap((bytes) =>
      Effect.suspend(() => {
        intake.push(bytes)
        return onRead(bytes.length)
      })
    ),
    Stream.takeUntil(() => isEnough(intake)),
    Stream.runDrain
  )
  return intake
})

/** The name says what a file is likely to be; what is in it decides. */
const layoutsOf = (file: string) =>
  /\.json$/i.test(file) ? ["document", "lines"] as const : ["lines", "document"] as const

/**
 * Whether a file is a history of a known agent. Reads no further than it takes to
 * see that.
 *
 * @category operations
 * @since 0.1.0
 */
export const isHistory = Effect.fnUntraced(function*(file: string, limits: Limits) {
  const isEnough = (intake: Intake.Intake) => intake.isDecided() || intake.isHopeless()
  for (const layout of layoutsOf(file)) {
    const intake = yield* readAs(file, { ...optionsFor(limits), layout }, isEnough, () => Effect.void)
    if (Option.isSome(intake.end())) return true
  }
  return false
})

/**
 * Reads a file in bounded memory. None, where it is no history.
 *
 * @category operations
 * @since 0.1.0
 */
export const read = Effect.fnUntraced(function*(
  file: string,
  options: Omit<Intake.Options, "layout" | "kind"> & { readonly kind?: HistoryKind },
  onRead: (bytes: number) => Effect.Effect<void>
) {
  for (const layout of layoutsOf(file)) {
    const intake = yield* readAs(file, { ...options, layout }, (intake) => intake.isHopeless(), onRead)
    const found = intake.end()
    if (Option.isSome(found) && saysSomething(found.value)) return found
  }
  return Option.none<Intake.History>()
})

/** With a kind that was named, any file would be a history. */
const saysSomething = ({ conversations }: Intake.History): boolean =>
  conversations.some(({ facts, pieces, tally }) =>
    pieces.length > 0 || Object.keys(facts).length > 0 || tally.counts().kept > 0
  )
