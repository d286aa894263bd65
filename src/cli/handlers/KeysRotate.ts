/**
 * What `reprise keys rotate` does.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Rotate from "../../pipelines/Rotate.ts"
import * as Signer from "../../services/Signer.ts"
import * as Backend from "../Backend.ts"
import * as CliJson from "../CliJson.ts"
import * as Failures from "../Failures.ts"
import * as Output from "../Output.ts"
import * as Progress from "../Progress.ts"
import * as Words from "../Words.ts"

/**
 * What was typed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly goOn: boolean
}

const line = ({ id, outcome }: Rotate.Rotation): string => {
  switch (outcome._tag) {
    case "Resigned":
      return `signed  ${id}`
    case "Skipped":
      return `left    ${id}  ${outcome.reason === "current" ? "already signed with it" : outcome.reason}`
    case "Failed":
      return `failed  ${id}`
  }
}

/**
 * Signs all sessions with the newest key, and tells what became of each.
 *
 * @category handlers
 * @since 0.1.0
 */
export const rotate = Effect.fnUntraced(function*(addKey: boolean) {
  const { isJson } = yield* Output.current
  const rotations = yield* Progress.track(
    "rotate",
    undefined,
    ({ isShown, print, step }) =>
      Rotate.rotate({ addKey }).pipe(
        Stream.tap((rotation) =>
          Effect.andThen(
            step(rotation.id, rotation.total),
            isJson || (isShown && rotation.outcome._tag !== "Failed") ? Effect.void : print(line(rotation))
          )
        ),
        Stream.runCollect
      )
  )
  const { current, encrypts } = yield* Signer.Signer
  const signed = rotations.flatMap(({ id, outcome }) => outcome._tag === "Resigned" ? [id] : [])
  const skipped = rotations.flatMap(({ id, outcome }) =>
    outcome._tag === "Skipped" ? [{ id, reason: outcome.reason }] : []
  )
  const failures = rotations.flatMap(({ id, outcome }) =>
    outcome._tag === "Failed" ? [Failures.make(id, outcome.error)] : []
  )
  if (isJson) {
    yield* Output.printJson(CliJson.Rotation, { current, signed, skipped, failed: failures.map(Failures.toJson) })
  } else {
    yield* Output.print(
      `The key ${current} signs${encrypts === true ? " and encrypts" : ""} from now on. ${
        Words.count(signed.length, "session")
      } signed with it, ` +
        `${skipped.length} left alone, ${failures.length} failed.`
    )
  }
  yield* Failures.end(failures, { total: rotations.length, done: "signed again" })
})

/**
 * Makes a new key and signs all sessions with it.
 *
 * @category handlers
 * @since 0.1.0
 */
export const run = Effect.fn("reprise.keys.rotate")(
  function*({ goOn }: Input) {
    yield* rotate(!goOn)
  },
  Backend.withProtected({ allowPlain: true })
)
