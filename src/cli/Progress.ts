/**
 * How far long work has come: one line on a terminal that is written anew, and
 * nothing elsewhere, where each result is a line.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as Output from "./Output.ts"
import * as Printable from "./Printable.ts"
import { root } from "./Root.ts"
import * as Words from "./Words.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Progress {
  /** One more is done, of `total` where that was not known before; `name` is what is worked on. */
  readonly step: (name: string, total?: number) => Effect.Effect<void>
  /** Prints lines to standard output, above the progress. */
  readonly print: (...lines: ReadonlyArray<string>) => Effect.Effect<void>
  /** Whether the progress is seen. Results that went well need no line then. */
  readonly isShown: boolean
}

/** Milliseconds between two drawings. */
const interval = 80

const clear = "\r\u001b[K"

/**
 * The line: how many of how many, how fast, how long it will take.
 *
 * @category rendering
 * @since 0.1.0
 */
export const line = (options: {
  readonly label: string
  readonly done: number
  readonly total: number
  readonly millis: number
  readonly name: string
  readonly cells: number
}): string => {
  const { cells, done, label, millis, name, total } = options
  const rate = millis > 0 ? done / millis : 0
  const facts = [
    `${label} ${done}/${total}`,
    ...(rate > 0 && done > 0
      ? [`${(rate * 1000).toFixed(rate < 0.01 ? 1 : 0)}/s`, `${Words.span((total - done) / rate)} left`]
      : []),
    Printable.line(name)
  ]
  return Output.truncate(facts.join("  "), cells)
}

/**
 * Shows the progress of an effect over `total` things, or over as many as its
 * steps tell.
 *
 * @category running
 * @since 0.1.0
 */
export const track = <A, E, R>(
  label: string,
  total: number | undefined,
  use: (progress: Progress) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const { json } = yield* root
    const stdio = yield* Stdio.Stdio
    const terminal = yield* Terminal.Terminal
    if (json || (total ?? 2) < 2 || !(yield* stdio.stderrIsTerminal)) {
      return yield* use({ step: () => Effect.void, print: Output.print, isShown: false })
    }
    const write = (text: string) => Effect.ignore(Stream.run(Stream.make(text), stdio.stderr({ endOnDone: false })))
    const begun = yield* Clock.currentTimeMillis
    let done = 0
    let drawn = 0
    const step = Effect.fnUntraced(function*(name: string, of: number = total ?? 0) {
      done += 1
      const now = yield* Clock.currentTimeMillis
      if (now - drawn < interval) return
      drawn = now
      const cells = (yield* terminal.columns) - 1
      yield* write(clear + line({ label, done, total: of, millis: now - begun, name, cells }))
    })
    const print = (...lines: ReadonlyArray<string>) => Effect.andThen(write(clear), Output.print(...lines))
    return yield* Effect.ensuring(use({ step, print, isShown: true }), write(clear))
  })
