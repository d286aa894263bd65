/** An agent that closes its own session when it is told to. */
import { Effect, Stream } from "effect"
import { type RunningSession, Supervisor } from "effect-reprise"

export default (session: RunningSession) =>
  session.changes.pipe(
    Stream.filter(({ conversation }) => conversation.at(-1)?.content === "close"),
    Stream.runForEach(() => Effect.flatMap(Supervisor.Supervisor, ({ stop }) => stop(session.id)))
  )
