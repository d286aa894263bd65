/**
 * How long, and in how much memory, so many sessions of so many KiB are searched,
 * for what stands in none of them and for what stands in every message: the
 * most memory that the process had, and the most of its heap that was in use.
 *
 * `npm run bench:search [-- --sessions 300 --kib 1000]`
 */
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as Options from "../rigs/options.ts"

const program = fileURLToPath(new URL("search-program.ts", import.meta.url))
const { kib, sessions } = Options.parse({ sessions: 300, kib: 1000 })
const root = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reprise-search-"))

const run = (...args: ReadonlyArray<string>): string => {
  const { status, stderr, stdout } = NodeChildProcess.spawnSync(
    process.execPath,
    ["--expose-gc", program, NodePath.join(root, "sessions"), ...args],
    { encoding: "utf8" }
  )
  if (status !== 0) throw new Error(`it ended with ${status}: ${stderr.slice(-2000)}`)
  return stdout.trim()
}

try {
  run("fill", String(sessions), String(kib))
  for (const text of ["a word in none of them", "needle"]) {
    console.log(`${sessions} sessions of ${kib} KiB, "${text}": ${run("search", text)}`)
  }
} finally {
  NodeFs.rmSync(root, { recursive: true, force: true })
}
