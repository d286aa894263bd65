/**
 * What a line means that somebody types at the prompt, or pipes in.
 *
 * @since 0.1.0
 */

/**
 * @category models
 * @since 0.1.0
 */
export type Line =
  | { readonly _tag: "Say"; readonly text: string }
  | { readonly _tag: "AddTodo"; readonly content: string }
  | { readonly _tag: "FinishTodo"; readonly number: number }
  | { readonly _tag: "Todos" }
  | { readonly _tag: "Save" }
  | { readonly _tag: "Show" }
  | { readonly _tag: "Help" }
  | { readonly _tag: "Quit" }
  | { readonly _tag: "Nothing" }
  /** What is wrong with it, and what would be right. */
  | { readonly _tag: "Unknown"; readonly why: string; readonly next: string }

/**
 * The commands, and what each does.
 *
 * @category models
 * @since 0.1.0
 */
export const commands: ReadonlyArray<readonly [command: string, meaning: string]> = [
  ["/todo TEXT", "add to the to-do list; without TEXT show it"],
  ["/done N", "mark number N of it as done"],
  ["/save", "write a snapshot now"],
  ["/show", "show the whole conversation"],
  ["/help", "show this"],
  ["/quit", "save and leave, as Ctrl-D does"],
  ["//TEXT", "say TEXT with a slash before it"]
]

const names = ["/todo", "/done", "/save", "/show", "/help", "/quit"]

const nearest = (word: string): string | undefined =>
  names.find((name) => word.length > 1 && (name.startsWith(word) || word.startsWith(name)))

/** A command that takes nothing. */
const alone = (line: Line, name: string, rest: string): Line =>
  rest === "" ? line : { _tag: "Unknown", why: `${name} takes nothing after it.`, next: `Type ${name} alone.` }

/**
 * Reads a line. What does not begin with a slash is said as it is.
 *
 * @category parsing
 * @since 0.1.0
 */
export const parse = (typed: string): Line => {
  if (typed.trim() === "") return { _tag: "Nothing" }
  if (!typed.startsWith("/")) return { _tag: "Say", text: typed }
  if (typed.startsWith("//")) return { _tag: "Say", text: typed.slice(1) }
  const [, word = "", rest = ""] = /^(\S+)\s*([^]*?)\s*$/u.exec(typed) ?? []
  switch (word) {
    case "/todo":
      return rest === "" ? { _tag: "Todos" } : { _tag: "AddTodo", content: rest }
    case "/done":
      return /^[1-9]\d{0,5}$/.test(rest)
        ? { _tag: "FinishTodo", number: Number(rest) }
        : { _tag: "Unknown", why: "/done needs the number of a todo.", next: "Show the list with /todo, then: /done 1" }
    case "/save":
      return alone({ _tag: "Save" }, word, rest)
    case "/show":
      return alone({ _tag: "Show" }, word, rest)
    case "/help":
      return alone({ _tag: "Help" }, word, rest)
    case "/quit":
      return alone({ _tag: "Quit" }, word, rest)
    default: {
      const near = nearest(word)
      return {
        _tag: "Unknown",
        why: near === undefined ? "There is no such command." : `There is no such command. Did you mean ${near}?`,
        next: "See what there is with /help, or begin with // to say it as it is."
      }
    }
  }
}
