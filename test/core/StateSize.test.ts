import { describe, it } from "@effect/vitest"
import { assertTrue, strictEqual } from "@effect/vitest/utils"
import { Arbitrary, Option, Result } from "effect"
import type { Session } from "effect-reprise"
import { SessionEvent } from "effect-reprise"
import * as Journal from "../../src/core/Journal.ts"
import * as Snapshot from "../../src/core/Snapshot.ts"
import * as StateSize from "../../src/core/StateSize.ts"
import { at, encodeMessages, keyRingOf, later, recorded, small, states } from "./documents.ts"

/** The key whose signatures are the longest. */
const ring = keyRingOf("k".repeat(32))

/** The largest snapshot that can be published of a state, with the first line of its journal. */
const stored = (state: Session.SessionState): number => {
  const epoch = Number.MAX_SAFE_INTEGER
  const { bytes, signature } = Option.getOrThrow(
    Snapshot.encode(ring, state, encodeMessages(state), { epoch, closedAt: later })
  )
  const writer = Option.getOrThrow(Journal.writer(ring, {
    id: state.session.id,
    epoch,
    part: Number.MAX_SAFE_INTEGER,
    snapshot: signature,
    revision: state.revision
  }))
  return bytes.length + writer.firstLine.length
}

const slack = 4096

describe("StateSize", () => {
  it.prop("is never less than a snapshot of the state and its journal's first line, and little more", [states], ([
    state
  ]) => {
    const total = StateSize.total(StateSize.measure(state, encodeMessages(state)))
    assertTrue(total >= stored(state), `${total} < ${stored(state)}`)
    assertTrue(total <= stored(state) + slack, `${total} > ${stored(state)} + ${slack}`)
  }, { arbitrary: { runs: 100, seed: 1 } })

  it.prop(
    "is the same kept up event by event as measured anew, or a little more",
    [states, Arbitrary.array(recorded, { maxLength: 15 })],
    ([state, events]) => {
      const draft = SessionEvent.draft(state)
      let size = StateSize.measure(state, encodeMessages(state))
      for (const happened of events) {
        const { event } = happened
        const encoded = event._tag === "MessageAppended" ? Snapshot.encodeMessage(event.message) : undefined
        const next = StateSize.after(size, event, draft.moment().session, encoded)
        if (Result.isFailure(draft.apply(happened))) continue
        size = next
        const now = draft.state()
        const total = StateSize.total(size)
        assertTrue(total >= stored(now), `${event._tag}: ${total} < ${stored(now)}`)
        assertTrue(total <= stored(now) + slack, `${event._tag}: ${total} > ${stored(now)} + ${slack}`)
      }
    },
    { arbitrary: { runs: 60, seed: 2 } }
  )

  it("bounds what escapes and multi-byte text make of a state", () => {
    for (const text of ["\u0001", "\"", "é", "漢", "👋", "\u2028"]) {
      const long = text.repeat(10_000)
      const name = text.repeat(50)
      const state: Session.SessionState = {
        ...small,
        session: { ...small.session, name, projectPath: `/${text.repeat(1000)}`, metadata: { [long]: long } },
        conversation: [{ id: long, role: "user", content: long, timestamp: at }],
        todos: [{ content: long, status: "pending", activeForm: long }],
        promptHistory: [long, long],
        usage: {
          inputTokens: Number.MAX_SAFE_INTEGER,
          outputTokens: Number.MAX_SAFE_INTEGER,
          totalCost: 1.2345678901234e-300
        },
        revision: Number.MAX_SAFE_INTEGER,
        extra: { [long]: [long] }
      }
      const total = StateSize.total(StateSize.measure(state, encodeMessages(state)))
      assertTrue(total >= stored(state) && total <= stored(state) + slack)
    }
  })

  it("grows by what a message takes, and not by what a replaced list took before", () => {
    const size = StateSize.measure(small, encodeMessages(small))
    const message = small.conversation[0]
    assertTrue(message !== undefined)
    const encoded = Snapshot.encodeMessage(message)
    const appended = StateSize.after(size, { _tag: "MessageAppended", message }, small.session, encoded)
    strictEqual(StateSize.total(appended) - StateSize.total(size), encoded.length + 2)
    const emptied = StateSize.after(size, { _tag: "TodosReplaced", todos: [] }, small.session, undefined)
    assertTrue(StateSize.total(emptied) < StateSize.total(size))
    const refilled = StateSize.after(emptied, { _tag: "TodosReplaced", todos: small.todos }, small.session, undefined)
    strictEqual(StateSize.total(refilled), StateSize.total(size))
  })

  it("stays exact over thousands of events", () => {
    const events: ReadonlyArray<SessionEvent.SessionEvent> = Array.from({ length: 3000 }, (_, index) =>
      index % 2 === 0
        ? { _tag: "PromptRecorded", prompt: `prompt ${index}` }
        : { _tag: "Renamed", name: `name ${index}` })
    const draft = SessionEvent.draft(small)
    let size = StateSize.measure(small, encodeMessages(small))
    for (const event of events) {
      size = StateSize.after(size, event, draft.moment().session, undefined)
      draft.apply({ at, event })
    }
    const total = StateSize.total(size)
    assertTrue(total >= stored(draft.state()) && total <= stored(draft.state()) + slack)
  })
})
