/**
 * How long, and in how much memory, a long history of so many MiB is brought in:
 * the most memory that the process had, and what of its heap was in use on the way.
 *
 * `npm run bench:import-history [-- --mib 500]`
 */
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as Options from "../rigs/options.ts"
import * as LongHistory from "./long-history.ts"

const program = fileURLToPath(new URL("import-history-program.ts", import.meta.url))
const { mib } = Options.parse({ mib: 500 })
const root = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reprise-import-history-"))

const MiB = 1024 * 1024

try {
  for (const agent of ["claude", "codex"] as const) {
    const file = NodePath.join(root, `${agent}.jsonl`)
    const records = LongHistory.write(file, agent, mib * MiB)
    const begun = performance.now()
    const { status, stderr, stdout } = NodeChildProcess.spawnSync(
      process.execPath,
      ["--expose-gc", program, file, NodePath.join(root, agent), String(10 * MiB), String((mib * MiB) / 10)],
      { encoding: "utf8" }
    )
    if (status !== 0) throw new Error(`it ended with ${status}: ${stderr.slice(-2000)}`)
    const seconds = ((performance.now() - begun) / 1000).toFixed(1)
    console.log(`${agent}: ${records} records, ${mib} MiB in ${seconds} s: ${stdout.trim()}`)
    NodeFs.rmSync(file)
  }
} finally {
  NodeFs.rmSync(root, { recursive: true, force: true })
}
