/**
 * A process that is killed at one change of one operation, and the next one,
 * which finds what that left and goes on: before anything, or everything, of it
 * was synced.
 */
import { Effect, Option } from "effect"
import type { Operation } from "./operations.ts"
import * as Operations from "./operations.ts"
import type { World } from "./world.ts"
import { bury, end, look } from "./world.ts"

export interface HandOver {
  readonly name: string
  readonly before: ReadonlyArray<Operation>
  readonly killed: Operation
  /** What the next process does, as long as the session is there for it. */
  readonly next: ReadonlyArray<Operation>
}

/** More changes than any of these operations makes. */
export const mostChanges = 30

const { checkpoint, close, create, move, purge, remove, rename, restore, resume } = Operations
const append = Operations.submit((world, label) =>
  Effect.sync(() => [{ _tag: "Said", text: `${label} said ${world.next()} ${"sectors ".repeat(200)}` }])
)
const goesOn = [resume, append, checkpoint, append, close]

export const all: ReadonlyArray<HandOver> = [
  { name: "create, then resume", before: [], killed: create, next: goesOn },
  { name: "create, then rename", before: [], killed: create, next: [rename] },
  { name: "create, then remove", before: [], killed: create, next: [remove] },
  { name: "append, then resume", before: [create, append], killed: append, next: goesOn },
  { name: "append, then remove", before: [create, append], killed: append, next: [remove, restore] },
  { name: "checkpoint, then resume", before: [create, append], killed: checkpoint, next: goesOn },
  { name: "close, then resume", before: [create, append], killed: close, next: goesOn },
  { name: "close, then remove", before: [create, append], killed: close, next: [remove] },
  { name: "resume, then resume", before: [create, append, close], killed: resume, next: goesOn },
  { name: "move, then resume", before: [create, append, close], killed: move, next: goesOn },
  { name: "rename, then rename", before: [create, append, close], killed: rename, next: [rename, resume, append] },
  { name: "remove, then remove", before: [create, append, close], killed: remove, next: [remove] },
  { name: "restore, then restore", before: [create, append, close, remove], killed: restore, next: [restore] },
  { name: "restore, then resume", before: [create, append, close, remove], killed: restore, next: goesOn },
  { name: "purge, then restore", before: [create, append, close, remove], killed: purge, next: [restore, resume] },
  { name: "purge, then create", before: [create, append, close, remove], killed: purge, next: [] }
]

/** What of it makes sense for a session in such a state. */
const applies = (operation: Operation, status: string): boolean => {
  if (operation === restore || operation === remove) return status !== "running"
  if (operation === append || operation === checkpoint || operation === close) return status === "running"
  return status === "closed" || status === "interrupted"
}

/** Whether the process was killed, or came to the end of the operation before. */
export const live = Effect.fnUntraced(function*(world: World, { before, killed, next }: HandOver, changes: number) {
  const label = "s0"
  const first = yield* world.start
  for (const operation of before) yield* operation(world, first, label)
  first.killAfter(changes)
  yield* killed(world, first, label)
  const wasKilled = first.isKilled()
  bury(world, first)
  const second = yield* world.start
  for (const operation of next) {
    const seen = yield* look(world, second)
    const status = Option.getOrUndefined(seen)?.get(label)?.status
    if (status !== undefined && applies(operation, status)) yield* operation(world, second, label)
  }
  // Another session, so that what was left behind is swept.
  yield* create(world, second, "s1")
  yield* end(world)
  return wasKilled
})
