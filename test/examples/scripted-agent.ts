/**
 * An agent that answers from a script, where an application would ask a model:
 * `reprise resume last --agent test/examples/scripted-agent.ts`
 *
 * Each message of the user gets the script's next turn: a tool is called, the
 * to-do list is kept, then something is said. What has been answered is read
 * from the conversation, so that a turn which a crash cut short is taken again
 * after a resume.
 */
import { Effect, Stream } from "effect"
import type { RunningSession, Session } from "effect-reprise"

interface Turn {
  readonly doing: string
  readonly command: string
  readonly result: string
  readonly answer: string
}

const script: ReadonlyArray<Turn> = [
  {
    doing: "Run the tests",
    command: "npm test",
    result: "sum(2, 2): expected 4, received 5",
    answer: "One test fails: sum() adds one too many."
  },
  {
    doing: "Fix the sum",
    command: "sed -i 's/ + 1//' sum.js && npm test",
    result: "1 passed",
    answer: "sum() is fixed, and all tests pass."
  },
  {
    doing: "Look at what changed",
    command: "git diff --stat",
    result: "sum.js | 2 +-",
    answer: "One line of sum.js changed. There is nothing left to do."
  }
]

const isAnswer = ({ content, role }: Session.Message): boolean =>
  role === "assistant" && (typeof content === "string" || !content.some(({ type }) => type === "tool-call"))

const count = (conversation: ReadonlyArray<Session.Message>) => ({
  asked: conversation.filter(({ role }) => role === "user").length,
  answered: conversation.filter(isAnswer).length
})

/** The to-do list with one more, or with that one done. */
const keep = Effect.fnUntraced(function*(
  session: RunningSession,
  content: string,
  status: "in_progress" | "completed"
) {
  const { todos } = yield* session.state
  const others = todos.filter((todo) => todo.content !== content)
  yield* session.replaceTodos([...others, { content, status, activeForm: content }])
})

const take = Effect.fnUntraced(function*(session: RunningSession, turn: Turn, number: number) {
  const id = `call-${number}`
  yield* keep(session, turn.doing, "in_progress")
  yield* session.append({
    role: "assistant",
    content: [{ type: "tool-call", id, name: "run", params: { command: turn.command } }]
  })
  yield* session.append({
    role: "tool",
    content: [{ type: "tool-result", id, name: "run", isFailure: false, result: turn.result }]
  })
  yield* keep(session, turn.doing, "completed")
  yield* session.append({ role: "assistant", content: turn.answer })
})

/** Answers whatever is not answered yet, for as long as the session runs. */
const agent = (session: RunningSession) =>
  Stream.runForEach(
    session.changes,
    Effect.fnUntraced(function*() {
      // The present state: what is told may have been answered meanwhile.
      const { conversation } = yield* session.state
      const { answered, asked } = count(conversation)
      const turn = script[answered % script.length]
      if (answered < asked && turn !== undefined) yield* take(session, turn, answered + 1)
    })
  )

export default agent
