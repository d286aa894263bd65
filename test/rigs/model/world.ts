/**
 * The model's picture of everything: which sessions there are and every state
 * that is possible for each, who lives, what each process may do. What was said
 * and what is observed narrow it down; when nothing is left, something is wrong.
 */
import { Data, Effect } from "effect"
import type { TestClock } from "effect/testing"
import { SessionId, type SessionLimits, Supervisor } from "../../../src/index.ts"
import * as Machine from "./machine.ts"
import * as Mishaps from "./mishaps.ts"
import * as Model from "./model.ts"
import { look, observe, type Seen, tell } from "./observation.ts"

/** Something that the model does not allow. */
export class Wrong extends Data.TaggedError("Wrong")<{ readonly text: string }> {}

export const wrong = (text: string) => Effect.fail(new Wrong({ text }))

/** A session, and every state of it that is possible. */
interface Known {
  readonly id: SessionId.SessionId
  states: ReadonlyArray<Model.Session>
}

const rate = { window: 60_000, perSession: 5, overall: 20 }

const wait = (turns: number) => Effect.repeat(Effect.yieldNow, { times: turns })

const subsets = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> =>
  items.reduce<ReadonlyArray<ReadonlyArray<A>>>((all, item) => [...all, ...all.map((set) => [...set, item])], [[]])

const distinct = (states: ReadonlyArray<Model.Session>) =>
  states.length < 2 ? states : [...new Map(states.map((state) => [JSON.stringify(state), state])).values()]

export interface Options {
  readonly clock: TestClock.TestClock
  readonly machine: Machine.Machine
  readonly limits: Partial<SessionLimits.Limits>
  readonly isRateLimited: boolean
  /** Sessions are files, and projects are directories that can be missing. */
  readonly isOnDisk: boolean
}

export const make = Effect.fnUntraced(function*({ clock, isOnDisk, isRateLimited, limits, machine }: Options) {
  const { maxRunning = 10, maxStored = 100 } = limits
  const reader = yield* machine.start(true)
  const known: Array<Known> = []
  const verdicts = new Map<number, Model.Verdict>()
  const pids = new Map<number, number>()
  const attempts = new Map<string, ReadonlyArray<number>>()
  let processes: ReadonlyArray<Machine.Process> = []

  const startProcess = Effect.gen(function*() {
    const process = yield* machine.start()
    processes = [...processes, process]
    verdicts.set(process.number, "alive")
    pids.set(process.number, process.pid)
  })

  const verdict = (process: number): Model.Verdict => verdicts.get(process) ?? "dead"

  const process = (number: number) =>
    Effect.mapError(
      Effect.fromNullishOr(processes.find((process) => process.number === number)),
      () => new Wrong({ text: `there is no process ${number}` })
    )

  /** Counts an attempt to resume, as each process does, on monotonic time. */
  const isRefused = (by: number, on: number): boolean => {
    const now = Number(clock.monotonicTimeNanosUnsafe() / 1_000_000n)
    const admits = (key: string, limit: number) => {
      const times = (attempts.get(key) ?? []).filter((time) => time + rate.window > now)
      if (times.length >= limit) return false
      attempts.set(key, [...times, now])
      return true
    }
    return !(admits(`${by} ${on}`, rate.perSession) && admits(String(by), rate.overall))
  }

  const isThere = ({ states: [state] }: Known) => state?.stage !== "gone"
  const isStored = (session: Known) => isThere(session) && session.states[0]?.stage !== "removed"

  /**
   * What an operation of a process may depend on, and that it was attempted. A
   * session that was lost counts among those that run until that is noticed.
   */
  const surroundings = (by: number, on: number, operation?: Model.Operation): ReadonlyArray<Model.Surroundings> => {
    const live = known.flatMap(({ states }, index) =>
      index === on ? [] : states.filter((state) => Model.isLive(state, by)).slice(0, 1).map((state) => ({
        project: state.handles[by]?.project,
        isLost: states.some((state) => !Model.isCurrent(state, by))
      }))
    )
    const [state] = known[on]?.states ?? []
    const isAttempt = isRateLimited && operation?._tag === "Resume" && state !== undefined && !Model.isLive(state, by)
    const isRateLimitedNow = isAttempt && isRefused(by, on)
    const kept = live.filter(({ isLost }) => !isLost)
    const others = known.filter((_, index) => index !== on)
    return subsets(live.filter(({ isLost }) => isLost)).map((unnoticed) => {
      const running = [...kept, ...unnoticed].map(({ project }) => project)
      return {
        now: clock.currentTimeMillisUnsafe(),
        verdict,
        isRateLimited: isRateLimitedNow,
        isFull: others.filter(isStored).length >= maxStored,
        isFullWithTrash: others.filter(isThere).length >= maxStored,
        isMissing: (project) => isOnDisk && project === Machine.missingProject,
        refusal: (project) => {
          if (running.includes(project)) return "ProjectAlreadyOpen"
          return running.length >= maxRunning ? "TooManyRunning" : undefined
        }
      }
    })
  }

  /** A session goes on to what is possible after what was said. */
  const advance = Effect.fnUntraced(function*(
    on: number,
    said: string,
    next: (state: Model.Session) => ReadonlyArray<Model.Session>
  ) {
    const session = known[on]
    if (session === undefined) return
    const before = session.states
    session.states = distinct(before.flatMap(next))
    if (session.states.length === 0) return yield* wrong(`it said ${said}, of ${JSON.stringify(before)}`)
  })

  const advanceAll = (
    said: string,
    next: (state: Model.Session, id: SessionId.SessionId) => ReadonlyArray<Model.Session>
  ) => Effect.forEach(known, ({ id }, on) => advance(on, said, (state) => next(state, id)), { discard: true })

  /** A process is gone, and another one comes in its place. */
  const replace = Effect.fnUntraced(function*(gone: Machine.Process) {
    yield* machine.kill(gone)
    verdicts.set(gone.number, "dead")
    processes = processes.filter((other) => other !== gone)
    yield* startProcess
  })

  const died = Effect.fnUntraced(function*(number: number) {
    yield* advanceAll("nothing and died", (state) => [Model.without(state, number)])
    yield* replace(yield* process(number))
  })

  const hide = Effect.fnUntraced(function*(number: number) {
    verdicts.set(number, "unknown")
    yield* machine.hide(yield* process(number))
  })

  const handlesFit = (state: Model.Session, inHand: ReadonlyMap<number, string>): boolean =>
    processes.every(({ number }) => {
      const held = inHand.get(number)
      return Model.isLive(state, number) === (held !== undefined) &&
        (held === undefined || !Model.isCurrent(state, number) || held === Model.fingerprint(state.content))
    })

  const fits = (state: Model.Session, seen: Seen | undefined): boolean => {
    const status = Model.statusOf(state, reader.number, verdict)
    if (seen === undefined || status === "gone") return seen === undefined && status === "gone"
    return seen.status === status &&
      seen.content === Model.fingerprint(state.seen) &&
      (status !== "closed" || seen.closedAt === state.closedAt) &&
      (status !== "removed" || seen.removedAt === state.since) &&
      (seen.pid === undefined || seen.pid === pids.get(state.holder))
  }

  /** What each process has of each session, as the sessions themselves say. */
  const inHands = Effect.gen(function*() {
    const found = new Map<SessionId.SessionId, Map<number, string>>()
    for (const { number, run } of processes) {
      for (const session of yield* run(Supervisor.Supervisor.use(({ running }) => running))) {
        const hands = found.get(session.id) ?? new Map<number, string>()
        found.set(session.id, hands.set(number, tell(yield* session.state)))
      }
    }
    return found
  })

  let seen: ReadonlyMap<SessionId.SessionId, Seen> = new Map()
  let stamps = new Map<string, string>()
  let looks = 0

  /**
   * What a reader finds; the same as before where no disk was touched and nobody
   * died. New sessions, and now and then all, are listed.
   */
  const lookAgain = Effect.gen(function*() {
    const lives = JSON.stringify([...verdicts])
    const before = stamps
    stamps = new Map(["", ...known.map(({ id }) => id)].map((name) => [name, lives + machine.stampOf(name)]))
    const isTouched = (id: string) => !isOnDisk || before.get(id) !== stamps.get(id)
    if (!isTouched("")) return seen
    const found = new Map(seen)
    for (const { id } of known) {
      if (!isTouched(id)) continue
      found.delete(id)
      yield* Effect.matchEffect(reader.run(look(id)), {
        onFailure: (error) => error._tag === "NotFound" ? Effect.void : failed(error),
        onSuccess: (seen) => Effect.sync(() => void found.set(id, seen))
      })
    }
    seen = found
    if (isOnDisk && looks++ % 4 > 0 && machine.names().every((name) => seen.has(SessionId.make(name)))) return seen
    const listed = yield* Effect.catch(reader.run(observe(seen)), failed)
    if (listed.broken.length > 0) return yield* wrong(listed.broken.join(", "))
    seen = listed.found
    return seen
  })

  const failed = (error: { readonly message: string }) => wrong(`a reader fails: ${error.message}`)

  /** Keeps of what is possible what is observed; whoever is at work still may come to an end first. */
  const compare = (
    newcomers: ReadonlyArray<Model.Session>,
    patience: number = 2
  ): Effect.Effect<void, Wrong> =>
    Effect.gen(function*() {
      yield* wait(5)
      const found = yield* lookAgain
      const running = yield* inHands
      const hands = (id: SessionId.SessionId): ReadonlyMap<number, string> => running.get(id) ?? new Map()
      const fitting = (states: ReadonlyArray<Model.Session>, id: SessionId.SessionId) => {
        const without = processes.filter(({ number }) => !hands(id).has(number))
        return distinct(
          states.map((state) => without.reduce((state, { number }) => Mishaps.noticed(state, number), state))
        )
          .filter((state) => fits(state, found.get(id)) && handlesFit(state, hands(id)))
      }
      const misfit = known.findIndex(({ id, states }) => fitting(states, id).length === 0)
      const { id, states } = known[misfit] ?? {}
      if (id !== undefined && patience > 0) return yield* Effect.andThen(wait(300), compare(newcomers, patience - 1))
      if (id !== undefined) {
        const seen = JSON.stringify(found.get(id) ?? "not there")
        const held = JSON.stringify([...hands(id)])
        return yield* wrong(`session ${misfit} is ${seen}, in hands ${held}, and should be ${JSON.stringify(states)}`)
      }
      for (const session of known) session.states = fitting(session.states, session.id)
      for (const [id, seen] of found) {
        if (known.some((session) => session.id === id)) continue
        const states = fitting(distinct(newcomers), id)
        if (states.length === 0) return yield* wrong(`nobody created ${JSON.stringify(seen)}`)
        known.push({ id, states })
      }
      const unlisted = [...running.keys()].find((id) => !known.some((session) => session.id === id))
      if (unlisted !== undefined) return yield* wrong(`session ${unlisted} runs and is not listed`)
    })

  return {
    advance,
    advanceAll,
    compare,
    died,
    hide,
    known,
    process,
    processes: () => processes,
    replace,
    startProcess,
    surroundings,
    verdict
  }
})

export type World = Effect.Success<ReturnType<typeof make>>
