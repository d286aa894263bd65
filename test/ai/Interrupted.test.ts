import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, type Layer, Stream } from "effect"
import { type RunningSession, type Session, Sessions } from "effect-reprise"
import { Note, SessionChat } from "effect-reprise/ai"
import { TestSessions } from "effect-reprise/testing"
import type { Prompt } from "effect/ai"
import { config } from "../suites/rig.ts"
import * as Model from "./model.ts"
import * as Prompts from "./prompts.ts"
import * as Rules from "./rules.ts"
import * as Tools from "./tools.ts"

const create = Sessions.create({ project: "/project", config })

const test = <A, E>(
  name: string,
  body: () => Effect.Effect<A, E, Layer.Success<typeof TestSessions.layerMemory>>
) => it.effect(name, () => Effect.provide(body(), TestSessions.layerMemory, { local: true }))

const { call, finish, text } = Model

/** Handlers, and what they were called for. */
const tools = Effect.gen(function*() {
  const runs: Array<string> = []
  const toolkit = yield* Effect.provide(Tools.toolkit, Tools.layer((began) => Effect.sync(() => void runs.push(began))))
  return { runs, toolkit }
})

const say = (session: RunningSession, ...messages: ReadonlyArray<Session.MessageInput>) =>
  Effect.forEach(messages, session.append, { discard: true })

const user = (content: string): Session.MessageInput => ({ role: "user", content })

const calls = (...ids: ReadonlyArray<readonly [id: string, name: string, params?: { readonly path: string }]>) =>
  ({
    role: "assistant",
    content: ids.map(([id, name, params = {}]) => ({ type: "tool-call" as const, id, name, params }))
  }) satisfies Session.MessageInput

const result = (id: string, name: string): Session.MessageInput => ({
  role: "tool",
  content: [{ type: "tool-result", id, name, isFailure: false, result: "ok" }]
})

const resultsOf = ({ content }: Prompt.Prompt) =>
  content.flatMap((message) =>
    message.role === "tool"
      ? message.content.flatMap((part) => part.type === "tool-result" ? [part] : [])
      : []
  )

const repairsOf = (session: RunningSession) =>
  Effect.map(session.state, ({ conversation }) =>
    conversation.flatMap((message) => {
      const { repair } = Note.of(message)
      return repair === undefined ? [] : [repair]
    }))

const lines = ({ content }: Prompt.Prompt) =>
  content.map(({ content, role }) =>
    `${role}: ${
      typeof content === "string"
        ? content
        : content.map((part) => "text" in part ? part.text : "id" in part ? part.id : part.type).join(" ")
    }`
  )

const response = (approvalId: string, approved: boolean, reason?: string): Prompt.MessageEncoded => ({
  role: "tool",
  content: [{ type: "tool-approval-response", approvalId, approved, reason }]
})

describe("A chat on a session that was interrupted", () => {
  test("answers calls without a result once, says that their outcome is unknown, and tells", () =>
    Effect.gen(function*() {
      const session = yield* create
      yield* say(session, user("go"), calls(["1", "add"], ["2", "read"], ["3", "log"]), result("2", "read"))
      const { repaired, ...chat } = yield* SessionChat.make(session)
      assert.deepStrictEqual(repaired, [
        { id: "1", name: "add", how: "interrupted" },
        { id: "3", name: "log", how: "interrupted" }
      ])
      const history = yield* chat.history
      assert.deepStrictEqual(Rules.mistakes(history), [])
      assert.deepStrictEqual(resultsOf(history).map(({ id, isFailure }) => [id, isFailure]), [
        ["2", false],
        ["1", true],
        ["3", true]
      ])
      assert.include(JSON.stringify(resultsOf(history)[1]?.result), "outcome is unknown")
      assert.deepStrictEqual(yield* repairsOf(session), ["interrupted"])
      assert.deepStrictEqual((yield* SessionChat.make(session)).repaired, [])
      assert.deepStrictEqual(plainOf(yield* chat.history), plainOf(history))
    }))

  test("runs those again that the application declares idempotent, and no others", () =>
    Effect.gen(function*() {
      const { runs, toolkit } = yield* tools
      const session = yield* create
      yield* say(session, user("go"), calls(["1", "add"], ["2", "read", { path: "a" }], ["3", "gone"]))
      const { history, repaired } = yield* SessionChat.make(session, { toolkit })
      assert.deepStrictEqual(repaired.map(({ how, id }) => [id, how]), [
        ["1", "interrupted"],
        ["2", "ranAgain"],
        ["3", "interrupted"]
      ])
      assert.deepStrictEqual(runs, ["read a"])
      assert.deepStrictEqual(Rules.mistakes(yield* history), [])
      assert.deepStrictEqual(resultsOf(yield* history).find(({ id }) => id === "2")?.result, "content of a")
      assert.deepStrictEqual(yield* repairsOf(session), ["interrupted", "ranAgain"])
    }))

  test("answers with what went wrong where a tool that is run again fails", () =>
    Effect.gen(function*() {
      const { toolkit } = yield* tools
      const session = yield* create
      yield* say(session, user("go"), calls(["1", "read"]))
      const { history } = yield* SessionChat.make(session, { toolkit })
      assert.deepStrictEqual(resultsOf(yield* history).map(({ isFailure }) => isFailure), [true])
      assert.deepStrictEqual(Rules.mistakes(yield* history), [])
    }))

  test("leaves calls to an application that runs its tools itself, until a turn comes without their results", () =>
    Effect.gen(function*() {
      const { toolkit } = yield* tools
      const session = yield* create
      yield* say(session, user("go"), calls(["1", "add"], ["2", "log"]))
      const chat = yield* SessionChat.make(session, { unanswered: "keep" })
      assert.deepStrictEqual(chat.repaired, [])
      const prompt: ReadonlyArray<Prompt.MessageEncoded> = [{
        role: "tool",
        content: [{ type: "tool-result", id: "2", name: "log", isFailure: false, result: "own" }]
      }]
      yield* Effect.provide(
        chat.generateText({ prompt, toolkit, disableToolCallResolution: true }),
        Model.layer(Model.inTurn([text("done"), finish()]))
      )
      assert.deepStrictEqual(resultsOf(yield* chat.history).map(({ id, isFailure }) => [id, isFailure]), [
        ["1", true],
        ["2", false]
      ])
      assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [])
    }))

  test("keeps approvals that are pending, and takes no turn before they are answered", () =>
    Effect.gen(function*() {
      const { runs, toolkit } = yield* tools
      const session = yield* create
      const script = Model.inTurn(
        [call("1", "delete", { path: "/etc" }), call("2", "delete", { path: "/tmp" }), finish("tool-calls")],
        [text("done"), finish()]
      )
      const model = Model.layer(script)
      const first = yield* SessionChat.make(session)
      yield* Effect.gen(function*() {
        const { content } = yield* first.generateText({ prompt: "clean up", toolkit })
        assert.deepStrictEqual(content.flatMap(({ type }) => type === "tool-approval-request" ? [type] : []).length, 1)
        assert.deepStrictEqual(runs, ["delete /tmp"])
        const chat = yield* SessionChat.make(session, { toolkit })
        assert.deepStrictEqual(chat.repaired, [])
        const [pending, ...others] = yield* chat.pendingApprovals
        assert.deepStrictEqual(others, [])
        assert.deepStrictEqual([pending?.id, pending?.name, pending?.params], ["1", "delete", { path: "/etc" }])
        assert.deepStrictEqual(Rules.mistakes(yield* chat.history, { pending: true }), [])

        const before = yield* session.state
        const refused = yield* Effect.flip(chat.generateText({ prompt: "and now?", toolkit }))
        assert.strictEqual(refused._tag === "AiError" ? refused.reason._tag : refused._tag, "InvalidUserInputError")
        assert.strictEqual(yield* session.state, before)

        const prompt = [response(pending?.approvalId ?? "", true)]
        const { text } = yield* chat.generateText({ prompt, toolkit })
        assert.strictEqual(text, "done")
        assert.deepStrictEqual(runs, ["delete /tmp", "delete /etc"])
        assert.deepStrictEqual(yield* chat.pendingApprovals, [])
        assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [])
      }).pipe(Effect.provide(model))
    }))

  test("tells the model what was denied, whether the turn with the answer was cut off or not", () =>
    Effect.forEach([true, false], (isCutOff) =>
      Effect.gen(function*() {
        const { runs, toolkit } = yield* tools
        const session = yield* create
        const script = Model.inTurn(
          [call("1", "delete", { path: "/etc" }), finish("tool-calls")],
          [text("done"), finish()]
        )
        const first = yield* SessionChat.make(session)
        yield* Effect.gen(function*() {
          yield* first.generateText({ prompt: "clean up", toolkit })
          const [pending] = yield* first.pendingApprovals
          const answer = [response(pending?.approvalId ?? "", false, "too risky")]
          if (isCutOff) {
            yield* say(session, {
              role: "tool",
              content: [{
                type: "tool-approval-response",
                approvalId: pending?.approvalId ?? "",
                approved: false,
                reason: "too risky"
              }]
            })
          }
          const chat = yield* SessionChat.make(session)
          assert.deepStrictEqual(chat.repaired.map(({ how }) => how), isCutOff ? ["denied"] : [])
          yield* chat.generateText({ prompt: answer, toolkit })
          assert.deepStrictEqual(runs, [])
          const history = yield* chat.history
          assert.deepStrictEqual(Rules.mistakes(history), [])
          assert.deepStrictEqual(resultsOf(history).map(({ result }) => result), [
            { type: "execution-denied", reason: "too risky" }
          ])
          assert.lengthOf(JSON.stringify(history).match(/tool-approval-response/g) ?? [], 1)
        }).pipe(Effect.provide(Model.layer(script)))
        yield* Sessions.close(session.id)
      }), { discard: true }))

  test("does not run a second time what was approved and then cut off", () =>
    Effect.gen(function*() {
      const { runs, toolkit } = yield* tools
      const session = yield* create
      yield* say(session, user("go"), {
        role: "assistant",
        content: [
          { type: "tool-call", id: "1", name: "delete", params: { path: "/etc" } },
          { type: "tool-approval-request", approvalId: "a", toolCallId: "1" }
        ]
      }, { role: "tool", content: [{ type: "tool-approval-response", approvalId: "a", approved: true }] })
      const chat = yield* SessionChat.make(session, { toolkit })
      assert.deepStrictEqual(chat.repaired.map(({ how }) => how), ["interrupted"])
      yield* Effect.provide(
        chat.generateText({ prompt: [response("a", true)], toolkit }),
        Model.layer(Model.inTurn([text("done")]))
      )
      assert.deepStrictEqual(runs, [])
      assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [])
    }))
})

describe("A turn that is cut off", () => {
  test("stores nothing of a half-streamed answer, and the same prompt takes it again without saying it twice", () =>
    Effect.gen(function*() {
      const session = yield* create
      const chat = yield* SessionChat.make(session)
      const ask = chat.streamText({ prompt: "Tell me." })
      const model = Model.layer(() => Effect.succeed([text("a story of many words"), finish()]))
      yield* Effect.provide(Stream.runDrain(Stream.take(ask, 4)), model)
      assert.deepStrictEqual(lines(yield* chat.history), ["user: Tell me."])
      yield* Effect.provide(Stream.runDrain(ask), model)
      assert.deepStrictEqual(lines(yield* chat.history), ["user: Tell me.", "assistant: a story of many words"])
    }))

  test("lets go of the chat wherever it is interrupted", () =>
    Effect.gen(function*() {
      const { toolkit } = yield* tools
      const session = yield* create
      const chat = yield* SessionChat.make(session)
      const isAsked = yield* Deferred.make<void>()
      const never = Model.layer(() => Effect.andThen(Deferred.succeed(isAsked, undefined), Effect.never))
      const fiber = yield* Effect.forkChild(
        Effect.provide(Stream.runDrain(chat.streamText({ prompt: "a", toolkit })), never)
      )
      yield* Deferred.await(isAsked)
      const waiting = yield* Effect.forkChild(
        Effect.provide(Stream.runDrain(chat.streamText({ prompt: "b" })), never)
      )
      yield* Effect.yieldNow
      yield* Fiber.interrupt(waiting)
      yield* Fiber.interrupt(fiber)
      yield* Effect.provide(chat.generateText({ prompt: "a" }), Model.layer(Model.inTurn([text("b")])))
      assert.deepStrictEqual(lines(yield* chat.history), ["user: a", "assistant: b"])
    }))

  test("answers what its tools left open at the next turn, and keeps the results that were there", () =>
    Effect.gen(function*() {
      const isAdding = yield* Deferred.make<void>()
      const toolkit = yield* Effect.provide(
        Tools.toolkit,
        Tools.layer((began) =>
          began.startsWith("add") ? Effect.andThen(Deferred.succeed(isAdding, undefined), Effect.never) : Effect.void
        )
      )
      const session = yield* create
      const chat = yield* SessionChat.make(session)
      const model = Model.layer(Model.working)
      const fiber = yield* Effect.forkChild(
        Effect.provide(chat.generateText({ prompt: "Work.", toolkit }), model)
      )
      yield* Deferred.await(isAdding)
      yield* session.changes.pipe(
        Stream.takeUntil(({ conversation }) => conversation.filter(({ role }) => role === "tool").length === 2),
        Stream.runDrain
      )
      yield* Fiber.interrupt(fiber)
      const { text } = yield* Effect.provide(chat.generateText({ prompt: [], toolkit }), model)
      assert.strictEqual(text, "Answer 1.")
      const history = yield* chat.history
      assert.deepStrictEqual(Rules.mistakes(history), [])
      assert.deepStrictEqual(resultsOf(history).map(({ id, isFailure }) => [id, isFailure]), [
        ["log-0", false],
        ["read-0", false],
        ["add-0", true]
      ])
    }))

  test("stores nothing of a response that failed on its way", () =>
    Effect.gen(function*() {
      const { toolkit } = yield* tools
      const chat = yield* SessionChat.make(yield* create)
      const unknown = Model.layer(Model.inTurn([text("a"), call("1", "nothing", {}), finish("tool-calls")]))
      const twice = Model.layer(Model.inTurn([call("1", "read", {}), call("1", "read", {}), finish("tool-calls")]))
      for (const model of [unknown, twice]) {
        const error = yield* Effect.flip(Effect.provide(chat.generateText({ prompt: "go", toolkit }), model))
        assert.strictEqual(error._tag, "AiError")
        assert.deepStrictEqual(lines(yield* chat.history), ["user: go"])
      }
    }))

  test("runs no tool of a response that was cut off, and answers its calls", () =>
    Effect.forEach(["generateText", "streamText"] as const, (method) =>
      Effect.gen(function*() {
        const { runs, toolkit } = yield* tools
        const session = yield* create
        const chat = yield* SessionChat.make(session)
        const options = { prompt: "go", toolkit }
        yield* Effect.provide(
          method === "generateText" ? chat.generateText(options) : Stream.runDrain(chat.streamText(options)),
          Model.layer(Model.inTurn([call("1", "add", { a: "1", b: 1 }), finish("length")]))
        )
        assert.deepStrictEqual(runs, [])
        assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [])
        assert.include(JSON.stringify(yield* chat.history), "finished with reason \\\"length\\\"")
        yield* Sessions.close(session.id)
      }), { discard: true }))

  test("leaves the words of a tool that failed, and fails with them", () =>
    Effect.gen(function*() {
      const { toolkit } = yield* tools
      const chat = yield* SessionChat.make(yield* create)
      const script = Model.inTurn([call("1", "break", {}), finish("tool-calls")], [text("oh"), finish()])
      yield* Effect.gen(function*() {
        const error = yield* Effect.flip(chat.generateText({ prompt: "go", toolkit }))
        assert.isTrue(error instanceof Tools.Broken)
        yield* chat.generateText({ prompt: [], toolkit })
        assert.deepStrictEqual(resultsOf(yield* chat.history).map(({ isFailure, result }) => [isFailure, result]), [
          [true, { _tag: "Broken", why: "it is old" }]
        ])
        assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [])
      }).pipe(Effect.provide(Model.layer(script)))
    }))
})

describe("A turn that is interrupted at any of its events", () => {
  /** Tells each event; at one of them it waits for ever, and that is told. */
  const halting = (at: number) => {
    const events: Array<string> = []
    const halted = Deferred.makeUnsafe<void>()
    const tell = (event: string) =>
      Effect.suspend(() =>
        events.push(event) === at ? Effect.andThen(Deferred.succeed(halted, undefined), Effect.never) : Effect.void
      )
    return { events, halted: Deferred.await(halted), tell }
  }

  const methods = ["generateText", "streamText"] as const

  for (const method of methods) {
    for (const concurrency of [1, "unbounded"] as const) {
      test(`goes on with nothing lost, said or done twice (${method}, concurrency ${concurrency})`, () =>
        Effect.gen(function*() {
          const runs: Array<string> = []
          const work = Effect.fnUntraced(
            function*(session: RunningSession, tell: (event: string) => Effect.Effect<void>) {
              const toolkit = yield* Effect.provide(
                Tools.toolkit,
                Tools.layer((began) => Effect.andThen(Effect.sync(() => void runs.push(began)), tell(began)))
              )
              const chat = yield* SessionChat.make({
                ...session,
                append: (message) =>
                  tell("append").pipe(Effect.andThen(session.append(message)), Effect.tap(tell("appended")))
              })
              const model = Model.layer(
                (prompt) => Effect.andThen(tell("asked"), Model.working(prompt)),
                { onPiece: tell("piece") }
              )
              for (;;) {
                const last = (yield* chat.history).content.at(-1)?.role
                if (last === "assistant") return yield* chat.history
                const options = { prompt: last === "tool" ? [] : "Work.", toolkit, concurrency }
                yield* Effect.provide(
                  method === "generateText" ? chat.generateText(options) : Stream.runDrain(chat.streamText(options)),
                  model
                )
              }
            }
          )
          let isWhole = false
          for (let at = 1; !isWhole; at++) {
            runs.length = 0
            const session = yield* create
            const { events, halted, tell } = halting(at)
            const fiber = yield* Effect.forkChild(work(session, tell))
            isWhole = yield* Effect.raceFirst(Effect.as(halted, false), Effect.as(Fiber.await(fiber), true))
            yield* Fiber.interrupt(fiber)
            const history = yield* work(session, () => Effect.void)
            assert.deepStrictEqual(Rules.mistakes(history), [], events.join(", "))
            assert.deepStrictEqual(lines(history).filter((line) => !line.startsWith("tool")), [
              "user: Work.",
              "assistant: Step 0. add-0 log-0 read-0",
              "assistant: Answer 1."
            ])
            assert.isAtMost(runs.filter((run) => run === "add 1 0").length, 1)
            assert.isAtMost(runs.filter((run) => run === "log 0").length, 1)
            yield* Sessions.close(session.id)
            if (isWhole) assert.isAbove(events.length, 10)
          }
        }))
    }
  }
})

describe("What others say while a turn is under way", () => {
  test("comes after the results of its tools", () =>
    Effect.gen(function*() {
      const session = yield* create
      const toolkit = yield* Effect.provide(
        Tools.toolkit,
        Tools.layer((began) => Effect.ignore(say(session, user(`while it would ${began.split(" ")[0]}`))))
      )
      const chat = yield* SessionChat.make(session)
      const model = Model.layer(Model.working)
      yield* Effect.provide(chat.generateText({ prompt: "Work.", toolkit, concurrency: 1 }), model)
      assert.deepStrictEqual(lines(yield* chat.history), [
        "user: Work.",
        "assistant: Step 0. add-0 log-0 read-0",
        "tool: add-0 log-0 read-0",
        "user: while it would add while it would log while it would read"
      ])
      yield* Effect.provide(chat.generateText({ prompt: [], toolkit, concurrency: 1 }), model)
      assert.deepStrictEqual(Rules.mistakes(yield* chat.history), [])
    }))

  test("is not taken for answered", () =>
    Effect.gen(function*() {
      const session = yield* create
      const { toolkit } = yield* tools
      const chat = yield* SessionChat.make(session)
      let isFirst = true
      const script: Model.Script = (prompt) =>
        Effect.gen(function*() {
          if (isFirst) yield* Effect.ignore(say(session, user("And then?")))
          isFirst = false
          return yield* Model.working(prompt)
        })
      const model = Model.layer(script)
      yield* Effect.provide(chat.generateText({ prompt: "Work.", toolkit }), model)
      assert.deepStrictEqual((yield* session.state).conversation.map(({ role }) => role).slice(0, 3), [
        "user",
        "user",
        "assistant"
      ])
      assert.deepStrictEqual(lines(yield* chat.history), [
        "user: Work.",
        "assistant: Step 0. add-0 log-0 read-0",
        "tool: add-0 log-0 read-0",
        "user: And then?"
      ])
      yield* Effect.provide(chat.generateText({ prompt: [] }), Model.layer(Model.inTurn([text("That."), finish()])))
      assert.deepStrictEqual(lines(yield* chat.history).slice(3), ["user: And then?", "assistant: That."])
    }))
})

const plainOf = (prompt: Prompt.Prompt) => Prompts.plain(prompt.content)
