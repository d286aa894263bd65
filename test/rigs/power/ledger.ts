/**
 * What was promised for each session at one moment: where it may be, and what it
 * may say. A reducer of its own, so that the library is not its own witness.
 */
import type { Session, SessionId } from "../../../src/index.ts"

/** What a session says, apart from times and ids. */
export interface Picture {
  readonly revision: number
  readonly name: string
  readonly project: string
  readonly model: string
  readonly conversation: ReadonlyArray<string>
  readonly todos: ReadonlyArray<string>
  readonly prompts: ReadonlyArray<string>
}

/** What happens to a session. */
export type Event =
  | { readonly _tag: "Said"; readonly text: string }
  | { readonly _tag: "Todos"; readonly todos: ReadonlyArray<string> }
  | { readonly _tag: "Prompt"; readonly prompt: string }
  | { readonly _tag: "Renamed"; readonly name: string }
  | { readonly _tag: "Configured"; readonly model: string }
  | { readonly _tag: "Moved"; readonly project: string }

/** Events that are on their way, in their order. */
export interface Attempt {
  events: ReadonlyArray<Event>
}

export type Place = "absent" | "stored" | "trash"

export interface Expected {
  /** Its name begins with it, always. */
  readonly label: string
  /** Not known before a create succeeded. */
  readonly id: SessionId.SessionId | undefined
  readonly places: ReadonlyArray<Place>
  /** What it may say, but for the attempt. */
  readonly pictures: ReadonlyArray<Picture>
  readonly attempt: Attempt | undefined
  /** How many events of the attempt were acknowledged. */
  readonly acknowledged: number
  /** A close was acknowledged, and nothing began since. */
  readonly isClosed: boolean
}

/** By label. */
export type Ledger = ReadonlyMap<string, Expected>

/** What a new session says. */
export const blank = (name: string, project: string, model: string): Picture => ({
  revision: 0,
  name,
  project,
  model,
  conversation: [],
  todos: [],
  prompts: []
})

export const pictureOf = (state: Session.SessionState): Picture => ({
  revision: state.revision,
  name: state.session.name,
  project: state.session.projectPath,
  model: state.session.config.model,
  conversation: state.conversation.map(({ content }) =>
    typeof content === "string" ? content : JSON.stringify(content)
  ),
  todos: state.todos.map(({ content }) => content),
  prompts: state.promptHistory
})

export const after = (picture: Picture, event: Event): Picture => {
  const next = { ...picture, revision: picture.revision + 1 }
  switch (event._tag) {
    case "Said":
      return { ...next, conversation: [...picture.conversation, event.text] }
    case "Todos":
      return { ...next, todos: event.todos }
    case "Prompt":
      return { ...next, prompts: [...picture.prompts, event.prompt] }
    case "Renamed":
      return { ...next, name: event.name }
    case "Configured":
      return { ...next, model: event.model }
    case "Moved":
      return { ...next, project: event.project }
  }
}

/** Everything it may say: the acknowledged events, and any first part of those on their way. */
export const allowed = ({ acknowledged, attempt, pictures }: Expected): ReadonlyArray<Picture> =>
  pictures.flatMap((picture) => {
    const events = attempt?.events ?? []
    const found = [picture]
    for (const event of events) found.push(after(found.at(-1) ?? picture, event))
    return found.slice(acknowledged)
  })

const keys: ReadonlyArray<keyof Picture> = ["revision", "name", "project", "model", "conversation", "todos", "prompts"]

export const isSame = (self: Picture, that: Picture): boolean =>
  keys.every((key) => JSON.stringify(self[key]) === JSON.stringify(that[key]))

export const allows = (expected: Expected, picture: Picture): boolean =>
  allowed(expected).some((one) => isSame(one, picture))

/** A picture in a few words. */
export const format = ({ conversation, name, project, prompts, revision, todos }: Picture): string =>
  `${name} in ${project} at revision ${revision}: ${
    [...conversation, ...todos, ...prompts].map((text) => text.slice(0, 12)).join(", ")
  }`

/** An operation begins: it may take the session to another place, and nothing says that it is closed. */
export const begin = (expected: Expected, ...places: ReadonlyArray<Place>): Expected => ({
  ...expected,
  places: [...new Set([...expected.places, ...places])],
  isClosed: false
})

/** Events set off; what was on its way before may be there or not. */
export const attempting = (expected: Expected, attempt: Attempt): Expected => ({
  ...begin(expected),
  pictures: allowed(expected),
  attempt,
  acknowledged: 0
})

/** From here on it is certain what the session says. */
export const settled = (expected: Expected, ...pictures: ReadonlyArray<Picture>): Expected => ({
  ...expected,
  pictures,
  attempt: undefined,
  acknowledged: 0
})
