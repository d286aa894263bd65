/**
 * New sessions.
 *
 * @since 0.1.0
 */
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Check from "../core/Check.ts"
import type { JsonObject } from "../core/Json.ts"
import * as Json from "../core/Json.ts"
import type { Fingerprint } from "../core/ProjectPath.ts"
import * as ProjectPath from "../core/ProjectPath.ts"
import type { SessionConfig } from "../core/Session.ts"
import * as Session from "../core/Session.ts"
import { CreateFailed, InvalidSession, ProjectChanged, StoreError, TooManyStored } from "../core/SessionError.ts"
import * as SessionId from "../core/SessionId.ts"
import * as SessionList from "../core/SessionList.ts"
import * as StateSize from "../core/StateSize.ts"
import * as StoredSession from "../core/StoredSession.ts"
import type * as Timestamp from "../core/Timestamp.ts"
import { now } from "../services/Now.ts"
import { ProjectDirectory } from "../services/ProjectDirectory.ts"
import type { RunningSession } from "../services/RunningSession.ts"
import * as SessionStore from "../services/SessionStore.ts"
import * as SessionWriter from "../services/SessionWriter.ts"
import { signed, Signer } from "../services/Signer.ts"
import { type Admit, Supervisor } from "../services/Supervisor.ts"
import { discard, handOver } from "./HandOver.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * A session to create.
 *
 * @category models
 * @since 0.1.0
 */
export interface CreateOptions {
  /** An existing directory, absolute. Stored as its real path. */
  readonly project: string
  /** 1 to 50 characters; by default the name of the directory. */
  readonly name?: string
  readonly config: SessionConfig
  /** The application's own data. */
  readonly metadata?: JsonObject
}

const isSession = Check.make(Session.parsed.Session)

/**
 * The session that the options describe, or everything that is wrong with them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const describe = (
  options: CreateOptions,
  id: SessionId.SessionId,
  project: Fingerprint,
  now: Timestamp.Timestamp,
  maxDepth: number
) =>
  Json.copy({
    id,
    name: options.name ??
      Session.nameFrom(project.path.split(/[\\/]/).findLast((step) => step !== "") ?? "", "session"),
    projectPath: project.path,
    config: options.config,
    createdAt: now,
    updatedAt: now,
    metadata: options.metadata ?? {}
  }, maxDepth).pipe(
    Result.mapError(({ expected, path }) => [`${Json.formatPath(path)} is not ${expected}`]),
    Result.flatMap((session) =>
      Result.mapError(
        isSession(session),
        (mistakes) => mistakes.map(({ expected, path }) => `${path} is not ${expected}`)
      )
    ),
    Result.mapError((issues) => new CreateFailed({ reason: new InvalidSession({ issues }) }))
  )

const isKept = (entry: SessionList.Entry): boolean => entry._tag !== "Foreign" && !SessionList.isRemoved(entry)

/** The closed session that was changed the longest time ago. */
const oldestClosed = Effect.fnUntraced(function*(
  { entries, list = () => entries }: SessionStore.SessionStore["Service"],
  spared: SessionId.SessionId | undefined
) {
  const closed: SessionList.Filter = { status: ["closed"] }
  return SessionList.select(yield* Stream.runCollect(list(closed)), closed)
    .filter(SessionList.isStored)
    .findLast(({ id }) => id !== spared)
})

/**
 * Refuses one session more than the limit, or removes the oldest closed one but
 * for `spared` if the limits say so; warns before. Without a limit nothing is
 * counted.
 *
 * @category limits
 * @since 0.1.0
 */
export const ensureRoom = Effect.fnUntraced(function*(id: SessionId.SessionId, spared?: SessionId.SessionId) {
  const store = yield* SessionStore.SessionStore
  const { maxStored, warnAt, whenFull } = store.limits
  if (maxStored === Infinity) return
  const { entries, list = () => entries } = store
  // Restored by another process meanwhile, it needs no room of its own.
  const isOther = (entry: SessionList.Entry) => isKept(entry) && entry._tag !== "Foreign" && entry.id !== id
  const kept = yield* Stream.runCount(Stream.filter(list({ limit: maxStored + 1 }), isOther))
  if (kept >= maxStored) {
    const oldest = whenFull === "removeOldest" ? yield* oldestClosed(store, spared) : undefined
    if (oldest === undefined) return yield* new TooManyStored({ stored: kept, limit: maxStored })
    yield* Effect.logInfo("removed the oldest closed session to make room").pipe(
      Effect.annotateLogs({ removedSessionId: oldest.id })
    )
    yield* Effect.catchTags(store.remove(oldest.id), {
      NotFound: () => Effect.void,
      AlreadyRunning: () => new TooManyStored({ stored: kept, limit: maxStored })
    })
  } else if (kept + 1 >= maxStored * warnAt) {
    yield* Effect.annotateLogs(Effect.logWarning("nearly as many sessions are stored as may be"), {
      stored: kept + 1,
      limit: maxStored
    })
  }
})

const launch = Effect.fnUntraced(function*(
  options: CreateOptions,
  id: SessionId.SessionId,
  admit: Admit
) {
  const store = yield* SessionStore.SessionStore
  const keyRing = yield* Signer
  const { fingerprint } = yield* ProjectDirectory
  const failed = (reason: CreateFailed["reason"] | StoreError): CreateFailed | StoreError =>
    reason instanceof StoreError ? reason : new CreateFailed({ reason })

  const project = yield* Effect.mapError(fingerprint(options.project), failed)
  const session = yield* Effect.fromResult(describe(options, id, project, yield* now, store.limits.maxDepth - 1))
  yield* Effect.mapError(admit(project), failed)

  const state = Session.empty(session)
  const bytes = StateSize.total(StateSize.measure(state, []))
  if (bytes > store.limits.maxBytes) {
    return yield* failed(
      new InvalidSession({ issues: [`it would have ${bytes} bytes and the limit is ${store.limits.maxBytes}`] })
    )
  }
  const { journal: writer, snapshot } = yield* signed(
    StoredSession.begin(keyRing, state, [], { epoch: SessionStore.firstEpoch, part: 0, version: store.format.version })
  )

  const again = yield* Effect.mapError(fingerprint(options.project), failed)
  if (!ProjectPath.isSame(project, again)) return yield* failed(new ProjectChanged({ path: project.path }))
  const claim = yield* store.alone(
    Effect.andThen(Effect.mapError(ensureRoom(id), failed), store.create(id, snapshot.bytes, writer.firstLine))
  )
  return yield* SessionWriter.make({
    claim,
    readBlob: store.readBlob,
    keyRing,
    limits: store.limits,
    format: store.format,
    original: Option.none(),
    state,
    messages: () => [],
    journal: { writer, part: 0, bytes: writer.firstLine.length, snapshotBytes: snapshot.bytes.length }
  })
})

/**
 * Deletes a session that was stored and is not to be, as far as it goes.
 *
 * @category operations
 * @since 0.1.0
 */
export const takeBack = (id: SessionId.SessionId) =>
  SessionStore.SessionStore.use((store) =>
    Effect.ignore(Effect.andThen(store.remove(id, { interrupted: true }), store.purge(id)))
  )

/**
 * Creates a session and runs it.
 *
 * **Details**
 *
 * Succeeds when it is durable. Called twice it creates two sessions, of which
 * the second is refused while the first runs in the same directory. When it
 * fails nothing is stored and nothing runs.
 *
 * @category operations
 * @since 0.1.0
 */
export const create: (options: CreateOptions) => Effect.Effect<
  RunningSession,
  CreateFailed | StoreError,
  SessionStore.SessionStore | Signer | ProjectDirectory | Supervisor | SecureRandom.SecureRandom
> = (options) => handOver((started) => attempt(options, started), (id) => Effect.andThen(discard(id), takeBack(id)))

const attempt = Effect.fn("Sessions.create")(function*(
  options: CreateOptions,
  started: (id: SessionId.SessionId) => Effect.Effect<void>
) {
  const random = yield* SecureRandom.SecureRandom
  const supervisor = yield* Supervisor
  const id = SessionId.make(yield* random.uuidV4())
  return yield* Effect.uninterruptibleMask((restore) =>
    Effect.tap(supervisor.start(id, (admit) => restore(launch(options, id, admit))), started(id))
  ).pipe(
    Effect.catchTag("AlreadyRunning", (error) => Effect.die(error)),
    Effect.onError(() => takeBack(id)),
    Effect.tap(Effect.logInfo("created")),
    Effect.annotateLogs({ sessionId: id })
  )
}, (effect) => Telemetry.observed("create")(effect))

/**
 * Creates a session under an id that the caller chose, and runs it.
 *
 * **Details**
 *
 * Interrupted, what was stored stays stored: whoever chose the id asks for it
 * again. Where the id is taken it fails, and what is stored there is as it was.
 *
 * @category operations
 * @since 0.1.0
 */
export const createAs = Effect.fn("Sessions.create")(function*(id: SessionId.SessionId, options: CreateOptions) {
  const supervisor = yield* Supervisor
  return yield* Effect.tap(
    supervisor.start(id, (admit) => launch(options, id, admit)),
    Effect.annotateLogs(Effect.logInfo("created"), { sessionId: id })
  )
}, (effect) => Telemetry.observed("create")(effect))
