/**
 * A runner of a cluster as a process of its own, until it is told to end.
 *
 * `node runner.ts <url> <schema> <port>`
 */
import { Effect, Layer, Logger } from "effect"
import { writeSync } from "node:fs"
import { NodeMain } from "../../../src/node/index.ts"
import { layerRunner } from "../cluster-stack.ts"

const [url = "", schema = "", port = "0"] = process.argv.slice(2)

const ready = Layer.effectDiscard(Effect.sync(() => writeSync(1, "up\n")))

NodeMain.runMain(
  Layer.launch(Layer.provide(ready, layerRunner({ database: { url, schema }, port: Number(port) }))).pipe(
    Effect.provide(Logger.layer([]))
  )
)
