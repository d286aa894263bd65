/**
 * One operation that is disturbed, and everything that has to hold afterwards:
 * what is stored, what runs, what is open, and that it works once it is left in
 * peace.
 */
import { Cause, Effect, Exit, Fiber, Option } from "effect"
import { inspect } from "node:util"
import {
  type RunningSession,
  type Session,
  type SessionId,
  SessionList,
  Sessions,
  Supervisor
} from "../../../src/index.ts"
import { TestLiveness } from "../../../src/testing/index.ts"
import type * as Disk from "./disk.ts"
import * as Operations from "./operations.ts"
import * as World from "./world.ts"

/** How an operation ended. */
export type Ending =
  | { readonly _tag: "Done" }
  | { readonly _tag: "Failed"; readonly error: { readonly _tag: string; readonly message: string } }
  | { readonly _tag: "Interrupted" }
  | { readonly _tag: "Died"; readonly why: string }
  | { readonly _tag: "Broken"; readonly why: string }

const endingOf = (exit: Exit.Exit<unknown, { readonly _tag: string; readonly message: string }>): Ending => {
  if (Exit.isSuccess(exit)) return { _tag: "Done" }
  const error = Cause.findErrorOption(exit.cause)
  if (Cause.hasDies(exit.cause)) return { _tag: "Died", why: `a defect: ${Cause.pretty(exit.cause)}` }
  if (Option.isSome(error)) return { _tag: "Failed", error: error.value }
  return { _tag: "Interrupted" }
}

/** What is expected of a trial beside what always holds. */
export interface Terms {
  /** One call failed once: whatever failed has left the bytes alone. */
  readonly isStrict: boolean
  /** The disk said of a name that it is there, or that it is not: it is believed. */
  readonly isLiedTo: boolean
  /** The disk stayed bad: what was held could not be given back until the process has ended. */
  readonly isForGood?: boolean
  /** A call broke in a way that nobody foresaw, and so may the operation. */
  readonly mayDie?: boolean
  /** It was interrupted on the way from its last finalizer to its caller, where nothing can be undone any more. */
  readonly isAtEnd?: boolean
}

interface Before {
  readonly state: Session.SessionState | undefined
  readonly documents: ReturnType<typeof World.documentsOf>
  readonly status: SessionList.Status | "gone"
}

const runningIn = (process: World.Process) => process.run(Supervisor.Supervisor.use(({ running }) => running))

const isEqual = (self: unknown, that: unknown): boolean => JSON.stringify(self) === JSON.stringify(that)

/** Whether the snapshot was replaced by a complete one: that is no longer the bytes that were there, but as good. */
const isReplaced = ({ log }: Disk.Disk): boolean =>
  log.some(({ method, to }) => method === "rename" && to?.endsWith("/session.json") === true)

/** What another process finds in a copy; where the session is held here, the process that comes after a crash. */
const lookElsewhere = Effect.fnUntraced(function*(
  { world }: Operations.Here,
  { takesOver }: Operations.Operation,
  isHeldHere: boolean
) {
  const copy = yield* World.copyOf(world.sessions)
  const other = yield* World.boot(copy, isHeldHere ? TestLiveness.machine() : world.machine)
  const [entry, ...more] = yield* other.run(Operations.entries)
  if (entry === undefined) return { count: 0, status: "gone" as const, state: undefined }
  if (!SessionList.isStored(entry)) return yield* Effect.die(new Error(`it lists ${entry._tag}`))
  if (entry.status === "removed") yield* other.run(Sessions.restore(entry.id))
  const loaded = yield* other.run(Sessions.load(entry.id))
  yield* other.run(Sessions.verify(entry.id))
  const session = yield* other.run(Sessions.resume(entry.id, { takeOver: takesOver === true }))
  const resumed = yield* session.state
  if (!isEqual(resumed, loaded.state)) return yield* Effect.die(new Error("it resumed another state than it loaded"))
  return { count: 1 + more.length, status: entry.status, state: loaded.state }
}, Effect.scoped)

/** What is wrong with what is stored. */
const judgeStored = (
  operation: Operations.Operation,
  { isLiedTo, isStrict }: Terms,
  before: Before,
  ending: Ending,
  found: Effect.Success<ReturnType<typeof lookElsewhere>>,
  here: Operations.Here
): ReadonlyArray<string> => {
  const wrong: Array<string> = []
  const isDone = ending._tag === "Done"
  // Whoever looked came after a crash: a session in which nothing was said yet is as it was.
  const afterCrash = (status: string, isFresh = false) =>
    status === "running" ? isFresh ? "closed" : "interrupted" : status
  const was = afterCrash(before.status, operation.isFresh)
  const is = afterCrash(operation.status, operation.leavesFresh)
  const statuses: ReadonlyArray<string> = [
    ...(isDone || ending._tag === "Interrupted" ? [is] : []),
    ...(!isDone || isLiedTo ? [was] : []),
    ...(!isDone && (isLiedTo || !isStrict || operation.status === "closed") ? ["closed", "interrupted"] : []),
    ...(!isDone && (operation.takesOver === true || operation.isFresh === true) ? ["interrupted"] : []),
    // A complete snapshot that no journal names yet.
    ...(!isDone && isReplaced(here.process.disk) ? ["closed"] : []),
    ...(!isStrict ? [is, was] : [])
  ]
  if (!statuses.includes(found.status)) wrong.push(`it is ${found.status} and not ${statuses.join(" or ")}`)
  if (found.count > 1) wrong.push(`${found.count} sessions are stored`)
  if (before.state === undefined || found.state === undefined) return wrong

  const [held, holds] = [Operations.summaryOf(before.state), Operations.summaryOf(found.state)]
  const after = operation.after(held)
  const possible = isDone && !isLiedTo
    ? [after]
    : [held, after, ...(operation.between?.(held) ?? [])]
  if (!possible.some((one) => isEqual(one, holds))) {
    wrong.push(`what is stored is neither as it was nor as it would be: ${JSON.stringify(holds)}`)
  } else if (isEqual(holds, held) && isEqual(after, held) && !isEqual(found.state, before.state)) {
    wrong.push("what is stored differs from what was, in more than the operation changes")
  }
  const mayChange = operation.isRunning === true && operation.status === "running"
  if (!isDone && isStrict && !mayChange && !isReplaced(here.process.disk)) {
    const now = World.documentsOf(here.world)
    for (const name of new Set([...before.documents.keys(), ...now.keys()])) {
      const [old, present] = [before.documents.get(name), now.get(name)]
      if (old === undefined || present === undefined || !old.equals(present)) wrong.push(`${name} has changed`)
    }
  }
  return wrong
}

/** Does it again where nothing is in its way, then goes on and closes; says what is left of it all. */
const goOn = Effect.fnUntraced(function*(operation: Operations.Operation, here: Operations.Here, ending: Ending) {
  const { process, world } = here
  const wrong: Array<string> = []
  const hadIt = here.session === undefined ? undefined : yield* here.session.state
  const isRunning = (yield* runningIn(process)).length > 0
  if (ending._tag !== "Done") {
    const again = endingOf(yield* Effect.exit(process.run(operation.act(here))))
    // A cleanup does not come back to what it only just tried to delete.
    const isOver = again._tag === "Failed" && ["SessionEnded", "NotFound", "Skipped"].includes(again.error._tag)
    if (again._tag !== "Done" && !isOver) wrong.push(`done again it ended ${show(again)}`)
    if (hadIt !== undefined && again._tag === "Done" && here.session !== undefined && isRunning) {
      const expected = operation.after(Operations.summaryOf(hadIt))
      const is = Operations.summaryOf(yield* here.session.state)
      if (!isEqual(is, expected)) wrong.push(`done again it came to ${JSON.stringify(is)}`)
    }
  }
  const all = yield* process.run(Operations.entries)
  for (const { id } of all.filter(SessionList.isStored)) wrong.push(...yield* finish(operation, here, id))
  yield* process.run(Sessions.cleanup())
  const strays = World.straysBelow(world.sessions)
  if (strays.length > 0) wrong.push(`${strays.join()} survived`)
  return wrong
})

/** Whatever a session is doing, it can be brought to run, be said something to, and be closed. */
const finish = Effect.fnUntraced(function*(
  { takesOver }: Operations.Operation,
  { process }: Operations.Here,
  id: SessionId.SessionId
) {
  const present = yield* process.run(Supervisor.Supervisor.use(({ get }) => get(id)))
  yield* process.run(Sessions.restore(id))
  const session = Option.isSome(present)
    ? present.value
    : yield* process.run(Sessions.resume(id, { takeOver: takesOver === true }))
  const before = Operations.summaryOf(yield* session.state)
  yield* Operations.say(session, "last")
  yield* process.run(Sessions.close(id))
  yield* process.run(Sessions.verify(id))
  const { report, state } = yield* process.run(Sessions.load(id))
  const expected = { ...before, said: [...before.said, JSON.stringify("last")] }
  return [
    ...(isEqual(Operations.summaryOf(state), expected) ? [] : ["it lost something when it was closed"]),
    ...(report.status === "closed" ? [] : [`closed, it is ${report.status}`])
  ]
})

const show = (ending: Ending): string => {
  switch (ending._tag) {
    case "Failed":
      return `with ${ending.error._tag}: ${inspect(ending.error, { depth: 4 })}`
    case "Broken":
    case "Died":
      return `with ${ending.why}`
    default:
      return ending._tag
  }
}

/** Whether a text is anywhere in an error: its messages, its fields, its causes. */
const tells = (error: unknown, text: string): boolean => {
  if (typeof error === "string") return error.includes(text)
  if (typeof error !== "object" || error === null) return false
  return Object.getOwnPropertyNames(error).some((name) =>
    name !== "stack" && tells(Object.getOwnPropertyDescriptor(error, name)?.value, text)
  )
}

const judgeEnding = (
  { errors }: Operations.Operation,
  ending: Ending,
  { mayDie }: Terms
): ReadonlyArray<string> => {
  if (ending._tag === "Broken" || (ending._tag === "Died" && mayDie !== true)) return [`it ended ${show(ending)}`]
  if (ending._tag !== "Failed") return []
  const { error } = ending
  return [
    ...(errors.includes(error._tag) ? [] : [`it ended ${show(ending)}`]),
    ...(tells(error.message, World.secret) || tells(error, World.secret) ? ["its error tells what was said"] : [])
  ]
}

/** One process of a world whose session is where the operation finds it. */
export const enter = Effect.fnUntraced(function*(
  operation: Operations.Operation,
  makeWorld: World.MakeWorld,
  boot: World.BootOptions
) {
  const world = yield* makeWorld(operation.situation)
  const process = yield* World.boot(world.sessions, world.machine, boot)
  const { id } = world
  let session: RunningSession | undefined
  if (operation.isRunning === true && id !== undefined) {
    session = yield* process.run(Sessions.resume(id))
    if (operation.isFresh !== true) yield* Operations.say(session, "before")
  }
  const state = session !== undefined
    ? yield* session.state
    : id === undefined
    ? undefined
    : (yield* process.run(Sessions.load(id))).state
  const here: Operations.Here = { world, process, session }
  const status = session !== undefined
    ? "running" as const
    : operation.situation === "nothing"
    ? "gone" as const
    : operation.situation
  return { here, before: { state, documents: World.documentsOf(world), status } }
})

/** Everything that is wrong after an operation ended. */
const examine = Effect.fnUntraced(function*(
  operation: Operations.Operation,
  { before, here }: Effect.Success<ReturnType<typeof enter>>,
  ending: Ending,
  terms: Terms
) {
  const { process, world } = here
  const wrong: Array<string> = [...judgeEnding(operation, ending, terms)]
  // Who lost its session is told before that has been given back.
  if (ending._tag === "Failed" && ending.error._tag === "SessionEnded") {
    yield* Effect.repeat(Effect.andThen(Effect.yieldNow, runningIn(process)), {
      until: (running) => running.length === 0
    })
  }
  const running = yield* runningIn(process)
  const open = World.openBelow(world.root)
  const mayBeFresh = operation.isFresh === true || operation.leavesFresh === true
  if (open.length !== running.length && !(mayBeFresh && open.length === 0)) {
    wrong.push(`${running.length} sessions run and ${open.join() || "nothing"} is open`)
  }
  if (ending._tag !== "Done" && operation.isRunning !== true && running.length > 0) wrong.push("it runs all the same")
  if (ending._tag === "Done" && (operation.status === "running") !== (running.length === 1)) {
    wrong.push(`${running.length} sessions run`)
  }
  if (here.session !== undefined && before.state !== undefined && ending._tag === "Failed") {
    const state = yield* here.session.state
    if (!isEqual(state, before.state)) wrong.push("it shows a state that was not acknowledged")
  }
  const elsewhere = yield* Effect.exit(
    lookElsewhere(here, operation, running.length > 0 || terms.isForGood === true || terms.isLiedTo)
  )
  if (Exit.isSuccess(elsewhere)) wrong.push(...judgeStored(operation, terms, before, ending, elsewhere.value, here))
  else wrong.push(`for another process: ${Cause.pretty(elsewhere.cause)}`)

  const onward = yield* Effect.exit(goOn(operation, here, ending))
  if (Exit.isSuccess(onward)) wrong.push(...onward.value)
  else wrong.push(`afterwards: ${Cause.pretty(onward.cause)}`)
  yield* process.end
  const left = World.openBelow(world.root)
  if (left.length > 0) wrong.push(`${left.join()} is open at the end`)
  return wrong
})

/** Waits for what goes on when its caller no longer waits for it. */
const settle = Effect.fnUntraced(function*(operation: Operations.Operation, here: Operations.Here) {
  if (here.session === undefined) return
  yield* Effect.exit(operation.status === "closed" ? here.process.run(operation.act(here)) : here.session.checkpoint)
})

/** What takes longer than this hangs. */
const patience = "60 seconds"

interface Options {
  readonly operation: Operations.Operation
  readonly makeWorld: World.MakeWorld
  readonly boot: World.BootOptions
  readonly strikes: ReadonlyArray<Disk.Strike>
  readonly terms: Terms
  readonly disturb: <A, E>(act: Effect.Effect<A, E>, disk: Disk.Disk) => Effect.Effect<Exit.Exit<A, E>>
}

interface Report {
  readonly calls: ReadonlyArray<Disk.Call>
  readonly ending: Ending
  readonly findings: ReadonlyArray<string>
}

const attempt = Effect.fnUntraced(function*({ boot, disturb, makeWorld, operation, strikes, terms }: Options) {
  const scene = yield* enter(operation, makeWorld, boot)
  const { disk } = scene.here.process
  disk.arm(strikes)
  let hasResult = false
  // Not a step of its own: an interruption would come between.
  const act = Effect.map(operation.act(scene.here), () => {
    hasResult = true
  })
  const exit = yield* disturb(scene.here.process.run(act), disk)
  // Whoever has the result was not kept from it by what came after.
  const isStarted = terms.isAtEnd === true && operation.status === "running" &&
    (yield* runningIn(scene.here.process)).length === 1
  const ending: Ending = hasResult || isStarted ? { _tag: "Done" } : endingOf(exit)
  if (ending._tag === "Interrupted") yield* settle(operation, scene.here)
  disk.disarm()
  const calls = [...disk.log]
  const report: Report = { calls, ending, findings: yield* examine(operation, scene, ending, terms) }
  return report
}, Effect.scoped)

const broken = (why: string): Report => ({ calls: [], ending: { _tag: "Broken", why }, findings: [why] })

/**
 * Tries an operation in a world of its own. `disturb` runs it, with the disk
 * armed, in whatever way it is to be disturbed.
 */
export const run = Effect.fnUntraced(function*(options: Options) {
  // In a fiber of its own: what hangs can't always be interrupted.
  const fiber = yield* Effect.forkDetach(attempt(options))
  const exit = yield* Effect.timeoutOption(Fiber.await(fiber), patience)
  return Option.match(exit, {
    onNone: () => broken(`it, or what follows, hangs for ${patience}`),
    onSome: Exit.match({ onFailure: (cause) => broken(Cause.pretty(cause)), onSuccess: (report) => report })
  })
})
