/**
 * What every session store must do with a claim that is told what was read before:
 * it saves a look, and never hides what happened since.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { Timestamp } from "../core/Timestamp.ts"
import type * as SessionStore from "../services/SessionStore.ts"
import type { Case } from "./SessionStoreSuite.ts"
import {
  at,
  createClosed,
  documents,
  expect,
  expectTag,
  history,
  id,
  read,
  stateOf,
  statusOf,
  store
} from "./StoreScene.ts"

const claim = (options?: SessionStore.ClaimOptions) => store.use(({ claim }) => claim(id, options))

/** Claims the session, replaces what is stored, and gives it back. */
const rewrite = Effect.scoped(Effect.gen(function*() {
  const { close, epoch } = yield* claim()
  const { snapshot } = yield* documents({ ...stateOf(id), promptHistory: ["new"], revision: 1 }, {
    epoch,
    closedAt: at
  })
  yield* close(snapshot)
}))

/**
 * @category cases
 * @since 0.1.0
 */
export const cases: ReadonlyArray<Case> = [
  {
    name: "gives a session whose reading it is told to one claim alone, which finds it as it was read",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      const seen = yield* read(id)
      const won = yield* claim({ seen })
      yield* expect("is still stored", yield* won.isStill(seen), true)
      yield* expectTag("claim", Effect.scoped(claim({ seen })), "AlreadyRunning")
      yield* won.release
      yield* expectTag("append", won.append(new Uint8Array()), "SessionEnded")
    }).pipe(Effect.scoped)
  },
  {
    name: "finds what others did with a session since the reading that it is told",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      const seen = yield* read(id)
      yield* rewrite
      const won = yield* claim({ seen })
      yield* expect("is still stored", yield* won.isStill(seen), false)
      yield* expect("the new one is", yield* won.isStill(yield* won.stored), true)
      yield* expect("history", yield* history(id), ["new"])
    }).pipe(Effect.scoped)
  },
  {
    name: "does not take what it wrote itself for what was read before",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      const seen = yield* read(id)
      const won = yield* claim({ seen })
      const { snapshot, writer } = yield* documents({ ...stateOf(id), promptHistory: ["own"], revision: 1 }, {
        epoch: won.epoch,
        part: 1
      })
      yield* won.checkpoint(snapshot, { part: 1, bytes: writer.firstLine })
      yield* expect("is still stored", yield* won.isStill(seen), false)
    }).pipe(Effect.scoped)
  },
  {
    name: "claims nothing that was removed since the reading that it is told, and what was restored",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      const seen = yield* read(id)
      yield* store.use(({ remove }) => remove(id))
      yield* expectTag("claim", Effect.scoped(claim({ seen })), "NotFound")
      yield* store.use(({ restore }) => restore(id))
      yield* Effect.scoped(claim({ seen }))
      yield* store.use(({ remove }) => remove(id))
      yield* store.use(({ purge }) => purge(id))
      yield* expectTag("claim", Effect.scoped(claim({ seen })), "NotFound")
    })
  },
  {
    name: "leaves another session alone that somebody runs under the id of the one that was read",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      for (let round = 0; round < 10; round++) yield* Effect.scoped(claim())
      const seen = yield* read(id)
      yield* store.use(({ remove }) => remove(id))
      yield* store.use(({ purge }) => purge(id))
      const { snapshot } = yield* documents(stateOf(id), { epoch: 1, closedAt: at })
      const since = Timestamp.make("2026-02-01T00:00:00.000Z")
      yield* store.use(({ deposit }) =>
        deposit(id, { snapshot, blobs: [], epoch: 2, state: "released", since, updatedAt: at })
      )
      const holder = yield* claim()
      yield* expectTag("claim", Effect.scoped(claim({ seen })), "AlreadyRunning")
      const next = yield* documents({ ...stateOf(id), promptHistory: ["mine"], revision: 1 }, {
        epoch: holder.epoch,
        closedAt: at
      })
      yield* holder.close(next.snapshot)
      yield* expect("history", yield* history(id), ["mine"])
      yield* expect("status", yield* statusOf(id), "closed")
    }).pipe(Effect.scoped)
  }
]
