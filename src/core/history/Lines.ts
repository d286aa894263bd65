/**
 * Takes bytes apart into lines while they arrive, in the memory of one line.
 *
 * @since 0.1.0
 */
import * as Text from "../Text.ts"

/**
 * @category models
 * @since 0.1.0
 */
export interface Splitter {
  /** Takes the next bytes. */
  readonly push: (bytes: Uint8Array) => void
  /** No more bytes come: what is left is the last line. */
  readonly end: () => void
}

const newline = 0x0a

/**
 * Gives each line to `emit`, without its end, or `undefined` for one of more than
 * `maxBytes`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: {
  readonly maxBytes: number
  readonly emit: (line: Uint8Array | undefined) => void
}): Splitter => {
  let pieces: Array<Uint8Array> = []
  let length = 0

  const take = (bytes: Uint8Array) => {
    length += bytes.length
    if (length <= options.maxBytes) pieces.push(bytes)
    else pieces = []
  }

  const end = () => {
    const [first, ...rest] = pieces
    const line = length > options.maxBytes
      ? undefined
      : first === undefined
      ? new Uint8Array(0)
      : rest.length === 0
      ? first
      : Text.concat(pieces)
    pieces = []
    length = 0
    options.emit(line)
  }

  return {
    push: (bytes) => {
      let from = 0
      for (let at = bytes.indexOf(newline); at >= 0; at = bytes.indexOf(newline, from)) {
        take(bytes.subarray(from, at))
        end()
        from = at + 1
      }
      // The rest is kept beyond this call, in which the bytes may be used again.
      if (from < bytes.length) take(bytes.slice(from))
    },
    end: () => {
      if (length > 0) end()
    }
  }
}
