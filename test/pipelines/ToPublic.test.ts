import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Logger, References } from "effect"
import { SessionError } from "effect-reprise"
import { inspect } from "node:util"

const id = "6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10"
const path = "/projects/secret-project"
const words = "what-was-said"

const restore = (reason: SessionError.RestoreFailed["reason"]) => new SessionError.RestoreFailed({ id, reason })
const invalid = (reason: SessionError.InvalidJson["reason"]) => new SessionError.InvalidJson({ id, reason })
const create = (reason: SessionError.CreateFailed["reason"]) => new SessionError.CreateFailed({ reason })

const errors: ReadonlyArray<SessionError.SessionError> = [
  new SessionError.NotFound({ target: id }),
  invalid(new SessionError.TooLarge({ bytes: 2, limit: 1 })),
  invalid(new SessionError.NotUtf8({})),
  invalid(new SessionError.Syntax({ offset: 1 })),
  invalid(new SessionError.Shape({ path: words, expected: words })),
  invalid(new SessionError.Unsigned({})),
  invalid(new SessionError.BadSignature({})),
  invalid(new SessionError.UnknownKey({ keyId: words })),
  invalid(new SessionError.IdMismatch({ found: id })),
  invalid(new SessionError.BrokenJournal({ line: 3 })),
  new SessionError.SchemaVersion({ id, found: 3, supported: 2 }),
  new SessionError.SchemaVersion({ id, supported: 2, cause: words }),
  restore(new SessionError.RateLimited({ retryAfter: Duration.seconds(3) })),
  restore(new SessionError.ProjectMissing({ path })),
  restore(new SessionError.ProjectNotDirectory({ path })),
  restore(new SessionError.ProjectForbidden({ path })),
  restore(new SessionError.ProjectOutside({ path, roots: [path] })),
  restore(new SessionError.ProjectChanged({ path })),
  restore(new SessionError.ProjectAlreadyOpen({ path, id })),
  restore(new SessionError.AlreadyRunning({ liveness: "alive" })),
  restore(new SessionError.TooManyRunning({ running: 1, limit: 1 })),
  restore(new SessionError.InvalidSession({ issues: [words] })),
  restore(new SessionError.StepFailed({ step: "message", index: 0, cause: new Error(words) })),
  create(new SessionError.TooManyStored({ stored: 1, limit: 1 })),
  create(new SessionError.AlreadyStored({ id })),
  create(new SessionError.ProjectOutside({ path, roots: [path] })),
  new SessionError.ExportFailed({ id, reason: new SessionError.FileExists({ path }) }),
  new SessionError.EventRejected({ id, reason: new SessionError.Invalid({ path: words, expected: words }) }),
  new SessionError.EventRejected({ id, reason: new SessionError.Refused({ cause: new Error(words) }) }),
  new SessionError.SessionEnded({ id, reason: new SessionError.NotRunning({}) }),
  new SessionError.SessionEnded({ id, reason: new SessionError.Closed({}) }),
  new SessionError.StoreError({ operation: words, cause: new Error(path) })
]

/** The answer to an error, and what went to the log. */
const answer = Effect.fnUntraced(function*(error: SessionError.SessionError) {
  const logged: Array<{ readonly message: unknown; readonly level: string; readonly annotations: unknown }> = []
  const logger = Logger.make<unknown, void>(({ fiber, logLevel, message }) => {
    logged.push({ message, level: logLevel, annotations: fiber.getRef(References.CurrentLogAnnotations) })
  })
  const unavailable = yield* Effect.provide(SessionError.toPublic(error), Logger.layer([logger]))
  return { unavailable, logged }
})

/** Everything that a careless server may send of an error. */
const shown = (error: Error): string =>
  [
    error.message,
    String(error),
    JSON.stringify(error),
    inspect(error, { depth: 20, showHidden: true }),
    JSON.stringify(Object.entries(error)),
    String(error.cause)
  ].join("\n")

describe("The answer to a stranger", () => {
  for (const error of errors) {
    const name = `${error._tag} ${"reason" in error ? error.reason._tag : ""}`
    it.effect(`says nothing of ${name}, and the log has it under the reference`, () =>
      Effect.gen(function*() {
        const { logged, unavailable } = yield* answer(error)
        const text = shown(unavailable).replaceAll(/\/\S*node_modules\S*|\S*\/test\/\S*|\S*\/src\/\S*/g, "")
        const tags = [error._tag, ..."reason" in error ? [error.reason._tag] : []]
        for (const secret of [id, path, words, "somebody", ...tags]) assert.notInclude(text, secret)
        assert.lengthOf(logged, 1)
        assert.deepInclude(logged[0], { level: "Error" })
        assert.deepInclude(logged[0]?.annotations, { reference: unavailable.reference })
        assert.isTrue(Array.isArray(logged[0]?.message) && logged[0].message.includes(error))
      }))
  }

  it.effect("is the same for every error, but for the reference", () =>
    Effect.gen(function*() {
      const answers = yield* Effect.forEach(errors, (error) =>
        Effect.map(answer(error), ({ unavailable }) => unavailable))
      const uniform = answers.map(({ _tag, message, reference }) => ({
        _tag,
        message: message.replace(reference, "#"),
        length: reference.length
      }))
      for (const each of uniform) {
        assert.deepStrictEqual(each, uniform[0])
      }
      assert.strictEqual(uniform[0]?._tag, "Unavailable")
      for (const each of answers) {
        assert.deepStrictEqual(Object.keys(each).toSorted(), Object.keys(answers[0] ?? {}).toSorted())
      }
    }))

  it.effect("has a reference of its own each time, of one form, also for one error", () =>
    Effect.gen(function*() {
      const error = new SessionError.NotFound({ target: id })
      const references = yield* Effect.forEach(
        Array.from({ length: 500 }),
        () => Effect.map(answer(error), ({ unavailable }) => unavailable.reference)
      )
      assert.strictEqual(new Set(references).size, 500)
      for (const reference of references) assert.match(reference, /^[0-9a-f]{12}$/)
    }))

  it.effect("has no cause, and nothing of where it was made for which error", () =>
    Effect.gen(function*() {
      const { unavailable } = yield* answer(new SessionError.StoreError({ operation: words, cause: new Error(path) }))
      assert.isUndefined(unavailable.cause)
      assert.include(unavailable.message, unavailable.reference)
    }))
})
