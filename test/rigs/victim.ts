/**
 * A process that does one thing to a store and kills itself, without a word of
 * warning, before or after the file-system call with a given number. What it
 * prints is acknowledged.
 *
 * `node victim.ts <operation> <root> <number> <before|after>`
 */
import { NodeFileSystem } from "@effect/platform-node"
import { Clock, Effect, Layer, Logger, Stream } from "effect"
import { writeSync } from "node:fs"
import { SessionId, Sessions } from "../../src/index.ts"
import { NodeSessions } from "../../src/node/index.ts"
import { FileSystemHooks } from "../../src/testing/index.ts"
import * as Places from "./places.ts"

const [operation = "", root = "", number = "-1", moment = "before"] = process.argv.slice(2)
const places = Places.below(root)

const say = (line: string) => Effect.sync(() => writeSync(1, `${line}\n`))

/** Counts calls while it is armed, and dies at one of them. */
const trap = { armed: operation === "key", seen: 0 }
const die = Effect.sync(() => process.kill(process.pid, "SIGKILL"))
const hook: FileSystemHooks.Hook = () => (run) =>
  Effect.suspend(() => {
    if (!trap.armed || trap.seen++ !== Number(number)) return run
    return moment === "before"
      ? Effect.andThen(die, Effect.never)
      : Effect.andThen(run, Effect.andThen(die, Effect.never))
  })

const arm = Effect.sync(() => {
  trap.armed = true
})

const create = Effect.tap(
  Sessions.create({ project: places.project, name: "victim", config: Places.config }),
  ({ id }) => say(`id ${id}`)
)

const say3 = Effect.fnUntraced(function*(session: Effect.Success<typeof create>) {
  for (const content of ["one", "two", "three"]) {
    yield* session.append({ role: "user", content })
    yield* say(`ack ${content}`)
  }
})

const running = Effect.tap(create, say3)

const closed = Effect.gen(function*() {
  const session = yield* running
  yield* Sessions.close(session.id)
  return session.id
})

/** The clock as it will be in 60 days. */
const inSixtyDays = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (clock) => {
    const later = 60 * 24 * 60 * 60 * 1000
    const shifted: Clock.Clock = {
      sleep: (duration) => clock.sleep(duration),
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + later,
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (millis) => millis + later),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(later) * 1_000_000n,
      currentTimeNanos: Effect.map(clock.currentTimeNanos, (nanos) => nanos + BigInt(later) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos
    }
    return Effect.provideService(effect, Clock.Clock, shifted)
  })

/** The one session that is stored. */
const stored = Effect.flatMap(
  Sessions.find({ status: ["closed", "interrupted", "removed"] }),
  ({ id }) => Effect.as(say(`id ${id}`), SessionId.make(id))
)

const operations = {
  key: Effect.void,
  create: Effect.andThen(arm, create),
  append: Effect.flatMap(
    Effect.tap(running, arm),
    (session) => Effect.andThen(session.append({ role: "user", content: "four" }), say("ack four"))
  ),
  checkpoint: Effect.flatMap(Effect.tap(running, arm), (session) => session.checkpoint),
  close: Effect.flatMap(Effect.tap(running, arm), (session) => Sessions.close(session.id)),
  resume: Effect.flatMap(Effect.tap(closed, arm), (id) => Sessions.resume(id)),
  recover: Effect.flatMap(Effect.tap(stored, arm), (id) => Sessions.resume(id)),
  remove: Effect.flatMap(Effect.tap(closed, arm), (id) => Sessions.remove(id)),
  restore: Effect.gen(function*() {
    const id = yield* closed
    yield* Sessions.remove(id)
    yield* arm
    yield* Sessions.restore(id)
  }),
  cleanup: Effect.andThen(Effect.tap(closed, arm), inSixtyDays(Sessions.cleanup())),
  purge: Effect.gen(function*() {
    yield* Sessions.remove(yield* closed)
    yield* arm
    yield* inSixtyDays(Sessions.cleanup())
  }),
  list: Effect.andThen(arm, Stream.runDrain(Sessions.list()))
}

const isOperation = (name: string): name is keyof typeof operations => name in operations

const program: Effect.Effect<unknown, unknown, NodeSessions.Services> = isOperation(operation)
  ? operations[operation]
  : Effect.die(new Error(`there is no operation ${operation}`))

const layer = NodeSessions.layerServices({ directory: places.sessions }).pipe(
  Layer.provideMerge(
    Layer.merge(
      NodeSessions.layerPlatform,
      Layer.provide(FileSystemHooks.layer(hook), NodeFileSystem.layer)
    )
  ),
  Layer.provide(Logger.layer([]))
)

await Effect.runPromise(
  program.pipe(
    // Only the operation is the victim's: what the layer does when it is torn down is not counted.
    Effect.andThen(Effect.suspend(() => {
      trap.armed = false
      return say(`calls ${trap.seen}`)
    })),
    Effect.andThen(die),
    Effect.provide(layer)
  )
)
