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
import * as Envelope from "../../core/Envelope.ts"
import { InvalidJson, StoreError, Unsigned } from "../../core/SessionError.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type * as SessionList from "../../core/SessionList.ts"
import type { Timestamp } from "../../core/Timestamp.ts"
import { isMissing } from "./FileError.ts"
import type { Files } from "./Files.ts"
import * as Layout from "./Layout.ts"
import * as ListIndex from "./ListIndex.ts"
import { isSettled } from "./Reading.ts"
import type { SessionFiles } from "./SessionFiles.ts"

/** So many names are looked at before the first of them is handed on. */
const groupSize = 64

/** So many sessions that an index does not know make it worth another one: more of them where it knows many. */
const worthAnIndex = (known: number): number => Math.max(64, known / 16)

export const make = (services: {
  readonly base: string
  readonly concurrency: number
  /** A private path for a file on its way to its name. */
  readonly preparedPath: Effect.Effect<string>
  readonly files: Files
  readonly path: Path.Path
  readonly removalOf: (directory: string) => Effect.Effect<{ readonly removedAt?: Timestamp }>
  readonly sessions: SessionFiles
}) => {
  const { base, concurrency, files, path, preparedPath, removalOf, sessions } = services
  const index = path.join(base, Layout.index)
  const remembered = new Map<string, ListIndex.Remembered>()
  /** How many were looked at that the index does not know. */
  let unknown = 0
  let isRecalled = false
  let isEncrypted = false

  /** Remembers what processes before this one wrote down. */
  const recall = Effect.fnUntraced(function*(names: ReadonlyArray<string>) {
    if (isRecalled || !names.includes(Layout.index)) return
    isRecalled = true
    for (const one of yield* ListIndex.read(files, index)) remembered.set(one.entry.id, one)
  })

  /**
   * Told of each snapshot that was stored: writes down what lists remember, where
   * that is worth it. Once sessions are encrypted, nothing of them stays in plain.
   */
  const published = (snapshot: Uint8Array): Effect.Effect<void> =>
    Effect.suspend(() => {
      if (isEncrypted) return Effect.void
      if (Envelope.isEncrypted(snapshot)) {
        isEncrypted = true
        return files.removeQuietly(index)
      }
      if (unknown < worthAnIndex(remembered.size)) return Effect.void
      unknown = 0
      return Effect.flatMap(preparedPath, (prepared) =>
        ListIndex.write(files, { file: index, prepared }, remembered.values()))
    })

  /** What a look at a session's directory comes to. It is remembered where any change would show. */
  const look = Effect.fnUntraced(function*(id: SessionId, place: string) {
    const { directory, entry, snapshot, status } = yield* sessions.entry(id, place)
    const isAtRest = status === "closed" || status === "removed"
    const now = yield* Clock.currentTimeMillis
    if (entry._tag === "Stored" && isAtRest && isSettled(directory, now) && isSettled(snapshot, now)) {
      remembered.set(id, { identity: directory.identity, entry })
      unknown++
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
    for (const name of remembered.keys()) {
      if (!present.has(name)) remembered.delete(name)
    }
  }

  /** The entries of a group of names: those remembered whose directories have not changed, and those looked at anew. */
  const group = Effect.fnUntraced(function*(names: ReadonlyArray<string>) {
    const known = names.filter((name) => remembered.has(name))
    const versions = known.length === 0 ? [] : yield* files.versions(known.map((name) => path.join(base, name)))
    const recalled = known.flatMap((name, index) => {
      const before = remembered.get(name)
      const isSame = Option.exists(versions[index] ?? Option.none(), ({ identity }) => identity === before?.identity)
      if (!isSame) remembered.delete(name)
      return isSame && before !== undefined ? [before.entry] : []
    })
    const others = recalled.length === names.length ? [] : names.filter((name) => !remembered.has(name))
    return [
      ...recalled,
      ...Arr.getSomes(yield* Effect.forEach(others, entry, { concurrency: files.isAtOnce ? 1 : concurrency }))
    ]
  })

  /** Everything that is stored, in no order. */
  const entries: Stream.Stream<SessionList.Entry, PlatformError> = Stream.unwrap(
    Effect.andThen(files.checkPrivate(base), files.names(base)).pipe(
      Effect.catchIf(isMissing, () => Effect.succeed<Array<string>>([])),
      Effect.tap(recall),
      Effect.map((names) => {
        forgetOthers(names)
        return Stream.fromIterable(Arr.chunksOf(names, groupSize)).pipe(
          Stream.mapEffect(group),
          Stream.flatMap(Stream.fromArray)
        )
      })
    )
  )

  return { entries, published }
}
