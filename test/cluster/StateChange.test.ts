import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Session } from "effect-reprise"
import * as StateChange from "../../src/cluster/StateChange.ts"

/** A state, and one that comes later: what was said stays, and the rest is replaced. */
const Progress = Schema.Struct({
  known: Session.SessionState,
  later: Session.SessionState
})

const after = (known: Session.SessionState, later: Session.SessionState): Session.SessionState => ({
  ...later,
  conversation: [...known.conversation, ...later.conversation],
  promptHistory: [...known.promptHistory, ...later.promptHistory]
})

const options = { arbitrary: { runs: 30, seed: 11 } }

describe("A change of a state", () => {
  it.prop("makes the later one of the one before", { progress: Progress }, ({ progress: { known, later } }) => {
    const state = after(known, later)
    const change = StateChange.since(known, state)
    assert.deepStrictEqual(StateChange.apply(known, change), state)
    assert.lengthOf(change.state.conversation, later.conversation.length)
    assert.lengthOf(change.state.promptHistory, later.promptHistory.length)
  }, options)

  it.prop("is the whole state for whoever has none", { state: Session.SessionState }, ({ state }) => {
    assert.deepStrictEqual(StateChange.since(undefined, state).state, state)
    assert.deepStrictEqual(StateChange.apply(undefined, StateChange.since(undefined, state)), state)
  }, options)
})
