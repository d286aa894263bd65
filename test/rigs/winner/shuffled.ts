/**
 * Several claimants of one session whose every file-system call waits for its
 * turn. Whose turn it is, is drawn; some are drawn seldom, and so are slow.
 */
import { Deferred, Effect, Fiber, Queue, Random, Result } from "effect"
import { type SessionError, Sessions } from "../../../src/index.ts"
import { type FileSystemHooks, TestLiveness } from "../../../src/testing/index.ts"
import type { Disk } from "../mutants/disks.ts"
import * as Claimants from "./claimants.ts"
import * as Contenders from "./contenders.ts"

interface Waiting {
  readonly who: number
  readonly turn: Deferred.Deferred<void>
}

/** How often a claimant is drawn, beside the others. */
const weights = [1, 3, 10, 30] as const

/** Lets one call on at a time, once everybody who is at work waits for one. */
const makeTurns = Effect.gen(function*() {
  const moved = yield* Queue.unbounded<void>()
  const working = new Map<number, number>()
  let waiting: ReadonlyArray<Waiting> = []

  const hookOf = (who: number): FileSystemHooks.Hook => () => (run) =>
    Effect.suspend(() => {
      if (!working.has(who)) return run
      const turn = Deferred.makeUnsafe<void>()
      waiting = [...waiting, { who, turn }]
      Queue.offerUnsafe(moved, undefined)
      return Effect.andThen(Deferred.await(turn), run)
    })

  const leave = (who: number) =>
    Effect.sync(() => {
      working.delete(who)
      // What it left under way needs no turn any more.
      for (const { turn } of waiting.filter((one) => one.who === who)) Deferred.doneUnsafe(turn, Effect.void)
      waiting = waiting.filter((one) => one.who !== who)
      Queue.offerUnsafe(moved, undefined)
    })

  const draw = Effect.gen(function*() {
    const sum = waiting.reduce((sum, { who }) => sum + (working.get(who) ?? 1), 0)
    let left = (yield* Random.next) * sum
    const drawn = waiting.find(({ who }) => (left -= working.get(who) ?? 1) < 0) ?? waiting[0]
    waiting = waiting.filter((one) => one !== drawn)
    if (drawn !== undefined) Deferred.doneUnsafe(drawn.turn, Effect.void)
  })

  const run = Effect.gen(function*() {
    while (working.size > 0) {
      yield* Queue.take(moved)
      if ([...working.keys()].every((who) => waiting.some((one) => one.who === who))) yield* draw
    }
  })
  return { enter: (who: number, weight: number) => working.set(who, weight), hookOf, leave, run }
})

/** One session, `claimants` of it, `turns` tries each. */
const shuffle = Effect.fnUntraced(function*(options: {
  readonly claimants: number
  readonly turns: number
  readonly takeOver: boolean
  readonly disk: Disk
}) {
  const { claimants, disk, takeOver, turns } = options
  const wrong: Array<string> = []
  const turn = yield* makeTurns
  const { claimant, epoch, id, places } = yield* Claimants.contested(TestLiveness.machine(), disk)
  const all = yield* Effect.forEach(
    Array.from({ length: claimants }, (_, who) => who),
    (who) => Effect.map(claimant(turn.hookOf(who)), (claimant) => ({ who, claimant }))
  )
  const acknowledged: Array<string> = []
  const holding = new Set<number>()
  let highest = yield* epoch
  let resumed = 0

  /** Where nobody is taken over, whoever resumes is alone and has an epoch that is new. */
  const enter = Effect.fnUntraced(function*(who: number) {
    resumed++
    if (takeOver) return
    if (holding.size > 0) wrong.push(`${who} resumed and ${[...holding].join()} held it`)
    holding.add(who)
    const now = yield* epoch
    if (now <= highest) wrong.push(`epoch ${now} came after epoch ${highest}`)
    highest = now
  })

  const attempt = Effect.fnUntraced(function*(who: number, number: number) {
    const outcome = yield* Effect.result(Claimants.resume(id, takeOver))
    if (Result.isFailure(outcome)) {
      const { came } = Claimants.nameOf(outcome.failure)
      if (came !== "RestoreFailed/AlreadyRunning") wrong.push(`${who} was told ${came}`)
      return
    }
    yield* enter(who)
    const text = `${who}:${number}`
    const before = [...acknowledged]
    const found = yield* Claimants.textsOf(outcome.success)
    if (!takeOver) wrong.push(...Contenders.differences(found, before))
    const mayBeOver = Effect.catch((
      error: Effect.Error<ReturnType<typeof Sessions.close>> | SessionError.EventRejected
    ) =>
      Effect.sync(() => {
        if (!takeOver || error._tag !== "SessionEnded") wrong.push(`${who} could not go on: ${error.message}`)
      })
    )
    yield* Effect.map(Claimants.say(outcome.success, text), () => void acknowledged.push(text)).pipe(mayBeOver)
    holding.delete(who)
    yield* mayBeOver(Sessions.close(id))
  })

  for (const { who } of all) turn.enter(who, yield* Effect.map(Random.choice(weights), Number))
  const drawing = yield* Effect.forkChild(turn.run)
  yield* Effect.forEach(all, ({ claimant, who }) =>
    claimant.perform(
      Effect.forEach(Array.from({ length: turns }, (_, number) => number), (number) => attempt(who, number))
    ).pipe(Effect.ensuring(turn.leave(who))), { concurrency: "unbounded", discard: true }).pipe(
      Effect.timeout("30 seconds")
    )
  yield* Fiber.join(drawing)
  const last = yield* claimant(() => (run) => run)
  const found = yield* last.perform(Effect.flatMap(Claimants.resume(id, false), Claimants.textsOf))
  yield* last.perform(Sessions.close(id))
  const kept = found.filter((text) => acknowledged.includes(text))
  wrong.push(...Contenders.differences(kept, acknowledged).map((what) => `of what was acknowledged, ${what}`))
  if (new Set(found).size < found.length) wrong.push(`something is stored twice: ${found.join()}`)
  wrong.push(...Contenders.untidiness(yield* Contenders.look(places, id), highest))
  wrong.push(...yield* Contenders.strays(places, id))
  return { wrong, resumed }
}, (effect) => Effect.scoped(effect))

/** Shuffles, every other one with takeovers. */
export const shuffles = Effect.fnUntraced(function*(options: {
  readonly rounds: number
  readonly disk?: Disk
}) {
  const { disk = "real", rounds } = options
  const findings: Array<string> = []
  let resumed = 0
  for (let number = 0; number < rounds; number++) {
    const seed = yield* Random.nextIntBetween(0, 2 ** 31)
    const takeOver = number % 2 === 1
    yield* shuffle({ claimants: 3, turns: 3, takeOver, disk }).pipe(
      Random.withSeed(seed),
      Effect.map((round) => {
        resumed += round.resumed
        return round.wrong
      }),
      Effect.catchCause((cause) => Effect.succeed([String(cause)])),
      Effect.map((wrong) =>
        findings.push(
          ...wrong.map((what) => `shuffle ${number} (seed ${seed}${takeOver ? ", taking over" : ""}): ${what}`)
        )
      )
    )
  }
  return { findings, rounds, resumed }
})
