/**
 * How commands print: for people, or as JSON for programs.
 *
 * @since 0.1.0
 */
import * as CliOutput from "effect/cli/CliOutput"
import * as Config from "effect/Config"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stdio from "effect/Stdio"
import * as Terminal from "effect/Terminal"
import * as Printable from "./Printable.ts"
import { root } from "./Root.ts"
import * as Style from "./Style.ts"

/** What a command may print, and where it goes. */
interface Output {
  /** Whether `--json` was given. */
  readonly isJson: boolean
  readonly isVerbose: boolean
  /** Whether standard output is a terminal. */
  readonly isTerminal: boolean
  /** Cells in a line: of the terminal, or `COLUMNS`, or without end where there is neither. */
  readonly columns: number
  readonly style: Style.Style
}

/**
 * A variable of the environment; empty where it is not set.
 *
 * @category getters
 * @since 0.1.0
 */
export const environment = (name: string): Effect.Effect<string> =>
  Effect.orElseSucceed(Effect.map(Config.option(Config.String(name)), Option.getOrElse(() => "")), () => "")

/**
 * How the current command prints.
 *
 * @category getters
 * @since 0.1.0
 */
export const current = Effect.gen(function*() {
  const { color, json, verbose } = yield* root
  const { stdoutIsTerminal } = yield* Stdio.Stdio
  const terminal = yield* Terminal.Terminal
  const isTerminal = yield* stdoutIsTerminal
  const isColored = color === "always" ||
    (color === "auto" && isTerminal && (yield* environment("NO_COLOR")) === "" &&
      (yield* environment("TERM")) !== "dumb")
  const asked = Number.parseInt(yield* environment("COLUMNS"), 10)
  const columns = isTerminal ? yield* terminal.columns : 0
  const output: Output = {
    isJson: json,
    isVerbose: verbose,
    isTerminal,
    columns: columns > 0 ? columns : asked > 0 ? asked : Number.POSITIVE_INFINITY,
    style: isColored ? Style.colored : Style.plain
  }
  return output
})

/**
 * Prints lines to standard output.
 *
 * **Gotchas**
 *
 * Text that was stored goes through `Printable` first.
 *
 * @category printing
 * @since 0.1.0
 */
export const print = (...lines: ReadonlyArray<string>): Effect.Effect<void> =>
  lines.length === 0 ? Effect.void : Console.log(lines.join("\n"))

/**
 * Prints lines to standard error, where they don't mix with what a program reads.
 *
 * @category printing
 * @since 0.1.0
 */
export const note = (...lines: ReadonlyArray<string>): Effect.Effect<void> =>
  lines.length === 0 ? Effect.void : Console.error(lines.join("\n"))

/**
 * One document of JSON, as its schema encodes it.
 *
 * @category printing
 * @since 0.1.0
 */
export const printJson = <S extends Schema.Codec<unknown, unknown>>(
  schema: S,
  value: S["Type"],
  options?: { readonly isOneLine?: boolean }
): Effect.Effect<void> =>
  Schema.encodeUnknownEffect(schema)(value).pipe(
    Effect.orDie,
    Effect.flatMap((encoded) =>
      print(Printable.json(JSON.stringify(encoded, undefined, options?.isOneLine === true ? 0 : 2)))
    )
  )

let segmenter: Intl.Segmenter | undefined

/**
 * What a person sees as one character each. The rules for that are loaded when
 * they are first needed: they cost more than a whole list.
 *
 * @category measuring
 * @since 0.1.0
 */
export const graphemes = (text: string): ReadonlyArray<string> => {
  if (isPlain(text)) return Array.from(text)
  segmenter ??= new Intl.Segmenter(undefined, { granularity: "grapheme" })
  return Array.from(segmenter.segment(text), ({ segment }) => segment)
}

/**
 * The cells that a printable text takes: wide characters two, combining ones none.
 *
 * @category measuring
 * @since 0.1.0
 */
export const width = (text: string): number => isPlain(text) ? text.length : CliOutput.displayWidth(text)

/** One cell a character, and nothing to look up. */
const isPlain = (text: string): boolean => !/[^ -~]/.test(text)

/**
 * Cuts a text to a number of cells, with an ellipsis where something is missing.
 *
 * @category measuring
 * @since 0.1.0
 */
export const truncate = (text: string, cells: number): string => {
  if (width(text) <= cells) return text
  let kept = ""
  let taken = 0
  for (const segment of graphemes(text)) {
    const size = width(segment)
    if (taken + size > cells - 1) break
    kept += segment
    taken += size
  }
  return cells < 1 ? "" : `${kept}…`
}

/**
 * Fills a text up to a number of cells, with spaces after it, or before it.
 *
 * @category measuring
 * @since 0.1.0
 */
export const pad = (text: string, cells: number, side: "start" | "end" = "end"): string => {
  const spaces = " ".repeat(Math.max(0, cells - width(text)))
  return side === "end" ? text + spaces : spaces + text
}
