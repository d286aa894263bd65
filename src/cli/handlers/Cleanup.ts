/**
 * What `reprise cleanup` does.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as SessionList from "../../core/SessionList.ts"
import * as Trash from "../../pipelines/Trash.ts"
import * as SessionStore from "../../services/SessionStore.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Failures from "../Failures.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import * as Progress from "../Progress.ts"
import * as Words from "../Words.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly olderThan: Option.Option<Duration.Duration>
  readonly dryRun: boolean
}

const named = ({ id, name }: SessionList.Stored | SessionList.Broken) => ({ id, name })

const report = Effect.fnUntraced(function*(report: Trash.CleanupReport, dryRun: boolean) {
  const { isJson } = yield* Output.current
  const { failed, purged, removed, skipped } = report
  const failures = failed.map(({ entry, error }) => Failures.make(entry.id, error))
  if (isJson) {
    yield* Output.printJson(CliJson.Cleanup, {
      dryRun,
      removed: removed.map(({ id, name, projectPath }) => ({ id, name, project: projectPath })),
      purged: purged.map(named),
      skipped: skipped.map(({ entry, reason }) => ({
        id: entry._tag === "Foreign" ? null : entry.id,
        name: entry.name,
        reason
      })),
      failed: failures.map(Failures.toJson)
    })
  } else {
    const [remove, purge] = dryRun
      ? ["would go to the trash", "would be deleted for ever"]
      : ["to the trash", "deleted for ever"]
    yield* Output.print(
      ...removed.map(({ id, name }) => `${remove}: ${Printable.line(name)}  ${id}`),
      ...purged.map(({ id, name }) => `${purge}: ${Printable.line(name)}  ${id}`),
      `${
        Words.count(removed.length, "session")
      } ${remove}, ${purged.length} ${purge}, ${skipped.length} left alone, ${failures.length} failed.`
    )
  }
  yield* Failures.end(failures, { total: removed.length + purged.length + failures.length, done: "removed" })
})

/**
 * Removes old sessions, or tells which.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.cleanup")(function*({ dryRun, olderThan }: Input) {
  const options = Option.match(olderThan, { onNone: () => ({}), onSome: (olderThan) => ({ olderThan }) })
  const plan = yield* Trash.cleanup({ ...options, dryRun: true })
  if (dryRun) return yield* report(plan, dryRun)
  const done = yield* Progress.track("cleanup", plan.removed.length + plan.purged.length, ({ step }) =>
    // The store is asked once for each session: that is what is counted.
    Effect.updateService(Trash.cleanup(options), SessionStore.SessionStore, (store) => ({
      ...store,
      remove: (id, options) => Effect.ensuring(store.remove(id, options), step(id)),
      purge: (id) => Effect.ensuring(store.purge(id), step(id))
    })))
  yield* report(done, dryRun)
}, Backend.withListing)
