import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, type Scope, Stream } from "effect"
import {
  type RunningSession,
  type SessionError,
  type SessionId,
  Sessions,
  SessionStore,
  Supervisor
} from "effect-reprise"
import { TestLiveness } from "effect-reprise/testing"
import { SqlClient } from "effect/sql"
import * as Rig from "../suites/rig.ts"
import * as SqlStack from "../suites/sql-stack.ts"

/** Two processes of one machine, which see the same tables. */
const processes = Effect.fnUntraced(function*(
  { place }: SqlStack.Kind,
  options: { readonly leaseFor?: number } = {}
) {
  const client = yield* place
  const machine = TestLiveness.machine()
  const [one, other] = [machine.process(), machine.process()]
  const leaseFor = options.leaseFor === undefined ? {} : { leaseFor: options.leaseFor }
  const as = ({ layer }: typeof one) => <A, E>(program: Effect.Effect<A, E, SqlStack.Services>) =>
    SqlStack.run(program, { client, liveness: layer, ...leaseFor })
  return { one: { pid: one.pid, run: as(one) }, other: { pid: other.pid, run: as(other) } }
})

const create = Sessions.create({ project: "/project", name: "one", config: Rig.config })

const say = (session: RunningSession, content: string) => session.append({ role: "user", content })

const said = (id: SessionId.SessionId) =>
  Effect.map(Sessions.load(id), ({ state }) => state.conversation.map(({ content }) => content))

const statuses = Effect.map(
  Stream.runCollect(Sessions.list()),
  (entries) => entries.map((entry) => entry._tag === "Stored" ? entry.status : entry._tag)
)

/** What a holder comes to that no longer says that it lives: its time has passed. */
const lapse = SqlClient.SqlClient.use((sql) => sql`UPDATE reprise_sessions SET lease_until = 0`)

const reasonOf = (error: SessionError.SessionError) =>
  "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag

for (const kind of SqlStack.kinds) {
  const test = (name: string, body: Effect.Effect<void, unknown, Scope.Scope>) => it.effect(name, () => body)

  describe(`A lease in ${kind.name}`, () => {
    test(
      "keeps others out while its holder says that it lives, and names it",
      Effect.gen(function*() {
        const { one, other } = yield* processes(kind)
        yield* one.run(Effect.gen(function*() {
          const { id } = yield* create
          const error = yield* other.run(Effect.flip(Sessions.resume(id)))
          assert.strictEqual(reasonOf(error), "RestoreFailed/AlreadyRunning")
          assert.include(error.message, `process ${one.pid} on test since`)
        }))
      })
    )

    test(
      "that has passed is the next one's, and its former holder learns who has the session",
      Effect.gen(function*() {
        const { one, other } = yield* processes(kind)
        yield* one.run(Effect.gen(function*() {
          const session = yield* create
          yield* say(session, "before")
          yield* lapse
          assert.deepStrictEqual(yield* statuses, ["interrupted"])
          yield* other.run(Effect.gen(function*() {
            const next = yield* Sessions.resume(session.id)
            assert.deepStrictEqual(yield* statuses, ["running"])
            yield* say(next, "after")
            const error = yield* Effect.flip(say(session, "late"))
            assert.strictEqual(reasonOf(error), "SessionEnded/LeaseLost")
            assert.include(error.message, `process ${other.pid} on test`)
          }))
          assert.deepStrictEqual(yield* said(session.id), ["before", "after"])
        }))
      })
    )

    test(
      "that has passed and nobody took goes on with the next event",
      Effect.gen(function*() {
        const { one, other } = yield* processes(kind)
        yield* one.run(Effect.gen(function*() {
          const session = yield* create
          yield* lapse
          yield* say(session, "still here")
          assert.deepStrictEqual(yield* statuses, ["running"])
          const error = yield* other.run(Effect.flip(Sessions.resume(session.id)))
          assert.strictEqual(reasonOf(error), "RestoreFailed/AlreadyRunning")
        }))
      })
    )

    test(
      "ends at once with a takeover, whatever the former holder does next",
      Effect.gen(function*() {
        const { one, other } = yield* processes(kind)
        yield* one.run(Effect.gen(function*() {
          const session = yield* create
          yield* say(session, "before")
          yield* other.run(Effect.gen(function*() {
            const next = yield* Sessions.resume(session.id, { takeOver: true })
            yield* say(next, "after")
            assert.strictEqual(reasonOf(yield* Effect.flip(session.checkpoint)), "SessionEnded/LeaseLost")
            yield* Sessions.close(next.id)
          }))
          assert.deepStrictEqual(yield* said(session.id), ["before", "after"])
          assert.deepStrictEqual(yield* statuses, ["closed"])
        }))
      })
    )

    test(
      "of a session that was purged is none of a new one under the same id",
      Effect.gen(function*() {
        const { one, other } = yield* processes(kind)
        yield* one.run(
          Effect.gen(function*() {
            const { id } = yield* create
            yield* Sessions.close(id)
            const store = yield* SessionStore.SessionStore
            const former = yield* store.claim(id)
            const { snapshot } = yield* former.stored
            yield* lapse
            yield* other.run(
              Effect.gen(function*() {
                const store = yield* SessionStore.SessionStore
                yield* store.remove(id)
                yield* store.purge(id)
                yield* Effect.scoped(store.create(id, snapshot, new TextEncoder().encode("{}\n")))
                const claim = yield* store.claim(id)
                assert.strictEqual(claim.epoch, former.epoch)
                assert.strictEqual(reasonOf(yield* Effect.flip(former.close(snapshot))), "SessionEnded/LeaseLost")
                assert.strictEqual((yield* claim.stored).status, "running")
              }).pipe(Effect.scoped)
            )
          }).pipe(Effect.scoped)
        )
      })
    )

    it.live("is kept by a holder that does nothing but say that it lives", () =>
      Effect.gen(function*() {
        const { one } = yield* processes(kind, { leaseFor: 300 })
        yield* one.run(Effect.gen(function*() {
          yield* create
          const sql = yield* SqlClient.SqlClient
          const until = Effect.map(
            sql<{ readonly at: number | bigint }>`SELECT lease_until AS at FROM reprise_sessions`,
            ([row]) => Number(row?.at)
          )
          const first = yield* until
          const beats = yield* until.pipe(Effect.repeat({ until: (at) => at >= first + 300 }))
          assert.isAtLeast(beats, first + 300)
        }))
      }))

    it.live("that is lost ends the session, also of a holder that does nothing", () =>
      Effect.gen(function*() {
        const { one, other } = yield* processes(kind, { leaseFor: 300 })
        yield* one.run(Effect.gen(function*() {
          const session = yield* create
          yield* other.run(Effect.gen(function*() {
            yield* Sessions.resume(session.id, { takeOver: true })
            yield* session.awaitExit
            yield* Stream.runDrain(session.changes)
            assert.strictEqual(reasonOf(yield* Effect.flip(say(session, "late"))), "SessionEnded/LeaseLost")
          }))
          const running = Supervisor.Supervisor.use(({ get }) => get(session.id))
          yield* Effect.repeat(running, { until: Option.isNone })
        }))
      }))
  })
}
