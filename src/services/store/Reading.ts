/**
 * What is wanted of files, and what was found: their ends, and their versions.
 *
 * @since 0.1.0
 */
import * as ByteSize from "effect/ByteSize"
import type * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"

/** One version of a file. */
export interface Version {
  /** What tells it from the next. */
  readonly identity: string
  readonly size: number
  readonly mode: number
  readonly mtime: Option.Option<Date>
}

/**
 * What changed less than this before it was looked at can change once more
 * without showing it: file systems count time in ticks.
 */
const settledMillis = 1_100

/** Whether any change from now on shows in the version. */
export const isSettled = ({ mtime }: Version, nowMillis: number): boolean =>
  Option.exists(mtime, (time) => nowMillis - time.getTime() > settledMillis)

/** One text for one version, whichever way it was looked at. */
export const identityOf = (dev: bigint, ino: bigint, size: bigint, mtimeMillis: bigint | number): string =>
  `${dev}:${ino}:${size}:${mtimeMillis}`

/** Which version a file is, by what a file system tells of it. */
export const versionOf = ({ dev, ino, mode, mtime, size }: FileSystem.File.Info): Version => ({
  identity: identityOf(
    dev,
    Option.getOrElse(ino, () => 0n),
    ByteSize.toBigInt(size),
    Option.getOrUndefined(mtime)?.getTime() ?? 0
  ),
  size: Option.getOrElse(ByteSize.toNumber(size), () => Number.MAX_SAFE_INTEGER),
  mode,
  mtime
})

/** The first and the last bytes of a file; none of either where it is larger than the limit. */
export interface Ends {
  readonly head: Uint8Array
  readonly tail: Uint8Array
  readonly version: Version
}

/** How much of a file is wanted, in bytes. */
export interface Wanted {
  readonly head: number
  readonly tail: number
  readonly limit: number
}

/** All of a file, and nothing of one that is larger. */
export const atMost = (bytes: number): Wanted => ({ head: bytes, tail: 0, limit: bytes })

/** So much of a file, however large it is. */
export const ends = (head: number, tail: number): Wanted => ({ head, tail, limit: Number.MAX_SAFE_INTEGER })

/** Nothing of a file but which version of it is there, of whatever kind it is. */
export const nothing: Wanted = ends(0, 0)

/** Whether nothing but the version is wanted. */
export const isVersionOnly = ({ head, tail }: Wanted): boolean => head + tail === 0

/** What a version comes to that was wanted alone. */
export const versionOnly = (version: Version): Ends => ({ head: new Uint8Array(), tail: new Uint8Array(), version })

/** A file in a directory, and how much of it is wanted. */
export interface Wish extends Wanted {
  readonly name: string
  /** What will be asked for next, unless this is not as expected: it may be read meanwhile. */
  readonly ahead?: ReadonlyArray<Wish>
}

/** What came of a wish. */
export type Found = Result.Result<Ends, PlatformError>

/** Which version of the file was found. */
export const identityIn = (found: Found): string | undefined =>
  Result.isSuccess(found) ? found.success.version.identity : undefined

/** Reads files of a directory with these names: asks for one after the other, and says what they come to. */
export type Reading<A> = (names: ReadonlyArray<string>) => Generator<Wish, A, Found>

/** How a directory was found. */
export interface Stand {
  readonly version: Version
  /** Whether any change from then on shows in the version. */
  readonly isSettled: boolean
}

/** What tells that nothing changed while a directory was being read. */
export interface Steadiness {
  /** The file that is looked at once more. */
  readonly watched: string
  /** Whether the names of then and now mean the same. */
  readonly isSame: (before: ReadonlyArray<string>, after: ReadonlyArray<string>) => boolean
  /** The names that are known of the directory as it stands, where they are. */
  readonly recall?: (stand: Stand) => ReadonlyArray<string> | undefined
}

/** What a reading of a directory came to. */
export interface Look<A> {
  readonly value: A
  /** Of the directory, before anything in it was looked at. */
  readonly version: Version
  /** Whether everything that was read was there at one moment. */
  readonly isSteady: boolean
  /** The names that were found, where any change of them from then on shows in the version. */
  readonly settled?: ReadonlyArray<string>
}

/** Which of a file's bytes are read, and where from. */
export const ranges = ({ head, limit, tail }: Wanted, size: number) => {
  if (size > limit) return { headLength: 0, tailFrom: 0, tailLength: 0 }
  const headLength = Math.min(head, size)
  const tailFrom = Math.max(0, size - tail)
  // What the head has already is not read again.
  return { headLength, tailFrom, tailLength: headLength === size ? 0 : size - tailFrom }
}

/** What was read, put together: a head that is all of the file holds its end. */
export const endsOf = (version: Version, tailFrom: number, head: Uint8Array, tail: Uint8Array): Ends => ({
  head,
  tail: head.length === version.size ? head.subarray(tailFrom) : tail,
  version
})

/** The reading that asks for nothing. */
export function* namesAlone(names: ReadonlyArray<string>) {
  return names
}
