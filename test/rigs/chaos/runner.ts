/**
 * A runner whose agents write down when they start and end, on the clock that all
 * processes of the machine share.
 *
 * `node runner.ts <url> <schema> <port> <log>`
 */
import { Console, Effect, Layer, Logger } from "effect"
import { appendFileSync } from "node:fs"
import type { RunningSession } from "../../../src/index.ts"
import { NodeMain } from "../../../src/node/index.ts"
import { layerRunner } from "../../cluster/cluster-stack.ts"

const [url = "", schema = "", port = "0", log = ""] = process.argv.slice(2)

const write = (what: "start" | "end", { id }: RunningSession) =>
  Effect.sync(() => {
    const at = process.hrtime.bigint() / 1_000_000n
    appendFileSync(log, `${JSON.stringify({ what, id, pid: process.pid, at: Number(at) })}\n`)
  })

const agent = (session: RunningSession) =>
  Effect.andThen(write("start", session), Effect.never).pipe(Effect.ensuring(write("end", session)))

const ready = Layer.effectDiscard(Console.log("up"))

NodeMain.runMain(
  Layer.launch(
    Layer.provide(ready, layerRunner({ database: { url, schema }, port: Number(port), agent, isDue: () => false }))
  ).pipe(Effect.provide(Logger.layer([])))
)
