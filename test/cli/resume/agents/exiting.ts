/** An agent that ends the whole process when it is told to. */
import { Effect, Stream } from "effect"
import type { RunningSession } from "effect-reprise"

export default (session: RunningSession) =>
  session.changes.pipe(
    Stream.filter(({ conversation }) => conversation.at(-1)?.content === "exit"),
    Stream.runForEach(() => Effect.sync(() => process.exit(7)))
  )
