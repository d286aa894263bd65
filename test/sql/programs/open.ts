/**
 * A process that opens a store on PostgreSQL when it is told to, stores a session
 * and says how many it sees.
 *
 * `node open.ts <url> <schema>`
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import { once } from "node:events"
import { writeSync } from "node:fs"
import { ProjectDirectory, ResumeLimit, Sessions, Supervisor } from "../../../src/index.ts"
import { NodeSessions } from "../../../src/node/index.ts"
import { SqlSessionStore } from "../../../src/sql/index.ts"
import * as TestSessions from "../../../src/testing/TestSessions.ts"
import { layerClient } from "../../suites/postgres.ts"

const [url = "", schema = ""] = process.argv.slice(2)

const services = Layer.mergeAll(
  SqlSessionStore.layer(),
  ProjectDirectory.layerNone,
  Supervisor.layer,
  TestSessions.layerSigner,
  ResumeLimit.layerOff
).pipe(Layer.provideMerge(Layer.merge(NodeSessions.layerPlatform, layerClient({ url, schema }, { maxConnections: 2 }))))

const program = Effect.gen(function*() {
  const { id } = yield* Sessions.create({
    project: `/project/${process.pid}`,
    config: { provider: "test", model: "model", temperature: 0, maxTokens: 1 }
  })
  yield* Sessions.close(id)
  return (yield* Stream.runCollect(Sessions.list())).length
})

writeSync(1, "up\n")
await once(process.stdin, "data")
const seen = await Effect.runPromise(Effect.provide(program, Layer.merge(services, Logger.layer([]))))
writeSync(1, `${seen}\n`)
process.exit()
