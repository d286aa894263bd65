/**
 * What `reprise resume --json` prints: a line of JSON for each thing that
 * happened. Members are only ever added.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { Message, Todo } from "../../core/Session.ts"
import { SessionId } from "../../core/SessionId.ts"

/**
 * One line, told apart by `event`.
 *
 * **Details**
 *
 * *resumed* comes first, with the number of restored messages. *message* and
 * *todos* are of what is durable. *agent* says that the agent has ended, and why
 * if it failed. *closed* comes last, with the command that resumes the session.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Event = Schema.Union([
  Schema.Struct({
    event: Schema.Literal("resumed"),
    id: SessionId,
    name: Schema.String,
    project: Schema.String,
    messages: Schema.Int,
    todos: Schema.Array(Todo)
  }),
  Schema.Struct({ event: Schema.Literal("message"), message: Message }),
  Schema.Struct({ event: Schema.Literal("todos"), todos: Schema.Array(Todo) }),
  Schema.Struct({ event: Schema.Literal("agent"), why: Schema.optionalKey(Schema.String) }),
  Schema.Struct({ event: Schema.Literal("closed"), id: SessionId, resume: Schema.String })
])

/**
 * @category models
 * @since 0.1.0
 */
export type Event = typeof Event.Type
