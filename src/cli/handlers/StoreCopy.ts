/**
 * What `reprise store copy` does.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type * as CopyFrom from "../../pipelines/CopyFrom.ts"
import { copyFrom } from "../../pipelines/CopyFrom.ts"
import * as SessionLimits from "../../services/SessionLimits.ts"
import { SessionStore } from "../../services/SessionStore.ts"
import { Signer } from "../../services/Signer.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as CopyReport from "../CopyReport.ts"
import { ExitCode } from "../ExitCode.ts"
import { Failure } from "../Failure.ts"
import * as Failures from "../Failures.ts"
import * as KeyRing from "../KeyRing.ts"
import * as Output from "../Output.ts"
import * as Place from "../Place.ts"
import * as Printable from "../Printable.ts"
import * as Progress from "../Progress.ts"
import * as Where from "../Where.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly from: string
  readonly to: string
  readonly ndjson: boolean
}

const refuse = (why: string, next: string) =>
  new Failure({ kind: "NoStore", exitCode: ExitCode.failed, what: "Nothing was copied.", why, next })

/** A place that is not there would be made by being opened. */
const checkSource = Effect.fnUntraced(function*(place: Place.Place) {
  if (place._tag === "Postgres") return
  const fs = yield* FileSystem.FileSystem
  const path = place._tag === "Files" ? place.directory : place.file
  const isThere = yield* Effect.orElseSucceed(fs.exists(path), () => false)
  if (!isThere) return yield* refuse(`There is nothing at ${Printable.line(path)}.`, "Name where sessions are: --from")
  const keys = yield* KeyRing.file(place.directory)
  if (Option.isSome(keys)) return
  return yield* refuse(
    `There is no key ring beside ${Printable.line(place.directory)}: sessions can't be verified.`,
    place._tag === "Files" ? "Put it back from a backup" : "Name the directory that it is beside: --dir DIR"
  )
})

/** A copy takes what there is, however much that is. */
const withoutLimit = Layer.provide(
  Layer.effect(
    SessionLimits.SessionLimits,
    Effect.map(SessionLimits.SessionLimits, (limits) => ({ ...limits, maxStored: Infinity }))
  )
)

/** The services of both places, each with the keys that are beside it. */
const openBoth = Effect.fnUntraced(function*(from: Place.Place, to: Place.Place) {
  const { sessions } = yield* Backend.Backend
  const protection = yield* Backend.fromEnvironment
  const open = (layer: ReturnType<typeof sessions>) => Layer.build(Layer.fresh(withoutLimit(layer)))
  return {
    source: yield* open(sessions(from, { allowPlain: true, isUntouched: true })),
    target: yield* open(sessions(to, { ...protection, allowPlain: true }))
  }
})

const copyAll = Effect.fnUntraced(function*(from: Place.Place, to: Place.Place, { isJson, ndjson }: {
  readonly isJson: boolean
  readonly ndjson: boolean
}) {
  const { source, target } = yield* openBoth(from, to)
  const copies = copyFrom(Context.get(source, SessionStore), { signer: Context.get(source, Signer) })
  return yield* Progress.track("copy", undefined, ({ isShown, print, step }) =>
    copies.pipe(
      Stream.tap((copy: CopyFrom.Copy) =>
        Effect.gen(function*() {
          yield* step(copy.name, copy.total)
          if (ndjson) {
            return yield* Output.printJson(CliJson.Copied, CopyReport.toJson(copy, to), { isOneLine: true })
          }
          if (!isJson && !(isShown && CopyReport.isWell(copy))) yield* print(CopyReport.line(copy))
        })
      ),
      Stream.runCollect,
      Effect.provide(target)
    ))
}, Effect.scoped)

/**
 * Copies every session from one store to another, and tells what became of each.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.store.copy")(function*({ ndjson, ...input }: Input) {
  const { isJson } = yield* Output.current
  const options = { cwd: yield* Where.WorkingDirectory, home: yield* Where.directory }
  const from = yield* Place.parse(input.from, options)
  const to = yield* Place.parse(input.to, options)
  if (Place.shown(from) === Place.shown(to)) {
    return yield* refuse("Both are the same place.", "Name another one: --to")
  }
  yield* checkSource(from)
  const brought = yield* KeyRing.bring(from.directory, to.directory)
  const copies = yield* copyAll(from, to, { isJson, ndjson })

  const totals = CopyReport.totals(copies)
  const [shownFrom, shownTo] = [Place.shown(from), Place.shown(to)]
  const keys = yield* KeyRing.file(to.directory)
  const summary = { from: shownFrom, to: shownTo, keyRing: Option.getOrNull(keys), totals }
  if (ndjson) {
    yield* Output.printJson(CliJson.CopySummary, summary, { isOneLine: true })
  } else if (isJson) {
    yield* Output.printJson(CliJson.StoreCopy, {
      ...summary,
      sessions: copies.map((copy) => CopyReport.toJson(copy, to))
    })
  } else {
    yield* Output.print(
      ...CopyReport.sum(totals),
      ...(Option.isSome(brought)
        ? [`The key ring was copied to ${Printable.line(brought.value)}: keep it secret.`]
        : []),
      ...CopyReport.howToRead(to)
    )
  }
  yield* Failures.end(CopyReport.failures(copies, to), { total: copies.length, done: "copied" })
})
