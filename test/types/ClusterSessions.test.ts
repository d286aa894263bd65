import { describe, expectTypeOf, it } from "@effect/vitest"
import type { Effect, Layer, Stream } from "effect"
import type { ProjectDirectory, Session, SessionError, SessionId, SessionStore, Signer } from "effect-reprise"
import type { ClusterSessions } from "effect-reprise/cluster"
import type { Sharding } from "effect/cluster"
import type { SecureRandom } from "effect/crypto"

type Restore =
  | SessionError.InvalidJson
  | SessionError.SchemaVersion
  | SessionError.RestoreFailed
  | SessionError.StoreError
type Resume = Restore | SessionError.NotFound
type Unreachable = ClusterSessions.Unreachable
type Message = Resume | SessionError.SessionEnded | Unreachable
type Change = SessionError.EventRejected | Message

type Sessions = ClusterSessions.ClusterSessions["Service"]
type Handle = ClusterSessions.ClusterSession

describe("The types of a cluster", () => {
  it("pin what finding a session can fail with, and that it needs nothing", () => {
    expectTypeOf<ReturnType<Sessions["create"]>>().toEqualTypeOf<
      Effect.Effect<ClusterSessions.ClusterSession, Restore | SessionError.CreateFailed | Unreachable>
    >()
    expectTypeOf<Sessions["resume"]>().toEqualTypeOf<
      (id: SessionId.SessionId) => Effect.Effect<ClusterSessions.ClusterSession, Resume | Unreachable>
    >()
    expectTypeOf<Sessions["get"]>().toEqualTypeOf<(id: SessionId.SessionId) => ClusterSessions.ClusterSession>()
  })

  it("pin what a session's messages can fail with", () => {
    expectTypeOf<Handle["state"]>().toEqualTypeOf<Effect.Effect<Session.SessionState, Resume | Unreachable>>()
    expectTypeOf<Handle["changes"]>().toEqualTypeOf<
      Stream.Stream<Session.SessionState, Resume | SessionError.SessionEnded>
    >()
    expectTypeOf<ReturnType<Handle["append"]>>().toEqualTypeOf<Effect.Effect<Session.Message, Change>>()
    expectTypeOf<ReturnType<Handle["replaceTodos"]>>().toEqualTypeOf<Effect.Effect<void, Change>>()
    expectTypeOf<ReturnType<Handle["configure"]>>().toEqualTypeOf<Effect.Effect<void, Change>>()
    expectTypeOf<ReturnType<Handle["rename"]>>().toEqualTypeOf<Effect.Effect<void, Change>>()
    expectTypeOf<ReturnType<Handle["annotate"]>>().toEqualTypeOf<Effect.Effect<void, Change>>()
    expectTypeOf<Handle["checkpoint"]>().toEqualTypeOf<Effect.Effect<void, Message>>()
    expectTypeOf<Handle["close"]>().toEqualTypeOf<Effect.Effect<void, Message>>()
  })

  it("pin what clients and runners are made from", () => {
    expectTypeOf<ReturnType<typeof ClusterSessions.layer>>().toEqualTypeOf<
      Layer.Layer<ClusterSessions.ClusterSessions, never, Sharding.Sharding | SecureRandom.SecureRandom>
    >()
    expectTypeOf<Layer.Services<ReturnType<typeof ClusterSessions.layerRunner>>>().toEqualTypeOf<
      | Sharding.Sharding
      | SessionStore.SessionStore
      | Signer.Signer
      | ProjectDirectory.ProjectDirectory
      | SecureRandom.SecureRandom
    >()
  })
})
