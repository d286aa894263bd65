/**
 * What hostile runs stand on: a store over real files, in memory where the
 * machine has such a place, and ways to put anything into it.
 */
import { NodeCrypto, NodePath } from "@effect/platform-node"
import { Effect, type FileSystem, Layer, Logger } from "effect"
import * as Kdf from "effect/crypto/Kdf"
import * as NodeCryptography from "node:crypto"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import {
  ProjectDirectory,
  ResumeLimit,
  type Session,
  type SessionId,
  SessionLimits,
  SessionStore,
  Supervisor
} from "../../src/index.ts"
import { NodeHmac } from "../../src/node/index.ts"
import { FileSystemHooks, TestLiveness, TestSessions } from "../../src/testing/index.ts"
import * as QuickFiles from "../rigs/trials/quick-files.ts"

export const config: Session.SessionConfig = { provider: "test", model: "model", temperature: 0.5, maxTokens: 1000 }

const memory = "/dev/shm"

/** A directory with an empty project and an empty sessions directory, deleted at the end. */
export const workspace = Effect.map(
  Effect.acquireRelease(
    Effect.sync(() => NodeFs.mkdtempSync(`${NodeFs.existsSync(memory) ? memory : NodeOs.tmpdir()}/reprise-`)),
    (root) => Effect.sync(() => NodeFs.rmSync(root, { recursive: true, force: true }))
  ),
  (made) => {
    const root = NodeFs.realpathSync(made)
    NodeFs.mkdirSync(`${root}/project`)
    NodeFs.mkdirSync(`${root}/sessions`, { mode: 0o700 })
    return { root, project: `${root}/project`, sessions: `${root}/sessions` }
  }
)

export interface Options {
  readonly sessions: string
  readonly hook?: FileSystemHooks.Hook
  readonly disk?: Layer.Layer<FileSystem.FileSystem>
  readonly limits?: Partial<SessionLimits.Limits>
}

export type Services = Layer.Success<ReturnType<typeof layer>>

/** All services over files, signed with the test key. They log nothing. */
export const layer = ({ disk = QuickFiles.layer, hook = FileSystemHooks.none, limits, sessions }: Options) =>
  Layer.mergeAll(
    SessionStore.layerFileSystem({ directory: sessions }),
    ProjectDirectory.layer,
    Supervisor.layer,
    TestSessions.layerSigner,
    ResumeLimit.layerOff
  ).pipe(
    Layer.provideMerge(Layer.mergeAll(
      Layer.provide(FileSystemHooks.layer(hook), disk),
      NodePath.layer,
      NodeCrypto.layerSecureRandom,
      Kdf.layerWebCrypto,
      NodeHmac.layer,
      TestLiveness.machine().process().layer
    )),
    Layer.provide(Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, ...limits })),
    Layer.provideMerge(Logger.layer([]))
  )

/** Makes a session's directory that holds these files and nothing else. */
export const put = (
  sessions: string,
  id: SessionId.SessionId,
  files: { readonly [name: string]: Uint8Array }
): void => {
  const directory = `${sessions}/${id}`
  NodeFs.rmSync(directory, { recursive: true, force: true })
  NodeFs.mkdirSync(directory, { mode: 0o700 })
  for (const [name, bytes] of Object.entries(files)) {
    NodeFs.writeFileSync(`${directory}/${name}`, bytes, { mode: 0o600 })
  }
}

/** Everything in a session's directory. */
export const take = (sessions: string, id: SessionId.SessionId): { readonly [name: string]: Uint8Array } => {
  const directory = `${sessions}/${id}`
  return Object.fromEntries(
    NodeFs.readdirSync(directory).map((name) => [name, new Uint8Array(NodeFs.readFileSync(`${directory}/${name}`))])
  )
}

export const clear = (sessions: string, id: SessionId.SessionId): void =>
  NodeFs.rmSync(`${sessions}/${id}`, { recursive: true, force: true })

/** What is below a directory: each name with what kind of thing it is, its times, and a digest of what it holds. */
export const pictureOf = (directory: string): string =>
  NodeFs.readdirSync(directory, { recursive: true, encoding: "utf8" }).sort().map((name) => {
    const path = `${directory}/${name}`
    const info = NodeFs.lstatSync(path, { bigint: true })
    const content = info.isFile()
      ? NodeCryptography.createHash("sha256").update(NodeFs.readFileSync(path)).digest("base64url")
      : info.isSymbolicLink()
      ? NodeFs.readlinkSync(path)
      : ""
    return [name, info.mode.toString(8), info.ino, info.mtimeNs, content].join(" ")
  }).join("\n")
