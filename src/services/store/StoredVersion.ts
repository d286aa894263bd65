/**
 * What tells the bytes that a session is stored in from those before and after,
 * without reading them.
 *
 * @since 0.1.0
 */
import type { PlatformError } from "effect/PlatformError"
import * as Result from "effect/Result"
import type { Found, Wish } from "./Files.ts"
import * as Files from "./Files.ts"
import * as Layout from "./Layout.ts"

/** Of the versions of its files, in the order in which they are read. */
export const of = (files: ReadonlyArray<Files.Version>): string => files.map(({ identity }) => identity).join(" ")

/** The files that a session is stored in: the snapshot, and the journals, last one first. */
export const files = ({ journals }: Layout.Names): ReadonlyArray<string> => [
  Layout.snapshot,
  ...journals.toReversed().map(({ name }) => name)
]

/** Looks which version of a session is there. */
export function* look(names: Layout.Names): Generator<Wish, Result.Result<string, PlatformError>, Found> {
  const versions: Array<Files.Version> = []
  for (const name of files(names)) {
    const found = yield { name, ...Files.nothing }
    if (Result.isFailure(found)) return Result.fail(found.failure)
    versions.push(found.success.version)
  }
  return Result.succeed(of(versions))
}
