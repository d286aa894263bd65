/**
 * Programs that tests start as processes of their own, bundled when the first of
 * them is asked for: starting one from a hundred sources takes four times as long.
 */
import * as NodeFs from "node:fs"
import * as NodeNet from "node:net"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import { build } from "rolldown"
import { socketName } from "./programs.ts"

const tests = fileURLToPath(new URL("..", import.meta.url))

/** Below `test`, without their endings. */
const programs = [
  "ai/programs/agent",
  "cluster/programs/runner",
  "node/programs/session",
  "rigs/bystander",
  "rigs/chaos/client",
  "rigs/chaos/runner",
  "rigs/victim",
  "rigs/wanderer",
  "rigs/winner/contender",
  "sql/programs/open"
]

/** Where modules that are no sources of ours are found from as well. */
const caches = NodePath.join(tests, "../node_modules/.cache")

const bundle = async (): Promise<string> => {
  NodeFs.mkdirSync(caches, { recursive: true })
  const directory = NodeFs.mkdtempSync(NodePath.join(caches, "reprise-programs-"))
  await build({
    input: Object.fromEntries(programs.map((name) => [name, NodePath.join(tests, `${name}.ts`)])),
    platform: "node",
    logLevel: "warn",
    output: { dir: directory, format: "esm", chunkFileNames: "shared.[name].js" }
  })
  return directory
}

export default async function setup() {
  const place = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reprise-tests-"))
  const socket = NodePath.join(place, "programs")
  let directory: Promise<string> | undefined
  const answers = NodeNet.createServer((client) => {
    directory ??= bundle()
    client.on("error", () => undefined)
    directory.then((directory) => client.end(directory), (error: unknown) => client.end(`failed: ${String(error)}`))
  })
  await new Promise<void>((resolve) => answers.listen(socket, resolve))
  process.env[socketName] = socket
  return async () => {
    answers.close()
    const made = await directory?.catch(() => undefined)
    if (made !== undefined) NodeFs.rmSync(made, { recursive: true, force: true })
    NodeFs.rmSync(place, { recursive: true, force: true })
  }
}
