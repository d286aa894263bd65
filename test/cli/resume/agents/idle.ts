/** An agent that has nothing to say. */
import { Effect } from "effect"

export default () => Effect.void
