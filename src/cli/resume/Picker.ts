/**
 * Picking a session: pure, a key at a time.
 *
 * @since 0.1.0
 */
import type { SessionState } from "../../core/Session.ts"
import type { SessionId } from "../../core/SessionId.ts"
import type * as Explain from "../Explain.ts"
import type { Target } from "../Target.ts"
import * as Editor from "./Editor.ts"
import type { Key } from "./Key.ts"
import type { Input, Step } from "./Loop.ts"

/**
 * The end of a session as it was loaded, or why it can't be.
 *
 * @category models
 * @since 0.1.0
 */
export type Preview =
  | { readonly _tag: "Loaded"; readonly state: SessionState }
  | { readonly _tag: "Failed"; readonly explained: Explain.Explained }

/**
 * @category models
 * @since 0.1.0
 */
export interface Picker {
  /** Newest first; what can't be read at the end. */
  readonly entries: ReadonlyArray<Target>
  readonly project: string
  /** Shows the sessions of all projects. */
  readonly isAll: boolean
  readonly canTakeOver: boolean
  readonly query: Editor.Editor
  /** The place of the chosen one among those that are shown. */
  readonly chosen: number
  readonly previews: ReadonlyMap<SessionId, Preview>
  /** Why a key did nothing. */
  readonly notice: string
}

/**
 * @category models
 * @since 0.1.0
 */
export type Event = { readonly _tag: "Previewed"; readonly id: SessionId; readonly preview: Preview }

/**
 * The preview of which session is wanted.
 *
 * @category models
 * @since 0.1.0
 */
export type Action = SessionId

/**
 * @category models
 * @since 0.1.0
 */
export type Result =
  | { readonly _tag: "Picked"; readonly entry: Target }
  | { readonly _tag: "Left" }
  | { readonly _tag: "Interrupted" }

const maxPreviews = 64

const isOf = (project: string) => (entry: Target) => entry._tag === "Broken" || entry.projectPath === project

/**
 * Shows this project's sessions, and those of all projects where it has none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Pick<Picker, "canTakeOver" | "entries" | "project">): Picker => ({
  ...options,
  isAll: !options.entries.some((entry) => entry._tag === "Stored" && entry.projectPath === options.project),
  query: Editor.make(),
  chosen: 0,
  previews: new Map(),
  notice: ""
})

const textOf = (entry: Target): string =>
  (entry._tag === "Stored"
    ? `${entry.name}\n${entry.projectPath}\n${entry.id}\n${entry.status}`
    : `${entry.name}\n${entry.id}\nbroken`).toLowerCase()

/**
 * What there is to pick from: every word that was typed occurs in the name, the
 * project's path, the id or the state.
 *
 * @category getters
 * @since 0.1.0
 */
export const shown = ({ entries, isAll, project, query }: Picker): ReadonlyArray<Target> => {
  const words = query.text.toLowerCase().split(/\s+/).filter((word) => word !== "")
  return entries.filter((entry) =>
    (isAll || isOf(project)(entry)) && words.every((word) => textOf(entry).includes(word))
  )
}

/**
 * How many there are before anything is searched for.
 *
 * @category getters
 * @since 0.1.0
 */
export const total = ({ entries, isAll, project }: Picker): number =>
  isAll ? entries.length : entries.filter(isOf(project)).length

const chosenOf = (self: Picker): Target | undefined => shown(self)[self.chosen]

/** Asks for the preview of the chosen one, unless it is there or that can't be. */
const step = (state: Picker): Step<Picker, Action, Result> => {
  const chosen = chosenOf(state)
  const isWanted = chosen?._tag === "Stored" && !state.previews.has(chosen.id)
  return isWanted ? { state, actions: [chosen.id] } : { state }
}

/**
 * @category constructors
 * @since 0.1.0
 */
export const first = (state: Picker): Step<Picker, Action, never> => {
  const { actions = [] } = step(state)
  return { state, actions }
}

const choose = (self: Picker, chosen: number): Step<Picker, Action, Result> =>
  step({ ...self, notice: "", chosen: Math.max(0, Math.min(chosen, shown(self).length - 1)) })

const search = (self: Picker, edited: Editor.Editor): Step<Picker, Action, Result> => {
  // A query has one line, whatever was pasted.
  const query = { ...edited, text: edited.text.replaceAll("\n", " ") }
  return query.text === self.query.text ? { state: { ...self, query } } : choose({ ...self, query }, 0)
}

const pick = (self: Picker): Step<Picker, Action, Result> => {
  const entry = chosenOf(self)
  if (entry === undefined) return { state: self }
  if (entry._tag === "Broken") {
    return { state: { ...self, notice: "It can't be read, so it can't be resumed: see what to do about it there." } }
  }
  if (!self.canTakeOver && (entry.status === "running" || entry.status === "elsewhere")) {
    const where = entry.holder === undefined ? "another process" : `process ${entry.holder.pid} on ${entry.holder.host}`
    return {
      state: { ...self, notice: `It runs in ${where}. Leave it there, or take it: reprise resume --take-over` }
    }
  }
  return { state: self, result: { _tag: "Picked", entry } }
}

const press = (self: Picker, key: Key): Step<Picker, Action, Result> => {
  if (self.query.isPasting || key._tag === "Text") return search(self, Editor.press(self.query, key))
  switch (key.name) {
    case "return":
    case "enter":
      return pick(self)
    case "up":
    case "ctrl-p":
      return choose(self, self.chosen - 1)
    case "down":
    case "ctrl-n":
      return choose(self, self.chosen + 1)
    case "pageup":
      return choose(self, self.chosen - 10)
    case "pagedown":
      return choose(self, self.chosen + 10)
    case "tab":
      return choose({ ...self, isAll: !self.isAll }, 0)
    case "escape":
      return self.query.text === "" ? { state: self, result: { _tag: "Left" } } : search(self, Editor.make())
    case "ctrl-d":
      return self.query.text === ""
        ? { state: self, result: { _tag: "Left" } }
        : search(self, Editor.press(self.query, key))
    case "ctrl-c":
      return { state: self, result: { _tag: "Interrupted" } }
    default:
      return search(self, Editor.press(self.query, key))
  }
}

const remember = (self: Picker, { id, preview }: Event): Picker => {
  const previews = new Map([...self.previews].slice(1 - maxPreviews))
  return { ...self, previews: previews.set(id, preview) }
}

/**
 * @category reducing
 * @since 0.1.0
 */
export const update = (self: Picker, event: Event | Input): Step<Picker, Action, Result> => {
  switch (event._tag) {
    case "Typed":
      return press(self, event.key)
    case "HungUp":
      return { state: self, result: { _tag: "Interrupted" } }
    case "Previewed":
      return { state: remember(self, event) }
  }
}
