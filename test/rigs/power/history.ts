/**
 * A random history: processes that create, run, save, remove and purge sessions,
 * are killed in the middle of that, and followed by others.
 */
import { Effect, Option, Random } from "effect"
import type { SessionList } from "../../../src/index.ts"
import type * as Ledger from "./ledger.ts"
import type { Operation } from "./operations.ts"
import * as Operations from "./operations.ts"
import type { Process } from "./process.ts"
import type { World } from "./world.ts"
import { bury, end, look, oneOf } from "./world.ts"

/** More sessions are not created in one history; each has directories of its own. */
const maxSessions = 6

/** Every project that a history may use, below its root. */
export const projects = Array.from({ length: maxSessions }, (_, index) => [`s${index}`, `s${index}-moved`]).flat()

/** Text that looks like lines of a journal, and that fills sectors. */
const textOf = Effect.fnUntraced(function*(world: World, label: string) {
  const filler = yield* oneOf("short. ", `"}\n{"seq":999999,"batch":999999,`, "sectors and sectors of text. ")
  const bytes = yield* oneOf(10, 60, 300, 513, 1500, 6000)
  return `${label} said ${world.next()} ${filler.repeat(Math.ceil(bytes / filler.length))}`
})

const said = (count: number) => (world: World, label: string) =>
  Effect.forEach(
    Array.from({ length: count }),
    () => Effect.map(textOf(world, label), (text): Ledger.Event => ({ _tag: "Said", text }))
  )

const other = Effect.fnUntraced(function*(world: World, label: string) {
  const number = world.next()
  const event: Ledger.Event = yield* oneOf<Ledger.Event>(
    { _tag: "Todos", todos: [`${label} todo ${number}`, `${label} todo ${number} too`] },
    { _tag: "Prompt", prompt: `${label} prompt ${number}` },
    { _tag: "Renamed", name: `${label} is ${number}` },
    { _tag: "Configured", model: `model ${number}` }
  )
  return [event]
})

const { submit } = Operations
const whileRunning = [
  submit(said(1)),
  submit(said(1)),
  submit(said(3)),
  submit(said(6)),
  submit(other),
  Operations.checkpoint,
  Operations.close
] as const
const takeOvers = [
  Operations.takeOver("append", "before"),
  Operations.takeOver("append", "with"),
  Operations.takeOver("checkpoint", "with"),
  Operations.takeOver("close", "with")
] as const
const whileInterrupted = [
  Operations.resume,
  Operations.resume,
  Operations.move,
  Operations.rename,
  Operations.remove
] as const
const whileRemoved = [Operations.restore, Operations.restore, Operations.purge, Operations.remove] as const

interface Choice {
  readonly operation: Operation
  readonly process: Process
  readonly label: string
}

const chance = (probability: number) => Effect.map(Random.next, (drawn) => drawn < probability)

/** A living process: now and then a second one. */
const someProcess = Effect.fnUntraced(function*(world: World) {
  const [first] = world.processes
  if (first === undefined || (world.processes.length < 2 && (yield* chance(0.15)))) return yield* world.start
  return yield* oneOf(first, ...world.processes.slice(1))
})

const another = Effect.fnUntraced(function*(world: World, than: Process) {
  return world.processes.find((process) => process !== than) ?? (yield* world.start)
})

/** What may be done again to a session in such a state. */
const repeatable = (status: SessionList.Status): ReadonlyArray<Operation> => {
  const { move, purge, remove, rename, restore, resume } = Operations
  if (status === "running") return []
  return status === "removed" ? [remove, restore, purge] : [remove, restore, resume, move, rename]
}

const freeLabel = (world: World): string => {
  let index = 0
  while (world.ledger().has(`s${index}`)) index++
  return `s${index}`
}

const choose = Effect.fnUntraced(function*(
  world: World,
  process: Process,
  seen: ReadonlyMap<string, SessionList.Stored>
) {
  const anew = (operation: Operation): Choice => ({ operation, process, label: freeLabel(world) })
  const isFull = world.ledger().size >= maxSessions
  if (!isFull && (seen.size === 0 || (yield* chance(0.12)))) return anew(Operations.create)
  if (yield* chance(0.06)) return anew(yield* oneOf(Operations.cleanup, Operations.shutDown))
  const [first, ...others] = seen
  if (first === undefined) return undefined
  const [label, { status }] = yield* oneOf(first, ...others)
  const handle = world.running.get(label)
  if (status === "running" && handle !== undefined) {
    if (!(yield* chance(0.12))) return { operation: yield* oneOf(...whileRunning), process: handle.process, label }
    return { operation: yield* oneOf(...takeOvers), process: yield* another(world, handle.process), label }
  }
  // Who took it was killed, and who had it has not noticed: that one goes too.
  if (handle !== undefined) {
    bury(world, handle.process)
    return undefined
  }
  const operation = status === "removed" ?
    yield* oneOf(...whileRemoved)
    : status === "closed" ?
    yield* oneOf(...whileInterrupted, Operations.restore)
    : yield* oneOf(...whileInterrupted)
  return { operation, process, label }
})

/** Lives through `steps` operations, and ends without a word. */
export const live = Effect.fnUntraced(function*(world: World, options: { readonly steps: number }) {
  let again: Omit<Choice, "process"> | undefined
  for (let step = 0; step < options.steps; step++) {
    const process = yield* someProcess(world)
    const seen = yield* look(world, process)
    if (Option.isNone(seen)) break
    // What a process was killed in, the next one often begins again.
    const status = seen.value.get(again?.label ?? "")?.status
    const isRepeated = again !== undefined && status !== undefined && repeatable(status).includes(again.operation)
    const repeated = again !== undefined && isRepeated && (yield* chance(0.6)) ? { ...again, process } : undefined
    again = undefined
    const choice = repeated ?? (yield* choose(world, process, seen.value))
    if (choice === undefined) continue
    const isKilled = yield* chance(choice.operation === Operations.create ? 0.4 : 0.2)
    if (isKilled) choice.process.killAfter(yield* Random.nextIntBetween(0, 20))
    yield* choice.operation(world, choice.process, choice.label)
    if (!isKilled && choice.operation !== Operations.shutDown) continue
    bury(world, choice.process)
    again = choice
  }
  yield* end(world)
})
