/**
 * What is in the sessions directory, a group of names at a time.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Path from "effect/Path"
import { isPlatformError, type PlatformError } from "effect/PlatformError"
import * as Stream from "effect/Stream"
import { InvalidJson, StoreError, Unsigned } from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type * as SessionList from "../../core/SessionList.ts"
import type { Timestamp } from "../../core/Timestamp.ts"
import type { Files, Version } from "./Files.ts"
import { isMissing } from "./Files.ts"
import * as Layout from "./Layout.ts"
import type { SessionFiles } from "./SessionFiles.ts"

/** So many names are looked at before the first of them is handed on. */
const groupSize = 64

/**
 * A directory that changed less than this before it was looked at can change
 * once more without showing it: file systems count time in ticks.
 */
const settledMillis = 1_100

/** An entry of a session at rest, for as long as neither its directory nor its snapshot changes. */
interface Remembered {
  readonly identity: string
  readonly entry: SessionList.Entry
}

export const make = (services: {
  readonly base: string
  readonly concurrency: number
  readonly files: Files
  readonly path: Path.Path
  readonly removalOf: (directory: string) => Effect.Effect<{ readonly removedAt?: Timestamp }>
  readonly sessions: SessionFiles
}) => {
  const { base, concurrency, files, path, removalOf, sessions } = services
  const remembered = new Map<SessionId, Remembered>()

  const isSettled = ({ mtime }: Version, now: number): boolean =>
    Option.exists(mtime, (time) => now - time.getTime() > settledMillis)

  /** What a look at a session's directory comes to, taken from memory where nothing has changed since. */
  const look = Effect.fnUntraced(function*(id: SessionId, directory: string) {
    const snapshot = path.join(directory, Layout.snapshot)
    const own = yield* files.directoryVersion(directory)
    const before = remembered.get(id)
    if (before !== undefined) {
      const { identity } = yield* files.version(snapshot)
      if (before.identity === `${own.identity} ${identity}`) return before.entry
      remembered.delete(id)
    }
    const { entry, status, version } = yield* sessions.entry(id, directory)
    const isAtRest = status === "closed" || status === "removed"
    const now = yield* Clock.currentTimeMillis
    if (isAtRest && isSettled(own, now) && isSettled(version, now)) {
      remembered.set(id, { identity: `${own.identity} ${version.identity}`, entry })
    }
    return entry
  })

  const stored = (name: string, id: SessionId): Effect.Effect<Option.Option<SessionList.Entry>> => {
    const directory = path.join(base, id)
    return look(id, directory).pipe(
      Effect.asSome,
      Effect.catchIf(isMissing, () => Effect.succeedNone),
      Effect.catchIf(isPlatformError, (cause) => Effect.fail(new StoreError({ operation: "list", cause }))),
      Effect.catch((error) =>
        Effect.map(
          removalOf(directory),
          (removed) => Option.some<SessionList.Entry>({ _tag: "Broken", name, id, ...removed, error })
        )
      )
    )
  }

  const entry = (name: string): Effect.Effect<Option.Option<SessionList.Entry>> => {
    const kind = Layout.kind(name)
    if (kind._tag === "Session") return stored(name, kind.id)
    if (kind._tag !== "Foreign") return Effect.succeedNone
    const error = new InvalidJson({ id: name, reason: new Unsigned({}) })
    return Effect.succeedSome({ _tag: "Foreign", name, error })
  }

  const forgetOthers = (names: ReadonlyArray<string>) => {
    const present = new Set(names)
    for (const id of remembered.keys()) {
      if (!present.has(id)) remembered.delete(id)
    }
  }

  /** Everything that is stored, in no order. */
  const entries: Stream.Stream<SessionList.Entry, PlatformError> = Stream.unwrap(
    Effect.andThen(files.checkPrivate(base), files.names(base)).pipe(
      Effect.catchIf(isMissing, () => Effect.succeed<Array<string>>([])),
      Effect.map((names) => {
        forgetOthers(names)
        return Stream.fromIterable(Arr.chunksOf(names, groupSize)).pipe(
          Stream.mapEffect((group) => Effect.forEach(group, entry, { concurrency })),
          Stream.flatMap((found) => Stream.fromArray(Arr.getSomes(found)))
        )
      })
    )
  )

  return { entries }
}
