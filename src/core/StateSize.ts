/**
 * How many bytes the next snapshot of a session takes, kept up event by event:
 * what could not be loaded must not be accepted.
 *
 * @since 0.1.0
 */
import type { Session, SessionState } from "./Session.ts"
import type { SessionEvent } from "./SessionEvent.ts"
import * as Text from "./Text.ts"

/**
 * Bytes of the parts that grow.
 *
 * @category models
 * @since 0.1.0
 */
export interface StateSize {
  readonly conversation: number
  readonly promptHistory: number
  readonly todos: number
  readonly session: number
  readonly extra: number
}

/** Names, numbers and times of the head, usage, signature, and a journal's first line. */
const fixed = 2048

const bytesOf = (value: unknown): number => Text.toBytes(JSON.stringify(value)).length

const message = (encoded: Uint8Array): number => encoded.length + 2

/**
 * Measures a state whose messages are encoded already.
 *
 * @category constructors
 * @since 0.1.0
 */
export const measure = (state: SessionState, messages: ReadonlyArray<Uint8Array>): StateSize => ({
  conversation: messages.reduce((bytes, encoded) => bytes + message(encoded), 0),
  promptHistory: bytesOf(state.promptHistory),
  todos: bytesOf(state.todos),
  session: bytesOf(state.session),
  extra: bytesOf(state.extra)
})

/**
 * The size after an event that happens to `session`. `encoded` is the message
 * that it appends, if it does.
 *
 * @category combinators
 * @since 0.1.0
 */
export const after = (
  self: StateSize,
  event: SessionEvent,
  session: Pick<Session, "config" | "name" | "projectPath" | "metadata">,
  encoded: Uint8Array | undefined
): StateSize => {
  const replaced = (before: unknown, now: unknown) => ({
    ...self,
    session: self.session + bytesOf(now) - bytesOf(before)
  })
  switch (event._tag) {
    case "MessageAppended":
      return { ...self, conversation: self.conversation + (encoded === undefined ? 0 : message(encoded)) }
    case "TodosReplaced":
      return { ...self, todos: bytesOf(event.todos) }
    case "PromptRecorded":
      return { ...self, promptHistory: self.promptHistory + bytesOf(event.prompt) + 1 }
    case "Configured":
      return replaced(session.config, event.config)
    case "Renamed":
      return replaced(session.name, event.name)
    case "Moved":
      return replaced(session.projectPath, event.projectPath)
    case "Annotated":
      return replaced(session.metadata, event.metadata)
  }
}

/**
 * The most bytes a snapshot of this size takes.
 *
 * @category getters
 * @since 0.1.0
 */
export const total = (self: StateSize): number =>
  fixed + self.conversation + self.promptHistory + self.todos + self.session + self.extra
