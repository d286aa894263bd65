/**
 * A session somewhere in a cluster: the handle that clients have.
 *
 * @since 0.1.0
 */
import type { Sharding } from "effect/cluster/Sharding"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { JsonObject } from "../core/Json.ts"
import type { Message, MessageInput, SessionConfig, SessionState, Todo } from "../core/Session.ts"
import { type EventRejected, NotFound, type SessionEnded } from "../core/SessionError.ts"
import * as SessionId from "../core/SessionId.ts"
import type { ResumeError } from "../pipelines/Resume.ts"
import * as Handle from "../services/Handle.ts"
import { now } from "../services/Now.ts"
import type { Limits } from "../services/SessionLimits.ts"
import * as Delivery from "./Delivery.ts"
import { SessionEntity } from "./SessionEntity.ts"
import * as StateChange from "./StateChange.ts"
import type { Unreachable } from "./Unreachable.ts"

/**
 * What a message to a session can fail with beside its own errors: the session
 * was not running and can't be resumed, or no runner answers.
 *
 * @category errors
 * @since 0.1.0
 */
export type MessageError = ResumeError | SessionEnded | Unreachable

/**
 * A session that runs on whichever runner has it.
 *
 * **Details**
 *
 * Each message finds the session where it is, and resumes it there if it does
 * not run: after a crash, after it moved, after it was closed. A change succeeds
 * when it is durable. Messages may arrive more than once: one with an id of its
 * own is appended once, however often it is sent.
 *
 * @category models
 * @since 0.1.0
 */
export interface ClusterSession {
  readonly id: SessionId.SessionId
  /** The acknowledged state. */
  readonly state: Effect.Effect<SessionState, ResumeError | Unreachable>
  /**
   * The present state, then each later one; a slow reader sees the latest. Goes on
   * where the session goes, keeps it running, and ends when somebody closes it.
   */
  readonly changes: Stream.Stream<SessionState, ResumeError | SessionEnded>
  /** Adds a message and returns it as it is stored. With the same id again it returns what is stored. */
  readonly append: (message: MessageInput) => Effect.Effect<Message, EventRejected | MessageError>
  /** Replaces the whole to-do list. */
  readonly replaceTodos: (todos: ReadonlyArray<Todo>) => Effect.Effect<void, EventRejected | MessageError>
  /** Replaces the configuration. */
  readonly configure: (config: SessionConfig) => Effect.Effect<void, EventRejected | MessageError>
  /** Gives the session another name. */
  readonly rename: (name: string) => Effect.Effect<void, EventRejected | MessageError>
  /** Replaces the application's own data. */
  readonly annotate: (metadata: JsonObject) => Effect.Effect<void, EventRejected | MessageError>
  /** Writes a snapshot; the session goes on. */
  readonly checkpoint: Effect.Effect<void, MessageError>
  /** Stops the agent and saves the session. Nothing happens to one that is closed. */
  readonly close: Effect.Effect<void, MessageError>
}

/** What all handles of a client share. */
export interface Options {
  readonly limits: Limits
  readonly random: SecureRandom.SecureRandom["Service"]
  readonly patience: Duration.Duration
}

/** The client's half of the protocol, for one session. */
export type Client = ReturnType<Effect.Success<typeof SessionEntity.client>>

export const clients: Effect.Effect<(id: SessionId.SessionId) => Client, never, Sharding> = SessionEntity.client

/** Asks the session's runner until it answers. */
export const answered = Delivery.untilAnswered

/**
 * The handle of a session, whether it exists or not.
 */
export const make = (
  id: SessionId.SessionId,
  client: Client,
  { limits, patience, random }: Options
): ClusterSession => {
  // An id that no session can have has no address either.
  const checkId = SessionId.isSessionId(id) ? Effect.void : new NotFound({ target: "with that id" })
  const ask = (operation: string) => {
    const untilAnswered = answered({ id, operation, patience })
    return <A, E>(message: Effect.Effect<A, E | Delivery.NotDelivered>) =>
      Effect.andThen(checkId, untilAnswered<A, E>(message))
  }
  const check = Handle.checkOf(id, limits)

  return {
    id,
    state: ask("state")(client.State()),
    changes: Stream.unwrap(
      Effect.as(checkId, Delivery.untilTold(client.Changes(), ({ _tag }) => _tag === "Closed"))
    ).pipe(
      Stream.mapAccum(
        (): SessionState | undefined => undefined,
        (known, change) => {
          if (change._tag === "Closed") return [known, []] as const
          const state = StateChange.apply(known, change)
          return [state, [state]] as const
        }
      ),
      Stream.changesWith((self, that) => self.revision === that.revision)
    ),
    append: Effect.fnUntraced(function*(input) {
      const { content, id: given, role, timestamp = yield* now, ...further } = input
      const message = { id: given ?? (yield* random.uuidV4()), role, content, timestamp, ...further }
      const event = yield* Effect.fromResult(check({ _tag: "MessageAppended", message }))
      if (event._tag !== "MessageAppended") return yield* Handle.rejection(id)("", "a message")
      return yield* ask("append")(client.Append({ message: event.message }))
    }),
    replaceTodos: Effect.fnUntraced(function*(input) {
      const event = yield* Effect.fromResult(check({ _tag: "TodosReplaced", todos: input }))
      if (event._tag !== "TodosReplaced") return yield* Handle.rejection(id)("", "a to-do list")
      yield* ask("replaceTodos")(client.ReplaceTodos({ todos: event.todos }))
    }),
    configure: Effect.fnUntraced(function*(input) {
      const event = yield* Effect.fromResult(check({ _tag: "Configured", config: input }))
      if (event._tag !== "Configured") return yield* Handle.rejection(id)("", "a configuration")
      yield* ask("configure")(client.Configure({ config: event.config }))
    }),
    rename: Effect.fnUntraced(function*(input) {
      const event = yield* Effect.fromResult(check({ _tag: "Renamed", name: input }))
      if (event._tag !== "Renamed") return yield* Handle.rejection(id)("", "a name")
      yield* ask("rename")(client.Rename({ name: event.name }))
    }),
    annotate: Effect.fnUntraced(function*(input) {
      const event = yield* Effect.fromResult(check({ _tag: "Annotated", metadata: input }))
      if (event._tag !== "Annotated") return yield* Handle.rejection(id)("", "metadata")
      yield* ask("annotate")(client.Annotate({ metadata: event.metadata }))
    }),
    checkpoint: ask("checkpoint")(client.Checkpoint()),
    close: ask("close")(client.Close())
  }
}
