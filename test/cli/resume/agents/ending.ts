/** An agent that says one thing and comes to its end. */
import type { RunningSession } from "effect-reprise"

export default (session: RunningSession) => session.append({ role: "assistant", content: "That is all." })
