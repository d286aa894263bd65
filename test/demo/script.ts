/** What the demonstration's agent says and does: a model's work, from a script. */
import type { Session } from "effect-reprise"

export type Turn =
  | { readonly say: Session.MessageInput }
  | { readonly todos: ReadonlyArray<Session.Todo> }

const todos = (...done: ReadonlyArray<Session.Todo["status"]>): Turn => ({
  todos: [
    { content: "Find the failing test", status: done[0] ?? "pending", activeForm: "Finding the failing test" },
    { content: "Fix the sum", status: done[1] ?? "pending", activeForm: "Fixing the sum" },
    { content: "Run the tests again", status: done[2] ?? "pending", activeForm: "Running the tests again" }
  ]
})

/** What happens before the process dies. */
export const before: ReadonlyArray<Turn> = [
  { say: { role: "user", content: "The tests fail. Please fix them." } },
  todos("in_progress"),
  {
    say: {
      role: "assistant",
      content: [
        { type: "text", text: "I'll run them first." },
        { type: "tool-call", id: "call-1", name: "run", params: { command: "npm test" } }
      ]
    }
  },
  {
    say: {
      role: "tool",
      content: [{
        type: "tool-result",
        id: "call-1",
        name: "run",
        isFailure: true,
        result: "sum(2, 2): expected 4, received 5"
      }]
    }
  },
  todos("completed", "in_progress"),
  { say: { role: "assistant", content: "sum() adds one too many. I'll correct it." } }
]

/** What happens after the session was resumed. */
export const after: ReadonlyArray<Turn> = [
  { say: { role: "user", content: "The terminal crashed. Go on where you were." } },
  { say: { role: "assistant", content: "sum() is fixed and all tests pass." } },
  todos("completed", "completed", "completed")
]
