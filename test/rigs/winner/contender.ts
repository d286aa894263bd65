/**
 * A process that does to one session what the lines on its standard input say,
 * and says what came of it. A line `trap <number|link>
 * <before|after|around> <stop|kill>` makes it stop, or kill, itself at that file-system call of the
 * next operation.
 *
 * `node contender.ts <root> [disk]`, or `[mutant]` where the root is a database
 *
 * It imports one module at a time, since many of it are started.
 */
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { writeSync } from "node:fs"
import { flushCompileCache } from "node:module"
import {
  Agent,
  RestoreStep,
  ResumeLimit,
  type RunningSession,
  SessionId,
  Sessions,
  Supervisor
} from "../../../src/index.ts"
import { NodeSessions } from "../../../src/node/index.ts"
import * as FileSystemHooks from "../../../src/testing/FileSystemHooks.ts"
import * as Disks from "../mutants/disks.ts"
import * as Places from "../places.ts"
import * as Database from "../sql/database.ts"
import type { Said } from "./said.ts"

const [root = "", disk = "real"] = process.argv.slice(2)
const places = Places.below(root)

const say = (said: Said) => Effect.sync(() => writeSync(1, `${JSON.stringify(said)}\n`))

/** Monotonic, and the same for all processes of the machine. */
const clock = () => Number(process.hrtime.bigint() / 1000n) / 1000

interface Trap {
  readonly at: string
  readonly moment: string
  readonly deed: string
}

/** The operation that is under way. */
interface Run {
  trap: Trap | undefined
  isArmed: boolean
  calls: number
  began: number
  linked: number | undefined
}

const run: Run = { trap: undefined, isArmed: false, calls: 0, began: 0, linked: undefined }

const stop = Effect.andThen(
  say({ _tag: "Asleep" }),
  Effect.sync(() => {
    process.kill(process.pid, "SIGSTOP")
    run.began = clock()
  })
)
const kill = Effect.andThen(Effect.sync(() => process.kill(process.pid, "SIGKILL")), Effect.never)

const isLeaseLink = ({ method, to }: FileSystemHooks.Call) => method === "link" && to?.includes("/lease.") === true

const isLeaseUpdate = (sql: string) => sql.includes("UPDATE reprise_sessions SET epoch = CASE")

/** One call: of the file system, or of the database. */
const step = <A, E, R>(isLease: boolean, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    if (!run.isArmed) return effect
    const number = run.calls++
    const isTrapped = run.trap?.at === "link" ? isLease : run.trap?.at === String(number)
    const timed = isLease && run.linked === undefined
      ? Effect.andThen(Effect.sync(() => void (run.linked = clock())), effect)
      : effect
    if (!isTrapped || run.trap === undefined) return timed
    const { deed, moment } = run.trap
    run.trap = undefined
    const act = deed === "kill" ? kill : stop
    const begun = moment === "after" ? timed : Effect.andThen(act, timed)
    return moment === "before" ? begun : Effect.ensuring(begun, act)
  })

const session: { id: SessionId.SessionId; handle: RunningSession | undefined; agents: number; said: number } = {
  id: SessionId.make("00000000-0000-4000-8000-000000000000"),
  handle: undefined,
  agents: 0,
  said: 0
}

/** Runs until it is stopped. */
const agent = Agent.layer(() =>
  Effect.acquireUseRelease(
    Effect.sync(() => void session.agents++),
    () => Effect.never,
    () => Effect.sync(() => void session.agents--)
  )
)

const use = (handle: RunningSession) =>
  Effect.map(handle.state, (state) => {
    session.handle = handle
    session.id = handle.id
    return {
      id: handle.id,
      name: state.session.name,
      texts: state.conversation.map(({ content }) => typeof content === "string" ? content : "")
    }
  })

/** Through the handle, whether the session is over or not. */
const append = (content: string) =>
  session.handle === undefined
    ? Sessions.checkpoint(session.id)
    : Effect.asVoid(session.handle.append({ role: "user", content }))

const appendAloud = Effect.gen(function*() {
  const text = `${process.pid}:${session.said++}`
  yield* say({ _tag: "Submitted", text })
  yield* append(text)
  yield* say({ _tag: "Acknowledged", text })
})

/** Appends, checkpoints, closes and resumes until it is killed. */
const work = Effect.forever(Effect.gen(function*() {
  yield* appendAloud
  yield* appendAloud
  yield* Sessions.checkpoint(session.id)
  yield* appendAloud
  yield* Sessions.close(session.id)
  yield* Effect.flatMap(Sessions.resume(session.id), use)
}))

/** The first step of the restore fails; calls count from there. */
const refuse = Option.some(() =>
  Effect.suspend(() => {
    run.isArmed = true
    return Effect.fail("refused")
  })
)

/** Waits until the session's agent ended by itself and its place in this process is free. */
const ended = Effect.andThen(
  session.handle?.awaitExit ?? Effect.void,
  Effect.flatMap(Supervisor.Supervisor, ({ discard }) => discard(session.id))
)

const operations = {
  ready: () => Effect.sync(flushCompileCache),
  create: (name: string) =>
    Effect.flatMap(Sessions.create({ project: places.project, name, config: Places.config }), use),
  use: (id: string) =>
    Effect.sync(() => {
      session.id = SessionId.make(id)
      session.handle = undefined
    }),
  resume: () => Effect.flatMap(Sessions.resume(session.id), use),
  takeover: () => Effect.flatMap(Sessions.resume(session.id, { takeOver: true }), use),
  refused: () => Effect.provideService(Sessions.resume(session.id), RestoreStep.RestoreStep, refuse),
  append,
  checkpoint: () => Sessions.checkpoint(session.id),
  close: () => Sessions.close(session.id),
  discard: () => Effect.flatMap(Supervisor.Supervisor, ({ discard }) => discard(session.id)),
  remove: () => Sessions.remove(session.id),
  restore: () => Sessions.restore(session.id),
  rename: (name: string) => Sessions.rename(session.id, name),
  ended: () => Effect.suspend(() => ended),
  work: () => work
}

type Failure = Effect.Error<ReturnType<typeof operations[keyof typeof operations]>>

const isOperation = (name: string): name is keyof typeof operations => name in operations

const nameOf = (error: Failure) => ({
  came: "reason" in error ? `${error._tag}/${error.reason._tag}` : `${error._tag}: ${error.message}`,
  ...("reason" in error && "holder" in error.reason && error.reason.holder !== undefined
    ? { pid: error.reason.holder.pid }
    : {})
})

const defects = (cause: Cause.Cause<unknown>) => ({ came: `a defect: ${Cause.pretty(cause)}` })

const answer = Effect.fnUntraced(function*(name: string, argument: string) {
  if (!isOperation(name)) return yield* Effect.die(new Error(`there is no operation ${name}`))
  Object.assign(run, { isArmed: name !== "refused", calls: 0, linked: undefined, began: clock() })
  const exit = yield* Effect.exit<Partial<Facts> | void, Failure, Services>(operations[name](argument))
  run.isArmed = false
  run.trap = undefined
  yield* say({
    _tag: "Answer",
    calls: run.calls,
    began: run.began,
    ...(run.linked === undefined ? {} : { linked: run.linked }),
    ended: clock(),
    agents: session.agents,
    ...Exit.match(exit, {
      onFailure: (cause) =>
        Option.match(Cause.findErrorOption(cause), { onNone: () => defects(cause), onSome: nameOf }),
      onSuccess: (facts) => ({ came: "done", ...facts })
    })
  })
})

type Services = NodeSessions.Services
interface Facts {
  readonly id: string
  readonly name: string
  readonly texts: ReadonlyArray<string>
}

const obey = (line: string) => {
  const [name = "", ...words] = line.split(" ")
  if (name !== "trap") return answer(name, words.join(" "))
  const [at = "", moment = "", deed = ""] = words
  return Effect.sync(() => void (run.trap = { at, moment, deed }))
}

const asked = Stream.fromAsyncIterable(process.stdin.setEncoding("utf8"), (cause) => cause).pipe(
  Stream.map((chunk: unknown) => String(chunk)),
  Stream.splitLines
)

const hook: FileSystemHooks.Hook = (call) => (effect) => step(isLeaseLink(call), effect)

const layerDisk = Disks.layer(Disks.isDisk(disk) ? disk : "real").pipe(
  Layer.provide([NodeFileSystem.layer, NodePath.layer])
)

const layerFiles = Layer.merge(NodeSessions.layerServices({ directory: places.sessions }), ResumeLimit.layerOff).pipe(
  Layer.provide(agent),
  Layer.provideMerge(
    Layer.merge(NodeSessions.layerPlatform, Layer.provide(FileSystemHooks.layer(hook), layerDisk))
  )
)

/** Only what is needed is imported. */
const layerDatabase = Layer.unwrap(
  Effect.map(
    Effect.promise(() => import("../sql/process.ts")),
    (Process) => Process.layer(root, { mutant: disk, hook: (sql, run) => step(isLeaseUpdate(sql), run) })
  )
).pipe(Layer.provide(agent))

const layer: Layer.Layer<NodeSessions.Services, unknown> = Database.isRoot(root) ? layerDatabase : layerFiles

await Effect.runPromise(Effect.provide(Stream.runForEach(asked, obey), Layer.merge(layer, Logger.layer([]))))
