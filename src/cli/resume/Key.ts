/**
 * What somebody types: text, and keys that do something.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import type * as Terminal from "effect/Terminal"

/**
 * A key. Names are those of Node's readline, with what was held before them:
 * `up`, `ctrl-c`, `meta-b`, `shift-tab`. Enter is `return`, Ctrl-J is `enter`.
 *
 * @category models
 * @since 0.1.0
 */
export type Key =
  | { readonly _tag: "Text"; readonly text: string }
  | { readonly _tag: "Press"; readonly name: string }

/**
 * @category constructors
 * @since 0.1.0
 */
export const text = (text: string): Key => ({ _tag: "Text", text })

/**
 * @category constructors
 * @since 0.1.0
 */
export const press = (name: string): Key => ({ _tag: "Press", name })

/**
 * The key that a terminal told of. None for a sequence that nobody knows.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromInput = ({ input, key }: Terminal.UserInput): Option.Option<Key> => {
  const { ctrl, meta, name, shift } = key
  // An escape that nothing follows is told as one with meta.
  if (name === "escape") return Option.some(press("escape"))
  if (Option.isSome(input) && !ctrl && !meta && input.value !== "" && !/\p{Cc}/u.test(input.value)) {
    return Option.some(text(input.value))
  }
  if (name === "" || name === "undefined") return Option.none()
  return Option.some(press(`${ctrl ? "ctrl-" : ""}${meta ? "meta-" : ""}${shift ? "shift-" : ""}${name}`))
}
