/**
 * What tells the bytes that a session is stored in from those before and after,
 * without reading them.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import * as Layout from "./Layout.ts"
import type { Found, Wish } from "./Reading.ts"
import * as Reading from "./Reading.ts"

/** Of the versions of its files, in the order in which they are read. */
export const of = (files: ReadonlyArray<Reading.Version>): string => files.map(({ identity }) => identity).join(" ")

/** The files that a session is stored in: the snapshot, and the journals, last one first. */
const files = ({ journals }: Layout.Names): ReadonlyArray<string> => [
  Layout.snapshot,
  ...journals.toReversed().map(({ name }) => name)
]

/** Looks which version of a session is there. */
export function* look(names: Layout.Names): Generator<Wish, Result.Result<string, PlatformError>, Found> {
  const versions: Array<Reading.Version> = []
  for (const name of files(names)) {
    const found = yield { name, ...Reading.nothing }
    if (Result.isFailure(found)) return Result.fail(found.failure)
    versions.push(found.success.version)
  }
  return Result.succeed(of(versions))
}
