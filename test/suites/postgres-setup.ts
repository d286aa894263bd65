/**
 * One PostgreSQL for all test files, started when the first of them asks for it.
 * They ask over a socket: the server belongs to the process that outlives them.
 */
import { Effect, Exit, Scope } from "effect"
import * as NodeFs from "node:fs"
import * as NodeNet from "node:net"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"
import type { TestProject } from "vitest/node"
import * as PostgresServer from "./postgres-server.ts"

declare module "vitest" {
  interface ProvidedContext {
    readonly postgresSocket: string
  }
}

export default async function setup(project: TestProject) {
  const directory = NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reprise-tests-"))
  const socket = NodePath.join(directory, "postgres")
  const scope = Scope.makeUnsafe()
  let url: Promise<string> | undefined
  const answers = NodeNet.createServer((client) => {
    url ??= Effect.runPromise(Effect.map(Scope.provide(PostgresServer.start(), scope), ({ url }) => url))
    client.on("error", () => undefined)
    url.then((url) => client.end(url), (error: unknown) => client.end(`failed: ${String(error)}`))
  })
  await new Promise<void>((resolve) => answers.listen(socket, resolve))
  project.provide("postgresSocket", socket)
  return async () => {
    answers.close()
    await url?.catch(() => undefined)
    await Effect.runPromise(Scope.close(scope, Exit.void))
    NodeFs.rmSync(directory, { recursive: true, force: true })
  }
}
