/** Where a program of a test is started from: bundled in a run of the tests, its source elsewhere. */
import { Effect } from "effect"
import * as NodeFs from "node:fs"
import * as NodeNet from "node:net"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"

/** The variable that names the socket where a run of the tests tells the directory of its bundles. */
export const socketName = "REPRISE_TEST_PROGRAMS"

const tests = fileURLToPath(new URL("..", import.meta.url))

const ask = (socket: string) =>
  Effect.callback<string>((resume) => {
    let answer = ""
    NodeNet.connect(socket)
      .on("data", (chunk) => answer += chunk.toString())
      .on("error", (error) => resume(Effect.die(error)))
      .on("end", () => resume(answer.startsWith("failed") ? Effect.die(new Error(answer)) : Effect.succeed(answer)))
  })

let bundles: string | undefined

const directory = Effect.suspend(() => {
  const socket = process.env[socketName]
  if (socket === undefined || bundles !== undefined) return Effect.succeed(bundles)
  return Effect.tap(ask(socket), (found) =>
    Effect.sync(() => {
      bundles = found
    }))
})

/** The file to start: `source` is the URL of the program's own. */
export const fileOf = (source: URL): Effect.Effect<string> =>
  Effect.map(directory, (directory) => {
    const file = fileURLToPath(source)
    const bundled = NodePath.join(directory ?? "", NodePath.relative(tests, file).replace(/ts$/, "js"))
    return directory !== undefined && NodeFs.existsSync(bundled) ? bundled : file
  })

/** What processes of a run have in common: what one of them compiled the others need not. It goes with the bundles. */
export const environment: Effect.Effect<{ readonly NODE_COMPILE_CACHE: string }> = Effect.map(
  directory,
  (directory = NodeOs.tmpdir()) => ({ NODE_COMPILE_CACHE: NodePath.join(directory, "node-compile-cache") })
)
