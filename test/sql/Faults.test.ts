import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { type SessionId, Sessions } from "effect-reprise"
import { NodeSqlite } from "effect-reprise/node"
import * as FaultyClient from "../suites/faulty-client.ts"
import * as Postgres from "../suites/postgres-shared.ts"
import * as Rig from "../suites/rig.ts"
import * as SqlStack from "../suites/sql-stack.ts"

/** Where a fault happens: at which statement, how often from there on, and whether the statement was executed. */
interface Fault {
  readonly at: number
  readonly times: number
  readonly isExecuted: boolean
}

/** What a program asked for and what was acknowledged to it. */
interface Account {
  id: SessionId.SessionId | undefined
  readonly asked: Array<string>
  readonly acknowledged: Array<string>
}

/** Says a few things, saves and comes back, and goes on after each failure. */
const life = Effect.fnUntraced(function*(account: Account) {
  const goOn = <A, E>(effect: Effect.Effect<A, E, SqlStack.Services>) => Effect.option(effect)
  const say = (session: Effect.Success<ReturnType<typeof Sessions.resume>>, content: string) => {
    account.asked.push(content)
    return goOn(
      Effect.tap(session.append({ role: "user", content }), () => Effect.sync(() => account.acknowledged.push(content)))
    )
  }
  const created = yield* goOn(Sessions.create({ project: "/project", name: "one", config: Rig.config }))
  if (created._tag === "None") return
  account.id = created.value.id
  yield* say(created.value, "a")
  yield* goOn(created.value.checkpoint)
  yield* say(created.value, "b")
  yield* goOn(Sessions.close(account.id))
  const resumed = yield* goOn(Sessions.resume(account.id, { takeOver: true }))
  if (resumed._tag === "None") return
  yield* say(resumed.value, "c")
  yield* say(resumed.value, "d")
  yield* goOn(Sessions.close(account.id))
})

/** What must hold, whatever failed: nothing acknowledged is missing, nothing is there twice or in another order. */
const judge = Effect.fnUntraced(function*({ acknowledged, asked, id }: Account) {
  if (id === undefined) return []
  const { state } = yield* Sessions.load(id)
  const found = state.conversation.map(({ content }) => typeof content === "string" ? content : "parts")
  return [
    ...acknowledged.filter((content) => !found.includes(content)).map((content) => `${content} is missing`),
    ...(JSON.stringify(asked.filter((content) => found.includes(content))) === JSON.stringify(found)
      ? []
      : [`found ${found.join()} of ${asked.join()}`])
  ]
})

/** Lives with a fault, then looks without one. */
const trial = Effect.fnUntraced(function*(client: SqlStack.Client, fault: Fault) {
  const account: Account = { id: undefined, asked: [], acknowledged: [] }
  let seen = 0
  let isArmed = false
  const hook: FaultyClient.Hook = (_, run) =>
    Effect.suspend(() => {
      if (!isArmed || seen++ < fault.at || seen > fault.at + fault.times) return run
      return fault.isExecuted ? Effect.andThen(run, Effect.fail(FaultyClient.broken)) : Effect.fail(FaultyClient.broken)
    })
  const faulty = Layer.provide(FaultyClient.layer(hook), client)
  const arm = Effect.sync(() => {
    isArmed = true
  })
  yield* SqlStack.run(Effect.andThen(arm, life(account)), { client: faulty, leaseFor: "1 hour" })
  isArmed = false
  const isUnnoticed = account.acknowledged.length === 4
  return {
    seen,
    findings: [
      ...(yield* SqlStack.run(judge(account), { client })),
      // Asked again, what was done once comes to the same.
      ...(fault.times > 1 || isUnnoticed ? [] : [`only ${account.acknowledged.join()} was acknowledged`])
    ]
  }
})

const wherever = Effect.fnUntraced(function*(client: SqlStack.Client, every: number) {
  const { seen: statements } = yield* trial(client, { at: Infinity, times: 0, isExecuted: false })
  const findings: Array<unknown> = []
  let trials = 0
  for (const isExecuted of [false, true]) {
    for (const times of [1, 2, 3]) {
      for (let at = (trials * 7) % every; at < statements; at += every) {
        trials++
        const found = yield* trial(client, { at, times, isExecuted })
        findings.push(...found.findings.map((finding) => ({ finding, at, times, isExecuted })))
      }
    }
  }
  return { findings, statements, trials }
})

/** One client for all trials of a test. */
const kept = (client: SqlStack.Client) =>
  Effect.map(Layer.build(client), (services): SqlStack.Client => Layer.succeedContext(services))

describe("A connection that breaks at any statement, before or after it counts", () => {
  it.effect("loses nothing acknowledged and repeats nothing in SQLite", () =>
    Effect.gen(function*() {
      const client = yield* kept(NodeSqlite.layer({ filename: ":memory:" }))
      const { findings, statements, trials } = yield* wherever(client, 5)
      assert.deepStrictEqual(findings, [])
      assert.isAtLeast(statements, 30)
      assert.isAtLeast(trials, 36)
    }))

  it.effect("loses nothing acknowledged and repeats nothing in PostgreSQL", () =>
    Effect.gen(function*() {
      const client = yield* kept(Postgres.layer)
      const { findings, statements, trials } = yield* wherever(client, 5)
      assert.deepStrictEqual(findings, [])
      assert.isAtLeast(statements, 12)
      assert.isAtLeast(trials, 12)
    }))
})
