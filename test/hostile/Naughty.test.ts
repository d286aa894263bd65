import { assert, describe, it } from "@effect/vitest"
import { Array, Effect, Schema } from "effect"
import { Session, type SessionId, Sessions } from "effect-reprise"
import { strings } from "./naughty-strings.ts"
import * as World from "./world.ts"

const isName = Schema.is(Session.Name)

/** Runs a test over an empty store. */
const withStore = <A, E>(program: (project: string) => Effect.Effect<A, E, World.Services>) =>
  Effect.gen(function*() {
    const workspace = yield* World.workspace
    return yield* Effect.provide(program(workspace.project), World.layer(workspace))
  }).pipe(Effect.scoped)

/** A record with these texts as keys and as values; `__proto__` is a key like any other. */
const recordOf = (texts: ReadonlyArray<string>) => Object.fromEntries(texts.map((text) => [text, text]))

/** Puts each text into every place that takes text. */
const sayEverywhere = Effect.fnUntraced(function*(project: string, texts: ReadonlyArray<string>) {
  const record = recordOf(texts)
  const extra = Object.fromEntries(
    Object.entries(record).filter(([key]) => !["id", "role", "content", "timestamp", "usage"].includes(key))
  )
  const session = yield* Sessions.create({
    project,
    name: "naughty",
    config: { ...World.config, provider: texts.find((text) => text !== "" && text.length < 200) ?? "p" },
    metadata: record
  })
  for (const text of texts) {
    const message = yield* session.append({ role: "user", content: text })
    assert.strictEqual(message.content, text)
    if (isName(text)) yield* session.rename(text)
    yield* session.recordPrompt(text)
  }
  const parts: ReadonlyArray<Session.Part> = texts.flatMap((text): ReadonlyArray<Session.Part> => [
    { type: "text", text },
    { type: "reasoning", text },
    { type: "tool-call", id: text, name: text, params: recordOf([text]) },
    { type: "tool-result", id: text, name: text, isFailure: false, result: [text, recordOf([text])] },
    { type: "file", mediaType: text, data: text }
  ])
  const message = yield* session.append({ role: "assistant", content: parts, ...extra })
  assert.strictEqual(JSON.stringify(message.content), JSON.stringify(parts))
  yield* session.replaceTodos(texts.map((text, index) => ({
    content: text,
    status: "pending",
    activeForm: text,
    ...(index === 0 ? extra : {})
  })))
  const config = { ...World.config, ...Object.fromEntries(Object.entries(extra).filter(([key]) => key !== "provider")) }
  yield* session.configure(config)
  const state = yield* session.state
  assert.strictEqual(JSON.stringify(state.session.metadata), JSON.stringify(record))
  assert.strictEqual(JSON.stringify(state.promptHistory), JSON.stringify(texts))
  assert.strictEqual(JSON.stringify(state.session.config), JSON.stringify(config))
  yield* Sessions.close(session.id)
  return { id: session.id, told: JSON.stringify(state), messages: state.conversation.map(({ content }) => content) }
})

/** Five times resumed and closed it is what it was. */
const survivesCycles = Effect.fnUntraced(function*(id: SessionId.SessionId, told: string) {
  for (let cycle = 0; cycle < 5; cycle++) {
    const resumed = yield* Sessions.resume(id)
    assert.strictEqual(JSON.stringify(yield* resumed.state), told)
    yield* Sessions.close(id)
    assert.strictEqual(JSON.stringify((yield* Sessions.load(id)).state), told)
  }
})

describe("Any text", () => {
  it.live(
    "survives five cycles of close and resume in every field that takes text",
    () =>
      withStore((project) =>
        Effect.gen(function*() {
          const texts = Array.dedupe(strings)
          assert.isAbove(texts.length, 180)
          const { id, messages, told } = yield* sayEverywhere(project, texts)
          assert.deepStrictEqual(messages.slice(0, -1), texts)
          yield* survivesCycles(id, told)
        })
      ),
    60_000
  )

  it.live(
    "that is a name names the session in load and list, whatever stands in it",
    () =>
      withStore((project) =>
        Effect.gen(function*() {
          const names = strings.filter(isName)
          assert.isAbove(names.length, 100)
          const { id } = yield* Sessions.create({ project, name: "first", config: World.config })
          yield* Sessions.close(id)
          for (const name of names.filter((_, index) => index % 5 === 0)) {
            yield* Sessions.rename(id, name)
            const found = yield* Sessions.find({ name })
            assert.strictEqual(found.id, id)
            assert.strictEqual((yield* Sessions.load(id)).state.session.name, name)
          }
        })
      ),
    60_000
  )

  it.effect.prop(
    "that can be generated survives five cycles of close and resume in every field that takes text",
    [Schema.Array(Schema.String)],
    ([generated]) =>
      withStore((project) =>
        Effect.gen(function*() {
          const texts = Array.dedupe(generated.slice(0, 8).map((text) => text.toWellFormed()))
          const { id, told } = yield* sayEverywhere(project, texts)
          yield* survivesCycles(id, told)
        })
      ),
    { arbitrary: { runs: 10, seed: 6 }, timeout: 60_000 }
  )
})
