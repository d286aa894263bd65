/**
 * A process that does one thing after the other to a store, drawn from a seed,
 * until it is killed. It tells what it is about to do, and what came of it.
 *
 * `node wanderer.ts <root> <seed> <first mark> [mutant]`
 */
import * as Array from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import { writeSync } from "node:fs"
import { flushCompileCache } from "node:module"
import type { RunningSession, SessionId, SessionList } from "../../src/index.ts"
import type { NodeSessions } from "../../src/node/index.ts"
import * as Account from "./kills/account.ts"
import * as Actor from "./kills/actor.ts"
import type { Kind } from "./kills/marks.ts"
import * as Process from "./kills/process.ts"
import * as Places from "./places.ts"

const [, , root = "", seed = "0", firstMark = "1", mutant] = process.argv
const places = Places.below(root)

/** What may be stored outside the trash. */
const maxStored = 4

const tell = (line: Account.Line) => void writeSync(1, `${JSON.stringify(line)}\n`)
const { change, checkpoint, cleanup, close, create, list, load, purge, remove, rename, restore, resume } = Actor.make({
  tell,
  firstMark: Number(firstMark)
})

/** What this process runs, and where. */
const running = new Map<SessionId.SessionId, { readonly session: RunningSession; readonly project: string }>()

const oneOf = <A>(all: ReadonlyArray<A>) =>
  Effect.map(
    Random.nextIntBetween(0, Math.max(1, all.length), { halfOpen: true }),
    (index) => Option.fromUndefinedOr(all[index])
  )

/** Does something with one of those, if there is one. */
const withOne = <A, R>(all: ReadonlyArray<A>, act: (one: A) => Effect.Effect<unknown, unknown, R>) =>
  Effect.flatMap(oneOf(all), Option.match({ onNone: () => Effect.void, onSome: act }))

const withRunning = <R>(act: (session: RunningSession) => Effect.Effect<unknown, unknown, R>) =>
  Effect.suspend(() => withOne([...running.values()], ({ session }) => act(session)))

/** What is stored, as far as this process knows: it looks again when it has changed something. */
let known: ReadonlyArray<SessionList.Stored> | undefined
const stored = Effect.suspend(() =>
  known === undefined ? Effect.tap(list, (entries) => Effect.sync(() => known = entries)) : Effect.succeed(known)
)
const changing = <A, E, R>(deed: Effect.Effect<A, E, R>) => Effect.ensuring(deed, Effect.sync(() => known = undefined))

/** Does something with a session that it does not run, in a situation that `isMeant`. */
const withStored = <R>(
  isMeant: (entry: SessionList.Stored) => boolean,
  act: (entry: SessionList.Stored) => Effect.Effect<unknown, unknown, R>
) =>
  Effect.flatMap(stored, (entries) =>
    withOne(
      entries.filter((entry) => !running.has(entry.id) && isMeant(entry)),
      (entry) => changing(act(entry))
    ))

/** Remembers what it runs from now on, if it does. */
const runs = <R>(started: Effect.Effect<Option.Option<RunningSession>, never, R>, project: string) =>
  Effect.map(started, Option.map((session) => running.set(session.id, { session, project })))

const isFree = (project: string): boolean => [...running.values()].every((other) => other.project !== project)

const isRemoved = ({ status }: SessionList.Stored): boolean => status === "removed"
const isKept = (entry: SessionList.Stored): boolean => !isRemoved(entry)

const kinds: ReadonlyArray<Kind> = ["message", "message", "message", "prompt", "todos", "name"]

const manyKinds = Effect.flatMap(
  Random.nextIntBetween(2, 2 * kinds.length),
  (count) => Effect.map(Random.shuffle([...kinds, ...kinds]), Array.take(count))
)

/** What it does, and how often, out of the sum. */
const activities: ReadonlyArray<readonly [number, Effect.Effect<unknown, unknown, NodeSessions.Services>]> = [
  [8, withRunning((session) => Effect.flatMap(oneOf(kinds), (kind) => change(session, Option.toArray(kind))))],
  [6, withRunning((session) => Effect.flatMap(manyKinds, (kinds) => change(session, kinds)))],
  [3, withRunning(checkpoint)],
  [4, withRunning(({ id }) => Effect.andThen(changing(close(id)), Effect.sync(() => running.delete(id))))],
  [
    8,
    withStored(
      (entry) => isKept(entry) && isFree(entry.projectPath),
      ({ id, projectPath }) => runs(resume(id), projectPath)
    )
  ],
  [
    3,
    Effect.flatMap(stored, (entries) =>
      entries.filter(isKept).length < maxStored
        ? withOne(Process.projects(places).filter(isFree), (project) => changing(runs(create(project), project)))
        : Effect.void)
  ],
  [2, withStored(isKept, ({ id }) => rename(id))],
  [2, withStored(isKept, ({ id }) => remove(id))],
  [3, withStored(isRemoved, ({ id }) => restore(id))],
  [1, withStored(isRemoved, ({ id }) => purge(id))],
  [1, withStored(() => true, ({ id }) => load(id))],
  [1, changing(cleanup(0))],
  [1, changing(cleanup(60))]
]

const drawn = activities.flatMap(([weight, activity]) => Array.replicate(activity, weight))

flushCompileCache()
tell({ _tag: "Up", at: Account.now() })

await Effect.runPromise(
  withOne(drawn, (activity) => activity).pipe(
    Effect.forever,
    Random.withSeed(Number(seed)),
    Effect.provide(Process.at(root, { mutant }))
  )
)
