/**
 * What is stored.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { NotFound, type StoreError } from "../core/SessionError.ts"
import * as SessionList from "../core/SessionList.ts"
import { ProjectDirectory } from "../services/ProjectDirectory.ts"
import { SessionStore } from "../services/SessionStore.ts"
import * as Telemetry from "./Telemetry.ts"

/**
 * A path as sessions store it: the real one, or as it is where nothing is there.
 *
 * @category operations
 * @since 0.1.0
 */
export const realPath = (project: string) =>
  ProjectDirectory.use(({ fingerprint }) =>
    Effect.match(fingerprint(project), { onFailure: () => project, onSuccess: ({ path }) => path })
  )

/** What a filter selects: by the store's own index, or by reading every head. */
const select = Effect.fnUntraced(function*(filter: SessionList.Filter) {
  const { entries, list } = yield* SessionStore
  const given = filter.project === undefined ? filter : { ...filter, project: yield* realPath(filter.project) }
  if (list !== undefined) return list(given)
  return Stream.fromIterable(SessionList.select(yield* Stream.runCollect(entries), given))
})

/**
 * Everything that is stored, newest first: running and interrupted sessions
 * too, and at the end what can't be read, with its error. Sessions in the trash
 * show when `status` asks for `removed`.
 *
 * **Details**
 *
 * Reads heads, never whole sessions; heads are not verified, loading does that.
 * Changes nothing. A session that exists throughout is never missing.
 *
 * @category operations
 * @since 0.1.0
 */
export const list = (
  filter: SessionList.Filter = {}
): Stream.Stream<SessionList.Entry, StoreError, SessionStore | ProjectDirectory> =>
  Stream.unwrap(
    select(filter).pipe(
      Telemetry.observed("list"),
      Effect.withSpan("Sessions.list")
    )
  )

/**
 * Which session to find. `pick` is `latest` by default; `only` fails unless
 * there is exactly one.
 *
 * @category models
 * @since 0.1.0
 */
export interface FindOptions extends SessionList.Filter {
  readonly name?: string
  readonly pick?: "latest" | "only"
}

/**
 * Finds one stored session, readable by its head.
 *
 * @category operations
 * @since 0.1.0
 */
export const find: (options?: FindOptions) => Effect.Effect<
  SessionList.Stored,
  NotFound | StoreError,
  SessionStore | ProjectDirectory
> = Effect.fn("Sessions.find")(function*({ name, pick, ...filter }: FindOptions = {}) {
  // Whoever has that name, has it as a text too: a store with an index need not show it the others.
  const found = yield* select(name === undefined || filter.text !== undefined ? filter : { ...filter, text: name })
  const like = Stream.filter(
    found,
    (entry): entry is SessionList.Stored => SessionList.isStored(entry) && (name === undefined || entry.name === name)
  )
  const [first, ...others] = yield* Stream.runCollect(pick === "only" ? like : Stream.take(like, 1))
  if (first === undefined) return yield* new NotFound({ target: "like that" })
  if (others.length > 0) {
    return yield* new NotFound({ target: `that is the only one like that (${others.length + 1} are)` })
  }
  return first
}, Telemetry.observed("find"))
