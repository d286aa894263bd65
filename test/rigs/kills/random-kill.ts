/**
 * Kills processes at moments that they don't choose, one after the other on the
 * same store, and judges what all of them did and saw. In half of the stores
 * another process looks on all the time, and resumes what it can get.
 */
import { Effect, Fiber, Option, Random, Result } from "effect"
import * as FilesGround from "../files-ground.ts"
import type { Ground, Make } from "../ground.ts"
import type { Mutant } from "../mutants/broken.ts"
import type * as SqlBroken from "../sql/broken.ts"
import * as Account from "./account.ts"
import * as Actor from "./actor.ts"
import * as Child from "./child.ts"
import * as Judge from "./judge.ts"

/** How long a process may take for what it should say next. */
const patience = "60 seconds"

/** How many marks a process has for itself. */
const marksEach = 100_000

/** Kills per store: the next process goes on where the last one was killed. */
const killsEach = 10

/** A process, what it did, and what is wrong with how it went. */
interface Watched {
  readonly child: Child.Child
  readonly actor: Account.Actor
}

const start = Effect.fnUntraced(function*(name: string, program: string, args: ReadonlyArray<string>) {
  const child = yield* Child.spawn(program, args)
  const watched: Watched = { child, actor: Account.actor(name, child.pid) }
  return watched
})

/** Hears the next line of a process, and writes it down. */
const hear = Effect.fnUntraced(function*({ actor, child }: Watched) {
  actor.lines.push(yield* Account.decode(yield* child.says))
})

const count = ({ lines }: Account.Actor, tag: Account.Line["_tag"]): number =>
  lines.filter(({ _tag }) => _tag === tag).length

/** Hears a process until it has said so many such lines; fails with what it said last where it does not. */
const hearUntil = (watched: Watched, tag: Account.Line["_tag"], times: number) =>
  Effect.suspend(() => count(watched.actor, tag) >= times ? Effect.void : hear(watched)).pipe(
    Effect.repeat({ until: () => count(watched.actor, tag) >= times }),
    Effect.timeout(patience),
    Effect.mapError((error) =>
      `${watched.actor.name} ended or fell silent after ${JSON.stringify(watched.actor.lines.at(-1))}: ${String(error)}`
    )
  )

/** One process from its start to its violent end, and what went wrong before. */
const wander = Effect.fnUntraced(
  function*(ground: Ground, life: Life, number: number, bystander: Option.Option<Watched>) {
    const seed = yield* Random.nextIntBetween(0, 2 ** 31)
    const deeds = yield* Random.nextIntBetween(0, 25)
    const delay = yield* Random.nextIntBetween(0, 20)
    const firstMark = (number + 1) * marksEach
    const wanderer = yield* start(
      `${life.name}, victim ${number}`,
      "../wanderer.ts",
      [ground.root, `${seed}`, `${firstMark}`, life.mutant ?? ""]
    )
    const { actor, child } = wanderer
    const lived = yield* hearUntil(wanderer, "Up", 1).pipe(
      Effect.andThen(Effect.forEach(Option.toArray(bystander), ({ child }) => child.tell("go"))),
      Effect.andThen(hearUntil(wanderer, "Ended", deeds)),
      Effect.andThen(Effect.sleep(`${delay} millis`)),
      Effect.result
    )
    actor.killedAt = Account.now()
    yield* Effect.ignore(child.kill)
    yield* child.gone
    yield* ground.freed(child.pid)
    actor.goneAt = Account.now()
    yield* Effect.ignore(Effect.forever(hear(wanderer)))
    const errors = yield* Fiber.join(child.errors)
    return { actor, wrong: [...errors === "" ? [] : [errors], ...Result.isFailure(lived) ? [lived.failure] : []] }
  },
  Effect.scoped
)

/** Lets the bystander make one more round, after which it is still. */
const pause = Effect.fnUntraced(function*(bystander: Watched) {
  const pauses = count(bystander.actor, "Paused")
  yield* bystander.child.tell("pause")
  yield* hearUntil(bystander, "Paused", pauses + 1)
})

/** Looks at everything that is stored; where it mends, leaves it closed, and says what should not be there. */
const examine = Effect.fnUntraced(function*(ground: Ground, examiner: Actor.Deeds, isMending: boolean) {
  const entries = yield* examiner.list
  yield* Effect.forEach(entries, ({ id }) => examiner.load(id))
  if (!isMending) return []
  const wrong: Array<string> = []
  for (const { id, status } of entries) {
    if (status === "removed") yield* examiner.restore(id)
    const resumed = yield* examiner.resume(id)
    if (Option.isNone(resumed)) continue
    yield* examiner.change(resumed.value, ["message"])
    // An append may have made a checkpoint of its own overdue, which is under way when it ends.
    yield* examiner.checkpoint(resumed.value)
    wrong.push(...yield* ground.unlike(id, "running"))
    yield* examiner.close(id)
    yield* examiner.load(id)
    wrong.push(...yield* ground.unlike(id, "closed"))
  }
  yield* examiner.cleanup(0)
  yield* examiner.list
  return [...wrong, ...yield* ground.strays()]
})

/** One store, from its first process to its last. */
interface Life {
  readonly name: string
  readonly kills: number
  readonly isWatched: boolean
  /** What those that are killed run on; and the bystander, where it is about who lives. */
  readonly mutant?: Mutant | SqlBroken.Mutant | undefined
  readonly ground: Make
  /** Whether it may end here. */
  readonly isEnough: () => boolean
}

const live = Effect.fnUntraced(function*(life: Life) {
  const ground = yield* life.ground
  const wrong: Array<string> = []
  const parent = Account.actor(`${life.name}, examiner`, process.pid)
  const examiner = Actor.make({ tell: (line) => parent.lines.push(line), firstMark: 1 })
  const bystander = life.isWatched
    ? Option.some(
      yield* start(`${life.name}, bystander`, "../bystander.ts", [
        ground.root,
        `${(life.kills + 1) * marksEach}`,
        life.mutant ?? ""
      ])
    )
    : Option.none<Watched>()
  const others = [parent, ...Option.toArray(Option.map(bystander, ({ actor }) => actor))]
  const victims: Array<Account.Actor> = []
  for (let number = 0; number < life.kills && wrong.length === 0 && !life.isEnough(); number++) {
    const ended = yield* wander(ground, life, number, bystander)
    victims.push(ended.actor)
    wrong.push(...ended.wrong)
    const isMending = number === life.kills - 1 || (yield* Random.nextBoolean)
    yield* Effect.forEach(Option.toArray(bystander), pause).pipe(
      Effect.andThen(examine(ground, examiner, isMending)),
      Effect.provide(ground.layer, { local: true }),
      Effect.match({
        onFailure: (error) => wrong.push(String(error)),
        onSuccess: (found) => wrong.push(...found)
      })
    )
    wrong.push(...Judge.judge([...victims, ...others]))
  }
  return {
    kills: victims.length,
    watched: life.isWatched ? victims.length : 0,
    cutShort: victims.flatMap(Judge.cutShort),
    findings: wrong.map((what) => `${life.name}: ${what}`)
  }
}, Effect.scoped)

/** How often each word is there, most often first. */
const tally = (words: ReadonlyArray<string>): string =>
  Object.entries(Object.groupBy(words, (word) => word))
    .map(([word, all]) => [word, all?.length ?? 0] as const)
    .toSorted(([, self], [, that]) => that - self)
    .map(([word, count]) => `${word} ${count}`).join(", ")

/** Kills so many processes, two stores at a time. A store where something is wrong is left; with a mutant, all are. */
export const killAtRandom = Effect.fnUntraced(
  function*(options: {
    readonly kills: number
    readonly mutant?: Life["mutant"]
    /** Files by default. */
    readonly ground?: Make
    readonly killsEach?: number
    /** Only this store, by number. */
    readonly store?: number | undefined
  }) {
    const each = options.killsEach ?? killsEach
    const findings: Array<string> = []
    const lives = Array.from({ length: Math.ceil(options.kills / each) }, (_, number) => ({
      name: `store ${number}`,
      kills: Math.min(each, options.kills - number * each),
      isWatched: number % 2 === 1,
      mutant: options.mutant,
      ground: options.ground ?? FilesGround.make,
      isEnough: () => options.mutant !== undefined && findings.length > 0
    }))
    // Drawn before: what runs at the same time draws in an order of its own.
    const seeded = yield* Effect.forEach(
      lives,
      (life) =>
        Effect.map(
          Random.nextIntBetween(0, 2 ** 31),
          (seed) =>
            Random.withSeed(
              Effect.tap(live(life), (ended) => Effect.sync(() => findings.push(...ended.findings))),
              seed
            )
        )
    )
    const chosen = seeded.filter((_, number) => options.store === undefined || number === options.store)
    const results = yield* Effect.all(chosen, { concurrency: 2 })
    const cutShort = results.flatMap(({ cutShort }) => cutShort)
    const sum = (of: (result: typeof results[number]) => number) =>
      results.reduce((total, result) => total + of(result), 0)
    const kills = sum(({ kills }) => kills)
    const watched = sum(({ watched }) => watched)
    return {
      kills,
      watched,
      cutShort: cutShort.length,
      counts: `${kills} kills (${watched} beside another process), ${cutShort.length} of them in the middle of ` +
        `something: ${tally(cutShort)}`,
      findings
    }
  }
)
