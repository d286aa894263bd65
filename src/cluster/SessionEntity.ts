/**
 * The messages that a session understands in a cluster, and its address there:
 * one entity a session id.
 *
 * @since 0.1.0
 */
import * as ClusterSchema from "effect/cluster/ClusterSchema"
import * as Entity from "effect/cluster/Entity"
import * as Rpc from "effect/rpc/Rpc"
import * as Schema from "effect/Schema"
import * as Session from "../core/Session.ts"
import {
  CreateFailed,
  EventRejected,
  InvalidJson,
  NotFound,
  RestoreFailed,
  SchemaVersion,
  SessionEnded,
  StoreError
} from "../core/SessionError.ts"
import { StateChange } from "./StateChange.ts"

const restoreErrors = [InvalidJson, SchemaVersion, RestoreFailed, StoreError] as const
const resumeErrors = [NotFound, ...restoreErrors] as const

const ResumeError = Schema.Union(resumeErrors)
const CreateError = Schema.Union([...restoreErrors, CreateFailed])
const EndedError = Schema.Union([...resumeErrors, SessionEnded])
const ChangeError = Schema.Union([...resumeErrors, SessionEnded, EventRejected])

const Create = Rpc.make("Create", {
  payload: {
    project: Session.Session.fields.projectPath,
    name: Schema.optionalKey(Session.Name),
    config: Session.SessionConfig,
    metadata: Schema.optionalKey(Session.Session.fields.metadata)
  },
  error: CreateError
})

const Resume = Rpc.make("Resume", { error: ResumeError })

const Append = Rpc.make("Append", {
  payload: { message: Session.Message },
  success: Session.Message,
  error: ChangeError
})

const ReplaceTodos = Rpc.make("ReplaceTodos", {
  payload: { todos: Schema.Array(Session.Todo) },
  error: ChangeError
})

const Configure = Rpc.make("Configure", { payload: { config: Session.SessionConfig }, error: ChangeError })

const Rename = Rpc.make("Rename", { payload: { name: Session.Name }, error: ChangeError })

const Annotate = Rpc.make("Annotate", { payload: { metadata: Session.Session.fields.metadata }, error: ChangeError })

const State = Rpc.make("State", { success: Session.SessionState, error: ResumeError })

/** It has no end of its own: a session that moves does not wait for its readers. */
const Changes = Rpc.make("Changes", { success: StateChange, error: EndedError, stream: true })
  .annotate(ClusterSchema.InterruptOnTermination, true)

const Checkpoint = Rpc.make("Checkpoint", { error: EndedError })

const Close = Rpc.make("Close", { error: EndedError })

/**
 * A session's word to itself that there is work to do. It is kept by the cluster
 * until the work is done, so that whoever has the session next goes on with it.
 */
const Wake = Rpc.make("Wake", { error: EndedError })
  .annotate(ClusterSchema.Persisted, true)
  .annotate(ClusterSchema.InterruptOnTermination, true)

export const SessionEntity = Entity.make("effect-reprise/Session", [
  Create,
  Resume,
  Append,
  ReplaceTodos,
  Configure,
  Rename,
  Annotate,
  State,
  Changes,
  Checkpoint,
  Close,
  Wake
])
