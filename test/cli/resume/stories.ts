/** Sessions as tests of the picker and the prompt show them. */
import { Session, SessionError, SessionId, type SessionList, Timestamp } from "effect-reprise"

// Exact times are shown in the local zone.
process.env["TZ"] = "UTC"

export const now = Date.UTC(2026, 0, 15, 12)

export const at = (minutes: number): Timestamp.Timestamp =>
  Timestamp.Timestamp.make(new Date(now - minutes * 60_000).toISOString())

export const idOf = (number: number): SessionId.SessionId =>
  SessionId.make(`${String(number).padStart(8, "0")}-0000-4000-8000-000000000000`)

export const project = "/projects/demo/calculator"

export const stored = (number: number, entry: Partial<SessionList.Stored>): SessionList.Stored => ({
  _tag: "Stored",
  id: idOf(number),
  name: `session ${number}`,
  projectPath: project,
  status: "closed",
  createdAt: at(60 * 24),
  updatedAt: at(number * number),
  messages: number,
  todosOpen: 0,
  todosDone: 0,
  bytes: 1000,
  ...entry
})

export const broken: SessionList.Broken = {
  _tag: "Broken",
  id: idOf(99),
  name: idOf(99),
  error: new SessionError.InvalidJson({ id: idOf(99), reason: new SessionError.BadSignature({}) })
}

const message = (number: number, role: Session.Role, content: Session.Message["content"], minutes: number) =>
  ({ id: `message ${number}`, role, content, timestamp: at(minutes) }) satisfies Session.Message

export const conversation: ReadonlyArray<Session.Message> = [
  message(1, "user", "The tests fail. Please fix them.", 9),
  message(2, "assistant", [
    { type: "text", text: "I'll run them first." },
    { type: "tool-call", id: "call-1", name: "run", params: { command: "npm test" } }
  ], 8),
  message(3, "tool", [
    { type: "tool-result", id: "call-1", name: "run", isFailure: true, result: "sum(2, 2): expected 4, received 5" }
  ], 8),
  message(4, "assistant", "sum() adds one too many. I'll correct it.", 7)
]

export const todos: ReadonlyArray<Session.Todo> = [
  { content: "Find the failing test", status: "completed", activeForm: "Finding the failing test" },
  { content: "Fix the sum", status: "in_progress", activeForm: "Fixing the sum" },
  { content: "Run the tests again", status: "pending", activeForm: "Running the tests again" }
]

export const state = (changes: Partial<Session.SessionState> = {}): Session.SessionState => ({
  ...Session.empty({
    id: idOf(1),
    name: "Fix the tests",
    projectPath: project,
    config: { provider: "anthropic", model: "claude-sonnet-4-5", temperature: 0.7, maxTokens: 4096 },
    createdAt: at(60),
    updatedAt: at(7),
    metadata: {}
  }),
  conversation,
  todos,
  promptHistory: ["The tests fail. Please fix them."],
  revision: 8,
  ...changes
})
