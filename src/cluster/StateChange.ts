/**
 * States of a session on their way to a client: the first one whole, then what
 * is new. What was said once is sent once.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { SessionState } from "../core/Session.ts"

/**
 * `Changed` is a state without its first `messages` messages and `prompts`
 * prompts, which the client has. `Closed` says that somebody closed the session,
 * and not only that it is on its way to another runner.
 */
export const StateChange = Schema.TaggedUnion({
  Changed: { state: SessionState, messages: Schema.Int, prompts: Schema.Int },
  Closed: {}
})

export type StateChange = typeof StateChange.Type

type Changed = Extract<StateChange, { readonly _tag: "Changed" }>

/** What a client that has `known` needs to know of a later state. */
export const since = (known: SessionState | undefined, state: SessionState): Changed => {
  const messages = known?.conversation.length ?? 0
  const prompts = known?.promptHistory.length ?? 0
  return {
    _tag: "Changed",
    messages,
    prompts,
    state: {
      ...state,
      conversation: state.conversation.slice(messages),
      promptHistory: state.promptHistory.slice(prompts)
    }
  }
}

/** The state that a change makes of the one before. */
export const apply = (known: SessionState | undefined, { messages, prompts, state }: Changed): SessionState => ({
  ...state,
  conversation: [...(known?.conversation.slice(0, messages) ?? []), ...state.conversation],
  promptHistory: [...(known?.promptHistory.slice(0, prompts) ?? []), ...state.promptHistory]
})
