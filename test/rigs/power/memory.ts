/**
 * What was looked at before, byte for byte the same and with the same promise,
 * and was right: it is not looked at again.
 */
import { Cause, Effect, Exit, Result } from "effect"
import * as Crash from "./crash.ts"
import * as Disk from "./disk.ts"

export interface Memory {
  /** What tells one content of a directory from another. */
  readonly digest: (path: string) => string
  /** Looks at something, unless that was done before. Whatever a look fails with is a finding. */
  readonly recall: <E, R>(
    promise: object,
    key: string,
    look: Effect.Effect<ReadonlyArray<string>, E, R>
  ) => Effect.Effect<ReadonlyArray<string>, never, R>
}

/** Looks every time. */
export const none: Memory = {
  digest: (path) => path,
  recall: (_promise, _key, look) =>
    Effect.map(
      Effect.exit(look),
      (exit) => Exit.isSuccess(exit) ? exit.value : [Cause.pretty(exit.cause).slice(0, 600)]
    )
}

/** Remembers what was right on any of the disks that it is used on. */
export const make = () => {
  const right = new WeakMap<object, Set<string>>()
  return (disk: Disk.Disk): Memory => ({
    digest: (path) =>
      Result.match(Disk.lookup(disk, path), { onFailure: (code) => code, onSuccess: Crash.fingerprint }),
    recall: (promise, key, look) =>
      Effect.suspend(() => {
        const known = right.get(promise) ?? new Set()
        right.set(promise, known)
        if (known.has(key)) return Effect.succeed([])
        return Effect.tap(none.recall(promise, key, look), (findings) =>
          Effect.sync(() => {
            if (findings.length === 0) known.add(key)
          }))
      })
  })
}
