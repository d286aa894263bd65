/**
 * Asking before much is done at once.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import { ExitCode } from "./ExitCode.ts"
import { Failure } from "./Failure.ts"
import * as Output from "./Output.ts"

/**
 * Succeeds once it is confirmed: by `--yes`, or by a person at a terminal. Fails
 * where nobody can be asked.
 *
 * @category asking
 * @since 0.1.0
 */
export const confirm = Effect.fnUntraced(function*(options: {
  readonly isGiven: boolean
  readonly message: string
  readonly command: string
}) {
  if (options.isGiven) return
  const { isJson } = yield* Output.current
  const stdio = yield* Stdio.Stdio
  const isTerminal = (yield* stdio.stdinIsTerminal) && (yield* stdio.stdoutIsTerminal)
  const failure = (why: string) =>
    new Failure({
      kind: "NotConfirmed",
      exitCode: ExitCode.usage,
      what: "Nothing was done.",
      why,
      next: `Confirm it: ${options.command} --yes`
    })
  if (isJson || !isTerminal) return yield* failure("It has to be confirmed, and there is no terminal to ask at.")
  const Prompt = yield* Effect.promise(() => import("effect/cli/Prompt"))
  const isConfirmed = yield* Prompt.run(Prompt.Confirm({ message: options.message, initial: false }))
  if (!isConfirmed) return yield* failure("It was not confirmed.")
})
