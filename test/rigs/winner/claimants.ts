/** Several make-believe processes in this one, with stores of their own over the same directory. */
import { NodeCrypto, NodeFileSystem, NodePath } from "@effect/platform-node"
import { Effect, FileSystem, Layer } from "effect"
import {
  ProjectDirectory,
  ResumeLimit,
  type RunningSession,
  type SessionId,
  Sessions,
  SessionStore,
  Supervisor
} from "../../../src/index.ts"
import { NodeHmac } from "../../../src/node/index.ts"
import * as Layout from "../../../src/services/store/Layout.ts"
import { FileSystemHooks, type TestLiveness, TestSessions } from "../../../src/testing/index.ts"
import { workspace } from "../aftermath.ts"
import * as Disks from "../mutants/disks.ts"
import * as Places from "../places.ts"

const platform = Layer.mergeAll(NodeFileSystem.layer, NodePath.layer, NodeCrypto.layerSecureRandom, NodeHmac.layer)

type Services = Layer.Success<ReturnType<typeof layer>>

const layer = (options: {
  readonly sessions: string
  readonly process: ReturnType<TestLiveness.Machine["process"]>
  readonly disk: Disks.Disk
  readonly hook: FileSystemHooks.Hook
}) =>
  Layer.mergeAll(
    SessionStore.layerFileSystem({ directory: options.sessions }),
    ProjectDirectory.layer,
    Supervisor.layer,
    TestSessions.layerSigner,
    ResumeLimit.layerOff
  ).pipe(
    Layer.provideMerge(options.process.layer),
    Layer.provide(FileSystemHooks.layer(options.hook)),
    Layer.provide(Disks.layer(options.disk)),
    Layer.provideMerge(platform)
  )

/** One that claims, appends and closes. */
export interface Claimant {
  readonly pid: number
  readonly perform: <A, E>(effect: Effect.Effect<A, E, Services>) => Effect.Effect<A, E>
}

/** A session at rest, and claimants of it that are made as they are wanted. */
export const contested = Effect.fnUntraced(function*(machine: TestLiveness.Machine, disk: Disks.Disk) {
  const fs = yield* FileSystem.FileSystem
  const scope = yield* Effect.scope
  const places = yield* workspace
  const claimant = Effect.fnUntraced(function*(hook: FileSystemHooks.Hook) {
    const process = machine.process()
    const context = yield* Layer.buildWithScope(layer({ sessions: places.sessions, process, disk, hook }), scope)
    const claimant: Claimant = { pid: process.pid, perform: (effect) => Effect.provideContext(effect, context) }
    return claimant
  })
  const first = yield* claimant(FileSystemHooks.none)
  const { id } = yield* first.perform(
    Effect.tap(
      Sessions.create({ project: places.project, name: "contested", config: Places.config }),
      ({ id }) => Sessions.close(id)
    )
  )
  return {
    places,
    id,
    claimant,
    epoch: Effect.map(fs.readDirectory(`${places.sessions}/${id}`), (names) => Layout.highest(Layout.parse(names)))
  }
})

export const textsOf = (session: RunningSession) =>
  Effect.map(
    session.state,
    ({ conversation }) => conversation.map(({ content }) => typeof content === "string" ? content : "")
  )

export const say = (session: RunningSession, content: string) => session.append({ role: "user", content })

/** Through whatever handle this process has of the session. */
export const sayWhere = (id: SessionId.SessionId, content: string) =>
  Effect.flatMap(
    Effect.flatMap(Effect.flatMap(Supervisor.Supervisor, ({ get }) => get(id)), Effect.fromOption),
    (session) => say(session, content)
  )

export const resume = (id: SessionId.SessionId, takeOver: boolean) => Sessions.resume(id, { takeOver })

/** The tags of an error, and the process that it names as the holder. */
export const nameOf = (error: Effect.Error<ReturnType<typeof Sessions.resume>>) => ({
  came: "reason" in error ? `${error._tag}/${error.reason._tag}` : `${error._tag}: ${error.message}`,
  pid: "reason" in error && error.reason._tag === "AlreadyRunning" ? error.reason.holder?.pid : undefined
})
