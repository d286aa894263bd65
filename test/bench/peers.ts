/**
 * What people would use otherwise, at the same work, on the same messages and the
 * same disk, in turn. Their packages are installed into the user's cache.
 *
 * `npm run bench:peers [-- --only "lowdb;conf" --directory /disk --json FILE]`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, DateTime, Effect, Logger } from "effect"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { parseArgs } from "node:util"
import * as Machine from "./measuring/machine.ts"
import * as Report from "./measuring/report.ts"
import { peers } from "./peers/catalogue.ts"
import * as Contest from "./peers/contest.ts"
import { install } from "./peers/install.ts"
import * as Workspace from "./workspace.ts"

const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    directory: { type: "string", default: NodeOs.tmpdir() },
    json: { type: "string", default: NodePath.join(NodeOs.tmpdir(), `reprise-bench-peers-${process.pid}.json`) },
    seed: { type: "string", default: "1" },
    rounds: { type: "string", default: "5" },
    times: { type: "string", default: "3" },
    counts: { type: "string", default: "100,1000,10000" },
    sessions: { type: "string", default: "1000" }
  }
})

const only = values.only === "" ? undefined : new Set(values.only.split(";"))

const work = {
  seed: Number(values.seed),
  rounds: Number(values.rounds),
  times: Number(values.times),
  counts: values.counts.split(",").map(Number),
  listed: { sessions: Number(values.sessions), messages: 10 }
}

const main = Effect.gen(function*() {
  const root = yield* Workspace.make(values.directory)
  const machine = Machine.describe(root)
  yield* Console.log(Report.heading(machine))
  const { measured, skipped } = yield* Contest.run({
    ...work,
    root,
    library: "built",
    peers: peers.filter(({ name }) => only?.has(name) ?? true),
    install,
    traces: true,
    tell: Console.log
  })
  yield* Console.log(`\nmilliseconds; bytes and syncs of an append of 1 KiB\n${Contest.table(work, measured)}`)
  for (const { name, reason } of skipped) yield* Console.log(`skipped ${name}: ${reason}`)
  const report = { at: DateTime.formatIso(yield* DateTime.now), machine, ...work, measured, skipped }
  NodeFs.writeFileSync(values.json, `${JSON.stringify(report, undefined, 2)}\n`)
  yield* Console.log(`\nwritten to ${values.json}`)
}).pipe(Effect.scoped, Effect.provide(Logger.layer([])))

NodeRuntime.runMain(main)
