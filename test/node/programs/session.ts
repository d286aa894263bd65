/**
 * A process with a session: `session.ts <how> <directory> <project>` creates
 * it, says its id, and then appends for as long as it is told to.
 *
 * *endless*: appends and never stops. *asked*: appends one message for each
 * line of standard input. *saved*: appends three and waits to be told to end.
 * *open*: the same with no mask, so that modes are seen as they were asked for.
 * *stubborn*: the same as *saved* with an agent that takes a minute to stop.
 * *once*: creates a session, appends one message, closes it, for each of the
 * eight layers that are built at once when standard input says so.
 */
import { Effect, Layer, Logger, Stream } from "effect"
import { mkdirSync, writeSync } from "node:fs"
import { Agent, Sessions } from "../../../src/index.ts"
import { NodeLiveness, NodeMain, NodeSessions } from "../../../src/node/index.ts"
import { Liveness } from "../../../src/services/Liveness.ts"

const [how = "", directory = "", project = ""] = process.argv.slice(2)

/** At once, so that nothing that was said is lost with the process. */
const say = (line: string) => Effect.sync(() => void writeSync(1, `${line}\n`))

const asked = Stream.fromAsyncIterable(process.stdin.setEncoding("utf8"), (cause) => cause).pipe(
  Stream.map((chunk: unknown) => String(chunk)),
  Stream.splitLines
)

const config = { provider: "test", model: "model", temperature: 0.5, maxTokens: 1000 }

const create = (project: string) => Sessions.create({ project, name: how, config })

const endless = Effect.gen(function*() {
  const session = yield* create(project)
  yield* say(session.id)
  let number = 0
  return yield* Effect.forever(
    Effect.flatMap(
      Effect.suspend(() => session.append({ role: "user", content: `message ${number++}` })),
      ({ id }) => say(id)
    )
  )
})

const onRequest = Effect.gen(function*() {
  const session = yield* create(project)
  yield* say(session.id)
  yield* Stream.runForEach(asked, (content) =>
    session.append({ role: "user", content }).pipe(
      Effect.matchEffect({
        onFailure: (error) => say(JSON.stringify(error)),
        onSuccess: ({ id }) => say(id)
      })
    ))
})

const untilTold = Effect.gen(function*() {
  const session = yield* create(project)
  yield* say(session.id)
  for (let number = 0; number < 3; number++) {
    const { id } = yield* session.append({ role: "user", content: `message ${number}` })
    yield* say(id)
  }
  yield* say("ready")
  return yield* Effect.never
})

/** A first run: a layer of its own, and a session in a project of its own. */
const firstRun = (number: number) =>
  Effect.gen(function*() {
    const own = `${project}/${process.pid}-${number}`
    mkdirSync(own)
    const session = yield* create(own)
    yield* session.append({ role: "user", content: own })
    yield* Sessions.close(session.id)
    yield* say(session.id)
  }).pipe(Effect.provide(NodeSessions.layer({ directory }), { local: true }))

const firstRuns = Effect.gen(function*() {
  yield* say("ready")
  yield* Stream.runDrain(Stream.take(asked, 1))
  yield* Effect.forEach(Array.from({ length: 8 }, (_, number) => number), firstRun, { concurrency: "unbounded" })
})

const identity = Effect.gen(function*() {
  const { self } = yield* Liveness
  yield* say(JSON.stringify(self))
  return yield* Effect.never
}).pipe(Effect.provide(NodeLiveness.layer))

if (how === "open") process.umask(0)

const withSessions = Effect.provide(NodeSessions.layer({ directory }))

/** Says when it was asked to stop, and does not. */
const stubborn = Agent.layer(() =>
  Effect.onInterrupt(Effect.never, () => Effect.andThen(say("stopping"), Effect.sleep("1 minute")))
)

const programs: Record<string, Effect.Effect<void, unknown>> = {
  endless: withSessions(endless),
  asked: withSessions(onRequest),
  saved: withSessions(untilTold),
  open: withSessions(untilTold),
  stubborn: Effect.provide(untilTold, Layer.provide(NodeSessions.layer({ directory }), stubborn)),
  once: firstRuns,
  identity
}

NodeMain.runMain(
  (programs[how] ?? Effect.die(new Error(`no such program: ${how}`))).pipe(Effect.provide(Logger.layer([])))
)
