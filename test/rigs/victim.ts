/**
 * A process that does one thing to a store and kills itself, without a word of
 * warning, before or after the file-system call with a given number. What it
 * prints is acknowledged.
 *
 * `node victim.ts <operation> <root> <number> <before|after> [mutant]`
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { writeSync } from "node:fs"
import { flushCompileCache } from "node:module"
import { SessionId, Sessions } from "../../src/index.ts"
import type { NodeSessions } from "../../src/node/index.ts"
import type * as FileSystemHooks from "../../src/testing/FileSystemHooks.ts"
import * as Large from "./kills/large.ts"
import * as Later from "./kills/later.ts"
import * as Process from "./kills/process.ts"
import { isOperation, type Operation } from "./kills/situations.ts"
import * as Places from "./places.ts"

const [operation = "", root = "", number = "-1", moment = "before", mutant] = process.argv.slice(2)
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
  for (const content of ["one", "two"]) {
    yield* session.append({ role: "user", content })
    yield* say(`ack ${content}`)
  }
  yield* session.append(Large.message("three"))
  yield* say("ack three")
})

const say4 = (session: Effect.Success<typeof create>) =>
  Effect.andThen(session.append({ role: "user", content: "four" }), say("ack four"))

const running = Effect.tap(create, say3)

const closed = Effect.gen(function*() {
  const session = yield* running
  yield* Sessions.close(session.id)
  return session.id
})

/** The one session that is stored. */
const stored = Effect.flatMap(
  Sessions.find({ status: ["closed", "interrupted", "removed"] }),
  ({ id }) => Effect.as(say(`id ${id}`), SessionId.make(id))
)

const inSixtyDays = Later.inDays(60, Sessions.cleanup())

const operations: { readonly [Name in Operation]: Effect.Effect<unknown, unknown, NodeSessions.Services> } = {
  key: Effect.void,
  create: Effect.andThen(arm, create),
  append: Effect.flatMap(Effect.tap(running, arm), say4),
  large: Effect.flatMap(
    Effect.tap(running, arm),
    (session) => Effect.andThen(session.append(Large.message("four")), say("ack four"))
  ),
  checkpoint: Effect.flatMap(Effect.tap(running, arm), (session) => session.checkpoint),
  close: Effect.flatMap(Effect.tap(running, arm), (session) => Sessions.close(session.id)),
  resume: Effect.flatMap(Effect.tap(closed, arm), (id) => Sessions.resume(id)),
  revive: Effect.flatMap(Effect.tap(closed, arm), (id) => Effect.flatMap(Sessions.resume(id), say4)),
  recover: Effect.flatMap(Effect.tap(stored, arm), (id) => Sessions.resume(id)),
  remove: Effect.flatMap(Effect.tap(closed, arm), (id) => Sessions.remove(id)),
  restore: Effect.gen(function*() {
    const id = yield* closed
    yield* Sessions.remove(id)
    yield* arm
    yield* Sessions.restore(id)
  }),
  cleanup: Effect.andThen(Effect.tap(closed, arm), inSixtyDays),
  purge: Effect.gen(function*() {
    yield* Sessions.remove(yield* closed)
    yield* arm
    yield* inSixtyDays
  }),
  list: Effect.andThen(arm, Stream.runDrain(Sessions.list()))
}

const program: Effect.Effect<unknown, unknown, NodeSessions.Services> = isOperation(operation)
  ? operations[operation]
  : Effect.die(new Error(`there is no operation ${operation}`))

flushCompileCache()

await Effect.runPromise(
  program.pipe(
    // Only the operation is the victim's: what the layer does when it is torn down is not counted.
    Effect.andThen(Effect.suspend(() => {
      trap.armed = false
      return say(`calls ${trap.seen}`)
    })),
    Effect.andThen(die),
    Effect.provide(Process.layer(places, { mutant, hook }))
  )
)
