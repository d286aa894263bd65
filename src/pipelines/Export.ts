/**
 * From a stored session to a file that can be carried elsewhere.
 *
 * @since 0.1.0
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import type * as Redacted from "effect/Redacted"
import * as Blob from "../core/Blob.ts"
import type { Message } from "../core/Session.ts"
import {
  ExportFailed,
  FileExists,
  type InvalidBlob,
  type InvalidJson,
  type NotFound,
  ProjectOutside,
  type SchemaVersion,
  StoreError,
  TooLarge
} from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as Snapshot from "../core/Snapshot.ts"
import * as Blobs from "../services/Blobs.ts"
import type { Hmac } from "../services/Hmac.ts"
import { SessionStore } from "../services/SessionStore.ts"
import { shared, signed, Signer } from "../services/Signer.ts"
import * as FileError from "../services/store/FileError.ts"
import * as Files from "../services/store/Files.ts"
import * as Load from "./Load.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface ExportOptions {
  /** A directory above the project, which is told relative to it: the importer says where it is there. */
  readonly root?: string
  /** Signs with a secret that the importer has too, at least 32 bytes; by default with the key ring. */
  readonly secret?: Redacted.Redacted<Uint8Array>
  /** Replace a file of that name. */
  readonly overwrite?: boolean
}

/**
 * @category models
 * @since 0.1.0
 */
export interface ExportReport {
  readonly file: string
  readonly bytes: number
  /** As it stands in the file: `.`, below a root `./…`, else absolute. */
  readonly projectPath: string
}

const portablePath = Effect.fnUntraced(function*(id: SessionId, project: string, root: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const real = yield* Effect.orElseSucceed(fs.realPath(root), () => path.resolve(root))
  const relative = path.relative(real, project)
  if (relative === "") return "."
  const steps = relative.split(path.sep)
  if (steps[0] === ".." || path.isAbsolute(relative)) {
    return yield* new ExportFailed({ id, reason: new ProjectOutside({ path: project, roots: [root] }) })
  }
  return `./${steps.join("/")}`
})

/** What could not be brought in again is not written. */
const refuseLarger = Effect.fnUntraced(function*(id: SessionId, bytes: number) {
  const { limits } = yield* SessionStore
  if (bytes > limits.maxBytes) {
    return yield* new ExportFailed({ id, reason: new TooLarge({ bytes, limit: limits.maxBytes }) })
  }
})

/** The messages with their large parts in them: a file has nothing beside it. */
const whole = Effect.fnUntraced(function*(
  id: SessionId,
  conversation: ReadonlyArray<Message>,
  stored: ReadonlyArray<Uint8Array>
) {
  const { readBlob } = yield* SessionStore
  const references = conversation.flatMap(Blob.references)
  const large = references.reduce((sum, { bytes }) => sum + bytes, 0)
  // Before anything is read: none of it becomes smaller as text.
  yield* refuseLarger(id, stored.reduce((sum, { length }) => sum + length, 0) + large)
  if (references.length === 0) return stored
  return yield* Effect.forEach(
    conversation,
    (message) => Effect.map(Blobs.materialise({ id, readBlob }, message), Snapshot.encodeMessage)
  )
})

/** Writes the whole file under a name of its own, and then gives it its name in one step. */
const put = Effect.fnUntraced(function*(file: string, bytes: Uint8Array, overwrite: boolean) {
  const path = yield* Path.Path
  const random = yield* SecureRandom.SecureRandom
  const files = Files.make(yield* FileSystem.FileSystem)
  const prepared = `${file}.${yield* random.uuidV4()}.part`
  const named = overwrite ? files.rename(prepared, file) : files.link(prepared, file)
  yield* files.write(prepared, bytes).pipe(Effect.andThen(named), Effect.ensuring(files.removeQuietly(prepared)))
  yield* Effect.onError(
    files.syncDirectory(path.dirname(file)),
    () => overwrite ? Effect.void : files.removeQuietly(file)
  )
})

/**
 * Writes a session to a file: one signed document with everything in it, also
 * what is stored beside the session. One of more than `SessionLimits.maxBytes` could
 * not be imported, and is refused.
 *
 * **Details**
 *
 * Of a running session it is the acknowledged state at that moment. The file has
 * mode 0600 and is synced. Called twice the second call fails with `FileExists`
 * unless `overwrite` is set. When it fails no file is left, and nothing stored
 * has changed.
 *
 * @category operations
 * @since 0.1.0
 */
export const exportTo: (id: SessionId, file: string, options?: ExportOptions) => Effect.Effect<
  ExportReport,
  NotFound | InvalidJson | SchemaVersion | InvalidBlob | ExportFailed | StoreError,
  SessionStore | Signer | Hmac | SecureRandom.SecureRandom | FileSystem.FileSystem | Path.Path
> = Effect.fn("Sessions.exportTo")(function*(id: SessionId, file: string, options: ExportOptions = {}) {
  const path = yield* Path.Path
  const store = yield* SessionStore
  const { isOpen, messages: stored, snapshot, state } = yield* Load.open(id, yield* store.read(id))
  const ring = options.secret === undefined ? yield* Signer : yield* shared(options.secret)
  const { session } = state
  const projectPath = options.root === undefined
    ? session.projectPath
    : yield* portablePath(id, session.projectPath, options.root)
  const { closedAt, epoch } = snapshot.head
  const messages = yield* whole(id, state.conversation, stored)
  const document = yield* signed(Snapshot.encode(ring, { ...state, session: { ...session, projectPath } }, messages, {
    epoch,
    // Of one that was resumed it is the moment of an earlier close.
    ...(isOpen || closedAt === undefined ? {} : { closedAt }),
    purpose: "export",
    version: store.format.version
  }))
  yield* refuseLarger(id, document.bytes.length)
  const target = path.resolve(file)
  yield* Effect.uninterruptible(put(target, document.bytes, options.overwrite === true)).pipe(
    Effect.mapError((error: PlatformError) =>
      FileError.isPresent(error)
        ? new ExportFailed({ id, reason: new FileExists({ path: target }) })
        : new StoreError({ operation: "export", cause: error })
    )
  )
  const report: ExportReport = { file: target, bytes: document.bytes.length, projectPath }
  return report
}, Telemetry.ofSession("export"))
