/**
 * What every session store must do with sessions that come as they are stored
 * elsewhere.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Blob from "../core/Blob.ts"
import { BlobDamaged, InvalidBlob } from "../core/SessionError.ts"
import type { SessionId } from "../core/SessionId.ts"
import { Timestamp } from "../core/Timestamp.ts"
import type * as SessionStore from "../services/SessionStore.ts"
import type { Case } from "./SessionStoreSuite.ts"
import {
  at,
  documents,
  entries,
  expect,
  expectTag,
  history,
  id,
  listed,
  prompts,
  read,
  stateOf,
  statusOf,
  store
} from "./StoreScene.ts"

const since = Timestamp.make("2026-02-01T00:00:00.000Z")
const changedAt = Timestamp.make("2026-01-31T10:00:00.000Z")

const blob: Blob.Blob = { digest: Blob.Digest.make("1".repeat(64)), bytes: new Uint8Array([1, 1]) }

/** A session whose snapshot is of its claim 7, and whose journal is of claim 9. */
const comes = Effect.fnUntraced(function*(how: "closed" | "interrupted" | "removed") {
  const { snapshot, writer } = yield* documents(stateOf(id), {
    epoch: 7,
    part: 3,
    ...(how === "interrupted" ? {} : { closedAt: at })
  })
  const journal = {
    epoch: 7,
    part: 3,
    bytes: new Uint8Array([...writer.firstLine, ...prompts(writer, "a", "b"), ...prompts(writer, "c")])
  }
  const session: SessionStore.AtRest = {
    snapshot,
    journal: how === "interrupted" ? journal : undefined,
    blobs: [{ digest: blob.digest, bytes: Effect.succeed(blob.bytes) }],
    epoch: 8,
    state: how === "removed" ? "removed" : "released",
    since,
    updatedAt: how === "interrupted" ? changedAt : at
  }
  return session
})

const deposit = <E>(id: SessionId, session: SessionStore.AtRest<E>) => store.use(({ deposit }) => deposit(id, session))

const blobAt = (id: SessionId) =>
  Effect.map(store.use(({ readBlob }) => readBlob(id, blob.digest, 2)), (bytes) => Array.from(bytes))

/**
 * @category cases
 * @since 0.1.0
 */
export const cases: ReadonlyArray<Case> = [
  {
    name: "keeps a closed session from elsewhere byte for byte, with its blobs",
    test: Effect.gen(function*() {
      const session = yield* comes("closed")
      yield* deposit(id, session)
      const { journals, snapshot, status } = yield* read(id)
      yield* expect("status", status, "closed")
      yield* expect("snapshot", Array.from(snapshot), Array.from(session.snapshot))
      yield* expect("journals", journals.length, 0)
      yield* expect("blob", yield* blobAt(id), [1, 1])
    })
  },
  {
    name: "keeps an interrupted session from elsewhere with its journal, and when it was changed",
    test: Effect.gen(function*() {
      const session = yield* comes("interrupted")
      yield* deposit(id, session)
      const { journals, status } = yield* read(id)
      yield* expect("status", status, "interrupted")
      yield* expect("journals", journals.map((bytes) => Array.from(bytes)), [Array.from(session.journal?.bytes ?? [])])
      yield* expect("history", yield* history(id), ["a", "b", "c"])
      const [entry] = yield* listed({})
      yield* expect("updatedAt", entry?._tag === "Stored" && entry.updatedAt, changedAt)
    })
  },
  {
    name: "keeps a session from elsewhere in the trash, since when it was there",
    test: Effect.gen(function*() {
      yield* deposit(id, yield* comes("removed"))
      yield* expect("status", yield* statusOf(id), "removed")
      const [entry] = yield* entries
      yield* expect("removedAt", entry?._tag === "Stored" && entry.removedAt, since)
      yield* store.use(({ restore }) => restore(id))
      yield* expect("status", yield* statusOf(id), "closed")
    })
  },
  {
    name: "goes on with a session from elsewhere above every epoch that it has had",
    test: Effect.gen(function*() {
      yield* deposit(id, yield* comes("interrupted"))
      const claim = yield* store.use(({ claim }) => claim(id))
      yield* expect("epoch is higher", claim.epoch > 8, true)
      const next = { ...stateOf(id), promptHistory: ["a", "b", "c", "d"], revision: 4 }
      const { snapshot } = yield* documents(next, { epoch: claim.epoch, closedAt: at })
      yield* claim.close(snapshot)
      yield* expect("history", yield* history(id), ["a", "b", "c", "d"])
      yield* expect("status", yield* statusOf(id), "closed")
    }).pipe(Effect.scoped)
  },
  {
    name: "refuses a session from elsewhere under an id that is taken, and keeps the first",
    test: Effect.gen(function*() {
      yield* deposit(id, yield* comes("closed"))
      yield* expectTag("deposit", Effect.flatMap(comes("removed"), (session) => deposit(id, session)), "StoreError")
      yield* expect("status", yield* statusOf(id), "closed")
      yield* expect("blob", yield* blobAt(id), [1, 1])
    })
  },
  {
    name: "keeps nothing of a session from elsewhere whose blobs can't be read",
    test: Effect.gen(function*() {
      const session = yield* comes("closed")
      const { digest } = blob
      const damaged = { digest, bytes: new InvalidBlob({ id, digest, reason: new BlobDamaged({}) }) }
      const other = { digest: Blob.Digest.make("2".repeat(64)), bytes: Effect.succeed(blob.bytes) }
      const without: SessionStore.AtRest<InvalidBlob> = { ...session, blobs: [other, damaged] }
      yield* expectTag("deposit", deposit(id, without), "InvalidBlob")
      yield* expect("entries", yield* entries, [])
      yield* expectTag("read", read(id), "NotFound")
      yield* deposit(id, session)
      yield* expect("blob", yield* blobAt(id), [1, 1])
    })
  }
]
