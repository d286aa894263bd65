/** An agent that fails, after it has printed what would run into the prompt. */
import { Console, Data, Effect } from "effect"

class NoModel extends Data.TaggedError("NoModel")<{ readonly message: string }> {}

export default () =>
  Effect.andThen(
    Console.log("working\u001b[2J"),
    Effect.fail(new NoModel({ message: "no model answers\nsee the log" }))
  )
