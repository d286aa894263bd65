/**
 * A holder sleeps (SIGSTOP) for longer than its lease lasts. As soon as that has
 * passed another process resumes the session, without taking it over, and adds to
 * it. Then the first goes on: whatever it still says is refused with the error
 * that names the other one, nobody can read it, and its agent has ended.
 */
import { Effect, Random } from "effect"
import type { Make } from "../ground.ts"
import type { Broken, Contender } from "../winner/contenders.ts"
import * as Contenders from "../winner/contenders.ts"

/** What a former holder tries, as often as it likes. */
const attempts = 3

/** Asks again for as long as somebody is in the way. */
const resumeWhenFree = (heir: Contender) =>
  Effect.repeat(heir.ask("resume"), { until: ({ came }) => came !== "RestoreFailed/AlreadyRunning" })

interface Pair {
  readonly holder: Contender
  readonly heir: Contender
}

/** One sleep. Who took over is the next one to sleep. */
const lapse = Effect.fnUntraced(function*(
  { heir, holder }: Pair,
  number: number,
  said: Array<string>,
  report: (wrong: ReadonlyArray<string>) => void
) {
  const say = (who: Contender, text: string) =>
    Effect.andThen(who.must(`append ${text}`), Effect.sync(() => said.push(text)))
  yield* say(holder, `${number} before`)
  yield* Effect.sync(() => process.kill(holder.pid, "SIGSTOP"))
  const began = performance.now()
  const early = yield* heir.ask("resume")
  if (early.came !== "RestoreFailed/AlreadyRunning" || early.pid !== holder.pid) {
    report([`before its time the other one came to ${early.came}`])
  }
  const found = early.came === "done" ? early : yield* resumeWhenFree(heir)
  const takeover = performance.now() - began
  if (found.came !== "done") report([`the other one came to ${found.came}`])
  report(Contenders.differences(found.texts ?? [], said))
  yield* say(heir, `${number} after`)
  yield* Effect.sync(holder.wake)
  const isCheckpointFirst = yield* Random.nextBoolean
  for (let attempt = 0; attempt < attempts; attempt++) {
    const late = yield* holder.ask(isCheckpointFirst && attempt === 0 ? "checkpoint" : `append ${number} late`)
    if (late.came !== "SessionEnded/LeaseLost" && !(attempt > 0 && late.came.startsWith("SessionEnded/"))) {
      report([`late, it came to ${late.came}`])
    }
  }
  yield* say(heir, `${number} beside`)
  const ended = yield* holder.ask("ended")
  if (ended.agents !== 0) report([`${ended.agents} agents run on`])
  return takeover
})

/** So many sleeps, two pairs of processes at a time. The ground's leases must be short. */
export const lapses = Effect.fnUntraced(function*(options: {
  readonly ground: Make
  readonly rounds: number
  readonly mutant?: Broken
}) {
  const { mutant = "real", rounds } = options
  const ground = yield* Effect.orDie(options.ground)
  const findings: Array<string> = []
  const takeovers: Array<number> = []

  const series = Effect.fnUntraced(function*(series: number, rounds: number) {
    let label = `series ${series}`
    const report = (wrong: ReadonlyArray<string>) => void findings.push(...wrong.map((what) => `${label}: ${what}`))
    yield* Effect.gen(function*() {
      let [holder, heir] = yield* Effect.all(
        [Contenders.start(ground.root, mutant), Contenders.start(ground.root, mutant)],
        { concurrency: 2 }
      )
      const { id = "" } = yield* holder.must(`create lapsed ${series}`)
      yield* heir.must(`use ${id}`)
      const said: Array<string> = []
      for (let number = 0; number < rounds && findings.length === 0; number++) {
        label = `series ${series}, lapse ${number}`
        takeovers.push(yield* lapse({ holder, heir }, number, said, report))
        ;[holder, heir] = [heir, holder]
      }
      yield* holder.must("close")
      const { texts = [] } = yield* heir.must("resume")
      report(Contenders.differences(texts, said))
    }).pipe(Effect.catch(({ message }) => Effect.sync(() => report([message]))))
  }, Effect.scoped)

  const each = Math.ceil(rounds / 2)
  const shares = [each, rounds - each].filter((rounds) => rounds > 0)
  yield* Effect.forEach(shares, (rounds, number) => series(number, rounds), { concurrency: 2 })
  const sorted = takeovers.toSorted((self, that) => self - that)
  return {
    findings,
    lapses: takeovers.length,
    median: Math.round(sorted[sorted.length >> 1] ?? 0),
    longest: Math.round(sorted.at(-1) ?? 0)
  }
}, Effect.scoped)
