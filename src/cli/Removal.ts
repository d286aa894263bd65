/**
 * Moving many sessions to the trash, and telling about it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Trash from "../pipelines/Trash.ts"
import * as CliJson from "./CliJson.ts"
import * as Failures from "./Failures.ts"
import * as Output from "./Output.ts"
import * as Printable from "./Printable.ts"
import * as Progress from "./Progress.ts"
import type { Target } from "./Target.ts"
import * as Words from "./Words.ts"

/**
 * A session as it is named to people.
 *
 * @category formatting
 * @since 0.1.0
 */
export const label = (target: Target): string => target._tag === "Stored" ? Printable.line(target.name) : target.id

const named = (target: Target): typeof CliJson.Named.Type => ({
  id: target.id,
  name: target.name,
  ...(target._tag === "Stored" ? { project: target.projectPath } : {})
})

/**
 * Removes each of the sessions; one that can't be removed does not stop the
 * others. Fails in the end if there were any.
 *
 * @category removing
 * @since 0.1.0
 */
export const remove = Effect.fnUntraced(function*(options: {
  readonly targets: ReadonlyArray<Target>
  readonly isInterruptedToo: boolean
  readonly skipped: ReadonlyArray<{ readonly target: Target; readonly reason: string }>
}) {
  const { isInterruptedToo, skipped, targets } = options
  const { isJson } = yield* Output.current
  const outcomes = yield* Progress.track(
    "delete",
    targets.length,
    ({ print, step }) =>
      Effect.forEach(targets, (target) =>
        Effect.gen(function*() {
          const outcome = yield* Effect.result(Trash.remove(target.id, { interrupted: isInterruptedToo }))
          yield* step(label(target))
          if (Result.isSuccess(outcome) && !isJson) {
            yield* print(`Deleted ${label(target)}. To have it back: reprise restore ${target.id}`)
          }
          return Result.mapBoth(outcome, {
            onFailure: (error) => Failures.make(target.id, error),
            onSuccess: () => target
          })
        }))
  )
  const removed = outcomes.filter(Result.isSuccess).map(({ success }) => success)
  const failed = outcomes.filter(Result.isFailure).map(({ failure }) => failure)
  if (isJson) {
    yield* Output.printJson(CliJson.Removal, {
      removed: removed.map(named),
      skipped: skipped.map(({ reason, target }) => ({ ...named(target), reason })),
      failed: failed.map(Failures.toJson)
    })
  } else if (targets.length > 1) {
    yield* Output.print(`${Words.count(removed.length, "session")} deleted, ${failed.length} failed.`)
  }
  yield* Failures.end(failed, { total: targets.length, done: "deleted" })
})
