/**
 * The command line as tests type at it: over real files or in memory, with what it
 * printed. What is replaced is the terminal, the environment and the process.
 */
import { NodeFileSystem, NodePath } from "@effect/platform-node"
import { ConfigProvider, Effect, Layer, Schema, Sink, Stdio, Terminal } from "effect"
import { Sessions, Supervisor } from "effect-reprise"
import { NodeSessions } from "effect-reprise/node"
import { TestSessions } from "effect-reprise/testing"
import { ChildProcessSpawner } from "effect/process"
import { TestConsole } from "effect/testing"
import { Backend } from "../../src/cli/Backend.ts"
import * as Cli from "../../src/cli/Cli.ts"
import * as CliJson from "../../src/cli/CliJson.ts"
import type { ExitCode } from "../../src/cli/ExitCode.ts"
import { WorkingDirectory } from "../../src/cli/Where.ts"
import * as Rig from "../suites/rig.ts"

/** What a run printed, and what it ended with. */
export interface Run {
  readonly code: ExitCode
  readonly out: string
  readonly err: string
}

export interface RunOptions {
  /** The directory that it runs in; by default the workspace's project. */
  readonly cwd?: string
  /** Cells of the terminal that standard output and input are; by default they are none. */
  readonly terminal?: number
  readonly env?: Record<string, string>
  /** Programs that it starts; by default none can be. */
  readonly spawner?: ChildProcessSpawner.ChildProcessSpawner["Service"]
  /** What happens when the services of a command are built. */
  readonly wrapping?: Layer.Layer<never>
  /** Whether each run builds its services as the program does. */
  readonly isWhole?: boolean
  /** Takes what is written to standard error past the console: progress. */
  readonly onStderr?: (text: string) => void
}

export interface Desk {
  readonly root: string
  readonly project: string
  readonly sessions: string
  readonly run: (args: ReadonlyArray<string>, options?: RunOptions) => Effect.Effect<Run>
  /** Runs operations on the same store. */
  readonly within: <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, Exclude<R, NodeSessions.Services>>
}

const noSpawner = ChildProcessSpawner.make(() => Effect.die(new Error("no program is to be started here")))

const terminalOf = (columns: number) =>
  Terminal.make({
    columns: Effect.succeed(columns),
    rows: Effect.succeed(24),
    size: Effect.die(new Error("nobody looks at the size")),
    readInput: Effect.die(new Error("nobody reads keys")),
    readLine: Effect.die(new Error("nobody reads lines")),
    display: () => Effect.void
  })

const make = Effect.fnUntraced(function*(
  { project, root, sessions }: Effect.Success<typeof Rig.workspace>,
  services: Layer.Layer<NodeSessions.Services, unknown>
) {
  const platform = Layer.merge(NodeFileSystem.layer, NodePath.layer)
  const context = yield* Effect.orDie(Layer.build(Layer.fresh(Layer.merge(services, platform))))
  const backend = Layer.succeedContext(context)

  const run = (args: ReadonlyArray<string>, options: RunOptions = {}): Effect.Effect<Run> => {
    const { cwd = project, env = {}, onStderr, spawner = noSpawner, terminal, wrapping = Layer.empty } = options
    const services = () => Layer.provideMerge(backend, wrapping)
    const isTerminal = Effect.succeed(terminal !== undefined)
    const stdio = Stdio.layerTest({
      stdinIsTerminal: isTerminal,
      stdoutIsTerminal: isTerminal,
      stderrIsTerminal: isTerminal,
      stderr: () => Sink.forEach((text) => Effect.sync(() => onStderr?.(String(text))))
    })
    return Effect.gen(function*() {
      const code = yield* Cli.run(args)
      const text = (lines: ReadonlyArray<unknown>) => lines.map((line) => `${String(line)}\n`).join("")
      return { code, out: text(yield* TestConsole.logLines), err: text(yield* TestConsole.errorLines) }
    }).pipe(
      Effect.provideService(WorkingDirectory, cwd),
      Effect.provideService(
        Backend,
        options.isWhole === true ? Backend.defaultValue() : { sessions: services, listing: services }
      ),
      Effect.provide(
        [
          TestConsole.layer,
          stdio,
          platform,
          Layer.succeed(Terminal.Terminal, terminalOf(terminal ?? 0)),
          Layer.succeed(ChildProcessSpawner.ChildProcessSpawner, spawner),
          ConfigProvider.layer(ConfigProvider.fromEnv({ env: { REPRISE_DIR: sessions, HOME: root, ...env } }))
        ],
        { local: true }
      )
    )
  }

  const desk: Desk = { root, project, sessions, run, within: Effect.provideContext(context) }
  return desk
})

/** Over real files, in a directory of its own. */
export const overFiles = (options: Omit<Rig.RigOptions, "sessions"> = {}) =>
  Effect.flatMap(
    Rig.workspace,
    (workspace) => make(workspace, Rig.layer({ ...options, sessions: workspace.sessions }))
  )

/** Over real files, with a key ring of its own, as the program has it. */
export const asShipped = Effect.flatMap(
  Rig.workspace,
  (workspace) => make(workspace, NodeSessions.layer({ directory: workspace.sessions }))
)

/** In memory, where projects need not exist. */
export const inMemory = Effect.flatMap(Rig.workspace, (workspace) => make(workspace, TestSessions.layerMemory))

/** A closed session with something in it. */
export const stored = (options: { readonly project: string; readonly name: string; readonly messages?: number }) =>
  Effect.gen(function*() {
    const session = yield* Sessions.create({ project: options.project, name: options.name, config: Rig.config })
    for (let index = 0; index < (options.messages ?? 0); index++) {
      yield* session.append({ role: "user", content: `message ${index}` })
    }
    yield* Sessions.close(session.id)
    return session.id
  })

/** A session whose process ended without a word. */
export const interrupted = (options: { readonly project: string; readonly name: string }) =>
  Effect.gen(function*() {
    const session = yield* Sessions.create({ ...options, config: Rig.config })
    yield* session.append({ role: "user", content: "half said" })
    yield* Supervisor.Supervisor.use(({ discard }) => discard(session.id))
    return session.id
  })

const decodeError = Schema.decodeEffect(Schema.fromJsonString(Schema.Struct({ error: CliJson.ErrorReport })))

/** The error that a run told programs of. */
export const errorOf = (err: string) => Effect.orDie(Effect.map(decodeError(err), ({ error }) => error))
