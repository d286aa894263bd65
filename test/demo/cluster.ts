/** A conversation outlives the machine it is held on: run it with `npm run demo:cluster`. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Fiber, Logger, Stream } from "effect"
import { ClusterSessions } from "../../src/cluster/index.ts"
import type { Session } from "../../src/index.ts"
import { layerClient } from "../cluster/cluster-stack.ts"
import * as Child from "../rigs/kills/child.ts"
import * as PostgresServer from "../suites/postgres-server.ts"
import * as Postgres from "../suites/postgres.ts"

interface Runner {
  readonly name: string
  readonly child: Child.Child
}

const start = Effect.fnUntraced(function*({ schema, url }: Postgres.Database, name: string) {
  const port = yield* PostgresServer.freePort
  const child = yield* Child.spawn("../../demo/cluster-runner.ts", [url, schema, String(port), name])
  yield* child.says
  yield* Console.log(`  ${name} is process ${child.pid} and listens on port ${port}`)
  const runner: Runner = { name, child }
  return runner
})

const show = ({ content, role }: Session.Message) =>
  Console.log(`  ${role.padEnd(9)} ${typeof content === "string" ? content : ""}`)

/** Prints each message once. */
const follow = (session: ClusterSessions.ClusterSession) => {
  let shown = 0
  return Stream.runForEach(session.changes, ({ conversation }) => {
    const further = conversation.slice(shown)
    shown = conversation.length
    return Effect.forEach(further, show)
  })
}

/** The runner whose agent starts to think next. */
const thinking = (runners: ReadonlyArray<Runner>) =>
  Effect.raceAllFirst(runners.map((runner) => Effect.as(runner.child.says, runner)))

const answered = (session: ClusterSessions.ClusterSession) =>
  Stream.runHead(Stream.filter(session.changes, (state) => !ClusterSessions.isAnswerDue(state)))

const demo = Effect.gen(function*() {
  yield* Console.log("\n1. A PostgreSQL, and three runners that share it.")
  const server = yield* PostgresServer.start()
  const database = yield* Postgres.schemaIn(server.url)
  const runners = yield* Effect.forEach(["runner A", "runner B", "runner C"], (name) => start(database, name), {
    concurrency: "unbounded"
  })

  yield* Effect.gen(function*() {
    yield* Console.log("\n2. A client, which runs no sessions, creates one and asks its agent something.")
    const { create } = yield* ClusterSessions.ClusterSessions
    const session = yield* create({
      project: "/project",
      name: "A conversation",
      config: { provider: "none", model: "none", temperature: 0, maxTokens: 1 }
    })
    const following = yield* Effect.forkChild(follow(session))
    yield* session.append({ role: "user", content: "What is 6 times 7?" })
    yield* thinking(runners)
    yield* answered(session)

    yield* Console.log("\n3. The runner is killed while its agent thinks. Nobody does anything.")
    yield* session.append({ role: "user", content: "And how did you find that?" })
    const unlucky = yield* thinking(runners)
    yield* unlucky.child.kill
    yield* Console.log(`  *** ${unlucky.name}, process ${unlucky.child.pid}, was killed (SIGKILL) ***`)
    const others = runners.filter((runner) => runner !== unlucky)
    const next = yield* thinking(others)
    yield* Console.log(`  ${next.name} has the session now, and its agent thinks about the same question`)
    yield* answered(session)

    yield* Console.log("\n4. The conversation goes on.")
    yield* session.append({ role: "user", content: "Thank you." })
    yield* thinking(others)
    yield* answered(session)
    yield* session.close
    yield* Fiber.join(following)
    yield* Console.log("  closed\n")
  }).pipe(Effect.provide(layerClient(database)))
}).pipe(Effect.scoped)

NodeRuntime.runMain(demo.pipe(Effect.provide([NodeServices.layer, Logger.layer([])])))
