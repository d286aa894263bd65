/**
 * A client whose sessions append one message after the other until it is told to
 * end, each until it is acknowledged. Then it says what was.
 *
 * `node client.ts <url> <schema> <sessions>`
 */
import { Effect, Logger, Random } from "effect"
import { once } from "node:events"
import { writeSync } from "node:fs"
import { ClusterSessions } from "../../../src/cluster/index.ts"
import { layerClient } from "../../cluster/cluster-stack.ts"

const [url = "", schema = "", sessions = "1"] = process.argv.slice(2)

const config = { provider: "test", model: "model", temperature: 0, maxTokens: 1 }
const over = { isSaid: false }
let slowest = 0
const errors: Record<string, number> = {}

/** Sends the same again until it is taken; what stood in the way is counted. */
const insist = <A, E extends { readonly _tag: string }>(effect: Effect.Effect<A, E>): Effect.Effect<A> =>
  Effect.catch(effect, (error) => {
    errors[error._tag] = (errors[error._tag] ?? 0) + 1
    return Effect.delay(insist(effect), "100 millis")
  })

const talk = Effect.fnUntraced(function*(name: string) {
  const { create } = yield* ClusterSessions.ClusterSessions
  const session = yield* insist(create({ project: "/project", name, config }))
  let acknowledged = 0
  while (!over.isSaid) {
    const before = performance.now()
    const message = { id: `${name}-${acknowledged}`, role: "user", content: String(acknowledged) } as const
    yield* insist(session.append(message))
    slowest = Math.max(slowest, performance.now() - before)
    acknowledged++
    yield* Effect.sleep(yield* Random.nextIntBetween(20, 300))
  }
  yield* insist(session.close)
  return { id: session.id, acknowledged }
})

const program = Effect.gen(function*() {
  const names = Array.from({ length: Number(sessions) }, (_, index) => `session-${index}`)
  const talks = yield* Effect.forEach(names, talk, { concurrency: "unbounded" })
  writeSync(1, `${JSON.stringify({ talks, slowest: Math.round(slowest), errors })}\n`)
})

void once(process.stdin, "data").then(() => {
  over.isSaid = true
})
await Effect.runPromise(program.pipe(Effect.provide([layerClient({ url, schema }), Logger.layer([])])))
process.exit()
