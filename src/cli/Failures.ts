/**
 * Failures of a command that is about several sessions or files: each is told,
 * none stops the others, and the run ends with what they share.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as CliJson from "./CliJson.ts"
import * as ExitCode from "./ExitCode.ts"
import type { Explained } from "./Explain.ts"
import * as Explain from "./Explain.ts"
import { Failure } from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Printable from "./Printable.ts"

/**
 * A failure, and what it was about.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failed extends Explained {
  readonly target: string
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make = (target: string, error: unknown): Failed => ({
  target: Printable.line(target),
  ...Explain.explain(error)
})

/**
 * A failure as `--json` prints it.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toJson = (failed: Failed): typeof CliJson.ErrorReport.Type => {
  const { candidates, error, exitCode, next, target, what, why } = failed
  return { target, error, exitCode, what, why, next, ...(candidates === undefined ? {} : { candidates }) }
}

/**
 * A failure in lines for people.
 *
 * @category formatting
 * @since 0.1.0
 */
export const lines = ({ next, target, what, why }: Failed): ReadonlyArray<string> => [
  `${target}: ${what}`,
  `  why: ${why}`,
  `  do:  ${next}`
]

/**
 * Ends a command with its failures: nothing where there is none, the failure
 * itself where it is the only one, a sum of them else.
 *
 * @category reporting
 * @since 0.1.0
 */
export const end = Effect.fnUntraced(function*(
  failures: ReadonlyArray<Failed>,
  options: { readonly total: number; readonly done: string }
) {
  const [first] = failures
  if (first === undefined) return
  const exitCode = ExitCode.shared(failures.map((failed) => failed.exitCode))
  if (options.total === 1) {
    const { candidates, error, next, what, why } = first
    return yield* new Failure({
      kind: error,
      exitCode,
      what,
      why,
      next,
      ...(candidates === undefined ? {} : { candidates })
    })
  }
  const { isJson } = yield* Output.current
  if (!isJson) yield* Output.note(...failures.flatMap(lines))
  return yield* new Failure({
    kind: "SomeFailed",
    exitCode,
    what: `${failures.length} of ${options.total} were not ${options.done}.`,
    why: `The first: ${first.why}`,
    next: first.next
  })
})
