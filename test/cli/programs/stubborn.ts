/** An agent that does not let itself be interrupted: it says that it works, and works for ever. */
import { Effect } from "effect"
import type { RunningSession } from "effect-reprise"

export default (session: RunningSession) =>
  Effect.uninterruptible(
    Effect.andThen(session.append({ role: "assistant", content: "working" }), Effect.never)
  )
