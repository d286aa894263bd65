/** Installs a peer's packages into a folder of their own, once. */
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import type { Peer } from "./peer.ts"

const cache = NodePath.join(
  process.env["XDG_CACHE_HOME"] ?? NodePath.join(NodeOs.homedir(), ".cache"),
  "effect-reprise-bench"
)

/** Where the packages are. Throws what npm says where they can't be installed. */
export const install = ({ name, overrides, packages }: Peer): string => {
  if (Object.keys(packages).length === 0) return ""
  const folder = NodePath.join(cache, name.replaceAll(/\W+/g, "-").toLowerCase())
  const manifest = JSON.stringify({ private: true, type: "module", dependencies: packages, overrides }, undefined, 2)
  const stamp = NodePath.join(folder, "installed.json")
  if (NodeFs.existsSync(stamp) && NodeFs.readFileSync(stamp, "utf8") === manifest) return folder
  NodeFs.rmSync(folder, { recursive: true, force: true })
  NodeFs.mkdirSync(folder, { recursive: true })
  NodeFs.writeFileSync(NodePath.join(folder, "package.json"), manifest)
  const { error, status, stderr } = NodeChildProcess.spawnSync(
    "npm",
    // Nobody's install scripts: what needs them to work can't be compared everywhere.
    ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
    { cwd: folder, encoding: "utf8" }
  )
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`npm install: ${stderr.trim().split("\n").at(-1) ?? status}`)
  NodeFs.writeFileSync(stamp, manifest)
  return folder
}
