/**
 * From the histories of other agents to stored sessions.
 *
 * @since 0.1.0
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Check from "../core/Check.ts"
import type { HistoryKind, Reader } from "../core/history/History.ts"
import * as HistoryId from "../core/history/HistoryId.ts"
import type * as Intake from "../core/history/Intake.ts"
import * as Recovered from "../core/history/Recovered.ts"
import type { Conversation } from "../core/history/Transcript.ts"
import * as Json from "../core/Json.ts"
import * as Session from "../core/Session.ts"
import type { SchemaVersion } from "../core/SessionError.ts"
import { InvalidJson, Shape, StoreError } from "../core/SessionError.ts"
import * as SessionId from "../core/SessionId.ts"
import { Hmac } from "../services/Hmac.ts"
import { now } from "../services/Now.ts"
import type { ProjectDirectory } from "../services/ProjectDirectory.ts"
import * as SessionStore from "../services/SessionStore.ts"
import type { Signer } from "../services/Signer.ts"
import type { HistoryError, HistoryOutcome, HistoryReport, ImportHistoryOptions } from "./HistoryReport.ts"
import * as HistorySource from "./HistorySource.ts"
import * as OpenCodeStorage from "./OpenCodeStorage.ts"
import * as Placement from "./Placement.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * What an import of histories needs.
 *
 * @category models
 * @since 0.1.0
 */
export type HistoryServices =
  | SessionStore.SessionStore
  | Signer
  | Hmac
  | ProjectDirectory
  | SecureRandom.SecureRandom
  | FileSystem.FileSystem
  | Path.Path

const isState = Check.make(Session.SessionState)

/** Names a conversation as its agent does. */
const originalOf = ({ agent, facts }: Conversation, reader: Reader, file: string): string => {
  // A file that goes on with another one begins with the records of that.
  const isOwnName = reader.kind === "claude-code" && /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(file)
  const session = isOwnName ? file : facts.id ?? file
  return agent === undefined ? session : `${facts.id ?? file}/${agent}`
}

const parentOf = ({ agent, facts }: Conversation, file: string): string | undefined =>
  agent === undefined ? facts.parent : facts.id ?? file

const idOf = Effect.fnUntraced(function*(kind: HistoryKind, original: string) {
  const own = HistoryId.own(original)
  if (own !== undefined) return own
  const { start } = yield* Hmac
  const mac = start(HistoryId.key)
  mac.update(HistoryId.name(kind, original))
  return HistoryId.fromDigest(mac.digest())
})

/** Gemini CLI names a project by a hash, and its path in a file beside the chats. */
const rememberedProject = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const marker = path.join(path.dirname(path.dirname(file)), ".project_root")
  const text = yield* Effect.option(fs.readFileString(marker))
  return Option.getOrUndefined(Option.filter(Option.map(text, (text) => text.trim()), (text) => text !== ""))
})

const locate = Effect.fnUntraced(function*(
  { facts }: Conversation,
  kind: HistoryKind,
  file: string,
  options: ImportHistoryOptions
) {
  if (options.project !== undefined) return yield* Placement.settle(options.project, { isChosen: true })
  const told = facts.cwd ?? (kind === "gemini" ? yield* rememberedProject(file) : undefined)
  const here = told === undefined ? Option.none() : yield* Effect.option(Placement.settle(told, { isChosen: false }))
  if (Option.isSome(here)) return here.value
  if (options.defaultProject !== undefined) return yield* Placement.settle(options.defaultProject, { isChosen: true })
  return yield* Placement.invalid(
    told === undefined
      ? "the history does not say where it worked: pass the directory as project"
      : "the directory that the history names is none of this system: pass one as project"
  )
})

/** Whether a session is stored, and if so whether in the trash. */
const stored = Effect.fnUntraced(function*(id: SessionId.SessionId) {
  const store = yield* SessionStore.SessionStore
  return yield* Effect.catchTag(
    Effect.asSome(store.isRemoved(id)),
    "NotFound",
    () => Effect.succeed(Option.none<boolean>())
  )
})

/** One conversation: recovered, placed, and stored if it is not there. */
const bringIn = Effect.fnUntraced(function*(
  conversation: Conversation,
  reader: Reader,
  source: HistorySource.Source,
  options: ImportHistoryOptions
) {
  const path = yield* Path.Path
  const store = yield* SessionStore.SessionStore
  const random = yield* SecureRandom.SecureRandom
  const { kind } = reader
  const stem = path.parse(source.path).name
  const original = originalOf(conversation, reader, stem)
  const parent = parentOf(conversation, stem)
  const { projectExists, projectPath } = yield* locate(conversation, kind, source.path, options)
  const recovered = Recovered.make(conversation, reader, {
    id: options.copy === true ? SessionId.make(yield* random.uuidV4()) : yield* idOf(kind, original),
    original,
    parent: parent === undefined ? undefined : yield* idOf(kind, parent),
    projectPath,
    file: path.basename(source.path),
    budget: Math.floor(store.limits.maxBytes * Math.min(1, store.limits.warnAt)),
    now: yield* now
  })
  const { counts, leftOut } = recovered
  if (recovered.state.conversation.length === 0 && leftOut === 0) {
    return { _tag: "Empty", source: source.path, from: kind, records: counts } satisfies HistoryOutcome
  }
  if (leftOut > 0 && options.whenTooLarge === "refuse") {
    return yield* Placement.invalid(`${leftOut} of its messages are more than the limit allows`)
  }
  const state = yield* Effect.fromResult(
    Json.copy(recovered.state, store.limits.maxDepth).pipe(
      Result.mapError(({ expected, path }) => [`${Json.formatPath(path)} is not ${expected}`]),
      Result.flatMap((copy) =>
        Result.mapError(isState(copy), (all) => all.map(({ expected, path }) => `${path} is not ${expected}`))
      ),
      Result.mapError((issues) => Placement.invalid(...issues))
    )
  )
  const { session } = state
  const report: HistoryReport = {
    source: source.path,
    from: kind,
    id: session.id,
    original,
    agent: conversation.agent,
    parent: parent === undefined ? undefined : yield* idOf(kind, parent),
    name: session.name,
    messages: state.conversation.length,
    leftOut,
    usage: state.usage,
    createdAt: session.createdAt,
    updatedAt: session.updatedAt,
    projectPath,
    projectExists,
    records: counts
  }
  return yield* store.alone(Effect.gen(function*() {
    const known = yield* stored(session.id)
    if (Option.isSome(known)) {
      return { _tag: "AlreadyStored", isRemoved: known.value, ...report } satisfies HistoryOutcome
    }
    yield* Placement.place(state, Option.none())
    return { _tag: "Imported", ...report } satisfies HistoryOutcome
  }))
})

const isSubagent = ({ agent, facts }: Conversation): boolean => agent !== undefined || facts.isSubagent === true

const readSource = Effect.fnUntraced(function*(
  source: HistorySource.Source,
  { from }: ImportHistoryOptions,
  onRead: (bytes: number) => Effect.Effect<void>
) {
  const { limits } = yield* SessionStore.SessionStore
  const options = HistorySource.optionsFor(limits)
  switch (source._tag) {
    case "Unreadable":
      return yield* unreadable(source.path, source.expected)
    case "OpenCode":
      return Option.some(yield* OpenCodeStorage.read(source, options, onRead))
    case "File":
      return yield* Effect.mapError(
        HistorySource.read(source.path, { ...options, ...(from === undefined ? {} : { kind: from }) }, onRead),
        (cause) => new StoreError({ operation: "reading the history to import", cause })
      )
  }
})

const unreadable = Effect.fnUntraced(function*(file: string, expected: string) {
  const path = yield* Path.Path
  return yield* new InvalidJson({ id: path.basename(file), reason: new Shape({ path: "", expected }) })
})

/** The conversations of a file that are wanted, one by one. */
const outcomesOf = (
  history: Intake.History,
  source: HistorySource.Source,
  options: ImportHistoryOptions
): Stream.Stream<HistoryOutcome, never, HistoryServices> =>
  Stream.mapEffect(
    Stream.fromIterable(history.conversations.filter(({ agent, pieces }, _, all) =>
      // What is about the file as a whole only is no conversation, where there is one.
      pieces.length > 0 || (agent === undefined && all.every((other) => other.pieces.length === 0))
    )),
    (conversation) =>
      isSubagent(conversation) && options.subagents === false
        ? Effect.succeed<HistoryOutcome>({ _tag: "Ignored", source: source.path, reason: "of a sub-agent" })
        : failing(source, bringIn(conversation, history.reader, source, options))
  )

/** What can't be brought in stops nothing else. */
const failing = <R>(
  source: HistorySource.Source,
  effect: Effect.Effect<HistoryOutcome, HistoryError | SchemaVersion, R>
): Effect.Effect<HistoryOutcome, never, R> =>
  Effect.match(Telemetry.observed("importHistory")(effect), {
    onFailure: (error): HistoryOutcome => ({
      _tag: "Failed",
      source: source.path,
      error: error._tag === "SchemaVersion" ? new StoreError({ operation: "import", cause: error }) : error
    }),
    onSuccess: (outcome) => outcome
  })

const importSource = (
  source: HistorySource.Source,
  options: ImportHistoryOptions,
  isOnly: boolean,
  onRead: (bytes: number) => Effect.Effect<void>
): Stream.Stream<HistoryOutcome, never, HistoryServices> =>
  Stream.unwrap(
    readSource(source, options, onRead).pipe(
      Effect.flatMap(Option.match({
        onSome: (history) => Effect.succeed(outcomesOf(history, source, options)),
        onNone: () =>
          isOnly
            ? unreadable(source.path, "a history of a known agent")
            : Effect.succeed(Stream.make<[HistoryOutcome]>({
              _tag: "Ignored",
              source: source.path,
              reason: "no history of a known agent"
            }))
      })),
      Effect.catch((error) =>
        Effect.succeed(Stream.make<[HistoryOutcome]>({ _tag: "Failed", source: source.path, error }))
      )
    )
  )

/**
 * Brings in what other agents keep of their sessions: a file, or everything below
 * a directory.
 *
 * **Details**
 *
 * The formats of Claude Code, Codex, pi, Gemini CLI and OpenCode are told by what
 * is in the files. Each is read in bounded memory. A record that can't be read,
 * or that is not known, is counted with the reason and stops nothing. Sessions
 * are stored closed and signed, under the agent's own id if it is a UUID v4 and
 * one derived from it if not: a second import finds them stored, and changes
 * nothing. What sub-agents said becomes sessions of their own that name their
 * parent. The files stay as they are.
 *
 * A history that is larger than a session may be comes in with its newest turns,
 * up to the limit's `warnAt`, so that there is room to go on; what is left out is
 * counted. Calls of tools without a result are answered as interrupted, since no
 * model would take the conversation otherwise.
 *
 * The stream ends with what could be done: a file that can't be brought in is an
 * outcome of its own, and stores nothing.
 *
 * @category operations
 * @since 0.1.0
 */
export const importHistory = (
  target: string,
  options: ImportHistoryOptions = {}
): Stream.Stream<HistoryOutcome, StoreError, HistoryServices> =>
  Stream.unwrap(
    Effect.map(
      Effect.mapError(
        HistorySource.find(target),
        (cause) => new StoreError({ operation: "finding the history to import", cause })
      ),
      (sources) => {
        const total = sources.reduce((sum, { bytes }) => sum + bytes, 0)
        let bytes = 0
        const heard = (source: string) => (more: number) => {
          bytes += more
          return options.onProgress?.({ source, bytes, total }) ?? Effect.void
        }
        return Stream.flatMap(
          Stream.fromIterable(sources),
          (source) => importSource(source, options, sources.length === 1, heard(source.path))
        )
      }
    )
  )
