/**
 * A session that is running here: its handle, and what its program may do.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Stream from "effect/Stream"
import type { Reference } from "../core/Blob.ts"
import type { JsonObject } from "../core/Json.ts"
import type { Message, MessageInput, SessionConfig, SessionState, Todo } from "../core/Session.ts"
import type { EventRejected, InvalidBlob, InvalidJson, SessionEnded, StoreError } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"

/**
 * What a change of a running session can fail with. `EventRejected` changed
 * nothing. After `StoreError` the outcome is unknown until the next change
 * succeeds. `SessionEnded` is final.
 *
 * @category errors
 * @since 0.1.0
 */
export type ChangeError = EventRejected | SessionEnded | StoreError

/**
 * A running session.
 *
 * **Details**
 *
 * A change succeeds when it is durable. Called twice it happens twice: give
 * messages ids of your own if you need to tell. Once the session is closed,
 * `state` stays readable, `changes` ends, and changes fail with `SessionEnded`.
 *
 * @category models
 * @since 0.1.0
 */
export interface RunningSession {
  readonly id: SessionId
  /** The acknowledged state. */
  readonly state: Effect.Effect<SessionState>
  /**
   * The messages before those of the state, oldest first: none, unless the session
   * was resumed with `tail`. Parsed each time.
   */
  readonly earlier: Effect.Effect<ReadonlyArray<Message>, InvalidJson>
  /** The present state, then each later one; a slow reader sees the latest. Ends with the session. */
  readonly changes: Stream.Stream<SessionState>
  /**
   * Adds a message and returns it as it is stored: with references where files, or
   * what tools were given or returned, are larger than `SessionLimits.blobOver`.
   */
  readonly append: (message: MessageInput) => Effect.Effect<Message, ChangeError>
  /** A message of this session as it was appended, with what it refers to. Read each time. */
  readonly materialise: (message: Message) => Effect.Effect<Message, InvalidBlob | StoreError>
  /** The bytes that a message of this session refers to. Read each time. */
  readonly blob: (reference: Reference) => Effect.Effect<Uint8Array, InvalidBlob | StoreError>
  /** Replaces the whole to-do list. */
  readonly replaceTodos: (todos: ReadonlyArray<Todo>) => Effect.Effect<void, ChangeError>
  /** Adds a line to the prompt history. */
  readonly recordPrompt: (prompt: string) => Effect.Effect<void, ChangeError>
  /** Replaces the configuration. */
  readonly configure: (config: SessionConfig) => Effect.Effect<void, ChangeError>
  /** Gives the session another name. */
  readonly rename: (name: string) => Effect.Effect<void, ChangeError>
  /** Replaces the application's own data. */
  readonly annotate: (metadata: JsonObject) => Effect.Effect<void, ChangeError>
  /** Writes a snapshot; the session goes on. Twice writes two. */
  readonly checkpoint: Effect.Effect<void, SessionEnded | StoreError>
  /** How the session's agent ended; without an agent, that the session did. */
  readonly awaitExit: Effect.Effect<Exit.Exit<void, unknown>>
}
