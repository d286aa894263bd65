/**
 * From a stored session to a running one: all of it, or nothing.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as Journal from "../core/Journal.ts"
import type { Fingerprint } from "../core/ProjectPath.ts"
import * as ProjectPath from "../core/ProjectPath.ts"
import type { SessionState } from "../core/Session.ts"
import * as Session from "../core/Session.ts"
import {
  AlreadyRunning,
  type InvalidJson,
  InvalidSession,
  NotFound,
  ProjectChanged,
  RestoreFailed,
  type SchemaVersion,
  type SessionEnded,
  StepFailed,
  StoreError
} from "../core/SessionError.ts"
import * as SessionEvent from "../core/SessionEvent.ts"
import type { SessionId } from "../core/SessionId.ts"
import * as StateSize from "../core/StateSize.ts"
import type { Verified } from "../core/StoredSession.ts"
import * as StoredSession from "../core/StoredSession.ts"
import * as Text from "../core/Text.ts"
import { now } from "../services/Now.ts"
import { ProjectDirectory } from "../services/ProjectDirectory.ts"
import { RestoreStep, type Step } from "../services/RestoreStep.ts"
import { ResumeLimit } from "../services/ResumeLimit.ts"
import type { RunningSession } from "../services/RunningSession.ts"
import * as SessionStore from "../services/SessionStore.ts"
import * as SessionWriter from "../services/SessionWriter.ts"
import { signed, Signer } from "../services/Signer.ts"
import { type Admit, Supervisor } from "../services/Supervisor.ts"
import { close } from "./Close.ts"
import { discard, handOver } from "./HandOver.ts"
import * as Load from "./Load.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface ResumeOptions {
  /** Another directory than the one it was stored with, which it moves to: absolute. */
  readonly project?: string
  /**
   * Resume it even if another holder lives or can't be judged. That holder can
   * change nothing from then on.
   */
  readonly takeOver?: boolean
  /**
   * Begin with so many of the last messages: all are verified, the others are
   * parsed when `earlier` of the running session is asked for.
   */
  readonly tail?: number
}

/**
 * What resuming can fail with. Whatever it is, the stored session is unchanged
 * and nothing runs.
 *
 * @category errors
 * @since 0.1.0
 */
export type ResumeError = NotFound | InvalidJson | SchemaVersion | RestoreFailed | StoreError

/**
 * What resuming needs.
 *
 * @category models
 * @since 0.1.0
 */
export type ResumeServices =
  | SessionStore.SessionStore
  | Signer
  | ProjectDirectory
  | ResumeLimit
  | Supervisor

/** The events that rebuild a state, in order. */
const eventsOf = ({ conversation, promptHistory, todos }: SessionState): ReadonlyArray<{
  readonly step: Step["step"]
  readonly events: ReadonlyArray<SessionEvent.SessionEvent>
}> => [
  { step: "message", events: conversation.map((message) => ({ _tag: "MessageAppended", message })) },
  { step: "todos", events: [{ _tag: "TodosReplaced", todos }] },
  { step: "prompt", events: promptHistory.map((prompt) => ({ _tag: "PromptRecorded", prompt })) }
]

/** Restores conversation, todos and prompt history step by step through the reducer. */
const restore = Effect.fnUntraced(function*(stored: SessionState) {
  const look = yield* RestoreStep
  const { id, updatedAt: at } = stored.session
  const draft = SessionEvent.draft({ ...Session.empty(stored.session), extra: stored.extra })
  for (const { events, step } of eventsOf(stored)) {
    for (const [index, event] of events.entries()) {
      if (Option.isSome(look)) {
        yield* Effect.mapError(
          look.value({ id, step, index, total: events.length, event }),
          (cause) => new StepFailed({ step, index, cause })
        )
      }
      const applied = draft.apply({ at, event })
      if (Result.isFailure(applied)) {
        return yield* new StepFailed({ step, index, cause: new Error(`expected ${applied.failure.expected}`) })
      }
    }
  }
  const restored: SessionState = { ...draft.state(), usage: stored.usage, revision: stored.revision }
  return restored
})

/** What was recorded before, and that the session moved, if it is resumed in another directory. */
const moved = Effect.fnUntraced(function*(verified: Verified, state: SessionState, project: Fingerprint) {
  if (project.path === state.session.projectPath) return { state, recorded: verified.recorded }
  const move: SessionEvent.Recorded = { at: yield* now, event: { _tag: "Moved", projectPath: project.path } }
  const next = yield* Effect.mapError(
    Effect.fromResult(SessionEvent.apply(state, move)),
    ({ expected }) => new InvalidSession({ issues: [`project is not ${expected}`] })
  )
  const { limits } = yield* SessionStore.SessionStore
  const bytes = StateSize.total(StateSize.measure(next, verified.messages))
  if (bytes > limits.maxBytes) {
    const issues = [`it would have ${bytes} bytes with that project, and the limit is ${limits.maxBytes}`]
    return yield* new InvalidSession({ issues })
  }
  return { state: next, recorded: [...verified.recorded, move] }
})

/**
 * Begins a journal of this claim that holds what was recorded. An empty one comes to be
 * with the first event, and so does its first line.
 */
const activate = Effect.fnUntraced(function*(
  claim: SessionStore.Claim,
  { isOpen, snapshot: { head, signature } }: Verified,
  recorded: Verified["recorded"],
  room: number
) {
  const keyRing = yield* Signer
  const { version } = yield* SessionStore.SessionStore.useSync(({ format }) => format)
  const writer = yield* signed(
    Journal.writer(keyRing, {
      id: claim.id,
      epoch: claim.epoch,
      part: 0,
      snapshot: signature,
      revision: head.revision,
      version
    })
  )
  const isEmpty = !isOpen && recorded.length === 0
  if (isEmpty && room >= Journal.maxFirstLineBytes) {
    yield* claim.begin({
      part: 0,
      get bytes() {
        return writer.firstLine
      },
      isEmpty
    })
    return { writer, part: 0, bytes: Journal.maxFirstLineBytes }
  }
  const entries = recorded.map(({ at, event }) => ({ at, json: SessionEvent.encode(event).json }))
  const bytes = Text.concat([writer.firstLine, writer.encode(entries)])
  if (bytes.length > room) {
    return yield* new InvalidSession({
      issues: [`its journal would have ${bytes.length} bytes, and there is room for ${room}`]
    })
  }
  yield* claim.begin({ part: 0, bytes, isEmpty })
  return { writer, part: 0, bytes: bytes.length }
})

const runningElsewhere = (reason: SessionEnded["reason"]): AlreadyRunning =>
  new AlreadyRunning({
    liveness: "alive",
    ...(reason._tag === "LeaseLost" && reason.holder !== undefined ? { holder: reason.holder } : {})
  })

const launch = Effect.fnUntraced(function*(id: SessionId, options: ResumeOptions, admit: Admit) {
  const store = yield* SessionStore.SessionStore
  const keyRing = yield* Signer
  const { fingerprint } = yield* ProjectDirectory
  const limit = yield* ResumeLimit
  const failed = (reason: RestoreFailed["reason"]) => new RestoreFailed({ id, reason })
  const unlessStore = <R extends RestoreFailed["reason"]>(reason: R | StoreError) =>
    reason instanceof StoreError ? reason : failed(reason)

  const { tail } = options
  if (tail !== undefined && !(Number.isInteger(tail) && tail >= 0)) {
    return yield* failed(new InvalidSession({ issues: ["tail is not a number of messages, 0 or more"] }))
  }
  yield* Effect.mapError(limit.attempt(id), failed)

  const stored = yield* store.read(id)
  const loaded = yield* Load.open(id, stored, tail)
  if (stored.status === "interrupted") {
    yield* Effect.annotateLogs(Effect.logInfo("found interrupted"), {
      events: loaded.recorded.length,
      torn: loaded.torn
    })
  }
  const projectOf = ({ state }: Verified) => options.project ?? state.session.projectPath
  const project = yield* Effect.mapError(fingerprint(projectOf(loaded)), unlessStore)
  yield* Effect.mapError(admit(project), failed)
  // A takeover of a lease that can't be read later on would bring it back.
  if (stored.status === "removed") return yield* new NotFound({ target: `${id} outside the trash` })
  const claim = yield* Effect.mapError(
    store.claim(id, { takeOver: options.takeOver, seen: stored }),
    (error) => error._tag === "AlreadyRunning" ? failed(error) : error
  )
  yield* Effect.annotateLogs(Effect.logInfo("claimed"), { epoch: claim.epoch })

  const { claimed, verified } = yield* Load.underClaim(claim, stored, loaded, tail)
  const restored = yield* Effect.mapError(restore(verified.state), failed)
  const { recorded, state } = yield* Effect.mapError(moved(verified, restored, project), failed)
  yield* Effect.logInfo("restored")

  const atLast = yield* Effect.mapError(fingerprint(projectOf(verified)), unlessStore)
  if (!ProjectPath.isSame(project, atLast)) return yield* failed(new ProjectChanged({ path: atLast.path }))

  const room = store.limits.maxBytes - claimed.snapshot.length
  const journal = yield* Effect.catchTags(activate(claim, verified, recorded, room), {
    InvalidSession: failed,
    SessionEnded: ({ reason }) => failed(runningElsewhere(reason))
  })
  yield* Effect.logInfo("activated")
  return yield* SessionWriter.make({
    claim,
    readBlob: store.readBlob,
    keyRing,
    limits: store.limits,
    format: store.format,
    original: StoredSession.olderVersion(verified, store.format),
    state,
    messages: () => verified.messages,
    earlier: verified.snapshot.earlier,
    journal: { ...journal, snapshotBytes: claimed.snapshot.length }
  })
})

/**
 * Resumes a stored session: the caller has it running, equal to what was stored,
 * or nothing runs, nothing is held and nothing has changed.
 *
 * **Details**
 *
 * An interrupted session is resumed with every acknowledged event. A closed one stays
 * as it is stored until its first event: if its process dies before that, it is closed.
 * Attempts are limited (`SessionLimits`). Called twice, the second call fails with
 * `AlreadyRunning`, before anything is spent.
 *
 * The session outlives the caller's scope: it runs until `close`, or until the
 * supervisor's layer is torn down, which saves it.
 *
 * @category operations
 * @since 0.1.0
 */
export const resume: (id: SessionId, options?: ResumeOptions) => Effect.Effect<
  RunningSession,
  ResumeError,
  ResumeServices
> = (id, options = {}) => handOver((started) => attempt(id, options, started), discard)

const attempt = Effect.fn("Sessions.resume")(function*(
  id: SessionId,
  options: ResumeOptions,
  started: (id: SessionId) => Effect.Effect<void>
) {
  const supervisor = yield* Supervisor
  return yield* Effect.catchTag(
    Effect.uninterruptibleMask((restore) =>
      Effect.tap(supervisor.start(id, (admit) => restore(launch(id, options, admit))), started(id))
    ),
    "AlreadyRunning",
    (reason) => new RestoreFailed({ id, reason })
  )
}, Telemetry.ofSession("resume"))

/**
 * Resumes a stored session for as long as the caller's scope is open; then it is
 * closed, and so saved.
 *
 * **Gotchas**
 *
 * If it can't be saved then, that is logged and the session stays resumable from
 * its journal.
 *
 * @category operations
 * @since 0.1.0
 */
export const resumeScoped = (
  id: SessionId,
  options?: ResumeOptions
): Effect.Effect<RunningSession, ResumeError, ResumeServices | Scope.Scope> =>
  Effect.acquireRelease(
    resume(id, options),
    (session) =>
      Effect.flatMap(Supervisor.use(({ get }) => get(id)), (running) =>
        // By reference: somebody else may have resumed the session after this one was closed.
        Option.getOrUndefined(running) === session ? saved(id) : Effect.void),
    { interruptible: true }
  )

const saved = (id: SessionId) =>
  Effect.catchTags(close(id), {
    SessionEnded: () => Effect.void,
    StoreError: (error) => Effect.annotateLogs(Effect.logError("a session was not saved", error), { sessionId: id })
  })
