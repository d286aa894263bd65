/**
 * The database ends without a last word (an immediate shutdown) while sessions are
 * appended to, and starts again. Before any of them says more, another process
 * looks: every acknowledged message is there once and in order, and none that
 * nobody said. Then every session goes on where it runs.
 */
import { Effect, Latch, Random, Ref } from "effect"
import { type RunningSession, Sessions } from "../../../src/index.ts"
import type * as PostgresServer from "../../suites/postgres-server.ts"
import * as Places from "../places.ts"
import type * as Broken from "./broken.ts"
import * as SqlGround from "./ground.ts"
import * as Process from "./process.ts"

/** How long sessions may take to go on after an outage. */
const patience = "20 seconds"

/** What was said in a session, and what of it was acknowledged. */
interface Account {
  readonly session: RunningSession
  readonly asked: Array<string>
  readonly acknowledged: Set<string>
  refused: number
  /** Why the session is over, where it should not be. */
  ended: string | undefined
}

/** Says one thing after the other until it is enough, or the session is over. */
const talk = Effect.fnUntraced(function*(account: Account, way: Latch.Latch, isEnough: Effect.Effect<boolean>) {
  while (account.ended === undefined && !(yield* isEnough)) {
    yield* way.await
    const content = `${account.asked.length}`
    account.asked.push(content)
    yield* account.session.append({ role: "user", content }).pipe(
      Effect.map(() => account.acknowledged.add(content)),
      Effect.catch((error) =>
        Effect.sync(() => {
          if (error._tag === "StoreError") account.refused++
          else account.ended = error.message
        })
      )
    )
    yield* Effect.yieldNow
  }
})

const judge = Effect.fnUntraced(function*({ acknowledged, asked, ended, session: { id } }: Account) {
  const certain = [...acknowledged]
  const { state } = yield* Sessions.load(id)
  const found = state.conversation.map(({ content }) => typeof content === "string" ? content : "parts")
  const lost = certain.filter((content) => !found.includes(content))
  const isInOrder = asked.filter((content) => found.includes(content)).join() === found.join()
  return [
    ...ended === undefined ? [] : [`a session ended: ${ended}`],
    ...lost.length > 0 ? [`${lost.length} acknowledged messages are missing, the first is ${lost[0]}`] : [],
    ...isInOrder ? [] : ["messages are out of order, twice or nobody's"]
  ]
})

/** So many outages, one after the other. */
export const outages = Effect.fnUntraced(function*(options: {
  readonly server: PostgresServer.Server
  readonly outages: number
  readonly sessions: number
  readonly mutant?: Broken.Mutant
}) {
  const { server } = options
  const ground = yield* SqlGround.make(server.url)
  const over = yield* Ref.make(false)
  const way = yield* Latch.make(true)
  const findings: Array<string> = []
  const judged = (accounts: ReadonlyArray<Account>) =>
    Effect.map(Effect.forEach(accounts, judge), (wrong) => wrong.flat()).pipe(
      Effect.provide(ground.layer, { local: true })
    )
  const project = Places.below(ground.root).project
  const accounts = yield* Effect.gen(function*() {
    const accounts = yield* Effect.forEach(
      Array.from({ length: options.sessions }),
      (_, number) =>
        Effect.map(
          Sessions.create({ project: `${project}/${number}`, config: Places.config }),
          (session): Account => ({ session, asked: [], acknowledged: new Set(), refused: 0, ended: undefined })
        )
    )
    // What nobody looks for is on the disk from the beginning.
    yield* ground.settle
    const trouble = Effect.gen(function*() {
      for (let outage = 0; outage < options.outages; outage++) {
        const before = accounts.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0)
        const isGoingOn = Effect.sync(() =>
          accounts.reduce((sum, { acknowledged }) => sum + acknowledged.size, 0) > before + 3 * accounts.length
        )
        yield* Effect.repeat(Effect.andThen(Effect.sleep("1 millis"), isGoingOn), { until: Boolean }).pipe(
          Effect.timeoutOption(patience)
        )
        yield* Effect.sleep(yield* Random.nextIntBetween(0, 50))
        yield* way.close
        yield* server.restart
        findings.push(...yield* judged(accounts))
        yield* way.open
        if (findings.length > 0) break
      }
      yield* Ref.set(over, true)
    })
    yield* Effect.all(
      [trouble, Effect.forEach(accounts, (account) => talk(account, way, Ref.get(over)), { concurrency: "unbounded" })],
      { concurrency: 2 }
    )
    return accounts
  }).pipe(Effect.provide(Process.layer(ground.root, { mutant: options.mutant }), { local: true }))
  findings.push(...yield* judged(accounts), ...yield* ground.strays())
  const sum = (of: (account: Account) => number) => accounts.reduce((total, account) => total + of(account), 0)
  return {
    findings,
    acknowledged: sum(({ acknowledged }) => acknowledged.size),
    refused: sum(({ refused }) => refused)
  }
}, Effect.scoped)
