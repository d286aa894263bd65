/**
 * The sessions that the cases of the store's suite are about, and what they
 * expect of them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as Journal from "../core/Journal.ts"
import * as Migration from "../core/Migration.ts"
import * as Session from "../core/Session.ts"
import type { SessionState } from "../core/Session.ts"
import * as SessionId from "../core/SessionId.ts"
import * as SessionList from "../core/SessionList.ts"
import * as Snapshot from "../core/Snapshot.ts"
import * as StoredSession from "../core/StoredSession.ts"
import * as Text from "../core/Text.ts"
import { Timestamp } from "../core/Timestamp.ts"
import * as SessionStore from "../services/SessionStore.ts"
import { signed, Signer } from "../services/Signer.ts"

/**
 * A store that does something else than it should.
 *
 * @category errors
 * @since 0.1.0
 */
export class Mismatch extends Schema.TaggedError<Mismatch>("effect-reprise/testing/StoreScene/Mismatch")(
  "Mismatch",
  { what: Schema.String, expected: Schema.Unknown, found: Schema.Unknown }
) {
  override get message(): string {
    return `${this.what}: expected ${JSON.stringify(this.expected)} and found ${JSON.stringify(this.found)}`
  }
}

export const id = SessionId.make("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
export const other = SessionId.make("0d2b6f0e-2a4d-4f0b-8f6f-9a1b2c3d4e5f")
export const at = Timestamp.make("2026-01-31T09:30:00.000Z")

export const expect = (what: string, found: unknown, expected: unknown): Effect.Effect<void, Mismatch> =>
  JSON.stringify(found) === JSON.stringify(expected)
    ? Effect.void
    : Effect.fail(new Mismatch({ what, found, expected }))

export const expectTag = <A, E extends { readonly _tag: string }, R>(
  what: string,
  effect: Effect.Effect<A, E, R>,
  tag: E["_tag"]
) =>
  Effect.flatMap(
    Effect.result(effect),
    (result) => expect(what, Result.isFailure(result) ? result.failure._tag : "success", tag)
  )

export const store = SessionStore.SessionStore

export const stateOf = (
  id: SessionId.SessionId,
  name = "suite",
  members: Partial<Session.Session> = {}
): SessionState =>
  Session.empty({
    id,
    name,
    projectPath: "/project",
    config: { provider: "test", model: "test", temperature: 0, maxTokens: 1 },
    createdAt: at,
    updatedAt: at,
    metadata: {},
    ...members
  })

/** A snapshot and a journal that names it. */
export const documents = Effect.fnUntraced(function*(
  state: SessionState,
  publication: Snapshot.Publication & { readonly part?: number }
) {
  const { journal, snapshot } = yield* signed(
    StoredSession.begin(yield* Signer, state, state.conversation.map(Snapshot.encodeMessage), {
      part: 0,
      ...publication
    })
  )
  return { snapshot: snapshot.bytes, signature: snapshot.signature, writer: journal }
})

export const prompts = (writer: Journal.Writer, ...texts: ReadonlyArray<string>) =>
  writer.encode(texts.map((prompt) => ({ at, json: Text.toBytes(JSON.stringify({ _tag: "PromptRecorded", prompt })) })))

export const create = Effect.fnUntraced(
  function*(id: SessionId.SessionId, name?: string, blobs?: SessionStore.NewBlobs) {
    const { snapshot, writer } = yield* documents(stateOf(id, name), { epoch: SessionStore.firstEpoch })
    const claim = yield* store.use(({ create }) => create(id, snapshot, writer.firstLine, blobs))
    return { claim, writer }
  }
)

/** A stored session at rest, with one prompt in its snapshot. */
export const createClosed = Effect.fnUntraced(function*(
  id: SessionId.SessionId,
  name?: string,
  members: Partial<Session.Session> = {}
) {
  const { claim } = yield* create(id, name)
  const closed = { ...stateOf(id, name, members), promptHistory: ["closed"], revision: 1 }
  const { snapshot } = yield* documents(closed, { epoch: claim.epoch, closedAt: at })
  yield* claim.close(snapshot)
}, Effect.scoped)

export const read = (id: SessionId.SessionId) => store.use(({ read }) => read(id))

export const history = Effect.fnUntraced(function*(id: SessionId.SessionId) {
  const verified = yield* Effect.fromResult(
    StoredSession.open(yield* Signer, id, yield* read(id), { maxDepth: 64, format: Migration.current })
  )
  return verified.state.promptHistory
})

export const statusOf = (id: SessionId.SessionId) => Effect.map(read(id), ({ status }) => status)

export const entries = store.use(({ entries }) => Stream.runCollect(entries))

/** What a list shows, by the store's own index or not. */
export const listed = (filter: SessionList.Filter) =>
  store.use(({ entries, list }) =>
    list === undefined
      ? Effect.map(Stream.runCollect(entries), (entries) => SessionList.select(entries, filter))
      : Stream.runCollect(list(filter))
  )

export const namesOf = (entries: ReadonlyArray<SessionList.Entry>) => entries.map(({ name }) => name)

export const namesIn = (filter: SessionList.Filter) => Effect.map(listed(filter), namesOf)

/** Closed sessions, the newest first: two of one moment, which their ids order, and two with a path that begins alike. */
export const closedSessions = [
  ["Ärger", "2026-05-05T00:00:00.000Z", "/projects/ärger"],
  ["100% sure_thing", "2026-04-04T00:00:00.000Z", `/${"p".repeat(400)}/one`],
  ["a\\b", "2026-03-03T00:00:00.000Z", `/${"p".repeat(400)}/two`],
  ["same 1", "2026-02-02T00:00:00.000Z", "/project"],
  ["same 2", "2026-02-02T00:00:00.000Z", "/project"],
  ["oldest", "2026-01-01T00:00:00.000Z", "/project"]
] as const

export const createAll = Effect.forEach(
  closedSessions,
  ([name, updatedAt, projectPath], index) =>
    createClosed(SessionId.make(`6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c2${index}`), name, {
      updatedAt: Timestamp.make(updatedAt),
      projectPath
    })
)
