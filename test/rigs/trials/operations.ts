/**
 * Every operation of the library, with the situation that it is tried in, what
 * it may fail with and what it comes to.
 */
import { Clock, Effect, Layer, Stream } from "effect"
import { createHash } from "node:crypto"
import { type RunningSession, type Session, SessionList, Sessions, Signer } from "../../../src/index.ts"
import * as Places from "../places.ts"
import type { Process, Services, Situation, World } from "./world.ts"

/** What is compared of a session that an operation changes. */
export interface Summary {
  readonly name: string
  readonly said: ReadonlyArray<string>
  readonly todos: ReadonlyArray<string>
}

export const summaryOf = ({ conversation, session, todos }: Session.SessionState): Summary => ({
  name: session.name,
  said: conversation.map(({ content }) => JSON.stringify(content)),
  todos: todos.map(({ content }) => content)
})

/** A process and its session, if that runs. */
export interface Here {
  readonly world: World
  readonly process: Process
  readonly session: RunningSession | undefined
}

interface Failure {
  readonly _tag: string
  readonly message: string
}

export interface Operation {
  readonly name: string
  readonly situation: Situation
  /** Whether the session runs here when the operation begins. */
  readonly isRunning?: true
  /** Whether nothing was said yet since it was resumed. */
  readonly isFresh?: true
  readonly takesOver?: true
  readonly act: (here: Here) => Effect.Effect<unknown, Failure, Services>
  /** The tags of the errors that it is declared to fail with. */
  readonly errors: ReadonlyArray<string>
  /** The status of the session once it succeeded. */
  readonly status: SessionList.Status | "gone"
  /** Whether nothing was said yet once it succeeded. */
  readonly leavesFresh?: true
  /** What the session holds once it succeeded. */
  readonly after: (before: Summary) => Summary
  /** What else a session may hold if it did not succeed. */
  readonly between?: (before: Summary) => ReadonlyArray<Summary>
}

const allStatuses = ["closed", "running", "interrupted", "elsewhere", "removed"] as const

export const entries = Stream.runCollect(Sessions.list({ status: allStatuses }))

const same = (before: Summary) => before

const says = (...texts: ReadonlyArray<string>) => (before: Summary): Summary => ({
  ...before,
  said: [...before.said, ...texts.map((text) => JSON.stringify(text))]
})

const notHere = Effect.die(new Error("no session to act on"))
const running = (act: (session: RunningSession) => Effect.Effect<unknown, Failure, Services>) => ({ session }: Here) =>
  session === undefined ? notHere : act(session)
const stored =
  (act: (id: NonNullable<World["id"]>) => Effect.Effect<unknown, Failure, Services>) => ({ world: { id } }: Here) =>
    id === undefined ? notHere : act(id)

export const say = (session: RunningSession, content: string) => session.append({ role: "user", content })

/** What is too large to stand in a session, and what stands in its place. */
const large = "large\n".repeat(20_000)
const largeAsStored = `[${large.length} bytes, stored as blob ${
  createHash("sha256").update(large).digest("hex").slice(0, 12)
}]`

const todo: Session.Todo = { content: "another", status: "pending", activeForm: "doing another" }

/** The clock as it will be in 60 days. */
const inSixtyDays = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Clock.Clock, (clock) => {
    const later = 60 * 24 * 60 * 60 * 1000
    const shifted: Clock.Clock = {
      sleep: (duration) => clock.sleep(duration),
      currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe() + later,
      currentTimeMillis: Effect.map(clock.currentTimeMillis, (millis) => millis + later),
      currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe() + BigInt(later) * 1_000_000n,
      currentTimeNanos: Effect.map(clock.currentTimeNanos, (nanos) => nanos + BigInt(later) * 1_000_000n),
      monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
      monotonicTimeNanos: clock.monotonicTimeNanos
    }
    return Effect.provideService(effect, Clock.Clock, shifted)
  })

/** What a cleanup did not do is what it fails with. */
const cleanup = () =>
  inSixtyDays(Effect.flatMap(Sessions.cleanup(), ({ failed, skipped }): Effect.Effect<void, Failure> => {
    const [error] = failed.map(({ error }) => error)
    if (error !== undefined) return Effect.fail(error)
    const [skip] = skipped
    return skip === undefined ? Effect.void : Effect.fail({ _tag: "Skipped", message: skip.reason })
  }))

/** A session that the list shows as one that can't be read is an error that it tells. */
const list = Effect.flatMap(entries, (found) => {
  const [broken] = found.filter((entry) => !SessionList.isStored(entry))
  return broken === undefined ? Effect.succeed(found) : Effect.fail(broken.error)
})

const changed = ["EventRejected", "SessionEnded", "StoreError"]
const read = ["NotFound", "InvalidJson", "SchemaVersion", "StoreError"]
const resumed = [...read, "RestoreFailed"]
const removed = ["NotFound", "RestoreFailed", "StoreError"]

const onRunning = { situation: "closed", isRunning: true, errors: changed, status: "running" } as const

export const operations: ReadonlyArray<Operation> = [
  {
    name: "key",
    situation: "nothing",
    act: ({ world }) =>
      Effect.scoped(
        Layer.build(Layer.fresh(
          Signer.layerMachineSecret({ file: `${world.root}/keyring.json`, sessions: world.sessions })
        ))
      ),
    errors: ["StoreError"],
    status: "gone",
    after: same
  },
  {
    name: "create",
    situation: "nothing",
    act: ({ world }) => Sessions.create({ project: world.project, name: "before", config: Places.config }),
    errors: ["CreateFailed", "StoreError"],
    status: "running",
    after: same
  },
  {
    ...onRunning,
    name: "first append",
    isFresh: true,
    act: running((session) => say(session, "c")),
    after: says("c")
  },
  { ...onRunning, name: "append", act: running((session) => say(session, "c")), after: says("c") },
  {
    ...onRunning,
    name: "append of a large part",
    act: running((session) => session.append({ role: "tool", content: large })),
    after: (before) => ({ ...before, said: [...before.said, JSON.stringify(largeAsStored)] })
  },
  {
    ...onRunning,
    name: "appends at once",
    act: running((session) =>
      Effect.all([say(session, "c"), say(session, "d"), say(session, "e")], { concurrency: "unbounded" })
    ),
    after: says("c", "d", "e"),
    between: (before) => [says("c")(before), says("c", "d")(before)]
  },
  {
    ...onRunning,
    name: "replace todos",
    act: running((session) => session.replaceTodos([todo])),
    after: (before) => ({ ...before, todos: [todo.content] })
  },
  { ...onRunning, name: "checkpoint", act: running(({ id }) => Sessions.checkpoint(id)), after: same },
  { ...onRunning, name: "close", act: running(({ id }) => Sessions.close(id)), status: "closed", after: same },
  {
    ...onRunning,
    name: "rename running",
    act: running(({ id }) => Sessions.rename(id, "after")),
    after: (before) => ({ ...before, name: "after" })
  },
  ...(["closed", "interrupted"] as const).map((situation): Operation => ({
    name: `rename ${situation}`,
    situation,
    act: stored((id) => Sessions.rename(id, "after")),
    errors: [...resumed, ...changed],
    status: situation,
    after: (before) => ({ ...before, name: "after" })
  })),
  ...(["closed", "interrupted"] as const).map((situation): Operation => ({
    name: `resume ${situation}`,
    situation,
    act: stored((id) => Sessions.resume(id)),
    errors: resumed,
    status: "running",
    ...(situation === "closed" ? { leavesFresh: true } as const : {}),
    after: same
  })),
  {
    name: "take over",
    situation: "elsewhere",
    takesOver: true,
    act: stored((id) => Sessions.resume(id, { takeOver: true })),
    errors: resumed,
    status: "running",
    after: same
  },
  {
    name: "load",
    situation: "interrupted",
    act: stored((id) => Sessions.load(id)),
    errors: read,
    status: "interrupted",
    after: same
  },
  {
    name: "verify",
    situation: "closed",
    act: stored((id) => Sessions.verify(id)),
    errors: read,
    status: "closed",
    after: same
  },
  { name: "list", situation: "interrupted", act: () => list, errors: read, status: "interrupted", after: same },
  {
    name: "remove",
    situation: "closed",
    act: stored((id) => Sessions.remove(id)),
    errors: removed,
    status: "removed",
    after: same
  },
  {
    name: "restore",
    situation: "removed",
    act: stored((id) => Sessions.restore(id)),
    errors: [...removed, "CreateFailed"],
    status: "closed",
    after: same
  },
  {
    name: "purge",
    situation: "removed",
    act: stored((id) => Sessions.purge(id)),
    errors: removed,
    status: "gone",
    after: same
  },
  {
    name: "cleanup removes",
    situation: "closed",
    act: cleanup,
    errors: [...removed, "Skipped"],
    status: "removed",
    after: same
  },
  {
    name: "cleanup purges",
    situation: "removed",
    act: cleanup,
    errors: [...removed, "Skipped"],
    status: "gone",
    after: same
  }
]
