/** An agent that prints what it hears. */
import { Console, Stream } from "effect"
import type { RunningSession } from "effect-reprise"

export default (session: RunningSession) =>
  session.changes.pipe(
    Stream.filter(({ conversation }) => conversation.at(-1)?.content === "hello"),
    Stream.take(1),
    Stream.runForEach(() => Console.log("heard hello\u001b[2J"))
  )
