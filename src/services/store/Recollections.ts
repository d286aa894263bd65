/**
 * What is known of directories that have not changed since: the names in them,
 * and what the highest lease says, which is never written again.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type { Highest } from "./Leases.ts"
import type { Stand, Version } from "./Reading.ts"

/** Of one directory. */
interface Recollection {
  readonly names: ReadonlyArray<string>
  readonly highest: Highest
}

/** Directories of which something is remembered: about a kilobyte each. */
const most = 1_000

export const make = () => {
  const kept = new Map<string, Recollection & { readonly identity: string }>()

  return {
    /** What is known of a directory as it stands. */
    of: (directory: string, { isSettled, version }: Stand): Recollection | undefined => {
      const found = kept.get(directory)
      return isSettled && found?.identity === version.identity ? found : undefined
    },
    /** Keeps what was found in a directory of this version; a lease that can't be read may become readable. */
    keep: (directory: string, { identity }: Version, { highest, names }: Recollection): void => {
      if (highest.epoch > 0 && Option.isNone(highest.lease)) return
      kept.delete(directory)
      kept.set(directory, { identity, names, highest })
      const [oldest] = kept.keys()
      if (kept.size > most && oldest !== undefined) kept.delete(oldest)
    }
  }
}
