/**
 * What a process that was killed leaves behind, and whether the next one can
 * live with it.
 */
import { Effect, Fiber, FileSystem, Option, Path, Stream } from "effect"
import { SessionId, SessionList, Sessions } from "../../src/index.ts"
import * as Child from "./kills/child.ts"
import * as Large from "./kills/large.ts"
import * as Process from "./kills/process.ts"
import { type Operation, type Situation, situations } from "./kills/situations.ts"
import * as Places from "./places.ts"

/** What a victim said before it died. */
export interface Testimony {
  readonly id: string | undefined
  readonly acknowledged: ReadonlyArray<string>
  /** How many calls the operation made, if it came to its end. */
  readonly calls: number | undefined
  readonly errors: string
}

/** Runs a victim to its death. */
export const run = Effect.fnUntraced(function*(args: ReadonlyArray<string>) {
  const child = yield* Child.spawn("../victim.ts", args)
  const lines: Array<string> = []
  yield* Effect.ignore(Effect.forever(Effect.map(child.says, (line) => lines.push(line))))
  yield* child.gone
  const said = (what: string) =>
    lines.filter((line) => line.startsWith(`${what} `)).map((line) => line.slice(what.length + 1))
  const [calls] = said("calls")
  const testimony: Testimony = {
    id: said("id").at(-1),
    acknowledged: said("ack"),
    calls: calls === undefined ? undefined : Number(calls),
    errors: yield* Fiber.join(child.errors)
  }
  return testimony
}, Effect.scoped)

export const workspace = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const places = Places.below(yield* fs.realPath(yield* fs.makeTempDirectoryScoped({ prefix: "reprise-rig-" })))
  yield* fs.makeDirectory(places.project)
  return places
})

type Workspace = ReturnType<typeof Places.below>

const files = {
  closed: ["lease", "session"],
  running: ["journal", "lease", "session"]
}

/** What is wrong with the files of a session that has just been closed, or acknowledged an event: one of each, no more. */
export const unlike = Effect.fnUntraced(function*(places: Workspace, id: string, state: keyof typeof files) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const names = (yield* fs.readDirectory(path.join(places.sessions, id))).filter((name) => name !== "blobs")
  const found = names.map((name) => name.replace(/^(journal|lease|session)(\.\d+)*\.jsonl?$/, "$1")).toSorted()
  return found.join() === files[state].join() ? [] : [`a ${state} session has ${names.toSorted().join()}`]
})

/** Whatever else than sessions, the project and the key ring is there. */
export const strays = Effect.fnUntraced(function*(places: Workspace) {
  const fs = yield* FileSystem.FileSystem
  const names = (yield* fs.exists(places.sessions)) ? yield* fs.readDirectory(places.sessions) : []
  const left = [
    ...names.filter((name) => !SessionId.isSessionId(name)),
    ...(yield* fs.readDirectory(places.root)).filter((name) => !["project", "sessions", "keyring.json"].includes(name))
  ]
  return left.length > 0 ? [`${left.join()} survived`] : []
})

const isPrefix = (self: ReadonlyArray<string>, of: ReadonlyArray<string>) =>
  self.every((text, index) => of[index] === text)

/** Resumes a session, adds to it and closes it, as if nothing had been. */
const goOn = Effect.fnUntraced(function*(places: Workspace, id: SessionId.SessionId) {
  const loaded = yield* Sessions.load(id)
  const session = yield* Sessions.resume(id)
  const resumed = yield* session.state
  yield* session.append({ role: "user", content: "after" })
  const running = yield* unlike(places, id, "running")
  yield* Sessions.close(id)
  const closed = yield* Sessions.load(id)
  const said = yield* Large.words(id, closed.state)
  const path = yield* Path.Path
  return [
    ...JSON.stringify(resumed) === JSON.stringify(loaded.state) ? [] : ["it resumed another state than it loaded"],
    ...said.join() === [...yield* Large.words(id, resumed), "after"].join()
      ? []
      : ["it lost something when it was closed"],
    ...running,
    ...yield* unlike(places, id, "closed"),
    ...yield* Large.surplus(path.join(places.sessions, id), closed.state)
  ]
})

const keyRing = (places: Workspace) =>
  FileSystem.FileSystem.use((fs) => Effect.option(fs.readFileString(places.keyFile)))

/** What a kill may have left. */
interface Expected {
  /** Events that may be there or not. */
  readonly inFlight: ReadonlyArray<string>
  readonly situations: ReadonlyArray<Situation>
}

/** Looks at what is left, mends it as the next process would, and says everything that is wrong. */
const examine = Effect.fnUntraced(function*(
  places: Workspace,
  { acknowledged }: Testimony,
  expected: Expected
) {
  const wrong: Array<string> = []
  const all = (yield* Stream.runCollect(Sessions.list({ status: Process.everyStatus }))).filter(SessionList.isStored)
  const shown = yield* Stream.runCollect(Sessions.list())
  wrong.push(...shown.filter((entry) => !SessionList.isStored(entry)).map(({ _tag }) => `it lists ${_tag}`))
  const found = all.length === 0 ? "nothing" : all.map(({ status }) => status).join()
  if (!expected.situations.some((situation) => situation === found)) {
    wrong.push(`found ${found} and expected ${expected.situations.join(" or ")}`)
  }
  for (const { id, status } of all) {
    if (status === "removed") yield* Sessions.restore(id)
    const found = yield* Large.words(id, (yield* Sessions.load(id)).state)
    if (!isPrefix(acknowledged, found)) wrong.push(`acknowledged ${acknowledged.join()} and found ${found.join()}`)
    if (!isPrefix(found, [...acknowledged, ...expected.inFlight])) {
      wrong.push(`found ${found.join()}, which nobody said`)
    }
    wrong.push(...yield* goOn(places, id))
  }
  const { id } = yield* Sessions.create({ project: places.project, config: Places.config })
  yield* Sessions.close(id)
  wrong.push(...yield* goOn(places, id))
  yield* Sessions.cleanup()
  return [...wrong, ...yield* strays(places)]
})

/** What the next process finds, through a store of its own, and the one after that. */
export const examineBelow = Effect.fnUntraced(function*(places: Workspace, testimony: Testimony, expected: Expected) {
  const ring = yield* keyRing(places)
  const wrong = yield* examine(places, testimony, expected).pipe(
    Effect.provide(Process.layer(places), { local: true }),
    Effect.catch((error) => Effect.succeed([`${error._tag}: ${error.message}`]))
  )
  const isReplaced = Option.isSome(ring) && Option.getOrUndefined(yield* keyRing(places)) !== ring.value
  return isReplaced ? [...wrong, "the key ring is another one"] : wrong
})

/** Where a process is killed: at a call of an operation, by number. */
export interface Step {
  readonly operation: Operation
  readonly number: number
  readonly moment: "before" | "after"
  /** What the victim's store is broken by. */
  readonly mutant?: string | undefined
}

/** One kill, what is wrong after it, and how many calls the operation made if it came to its end before. */
export const killAt = Effect.fnUntraced(function*({ moment, mutant, number, operation }: Step) {
  const places = yield* workspace
  // What a victim recovers, an earlier victim left.
  const before = operation === "recover" ? yield* run(["append", places.root, "-1", "before"]) : undefined
  const testimony = yield* run([operation, places.root, String(number), moment, mutant ?? ""])
  const acknowledged = before === undefined ? testimony.acknowledged : before.acknowledged
  const { after, before: earlier } = situations[operation]
  const wrong = yield* examineBelow(places, { ...testimony, acknowledged }, {
    inFlight: ["append", "large", "revive"].includes(operation) ? ["four"] : [],
    situations: testimony.calls === undefined ? [earlier, after] : [after]
  })
  const failed = testimony.errors === "" ? [] : [testimony.errors]
  const findings = [...failed, ...wrong].map((what) => `${operation}, ${moment} call ${number}: ${what}`)
  return { findings, calls: testimony.calls }
}, Effect.scoped)
