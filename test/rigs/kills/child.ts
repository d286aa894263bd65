/**
 * A process of a rig: killed by a word, and heard line by line. Processes share
 * Node's compile cache, since starting them is most of what a rig does.
 */
import { Effect, Queue, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import * as Programs from "../../suites/programs.ts"

/** Starts a program, named from this directory. It ends with the scope. */
export const spawn = Effect.fnUntraced(function*(program: string, args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const orders = yield* Queue.unbounded<string>()
  const lines = yield* Queue.unbounded<string, "end">()
  const child = yield* spawner.spawn(
    ChildProcess.make(process.execPath, [yield* Programs.fileOf(new URL(program, import.meta.url)), ...args], {
      stdin: Stream.encodeText(Stream.fromQueue(orders)),
      env: yield* Programs.environment,
      extendEnv: true,
      killSignal: "SIGKILL"
    })
  )
  yield* child.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.runForEach((line) => Queue.offer(lines, line)),
    Effect.ensuring(Queue.fail(lines, "end")),
    Effect.forkScoped
  )
  const errors = yield* Effect.forkScoped(child.stderr.pipe(Stream.decodeText(), Stream.mkString))
  return {
    pid: Number(child.pid),
    /** The next line; fails at the end. */
    says: Queue.take(lines),
    tell: (order: string) => Queue.offer(orders, `${order}\n`),
    kill: child.kill({ killSignal: "SIGKILL" }),
    /** Waits until it is gone. */
    gone: Effect.exit(child.exitCode),
    errors
  }
})

export type Child = Effect.Success<ReturnType<typeof spawn>>
