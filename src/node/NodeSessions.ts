/**
 * Everything that sessions on this machine need, in one layer.
 *
 * @since 0.1.0
 */
import * as NodeCrypto from "@effect/platform-node/NodeCrypto"
import * as NodePath from "@effect/platform-node/NodePath"
import * as Kdf from "effect/crypto/Kdf"
import type * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as RateLimiter from "effect/persistence/RateLimiter"
import { StoreError } from "../core/SessionError.ts"
import * as Encryption from "../services/Encryption.ts"
import type { Hmac } from "../services/Hmac.ts"
import type { Liveness } from "../services/Liveness.ts"
import * as ProjectDirectory from "../services/ProjectDirectory.ts"
import * as ResumeLimit from "../services/ResumeLimit.ts"
import * as SessionStore from "../services/SessionStore.ts"
import * as Signer from "../services/Signer.ts"
import * as Supervisor from "../services/Supervisor.ts"
import * as NodeFiles from "./NodeFiles.ts"
import * as NodeHmac from "./NodeHmac.ts"
import * as NodeLiveness from "./NodeLiveness.ts"
import * as NodePatternGuard from "./NodePatternGuard.ts"
import * as NodeSecureRandom from "./NodeSecureRandom.ts"

/**
 * What the operations of `Sessions` need.
 *
 * @category models
 * @since 0.1.0
 */
export type Services =
  | SessionStore.SessionStore
  | Signer.Signer
  | ProjectDirectory.ProjectDirectory
  | ResumeLimit.ResumeLimit
  | Supervisor.Supervisor
  | SecureRandom.SecureRandom
  | Hmac
  | Kdf.Kdf
  | FileSystem.FileSystem
  | Path.Path

/**
 * @category models
 * @since 0.1.0
 */
export interface Options extends Pick<NodeFiles.Options, "smallCalls"> {
  /** Where sessions are stored. Created with mode 0700 when the first one is. */
  readonly directory: string
  /**
   * Where sessions are stored instead of in files, such as a database. Then `directory`
   * only says where the key ring is.
   */
  readonly store?: Layer.Layer<
    SessionStore.SessionStore,
    StoreError,
    Liveness | SecureRandom.SecureRandom | FileSystem.FileSystem | Path.Path
  >
  /** The key ring's file. By default `keyring.json` beside `directory`. */
  readonly keyFile?: string
  /** Directories that projects must be in. Anywhere by default. */
  readonly allowedRoots?: ReadonlyArray<string>
  /**
   * Whether what is stored is encrypted. By default as the key ring says. `true`
   * turns it on, and the key ring says so from then on; a layer brings keys other
   * than those that sign. Once it is on, `false` is refused.
   */
  readonly encryption?: boolean | Layer.Layer<Encryption.Encryption, StoreError, Signer.Signer | Hmac>
  /** Where it is encrypted, whether sessions that are not are read too. Default false. */
  readonly allowPlain?: boolean
}

const layerPlatformWith = (files: NodeFiles.Options) =>
  Layer.mergeAll(
    NodeFiles.layer(files),
    NodePath.layer,
    NodeSecureRandom.layer,
    Kdf.layerWebCrypto,
    NodeHmac.layer,
    NodeLiveness.layer,
    NodePatternGuard.layer()
  )

/**
 * The layers below, for applications that replace some of them: node's file
 * system, paths, random numbers, MACs, processes, and what stops expressions.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerPlatform = layerPlatformWith({})

/**
 * Resuming at most as often as `SessionLimits` allow, counted in memory.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerResumeLimit: Layer.Layer<ResumeLimit.ResumeLimit> = ResumeLimit.layer.pipe(
  Layer.provide(RateLimiter.layer),
  Layer.provide(ResumeLimit.layerStoreMonotonic())
)

const layerSigner = (options: Options) =>
  Layer.unwrap(Effect.map(Path.Path, (path) => {
    const sessions = path.resolve(options.directory)
    return Signer.layerMachineSecret({
      sessions,
      encrypts: options.encryption !== undefined && options.encryption !== false,
      file: options.keyFile ?? path.join(path.dirname(sessions), "keyring.json")
    })
  }))

const refuseOff = () =>
  new StoreError({
    operation: "opening the store",
    cause: new Error("the key ring says that sessions here are encrypted: leave out encryption, or pass true")
  })

/** The store that the key ring asks for. */
const layerStore = ({ allowPlain = false, directory, encryption, store }: Options) =>
  Layer.unwrap(Effect.gen(function*() {
    const { encrypts } = yield* Signer.Signer
    const plain = store ?? SessionStore.layerFileSystem({ directory })
    if (encrypts !== true) return plain
    if (encryption === false) return yield* refuseOff()
    const keys = encryption === undefined || encryption === true ? Encryption.layerSigner : encryption
    return SessionStore.layerEncrypted(plain, { allowPlain }).pipe(Layer.provide([keys, NodeCrypto.layerAead]))
  }))

/**
 * Everything but the platform: give it a file system of your own.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerServices = (options: Options) =>
  Layer.mergeAll(
    Layer.provideMerge(layerStore(options), layerSigner(options)),
    ProjectDirectory.layerWith(options),
    Supervisor.layer,
    layerResumeLimit
  )

/**
 * Sessions in files below `directory`, signed with a key of this machine.
 *
 * **Details**
 *
 * When its scope closes, running sessions are closed, and so saved. Provide
 * `Agent.layer` to it to run a program in every session, and `SessionLimits` or
 * `Redaction` to change theirs. Below `directory` no link is followed, also where
 * one takes the place of a directory while a call is being made.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Services, StoreError> =>
  Layer.provideMerge(
    layerServices(options),
    layerPlatformWith({ ...options, below: options.directory })
  )
