/**
 * Lines that are piped in.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ExitCode } from "../ExitCode.ts"
import { Failure } from "../Failure.ts"

const unreadable = (number: number, why: string, next: string) =>
  new Failure({
    kind: "InputUnreadable",
    exitCode: ExitCode.failed,
    what: `Line ${number} of the input was not taken.`,
    why,
    next: `${next} The lines before it are saved.`
  })

/**
 * The lines of a stream of bytes, the last one also where it has no end.
 *
 * **Details**
 *
 * Bytes that are no UTF-8 fail, and so does a line of more than `maxBytes`,
 * which no session could hold: nothing is changed in silence, and nothing is
 * collected without end.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromBytes = <E, R>(
  bytes: Stream.Stream<Uint8Array, E, R>,
  maxBytes: number
): Stream.Stream<string, E | Failure, R> =>
  Stream.suspend(() => {
    const decoder = new TextDecoder("utf-8", { fatal: true })
    let number = 1
    let rest = ""
    const take = (piece: Uint8Array | undefined) =>
      Effect.try({
        try: () => piece === undefined ? decoder.decode() : decoder.decode(piece, { stream: true }),
        catch: () => unreadable(number, "It is not UTF-8 text.", "Convert it, with iconv for example.")
      }).pipe(
        Effect.map((text) => {
          const lines = (rest + text).split("\n").map((line) => line.endsWith("\r") ? line.slice(0, -1) : line)
          rest = text.endsWith("\r") ? `${lines.pop() ?? ""}\r` : lines.pop() ?? ""
          number += lines.length
          return piece === undefined && rest !== "" ? [...lines, rest] : lines
        }),
        Effect.filterOrFail(
          () => rest.length <= maxBytes,
          () => unreadable(number, `It is longer than a session may be, ${maxBytes} bytes.`, "Make it shorter.")
        )
      )
    return Stream.concat(bytes, Stream.make(undefined)).pipe(
      Stream.mapEffect(take),
      Stream.flatMap((lines) => Stream.fromIterable(lines))
    )
  })
