/**
 * What `reprise clear` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as SessionList from "../../core/SessionList.ts"
import * as List from "../../pipelines/List.ts"
import * as Backend from "../Backend.ts"
import { confirm } from "../Confirm.ts"
import * as Output from "../Output.ts"
import * as Printable from "../Printable.ts"
import * as Removal from "../Removal.ts"
import * as Where from "../Where.ts"
import * as Words from "../Words.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly all: boolean
  readonly yes: boolean
}

/**
 * Moves all closed sessions to the trash.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.clear")(function*({ all, yes }: Input) {
  const { isJson } = yield* Output.current
  const project = yield* Where.project()
  const entries = yield* Stream.runCollect(List.list(all ? {} : { project }))
  const stored = entries.filter(SessionList.isStored)
  const targets = stored.filter(({ status }) => status === "closed")
  const skipped = stored.filter(({ status }) => status !== "closed")
  const where = all ? "in all projects" : `in ${Printable.line(project)}`
  if (targets.length === 0) {
    if (!isJson) return yield* Output.print(`No closed sessions ${where}.`)
  } else {
    yield* confirm({
      isGiven: yes,
      message: `Move ${Words.count(targets.length, "closed session")} ${where} to the trash?`,
      command: `reprise clear${all ? " --all" : ""}`
    })
  }
  yield* Removal.remove({
    targets,
    isInterruptedToo: false,
    skipped: skipped.map((target) => ({ target, reason: target.status }))
  })
  if (!isJson && skipped.length > 0) {
    yield* Output.print(`${Words.count(skipped.length, "session")} left alone: running or interrupted.`)
  }
}, Backend.withListing)
