import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { Arbitrary, Effect, Schema } from "effect"
import { Session, SessionEvent } from "effect-reprise"
import { at, id, small } from "./documents.ts"

const family = "👨‍👩‍👧‍👦"
const kiss = "👨🏻‍❤️‍💋‍👨🏿"

describe("Session.Name", () => {
  const is = Schema.is(Session.Name)

  it("accepts 50 graphemes and refuses 51, also of family emoji", () => {
    for (const grapheme of ["x", "é", "e\u0301", "漢", "👋", "🇩🇪", family, kiss, "\r\n", "각"]) {
      strictEqual(is(grapheme), true, grapheme)
      strictEqual(is(grapheme.repeat(50)), true, grapheme)
      strictEqual(is(grapheme.repeat(51)), false, grapheme)
      strictEqual(is(`${grapheme.repeat(49)}x`), true, grapheme)
      strictEqual(is(`${grapheme.repeat(50)}x`), false, grapheme)
    }
  })

  it("refuses nothing at all, lone surrogates and graphemes without end", () => {
    strictEqual(is(""), false)
    strictEqual(is("\ud83d"), false)
    strictEqual(is("a\ude00b"), false)
    strictEqual(is(`a${"\u0301".repeat(Session.nameLimits.bytes)}`), false)
    strictEqual(is(`a${"\u0301".repeat((Session.nameLimits.bytes - 1) / 2)}`), true)
  })

  it("answers at once on a long text", () => {
    strictEqual(is(family.repeat(100_000)), false)
    strictEqual(is("x".repeat(10_000_000)), false)
  })
})

describe("Session.nameFrom", () => {
  it("keeps a text that is a name", () => {
    for (const name of ["x", "my project", family.repeat(50)]) strictEqual(Session.nameFrom(name, "session"), name)
  })

  it("cuts a longer text between graphemes", () => {
    strictEqual(Session.nameFrom("x".repeat(60), "session"), "x".repeat(50))
    strictEqual(Session.nameFrom(`${"x".repeat(49)}${family}${family}`, "session"), `${"x".repeat(49)}${family}`)
    strictEqual(Session.nameFrom(family.repeat(60), "session"), family.repeat(50))
  })

  it("falls back where nothing is left, and mends lone surrogates", () => {
    strictEqual(Session.nameFrom("", "session"), "session")
    strictEqual(Session.nameFrom("a\ud83d", "session"), "a\ufffd")
  })

  it.prop("always gives a name", [Schema.String], ([text]) => {
    assertTrue(Schema.is(Session.Name)(Session.nameFrom(text, "session")))
    assertTrue(Schema.is(Session.Name)(Session.nameFrom(text.repeat(20), "session")))
  }, { arbitrary: { runs: 100, seed: 1 } })
})

describe("Session.SessionConfig", () => {
  const is = Schema.is(Session.SessionConfig)
  const { config } = small.session

  it("takes a temperature from 0 to 2 and a positive whole number of tokens", () => {
    for (const temperature of [0, 2, 1.999]) strictEqual(is({ ...config, temperature }), true)
    for (const temperature of [-Number.MIN_VALUE, 2.0001, NaN, Infinity]) {
      strictEqual(is({ ...config, temperature }), false)
    }
    for (const maxTokens of [1, Number.MAX_SAFE_INTEGER]) strictEqual(is({ ...config, maxTokens }), true)
    for (const maxTokens of [0, -1, 0.5, NaN, Infinity, 2 ** 53]) strictEqual(is({ ...config, maxTokens }), false)
  })

  it("takes labels of 1 to 256 characters", () => {
    for (const label of ["x", "x".repeat(256)]) {
      strictEqual(is({ ...config, provider: label, model: label }), true)
    }
    for (const label of ["", "x".repeat(257)]) {
      strictEqual(is({ ...config, provider: label }), false)
      strictEqual(is({ ...config, model: label }), false)
    }
  })

  it("keeps members that it does not know, if they are JSON", () => {
    strictEqual(is({ ...config, topP: 0.5, stop: ["x", null] }), true)
    strictEqual(is({ ...config, topP: new Date(0) }), false)
  })
})

describe("Session.addUsage", () => {
  it("adds member by member", () => {
    deepStrictEqual(
      Session.addUsage(
        { inputTokens: 1, outputTokens: 2, totalCost: 0.5 },
        { inputTokens: 10, outputTokens: 20, totalCost: 0.25 }
      ),
      { inputTokens: 11, outputTokens: 22, totalCost: 0.75 }
    )
    deepStrictEqual(Session.addUsage(Session.noUsage, small.usage), small.usage)
  })
})

describe("Session.empty", () => {
  it("is a session in which nothing has happened", () => {
    const state = Session.empty(small.session)
    assertTrue(Schema.is(Session.SessionState)(state))
    strictEqual(state.revision, 0)
    deepStrictEqual([state.conversation, state.todos, state.promptHistory], [[], [], []])
  })
})

describe("Session.SessionState", () => {
  const sized = [0, 1, 5, 20]

  it.effect("can be generated at every size, and so can events: property tests stand on that", () =>
    Effect.forEach(sized, (size) =>
      Effect.gen(function*() {
        const states = yield* Arbitrary.sampleEffect(Arbitrary.schema(Session.SessionState), {
          count: 5,
          seed: 1,
          size
        })
        const events = yield* Arbitrary.sampleEffect(Arbitrary.schema(SessionEvent.SessionEvent), {
          count: 20,
          seed: 1,
          size
        })
        assertTrue(states.every(Schema.is(Session.SessionState)))
        assertTrue(events.every(Schema.is(SessionEvent.SessionEvent)))
      }), { discard: true }))

  it("holds no number that JSON can't write exactly", () => {
    const is = Schema.is(Session.SessionState)
    for (const number of [NaN, Infinity, 2 ** 53]) {
      strictEqual(is({ ...small, revision: number }), false)
      strictEqual(is({ ...small, usage: { ...small.usage, inputTokens: number } }), false)
    }
    strictEqual(is({ ...small, usage: { ...small.usage, totalCost: Infinity } }), false)
    strictEqual(is({ ...small, session: { ...small.session, id } }), true)
  })

  it("takes every part that a model's turn is made of, and no other", () => {
    const is = Schema.is(Session.Message)
    const message = (part: unknown) => ({ id: "1", role: "assistant", content: [part], timestamp: at })
    const parts = [
      { type: "text", text: "" },
      { type: "reasoning", text: "" },
      { type: "file", mediaType: "text/plain", data: "x" },
      { type: "tool-call", id: "1", name: "n", params: null },
      { type: "tool-result", id: "1", name: "n", isFailure: false, result: [] },
      { type: "tool-approval-request", approvalId: "1", toolCallId: "1" },
      { type: "tool-approval-response", approvalId: "1", approved: false }
    ]
    for (const part of parts) strictEqual(is(message(part)), true)
    for (
      const part of [{ type: "image" }, { text: "x" }, "text", null, { type: "text" }, { type: "tool-call", id: "1" }]
    ) {
      strictEqual(is(message(part)), false)
    }
  })
})
