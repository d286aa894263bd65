/**
 * A cluster of processes, a client process, and what befalls them.
 */
import { Clock, Effect, FileSystem, Path, Random, Schema } from "effect"
import { SessionId, Sessions } from "../../../src/index.ts"
import { layerStore } from "../../cluster/cluster-stack.ts"
import * as PostgresServer from "../../suites/postgres-server.ts"
import * as Postgres from "../../suites/postgres.ts"
import type { Outcome } from "../campaign.ts"
import * as Child from "../kills/child.ts"
import * as Spells from "./spells.ts"

const Report = Schema.fromJsonString(Schema.Struct({
  talks: Schema.Array(Schema.Struct({ id: SessionId.SessionId, acknowledged: Schema.Int })),
  slowest: Schema.Int,
  errors: Schema.Record(Schema.String, Schema.Int)
}))

/** Milliseconds in which a holder that was replaced finds out: it says that it lives more often than that. */
const grace = 3000

const now = Effect.sync(() => Number(process.hrtime.bigint() / 1_000_000n))

const signal = (pid: number, name: "SIGSTOP" | "SIGCONT" | "SIGTERM") => Effect.sync(() => process.kill(pid, name))

const takeoversIn = (takeovers: ReadonlyArray<number>): string =>
  takeovers.length === 0
    ? "no session of a killed runner was taken over"
    : `${takeovers.length} sessions of killed runners went on elsewhere after ${
      takeovers[takeovers.length >> 1]
    } ms (median), at most ${takeovers.at(-1)}`

/** Runs a storm of so many seconds, and looks at what is left. */
export const run = Effect.fnUntraced(function*(options: {
  readonly seconds: number
  readonly sessions: number
  readonly runners: number
}) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const log = path.join(yield* fs.makeTempDirectoryScoped({ prefix: "reprise-chaos-" }), "starts.jsonl")
  const server = yield* PostgresServer.start()
  const place = yield* Postgres.schemaIn(server.url)
  const fates = new Map<number, Spells.Fate>()
  const counts = { killed: 0, suspended: 0, drained: 0, crashed: 0 }

  const start = Effect.gen(function*() {
    const port = String(yield* PostgresServer.freePort)
    const child = yield* Child.spawn("../chaos/runner.ts", [place.url, place.schema, port, log])
    yield* child.says
    fates.set(child.pid, { suspended: [] })
    return child
  })

  const kill = Effect.fnUntraced(function*(child: Child.Child) {
    yield* child.kill
    const fate = fates.get(child.pid)
    if (fate !== undefined) fate.killed = yield* now
    counts.killed++
    return yield* start
  })

  const drain = Effect.fnUntraced(function*(child: Child.Child) {
    yield* signal(child.pid, "SIGTERM")
    yield* child.gone
    counts.drained++
    return yield* start
  })

  const suspend = Effect.fnUntraced(function*(child: Child.Child) {
    const from = yield* now
    yield* signal(child.pid, "SIGSTOP")
    yield* Effect.sleep(yield* Random.nextIntBetween(500, 5000))
    const to = yield* now
    yield* signal(child.pid, "SIGCONT")
    fates.get(child.pid)?.suspended.push({ from, to })
    counts.suspended++
    return child
  })

  const crash = Effect.fnUntraced(function*(child: Child.Child) {
    yield* server.restart
    counts.crashed++
    return child
  })

  const runners = yield* Effect.all(Array.from({ length: options.runners }, () => start), { concurrency: "unbounded" })
  const client = yield* Child.spawn("../chaos/client.ts", [place.url, place.schema, String(options.sessions)])
  const began = yield* Clock.currentTimeMillis
  const isOver = Effect.map(Clock.currentTimeMillis, (at) => at - began > options.seconds * 1000)
  const halfway = Effect.map(Clock.currentTimeMillis, (at) => at - began > options.seconds * 500)
  while (!(yield* isOver)) {
    yield* Effect.sleep(yield* Random.nextIntBetween(300, 2000))
    const index = yield* Random.nextIntBetween(0, runners.length)
    const child = runners[index]
    if (child === undefined) continue
    const mishaps = [kill, suspend, drain] as const
    const mishap = counts.crashed === 0 && (yield* halfway) ? crash : yield* Random.choice(mishaps)
    runners[index] = yield* mishap(child)
  }
  yield* client.tell("end")
  const report = yield* Schema.decodeEffect(Report)(yield* client.says)
  yield* Effect.forEach(runners, (child) => Effect.andThen(signal(child.pid, "SIGTERM"), child.gone), {
    concurrency: "unbounded"
  })

  const lost = yield* Effect.forEach(
    report.talks,
    ({ acknowledged, id }) =>
      Effect.map(Sessions.load(id), ({ state }) => {
        const said = state.conversation.map(({ content }) => JSON.stringify(content))
        const meant = Array.from({ length: acknowledged }, (_, number) => JSON.stringify(String(number)))
        return said.join() === meant.join() ? [] : [`session ${id} has ${said.length} of ${acknowledged} messages`]
      })
  ).pipe(Effect.provide(layerStore(place)))
  const spells = yield* Spells.judge({ log, fates, grace })

  const acknowledged = report.talks.reduce((sum, talk) => sum + talk.acknowledged, 0)
  const refused = Object.entries(report.errors).map(([tag, times]) => `${times} ${tag}`).join(", ")
  const outcome: Outcome = {
    counts: `${report.talks.length} sessions, ${acknowledged} messages, ${spells.starts} starts; ` +
      `${counts.killed} kills, ${counts.suspended} suspensions, ${counts.drained} drains, ${counts.crashed} crashes ` +
      `of the database; ${takeoversIn(spells.takeovers)}; the longest wait ${report.slowest} ms; ` +
      `woken runners went on for ${spells.longestAfterSleep} ms; errors on the way: ${
        refused === "" ? "none" : refused
      }`,
    findings: [...lost.flat(), ...spells.findings]
  }
  return { ...outcome, acknowledged, mishaps: counts }
})
