/**
 * The prompt of a running session, at the terminal.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { RunningSession } from "../../services/RunningSession.ts"
import * as Explain from "../Explain.ts"
import * as Output from "../Output.ts"
import * as AgentModule from "./AgentModule.ts"
import type { Aside } from "./Aside.ts"
import * as Deed from "./Deed.ts"
import * as Loop from "./Loop.ts"
import * as Prompt from "./Prompt.ts"

/** What the session tells until it ends, and then why it did. */
const watch = Effect.fnUntraced(
  function*(session: RunningSession, tell: (event: Prompt.Event) => Effect.Effect<unknown>) {
    yield* Stream.runForEach(session.changes, (session) => tell({ _tag: "Changed", session }))
    yield* session.checkpoint.pipe(
      Effect.catchTags({
        SessionEnded: (error) => tell({ _tag: "Ended", error }),
        StoreError: () => Effect.void
      })
    )
  }
)

/**
 * Lets somebody go on with a session, until they leave or it ends.
 *
 * @category running
 * @since 0.1.0
 */
export const talk = Effect.fn("Talk.talk")(function*(session: RunningSession, options: {
  readonly wasInterrupted: boolean
  readonly agent: AgentModule.AgentModule | undefined
  readonly aside: Aside
}) {
  const { agent, aside, wasInterrupted } = options
  const { style } = yield* Output.current
  const services = yield* Effect.context()
  const perform = Effect.fnUntraced(function*(
    actions: Queue.Dequeue<Prompt.Action>,
    tell: (event: Prompt.Event) => Effect.Effect<unknown>
  ) {
    yield* Effect.forkScoped(watch(session, tell))
    if (agent !== undefined) {
      yield* Deferred.await(agent.exit).pipe(
        Effect.flatMap((exit) => tell({ _tag: "AgentEnded", failure: AgentModule.failureOf(exit) })),
        Effect.forkScoped
      )
    }
    const act = (action: Prompt.Action) => {
      if (action._tag === "Leave") {
        return Effect.flatMap(
          session.state,
          (session) => Effect.andThen(tell({ _tag: "Changed", session }), tell({ _tag: "Left" }))
        )
      }
      const { deed, todos, typed } = action
      return Effect.matchEffect(Deed.perform(session, deed, todos), {
        onFailure: (error) => tell({ _tag: "Refused", typed, explained: Explain.explain(error) }),
        onSuccess: () => tell({ _tag: "Done", typed, deed })
      })
    }
    const work = Effect.forever(Effect.flatMap(Queue.take(actions), act))
    return yield* aside.to((lines) => Effect.runForkWith(services)(tell({ _tag: "Said", lines })))(work)
  })
  return yield* Loop.run({
    mode: "inline",
    first: Prompt.first({ style, session: yield* session.state, wasInterrupted }),
    update: Prompt.update,
    view: Prompt.view,
    perform
  })
})
