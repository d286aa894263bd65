/** All that is done to find two winners in a database, or a former holder that still counts. */
import { Effect } from "effect"
import * as PostgresServer from "../../suites/postgres-server.ts"
import type { Outcome } from "../campaign.ts"
import * as Contest from "../winner/contest.ts"
import * as Succession from "../winner/succession.ts"
import * as Suspended from "../winner/suspended.ts"
import * as SqlGround from "./ground.ts"
import * as Lapsed from "./lapsed.ts"

/** Milliseconds: long enough for a busy machine, short enough to wait for. */
export const leaseFor = 600

/** `every` is for statements: each of them, each second one. */
export const run = Effect.fnUntraced(function*(options: {
  readonly rounds: number
  readonly processes: number
  readonly every: number
  readonly deaths: number
  readonly lapses: number
}) {
  const { url } = yield* PostgresServer.start()
  const contest = yield* Contest.rounds({ ...options, ground: SqlGround.make(url) })
  const succession = yield* Succession.deaths({
    rounds: options.deaths,
    waiting: 3,
    ground: SqlGround.make(url)
  })
  const suspended = yield* Suspended.sleepEverywhere({
    every: options.every,
    ground: SqlGround.make(url)
  })
  const lapsed = yield* Lapsed.lapses({ rounds: options.lapses, ground: SqlGround.make(url, { leaseFor }) })
  const outcome: Outcome = {
    counts: [
      `${contest.rounds} rounds of ${options.processes} processes`,
      `${
        (contest.underWay / contest.rounds).toFixed(1)
      } under way when the row was won and ${contest.contested} rounds in which several tried to`,
      `${succession.deaths} winners killed`,
      `${suspended.sleeps} holders suspended`,
      `${lapsed.lapses} leases of ${leaseFor} ms slept through, taken over after ${lapsed.median} ms (at most ${lapsed.longest})`
    ].join(", "),
    findings: [contest, succession, suspended, lapsed].flatMap(({ findings }) => findings)
  }
  return outcome
})
