/** What a contender says, a line each. */
import { Schema } from "effect"

export const Answer = Schema.TaggedStruct("Answer", {
  /** `done`, or the tags of an error: `RestoreFailed/AlreadyRunning`. */
  came: Schema.String,
  /** The process that an error names as the holder. */
  pid: Schema.optionalKey(Schema.Int),
  /** What is stored, as this process sees it. */
  id: Schema.optionalKey(Schema.String),
  name: Schema.optionalKey(Schema.String),
  texts: Schema.optionalKey(Schema.Array(Schema.String)),
  /** File-system calls of the operation. */
  calls: Schema.Int,
  /** Milliseconds, on a clock that all processes share: when it was first let on, tried to link a lease, ended. */
  began: Schema.Finite,
  linked: Schema.optionalKey(Schema.Finite),
  ended: Schema.Finite,
  /** Agents that run. */
  agents: Schema.Int
})

export type Answer = typeof Answer.Type

export const Said = Schema.Union([
  Answer,
  /** Said just before it stops itself. */
  Schema.TaggedStruct("Asleep", {}),
  Schema.TaggedStruct("Submitted", { text: Schema.String }),
  Schema.TaggedStruct("Acknowledged", { text: Schema.String })
])

export type Said = typeof Said.Type

export const Line = Schema.fromJsonString(Said)
