/**
 * Brings in one history, into sessions of so many bytes, and says what came of it
 * and how much memory it took. With `--expose-gc` also what was in use on the way,
 * at each so many bytes of the file.
 */
import { Effect, Layer, Stream } from "effect"
import * as NodeSessions from "../../src/node/NodeSessions.ts"
import * as Sessions from "../../src/pipelines/Sessions.ts"
import * as SessionLimits from "../../src/services/SessionLimits.ts"

const [file = "", directory = "", maxBytes = "", step = ""] = process.argv.slice(2)

const MiB = 1024 * 1024

const limits = Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, maxBytes: Number(maxBytes) })
const layer = Layer.provide(NodeSessions.layer({ directory }), limits)

const inUse: Array<number> = []
const onProgress = ({ bytes }: Sessions.HistoryProgress) =>
  Effect.sync(() => {
    if (globalThis.gc === undefined || bytes < (inUse.length + 1) * Number(step)) return
    globalThis.gc()
    inUse.push(Math.round(process.memoryUsage().heapUsed / MiB))
  })

const outcomes = await Effect.runPromise(
  Effect.provide(Stream.runCollect(Sessions.importHistory(file, { onProgress })), layer)
)

for (const outcome of outcomes) {
  if (outcome._tag !== "Imported") throw new Error(`it was not imported: ${JSON.stringify(outcome).slice(0, 500)}`)
  const { leftOut, messages, records } = outcome
  const peak = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log(JSON.stringify({ read: records.read, mapped: records.mapped, messages, leftOut, peakMiB: peak, inUse }))
}
