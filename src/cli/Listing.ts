/**
 * What looking at the list needs on Node.
 *
 * @since 0.1.0
 */
import * as NodePath from "@effect/platform-node/NodePath"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Layer from "effect/Layer"
import * as NodeFiles from "../node/NodeFiles.ts"
import * as NodeLiveness from "../node/NodeLiveness.ts"
import * as ProjectDirectory from "../services/ProjectDirectory.ts"
import * as SessionStore from "../services/SessionStore.ts"

/**
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: { readonly directory: string }) =>
  Layer.mergeAll(SessionStore.layerFileSystem(options), ProjectDirectory.layer).pipe(
    Layer.provide(Layer.mergeAll(
      NodeFiles.layer({ below: options.directory, smallCalls: "synchronous" }),
      NodePath.layer,
      SecureRandom.layerWebCrypto,
      NodeLiveness.layer
    ))
  )
