/**
 * From a file that others wrote to a stored session: the only way in.
 *
 * @since 0.1.0
 */
import type * as Kdf from "effect/crypto/Kdf"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { ImportFormat } from "../core/ImportFormat.ts"
import type { Change } from "../core/MigrationStep.ts"
import type { SessionState } from "../core/Session.ts"
import { AlreadyStored, CreateFailed, InvalidJson, type SchemaVersion, StoreError } from "../core/SessionError.ts"
import * as SessionId from "../core/SessionId.ts"
import type { Hmac } from "../services/Hmac.ts"
import type { ProjectDirectory } from "../services/ProjectDirectory.ts"
import * as SessionStore from "../services/SessionStore.ts"
import type { Signer } from "../services/Signer.ts"
import * as Files from "../services/store/Files.ts"
import * as Foreign from "./Foreign.ts"
import * as Placement from "./Placement.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface ImportOptions extends Omit<Foreign.ForeignOptions, "as"> {
  /** Where the root is here that the project was told relative to when it was exported. */
  readonly root?: string
  /** Give it a new id, so that it can stand beside the same one. */
  readonly copy?: boolean
}

/**
 * What was brought in, and what could not be taken over as it was.
 *
 * @category models
 * @since 0.1.0
 */
export interface ImportReport {
  readonly id: SessionId.SessionId
  readonly from: ImportFormat
  /** The format version of the file. */
  readonly version: number
  /** Whether its signature was verified. */
  readonly isVerified: boolean
  readonly messages: number
  readonly todos: number
  readonly prompts: number
  readonly projectPath: string
  /** Whether the project is there now; if not, resume it with another one. */
  readonly projectExists: boolean
  readonly changes: ReadonlyArray<Change>
}

const readFile = Effect.fnUntraced(function*(file: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const { limits } = yield* SessionStore.SessionStore
  return yield* Effect.flatMap(fs.realPath(file), (real) => Files.make(fs).read(real, limits.maxBytes)).pipe(
    Effect.map(({ bytes }) => bytes),
    Effect.catchTags({
      TooLarge: (reason) => new InvalidJson({ id: path.basename(file), reason }),
      PlatformError: (cause) => new StoreError({ operation: "reading the file to import", cause })
    })
  )
})

/** A stored path as it is here: below a root where it is relative, real where it exists. */
const locate = Effect.fnUntraced(function*(stored: string, options: ImportOptions) {
  const path = yield* Path.Path
  const isRelative = stored === "." || stored.startsWith("./")
  if (options.project === undefined && isRelative && options.root === undefined) {
    return yield* Placement.invalid("project is relative: pass root, or the directory as project")
  }
  if (isRelative && stored.split("/").includes("..")) return yield* Placement.invalid("project leads out of its root")
  const wanted = options.project ??
    (isRelative && options.root !== undefined ? path.join(path.resolve(options.root), stored) : stored)
  return yield* Placement.settle(wanted, { isChosen: options.project !== undefined })
})

const refuseStored = Effect.fnUntraced(function*(id: SessionId.SessionId) {
  const store = yield* SessionStore.SessionStore
  yield* store.isRemoved(id).pipe(
    Effect.andThen(new CreateFailed({ reason: new AlreadyStored({ id }) })),
    Effect.catchTag("NotFound", () => Effect.void)
  )
})

/**
 * Brings in a session from a file: one that `exportTo` wrote, or one of
 * JidoCode.
 *
 * **Details**
 *
 * Its signature is verified first, with the key ring or the given secret; a
 * file that can't be verified comes in with `allowUnsigned` only, and one whose
 * signature does not fit never. It is read strictly: UTF-8, no key twice, no
 * number that would change. It is stored closed, under its own id, signed with
 * the key ring; the file stays as it is. Called twice the second call fails with
 * `AlreadyStored`. When it fails nothing is stored.
 *
 * @category operations
 * @since 0.1.0
 */
export const importFile: (file: string, options?: ImportOptions) => Effect.Effect<
  ImportReport,
  InvalidJson | SchemaVersion | CreateFailed | StoreError,
  | SessionStore.SessionStore
  | Signer
  | Hmac
  | Kdf.Kdf
  | ProjectDirectory
  | SecureRandom.SecureRandom
  | FileSystem.FileSystem
  | Path.Path
> = Effect.fn("Sessions.importFile")(function*(file: string, options: ImportOptions = {}) {
  const path = yield* Path.Path
  const store = yield* SessionStore.SessionStore
  const random = yield* SecureRandom.SecureRandom
  const bytes = yield* readFile(file)
  const fresh = options.copy === true
    ? Option.some(SessionId.make(yield* random.uuidV4()))
    : Option.none<SessionId.SessionId>()
  const found = yield* Foreign.read(path.basename(file), bytes, { ...options, as: fresh })
  const { session } = found.state
  const { projectExists, projectPath } = yield* locate(session.projectPath, options)
  const state: SessionState = { ...found.state, session: { ...session, projectPath } }
  yield* store.alone(Effect.andThen(refuseStored(session.id), Placement.place(state, found.closedAt)))
  yield* Effect.annotateLogs(Effect.logInfo("imported"), { sessionId: session.id, changes: found.changes.length })
  const report: ImportReport = {
    id: session.id,
    from: found.from,
    version: found.version,
    isVerified: found.isVerified,
    messages: state.conversation.length,
    todos: state.todos.length,
    prompts: state.promptHistory.length,
    projectPath,
    projectExists,
    changes: [
      ...found.changes,
      ...(projectPath === session.projectPath ? [] : [{ path: "projectPath", change: "mapped to this machine" }])
    ]
  }
  return report
}, (effect) => Telemetry.observed("import")(effect))
