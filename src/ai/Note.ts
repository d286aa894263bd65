/**
 * What a chat writes on the messages that it appends, beside what was said.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { Message } from "../core/Session.ts"

/**
 * How a call that was found unanswered was answered: its outcome is unknown, it
 * was run again, or it had been denied.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Repair = Schema.Literals(["interrupted", "ranAgain", "denied"])

/**
 * @category models
 * @since 0.1.0
 */
export type Repair = typeof Repair.Type

/**
 * The member `chat` of a message.
 *
 * **Details**
 *
 * `after` is the last message that the model had seen when it said this:
 * whatever others appended meanwhile comes after it. `repair` marks the answer to a
 * call that had been left unanswered.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Note = Schema.Struct({
  after: Schema.optionalKey(Schema.String),
  repair: Schema.optionalKey(Repair)
})

/**
 * @category models
 * @since 0.1.0
 */
export type Note = typeof Note.Type

const isNote = Schema.is(Note)

/**
 * The note on a message; an empty one where there is none.
 *
 * @category getters
 * @since 0.1.0
 */
export const of = ({ chat }: Message): Note => isNote(chat) ? chat : {}

/**
 * The repair that a message records, if it does.
 *
 * @category getters
 * @since 0.1.0
 */
export const repairOf = (message: Message): Option.Option<Repair> => Option.fromUndefinedOr(of(message).repair)
