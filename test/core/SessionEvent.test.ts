import { describe, it } from "@effect/vitest"
import { assertFailure, assertSuccess, assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { Arbitrary, Result } from "effect"
import { Session, SessionEvent } from "effect-reprise"
import { at, later, recorded, small, states } from "./documents.ts"

const message: Session.Message = {
  id: "3",
  role: "tool",
  content: [{ type: "tool-result", id: "c", name: "run", isFailure: false, result: 1 }],
  timestamp: at,
  usage: { inputTokens: 10, outputTokens: 20, totalCost: 0.5 }
}

const after = (event: SessionEvent.SessionEvent, state = small): Session.SessionState =>
  Result.getOrThrow(SessionEvent.apply(state, { at, event }))

const next = (
  changes: Partial<Session.SessionState>,
  session: Partial<Session.Session> = {}
): Session.SessionState => ({
  ...small,
  ...changes,
  session: { ...small.session, ...session, updatedAt: at },
  revision: small.revision + 1
})

const tooMuch = { expected: "usage totals that stay within exact numbers" }

describe("SessionEvent.apply", () => {
  it("appends a message at the end and adds its usage", () => {
    deepStrictEqual(
      after({ _tag: "MessageAppended", message }),
      next({
        conversation: [...small.conversation, message],
        usage: { inputTokens: 11, outputTokens: 22, totalCost: 0.75 }
      })
    )
  })

  it("leaves the usage as it is where a message has none", () => {
    const { usage: _, ...free } = message
    deepStrictEqual(
      after({ _tag: "MessageAppended", message: free }),
      next({ conversation: [...small.conversation, free] })
    )
  })

  it("replaces todos, and takes an empty list for none", () => {
    deepStrictEqual(after({ _tag: "TodosReplaced", todos: [] }), next({ todos: [] }))
  })

  it("records a prompt at the end, also an empty one or the same again", () => {
    deepStrictEqual(after({ _tag: "PromptRecorded", prompt: "go" }), next({ promptHistory: ["go", "go"] }))
    deepStrictEqual(after({ _tag: "PromptRecorded", prompt: "" }), next({ promptHistory: ["go", ""] }))
  })

  it("replaces config, name, project path and metadata as a whole", () => {
    const config = { provider: "q", model: "n", temperature: 0, maxTokens: 1 }
    deepStrictEqual(after({ _tag: "Configured", config }), next({}, { config }))
    deepStrictEqual(after({ _tag: "Renamed", name: "new" }), next({}, { name: "new" }))
    deepStrictEqual(after({ _tag: "Moved", projectPath: "/new" }), next({}, { projectPath: "/new" }))
    deepStrictEqual(after({ _tag: "Annotated", metadata: { a: 1 } }), next({}, { metadata: { a: 1 } }))
  })

  it("keeps members that this version does not know", () => {
    const state = { ...small, extra: { future: [1] } }
    deepStrictEqual(after({ _tag: "Renamed", name: "new" }, state).extra, { future: [1] })
  })

  it("refuses a message that takes the usage beyond exact numbers, and takes one that just does not", () => {
    const with_ = (usage: Session.Usage): SessionEvent.SessionEvent => ({
      _tag: "MessageAppended",
      message: { ...message, usage }
    })
    const state = { ...small, usage: Session.noUsage }
    const max = Number.MAX_SAFE_INTEGER
    const refused: ReadonlyArray<Session.Usage> = [
      { inputTokens: max, outputTokens: 1, totalCost: 0 },
      { inputTokens: max, outputTokens: max, totalCost: 0 }
    ]
    for (const usage of refused) {
      assertFailure(SessionEvent.apply(state, { at, event: with_(usage) }), tooMuch)
    }
    assertTrue(Result.isSuccess(
      SessionEvent.apply(state, { at, event: with_({ inputTokens: max - 1, outputTokens: 1, totalCost: 0 }) })
    ))
    const rich = { ...state, usage: { inputTokens: 0, outputTokens: 0, totalCost: Number.MAX_VALUE } }
    assertFailure(
      SessionEvent.apply(rich, { at, event: with_({ inputTokens: 0, outputTokens: 0, totalCost: Number.MAX_VALUE }) }),
      tooMuch
    )
  })

  it.prop("counts every event, dates the state by it, and changes nothing of the state before", [
    states,
    recorded
  ], ([state, happened]) => {
    const before = structuredClone(state)
    const applied = SessionEvent.apply(state, happened)
    deepStrictEqual(state, before)
    if (Result.isFailure(applied)) return
    strictEqual(applied.success.revision, state.revision + 1)
    strictEqual(applied.success.session.updatedAt, happened.at)
    strictEqual(applied.success.session.id, state.session.id)
    strictEqual(applied.success.session.createdAt, state.session.createdAt)
  }, { arbitrary: { runs: 60, seed: 1 } })
})

describe("SessionEvent.draft", () => {
  it("does not show later events in a state that it gave before", () => {
    const draft = SessionEvent.draft(small)
    const append = () => draft.apply({ at, event: { _tag: "MessageAppended", message } })
    const record = () => draft.apply({ at, event: { _tag: "PromptRecorded", prompt: "p" } })
    append()
    record()
    const first = draft.state()
    const kept = structuredClone(first)
    append()
    record()
    deepStrictEqual(first, kept)
    strictEqual(draft.state().conversation.length, small.conversation.length + 2)
    deepStrictEqual(draft.state().promptHistory, ["go", "p", "p"])
    strictEqual(draft.state().revision, small.revision + 4)
  })

  it("gives the same state as often as it is asked", () => {
    const draft = SessionEvent.draft(small)
    strictEqual(draft.state(), small)
    draft.apply({ at, event: { _tag: "MessageAppended", message } })
    deepStrictEqual(draft.state(), draft.state())
    strictEqual(draft.state().conversation.length, 3)
  })

  it("stays as it was when it refuses an event", () => {
    const draft = SessionEvent.draft(small)
    draft.apply({ at, event: { _tag: "PromptRecorded", prompt: "p" } })
    const before = structuredClone(draft.state())
    const usage = { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 0, totalCost: 0 }
    const refused = draft.apply({ at: later, event: { _tag: "MessageAppended", message: { ...message, usage } } })
    assertFailure(refused, tooMuch)
    deepStrictEqual(draft.state(), before)
  })

  it("tells the session so far", () => {
    const draft = SessionEvent.draft(small)
    draft.apply({ at: later, event: { _tag: "Renamed", name: "new" } })
    deepStrictEqual(draft.moment().session, { ...small.session, name: "new", updatedAt: later })
  })
})

describe("SessionEvent.Draft.rewind", () => {
  it("forgets everything after a moment, and tells what was then before and after", () => {
    const draft = SessionEvent.draft(small)
    draft.apply({ at, event: { _tag: "MessageAppended", message } })
    draft.apply({ at, event: { _tag: "PromptRecorded", prompt: "p" } })
    const moment = draft.moment()
    const then = structuredClone(draft.state())
    draft.apply({
      at: later,
      event: {
        _tag: "MessageAppended",
        message: { ...message, usage: { inputTokens: 1, outputTokens: 2, totalCost: 0.25 } }
      }
    })
    draft.apply({ at: later, event: { _tag: "PromptRecorded", prompt: "q" } })
    draft.apply({ at: later, event: { _tag: "Renamed", name: "new" } })
    draft.apply({ at: later, event: { _tag: "TodosReplaced", todos: [] } })
    deepStrictEqual(draft.state(moment), then)
    draft.rewind(moment)
    deepStrictEqual(draft.state(), then)
    draft.apply({ at: later, event: { _tag: "MessageAppended", message: { ...message, content: "instead" } } })
    deepStrictEqual(draft.state().conversation.map(({ content }) => content), [
      ...then.conversation.map(({ content }) => content),
      "instead"
    ])
  })
})

describe("SessionEvent.fold", () => {
  it.prop(
    "comes to the same state as applying one event after another",
    [states, Arbitrary.array(recorded, { maxLength: 12 })],
    ([state, events]) => {
      const stepwise = events.reduce<Result.Result<Session.SessionState, SessionEvent.Rejection>>(
        (reached, happened) => Result.flatMap(reached, (reached) => SessionEvent.apply(reached, happened)),
        Result.succeed(state)
      )
      const folded = SessionEvent.fold(state, events)
      strictEqual(Result.isSuccess(folded), Result.isSuccess(stepwise))
      if (Result.isSuccess(folded)) assertSuccess(stepwise, folded.success)
    },
    { arbitrary: { runs: 60, seed: 2 } }
  )

  it("names the first event that is refused", () => {
    const huge = { inputTokens: Number.MAX_SAFE_INTEGER, outputTokens: 0, totalCost: 0 }
    const events: ReadonlyArray<SessionEvent.Recorded> = [
      { at, event: { _tag: "PromptRecorded", prompt: "p" } },
      { at, event: { _tag: "MessageAppended", message: { ...message, usage: huge } } },
      { at, event: { _tag: "MessageAppended", message: { ...message, usage: huge } } }
    ]
    assertFailure(SessionEvent.fold(small, events), { ...tooMuch, index: 1 })
  })

  it("folds many thousands of events in no more than linear time", () => {
    const events = Array.from({ length: 50_000 }, (): SessionEvent.Recorded => ({
      at,
      event: { _tag: "PromptRecorded", prompt: "p" }
    }))
    strictEqual(Result.getOrThrow(SessionEvent.fold(small, events)).promptHistory.length, 50_001)
  })
})

describe("The JSON of an event", () => {
  it.prop("is that of the event, and holds that of its message", [recorded], ([{ event }]) => {
    const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
    const { json, message } = SessionEvent.encode(event)
    strictEqual(text(json), JSON.stringify(event))
    strictEqual(
      message && text(message),
      event._tag === "MessageAppended" ? JSON.stringify(event.message) : undefined
    )
  }, { arbitrary: { runs: 200, seed: 4 } })
})
