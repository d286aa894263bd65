/**
 * The model's operations, done with the library.
 */
import { Effect } from "effect"
import { type RunningSession, type SessionId, Sessions } from "../../../src/index.ts"
import type { Process } from "./machine.ts"
import type { Operation } from "./model.ts"
import { tell } from "./observation.ts"

/** Keeps a session that a process was given, and says what is in it. */
export const keep = (process: Process) => (session: RunningSession) =>
  Effect.map(session.state, (state) => {
    process.handles.set(session.id, session)
    return tell(state)
  })

/** An operation as a process does it. What it finds is told in a line. */
export const perform = (
  process: Process,
  id: SessionId.SessionId,
  operation: Operation
): Effect.Effect<unknown, unknown> => {
  const ofHandle = <A, E>(use: (session: RunningSession) => Effect.Effect<A, E>) =>
    Effect.asVoid(Effect.flatMap(Effect.fromNullishOr(process.handles.get(id)), use))
  switch (operation._tag) {
    case "Append":
      return ofHandle((session) =>
        Effect.forEach(operation.texts, (content) => session.append({ role: "user", content }), {
          concurrency: "unbounded"
        })
      )
    case "ReplaceTodos":
      return ofHandle((session) =>
        session.replaceTodos(operation.todos.map((content) => ({ content, status: "pending", activeForm: content })))
      )
    case "RecordPrompt":
      return ofHandle((session) => session.recordPrompt(operation.prompt))
    case "Checkpoint":
      return process.run(Sessions.checkpoint(id))
    case "Close":
      return process.run(Sessions.close(id))
    case "Load":
      return process.run(Effect.map(Sessions.load(id), ({ state }) => tell(state)))
    case "Verify":
      return process.run(Effect.map(Sessions.verify(id), ({ status }) => status))
    case "Restore":
      return process.run(Sessions.restore(id))
    case "Purge":
      return process.run(Sessions.purge(id))
    case "Rename":
      return process.run(Sessions.rename(id, operation.name))
    case "Remove":
      return process.run(Sessions.remove(id, { interrupted: operation.interrupted }))
    case "Resume": {
      const { project, takeOver } = operation
      return Effect.flatMap(
        process.run(Sessions.resume(id, { takeOver, ...(project === undefined ? {} : { project }) })),
        keep(process)
      )
    }
  }
}
