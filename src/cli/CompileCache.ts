/**
 * What Node compiled is kept from one run to the next.
 *
 * @since 0.1.0
 */
import * as NodeModule from "node:module"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

/**
 * Keeps it in the user's own cache directory, where nobody else can write, unless
 * `NODE_COMPILE_CACHE` says where. Without a place for it, nothing is kept.
 *
 * @category running
 * @since 0.1.0
 */
export const enable = (): void => {
  if (process.env["NODE_COMPILE_CACHE"] !== undefined) return
  const caches = process.env["XDG_CACHE_HOME"] ?? NodePath.join(NodeOs.homedir(), ".cache")
  if (NodePath.isAbsolute(caches)) NodeModule.enableCompileCache(NodePath.join(caches, "reprise"))
}
