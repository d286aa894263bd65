/**
 * What a line does to the running session, at the prompt and through a pipe.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Session from "../../core/Session.ts"
import type { ChangeError, RunningSession } from "../../services/RunningSession.ts"
import { ExitCode } from "../ExitCode.ts"
import { Failure } from "../Failure.ts"
import * as Words from "../Words.ts"
import type { Line } from "./Line.ts"

/**
 * A line that changes the session.
 *
 * @category models
 * @since 0.1.0
 */
export type Deed = Extract<Line, { readonly _tag: "Say" | "AddTodo" | "FinishTodo" | "Save" }>

/**
 * Whether a line changes the session.
 *
 * @category guards
 * @since 0.1.0
 */
export const isDeed = (line: Line): line is Deed =>
  line._tag === "Say" || line._tag === "AddTodo" || line._tag === "FinishTodo" || line._tag === "Save"

const noTodo = (number: number, todos: ReadonlyArray<Session.Todo>) =>
  new Failure({
    kind: "TodoUnknown",
    exitCode: ExitCode.failed,
    what: `There is no todo ${number}.`,
    why: todos.length === 0 ? "The list is empty." : `The list has ${Words.count(todos.length, "todo")}.`,
    next: todos.length === 0 ? "Add one: /todo TEXT" : "Show the list with /todo, then: /done N"
  })

const otherTodo = (number: number) =>
  new Failure({
    kind: "TodoChanged",
    exitCode: ExitCode.failed,
    what: `Todo ${number} was left as it is.`,
    why: "The list was changed, and another todo stands there now than the one you saw.",
    next: "Look at the list with /todo and try again."
  })

const finish = Effect.fnUntraced(function*(
  session: RunningSession,
  number: number,
  shown: ReadonlyArray<Session.Todo> | undefined
) {
  const { todos } = yield* session.state
  const index = number - 1
  const todo = todos[index]
  if (todo === undefined) return yield* noTodo(number, todos)
  const seen = shown?.[index]
  if (seen !== undefined && seen.content !== todo.content) return yield* otherTodo(number)
  yield* session.replaceTodos(todos.with(index, { ...todo, status: "completed" }))
})

/**
 * Does it: when this succeeds, it is durable.
 *
 * **Details**
 *
 * What is said is also recorded as a prompt, in the same write. A number means
 * what stood there in the list that was `shown`; another todo is left alone.
 *
 * @category running
 * @since 0.1.0
 */
export const perform = (
  session: RunningSession,
  deed: Deed,
  shown?: ReadonlyArray<Session.Todo>
): Effect.Effect<void, ChangeError | Failure> => {
  switch (deed._tag) {
    case "Say":
      return Effect.all([session.append({ role: "user", content: deed.text }), session.recordPrompt(deed.text)], {
        concurrency: 2,
        discard: true
      })
    case "AddTodo":
      return Effect.flatMap(
        session.state,
        ({ todos }) =>
          session.replaceTodos([...todos, { content: deed.content, status: "pending", activeForm: deed.content }])
      )
    case "FinishTodo":
      return finish(session, deed.number, shown)
    case "Save":
      return session.checkpoint
  }
}
