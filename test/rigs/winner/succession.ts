/**
 * The one that runs a session is killed at a random file-system call, while
 * others wait to resume it. As soon as it is dead, exactly one of them does, with
 * everything that was acknowledged; then it is its turn to be killed.
 */
import { Array as Arr, Effect, Random } from "effect"
import * as FilesGround from "../files-ground.ts"
import type { Make } from "../ground.ts"
import type { Contender } from "./contenders.ts"
import * as Contenders from "./contenders.ts"
import * as Contest from "./contest.ts"
import type * as Said from "./said.ts"

/** As many calls as three appends, a checkpoint, a close and a resume make, about. */
const callsOfWork = 100

/** Lets a contender work until it kills itself, and hears what it said until then. */
const workToDeath = Effect.fnUntraced(function*(victim: Contender) {
  const at = yield* Random.nextIntBetween(0, callsOfWork)
  const moment = (yield* Random.nextBoolean) ? "before" : "after"
  yield* victim.tell(`trap ${at} ${moment} kill`)
  yield* victim.tell("work")
  return { said: yield* victim.death, label: `killed ${moment} call ${at}` }
})

const textsOf = (said: ReadonlyArray<Said.Said>, tag: "Submitted" | "Acknowledged") =>
  said.flatMap((line) => line._tag === tag ? [line.text] : [])

/** What the dead one answered instead of dying. */
const answers = (said: ReadonlyArray<Said.Said>) =>
  said.flatMap((line) => line._tag === "Answer" ? [`it answered ${line.came} and did not die of it`] : [])

/** What is stored now: all that was acknowledged, and at most the last that was submitted. */
const missing = (found: ReadonlyArray<string>, stored: ReadonlyArray<string>, said: ReadonlyArray<Said.Said>) => {
  const submitted = textsOf(said, "Submitted")
  const certain = [...stored, ...textsOf(said, "Acknowledged")]
  return Contenders.differences(found, found.length > certain.length ? [...stored, ...submitted] : certain)
}

/** Deaths, one after the other, with `waiting` processes that want the session each time. */
export const deaths = Effect.fnUntraced(function*(options: {
  readonly rounds: number
  readonly waiting: number
  readonly disk?: Contenders.Broken
  /** Files by default. */
  readonly ground?: Make
}) {
  const { disk = "real", rounds, waiting } = options
  const ground = yield* Effect.orDie(options.ground ?? FilesGround.make)
  const start = Contenders.start(ground.root, disk)
  const findings: Array<string> = []
  let deaths = 0
  let label = "at the beginning"
  let epoch = 0

  yield* Effect.gen(function*() {
    let victim = yield* start
    const { id = "" } = yield* victim.must("create succession")
    const heir = Effect.tap(start, ({ must }) => must(`use ${id}`))
    let heirs: ReadonlyArray<Contender> = yield* Effect.forEach(Arr.range(1, waiting), () => heir, { concurrency: 2 })
    let stored: ReadonlyArray<string> = []
    for (let number = 0; number < rounds; number++) {
      // The next one to wait comes up meanwhile.
      const [death, next] = yield* Effect.all([workToDeath(victim), heir], { concurrency: 2 })
      deaths++
      label = `death ${number}, ${death.label}`
      yield* ground.freed(victim.pid)
      epoch = (yield* Contenders.standing(ground, id)).epoch
      const heard = yield* Contest.resumeTogether(heirs, number % 2 === 0 ? "at once" : "before the lease")
      const won = heard.find(({ answer }) => answer.came === "done")
      const found = won?.answer.texts ?? []
      findings.push(...[
        ...answers(death.said),
        ...Contest.verdict(heard),
        ...won === undefined ? [] : missing(found, stored, death.said)
      ].map((what) => `${label}: ${what}`))
      if (won === undefined) return
      stored = found
      victim = won.contender
      heirs = [...heirs.filter(({ pid }) => pid !== victim.pid), next]
    }
    yield* victim.must("close")
    findings.push(...Contenders.untidiness(yield* Contenders.standing(ground, id), epoch))
    findings.push(...yield* ground.strays(id))
  }).pipe(Effect.catch(({ message }) => Effect.sync(() => findings.push(`${label}: ${message}`))))
  return { findings, deaths }
}, (effect) => Effect.scoped(effect))
