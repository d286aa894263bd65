import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Schema, Scope, Stream } from "effect"
import { type SessionId, SessionLimits, SessionList, SessionStore } from "effect-reprise"
import * as StoredSession from "../../src/core/StoredSession.ts"
import * as Documents from "../core/documents.ts"
import * as Encrypted from "../suites/encryption.ts"

const ids = [Documents.id, Documents.otherId]

const Act = Schema.TaggedUnion({
  Create: {},
  Claim: { takeOver: Schema.Boolean },
  Begin: {},
  Append: { texts: Schema.Array(Schema.String).check(Schema.isMaxLength(3)) },
  AppendBytes: { bytes: Schema.Array(Schema.Literals([0x0a, 0x41, 0x7b, 0xff])).check(Schema.isMaxLength(40)) },
  Checkpoint: {},
  Close: {},
  Release: {},
  Remove: { interrupted: Schema.Boolean },
  Restore: {},
  Purge: {},
  Still: {}
})

const Step = Schema.Struct({ which: Schema.Literals([0, 1]), act: Act })
const Steps = Schema.Array(Step).check(Schema.isMinLength(8), Schema.isMaxLength(40))

const limits = { ...SessionLimits.defaults, maxBytes: 4096 }

/** Runs steps on a store, and tells all that it answers. */
const play = Effect.fnUntraced(function*(steps: typeof Steps.Type) {
  const store = yield* SessionStore.SessionStore
  const scope = yield* Scope.make()
  const claims = new Map<SessionId.SessionId, SessionStore.Claim>()
  const writers = new Map<SessionId.SessionId, Effect.Success<ReturnType<typeof documents>>["journal"]>()
  const told: Array<unknown> = []
  let revision = 0

  const documents = Effect.fnUntraced(function*(id: SessionId.SessionId, epoch: number) {
    const state = { ...Documents.small, session: { ...Documents.small.session, id }, revision: ++revision }
    return yield* Effect.fromOption(StoredSession.begin(Documents.keyRing, state, [], { epoch, part: revision }))
  })

  const perform = Effect.fnUntraced(function*(id: SessionId.SessionId, act: typeof Act.Type) {
    const claim = claims.get(id)
    const { journal, snapshot } = yield* documents(id, claim?.epoch ?? SessionStore.firstEpoch)
    const begun = { part: revision, bytes: journal.firstLine }
    switch (act._tag) {
      case "Create":
        claims.set(id, yield* Scope.provide(store.create(id, snapshot.bytes, journal.firstLine), scope))
        writers.set(id, journal)
        return "created"
      case "Claim": {
        const won = yield* Scope.provide(store.claim(id, { takeOver: act.takeOver }), scope)
        claims.set(id, won)
        return won.epoch
      }
      case "Remove":
        return yield* store.remove(id, { interrupted: act.interrupted })
      case "Restore":
        return yield* store.restore(id)
      case "Purge":
        return yield* store.purge(id)
      case "Still": {
        const before = yield* store.read(id)
        return claim === undefined ? "no claim" : yield* claim.isStill(before)
      }
      default:
        break
    }
    if (claim === undefined) return "no claim"
    switch (act._tag) {
      case "Begin": {
        writers.set(id, journal)
        return yield* claim.begin(begun)
      }
      case "Append": {
        const lines = (writers.get(id) ?? journal).encode(
          act.texts.map((prompt) => ({
            at: Documents.at,
            json: Buffer.from(JSON.stringify({ _tag: "PromptRecorded", prompt }))
          }))
        )
        return yield* claim.append(lines)
      }
      case "AppendBytes":
        return yield* claim.append(Uint8Array.from(act.bytes))
      case "Checkpoint":
        writers.set(id, journal)
        return yield* claim.checkpoint(snapshot.bytes, begun)
      case "Close":
        return yield* claim.close(snapshot.bytes)
      case "Release":
        return yield* claim.release
    }
  })

  const tell = <A, E extends { readonly _tag: string; readonly reason?: unknown }, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.map(
      Effect.match(effect, {
        onFailure: (error) => [error._tag, JSON.stringify(error.reason)],
        onSuccess: (value) => value
      }),
      (answer) => told.push(answer)
    )

  for (const { act, which } of steps) {
    yield* tell(perform(ids[which] ?? Documents.id, act))
    for (const id of ids) {
      yield* tell(Effect.map(store.read(id), ({ journals, snapshot, status }) => [
        status,
        Buffer.from(snapshot).toString("latin1"),
        journals.map((bytes) => Buffer.from(bytes).toString("latin1"))
      ]))
    }
    yield* tell(
      Effect.map(
        Stream.runCollect(store.entries),
        (entries) =>
          SessionList.select(entries, { status: ["closed", "running", "interrupted", "removed"] }).map((entry) =>
            SessionList.isStored(entry) ? { ...entry, bytes: 0 } : entry._tag
          )
      )
    )
  }
  yield* Scope.close(scope, Exit.void)
  return told
})

describe("SessionStore.layerEncrypted", () => {
  it.effect.prop(
    "answers as the store below would, whatever is done in whatever order",
    [Steps],
    ([steps]) =>
      Effect.gen(function*() {
        const layerLimits = Layer.succeed(SessionLimits.SessionLimits, limits)
        const plain = SessionStore.layerMemory.pipe(Layer.provide(layerLimits))
        const encrypted = SessionStore.layerEncrypted(SessionStore.layerMemory).pipe(
          Layer.provide([layerLimits, Encrypted.layer()])
        )
        const expected = yield* Effect.provide(play(steps), plain, { local: true })
        const found = yield* Effect.provide(play(steps), encrypted, { local: true })
        assert.deepStrictEqual(found, expected)
      }),
    { arbitrary: { runs: 60, seed: 5 } }
  )
})
