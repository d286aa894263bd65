/**
 * All services over real files, of which a test replaces one or the other; and
 * what there is below a directory.
 */
import { NodeCrypto, NodeFileSystem, NodePath } from "@effect/platform-node"
import { Effect, Layer } from "effect"
import {
  type Hmac,
  type Liveness,
  type Migration,
  ProjectDirectory,
  ResumeLimit,
  type SessionError,
  SessionFormat,
  SessionLimits,
  SessionStore,
  type Signer,
  Supervisor
} from "effect-reprise"
import { NodeHmac } from "effect-reprise/node"
import { FileSystemHooks, TestLiveness, TestSessions } from "effect-reprise/testing"
import { Kdf } from "effect/crypto"
import * as NodeFs from "node:fs"

export interface Options {
  readonly sessions: string
  /** Sees every call to the file system. */
  readonly hook?: FileSystemHooks.Hook
  /** Which process this is; by default one of a machine of its own. */
  readonly liveness?: Layer.Layer<Liveness.Liveness>
  readonly limits?: Partial<SessionLimits.Limits>
  /** By default the test key. */
  readonly signer?: Layer.Layer<Signer.Signer, SessionError.StoreError, Hmac.Hmac>
  readonly format?: Migration.Format
  readonly allowedRoots?: ReadonlyArray<string>
}

const derived = new Map<string, Uint8Array>()

/** Derives each key once: 100,000 rounds for each of a thousand files would be all that a test does. */
const layerKdf = Layer.effect(
  Kdf.Kdf,
  Effect.map(Kdf.Kdf, (kdf) =>
    Kdf.Kdf.of({
      ...kdf,
      derive: (algorithm, secret, options) => {
        const name = JSON.stringify([algorithm, Array.from(secret), Object.entries(options).map(String)])
        const known = derived.get(name)
        if (known !== undefined) return Effect.succeed(known)
        return Effect.tap(kdf.derive(algorithm, secret, options), (key) =>
          Effect.sync(() => {
            derived.set(name, key)
          }))
      }
    }))
).pipe(Layer.provide(Kdf.layerWebCrypto))

export const layer = (options: Options) => {
  const limits = Layer.succeed(SessionLimits.SessionLimits, { ...SessionLimits.defaults, ...options.limits })
  const format = options.format === undefined
    ? Layer.empty
    : Layer.succeed(SessionFormat.SessionFormat, options.format)
  const platform = Layer.mergeAll(
    Layer.provide(FileSystemHooks.layer(options.hook ?? FileSystemHooks.none), NodeFileSystem.layer),
    NodePath.layer,
    NodeCrypto.layerSecureRandom,
    NodeHmac.layer,
    layerKdf,
    options.liveness ?? TestLiveness.machine().process().layer
  )
  return Layer.mergeAll(
    SessionStore.layerFileSystem({ directory: options.sessions }),
    ProjectDirectory.layerWith(options.allowedRoots === undefined ? {} : { allowedRoots: options.allowedRoots }),
    Supervisor.layer,
    options.signer ?? TestSessions.layerSigner,
    ResumeLimit.layerOff
  ).pipe(Layer.provideMerge(platform), Layer.provide([limits, format]))
}

/** What the layer provides to operations. */
export type Services = Layer.Success<ReturnType<typeof layer>>

/** Runs operations as one process that ends with them. */
export const run = <A, E>(program: Effect.Effect<A, E, Services>, options: Options) =>
  Effect.provide(program, layer(options), { local: true })

/** Everything below a directory: its names, modes and bytes. */
export const everything = (directory: string): ReadonlyArray<string> =>
  NodeFs.existsSync(directory)
    ? NodeFs.readdirSync(directory, { recursive: true, encoding: "utf8" }).sort().map((name) => {
      const path = `${directory}/${name}`
      const info = NodeFs.lstatSync(path)
      const content = info.isFile()
        ? NodeFs.readFileSync(path, "latin1")
        : info.isSymbolicLink()
        ? NodeFs.readlinkSync(path)
        : ""
      return `${name} ${info.mode.toString(8)} ${content}`
    })
    : []
