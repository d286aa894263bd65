/**
 * Everything the operations need, without a disk: for the tests of applications.
 *
 * @since 0.1.0
 */
import * as Kdf from "effect/crypto/Kdf"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Path from "effect/Path"
import * as Redacted from "effect/Redacted"
import type { StoreError } from "../core/SessionError.ts"
import * as NodeHmac from "../node/NodeHmac.ts"
import type * as NodeSessions from "../node/NodeSessions.ts"
import * as ProjectDirectory from "../services/ProjectDirectory.ts"
import * as ResumeLimit from "../services/ResumeLimit.ts"
import * as SessionStore from "../services/SessionStore.ts"
import * as Signer from "../services/Signer.ts"
import * as Supervisor from "../services/Supervisor.ts"

/**
 * A key ring of one known key.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerSigner: Layer.Layer<Signer.Signer, StoreError> = Layer.provide(
  Signer.layer({ keys: [{ id: "test", secret: Redacted.make(new Uint8Array(32).fill(7)) }] }),
  NodeHmac.layer
)

/**
 * Sessions in memory, signed with a known key, in projects that need not exist,
 * resumed as often as you like. There is no file system: provide one to import or
 * export.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerMemory: Layer.Layer<NodeSessions.Services, StoreError> = Supervisor.layer.pipe(
  Layer.provideMerge(
    Layer.mergeAll(
      SessionStore.layerMemory,
      layerSigner,
      ProjectDirectory.layerNone,
      ResumeLimit.layerOff,
      SecureRandom.layerWebCrypto,
      Kdf.layerWebCrypto,
      NodeHmac.layer,
      FileSystem.layerNoop({}),
      Path.layer
    )
  )
)
