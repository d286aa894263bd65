/**
 * What `reprise verify` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as List from "../../pipelines/List.ts"
import * as Load from "../../pipelines/Load.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Failures from "../Failures.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as Removal from "../Removal.ts"
import * as Target from "../Target.ts"
import * as Words from "../Words.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly target: Option.Option<string>
  readonly ndjson: boolean
}

/** Sessions read at once: each may take as much memory as it has bytes, several times over. */
const concurrency = 2

const verify = Effect.fnUntraced(function*(target: Target.Target) {
  const outcome = yield* Effect.result(Load.verify(target.id))
  // Deleted by somebody else since it was listed: not there, so not broken.
  if (Result.isFailure(outcome) && outcome.failure._tag === "NotFound") return Option.none()
  return Option.some({
    target,
    outcome: Result.mapError(outcome, (error) => Failures.make(target.id, error))
  })
})

type Checked = Option.Option.Value<Effect.Success<ReturnType<typeof verify>>>

const toJson = ({ outcome, target }: Checked): typeof CliJson.Verified.Type => ({
  id: target.id,
  name: target.name,
  ...Result.match(outcome, {
    onFailure: (failed) => ({ isIntact: false, error: Failures.toJson(failed) }),
    onSuccess: ({ bytes, torn }) => ({ isIntact: true, bytes, torn })
  })
})

const line = ({ outcome, target }: Checked): string =>
  Result.match(outcome, {
    onFailure: ({ why }) => `broken  ${target.id}  ${Removal.label(target)}: ${why}`,
    onSuccess: ({ bytes, torn }) =>
      `intact  ${target.id}  ${Removal.label(target)}, ${Words.size(bytes)}${
        torn > 0 ? `, ${torn} bytes of a write that was cut short` : ""
      }`
  })

/**
 * Verifies one session, or all of them. Broken ones don't stop the others.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.verify")(function*({ ndjson, target }: Input) {
  const { isJson } = yield* Output.current
  const targets = Option.isSome(target)
    ? [yield* Target.resolve(target.value)]
    : (yield* Stream.runCollect(List.list())).filter((entry) => entry._tag !== "Foreign")
  const checked = yield* Progress.track(
    "verify",
    ndjson ? 0 : targets.length,
    ({ isShown, print, step }) =>
      Effect.forEach(targets, (target) =>
        Effect.tap(verify(target), (checked) =>
          Effect.gen(function*() {
            yield* step(Removal.label(target))
            if (Option.isNone(checked)) return
            if (ndjson) return yield* Output.printJson(CliJson.Verified, toJson(checked.value), { isOneLine: true })
            const isWorthALine = !isShown || Result.isFailure(checked.value.outcome)
            if (!isJson && isWorthALine) yield* print(line(checked.value))
          })), { concurrency })
  )
  const all = checked.filter(Option.isSome).map(({ value }) => value)
  const failures = all.flatMap(({ outcome }) => Result.isFailure(outcome) ? [outcome.failure] : [])
  const intact = all.length - failures.length
  if (isJson && !ndjson) {
    yield* Output.printJson(CliJson.Verify, { intact, broken: failures.length, sessions: all.map(toJson) })
  } else if (!ndjson && all.length !== 1) {
    yield* Output.print(`${Words.count(all.length, "session")} verified: ${intact} intact, ${failures.length} broken.`)
  }
  yield* Failures.end(failures, { total: all.length, done: "intact" })
}, Backend.withSessions)
