/**
 * Plays a history: every command on the real library over memory and, at the
 * same time, in the model; then everything that can be observed is compared.
 */
import { Clock, Duration, Effect, Random, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { type SessionId, type SessionLimits, SessionList, Sessions } from "../../../src/index.ts"
import * as Places from "../places.ts"
import * as Acting from "./acting.ts"
import * as Expectation from "./expectation.ts"
import type { Act, Command } from "./history.ts"
import * as History from "./history.ts"
import * as Machine from "./machine.ts"
import * as Model from "./model.ts"
import { contentOf, everyStatus, observe } from "./observation.ts"
import * as World from "./world.ts"

const begins = Date.UTC(2026, 0, 1)
const day = 24 * 60 * 60 * 1000

export interface Rules {
  readonly commands: number
  readonly store: "files" | "memory"
  readonly mutant?: Machine.Mutant
}

type Only<Tag extends Command["_tag"]> = Extract<Command, { readonly _tag: Tag }>

const atLast = <A, E extends { readonly message: string }, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.mapError(
    effect,
    (error) => error instanceof World.Wrong ? error : new World.Wrong({ text: `at last: ${error.message}` })
  )

/** Runs an operation in a process, with or without trouble, and says what came of it. */
const run = Effect.fnUntraced(function*(
  process: Machine.Process,
  effect: Effect.Effect<unknown, unknown>,
  trouble: Machine.Trouble | undefined
) {
  Object.assign(process.disk, { calls: 0, isStruck: false, trouble })
  const outcome = yield* Machine.awaitTurns(yield* Effect.forkDetach(effect), process)
  const came = process.disk.isStruck ? trouble : undefined
  process.disk.trouble = undefined
  const said: Expectation.Said = {
    outcome,
    trouble: came === undefined ? "none" : came._tag === "Full" ? "full" : "fault"
  }
  return said
})

/** The limits of a history: mostly roomy, now and then small. */
const drawLimits = Effect.gen(function*() {
  const limits: Partial<SessionLimits.Limits> = {
    maxStored: yield* Random.choice([3, 100, 100]),
    maxRunning: yield* Random.choice([1, 10, 10, 10]),
    checkpointBytes: yield* Random.choice([400, 2000, 1024 * 1024])
  }
  return limits
})

const play = Effect.fnUntraced(function*({ clock, commands, mutant = {}, store }: Rules & {
  readonly clock: TestClock.TestClock
}) {
  yield* clock.setTime(begins)
  const limits = yield* drawLimits
  const isRateLimited = yield* Random.choice([true, false, false])
  const machine = yield* Machine.make({
    store,
    limits,
    isRateLimited,
    mutant
  })
  const world = yield* World.make({ clock, machine, limits, isRateLimited, isOnDisk: store === "files" })
  const { advance, advanceAll, died, known, process, surroundings } = world
  for (let index = 0; index < 3; index++) yield* world.startProcess

  const act = Effect.fnUntraced(function*({ by, on, operation }: Act, trouble: Machine.Trouble | undefined) {
    const session = known[on]
    const actor = yield* process(by)
    if (session === undefined) return
    const arounds = surroundings(by, on, operation)
    const said = yield* run(actor, Acting.perform(actor, session.id, operation), trouble)
    yield* advance(
      on,
      said.outcome,
      (state) => arounds.flatMap((around) => Expectation.afterAct(state, { by, on, operation }, around, said))
    )
    if (said.outcome === "died") yield* died(by)
  })

  const both = Effect.fnUntraced(function*({ acts, trouble }: Only<"Both">) {
    const [first, second] = acts
    const session = known[first.on]
    const actors = [yield* process(first.by), yield* process(second.by)] as const
    if (session === undefined) return
    const ofSecond = surroundings(second.by, second.on, second.operation)
    const arounds = surroundings(first.by, first.on, first.operation)
      .flatMap((one) => ofSecond.map((other) => [one, other] as const))
    const random = yield* Random.Random
    /** Mostly call by call; now and then one waits until the other is nearly done. */
    const pause = () => {
      const drawn = random.nextDoubleUnsafe()
      return Math.floor(drawn < 0.08 ? drawn * 2000 : drawn * 4)
    }
    for (const { disk } of actors) disk.pause = pause
    const [one, two] = yield* Effect.all([
      run(actors[0], Acting.perform(actors[0], session.id, first.operation), undefined),
      run(actors[1], Acting.perform(actors[1], session.id, second.operation), trouble)
    ], { concurrency: 2 })
    for (const { disk } of actors) disk.pause = () => 0
    const said = [one.outcome, two.outcome] as const
    yield* advance(
      first.on,
      said.join(" and "),
      (state) => arounds.flatMap((around) => Expectation.afterBoth(state, acts, around, said))
    )
    if (two.outcome === "died") yield* died(second.by)
  })

  /** Leads to states of a session that was not there before. */
  const create = Effect.fnUntraced(function*({ by, name, project, trouble }: Only<"Create">) {
    const actor = yield* process(by)
    const arounds = surroundings(by, -1)
    const { outcome, trouble: came } = yield* run(
      actor,
      Effect.asVoid(Effect.flatMap(
        actor.run(Sessions.create({ project, name, config: Places.config })),
        Acting.keep(actor)
      )),
      trouble
    )
    const after = arounds.map((around) =>
      Expectation.afterCreate({ by, name, project }, around, { outcome, trouble: came })
    ).filter((states) => states !== undefined)
    if (after.length === 0) return yield* World.wrong(`it said ${outcome}`)
    if (outcome === "died") yield* died(by)
    return after.flat()
  })

  const cleanup = Effect.fnUntraced(function*({ by, days, dryRun, trouble }: Only<"Cleanup">) {
    const actor = yield* process(by)
    const did = new Map<SessionId.SessionId, string>()
    const cleaned = Effect.map(
      actor.run(Sessions.cleanup({ dryRun, ...(days === undefined ? {} : { olderThan: Duration.days(days) }) })),
      ({ failed, purged, removed, skipped }) => {
        for (const { id } of removed) did.set(id, "Remove")
        for (const { id } of purged) did.set(id, "Purge")
        for (const { entry, reason } of skipped) if (SessionList.isStored(entry)) did.set(entry.id, reason)
        for (const { entry, error } of failed) did.set(entry.id, error.message)
      }
    )
    const arounds = surroundings(by, -1)
    const said = yield* run(actor, cleaned, trouble)
    const olderThan = (days ?? 30) * day
    yield* advanceAll(said.outcome, (state, id) => {
      const outcome = said.outcome === "ok" ? did.get(id) ?? "none" : said.outcome
      return arounds.flatMap((around) =>
        Expectation.afterCleanup(state, by, { olderThan, dryRun }, around, { ...said, outcome })
      )
    })
    if (said.outcome === "died") yield* died(by)
  })

  const list = Effect.fnUntraced(function*(by: number) {
    const actor = yield* process(by)
    const entries = yield* atLast(actor.run(Stream.runCollect(Sessions.list({ status: everyStatus }))))
    const found = new Map(entries.filter(SessionList.isStored).map(({ id, status }) => [id, status]))
    yield* advanceAll(
      "another list",
      (state, id) => Model.statusOf(state, by, world.verdict) === (found.get(id) ?? "gone") ? [state] : []
    )
  })

  const end = Effect.fnUntraced(function*(by: number, trouble: Machine.Trouble | undefined) {
    const actor = yield* process(by)
    const arounds = surroundings(by, -1)
    const said = yield* run(actor, actor.end, trouble)
    if (said.outcome !== "ok") return yield* World.wrong(`it said ${said.outcome}`)
    yield* advanceAll(
      "it ended",
      (state) => arounds.flatMap((around) => Expectation.afterEnd(state, by, around, said.trouble))
    )
    yield* world.replace(actor)
  })

  const perform = (command: Command): Effect.Effect<ReadonlyArray<Model.Session> | void, World.Wrong> => {
    switch (command._tag) {
      case "Create":
        return create(command)
      case "Act":
        return act(command.act, command.trouble)
      case "Both":
        return both(command)
      case "Cleanup":
        return cleanup(command)
      case "List":
        return list(command.by)
      case "End":
        return end(command.by, command.trouble)
      case "Kill":
        return died(command.by)
      case "Hide":
        return world.hide(command.by)
      case "SetClock":
        // Set back, it does not hit the millisecond again that a directory changed in.
        return clock.setTime(Math.max(0, clock.currentTimeMillisUnsafe() + command.millis + 1))
    }
  }

  const situation = (): History.Situation => ({
    store,
    processes: world.processes().map(({ number }) => number),
    sessions: known.map(({ id, states: [state] }) => ({
      live: world.processes().map(({ number }) => number).filter((number) =>
        state !== undefined && Model.isLive(state, number)
      ),
      handles: world.processes().filter(({ handles }) => handles.has(id)).map(({ number }) => number)
    }))
  })

  /** Everybody goes; the next one finds all of it, goes on with it, and leaves a clean disk. */
  const finish = Effect.gen(function*() {
    for (const { number } of world.processes()) {
      yield* store === "files" && (yield* Random.nextBoolean) ? died(number) : end(number, undefined)
    }
    yield* world.compare([])
    const last = yield* machine.start(true)
    const closed: Array<string> = []
    for (const { id, states: [state] } of known) {
      if (state === undefined || state.stage === "gone" || state.stage === "removed") continue
      const { messages } = yield* last.run(Effect.gen(function*() {
        const session = yield* Sessions.resume(id)
        yield* session.append({ role: "user", content: "last" })
        yield* Sessions.close(id)
        return contentOf((yield* Sessions.load(id)).state)
      }))
      const expected = [...state.seen.messages, "last"].join()
      closed.push(id)
      if (messages.join() !== expected) return yield* World.wrong(`${messages.join()} is there, not ${expected}`)
    }
    yield* last.run(Sessions.cleanup())
    const strays = yield* machine.strays(store === "files" ? closed : [])
    if (strays.length > 0) return yield* World.wrong(`${strays.join()} are left`)
    const moments = known.flatMap(({ states: [state] }) => state === undefined ? [] : [state.since, state.closedAt])
    for (let again = 0; again < 2; again++) {
      yield* clock.setTime(Math.max(clock.currentTimeMillisUnsafe(), ...moments) + 61 * day)
      yield* last.run(Sessions.cleanup())
    }
    const { found } = yield* last.run(observe(new Map()))
    if (found.size > 0) return yield* World.wrong(`${found.size} sessions are left`)
  }).pipe(atLast)

  const lines: Array<string> = []
  const history = Effect.gen(function*() {
    while (lines.length < commands) {
      const command = yield* History.next(situation())
      lines.push(History.format(command))
      yield* world.compare((yield* perform(command)) ?? [])
    }
    lines.push("the end")
    yield* finish
  })
  return { outcome: yield* Effect.result(history), lines }
})

/** Plays the history of a seed: its commands, and what is wrong with the last of them, if anything. */
export const playSeed = (seed: number, rules: Rules) =>
  Effect.gen(function*() {
    const clock = yield* TestClock.make()
    const { lines, outcome } = yield* Effect.provideService(play({ ...rules, clock }), Clock.Clock, clock)
    const told = `seed ${seed}, ${rules.store}, command ${lines.length - 1}, ${lines.at(-1)}`
    return {
      lines,
      findings: Result.isSuccess(outcome) ? [] : [`${told}: ${outcome.failure.text}`]
    }
  }).pipe(Random.withSeed(seed), Effect.scoped, Effect.withTracerEnabled(false))
