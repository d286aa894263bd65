/**
 * Somebody who runs `reprise` in this process: at a terminal that is a queue of
 * keys and a screen in memory, or through a pipe. Sessions are real files.
 */
import { NodeServices } from "@effect/platform-node"
import { assert } from "@effect/vitest"
import { type Cause, Deferred, Effect, Fiber, Layer, Queue, Scope, Stdio, Stream, Terminal } from "effect"
import { type RunningSession, type Session, type SessionId, Sessions } from "effect-reprise"
import { type FileSystemHooks, TestLiveness } from "effect-reprise/testing"
import * as Kdf from "effect/crypto/Kdf"
import { TestClock, TestConsole } from "effect/testing"
import { Backend } from "../../../src/cli/Backend.ts"
import * as Cli from "../../../src/cli/Cli.ts"
import { Device } from "../../../src/cli/resume/Device.ts"
import * as Where from "../../../src/cli/Where.ts"
import * as Rig from "../../suites/rig.ts"
import * as Screen from "./screen.ts"
import * as Stories from "./stories.ts"
import * as Typing from "./typing.ts"

/** A directory with a project and sessions, on a machine of its own. */
export interface Desk {
  readonly root: string
  readonly project: string
  readonly sessions: string
  readonly machine: TestLiveness.Machine
  /** Sees the calls of the `reprise` that is run. */
  hook: FileSystemHooks.Hook | undefined
}

export const desk = Effect.map(Rig.workspace, (workspace): Desk => ({
  ...workspace,
  machine: TestLiveness.machine("laptop"),
  hook: undefined
}))

const layer = ({ machine, sessions }: Desk, hook?: FileSystemHooks.Hook) =>
  Layer.merge(
    Rig.layer({ sessions, liveness: machine.process().layer, ...(hook === undefined ? {} : { hook }) }),
    Kdf.layerWebCrypto
  )

/** Does something with the stored sessions, in another process than `reprise`. */
export const inSessions = (desk: Desk) => Effect.provide(layer(desk), { local: true })

const create = Effect.fnUntraced(function*(desk: Desk, changes: Partial<Session.SessionState>) {
  const { conversation, session: { name }, todos } = Stories.state(changes)
  const session = yield* Sessions.create({ project: desk.project, name, config: Rig.config })
  yield* Effect.forEach(conversation, session.append)
  yield* session.replaceTodos(todos)
  return session
})

/** Stores a session, and closes it. */
export const store = (desk: Desk, changes: Partial<Session.SessionState> = {}) =>
  Effect.map(create(desk, changes), ({ id }) => id).pipe(inSessions(desk))

/** Runs a session in another process for as long as an effect runs. */
export const whileRunning = <A, E, R>(desk: Desk, use: (session: RunningSession) => Effect.Effect<A, E, R>) =>
  Effect.flatMap(create(desk, {}), use).pipe(inSessions(desk))

/** Stores a session whose process was killed after a last message. */
export const interrupted = Effect.fnUntraced(function*(desk: Desk, content: string) {
  const { layer: liveness, pid } = desk.machine.process()
  const scope = yield* Scope.make()
  const services = yield* Layer.buildWithScope(Layer.fresh(Rig.layer({ sessions: desk.sessions, liveness })), scope)
  const session = yield* Effect.provideContext(create(desk, {}), services)
  yield* session.append({ role: "user", content })
  desk.machine.kill(pid)
  return session.id
})

export const load = (desk: Desk, id: SessionId.SessionId) => Sessions.load(id).pipe(inSessions(desk))

export const said = ({ conversation }: Session.SessionState): ReadonlyArray<unknown> =>
  conversation.map(({ content }) => content)

const reprise = (desk: Desk, args: ReadonlyArray<string>, stdio: Partial<Stdio.Stdio>) => {
  // A process of its own, whatever runs around it.
  const backend = () => Layer.fresh(layer(desk, desk.hook))
  return Cli.run([...args, "--dir", desk.sessions]).pipe(
    Effect.provideService(Backend, { sessions: backend, listing: backend }),
    Effect.provideService(Where.WorkingDirectory, desk.project),
    Effect.provide(Layer.merge(NodeServices.layer, Stdio.layerTest(stdio)))
  )
}

/** What is printed while something runs. */
const printed = Effect.fnUntraced(function*<A, E, R>(run: Effect.Effect<A, E, R>) {
  const [out, err] = [(yield* TestConsole.logLines).length, (yield* TestConsole.errorLines).length]
  const result = yield* run
  return {
    result,
    out: (yield* TestConsole.logLines).slice(out).join("\n"),
    err: (yield* TestConsole.errorLines).slice(err).join("\n")
  }
})

export interface Piped {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Pipes bytes or text in, in as many pieces. */
export const pipe = (desk: Desk, args: ReadonlyArray<string>, ...pieces: ReadonlyArray<string | Uint8Array>) =>
  Effect.map(
    printed(reprise(desk, args, {
      stdin: Stream.fromIterable(
        pieces.map((piece) => typeof piece === "string" ? new TextEncoder().encode(piece) : piece)
      )
    })),
    ({ err, out, result }): Piped => ({ code: result, out, err })
  )

/** A terminal of a size, and a way to wait for what it shows. */
const open = (columns: number, rows: number) => {
  const screen = Screen.make(columns, rows)
  const queue = Effect.runSync(Queue.unbounded<Terminal.UserInput, Cause.Done>())
  const sizes = Effect.runSync(Queue.unbounded<Terminal.Size, Cause.Done>())
  const waiting = new Set<{ readonly isShown: () => boolean; readonly done: Deferred.Deferred<void> }>()
  const look = () => {
    for (const one of waiting) {
      if (!one.isShown()) continue
      waiting.delete(one)
      Deferred.doneUnsafe(one.done, Effect.void)
    }
  }
  const terminal = Terminal.make({
    columns: Effect.succeed(columns),
    rows: Effect.succeed(rows),
    size: Effect.succeed(sizes),
    readInput: Effect.succeed(queue),
    readLine: Effect.die(new Error("nobody reads lines")),
    display: (text) =>
      Effect.sync(() => {
        screen.write(text)
        look()
      })
  })
  const shows = (...expected: ReadonlyArray<string>) =>
    Effect.suspend(() => {
      const done = Deferred.makeUnsafe<void>()
      waiting.add({ done, isShown: () => expected.every((text) => screen.lines().join("\n").includes(text)) })
      look()
      return Effect.andThen(Deferred.await(done), Effect.sync(() => screen.lines().join("\n")))
    }).pipe(
      Effect.timeoutOrElse({
        duration: "20 seconds",
        orElse: () => Effect.die(new Error(`not shown: ${expected.join(", ")}\n${screen.lines().join("\n")}`))
      }),
      TestClock.withLive
    )
  const device: typeof Device.Service = {
    open: Effect.succeed(terminal),
    atExit: () => Effect.void,
    suspend: Effect.sync(() => screen.write("[stopped]\r\n"))
  }
  return {
    screen,
    device,
    shows,
    resize: (columns: number, rows: number) =>
      Effect.suspend(() => {
        screen.resize(columns)
        return Queue.offer(sizes, { columns, rows })
      }),
    type: (keys: string) => Queue.offerAll(queue, Typing.inputs(keys)),
    hangUp: Queue.end(queue)
  }
}

/** Sits at a terminal while `reprise` runs in it, to its end. */
export const sit = <A, E, R>(
  desk: Desk,
  args: ReadonlyArray<string>,
  act: (at: ReturnType<typeof open> & { readonly interrupt: Effect.Effect<void> }) => Effect.Effect<A, E, R>
) => {
  const at = open(80, 40)
  const isTerminal = Effect.succeed(true)
  const run = Effect.gen(function*() {
    const fiber = yield* Effect.forkChild(
      reprise(desk, args, { stdinIsTerminal: isTerminal, stdoutIsTerminal: isTerminal }).pipe(
        Effect.provideService(Device, at.device)
      )
    )
    yield* act({ ...at, interrupt: Effect.sync(() => fiber.interruptUnsafe(fiber.id)) })
    const exit = yield* Fiber.await(fiber)
    assert.deepStrictEqual(at.screen.modes().filter((mode) => mode !== "?25"), [], "modes of the terminal")
    return exit
  })
  return Effect.map(printed(run), ({ err, out, result }) => ({ exit: result, out, err }))
}
