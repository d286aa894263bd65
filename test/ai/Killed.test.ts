/** A real agent, killed at every event of its turn, and again while it is resumed. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Logger, Stream } from "effect"
import { SessionId, Sessions } from "effect-reprise"
import { SessionChat } from "effect-reprise/ai"
import { NodeSessions } from "effect-reprise/node"
import type { Prompt } from "effect/ai"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as NodeFs from "node:fs"
import * as Programs from "../suites/programs.ts"
import * as Rig from "../suites/rig.ts"
import * as Work from "./programs/work.ts"
import * as Rules from "./rules.ts"

const agent = Programs.fileOf(new URL("programs/agent.ts", import.meta.url))

interface Place {
  readonly project: string
  readonly sessions: string
}

/** What a process said until it was killed at an event, or until it ended: the session, then each event. */
const run = Effect.fnUntraced(function*({ project, sessions }: Place, id: string, killAt: number) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const child = yield* spawner.spawn(
    ChildProcess.make(process.execPath, [yield* agent, sessions, project, id, String(killAt)], {
      env: yield* Programs.environment,
      extendEnv: true,
      stdin: "ignore",
      stderr: "inherit"
    })
  )
  const [session = "", ...events] = yield* child.stdout.pipe(Stream.decodeText(), Stream.splitLines, Stream.runCollect)
  yield* Effect.exit(child.exitCode)
  return { id: SessionId.make(session), events }
}, Effect.scoped)

const textsOf = ({ content }: Prompt.Prompt): ReadonlyArray<string> =>
  content.flatMap(({ content }) =>
    typeof content === "string" ? [content] : content.flatMap((part) => part.type === "text" ? [part.text] : [])
  )

const tracesOf = ({ project }: Place): ReadonlyArray<string> => {
  const file = Work.traces(project)
  return NodeFs.existsSync(file) ? NodeFs.readFileSync(file, "utf8").trim().split("\n") : []
}

const inSessions = ({ sessions }: Place) =>
  Effect.provide(Layer.merge(NodeSessions.layer({ directory: sessions }), Logger.layer([])), { local: true })

/** Resumes what a process left, does the rest of its work, and looks at all of it. */
const finish = Effect.fnUntraced(function*(place: Place, id: SessionId.SessionId, events: ReadonlyArray<string>) {
  const said = events.join(", ")
  const left = yield* inSessions(place)(Effect.gen(function*() {
    const session = yield* Sessions.resume(id)
    const chat = yield* Work.work(session, place.project, () => Effect.void)
    const history = yield* chat.history
    assert.deepStrictEqual(Rules.mistakes(history), [], said)
    assert.deepStrictEqual(textsOf(history), [Work.prompt, "Step 0.", "Answer 1."], said)
    assert.deepStrictEqual((yield* SessionChat.make(session)).repaired, [])
    yield* Sessions.close(id)
    return { history, repaired: chat.repaired }
  }))
  const { state } = yield* inSessions(place)(Sessions.load(id))
  const ids = state.conversation.map(({ id }) => id)
  assert.strictEqual(new Set(ids).size, ids.length)
  assert.deepStrictEqual(state.usage, { inputTokens: 20, outputTokens: 8, totalCost: 0 }, said)
  return left
})

const test = <A, E>(name: string, body: () => Effect.Effect<A, E, ChildProcessSpawner.ChildProcessSpawner>) =>
  it.effect(name, () => Effect.provide(body(), NodeServices.layer), 120_000)

const count = (all: ReadonlyArray<string>, one: string) => all.filter((other) => other === one).length

const numbers = (length: number) => Array.from({ length }, (_, index) => index + 1)

const eventsUpToWrite = [
  "append user",
  "appended user",
  "asked",
  ...Array.from({ length: 7 }, () => "piece"),
  "append assistant",
  "appended assistant",
  "write begins",
  "write is done"
]

describe("An agent that is killed", () => {
  test("at any event of a turn leaves what is resumed to a history that providers accept, with nothing said twice", () =>
    Effect.gen(function*() {
      const whole = yield* Effect.scoped(Effect.flatMap(Rig.workspace, (place) => run(place, "new", 0)))
      const events = whole.events.slice(0, -1)
      assert.strictEqual(whole.events.at(-1), "the end")
      assert.deepStrictEqual(events.slice(0, eventsUpToWrite.length), eventsUpToWrite)
      const repairs = yield* Effect.forEach(
        numbers(events.length),
        (killAt) =>
          Effect.scoped(Effect.gen(function*() {
            const place = yield* Rig.workspace
            const { events: before, id } = yield* run(place, "new", killAt)
            assert.deepStrictEqual(before, events.slice(0, killAt))
            const { repaired } = yield* finish(place, id, before)
            const traces = tracesOf(place)
            // What may have been done is not done again, unless the tool was declared to allow that.
            const isLeft = before.includes("appended assistant") && !before.includes("write is done")
            assert.strictEqual(count(traces, "write"), isLeft ? 0 : 1, before.join(", "))
            assert.isAtLeast(count(traces, "read"), 1)
            return repaired.map(({ how, name }) => `${name} ${how}`).join(", ")
          })),
        { concurrency: 2 }
      )
      assert.deepStrictEqual([...new Set(repairs)].sort(), [
        "",
        "read ranAgain",
        "write interrupted, read ranAgain"
      ])
    }))

  test("a second time, at any event of its repair, still answers each call once", () =>
    Effect.scoped(Effect.gen(function*() {
      const repair = ["append tool", "appended tool", "read begins", "read is done", "append tool", "appended tool"]
      const place = yield* Rig.workspace
      const { id } = yield* run(place, "new", eventsUpToWrite.length)
      const kept = `${place.sessions}.kept`
      NodeFs.cpSync(place.sessions, kept, { recursive: true })
      for (const killAt of numbers(repair.length + 1)) {
        NodeFs.rmSync(place.sessions, { recursive: true })
        NodeFs.cpSync(kept, place.sessions, { recursive: true })
        const { events } = yield* run(place, id, killAt)
        assert.deepStrictEqual(events, [...repair, "asked"].slice(0, killAt))
        yield* finish(place, id, events)
        assert.strictEqual(count(tracesOf(place), "write"), 1)
      }
    })))
})
