/**
 * Which program this is.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as NodeFs from "node:fs"

/**
 * The version of the package that this module belongs to, as its manifest
 * tells: sources, built modules and the bundle all lie two directories below it.
 *
 * @category getters
 * @since 0.1.0
 */
export const version = (): string => {
  const manifest: unknown = JSON.parse(NodeFs.readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
  return Predicate.hasProperty(manifest, "version") && typeof manifest.version === "string" ? manifest.version : ""
}
