/** Processes of peers: one that answers, and one that is watched while it appends. */
import { Effect, Schema } from "effect"
import * as NodeChildProcess from "node:child_process"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import { fileURLToPath } from "node:url"
import type { Setting } from "../setting.ts"
import type { Request } from "./talk.ts"
import { Reply, Start } from "./talk.ts"
import { Unfit } from "./unfit.ts"

const program = fileURLToPath(new URL("child.ts", import.meta.url))
const fromSource = fileURLToPath(new URL("../programs/from-source.ts", import.meta.url))

const flagsFor = (library: Setting["library"]) => library === "sources" ? ["--import", fromSource] : []

export interface Options {
  readonly start: typeof Start.Type
  readonly library: Setting["library"]
}

/** What is answered to a request; the values of a reply are numbers. */
export type Ask = (request: Request) => Effect.Effect<ReadonlyArray<number>, Unfit>

const next = (child: NodeChildProcess.ChildProcess, said: () => string) =>
  Effect.callback<unknown, Unfit>((resume) => {
    const hear = (message: unknown) => {
      child.off("exit", end)
      resume(Effect.succeed(message))
    }
    const end = () => {
      child.off("message", hear)
      resume(Effect.fail(new Unfit({ reason: said() })))
    }
    child.once("message", hear)
    child.once("exit", end)
  })

const isError = (line: string): boolean => /error/i.test(line)

/** Starts the process of a peer; fails with what it said where it doesn't come up. */
export const spawn = Effect.fnUntraced(function*({ library, start }: Options) {
  const argument = yield* Effect.orDie(Schema.encodeEffect(Start)(start))
  let errors = ""
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const child = NodeChildProcess.fork(program, [argument], {
        execArgv: flagsFor(library),
        stdio: ["ignore", "ignore", "pipe", "ipc"]
      })
      child.stderr?.on("data", (chunk: Buffer) => {
        errors += chunk.toString()
      })
      return child
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )
  const said = () => errors.split("\n").find(isError)?.trim() ?? "its process ended"
  const reply = next(child, said).pipe(
    Effect.flatMap((input) => Effect.orDie(Schema.decodeUnknownEffect(Reply)(input))),
    Effect.flatMap((reply) =>
      reply._tag === "Done" ? Effect.succeed(reply.values) : Effect.fail(new Unfit({ reason: reply.reason }))
    )
  )
  yield* reply
  const ask: Ask = (request) =>
    Effect.andThen(
      Effect.sync(() => child.send(request)),
      reply
    )
  return ask
})

/** The syncs that a process makes which appends so often; none where there is no strace. */
const syncsOf = Effect.fnUntraced(function*({ library, start }: Options, appends: number) {
  const directory = NodePath.join(start.directory, `traced-${appends}`)
  NodeFs.mkdirSync(directory)
  const trace = NodePath.join(directory, "trace")
  const argument = yield* Effect.orDie(Schema.encodeEffect(Start)({ ...start, directory, appends }))
  const tracing = ["-f", "-qq", "-e", "trace=fsync,fdatasync,msync", "-o", trace]
  const command = [process.execPath, ...flagsFor(library), program, argument]
  const { status } = NodeChildProcess.spawnSync("strace", [...tracing, ...command], { stdio: "ignore" })
  if (status !== 0) return undefined
  return NodeFs.readFileSync(trace, "utf8").split("\n").filter((line) => /\b(?:fsync|fdatasync|msync)\(/.test(line))
    .length
})

/** The syncs of one append: what ten more of them add. */
export const syncsOfAppend = Effect.fnUntraced(function*(options: Options) {
  const few = yield* syncsOf(options, 5)
  const more = few === undefined ? undefined : yield* syncsOf(options, 15)
  return few === undefined || more === undefined ? undefined : (more - few) / 10
})
