/**
 * What was said in stored sessions.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Search from "../core/Search.ts"
import type { InvalidJson, PatternTooSlow, SchemaVersion, StoreError } from "../core/SessionError.ts"
import * as SessionList from "../core/SessionList.ts"
import { PatternGuard } from "../services/PatternGuard.ts"
import type { ProjectDirectory } from "../services/ProjectDirectory.ts"
import { SessionStore } from "../services/SessionStore.ts"
import type { Signer } from "../services/Signer.ts"
import * as List from "./List.ts"
import * as Load from "./Load.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * What is looked for, and in which sessions: by default in all but those in the
 * trash.
 *
 * @category models
 * @since 0.1.0
 */
export interface SearchQuery extends Search.Query {
  /** A project's directory: only its sessions. */
  readonly project?: string
  /** Only sessions in one of these states. */
  readonly status?: ReadonlyArray<SessionList.Status>
  /** The most matches. */
  readonly limit?: number
}

/**
 * A place where it stands, and the session as the list shows it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Match extends Search.Found {
  readonly _tag: "Match"
  readonly session: SessionList.Stored
}

/**
 * A session that could not be searched, or not to its end.
 *
 * @category models
 * @since 0.1.0
 */
export interface Unsearched {
  readonly _tag: "Unsearched"
  readonly entry: SessionList.Entry
  readonly error: InvalidJson | SchemaVersion | StoreError | PatternTooSlow
}

/**
 * @category models
 * @since 0.1.0
 */
export type SearchResult = Match | Unsearched

/** Characters that are looked at, and matches that are held, before others have a turn. */
const batch = { characters: 262_144, matches: 64 }

/** Adds the next matches to `found`, and tells whether there may be more; looks at no more than a batch. */
const look = (steps: Iterator<Search.Step, void>, found: Array<Search.Found>) => (): boolean => {
  for (let characters = 0; characters < batch.characters && found.length < batch.matches;) {
    const { value } = steps.next()
    if (value === undefined) return false
    characters += value.characters
    if (value.found !== undefined) found.push(value.found)
  }
  return true
}

const searchSession = Effect.fnUntraced(function*(session: SessionList.Stored, query: SearchQuery) {
  const guard = yield* PatternGuard
  const store = yield* SessionStore
  const { state } = yield* Load.open(session.id, yield* store.read(session.id))
  const steps = Search.search(state.conversation, query)
  return Stream.paginate(steps, (steps) =>
    Effect.gen(function*() {
      yield* Effect.yieldNow
      const found: Array<Search.Found> = []
      const looked = yield* Effect.result(guard.run(look(steps, found)))
      const results: Array<SearchResult> = found.map((one) => ({ _tag: "Match", session, ...one }))
      if (Result.isFailure(looked)) results.push({ _tag: "Unsearched", entry: session, error: looked.failure })
      return [results, Result.getOrElse(looked, () => false) ? Option.some(steps) : Option.none()] as const
    }))
})

const resultsOf = (
  entry: SessionList.Entry,
  query: SearchQuery
): Stream.Stream<SearchResult, never, SessionStore | Signer> => {
  const unsearched = (error: Unsearched["error"]) => Stream.succeed<SearchResult>({ _tag: "Unsearched", entry, error })
  return SessionList.isStored(entry)
    ? Stream.unwrap(searchSession(entry, query)).pipe(
      // Deleted by somebody since it was listed.
      Stream.catchTag("NotFound", () => Stream.empty),
      Stream.catch(unsearched)
    )
    : unsearched(entry.error)
}

/** What can't be read has no project and no state, so it is told of in any search. */
const selected = Effect.fnUntraced(function*({ project, status }: SearchQuery) {
  const path = project === undefined ? undefined : yield* List.realPath(project)
  const isAsked = (entry: SessionList.Entry) =>
    !SessionList.isStored(entry) || path === undefined || entry.projectPath === path
  const listed = List.list(status === undefined ? {} : { status })
  const unreadable = status === undefined
    ? Stream.empty
    : Stream.filter(List.list(), (entry) => !SessionList.isStored(entry))
  return Stream.concat(Stream.filter(listed, isAsked), unreadable)
})

/**
 * Looks for a text, or an expression, in the conversations of stored sessions: the
 * newest session first, each from its beginning on.
 *
 * **Details**
 *
 * Every session is verified before it is believed, as a load does it, and one that
 * runs is searched as it was acknowledged. One session is in memory at a time, and a
 * few dozen of its matches. A session that can't be read, and a file of another
 * format, is a result of its own; none stops the others. Changes nothing.
 *
 * **Gotchas**
 *
 * There are expressions that take years on a short text, and while one is tried
 * nothing else runs. On Node it is stopped after two seconds (`PatternGuard`), and
 * the session is `Unsearched` with `PatternTooSlow`; elsewhere don't search for
 * expressions of people that you don't trust. Between texts a search can always be
 * interrupted.
 *
 * @category operations
 * @since 0.1.0
 */
export const search = (
  query: SearchQuery
): Stream.Stream<SearchResult, StoreError, SessionStore | Signer | ProjectDirectory> => {
  const results = Stream.unwrap(selected(query).pipe(Telemetry.observed("search"), Effect.withSpan("Sessions.search")))
    .pipe(Stream.flatMap((entry) => resultsOf(entry, query)))
  return query.limit === undefined ? results : upTo(results, query.limit)
}

/** So many matches, and what can't be searched on the way to them. */
const upTo = <E, R>(results: Stream.Stream<SearchResult, E, R>, limit: number): Stream.Stream<SearchResult, E, R> => {
  if (limit <= 0) return Stream.empty
  return Stream.suspend(() => {
    let matches = 0
    return Stream.takeUntil(results, ({ _tag }) => _tag === "Match" && ++matches >= limit)
  })
}
