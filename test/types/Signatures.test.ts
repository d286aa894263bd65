import { assert, describe, expectTypeOf, it } from "@effect/vitest"
import {
  Context,
  Deferred,
  type Duration,
  Effect,
  type Exit,
  type FileSystem,
  Layer,
  Option,
  type Path,
  type Scope,
  Stream
} from "effect"
import {
  Agent,
  type Blob,
  type Hmac,
  type ProjectDirectory,
  type ResumeLimit,
  type Retention,
  type RunningSession,
  Session,
  type SessionError,
  SessionId,
  type SessionList,
  Sessions,
  type SessionStore,
  type Signer,
  type Supervisor
} from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import { TestSessions } from "effect-reprise/testing"
import type { Kdf, SecureRandom } from "effect/crypto"
import * as Rig from "../suites/rig.ts"

type Store = SessionStore.SessionStore
type Sign = Signer.Signer
type Project = ProjectDirectory.ProjectDirectory
type Run = Supervisor.Supervisor
type Limit = ResumeLimit.ResumeLimit
type Random = SecureRandom.SecureRandom

type NotFound = SessionError.NotFound
type InvalidJson = SessionError.InvalidJson
type SchemaVersion = SessionError.SchemaVersion
type RestoreFailed = SessionError.RestoreFailed
type CreateFailed = SessionError.CreateFailed
type EventRejected = SessionError.EventRejected
type SessionEnded = SessionError.SessionEnded
type InvalidBlob = SessionError.InvalidBlob
type StoreError = SessionError.StoreError

/** A service of an application. */
class Model extends Context.Service<Model, { readonly name: string }>()("test/types/Signatures/Model") {}

describe("The types of operations", () => {
  it("pin what create and load take, return, fail with and need", () => {
    expectTypeOf(Sessions.create).toEqualTypeOf<
      (
        options: Sessions.CreateOptions
      ) => Effect.Effect<RunningSession, CreateFailed | StoreError, Store | Sign | Project | Run | Random>
    >()
    expectTypeOf<Sessions.CreateOptions>().toEqualTypeOf<{
      readonly project: string
      readonly name?: string
      readonly config: Session.SessionConfig
      readonly metadata?: Session.Session["metadata"]
    }>()
    expectTypeOf(Sessions.load).toEqualTypeOf<
      (
        id: SessionId.SessionId
      ) => Effect.Effect<Sessions.LoadedSession, NotFound | InvalidJson | SchemaVersion | StoreError, Store | Sign>
    >()
    expectTypeOf(Sessions.copyFrom).toEqualTypeOf<
      (
        store: SessionStore.SessionStore["Service"],
        options?: Sessions.CopyOptions
      ) => Stream.Stream<Sessions.Copy, StoreError, Store | Sign>
    >()
    expectTypeOf(Sessions.verify).toEqualTypeOf<
      (
        id: SessionId.SessionId
      ) => Effect.Effect<
        Sessions.LoadReport,
        NotFound | InvalidJson | SchemaVersion | InvalidBlob | StoreError,
        Store | Sign
      >
    >()
    expectTypeOf(Sessions.blob).toEqualTypeOf<
      (
        id: SessionId.SessionId,
        reference: Blob.Reference
      ) => Effect.Effect<Uint8Array, InvalidBlob | StoreError, Store>
    >()
    expectTypeOf(Sessions.materialise).toEqualTypeOf<
      (
        id: SessionId.SessionId,
        message: Session.Message
      ) => Effect.Effect<Session.Message, InvalidBlob | StoreError, Store>
    >()
    expectTypeOf<Sessions.LoadedSession>().toEqualTypeOf<
      { readonly state: Session.SessionState; readonly report: Sessions.LoadReport }
    >()
  })

  it("pin fork and search, which need no running sessions", () => {
    expectTypeOf(Sessions.fork).toEqualTypeOf<
      (id: SessionId.SessionId, options?: Sessions.ForkOptions) => Effect.Effect<
        Sessions.ForkReport,
        NotFound | InvalidJson | SchemaVersion | CreateFailed | StoreError,
        Store | Sign | Project | Random
      >
    >()
    expectTypeOf<Sessions.ForkOptions>().toEqualTypeOf<
      { readonly at?: string | number; readonly name?: string; readonly project?: string }
    >()
    expectTypeOf(Sessions.search).toEqualTypeOf<
      (query: Sessions.SearchQuery) => Stream.Stream<Sessions.SearchResult, StoreError, Store | Sign | Project>
    >()
    expectTypeOf<Sessions.SearchResult>().toEqualTypeOf<Sessions.Match | Sessions.Unsearched>()
  })

  it("pin list and find", () => {
    expectTypeOf(Sessions.list).toEqualTypeOf<
      (filter?: SessionList.Filter) => Stream.Stream<SessionList.Entry, StoreError, Store | Project>
    >()
    expectTypeOf(Sessions.find).toEqualTypeOf<
      (options?: Sessions.FindOptions) => Effect.Effect<SessionList.Stored, NotFound | StoreError, Store | Project>
    >()
  })

  it("pin resume and resumeScoped, which alone needs a scope", () => {
    type Errors = NotFound | InvalidJson | SchemaVersion | RestoreFailed | StoreError
    type Needs = Store | Sign | Project | Limit | Run
    expectTypeOf<Sessions.ResumeError>().toEqualTypeOf<Errors>()
    expectTypeOf<Sessions.ResumeServices>().toEqualTypeOf<Needs>()
    expectTypeOf(Sessions.resume).toEqualTypeOf<
      (id: SessionId.SessionId, options?: Sessions.ResumeOptions) => Effect.Effect<RunningSession, Errors, Needs>
    >()
    expectTypeOf(Sessions.resumeScoped).toEqualTypeOf<
      (
        id: SessionId.SessionId,
        options?: Sessions.ResumeOptions
      ) => Effect.Effect<RunningSession, Errors, Needs | Scope.Scope>
    >()
  })

  it("pin checkpoint, close and rename", () => {
    expectTypeOf(Sessions.checkpoint).toEqualTypeOf<
      (id: SessionId.SessionId) => Effect.Effect<void, SessionEnded | StoreError, Run>
    >()
    expectTypeOf(Sessions.close).toEqualTypeOf<
      (id: SessionId.SessionId) => Effect.Effect<void, SessionEnded | StoreError, Run>
    >()
    expectTypeOf(Sessions.rename).toEqualTypeOf<
      (id: SessionId.SessionId, name: string) => Effect.Effect<
        void,
        NotFound | InvalidJson | SchemaVersion | RestoreFailed | EventRejected | SessionEnded | StoreError,
        Store | Sign | Run
      >
    >()
  })

  it("pin remove, restore, purge and cleanup", () => {
    expectTypeOf(Sessions.remove).toEqualTypeOf<
      (
        id: SessionId.SessionId,
        options?: { readonly interrupted?: boolean }
      ) => Effect.Effect<void, NotFound | RestoreFailed | StoreError, Store>
    >()
    expectTypeOf(Sessions.restore).toEqualTypeOf<
      (id: SessionId.SessionId) => Effect.Effect<void, NotFound | RestoreFailed | CreateFailed | StoreError, Store>
    >()
    expectTypeOf(Sessions.purge).toEqualTypeOf<
      (id: SessionId.SessionId) => Effect.Effect<void, NotFound | RestoreFailed | StoreError, Store>
    >()
    expectTypeOf(Sessions.cleanup).toEqualTypeOf<
      (options?: Sessions.CleanupOptions) => Effect.Effect<Sessions.CleanupReport, StoreError, Store>
    >()
    expectTypeOf<Sessions.CleanupOptions>().toEqualTypeOf<
      { readonly olderThan?: Duration.Input; readonly dryRun?: boolean }
    >()
    expectTypeOf<Sessions.CleanupReport["skipped"]>().toEqualTypeOf<Retention.Plan["skip"]>()
    expectTypeOf<Sessions.CleanupReport["failed"][number]["error"]>().toEqualTypeOf<
      NotFound | RestoreFailed | StoreError
    >()
  })

  it("pin what a running session's members do: nothing they need is left open", () => {
    type Change = EventRejected | SessionEnded | StoreError
    expectTypeOf<RunningSession>().toEqualTypeOf<{
      readonly id: SessionId.SessionId
      readonly state: Effect.Effect<Session.SessionState>
      readonly earlier: Effect.Effect<ReadonlyArray<Session.Message>, InvalidJson>
      readonly changes: Stream.Stream<Session.SessionState>
      readonly append: (message: Session.MessageInput) => Effect.Effect<Session.Message, Change>
      readonly materialise: (message: Session.Message) => Effect.Effect<Session.Message, InvalidBlob | StoreError>
      readonly blob: (reference: Blob.Reference) => Effect.Effect<Uint8Array, InvalidBlob | StoreError>
      readonly replaceTodos: (todos: ReadonlyArray<Session.Todo>) => Effect.Effect<void, Change>
      readonly recordPrompt: (prompt: string) => Effect.Effect<void, Change>
      readonly configure: (config: Session.SessionConfig) => Effect.Effect<void, Change>
      readonly rename: (name: string) => Effect.Effect<void, Change>
      readonly annotate: (metadata: Session.Session["metadata"]) => Effect.Effect<void, Change>
      readonly checkpoint: Effect.Effect<void, SessionEnded | StoreError>
      readonly awaitExit: Effect.Effect<Exit.Exit<void, unknown>>
    }>()
  })

  it("pin the layers: all services, and one error", () => {
    type Services =
      | Store
      | Sign
      | Project
      | Limit
      | Run
      | Random
      | Hmac.Hmac
      | Kdf.Kdf
      | FileSystem.FileSystem
      | Path.Path
    expectTypeOf<NodeSessions.Services>().toEqualTypeOf<Services>()
    expectTypeOf(NodeSessions.layer).toEqualTypeOf<
      (options: NodeSessions.Options) => Layer.Layer<Services, StoreError>
    >()
    expectTypeOf(TestSessions.layerMemory).toEqualTypeOf<Layer.Layer<Services, StoreError>>()
  })

  it("pin that Agent.layer needs what its program needs, but for supervisor and scope", () => {
    expectTypeOf(Agent.layer(() => Effect.void)).toEqualTypeOf<Layer.Layer<never>>()
    const program = (session: RunningSession) =>
      Effect.gen(function*() {
        const model = yield* Model
        yield* Effect.addFinalizer(() => Effect.void)
        yield* session.recordPrompt(model.name)
        yield* Sessions.checkpoint(session.id)
      })
    expectTypeOf(Agent.layer(program)).toEqualTypeOf<Layer.Layer<never, never, Model>>()
  })
})

/** Never run: what must not compile. */
const refused = (session: RunningSession) => {
  // @ts-expect-error a text is not a session id
  void Sessions.load("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
  // @ts-expect-error a text is not a session id
  void Sessions.resume("6f1f9a52-7c1c-4c55-9b2e-0a6a3b1f2c10")
  // @ts-expect-error a text is not a session id
  void Sessions.remove("../../etc")
  // @ts-expect-error nobody is called like that
  void session.append({ role: "robot", content: "x" })
  // @ts-expect-error a message has a content
  void session.append({ role: "user" })
  // @ts-expect-error a message has a role
  void session.append({ content: "x" })
  // @ts-expect-error no part is like that
  void session.append({ role: "user", content: [{ type: "video", data: "x" }] })
  // @ts-expect-error a tool call has params
  void session.append({ role: "assistant", content: [{ type: "tool-call", id: "1", name: "x" }] })
  // @ts-expect-error a todo has no such status
  void session.replaceTodos([{ content: "x", status: "done", activeForm: "x" }])
  // @ts-expect-error maxTokens is missing
  void session.configure({ provider: "p", model: "m", temperature: 1 })
  // @ts-expect-error a session has a configuration
  void Sessions.create({ project: "/" })
  // @ts-expect-error model and others are missing
  void Sessions.create({ project: "/", config: { provider: "p" } })
  // @ts-expect-error a function is not data
  void Sessions.create({ project: "/", config: Rig.config, metadata: { call: () => 1 } })
  // @ts-expect-error there is no such pick
  void Sessions.find({ pick: "oldest" })
  // @ts-expect-error there is no such status
  void Sessions.list({ status: ["open"] })
  // @ts-expect-error there is no such duration
  void Sessions.cleanup({ olderThan: "some time" })
  // @ts-expect-error the state of a session is not written to
  void Effect.map(session.state, (state) => (state.conversation = []))
  // @ts-expect-error the services are missing
  void Effect.runPromise(Sessions.load(session.id))
  const agent = Agent.layer(() => Effect.void)
  const entries = Effect.provide(Stream.runCollect(Sessions.list()), agent)
  // @ts-expect-error an agent's layer is not the layer of sessions
  const list: Effect.Effect<ReadonlyArray<SessionList.Entry>, StoreError> = entries
  // @ts-expect-error the agent's own requirement is missing
  const layer: Layer.Layer<never> = Agent.layer(() => Effect.asVoid(Model))
  // @ts-expect-error the error is not handled
  const id: Effect.Effect<SessionId.SessionId, never, Store | Project> = Effect.map(Sessions.find(), ({ id }) => id)
  return { list, layer, id }
}

describe("What must not compile", () => {
  it("is refused above, line by line, and never run", () => {
    assert.isFunction(refused)
  })
})

describe("A program over NodeSessions.layer", () => {
  it.effect("creates, fills, closes, loads, lists, resumes and goes on", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const program = Effect.gen(function*() {
        const created = yield* Sessions.create({ project, name: "program", config: Rig.config })
        yield* created.append({ role: "user", content: "read the file" })
        yield* created.append({
          role: "assistant",
          content: [
            { type: "text", text: "I look." },
            { type: "tool-call", id: "call-1", name: "read", params: { path: "README.md" } }
          ],
          usage: { inputTokens: 10, outputTokens: 5, totalCost: 0.01 }
        })
        yield* created.append({
          role: "tool",
          content: [{ type: "tool-result", id: "call-1", name: "read", isFailure: false, result: ["# Title"] }]
        })
        yield* created.replaceTodos([{ content: "read", status: "completed", activeForm: "reading" }])
        yield* created.recordPrompt("read the file")
        yield* Sessions.close(created.id)

        const { report, state } = yield* Sessions.load(created.id)
        assert.deepStrictEqual(state, yield* created.state)
        assert.strictEqual(report.status, "closed")
        assert.isTrue(Option.isSome(report.closedAt))
        assert.deepStrictEqual(state.conversation.map(({ role }) => role), ["user", "assistant", "tool"])
        assert.deepStrictEqual(state.usage, { inputTokens: 10, outputTokens: 5, totalCost: 0.01 })

        const entries = yield* Stream.runCollect(Sessions.list())
        assert.deepStrictEqual(
          entries.map((entry) => entry._tag === "Stored" ? [entry.id, entry.name, entry.messages] : entry.name),
          [[created.id, "program", 3]]
        )

        const running = yield* Sessions.resume(created.id)
        const resumed = yield* running.state
        assert.deepStrictEqual(
          { ...resumed, session: { ...resumed.session, updatedAt: "" } },
          { ...state, session: { ...state.session, updatedAt: "" } }
        )
        yield* running.append({ role: "user", content: "go on" })
        yield* Sessions.checkpoint(created.id)
        assert.lengthOf((yield* Sessions.load(created.id)).state.conversation, 4)
        return created.id
      })
      const id = yield* Effect.provide(program, NodeSessions.layer({ directory: sessions }), { local: true })

      const later = Effect.gen(function*() {
        const { report, state } = yield* Sessions.load(id)
        assert.strictEqual(report.status, "closed")
        assert.deepStrictEqual(state.conversation.at(-1)?.content, "go on")
      })
      yield* Effect.provide(later, NodeSessions.layer({ directory: sessions }), { local: true })
    }))

  it.effect("runs an agent with the services of its layer, whatever the caller's are", () =>
    Effect.gen(function*() {
      const { project, sessions } = yield* Rig.workspace
      const seen = yield* Deferred.make<string>()
      const agent = Agent.layer(() => Effect.flatMap(Model, ({ name }) => Effect.asVoid(Deferred.succeed(seen, name))))
      const layer = NodeSessions.layer({ directory: sessions }).pipe(
        Layer.provide(agent),
        Layer.provide(Layer.succeed(Model, { name: "the agent's" }))
      )
      yield* Sessions.create({ project, config: Rig.config }).pipe(
        Effect.andThen(Deferred.await(seen)),
        Effect.tap((name) => Effect.sync(() => assert.strictEqual(name, "the agent's"))),
        Effect.provideService(Model, { name: "the caller's" }),
        Effect.provide(layer, { local: true })
      )
    }))

  it("takes a text as an id only where it is one", () => {
    expectTypeOf(SessionId.make).toEqualTypeOf<(text: string) => SessionId.SessionId>()
    expectTypeOf(SessionId.isSessionId).toEqualTypeOf<(input: unknown) => input is SessionId.SessionId>()
    assert.throws(() => SessionId.make("../../etc"))
    assert.strictEqual(Session.nameFrom("", "fallback"), "fallback")
  })
})
