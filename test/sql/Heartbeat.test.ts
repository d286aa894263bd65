import { assert, describe, it } from "@effect/vitest"
import { Effect, Latch, Layer, Option } from "effect"
import { Agent, type RunningSession, type SessionError, Sessions, Supervisor } from "effect-reprise"
import { TestClock } from "effect/testing"
import * as FaultyClient from "../suites/faulty-client.ts"
import * as Rig from "../suites/rig.ts"
import * as SqlStack from "../suites/sql-stack.ts"

const create = Sessions.create({ project: "/project", name: "one", config: Rig.config })

/** A holder whose way to its database can be cut, and whose agent runs until it is stopped. */
const holder = Effect.fnUntraced(function*(
  { place }: SqlStack.Kind,
  options: { readonly leaseFor: number; readonly isHeard?: boolean }
) {
  const way = yield* Latch.make(true)
  const agents = { running: 0 }
  /** Where nothing is heard of a broken connection, nobody learns that before it is mended. */
  const fail = Effect.andThen(options.isHeard === false ? way.await : Effect.void, Effect.fail(FaultyClient.broken))
  const hook: FaultyClient.Hook = (_, run) => Effect.suspend(() => way.isOpen() ? run : fail)
  const agent = Agent.layer(() =>
    Effect.acquireUseRelease(
      Effect.sync(() => void agents.running++),
      () => Effect.never,
      () => Effect.sync(() => void agents.running--)
    )
  )
  const client = Layer.provide(FaultyClient.layer(hook), yield* place)
  const run = <A, E>(program: Effect.Effect<A, E, SqlStack.Services>) =>
    SqlStack.run(program, { client, agent, leaseFor: options.leaseFor })
  return { agents, run, way }
})

/** Waits until the session's agent has been stopped. */
const stopped = ({ id }: RunningSession) =>
  Effect.repeat(Supervisor.Supervisor.use(({ get }) => get(id)), { until: Option.isNone })

const reasonOf = (error: SessionError.SessionError) =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

const ways = [
  { name: "whose statements fail", isHeard: true },
  { name: "whose statements don't come back", isHeard: false }
]

for (const kind of SqlStack.kinds) {
  describe(`A holder of a session in ${kind.name}`, () => {
    for (const { isHeard, name } of ways) {
      it.effect(`${name} stops its agent when the lease may be somebody else's, and no sooner`, () =>
        Effect.gen(function*() {
          const { agents, run, way } = yield* holder(kind, { leaseFor: 600, isHeard })
          yield* run(Effect.gen(function*() {
            const session = yield* create
            yield* session.append({ role: "user", content: "before" })
            yield* way.close
            yield* TestClock.adjust("599 millis")
            assert.strictEqual(agents.running, 1)
            yield* TestClock.adjust("2 millis")
            yield* stopped(session)
            assert.strictEqual(agents.running, 0)
            const late = yield* Effect.flip(session.append({ role: "user", content: "late" }))
            assert.strictEqual(reasonOf(late), "SessionEnded/LeaseLost")
            yield* way.open
            const again = yield* Sessions.resume(session.id, { takeOver: true })
            assert.lengthOf((yield* again.state).conversation, 1)
          }))
        }))
    }

    it.effect("goes on as long as the database hears that it lives", () =>
      Effect.gen(function*() {
        const { agents, run } = yield* holder(kind, { leaseFor: 15_000 })
        yield* run(Effect.gen(function*() {
          const session = yield* create
          for (let step = 0; step < 4; step++) {
            yield* TestClock.adjust("1 hour")
            yield* session.append({ role: "user", content: `${step}` })
          }
          assert.strictEqual(agents.running, 1)
        }))
      }))
  })
}
