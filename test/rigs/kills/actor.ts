/**
 * Deeds on a store, each told before it begins and after it ended. Spawned
 * processes run this, so it imports single modules: the barrel of effect costs
 * a process more than everything else it does.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { type RunningSession, SessionError, type SessionId, SessionList, Sessions } from "../../../src/index.ts"
import { config } from "../places.ts"
import * as Account from "./account.ts"
import * as Later from "./later.ts"
import * as Marks from "./marks.ts"
import { everyStatus } from "./process.ts"

type Change = Extract<Account.Deed, { readonly _tag: "Change" }>

type Failure = SessionError.SessionError

const describe = (error: Failure): string => {
  const tag = "reason" in error ? `${error._tag}/${error.reason._tag}` : error._tag
  const cause = error._tag === "StoreError" ? ` (${String(error.cause)})` : ""
  return `${tag}: ${error.message}${cause}`
}

/** What an error means: that somebody else was faster, or something that must not be. */
const outcomeOf = (error: Failure, deed: Account.Deed): Account.Outcome => {
  if (deed._tag === "Resume" && error._tag === "NotFound") return { _tag: "Absent" }
  if (!(error instanceof SessionError.RestoreFailed) || error.reason._tag !== "AlreadyRunning") {
    return { _tag: "Failed", error: describe(error) }
  }
  const { holder } = error.reason
  return { _tag: "Refused", ...(holder === undefined ? {} : { pid: holder.pid }) }
}

const done: Account.Outcome = { _tag: "Done" }

/** Somebody who tells what it does to `tell`. Its marks begin with `firstMark`. */
export const make = (options: { readonly tell: (line: Account.Line) => void; readonly firstMark: number }) => {
  const { tell } = options
  const telling = (line: () => Account.Line) => Effect.sync(() => tell(line()))
  let deeds = 0
  let marks = options.firstMark

  const perform = <A, R>(
    deed: Account.Deed,
    act: Effect.Effect<A, Failure, R>,
    told: (result: A) => Account.Outcome = () => done
  ) =>
    Effect.suspend(() => {
      const number = deeds++
      const end = (outcome: Account.Outcome) => tell({ _tag: "Ended", at: Account.now(), number, outcome })
      tell({ _tag: "Begun", at: Account.now(), number, deed })
      return act.pipe(
        Effect.tap((result) => Effect.sync(() => end(told(result)))),
        Effect.tapError((error) => Effect.sync(() => end(outcomeOf(error, deed)))),
        Effect.option
      )
    })

  const create = (project: string) =>
    perform(
      { _tag: "Create" },
      Sessions.create({ project, name: Marks.text.name(Marks.initial), config }),
      ({ id }) => ({ ...done, id })
    )

  const resume = (id: SessionId.SessionId) =>
    perform(
      { _tag: "Resume", id },
      Effect.flatMap(Sessions.resume(id), (session) => Effect.map(session.state, (state) => ({ session, state }))),
      ({ state }) => ({ ...done, sight: Marks.sightOf(state) })
    ).pipe(Effect.map(Option.map(({ session }) => session)))

  const submit = (session: RunningSession, { kind, mark }: Change["events"][number]) => {
    switch (kind) {
      case "message":
        return session.append({ role: "user", content: Marks.text.message(mark) })
      case "prompt":
        return session.recordPrompt(Marks.text.prompt(mark))
      case "todos":
        return session.replaceTodos(Marks.todos(mark))
      case "name":
        return session.rename(Marks.text.name(mark))
    }
  }

  /** Submits events of these kinds, all at once. */
  const change = (session: RunningSession, kinds: ReadonlyArray<Marks.Kind>) => {
    const events = kinds.map((kind) => ({ kind, mark: marks++ }))
    return perform(
      { _tag: "Change", id: session.id, events },
      Effect.forEach(events, (event) =>
        Effect.andThen(
          submit(session, event),
          telling(() => ({ _tag: "Acknowledged", at: Account.now(), mark: event.mark }))
        ), { concurrency: "unbounded", discard: true })
    )
  }

  const rename = (id: SessionId.SessionId) => {
    const mark = marks++
    return perform({ _tag: "Rename", id, mark }, Sessions.rename(id, Marks.text.name(mark)))
  }

  const checkpoint = (session: RunningSession) => perform({ _tag: "Checkpoint", id: session.id }, session.checkpoint)

  const close = (id: SessionId.SessionId) => perform({ _tag: "Close", id }, Sessions.close(id))
  const remove = (id: SessionId.SessionId) =>
    perform({ _tag: "Remove", id }, Sessions.remove(id, { interrupted: true }))
  const restore = (id: SessionId.SessionId) => perform({ _tag: "Restore", id }, Sessions.restore(id))
  const purge = (id: SessionId.SessionId) => perform({ _tag: "Purge", id }, Sessions.purge(id))

  /** A cleanup as it will be in so many days. */
  const cleanup = (days: number) => {
    const deed: Account.Deed = { _tag: "Cleanup", days }
    return perform(deed, Later.inDays(days, Sessions.cleanup()), ({ failed, purged, removed }) => {
      const wrong = failed.map(({ error }) => outcomeOf(error, deed)).find(({ _tag }) => _tag === "Failed")
      return wrong ?? { ...done, removed: removed.map(({ id }) => id), purged: purged.map(({ id }) => id) }
    })
  }

  /** Everything that is stored, told. */
  const list = Effect.gen(function*() {
    const from = Account.now()
    const entries = (yield* Stream.runCollect(Sessions.list({ status: everyStatus }))).filter(SessionList.isStored)
    const at = Account.now()
    const broken = (yield* Stream.runCollect(Sessions.list())).filter((entry) => !SessionList.isStored(entry))
    tell({
      _tag: "Listed",
      from,
      at,
      entries: entries.map(({ id, status }) => ({ id, isRemoved: status === "removed" })),
      broken: broken.map(({ error, name }) => `${name}: ${describe(error)}`)
    })
    return entries
  })

  const load = Effect.fnUntraced(function*(id: SessionId.SessionId) {
    const from = Account.now()
    const loaded = yield* Effect.result(Sessions.load(id))
    const at = Account.now()
    if (Result.isSuccess(loaded)) {
      tell({ _tag: "Loaded", from, at, id, sight: Marks.sightOf(loaded.success.state) })
    } else if (loaded.failure instanceof SessionError.NotFound) {
      tell({ _tag: "Loaded", from, at, id })
    } else {
      tell({ _tag: "LoadFailed", at, id, error: describe(loaded.failure) })
    }
  })

  return { change, checkpoint, cleanup, close, create, list, load, purge, remove, rename, restore, resume }
}

export type Deeds = ReturnType<typeof make>
