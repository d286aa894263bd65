/** All that is done to find two winners, or a former holder that still counts. */
import { Effect } from "effect"
import type { Outcome } from "../campaign.ts"
import * as Contest from "./contest.ts"
import * as Delayed from "./delayed.ts"
import * as Shuffled from "./shuffled.ts"
import * as Succession from "./succession.ts"
import * as Suspended from "./suspended.ts"

/** `every` is for calls and gaps: each of them, each second one. */
export const run = Effect.fnUntraced(function*(options: {
  readonly rounds: number
  readonly processes: number
  readonly every: number
  readonly deaths: number
  readonly shuffles: number
}) {
  const { every } = options
  const contest = yield* Contest.rounds(options)
  const succession = yield* Succession.deaths({ rounds: options.deaths, waiting: 3 })
  const suspended = yield* Suspended.sleepEverywhere({ every })
  const delayed = yield* Delayed.everyGap({ every })
  const shuffled = yield* Shuffled.shuffles({ rounds: options.shuffles })
  const outcome: Outcome = {
    counts: [
      `${contest.rounds} rounds of ${options.processes} processes`,
      `${
        (contest.underWay / contest.rounds).toFixed(1)
      } under way when the lease was linked and ${contest.contested} rounds in which several tried to`,
      `${succession.deaths} winners killed`,
      `${suspended.sleeps} holders suspended`,
      `${delayed.gaps} claims held up`,
      `${shuffled.rounds} shuffles with ${shuffled.resumed} resumes`
    ].join(", "),
    findings: [contest, succession, suspended, delayed, shuffled].flatMap(({ findings }) => findings)
  }
  return outcome
})
