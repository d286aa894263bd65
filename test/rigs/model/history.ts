/**
 * Histories: what several processes do to a few sessions, one command after
 * another, drawn from `Random` and weighted towards what goes wrong in real
 * life: two that want the same session, a death half-way, a clock that was set.
 */
import { type Array, Effect, Random } from "effect"
import type { Trouble } from "./machine.ts"
import * as Machine from "./machine.ts"
import type { Operation } from "./model.ts"

/** One operation of one process on one session; both by number. */
export interface Act {
  readonly by: number
  readonly on: number
  readonly operation: Operation
}

export type Command =
  | {
    readonly _tag: "Create"
    readonly by: number
    readonly name: string
    readonly project: string
    readonly trouble?: Trouble
  }
  | { readonly _tag: "Act"; readonly act: Act; readonly trouble?: Trouble }
  /** Two processes at once; the second may die at it. */
  | { readonly _tag: "Both"; readonly acts: readonly [Act, Act]; readonly trouble?: Trouble }
  | {
    readonly _tag: "Cleanup"
    readonly by: number
    readonly days: number | undefined
    readonly dryRun: boolean
    readonly trouble?: Trouble
  }
  | { readonly _tag: "List"; readonly by: number }
  | { readonly _tag: "End"; readonly by: number; readonly trouble?: Trouble }
  | { readonly _tag: "Kill" | "Hide"; readonly by: number }
  | { readonly _tag: "SetClock"; readonly millis: number }

/** What a command is drawn from. */
export interface Situation {
  readonly store: "files" | "memory"
  /** Numbers of the processes that live. */
  readonly processes: ReadonlyArray<number>
  /** Each session by its number: who runs it, or believes so, and who had it in hand. */
  readonly sessions: ReadonlyArray<{ readonly live: ReadonlyArray<number>; readonly handles: ReadonlyArray<number> }>
}

const chance = (percent: number) => Effect.map(Random.next, (number) => number * 100 < percent)

/** One of several numbers, of which there is always one. */
const oneOf = (numbers: ReadonlyArray<number>) =>
  Effect.map(Random.next, (drawn) => numbers[Math.floor(drawn * numbers.length)] ?? 0)

/** Draws by weight: numbers before what they weigh. */
const weighted = Effect.fnUntraced(function*<A>(choices: Array.NonEmptyReadonlyArray<readonly [number, A]>) {
  const total = choices.reduce((sum, [weight]) => sum + weight, 0)
  let left = (yield* Random.next) * total
  for (const [weight, choice] of choices) {
    left -= weight
    if (left < 0) return choice
  }
  return choices[0][1]
})

const word = (kind: string) => Effect.map(Random.nextIntBetween(0, 1_000_000), (number) => `${kind}${number}`)

/** Few names are too long, and few are short. */
const name = Effect.flatMap(chance(10), (isBad) => isBad ? Effect.succeed("n".repeat(51)) : word("name"))

const project = Effect.flatMap(
  chance(8),
  (isMissing) => isMissing ? Effect.succeed(Machine.missingProject) : Random.choice(Machine.projects)
)

const seconds = 1000
const days = 24 * 60 * 60 * seconds

const clockSteps: Array.NonEmptyReadonlyArray<readonly [number, number]> = [
  [4, 1],
  [5, 10 * seconds],
  [3, 60 * seconds],
  [3, 2 * days],
  [3, 31 * days],
  [2, -3 * days],
  [1, -365 * days],
  [1, 365 * days]
]

/** Calls of an operation are few: most come early, and each is as good as the other. */
const callNumber = Effect.flatMap(Random.nextIntBetween(2, 6), (bits) => Random.nextIntBetween(0, 2 ** bits))

const fault = Effect.gen(function*() {
  const at = yield* callNumber
  if (yield* chance(15)) return { _tag: "Full", at } as const
  return {
    _tag: "Fault",
    at,
    code: yield* Random.choice(["EIO", "ENOSPC", "EACCES"] as const),
    isDone: yield* chance(30)
  } as const
})

const death = Effect.gen(function*() {
  return {
    _tag: "Death",
    at: yield* callNumber,
    moment: yield* Random.choice(["before", "half", "after"] as const)
  } as const
})

/** Most operations meet no trouble, and none do where there is no disk. */
const trouble = Effect.fnUntraced(function*({ store }: Situation) {
  if (store === "memory") return {}
  const drawn: Trouble | undefined = yield* Effect.flatten(
    weighted<Effect.Effect<Trouble | undefined>>([[70, Effect.undefined], [20, fault], [10, death]])
  )
  return drawn === undefined ? {} : { trouble: drawn }
})

const ofHandle = weighted<Effect.Effect<Operation>>([
  [
    38,
    Effect.gen(function*() {
      const count = (yield* chance(25)) ? yield* Random.nextIntBetween(2, 4) : 1
      return { _tag: "Append", texts: yield* Effect.replicateEffect(word("said"), count) } as const
    })
  ],
  [8, Effect.map(Effect.replicateEffect(word("todo"), 2), (todos) => ({ _tag: "ReplaceTodos", todos } as const))],
  [8, Effect.map(word("prompt"), (prompt) => ({ _tag: "RecordPrompt", prompt } as const))],
  [12, Effect.succeed({ _tag: "Checkpoint" } as const)],
  [16, Effect.succeed({ _tag: "Close" } as const)]
])

const ofStored = weighted<Effect.Effect<Operation>>([
  [
    45,
    Effect.gen(function*() {
      return {
        _tag: "Resume",
        takeOver: yield* chance(60),
        project: (yield* chance(15)) ? yield* project : undefined
      } as const
    })
  ],
  [10, Effect.map(name, (name) => ({ _tag: "Rename", name } as const))],
  [12, Effect.map(chance(40), (interrupted) => ({ _tag: "Remove", interrupted } as const))],
  [12, Effect.succeed({ _tag: "Restore" } as const)],
  [6, Effect.succeed({ _tag: "Purge" } as const)],
  [4, Effect.succeed({ _tag: "Load" } as const)],
  [3, Effect.succeed({ _tag: "Verify" } as const)]
])

/** Mostly the session that was created last, and who believes to run it. */
const act = Effect.fnUntraced(function*({ processes, sessions }: Situation, notBy?: Act) {
  const last = sessions.length - 1
  const on = notBy?.on ?? ((yield* chance(40)) ? last : yield* Random.nextIntBetween(0, last))
  const others = processes.filter((number) => number !== notBy?.by)
  const among = (numbers: ReadonlyArray<number> = []) => others.filter((number) => numbers.includes(number))
  const { handles, live } = sessions[on] ?? {}
  const choices = yield* weighted([[6, among(live)], [1, among(handles)], [4, others]])
  const by = yield* oneOf(choices.length > 0 ? choices : others)
  const isLive = live?.includes(by) === true
  const usesHandle = handles?.includes(by) === true && (yield* chance(isLive ? 88 : 25))
  const found: Act = { by, on, operation: yield* Effect.flatten(usesHandle ? ofHandle : ofStored) }
  return found
})

/** The next command of a history. */
export const next = Effect.fnUntraced(function*(situation: Situation) {
  const { processes, sessions, store } = situation
  const by = yield* oneOf(processes)
  const met = yield* trouble(situation)
  const create = Effect.gen(function*(): Effect.gen.Return<Command> {
    return { _tag: "Create", by, name: yield* name, project: yield* project, ...met }
  })
  if (sessions.length === 0) return yield* create
  const both = Effect.gen(function*(): Effect.gen.Return<Command> {
    const first = yield* act(situation)
    const second = yield* act(situation, first)
    const dies = store === "files" && (yield* chance(20))
    return { _tag: "Both", acts: [first, second], ...(dies ? { trouble: yield* death } : {}) }
  })
  const cleanup = Effect.gen(function*(): Effect.gen.Return<Command> {
    const days = yield* Random.choice([undefined, 0, 1, 2, 30] as const)
    return { _tag: "Cleanup", by, days, dryRun: yield* chance(30), ...met }
  })
  const setClock = Effect.map(weighted(clockSteps), (millis): Command => ({ _tag: "SetClock", millis }))
  const onDisk = store === "files" ? 1 : 0
  return yield* Effect.flatten(weighted<Effect.Effect<Command>>([
    [sessions.length < 3 ? 25 : sessions.length < 5 ? 6 : 1, create],
    [60, Effect.map(act(situation), (act) => ({ _tag: "Act", act, ...met }))],
    [18, both],
    [5, cleanup],
    [2, Effect.succeed({ _tag: "List", by })],
    [4, Effect.succeed({ _tag: "End", by, ...(met.trouble?._tag === "Death" ? {} : met) })],
    [7 * onDisk, Effect.succeed({ _tag: "Kill", by })],
    [2 * onDisk, Effect.succeed({ _tag: "Hide", by })],
    [8, setClock]
  ]))
})

/** A command in a line. */
export const format = ({ _tag, ...rest }: Command): string => `${_tag} ${JSON.stringify(rest)}`
