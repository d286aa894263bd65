/**
 * Sessions in a cluster: for whoever uses them, and for the runners that have
 * them.
 *
 * @since 0.1.0
 */
import * as Entity from "effect/cluster/Entity"
import type { Sharding } from "effect/cluster/Sharding"
import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import type { SessionState } from "../core/Session.ts"
import {
  type CreateFailed,
  type InvalidJson,
  NotFound,
  type RestoreFailed,
  type SchemaVersion,
  type StoreError
} from "../core/SessionError.ts"
import * as SessionId from "../core/SessionId.ts"
import * as Create from "../pipelines/Create.ts"
import type { ResumeError } from "../pipelines/Resume.ts"
import { now } from "../services/Now.ts"
import type { ProjectDirectory } from "../services/ProjectDirectory.ts"
import * as ResumeLimit from "../services/ResumeLimit.ts"
import { SessionLimits } from "../services/SessionLimits.ts"
import type { SessionStore } from "../services/SessionStore.ts"
import type { Signer } from "../services/Signer.ts"
import * as Supervisor from "../services/Supervisor.ts"
import * as ClusterSession from "./ClusterSession.ts"
import * as Resident from "./Resident.ts"
import { SessionEntity } from "./SessionEntity.ts"
import type { Unreachable } from "./Unreachable.ts"

export type { ClusterSession, MessageError } from "./ClusterSession.ts"
export { Unreachable } from "./Unreachable.ts"

/**
 * What creating a session in a cluster can fail with. What resuming fails with
 * comes only where the message arrived twice.
 *
 * @category errors
 * @since 0.1.0
 */
export type CreateError = CreateFailed | InvalidJson | SchemaVersion | RestoreFailed | StoreError | Unreachable

/**
 * Sessions wherever they are.
 *
 * @category services
 * @since 0.1.0
 */
export class ClusterSessions extends Context.Service<ClusterSessions, {
  /**
   * Creates a session on the runner that its id belongs to. Succeeds when it is
   * durable; called twice it creates two.
   */
  readonly create: (
    options: Create.CreateOptions
  ) => Effect.Effect<ClusterSession.ClusterSession, CreateError>
  /** Has a stored session run, where it does not, and returns its handle. */
  readonly resume: (
    id: SessionId.SessionId
  ) => Effect.Effect<ClusterSession.ClusterSession, ResumeError | Unreachable>
  /** The handle of a session, without asking whether it exists: its first message will tell. */
  readonly get: (id: SessionId.SessionId) => ClusterSession.ClusterSession
}>()("effect-reprise/cluster/ClusterSessions") {}

/**
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /**
   * How long a message waits for an answer, over all tries. It should be longer
   * than a takeover takes. Default 1 minute.
   */
  readonly patience?: Duration.Input
}

const make = Effect.fnUntraced(function*(options: Options) {
  const random = yield* SecureRandom.SecureRandom
  const limits = yield* SessionLimits
  const clientOf = yield* ClusterSession.clients
  const patience = Duration.fromInputUnsafe(options.patience ?? "1 minute")

  const get = (id: SessionId.SessionId) => ClusterSession.make(id, clientOf(id), { limits, random, patience })
  const answered = (id: SessionId.SessionId, operation: string) => ClusterSession.answered({ id, operation, patience })

  return ClusterSessions.of({
    get,
    create: Effect.fn("ClusterSessions.create")(function*(input) {
      const id = SessionId.make(yield* random.uuidV4())
      const project = { path: input.project, dev: "", ino: "", uid: "", gid: "", mode: "" }
      const session = yield* Effect.fromResult(Create.describe(input, id, project, yield* now, limits.maxDepth - 1))
      yield* answered(id, "create")(
        clientOf(id).Create({
          project: session.projectPath,
          config: session.config,
          metadata: session.metadata,
          ...(input.name === undefined ? {} : { name: session.name })
        })
      )
      return get(id)
    }),
    resume: Effect.fn("ClusterSessions.resume")(function*(id) {
      if (!SessionId.isSessionId(id)) return yield* new NotFound({ target: "with that id" })
      yield* answered(id, "resume")(clientOf(id).Resume())
      return get(id)
    })
  })
})

/**
 * The operations on sessions of a cluster, on any node of it: also on clients,
 * which run none.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  options: Options = {}
): Layer.Layer<ClusterSessions, never, Sharding | SecureRandom.SecureRandom> =>
  Layer.effect(ClusterSessions, make(options))

/**
 * Whether somebody waits for an answer: the last message is of a user or a tool,
 * or asks for a tool.
 *
 * @category guards
 * @since 0.1.0
 */
export const isAnswerDue = ({ conversation }: SessionState): boolean => {
  const last = conversation.at(-1)
  if (last === undefined || last.role === "system") return false
  if (last.role !== "assistant") return true
  return typeof last.content !== "string" && last.content.some(({ type }) => type === "tool-call")
}

/**
 * @category models
 * @since 0.1.0
 */
export interface RunnerOptions {
  /**
   * How long a session stays without a message before it is closed; the next one
   * brings it back. Default 5 minutes.
   */
  readonly idleFor?: Duration.Input
  /**
   * Messages that wait at one session before more are refused and tried again.
   * Default 256.
   */
  readonly maxWaiting?: number
  /**
   * How long a message waits until a session's last holder is gone: longer than
   * the store's `leaseFor`. Default 30 seconds.
   */
  readonly leasePatience?: Duration.Input
  /**
   * Whether a session's agent has something to do: until it has not, the session
   * is not idle, and it goes on elsewhere if its runner ends. By default
   * `isAnswerDue`. Without an agent nothing is ever due.
   */
  readonly isDue?: (state: SessionState) => boolean
}

/** What a runner needs to have sessions. */
type RunnerServices = Sharding | SessionStore | Signer | ProjectDirectory | SecureRandom.SecureRandom

const layerEntity = (options: RunnerOptions) =>
  SessionEntity.toLayer(
    Effect.gen(function*() {
      const { entityId } = yield* Entity.CurrentAddress
      const id = SessionId.make(entityId)
      const client = yield* ClusterSession.clients
      const wake = client(id).Wake(undefined, { discard: true }).pipe(
        Effect.as(true),
        Effect.catchCause((cause) =>
          Effect.logWarning("the cluster does not know that there is work to do, should this runner end", cause).pipe(
            Effect.annotateLogs({ sessionId: id }),
            Effect.as(false)
          )
        )
      )
      const resident = yield* Resident.make(id, {
        isDue: options.isDue ?? isAnswerDue,
        leasePatience: Duration.fromInputUnsafe(options.leasePatience ?? "30 seconds"),
        wake
      })
      return SessionEntity.of({
        Create: ({ payload }) => resident.create(payload),
        Resume: () => resident.resume,
        Append: ({ payload }) => resident.append(payload.message),
        ReplaceTodos: ({ payload }) => resident.replaceTodos(payload.todos),
        Configure: ({ payload }) => resident.configure(payload.config),
        Rename: ({ payload }) => resident.rename(payload.name),
        Annotate: ({ payload }) => resident.annotate(payload.metadata),
        State: () => resident.state,
        Changes: () => resident.changes,
        Checkpoint: () => resident.checkpoint,
        Close: () => resident.close,
        Wake: () => Rpc.fork(resident.work)
      })
    }),
    {
      maxIdleTime: options.idleFor ?? "5 minutes",
      mailboxCapacity: options.maxWaiting ?? 256,
      concurrency: "unbounded",
      disableFatalDefects: true
    }
  )

/**
 * Has sessions on this runner: those whose ids belong to its shards.
 *
 * **Details**
 *
 * Each runs through the ordinary pipelines over the store, which all runners share
 * and whose leases decide who has it; the application's `Agent` runs here. Resuming
 * is not limited in rate, and `maxRunning` of `SessionLimits` is this runner's own.
 * When the layer is torn down its sessions are closed, and so saved, and go on
 * elsewhere with their next message, or by themselves where work is due.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerRunner = (
  options: RunnerOptions = {}
): Layer.Layer<Supervisor.Supervisor, never, RunnerServices> =>
  layerEntity(options).pipe(
    // Its own, whatever else of this process runs sessions: with the agent and the limits of this layer.
    Layer.provideMerge(Layer.fresh(Supervisor.layer)),
    Layer.provide(ResumeLimit.layerOff)
  )
