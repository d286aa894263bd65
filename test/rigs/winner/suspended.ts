/**
 * A holder stops itself (SIGSTOP) before and after every file-system call of
 * every operation. Another process takes the session over, appends, checkpoints
 * and closes. Then the first goes on, and must change nothing that counts.
 */
import { Effect, Option, Random } from "effect"
import * as FilesGround from "../files-ground.ts"
import type { Ground, Make, Standing } from "../ground.ts"
import type { Contender } from "./contenders.ts"
import * as Contenders from "./contenders.ts"
import type * as Said from "./said.ts"

/** Whether the other one has closed the session when the first wakes, or runs it again. */
export type Meanwhile = "closed" | "runs"

/** What is known when the first has answered. */
interface Facts {
  readonly holder: Contender
  readonly taker: Contender
  readonly meanwhile: Meanwhile
  /** The number that this round has in everything that it says. */
  readonly tag: string
  readonly answer: Said.Answer
  /** Whether no call was left when it woke. */
  readonly isLast: boolean
  readonly asleep: Standing
  /** What the holder had linked or published when it fell asleep. */
  readonly had: { readonly held: boolean; readonly ended: boolean; readonly published: boolean }
  /** What the taker found. */
  readonly found: Said.Answer
  readonly awake: Standing
}

interface Operation {
  /** Brings the holder to where the operation begins. */
  readonly prepare: (holder: Contender, tag: string) => Effect.Effect<unknown, Contenders.Unable>
  readonly request: (tag: string) => string
  /** Whether what it answered can be true. */
  readonly isRight: (facts: Facts) => boolean
  /** Where it leaves a session that the holder runs if it was not disturbed. */
  readonly settle: ReadonlyArray<string>
}

const running: Operation["prepare"] = (holder, tag) =>
  Effect.andThen(holder.must("resume"), holder.must(`append ${tag} begun`))

const interrupted: Operation["prepare"] = (holder, tag) => Effect.andThen(running(holder, tag), holder.must("discard"))

const isLost = ({ answer, taker }: Facts) => answer.came === "SessionEnded/LeaseLost" && answer.pid === taker.pid

const isRefused = ({ answer, taker }: Facts) =>
  answer.came === "RestoreFailed/AlreadyRunning" && answer.pid === taker.pid

const isDone = ({ answer }: Facts) => answer.came === "done"

const holdsNow = ({ awake, holder }: Facts, state: string) =>
  Option.exists(awake.lease, (lease) => lease.holder.pid === holder.pid && lease.state === state)

/** Acknowledged because nothing was left to look at, or in its turn, after the other one had closed. */
const isResumed = (facts: Facts) =>
  isDone(facts) && (facts.isLast || (facts.meanwhile === "closed" && holdsNow(facts, "held")))

const textOf = (tag: string) => `${tag} under way`

export const operations = {
  append: {
    prepare: running,
    request: (tag) => `append ${textOf(tag)}`,
    isRight: (facts) => isLost(facts) || (isDone(facts) && facts.found.texts?.includes(textOf(facts.tag)) === true),
    settle: ["close"]
  },
  checkpoint: {
    prepare: running,
    request: () => "checkpoint",
    isRight: (facts) => isLost(facts) || (isDone(facts) && facts.had.published),
    settle: ["close"]
  },
  close: {
    prepare: running,
    request: () => "close",
    /** What it published is what the other one began with, also where that one came before it was given back. */
    isRight: (facts) => isLost(facts) || (isDone(facts) && facts.had.published),
    settle: []
  },
  resume: {
    prepare: () => Effect.void,
    request: () => "resume",
    isRight: (facts) => isResumed(facts) || (isRefused(facts) && (facts.meanwhile === "runs" || facts.had.held)),
    settle: ["close"]
  },
  recover: {
    prepare: interrupted,
    request: () => "resume",
    isRight: (facts) => isResumed(facts) || (isRefused(facts) && (facts.meanwhile === "runs" || facts.had.held)),
    settle: ["close"]
  },
  /** Giving back what a resume that failed had claimed. */
  release: {
    prepare: () => Effect.void,
    request: () => "refused",
    isRight: ({ answer }) => answer.came === "RestoreFailed/StepFailed",
    settle: []
  },
  /** Giving back what was resumed and never written. */
  discard: {
    prepare: (holder) => holder.must("resume"),
    request: () => "discard",
    isRight: isDone,
    settle: []
  },
  remove: {
    prepare: () => Effect.void,
    request: () => "remove",
    isRight: (facts) =>
      facts.meanwhile === "runs"
        ? isRefused(facts) || (isDone(facts) && facts.had.ended)
        : isDone(facts) && (facts.had.ended || holdsNow(facts, "removed")),
    settle: ["restore"]
  },
  rename: {
    prepare: () => Effect.void,
    request: (tag) => `rename ${tag}`,
    isRight: (facts) =>
      (isLost(facts) && (facts.had.held || facts.had.ended)) || (isRefused(facts) && facts.meanwhile === "runs") ||
      (isDone(facts) && facts.awake.snapshot.includes(`"name":"${facts.tag}"`)),
    settle: []
  }
} satisfies Record<string, Operation>

export type Name = keyof typeof operations

/** Takes the session over, out of the trash if it is there, and leaves it as the round wants it. */
const takeOver = Effect.fnUntraced(function*(taker: Contender, tag: string, meanwhile: Meanwhile, isRemoved: boolean) {
  if (isRemoved) yield* taker.must("restore")
  const found = yield* taker.must("takeover")
  const said = [`${tag} taken`]
  yield* taker.must(`append ${tag} taken`)
  yield* taker.must("checkpoint")
  yield* taker.must("close")
  if (meanwhile === "runs") {
    yield* taker.must("resume")
    yield* taker.must(`append ${tag} again`)
    said.push(`${tag} again`)
  }
  return { found, said }
})

interface Pair {
  readonly ground: Ground
  readonly holder: Contender
  readonly taker: Contender
  readonly id: string
  /** Everything that was acknowledged, as the last look found it. */
  stored: ReadonlyArray<string>
}

const isIn = (lease: Standing["lease"], state: string) => Option.exists(lease, (lease) => lease.state === state)

interface Sleep {
  readonly name: Name
  readonly number: number
  readonly moment: "before" | "after"
  readonly meanwhile: Meanwhile
}

/** What the operation comes to when nobody disturbs it. */
const undisturbed = Effect.fnUntraced(function*(pair: Pair, name: Name) {
  const { holder } = pair
  const operation: Operation = operations[name]
  yield* operation.prepare(holder, name)
  const answer = yield* holder.ask(operation.request(name))
  for (const line of operation.settle) yield* holder.must(line)
  pair.stored = (yield* holder.must("resume")).texts ?? []
  yield* holder.must("close")
  return answer
})

/** One sleep, and everything that is wrong after it. */
const sleepAt = Effect.fnUntraced(function*(
  pair: Pair,
  { meanwhile, moment, name, number }: Sleep,
  report: (wrong: ReadonlyArray<string>) => void
) {
  const { ground, holder, id, taker } = pair
  const operation: Operation = operations[name]
  const tag = `${name} ${number} ${moment}`
  const look = Contenders.standing(ground, id)
  yield* operation.prepare(holder, tag)
  const begun = name === "append" || name === "checkpoint" || name === "close" || name === "recover"
  const acknowledged = begun ? [...pair.stored, `${tag} begun`] : pair.stored
  const before = yield* look
  const early = yield* holder.sleep({ at: number, moment, deed: "stop" }, operation.request(tag))
  if (Option.isSome(early)) return yield* new Contenders.Unable({ what: "it came to its end without that call" })
  const asleep = yield* look
  const isMine = asleep.epoch > before.epoch &&
    Option.exists(asleep.lease, ({ holder }) => holder.pid === pair.holder.pid)
  const had = {
    held: isMine && isIn(asleep.lease, "held"),
    ended: isMine && !isIn(asleep.lease, "held"),
    published: asleep.snapshot !== before.snapshot
  }
  const { found, said } = yield* takeOver(taker, tag, meanwhile, isIn(asleep.lease, "removed"))
  const left = yield* look

  holder.wake()
  const answer = yield* holder.answer
  const awake = yield* look
  const facts: Facts = {
    holder,
    taker,
    meanwhile,
    tag,
    answer,
    isLast: moment === "after" && answer.calls === number + 1,
    asleep,
    had,
    found,
    awake
  }
  if (!operation.isRight(facts)) {
    report([`it woke and answered ${answer.came} (holder ${answer.pid}), having ${JSON.stringify(had)}`])
  }
  const isItsTurn = isDone(facts) && awake.epoch > left.epoch
  if (!isItsTurn && awake.epoch !== left.epoch) report([`it linked lease ${awake.epoch} over ${left.epoch}`])
  if (!isItsTurn && awake.snapshot !== left.snapshot) report(["it published a snapshot"])
  report(foundWhat(found.texts ?? [], acknowledged, name === "append" ? textOf(tag) : undefined))

  if (!isItsTurn) report(yield* beyond(holder, tag))
  const everything = [...found.texts ?? [], ...said]
  if (meanwhile === "runs") {
    yield* taker.must(`append ${tag} last`)
    yield* taker.must("close")
    everything.push(`${tag} last`)
  }
  if (isItsTurn && name !== "rename" && name !== "remove") {
    report(Contenders.differences(answer.texts ?? [], everything))
    yield* holder.must("close")
  }
  if (isIn((yield* look).lease, "removed")) yield* holder.must("restore")
  report(yield* nextTurn(pair, everything, before.epoch))
})

/** The taker found what was acknowledged, and at most what was under way. */
const foundWhat = (found: ReadonlyArray<string>, acknowledged: ReadonlyArray<string>, underWay: string | undefined) =>
  Contenders.differences(
    found,
    underWay !== undefined && found.length > acknowledged.length ? [...acknowledged, underWay] : acknowledged
  ).map((what) => `the other one found: ${what}`)

/** A former holder acknowledges nothing more, and its agent ends without a word from us. */
const beyond = Effect.fnUntraced(function*(holder: Contender, tag: string) {
  const late = yield* holder.ask(`append ${tag} late`)
  const ended = yield* holder.ask("ended")
  return [
    ...(late.came.startsWith("SessionEnded/") ? [] : [`a later append came to ${late.came}`]),
    ...(ended.agents === 0 ? [] : [`${ended.agents} agents run on`])
  ]
})

/** Both go on working, and nothing is left over. */
const nextTurn = Effect.fnUntraced(function*(pair: Pair, everything: ReadonlyArray<string>, before: number) {
  const { ground, holder, id } = pair
  const { texts = [] } = yield* holder.must("resume")
  yield* holder.must("close")
  pair.stored = texts
  return [
    ...Contenders.differences(texts, everything).map((what) => `in the end ${what}`),
    ...Contenders.untidiness(yield* Contenders.standing(ground, id), before)
  ]
})

/** Two processes with a session of their own. */
const pairUp = Effect.fnUntraced(function*(disk: Contenders.Broken, make: Make = FilesGround.make) {
  const ground = yield* Effect.orDie(make)
  const [holder, taker] = yield* Effect.all(
    [Contenders.start(ground.root, disk), Contenders.start(ground.root, disk)],
    { concurrency: 2 }
  )
  const { id = "" } = yield* holder.must("create suspended")
  yield* holder.must("close")
  yield* taker.must(`use ${id}`)
  const pair: Pair = { ground, holder, taker, id, stored: [] }
  return pair
})

/** Where to sleep in an operation: before and after each call, or at one such place in `every`. */
const placesIn = Effect.fnUntraced(function*(pair: Pair, name: Name, every: number) {
  const { calls } = yield* undisturbed(pair, name)
  const all = Array.from({ length: calls }, (_, number) => number).flatMap((number) =>
    (["before", "after"] as const).map((moment) => ({ number, moment }))
  )
  return every === 1 ? all : (yield* Random.shuffle(all)).slice(0, Math.ceil(all.length / every))
})

/** Sleeps at the calls of the operations. */
const sleepThrough = Effect.fnUntraced(function*(options: {
  readonly names: ReadonlyArray<Name>
  readonly every: number
  readonly disk: Contenders.Broken
  readonly ground: Make | undefined
  readonly meanwhile: Meanwhile
  readonly enough: number
}) {
  const { disk, enough, every, ground, meanwhile, names } = options
  const findings: Array<string> = []
  let sleeps = 0
  let at = "at the beginning"
  const report = (wrong: ReadonlyArray<string>) => void findings.push(...wrong.map((what) => `${at}: ${what}`))
  yield* Effect.gen(function*() {
    const pair = yield* pairUp(disk, ground)
    for (const name of names) {
      for (const { moment, number } of yield* placesIn(pair, name, every)) {
        if (findings.length >= enough) return
        at = `${name} ${number} ${moment} call, then the other one ${meanwhile}`
        yield* sleepAt(pair, { name, number, moment, meanwhile }, report)
        sleeps++
      }
    }
    report(yield* pair.ground.strays(pair.id))
  }).pipe(
    Effect.catch(({ message }) => Effect.sync(() => report([message]))),
    Effect.scoped
  )
  return { findings, sleeps }
})

const isName = (name: string): name is Name => name in operations

/** All operations, on the real disk, with both things that happen meanwhile, unless said otherwise. */
export const sleepEverywhere = Effect.fnUntraced(function*(options: {
  readonly every: number
  readonly names?: ReadonlyArray<Name>
  readonly disk?: Contenders.Broken
  /** Files by default. */
  readonly ground?: Make
  readonly meanwhile?: ReadonlyArray<Meanwhile>
  /** How many findings end the run. */
  readonly enough?: number
}) {
  const {
    disk = "real",
    enough = 50,
    every,
    ground,
    meanwhile = ["closed", "runs"],
    names = Object.keys(operations).filter(isName)
  } = options
  const both = yield* Effect.forEach(
    meanwhile,
    (meanwhile) => sleepThrough({ names, every, disk, ground, meanwhile, enough }),
    { concurrency: 2 }
  )
  return {
    findings: both.flatMap(({ findings }) => findings),
    sleeps: both.reduce((sum, { sleeps }) => sum + sleeps, 0)
  }
})
