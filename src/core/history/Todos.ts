/**
 * To-do lists as agents write them, in calls of the tools that they have for it.
 *
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import type { JsonObject } from "../Json.ts"
import type { Todo } from "../Session.ts"
import * as Fields from "./Fields.ts"

const statusOf = (status: string | undefined): Todo["status"] => {
  switch (status) {
    case "completed":
    case "cancelled":
      return "completed"
    case "in_progress":
    case "in-progress":
      return "in_progress"
    default:
      return "pending"
  }
}

const todoOf = (entry: JsonObject): ReadonlyArray<Todo> => {
  const content = Fields.words(entry, "content") ?? Fields.words(entry, "step") ?? Fields.words(entry, "description")
  if (content === undefined) return []
  return [{
    content,
    status: statusOf(Fields.text(entry, "status")),
    activeForm: Fields.words(entry, "activeForm") ?? content
  }]
}

/**
 * A list of to-dos; `undefined` for what is no list.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (value: Schema.Json | undefined): ReadonlyArray<Todo> | undefined =>
  Fields.isList(value) ? value.flatMap((entry) => todoOf(Fields.asObject(entry))) : undefined

const tools: ReadonlySet<string> = new Set(["TodoWrite", "todowrite", "update_plan", "write_todos"])

/**
 * The list that a call writes; `undefined` for a call of another tool.
 *
 * @category decoding
 * @since 0.1.0
 */
export const fromCall = (
  name: string | undefined,
  params: Schema.Json | undefined
): ReadonlyArray<Todo> | undefined => {
  if (name === undefined || !tools.has(name)) return undefined
  const call = Fields.asObject(params)
  return read(Fields.member(call, "todos") ?? Fields.member(call, "plan"))
}
