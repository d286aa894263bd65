/**
 * What a process that was killed leaves behind, and whether the next one can
 * live with it.
 */
import { Effect, FileSystem, Path, Result, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { fileURLToPath } from "node:url"
import { SessionId, SessionList, Sessions } from "../../src/index.ts"
import { NodeSessions } from "../../src/node/index.ts"
import * as Places from "./places.ts"

const victim = fileURLToPath(new URL("victim.ts", import.meta.url))

export const operations = [
  "key",
  "create",
  "append",
  "checkpoint",
  "close",
  "resume",
  "recover",
  "remove",
  "restore",
  "cleanup",
  "purge",
  "list"
] as const

export type Operation = typeof operations[number]

/** What a victim said before it died. */
export interface Testimony {
  readonly id: string | undefined
  readonly acknowledged: ReadonlyArray<string>
  /** How many calls the operation made, if it came to its end. */
  readonly calls: number | undefined
  readonly errors: string
}

const testimonyOf = (output: string, errors: string): Testimony => {
  const lines = output.split("\n")
  const said = (what: string) =>
    lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1))
  const [calls] = said("calls")
  return {
    id: said("id").at(-1),
    acknowledged: said("ack"),
    calls: calls === undefined ? undefined : Number(calls),
    errors
  }
}

/** Runs a victim to its death. */
export const run = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const child = yield* spawner.spawn(ChildProcess.make(process.execPath, [victim, ...args], { stdin: "ignore" }))
  const [output, errors] = yield* Effect.all([
    child.stdout.pipe(Stream.decodeText(), Stream.mkString),
    child.stderr.pipe(Stream.decodeText(), Stream.mkString)
  ], { concurrency: 2 })
  yield* Effect.exit(child.exitCode)
  return testimonyOf(output, errors)
}, (effect) => Effect.scoped(effect))

export const workspace = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const places = Places.below(yield* fs.realPath(yield* fs.makeTempDirectoryScoped({ prefix: "reprise-rig-" })))
  yield* fs.makeDirectory(places.project)
  return places
})

const texts = (state: { readonly conversation: ReadonlyArray<{ readonly content: unknown }> }) =>
  state.conversation.map(({ content }) => String(content))

const isPrefix = (self: ReadonlyArray<string>, of: ReadonlyArray<string>) =>
  self.every((text, index) => of[index] === text)

/**
 * Looks at what is left, mends it as the next process would, and says
 * everything that is wrong. `inFlight` are events that may be there or not.
 */
export const examine = Effect.fnUntraced(function*(
  places: ReturnType<typeof Places.below>,
  { acknowledged, id }: Testimony,
  expected: { readonly inFlight: ReadonlyArray<string>; readonly mayBeGone: boolean }
) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const wrong: Array<string> = []
  const all = yield* Stream.runCollect(
    Sessions.list({ status: ["closed", "running", "interrupted", "elsewhere", "removed"] })
  )
  const readable = yield* Stream.runCollect(Sessions.list())
  wrong.push(...readable.filter((entry) => !SessionList.isStored(entry)).map(({ _tag }) => `it lists ${_tag}`))
  if (id !== undefined && !expected.mayBeGone && all.length !== 1) wrong.push(`${all.length} sessions are listed`)

  for (const entry of all.filter(SessionList.isStored)) {
    if (entry.status === "running" || entry.status === "elsewhere") wrong.push(`it is listed as ${entry.status}`)
    if (entry.status === "removed") yield* Sessions.restore(entry.id)
    const loaded = yield* Sessions.load(entry.id)
    const found = texts(loaded.state)
    if (!isPrefix(acknowledged, found)) wrong.push(`acknowledged ${acknowledged.join()} and found ${found.join()}`)
    if (!isPrefix(found, [...acknowledged, ...expected.inFlight])) {
      wrong.push(`found ${found.join()}, which nobody said`)
    }
    const session = yield* Sessions.resume(entry.id)
    const resumed = yield* session.state
    if (JSON.stringify(resumed) !== JSON.stringify(loaded.state)) wrong.push("it resumed another state than it loaded")
    yield* session.append({ role: "user", content: "after" })
    yield* Sessions.close(entry.id)
    const closed = yield* Sessions.load(entry.id)
    if (texts(closed.state).join() !== [...found, "after"].join()) wrong.push("it lost something when it was closed")
    const left = (yield* fs.readDirectory(path.join(places.sessions, entry.id))).filter((name) =>
      !/^(session\.json|lease\.\d+\.json)$/.test(name)
    )
    if (left.length > 0) wrong.push(`${left.join()} survived`)
  }
  yield* Sessions.cleanup()
  const names = (yield* fs.exists(places.sessions)) ? yield* fs.readDirectory(places.sessions) : []
  const strays = [
    ...names.filter((name) => !SessionId.isSessionId(name)),
    ...(yield* fs.readDirectory(places.root)).filter(
      (name) => !["project", "sessions", "keyring.json"].includes(name)
    )
  ]
  if (strays.length > 0) wrong.push(`${strays.join()} survived`)
  return wrong
})

/** What the next process finds, through a store of its own. */
export const examineBelow = (
  places: ReturnType<typeof Places.below>,
  testimony: Testimony,
  expected: Parameters<typeof examine>[2]
) =>
  examine(places, testimony, expected).pipe(
    Effect.provide(NodeSessions.layer({ directory: places.sessions }), { local: true }),
    Effect.result,
    Effect.map(Result.match({ onFailure: (error) => [`${error._tag}: ${error.message}`], onSuccess: (wrong) => wrong }))
  )

/** One kill, and what is wrong after it. */
const killAt = Effect.fnUntraced(function*(operation: Operation, number: number, moment: "before" | "after") {
  const places = yield* workspace
  // What a victim recovers, an earlier victim left.
  const before = operation === "recover" ? yield* run(["append", places.root, "-1", "before"]) : undefined
  const testimony = yield* run([operation, places.root, String(number), moment])
  const acknowledged = before === undefined ? testimony.acknowledged : before.acknowledged
  const wrong = yield* examineBelow(places, { ...testimony, acknowledged }, {
    inFlight: operation === "append" ? ["four"] : [],
    mayBeGone: operation === "purge"
  })
  const failed = testimony.errors === "" ? [] : [testimony.errors]
  const findings = [...failed, ...wrong].map((what) => `${operation}, ${moment} call ${number}: ${what}`)
  return { findings, isOver: testimony.calls !== undefined && testimony.calls <= number }
}, (effect) => Effect.scoped(effect))

/** Kills at every `every`-th call of every operation, both moments in turn or both each time. */
export const killAtEveryStep = (options: { readonly every: number }) =>
  Effect.gen(function*() {
    let kills = 0
    const perOperation = yield* Effect.forEach(operations, (operation) =>
      Effect.gen(function*() {
        const findings: Array<string> = []
        for (let number = 0;; number += options.every) {
          const rounds = yield* Effect.forEach(["before", "after"] as const, (moment) =>
            killAt(operation, number, moment))
          kills += rounds.length
          findings.push(...rounds.flatMap(({ findings }) =>
            findings
          ))
          if (rounds.some(({ isOver }) => isOver)) return findings
        }
      }), { concurrency: 2 })
    return { kills, findings: perOperation.flat() }
  })
