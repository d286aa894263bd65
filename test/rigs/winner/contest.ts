/**
 * Many processes resume the same session at one instant, round after round. One
 * succeeds, the others name it; it appends and closes.
 */
import { Effect, Option, Random } from "effect"
import * as FilesGround from "../files-ground.ts"
import type { Make } from "../ground.ts"
import type { Contender, Trap } from "./contenders.ts"
import * as Contenders from "./contenders.ts"
import type * as Said from "./said.ts"

/**
 * Where the contenders wait for each other: before the first call, before they
 * try to link a lease, before and after that, anywhere.
 */
const starts = ["at once", "before the lease", "over the lease", "anywhere"] as const

export type Start = typeof starts[number]

/** As many calls as a resume makes, about. */
const callsOfResume = 60

const trapFor = (start: Start): Effect.Effect<Trap> =>
  Effect.map(Random.nextIntBetween(0, callsOfResume), (number) => ({
    at: start === "at once" ? 0 : start === "anywhere" ? number : "link",
    moment: start === "over the lease" ? "around" : "before",
    deed: "stop"
  }))

/** What each contender answered. */
export interface Heard {
  readonly contender: Contender
  readonly answer: Said.Answer
}

/** Lets them resume at one instant, once each of them waits, and hears them all. */
export const resumeTogether = Effect.fnUntraced(function*(contenders: ReadonlyArray<Contender>, start: Start) {
  const traps = yield* Effect.forEach(contenders, () => trapFor(start))
  const early = yield* Effect.forEach(
    contenders,
    (contender, index) => contender.sleep(traps[index] ?? { at: 0, moment: "before", deed: "stop" }, "resume"),
    { concurrency: "unbounded" }
  )
  for (const { wake } of contenders) wake()
  const later = start !== "over the lease" ? early : yield* Effect.forEach(
    contenders,
    ({ doze }, index) => Option.isSome(early[index] ?? Option.none()) ? Effect.succeed(early[index]) : doze,
    { concurrency: "unbounded" }
  )
  for (const { wake } of contenders) wake()
  return yield* Effect.forEach(contenders, (contender, index) =>
    Effect.map(
      Option.match(later[index] ?? Option.none(), { onNone: () => contender.answer, onSome: Effect.succeed }),
      (answer): Heard => ({ contender, answer })
    ), { concurrency: "unbounded" })
})

/** What is wrong with what they answered. */
export const verdict = (heard: ReadonlyArray<Heard>): ReadonlyArray<string> => {
  const winners = heard.filter(({ answer }) => answer.came === "done")
  const [winner] = winners
  return [
    ...(winners.length === 1
      ? []
      : [`${winners.length} resumed: ${winners.map(({ contender }) => contender.pid).join()}`]),
    ...heard.filter(({ answer }) =>
      answer.came !== "done" && (answer.came !== "RestoreFailed/AlreadyRunning" || answer.pid !== winner?.contender.pid)
    ).map(({ answer, contender: { pid } }) =>
      `process ${pid} was told ${answer.came} by ${answer.pid}, and ${winner?.contender.pid} resumed`
    )
  ]
}

/** How many were under way when the winner linked its lease, and how many tried to link one. */
const contention = (heard: ReadonlyArray<Heard>) => {
  const won = heard.find(({ answer }) => answer.came === "done")?.answer.linked ?? 0
  return {
    underWay: heard.filter(({ answer }) => answer.began <= won && answer.ended >= won).length,
    linking: heard.filter(({ answer }) => answer.linked !== undefined).length
  }
}

/** Rounds among the same processes. `contested` counts those in which two or more tried to link the lease. */
export const rounds = Effect.fnUntraced(function*(options: {
  readonly rounds: number
  readonly processes: number
  readonly disk?: Contenders.Broken
  /** Files by default. */
  readonly ground?: Make
}) {
  const { disk = "real", processes } = options
  const ground = yield* Effect.orDie(options.ground ?? FilesGround.make)
  const contenders = yield* Effect.forEach(
    Array.from({ length: processes }),
    () => Contenders.start(ground.root, disk),
    { concurrency: "unbounded" }
  )
  const [first, ...others] = contenders
  const findings: Array<string> = []
  const said: Array<string> = []
  const counts = { rounds: 0, contested: 0, underWay: 0, linking: 0 }
  const { id = "" } = first === undefined ? {} : yield* first.must("create contest")
  yield* first === undefined ? Effect.void : first.must("close")
  yield* Effect.forEach(others, ({ must }) => must(`use ${id}`))

  const round = Effect.fnUntraced(function*(number: number) {
    const start = starts[number % starts.length] ?? "at once"
    const { epoch } = yield* Contenders.standing(ground, id)
    const heard = yield* resumeTogether(contenders, start)
    const { linking, underWay } = contention(heard)
    counts.rounds++
    counts.underWay += underWay
    counts.linking += linking
    if (linking > 1) counts.contested++
    const wrong = [...verdict(heard)]
    for (const { answer, contender } of heard.filter(({ answer }) => answer.came === "done")) {
      wrong.push(...Contenders.differences(answer.texts ?? [], said))
      const text = `${number}:${contender.pid}`
      for (const line of [`append ${text}`, "close"]) {
        const { came } = yield* contender.ask(line)
        if (came !== "done") wrong.push(`the winner was to ${line}: ${came}`)
        else if (line !== "close") said.push(text)
      }
    }
    wrong.push(...Contenders.untidiness(yield* Contenders.standing(ground, id), epoch))
    findings.push(...wrong.map((what) => `round ${number}, ${start}: ${what}`))
  })

  yield* Effect.forEach(Array.from({ length: options.rounds }, (_, number) => number), round, { discard: true }).pipe(
    Effect.andThen(
      first === undefined ? Effect.void : Effect.map(first.must("resume"), ({ texts = [] }) => {
        findings.push(...Contenders.differences(texts, said).map((what) => `after ${options.rounds} rounds: ${what}`))
      })
    ),
    Effect.catch(({ message }) => Effect.sync(() => findings.push(`round ${counts.rounds - 1}: ${message}`)))
  )
  findings.push(...yield* ground.strays(id))
  return { findings, ...counts }
}, (effect) => Effect.scoped(effect))
