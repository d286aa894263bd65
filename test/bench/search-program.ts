/**
 * Stores sessions, or searches them and says how long it took and how much memory.
 * With `--expose-gc` also how much of it was in use on the way.
 */
import { Effect, Layer, Stream } from "effect"
import * as NodeSessions from "../../src/node/NodeSessions.ts"
import * as Sessions from "../../src/pipelines/Sessions.ts"
import * as SessionLimits from "../../src/services/SessionLimits.ts"

const [directory = "", what = "", ...args] = process.argv.slice(2)

const MiB = 1024 * 1024

const limits = Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, maxStored: Infinity })
const layer = Layer.provide(NodeSessions.layer({ directory }), limits)

/** A message of a KiB. */
const content = `A needle. ${"The quick brown fox jumps over the lazy dog; it is seen there.\n\n".repeat(16)}`

const fill = Effect.fnUntraced(function*(sessions: number, kib: number) {
  const { append, id } = yield* Sessions.create({
    project: process.cwd(),
    config: { provider: "none", model: "none", temperature: 0, maxTokens: 1 }
  })
  const messages = Array.from({ length: kib }, () => append({ role: "user", content }))
  yield* Effect.all(messages, { concurrency: "unbounded", discard: true })
  yield* Sessions.close(id)
  yield* Effect.replicateEffect(Sessions.fork(id), sessions - 1, { discard: true })
})

const search = Effect.fnUntraced(function*(text: string) {
  let [matches, inUse, seen] = [0, 0, ""]
  const heap = () => {
    globalThis.gc?.()
    inUse = Math.max(inUse, process.memoryUsage().heapUsed)
  }
  heap()
  const [before, begun] = [inUse, performance.now()]
  yield* Stream.runForEach(Sessions.search({ text }), (result) =>
    Effect.sync(() => {
      if (result._tag !== "Match") throw new Error("it could not be read")
      matches++
      if (seen === result.session.id) return
      seen = result.session.id
      heap()
    }))
  const seconds = ((performance.now() - begun) / 1000).toFixed(1)
  const mib = (bytes: number) => `${(bytes / MiB).toFixed(0)} MiB`
  console.log(
    `${matches} matches in ${seconds} s, at most ${mib(process.resourceUsage().maxRSS * 1024)} resident, ` +
      `${mib(before)} of the heap in use before and ${mib(inUse)} at most`
  )
})

const [first = "", second = ""] = args
const programs = { fill: fill(Number(first), Number(second)), search: search(first) }
await Effect.runPromise(Effect.provide(what === "fill" ? programs.fill : programs.search, layer))
