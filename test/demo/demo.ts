/** A session outlives its process: run it with `npm run demo`. */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, FileSystem, Logger, Path, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"
import { SessionList, Sessions } from "../../src/index.ts"
import { NodeSessions } from "../../src/node/index.ts"

const agent = fileURLToPath(new URL("agent.ts", import.meta.url))

/** A place with a project in it, as it could be anywhere on a disk. */
const workspace = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = yield* fs.makeTempDirectory({ prefix: "reprise-demo-" })
  const project = path.join(root, "calculator")
  yield* fs.makeDirectory(project)
  yield* fs.writeFileString(path.join(project, "sum.js"), "export const sum = (a, b) => a + b + 1\n")
  return { project, sessions: path.join(root, "sessions") }
})

/** Starts the agent in a process of its own and passes on what it prints. */
const run = (...args: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
    const child = yield* spawner.spawn(
      ChildProcess.make(process.execPath, [agent, ...args], { stdin: "ignore", stderr: "inherit" })
    )
    return { child, lines: child.stdout.pipe(Stream.decodeText(), Stream.splitLines, Stream.tap(Console.log)) }
  })

/** Runs the agent until it says that it thinks, then kills it without a word of warning. */
const runAndKill = Effect.fnUntraced(function*(sessions: string, project: string) {
  const { child, lines } = yield* run("start", sessions, project)
  yield* Stream.runDrain(Stream.takeUntil(lines, (line) => line.includes("thinking")))
  yield* child.kill({ killSignal: "SIGKILL" })
  yield* Console.log(`  *** process ${child.pid} was killed (SIGKILL) ***`)
}, Effect.scoped)

const showList = Effect.gen(function*() {
  const entries = yield* Stream.runCollect(Sessions.list())
  for (const entry of entries.filter(SessionList.isStored)) {
    yield* Console.log(`  ${entry.status.padEnd(11)} ${entry.name}  ${entry.id}  ${entry.projectPath}`)
  }
})

const showFiles = Effect.fnUntraced(function*(directory: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  for (const name of yield* fs.readDirectory(directory, { recursive: true })) {
    const file = path.join(directory, name)
    if ((yield* fs.stat(file)).type === "File") yield* Console.log(`  ${file}`)
  }
})

const demo = Effect.gen(function*() {
  const { project, sessions } = yield* workspace
  const inSessions = Effect.provide(NodeSessions.layer({ directory: sessions }), { local: true })

  yield* Console.log(`\n1. A process creates a session for ${project}, and its agent starts to work.`)
  yield* runAndKill(sessions, project)

  yield* Console.log("\n2. What is stored:")
  yield* inSessions(showList)
  yield* showFiles(sessions)

  yield* Console.log("\n3. A new process resumes it.")
  const { id } = yield* inSessions(Sessions.find({ project, pick: "latest" }))
  const { child, lines } = yield* run("resume", sessions, id)
  yield* Stream.runDrain(lines)
  const exitCode = yield* child.exitCode

  yield* Console.log("\n4. What is stored now:")
  yield* inSessions(showList)
  yield* showFiles(sessions)
  yield* Console.log("\nThe files stay there. Look into session.json: it is JSON, and it is signed.\n")
  if (exitCode !== 0) return yield* Effect.die(new Error(`the resumed agent ended with ${exitCode}`))
}).pipe(Effect.scoped)

NodeRuntime.runMain(demo.pipe(Effect.provide([NodeServices.layer, Logger.layer([])])))
