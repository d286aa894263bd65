/** Keys as tests write them: text, and names in angle brackets. */
import { Option, type Terminal } from "effect"
import * as Key from "../../../src/cli/resume/Key.ts"

/** `ab<left>` is an a, a b and the left arrow. */
export const keys = (typed: string): ReadonlyArray<Key.Key> =>
  (typed.match(/<[^<>]+>|[^]/gu) ?? []).map((piece) =>
    /^<.+>$/u.test(piece) ? Key.press(piece.slice(1, -1)) : Key.text(piece)
  )

/** The same as a terminal tells it. */
export const inputs = (typed: string): ReadonlyArray<Terminal.UserInput> =>
  keys(typed).map((key) => {
    if (key._tag === "Text") return input({ input: key.text })
    const [, ctrl, meta, shift, name = ""] = /^(ctrl-)?(meta-)?(shift-)?(.+)$/.exec(key.name) ?? []
    return input({ name, ctrl: ctrl !== undefined, meta: meta !== undefined, shift: shift !== undefined })
  })

export const input = (
  { ctrl = false, input, meta = false, name = "", shift = false }: {
    readonly input?: string
    readonly name?: string
    readonly ctrl?: boolean
    readonly meta?: boolean
    readonly shift?: boolean
  }
): Terminal.UserInput => ({ input: Option.fromUndefinedOr(input), key: { name, ctrl, meta, shift } })
