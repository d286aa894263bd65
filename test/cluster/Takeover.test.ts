import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Logger } from "effect"
import { ClusterSessions } from "effect-reprise/cluster"
import * as Child from "../rigs/kills/child.ts"
import { freePort } from "../suites/postgres-server.ts"
import * as Shared from "../suites/postgres-shared.ts"
import type { Database } from "../suites/postgres.ts"
import { layerClient } from "./cluster-stack.ts"

const config = { provider: "test", model: "model", temperature: 0, maxTokens: 10 }

const startRunner = Effect.fnUntraced(function*({ schema, url }: Database) {
  const runner = yield* Child.spawn("../../cluster/programs/runner.ts", [url, schema, String(yield* freePort)])
  assert.strictEqual(yield* runner.says, "up")
  return runner
})

const append = (session: ClusterSessions.ClusterSession, contents: ReadonlyArray<string>) =>
  Effect.forEach(contents, (content) => session.append({ role: "user", content }))

describe("A cluster of runner processes", () => {
  it.live(
    "goes on with a session whose runner was killed, and with one whose runner was told to end",
    () =>
      Effect.gen(function*() {
        const database = yield* Shared.database
        const [first, second] = yield* Effect.all([startRunner(database), startRunner(database)], {
          concurrency: "unbounded"
        })
        yield* Effect.gen(function*() {
          const { create } = yield* ClusterSessions.ClusterSessions
          const sessions = yield* Effect.forEach(
            ["a", "b", "c"],
            (name) => create({ project: "/project", name, config })
          )
          yield* Effect.forEach(sessions, (session) => append(session, ["1", "2"]))
          yield* first.kill
          yield* Effect.forEach(sessions, (session) => append(session, ["3", "4"]), { concurrency: "unbounded" })
          const third = yield* startRunner(database)
          process.kill(second.pid, "SIGTERM")
          yield* Effect.forEach(sessions, (session) => append(session, ["5", "6"]), { concurrency: "unbounded" })
          yield* second.gone
          yield* Effect.forEach(sessions, (session) => session.close)
          for (const session of sessions) {
            const { conversation } = yield* session.state
            assert.deepStrictEqual(conversation.map(({ content }) => content), ["1", "2", "3", "4", "5", "6"])
          }
          yield* third.kill
        }).pipe(Effect.provide(layerClient(database), { local: true }))
      }).pipe(Effect.scoped, Effect.provide([NodeServices.layer, Logger.layer([])])),
    120_000
  )
})
