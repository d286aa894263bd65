/**
 * How long `reprise list` takes on an empty directory, beside `node -e 0`: what
 * people feel. The built bin, warm, as the second and every later run finds it.
 *
 * `npm run build && npm run bench:start-up [-- --runs 20]`
 */
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import * as Options from "../rigs/options.ts"

const bin = fileURLToPath(new URL("../../dist/bin/reprise.js", import.meta.url))
const { runs } = Options.parse({ runs: 20 })

if (!NodeFs.existsSync(bin)) {
  console.error("There is no dist/bin/reprise.js. Build it first: npm run build")
  process.exit(1)
}

const root = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reprise-start-up-"))
const env = {
  ...process.env,
  XDG_CACHE_HOME: NodePath.join(root, "cache"),
  REPRISE_DIR: NodePath.join(root, "sessions")
}

const time = (...args: ReadonlyArray<string>): number => {
  const begun = performance.now()
  const { status, stderr } = NodeChildProcess.spawnSync(process.execPath, args, { cwd: root, env, encoding: "utf8" })
  if (status !== 0) throw new Error(`${args.join(" ")} ended with ${status}: ${stderr}`)
  return performance.now() - begun
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0

try {
  // The first run fills the compile cache.
  time(bin, "list")
  const node: Array<number> = []
  const list: Array<number> = []
  // In turn, so that what else the machine does falls on both.
  for (let run = 0; run < runs; run++) {
    node.push(time("-e", "0"))
    list.push(time(bin, "list"))
  }
  const [base, taken] = [median(node), median(list)]
  const budget = 2 * base + 100
  const ms = (value: number) => `${value.toFixed(0)} ms`
  console.log(`node -e 0     ${ms(base)}  (median of ${runs}, fastest ${ms(Math.min(...node))})`)
  console.log(`reprise list  ${ms(taken)}  (median of ${runs}, fastest ${ms(Math.min(...list))})`)
  console.log(`ratio         ${(taken / base).toFixed(2)}`)
  console.log(`budget        ${ms(budget)} = 2 x node + 100 ms: ${taken <= budget ? "kept" : "exceeded"}`)
} finally {
  NodeFs.rmSync(root, { recursive: true, force: true })
}
