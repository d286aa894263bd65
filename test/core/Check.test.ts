import { describe, it } from "@effect/vitest"
import { assertSuccess, assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { Result, Schema } from "effect"
import { Session, SessionEvent } from "effect-reprise"
import * as Check from "../../src/core/Check.ts"
import { at, small, states } from "./documents.ts"

const mistakes = (
  result: Result.Result<unknown, ReadonlyArray<{ readonly path: string; readonly expected: string }>>
): ReadonlyArray<readonly [path: string, expected: string]> => {
  assertTrue(Result.isFailure(result))
  return result.failure.map(({ expected, path }) => [path, expected] as const)
}

const secret = "S3CRET"

describe("Check", () => {
  it("gives the value itself back, with members that the schema does not know", () => {
    const check = Check.make(Session.Message)
    const message = { id: "1", role: "user", content: "x", timestamp: at, future: { of: [1] } }
    const checked = Result.getOrThrow(check(message))
    strictEqual<unknown>(checked, message)
  })

  it.prop("accepts every generated session", [states], ([state]) => {
    assertSuccess(Check.make(Session.SessionState)(state), state)
  }, { arbitrary: { runs: 30, seed: 1 } })

  it("names every mistake by its place and what belongs there", () => {
    const found = mistakes(
      Check.make(Session.SessionState)({
        ...small,
        session: { ...small.session, id: "../x", config: { ...small.session.config, maxTokens: 0 } },
        conversation: [{ id: "1", role: "robot", content: "x" }],
        todos: "none"
      })
    )
    deepStrictEqual(found, [
      ["session.id", "a lower-case UUID v4"],
      ["session.config.maxTokens", "a value greater than 0"],
      ["conversation[0].role", "\"user\" | \"assistant\" | \"system\" | \"tool\""],
      ["conversation[0].timestamp", "present"],
      ["todos", "array"]
    ])
  })

  it("names the document itself by an empty path", () => {
    for (const value of [null, 1, "text", []]) {
      strictEqual(mistakes(Check.make(Session.Session)(value))[0]?.[0], "")
    }
  })

  it("says of a missing member that it is not present", () => {
    deepStrictEqual(mistakes(Check.make(Schema.Struct({ a: Schema.String }))({})), [["a", "present"]])
  })

  it("never shows a value that it refuses", () => {
    const event = Check.make(SessionEvent.SessionEvent)
    const state = Check.make(Session.SessionState)
    const refusals = [
      event(secret),
      event({ _tag: secret }),
      event({ _tag: "Renamed", name: secret.repeat(20) }),
      event({ _tag: "MessageAppended", message: { id: "", role: secret, content: { a: secret }, timestamp: secret } }),
      event({
        _tag: "MessageAppended",
        message: { id: "1", role: "user", content: [{ type: secret }], timestamp: at }
      }),
      event({
        _tag: "MessageAppended",
        message: { id: "1", role: "user", content: [{ type: "tool-call", id: 1, params: secret }], timestamp: at }
      }),
      event({ _tag: "TodosReplaced", todos: [{ content: 1, status: secret, activeForm: secret }] }),
      event({
        _tag: "Configured",
        config: { provider: secret, model: secret, temperature: secret, maxTokens: secret }
      }),
      event({ _tag: "Moved", projectPath: secret.repeat(1000) }),
      event({ _tag: "Annotated", metadata: secret }),
      event({ _tag: "PromptRecorded", prompt: [secret] }),
      state({ ...small, session: secret, revision: secret, usage: { inputTokens: secret } })
    ]
    for (const refusal of refusals) {
      for (const [path, expected] of mistakes(refusal)) {
        strictEqual(`${path} ${expected}`.includes(secret), false, `${path} ${expected}`)
      }
    }
  })
})
