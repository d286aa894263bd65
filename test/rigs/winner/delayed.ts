/**
 * A claimant that is held up between two of its file-system calls, at every one
 * of them in turn, while another claims, appends and closes once, twice, three
 * times.
 */
import { Effect, Exit, Result } from "effect"
import { Sessions } from "../../../src/index.ts"
import { FileSystemHooks, TestLiveness } from "../../../src/testing/index.ts"
import type { Disk } from "../mutants/disks.ts"
import * as Claimants from "./claimants.ts"
import * as Contenders from "./contenders.ts"

/** Holds up one call, of those that are made while it is set. */
const holdUp = () => {
  const gap = { at: -1, seen: 0, meanwhile: Effect.void }
  const hook: FileSystemHooks.Hook = () => (run) =>
    Effect.suspend(() => gap.seen++ === gap.at ? Effect.andThen(gap.meanwhile, run) : run)
  return { gap, hook }
}

/** Whether the other one has closed the session when the slow one goes on, or still runs it. */
type Ending = "closed" | "runs"

const sleepAtEveryGap = Effect.fnUntraced(function*(options: {
  readonly times: number
  readonly ending: Ending
  readonly every: number
  readonly disk: Disk
}) {
  const { disk, ending, every, times } = options
  const findings: Array<string> = []
  const { gap, hook } = holdUp()
  const { claimant, epoch, id, places } = yield* Claimants.contested(TestLiveness.machine(), disk)
  const slow = yield* claimant(hook)
  const fast = yield* claimant(FileSystemHooks.none)
  const said: Array<string> = []
  const epochs: Array<number> = []
  let label = ""
  const report = (...wrong: ReadonlyArray<string>) => void findings.push(...wrong.map((what) => `${label}: ${what}`))

  /** Notes the lease that somebody holds now. */
  const holds = Effect.map(epoch, (epoch) => {
    const highest = Math.max(0, ...epochs)
    if (epoch <= highest) report(`epoch ${epoch} came after epoch ${highest}`)
    epochs.push(epoch)
  })

  /** Takes the session, looks whether it is as it should be, appends, and closes. */
  const turn = Effect.fnUntraced(function*(text: string, closes: boolean) {
    const session = yield* Claimants.resume(id, true)
    yield* holds
    report(...Contenders.differences(yield* Claimants.textsOf(session), said))
    yield* Claimants.say(session, text)
    said.push(text)
    if (closes) yield* Sessions.close(id)
  })

  const meanwhile = Effect.forEach(
    Array.from({ length: times }, (_, number) => number),
    (number) => fast.perform(turn(`${label}, ${number}`, ending === "closed" || number < times - 1)),
    { discard: true }
  ).pipe(
    Effect.exit,
    Effect.map((exit) => Exit.isFailure(exit) ? report(`the fast one failed: ${String(exit.cause)}`) : undefined)
  )

  const slowly = Effect.fnUntraced(function*(number: number) {
    label = `gap ${number}, ${times} times, then it ${ending}`
    const before = yield* epoch
    let claimed = false
    Object.assign(gap, {
      at: number,
      seen: 0,
      meanwhile: Effect.andThen(
        Effect.map(Effect.orDie(epoch), (now) => {
          claimed = now > before
        }),
        meanwhile
      )
    })
    const outcome = yield* slow.perform(Effect.result(Claimants.resume(id, false)))
    const calls = gap.seen
    gap.at = -1
    const isOver = calls <= number
    if (Result.isSuccess(outcome)) {
      if (!isOver && ending === "runs") report("the slow one resumed what the fast one runs")
      yield* holds
      report(...Contenders.differences(yield* Claimants.textsOf(outcome.success), said))
      const text = `${label}, slow`
      yield* slow.perform(Claimants.say(outcome.success, text))
      said.push(text)
      yield* slow.perform(Sessions.close(id))
    } else {
      const { came, pid } = Claimants.nameOf(outcome.failure)
      const mayFail = ending === "runs" || claimed
      if (!mayFail || came !== "RestoreFailed/AlreadyRunning" || pid !== fast.pid) {
        report(`the slow one was told ${came} by ${pid}, and ${claimed ? "had" : "had not"} claimed`)
      }
    }
    if (!isOver && ending === "runs") {
      yield* fast.perform(Effect.andThen(Claimants.sayWhere(id, `${label}, last`), Sessions.close(id)))
      said.push(`${label}, last`)
    }
    report(...Contenders.untidiness(yield* Contenders.look(places, id), before))
    return isOver
  })

  let slept = 0
  yield* Effect.gen(function*() {
    for (let number = 0; !(yield* slowly(number)); number += every) slept++
    label = "after the last gap"
    report(...yield* Contenders.strays(places, id))
  }).pipe(Effect.catchCause((cause) => Effect.sync(() => report(String(cause)))))
  return { findings, gaps: slept }
}, (effect) => Effect.scoped(effect))

/** Every `every`-th gap, with every number of times and both endings. */
export const everyGap = Effect.fnUntraced(function*(options: { readonly every: number; readonly disk?: Disk }) {
  const { disk = "real", every } = options
  const runs = yield* Effect.forEach(
    ([1, 2, 3] as const).flatMap((times) => (["closed", "runs"] as const).map((ending) => ({ times, ending }))),
    (run) => sleepAtEveryGap({ ...run, every, disk }),
    { concurrency: 2 }
  )
  return {
    findings: runs.flatMap(({ findings }) => findings),
    gaps: runs.reduce((sum, { gaps }) => sum + gaps, 0)
  }
})
