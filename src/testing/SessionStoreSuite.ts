/**
 * What every session store must do, as cases for any test runner:
 *
 * ```ts
 * for (const { name, test } of SessionStoreSuite.cases) {
 *   it.effect(name, () => test.pipe(Effect.provide(yourLayer, { local: true })))
 * }
 * ```
 *
 * Each case wants a store of its own.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Head from "../core/Head.ts"
import * as Journal from "../core/Journal.ts"
import * as SessionId from "../core/SessionId.ts"
import * as SessionList from "../core/SessionList.ts"
import * as StoredSession from "../core/StoredSession.ts"
import * as SessionStore from "../services/SessionStore.ts"
import { signed, Signer } from "../services/Signer.ts"
import * as BlobCases from "./BlobCases.ts"
import * as DepositCases from "./DepositCases.ts"
import * as SeenCases from "./SeenCases.ts"
import {
  at,
  closedSessions,
  create,
  createAll,
  createClosed,
  documents,
  entries,
  expect,
  expectTag,
  history,
  id,
  listed,
  namesIn,
  namesOf,
  other,
  prompts,
  read,
  stateOf,
  statusOf,
  store
} from "./StoreScene.ts"

export { Mismatch } from "./StoreScene.ts"

/**
 * One thing a store must do.
 *
 * @category models
 * @since 0.1.0
 */
export interface Case {
  readonly name: string
  readonly test: Effect.Effect<void, unknown, SessionStore.SessionStore | Signer>
}

/**
 * @category cases
 * @since 0.1.0
 */
export const cases: ReadonlyArray<Case> = [
  {
    name: "knows no session that was not created",
    test: Effect.gen(function*() {
      yield* expectTag("read", read(id), "NotFound")
      yield* expectTag("claim", Effect.scoped(store.use(({ claim }) => claim(id))), "NotFound")
      yield* expectTag("remove", store.use(({ remove }) => remove(id)), "NotFound")
      yield* expectTag("restore", store.use(({ restore }) => restore(id)), "NotFound")
      yield* expectTag("purge", store.use(({ purge }) => purge(id)), "NotFound")
      yield* expect("entries", yield* entries, [])
    })
  },
  {
    name: "lists a created session as running, and reads back its bytes",
    test: Effect.gen(function*() {
      const { snapshot, writer } = yield* documents(stateOf(id), { epoch: SessionStore.firstEpoch })
      yield* store.use(({ create }) => create(id, snapshot, writer.firstLine))
      const stored = yield* read(id)
      yield* expect("status", stored.status, "running")
      yield* expect("snapshot", Array.from(stored.snapshot), Array.from(snapshot))
      yield* expect("journals", stored.journals.map((journal) => Array.from(journal)), [Array.from(writer.firstLine)])
      const [entry] = yield* entries
      yield* expect("entry", entry !== undefined && SessionList.isStored(entry) && [entry.id, entry.status], [
        id,
        "running"
      ])
    }).pipe(Effect.scoped)
  },
  {
    name: "refuses to create a session under an id that is taken, and keeps the first",
    test: Effect.gen(function*() {
      yield* createClosed(id, "first")
      yield* expectTag("create", Effect.scoped(create(id, "second")), "StoreError")
      yield* expect("history", yield* history(id), ["closed"])
    })
  },
  {
    name: "keeps appended lines, in order",
    test: Effect.gen(function*() {
      const { claim, writer } = yield* create(id)
      yield* claim.append(prompts(writer, "a", "b"))
      yield* claim.append(prompts(writer, "c"))
      yield* expect("history", yield* history(id), ["a", "b", "c"])
    }).pipe(Effect.scoped)
  },
  {
    name: "replaces snapshot and journal with a checkpoint, and appends behind it",
    test: Effect.gen(function*() {
      const { claim, writer } = yield* create(id)
      yield* claim.append(prompts(writer, "a"))
      const next = yield* documents({ ...stateOf(id), promptHistory: ["a"], revision: 1 }, {
        epoch: claim.epoch,
        part: 1
      })
      yield* claim.checkpoint(next.snapshot, { part: 1, bytes: next.writer.firstLine })
      yield* expect("history", yield* history(id), ["a"])
      yield* claim.append(prompts(next.writer, "b"))
      yield* expect("history", yield* history(id), ["a", "b"])
      yield* expect("journals", (yield* read(id)).journals.length, 1)
    }).pipe(Effect.scoped)
  },
  {
    name: "leaves a closed session without journals and free to claim",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      const stored = yield* read(id)
      yield* expect("status", stored.status, "closed")
      yield* expect("journals", stored.journals.length, 0)
      yield* expect("history", yield* history(id), ["closed"])
      yield* Effect.scoped(store.use(({ claim }) => claim(id)))
      yield* expect("status", yield* statusOf(id), "closed")
    })
  },
  {
    name: "gives a session back as interrupted when its claim ends without a close",
    test: Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const { claim, writer } = yield* create(id)
        yield* claim.append(prompts(writer, "a"))
      }))
      yield* expect("status", yield* statusOf(id), "interrupted")
      yield* expect("history", yield* history(id), ["a"])
    })
  },
  {
    name: "gives a session back byte for byte when nothing was appended after begin",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      const before = yield* read(id)
      yield* Effect.scoped(Effect.gen(function*() {
        const claim = yield* store.use(({ claim }) => claim(id))
        const { signature } = yield* documents({ ...stateOf(id), promptHistory: ["closed"], revision: 1 }, {
          epoch: SessionStore.firstEpoch,
          closedAt: at
        })
        const writer = yield* signed(Journal.writer(yield* Signer, {
          id,
          epoch: claim.epoch,
          part: 0,
          snapshot: signature,
          revision: 1
        }))
        yield* claim.begin({ part: 0, bytes: writer.firstLine, isEmpty: true })
      }))
      const after = yield* read(id)
      yield* expect("same", StoredSession.isSame(before, after), true)
      yield* expect("status", after.status, "closed")
    })
  },
  {
    name: "begins a journal on a closed session and keeps what is appended",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      yield* Effect.scoped(Effect.gen(function*() {
        const claim = yield* store.use(({ claim }) => claim(id))
        const stored = yield* claim.stored
        const signature = yield* Effect.fromOption(Head.signatureAtEnd(stored.snapshot))
        const writer = yield* signed(Journal.writer(yield* Signer, {
          id,
          epoch: claim.epoch,
          part: 0,
          snapshot: signature,
          revision: 1
        }))
        yield* claim.begin({ part: 0, bytes: writer.firstLine, isEmpty: true })
        yield* claim.append(prompts(writer, "more"))
      }))
      yield* expect("status", yield* statusOf(id), "interrupted")
      yield* expect("history", yield* history(id), ["closed", "more"])
    })
  },
  {
    name: "appends nothing where no journal was begun",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      const claim = yield* store.use(({ claim }) => claim(id))
      const { writer } = yield* documents(stateOf(id), { epoch: claim.epoch })
      yield* expectTag("append", claim.append(prompts(writer, "a")), "StoreError")
    }).pipe(Effect.scoped)
  },
  {
    name: "changes nothing through a claim that was closed",
    test: Effect.gen(function*() {
      const { claim, writer } = yield* create(id)
      const next = yield* documents({ ...stateOf(id), promptHistory: ["a"], revision: 1 }, {
        epoch: claim.epoch,
        closedAt: at,
        part: 1
      })
      yield* claim.close(next.snapshot)
      yield* expectTag("append", claim.append(prompts(writer, "late")), "SessionEnded")
      yield* expectTag("begin", claim.begin({ part: 1, bytes: next.writer.firstLine }), "SessionEnded")
      yield* expectTag(
        "checkpoint",
        claim.checkpoint(next.snapshot, { part: 1, bytes: next.writer.firstLine }),
        "SessionEnded"
      )
      yield* expectTag("close", claim.close(next.snapshot), "SessionEnded")
      yield* expectTag("release", claim.release, "SessionEnded")
      yield* expect("status", yield* statusOf(id), "closed")
      yield* expect("history", yield* history(id), ["a"])
    }).pipe(Effect.scoped)
  },
  {
    name: "lets one of many claims win, and refuses the others",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      const scope = yield* Scope.make()
      const attempts = yield* Effect.forEach(
        Array.from({ length: 20 }),
        () => Effect.result(Scope.provide(store.use(({ claim }) => claim(id)), scope)),
        { concurrency: "unbounded" }
      )
      yield* expect("winners", attempts.filter(Result.isSuccess).length, 1)
      const losers = attempts.filter(Result.isFailure).map(({ failure }) => failure._tag)
      yield* expect("losers", losers, losers.map(() => "AlreadyRunning"))
      yield* Scope.close(scope, Exit.void)
      yield* expect("status", yield* statusOf(id), "closed")
    })
  },
  {
    name: "never gives an epoch twice",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      const epochs: Array<number> = []
      for (let round = 0; round < 5; round++) {
        yield* Effect.scoped(Effect.map(store.use(({ claim }) => claim(id)), ({ epoch }) => epochs.push(epoch)))
      }
      yield* expect("epochs", epochs, [...new Set(epochs)].sort((a, b) => a - b))
    })
  },
  {
    name: "fences a former holder after a takeover, whatever it tries",
    test: Effect.gen(function*() {
      const { claim: former, writer } = yield* create(id)
      yield* former.append(prompts(writer, "a"))
      yield* expectTag("claim", Effect.scoped(store.use(({ claim }) => claim(id))), "AlreadyRunning")
      const claim = yield* store.use(({ claim }) => claim(id, { takeOver: true }))
      const late = yield* documents({ ...stateOf(id), promptHistory: ["late"], revision: 1 }, {
        epoch: former.epoch,
        part: 1
      })
      yield* expectTag("append", former.append(prompts(writer, "late")), "SessionEnded")
      yield* expectTag(
        "checkpoint",
        former.checkpoint(late.snapshot, { part: 1, bytes: late.writer.firstLine }),
        "SessionEnded"
      )
      yield* expectTag("close", former.close(late.snapshot), "SessionEnded")
      yield* expectTag("begin", former.begin({ part: 2, bytes: late.writer.firstLine }), "SessionEnded")
      yield* expectTag("release", former.release, "SessionEnded")
      const final = yield* documents({ ...stateOf(id), promptHistory: ["a"], revision: 1 }, {
        epoch: claim.epoch,
        closedAt: at
      })
      yield* claim.close(final.snapshot)
      yield* expect("history", yield* history(id), ["a"])
      yield* expect("status", yield* statusOf(id), "closed")
    }).pipe(Effect.scoped)
  },
  {
    name: "removes a closed session to the trash, restores it, and both twice are once",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      const before = yield* read(id)
      yield* store.use(({ remove }) => remove(id))
      yield* store.use(({ remove }) => remove(id))
      yield* expect("status", yield* statusOf(id), "removed")
      yield* expectTag("claim", Effect.scoped(store.use(({ claim }) => claim(id))), "NotFound")
      yield* store.use(({ restore }) => restore(id))
      yield* store.use(({ restore }) => restore(id))
      yield* expect("status", yield* statusOf(id), "closed")
      yield* expect("same", StoredSession.isSame(before, yield* read(id)), true)
    })
  },
  {
    name: "removes neither a running nor an interrupted session",
    test: Effect.gen(function*() {
      yield* Effect.scoped(Effect.gen(function*() {
        const { claim, writer } = yield* create(id)
        yield* claim.append(prompts(writer, "a"))
        yield* expectTag("remove", store.use(({ remove }) => remove(id)), "AlreadyRunning")
      }))
      yield* expectTag("remove", store.use(({ remove }) => remove(id)), "AlreadyRunning")
      yield* expect("history", yield* history(id), ["a"])
      yield* store.use(({ remove }) => remove(id, { interrupted: true }))
      yield* store.use(({ restore }) => restore(id))
      yield* expect("status", yield* statusOf(id), "interrupted")
      yield* expect("history", yield* history(id), ["a"])
    })
  },
  {
    name: "purges only what is in the trash",
    test: Effect.gen(function*() {
      yield* createClosed(id)
      yield* createClosed(other)
      yield* expectTag("purge", store.use(({ purge }) => purge(id)), "NotFound")
      yield* store.use(({ remove }) => remove(id))
      yield* store.use(({ purge }) => purge(id))
      yield* expectTag("read", read(id), "NotFound")
      yield* expectTag("purge", store.use(({ purge }) => purge(id)), "NotFound")
      yield* expect("other", yield* statusOf(other), "closed")
    })
  },
  {
    name: "lists what a filter asks for, the newest first",
    test: Effect.gen(function*() {
      yield* createAll
      yield* Effect.scoped(create(id, "interrupted"))
      yield* create(other, "running")
      const closed: SessionList.Filter = { status: ["closed"] }
      const all = closedSessions.map(([name]) => name)
      yield* expect("closed", yield* namesIn(closed), all)
      yield* expect("limit", yield* namesIn({ ...closed, limit: 2 }), all.slice(0, 2))
      yield* expect("offset", yield* namesIn({ ...closed, offset: 1, limit: 2 }), all.slice(1, 3))
      yield* expect("none", yield* namesIn({ ...closed, limit: 0 }), [])
      yield* expect("running", yield* namesIn({ status: ["running"] }), ["running"])
      yield* expect("interrupted", yield* namesIn({ status: ["interrupted"] }), ["interrupted"])
      yield* expect("elsewhere", yield* namesIn({ status: ["elsewhere"] }), [])
      yield* expect("present", (yield* namesIn({})).toSorted(), [...all, "interrupted", "running"].toSorted())
      yield* expect("project", yield* namesIn({ ...closed, project: "/project" }), ["same 1", "same 2", "oldest"])
      yield* expect("long project", yield* namesIn({ project: `/${"p".repeat(400)}/two` }), ["a\\b"])
      yield* expect("text", yield* namesIn({ text: "SAME" }), ["same 1", "same 2"])
      yield* expect("text of paths", yield* namesIn({ text: "PROJECTS/ÄRG" }), ["Ärger"])
      yield* expect("text of signs", yield* namesIn({ text: "0% SURE_T" }), ["100% sure_thing"])
      yield* expect("text of strokes", yield* namesIn({ text: "A\\B" }), ["a\\b"])
      yield* expect("text of nobody", yield* namesIn({ text: "1__%" }), [])
      yield* expect("text with NUL", yield* namesIn({ text: "same\0" }), [])
    }).pipe(Effect.scoped)
  },
  {
    name: "lists page after page behind a cursor, also where its entry changed",
    test: Effect.gen(function*() {
      yield* createAll
      const pages: Array<ReadonlyArray<string>> = []
      const next = Effect.fnUntraced(function*(after?: SessionList.Cursor) {
        const page = yield* listed({ limit: 2, ...(after === undefined ? {} : { after }) })
        pages.push(namesOf(page))
        return page.map(SessionList.cursorOf).at(-1)
      })
      const first = yield* next()
      const second = yield* next(first)
      yield* expect("cursor", second, { updatedAt: closedSessions[3][1], name: "6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c23" })
      yield* store.use(({ remove }) => remove(SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c23")))
      yield* next(yield* next(second))
      const all = closedSessions.map(([name]) => name)
      yield* expect("pages", pages, [all.slice(0, 2), all.slice(2, 4), all.slice(4), []])
      yield* expect("trash", yield* namesIn({ status: ["removed"], limit: 5 }), ["same 1"])
    })
  },
  {
    name: "refuses from its size what is over the limit",
    test: Effect.gen(function*() {
      const { limits } = yield* store
      const { claim } = yield* create(id)
      yield* claim.append(new Uint8Array(limits.maxBytes).fill(0x20))
      const failure = yield* Effect.flip(read(id))
      yield* expect("reason", failure._tag === "InvalidJson" && failure.reason._tag, "TooLarge")
    }).pipe(Effect.scoped)
  },
  ...BlobCases.cases,
  ...DepositCases.cases,
  ...SeenCases.cases
]
