/**
 * Several calls to a file system in one go, where it offers that: each call is a
 * cost of its own.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import type * as Result from "effect/Result"
import type { Ends, Look, Reading, Stand, Steadiness, Version, Wanted } from "./Reading.ts"

type Info = FileSystem.File.Info

/** Reads a regular file, and nothing else, without following a link or waiting for anybody. */
export type Reader = (path: string, wanted: Wanted) => Effect.Effect<Ends, PlatformError>

/** A file in a directory under a private name, and the name that it is given once it is complete. */
export interface NewLink {
  readonly directory: string
  readonly prepared: string
  readonly name: string
  readonly bytes: Uint8Array
}

/** Where a path leads, and what is there: not of a directory that can't be read. */
export interface Followed {
  readonly path: string
  readonly info: Result.Result<Info, PlatformError>
}

/** Several calls in one go, for a file system to which each call is a cost of its own. */
export interface InOneGo {
  /** Whether nothing is gained by asking for several at the same time. */
  readonly isAtOnce: boolean
  readonly read: Reader
  /** Reads files of a directory itself, not of one that a link leads to. */
  readonly look: <A>(
    directory: string,
    reading: Reading<A>,
    steadiness: Steadiness
  ) => Effect.Effect<Look<A>, PlatformError>
  /** Which directory itself is at a path. It was in use a moment ago, so that this waits for nothing. */
  readonly stand?: (directory: string) => Effect.Effect<Stand, PlatformError>
  /**
   * Reads a little in a directory itself, whatever others do there meanwhile. It was
   * in use a moment ago, so that this waits for nothing.
   */
  readonly glance?: <A>(directory: string, reading: Reading<A>) => Effect.Effect<A, PlatformError>
  /**
   * Gives a new file a name that must be free, takes the private one away, and reads
   * what is there then. Nothing of it is durable. The name may be given where this fails.
   */
  readonly linkUnsynced?: <A>(link: NewLink, reading: Reading<A>) => Effect.Effect<A, PlatformError>
  /** Follows a path to what is there. */
  readonly follow?: (path: string) => Effect.Effect<Followed, PlatformError>
  /** Which directories are at these paths; none where there is none. */
  readonly versions: (paths: ReadonlyArray<string>) => Effect.Effect<ReadonlyArray<Option.Option<Version>>>
}

const offered = new WeakMap<FileSystem.FileSystem, InOneGo>()

/** What a file system offers. */
export const of = (fs: FileSystem.FileSystem): InOneGo | undefined => offered.get(fs)

/**
 * Offers to make several calls in one go. Whoever wraps the file system is asked
 * for each call instead.
 */
export const offer = (fs: FileSystem.FileSystem, inOneGo: InOneGo): void => void offered.set(fs, inOneGo)

/** Follows a path to what is there. */
export const follow = (fs: FileSystem.FileSystem): (path: string) => Effect.Effect<Followed, PlatformError> =>
  of(fs)?.follow ??
    ((path) =>
      Effect.flatMap(fs.realPath(path), (real) =>
        Effect.map(
          Effect.result(
            Effect.tap(
              fs.stat(real),
              ({ type }) => type === "Directory" ? fs.access(real, { readable: true }) : Effect.void
            )
          ),
          (info) => ({ path: real, info })
        )))
