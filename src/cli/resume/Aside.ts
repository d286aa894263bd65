/**
 * What others print while the prompt has the terminal: an agent, a log. It must
 * not run into what is drawn.
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as NodeConsole from "node:console"
import * as NodeStream from "node:stream"
import * as Printable from "../Printable.ts"

/**
 * A console whose lines go where somebody wants them, and else to the console
 * that there was before.
 *
 * @category models
 * @since 0.1.0
 */
export interface Aside {
  readonly console: Console.Console
  /** Sends lines elsewhere while an effect runs. */
  readonly to: (
    sink: (lines: ReadonlyArray<string>) => void
  ) => <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<Aside> = Console.consoleWith((outer) =>
  Effect.sync(() => {
    let current: ((lines: ReadonlyArray<string>) => void) | undefined = undefined
    const stream = (otherwise: (text: string) => void) =>
      new NodeStream.Writable({
        decodeStrings: false,
        write: (text: unknown, _encoding, done) => {
          const said = String(text).replace(/\n$/, "")
          if (current === undefined) otherwise(said)
          else current(Printable.lines(said))
          done()
        }
      })
    const console = new NodeConsole.Console({
      stdout: stream((text) => outer.log(text)),
      stderr: stream((text) => outer.error(text)),
      colorMode: false
    })
    return {
      console,
      to: (sink) => (effect) =>
        Effect.acquireUseRelease(
          Effect.sync(() => void (current = sink)),
          () => effect,
          () => Effect.sync(() => void (current = undefined))
        )
    }
  })
)
