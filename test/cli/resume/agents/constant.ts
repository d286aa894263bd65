/** No agent: an Effect that is not given the session. */
import { Effect } from "effect"

export default Effect.void
