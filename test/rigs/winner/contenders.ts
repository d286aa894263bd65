/** Contenders from outside: what they are told, what they say, and what lies on the disk meanwhile. */
import { Effect, FileSystem, Option, Queue, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { readFileSync } from "node:fs"
import * as Lease from "../../../src/core/Lease.ts"
import * as Layout from "../../../src/services/store/Layout.ts"
import * as Programs from "../../suites/programs.ts"
import type { Ground, Standing } from "../ground.ts"
import type { Disk } from "../mutants/disks.ts"
import type * as Places from "../places.ts"
import type * as SqlBroken from "../sql/broken.ts"
import * as Said from "./said.ts"

const program = Programs.fileOf(new URL("contender.ts", import.meta.url))

/** A contender did not do what it must before anything can be judged. The round is over. */
export class Unable extends Schema.TaggedError<Unable>("rigs/Unable")("Unable", { what: Schema.String }) {
  override get message(): string {
    return this.what
  }
}

/** Where a contender is to stop, or kill, itself. */
export interface Trap {
  readonly at: number | "link"
  readonly moment: "before" | "after" | "around"
  readonly deed: "stop" | "kill"
}

/** Whether the kernel has stopped a process: it says so just before. */
const isStopped = (pid: number): boolean => {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8")
  return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T")
}

export interface Contender {
  readonly pid: number
  readonly tell: (line: string) => Effect.Effect<void>
  readonly ask: (line: string) => Effect.Effect<Said.Answer, Unable>
  /** Asks for what must be done: whatever else comes ends the round. */
  readonly must: (line: string) => Effect.Effect<Said.Answer, Unable>
  /** Begins an operation that is trapped. None where it ended without coming to the trap. */
  readonly sleep: (trap: Trap, line: string) => Effect.Effect<Option.Option<Said.Answer>, Unable>
  /** Waits until it sleeps, or has answered. */
  readonly doze: Effect.Effect<Option.Option<Said.Answer>, Unable>
  /** At once, so that many can be let on at one instant. */
  readonly wake: () => void
  readonly says: Effect.Effect<Said.Said, Unable>
  readonly answer: Effect.Effect<Said.Answer, Unable>
  /** All that is left of what it said, when it is dead and gone. */
  readonly death: Effect.Effect<ReadonlyArray<Said.Said>, Unable>
}

const patience = "30 seconds"

/** What a contender's store is broken by: its disk, or the statements that it makes. */
export type Broken = Disk | SqlBroken.Mutant

/** A process of its own. It ends with the scope. */
export const start = Effect.fnUntraced(function*(root: string, disk: Broken) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const requests = yield* Queue.unbounded<string>()
  const child = yield* spawner.spawn(
    ChildProcess.make(process.execPath, [yield* program, root, disk], {
      stdin: Stream.encodeText(Stream.fromQueue(requests)),
      env: yield* Programs.environment,
      extendEnv: true,
      stderr: "inherit",
      killSignal: "SIGKILL"
    })
  )
  const pid = Number(child.pid)
  const lines = yield* Queue.unbounded<Said.Said, "end">()
  yield* child.stdout.pipe(
    Stream.decodeText(),
    Stream.splitLines,
    Stream.mapEffect((line) => Schema.decodeEffect(Said.Line)(line)),
    Stream.runForEach((said) => Queue.offer(lines, said)),
    Effect.ensuring(Queue.fail(lines, "end")),
    Effect.forkScoped
  )
  const bounded = (waitedFor: string) => <A, E>(effect: Effect.Effect<A, E>): Effect.Effect<A, Unable> =>
    Effect.catch(
      Effect.timeout(effect, patience),
      () => new Unable({ what: `process ${pid} ${waitedFor} never came to it, or ended` })
    )

  const tell = (line: string) => Effect.asVoid(Queue.offer(requests, `${line}\n`))
  const says = bounded("was to say something and")(Queue.take(lines))
  const answer = Effect.filterOrElse(
    says,
    (said) => said._tag === "Answer",
    ({ _tag }) => new Unable({ what: `process ${pid} was to answer and said ${_tag}` })
  )
  const ask = (line: string) => Effect.andThen(tell(line), answer)
  const stopped = bounded("was to stop and")(
    Effect.repeat(Effect.andThen(Effect.yieldNow, Effect.sync(() => isStopped(pid))), { until: Boolean })
  )
  const doze = Effect.gen(function*() {
    const said = yield* says
    if (said._tag === "Answer") return Option.some(said)
    yield* stopped
    return Option.none()
  })
  const contender: Contender = {
    pid,
    tell,
    ask,
    says,
    answer,
    must: Effect.fnUntraced(function*(line) {
      const said = yield* ask(line)
      return said.came === "done" ? said : yield* new Unable({ what: `process ${pid} was to ${line}: ${said.came}` })
    }),
    sleep: ({ at, deed, moment }, line) =>
      Effect.andThen(Effect.andThen(tell(`trap ${at} ${moment} ${deed}`), tell(line)), doze),
    doze,
    wake: () => void process.kill(pid, "SIGCONT"),
    death: Effect.gen(function*() {
      const rest = yield* bounded("was to die and")(
        Stream.runCollect(Stream.catchCause(Stream.fromQueue(lines), () => Stream.empty))
      )
      yield* bounded("was to be reaped and")(Effect.exit(child.exitCode))
      return rest
    })
  }
  yield* contender.must("ready")
  return contender
})

export const look = Effect.fnUntraced(function*(places: ReturnType<typeof Places.below>, id: string) {
  const fs = yield* FileSystem.FileSystem
  const directory = `${places.sessions}/${id}`
  const names = yield* fs.readDirectory(directory)
  const epoch = Layout.highest(Layout.parse(names))
  const standing: Standing = {
    names: [...names].sort(),
    epoch,
    lease: epoch === 0
      ? Option.none()
      : Lease.fromBytes(yield* fs.readFile(`${directory}/${Layout.lease(epoch)}`), epoch),
    snapshot: yield* fs.readFileString(`${directory}/${Layout.snapshot}`)
  }
  return standing
}, Effect.mapError(({ message }) => new Unable({ what: message })))

/** What a ground has of a session. */
export const standing = (ground: Ground, id: string) =>
  Effect.mapError(ground.look(id), ({ message }) => new Unable({ what: message }))

/** What is wrong with a session that was just closed, and whose highest lease was `before`. */
export const untidiness = ({ epoch, names }: Standing, before: number): ReadonlyArray<string> => [
  ...(epoch > before ? [] : [`epoch ${epoch} came after epoch ${before}`]),
  ...names.filter((name) => name !== Layout.snapshot && name !== Layout.lease(epoch)).map((name) => `${name} survived`)
]

/** Strays beside the sessions. */
export const strays = Effect.fnUntraced(function*(places: ReturnType<typeof Places.below>, id: string) {
  const fs = yield* FileSystem.FileSystem
  const beside = (yield* fs.readDirectory(places.sessions)).filter((name) => name !== id)
  const below = (yield* fs.readDirectory(places.root)).filter(
    (name) => !["project", "sessions", "keyring.json"].includes(name)
  )
  return [...beside, ...below].map((name) => `${name} survived`)
}, Effect.orDie)

/** What differs between two lists of messages, in few words. */
export const differences = (
  found: ReadonlyArray<string>,
  expected: ReadonlyArray<string>
): ReadonlyArray<string> => {
  const at = Array.from({ length: Math.max(found.length, expected.length) }, (_, index) => index)
    .find((index) => found[index] !== expected[index])
  return at === undefined
    ? []
    : [`message ${at} of ${found.length} is ${found[at] ?? "missing"}, and should be ${expected[at] ?? "none"}`]
}
