/**
 * Events that are known by a number: what each one says is made from its mark,
 * so that whoever reads a state can tell which events are in it, and that every
 * one of them is there in full.
 */
import type { Session } from "../../../src/index.ts"

/** The mark of what a new session begins with. */
export const initial = 0

/** The mark of what nobody can have said. */
export const strange = -1

export type Kind = "message" | "prompt" | "todos" | "name"

/** Most texts are short; some are longer than a block of the disk. */
const filler = (mark: number): string => "x".repeat(mark % 11 === 0 ? 9000 : mark * 31 % 200)

const message = (mark: number): string => `m${mark} ${filler(mark)}`
const prompt = (mark: number): string => `p${mark} ${filler(mark)}`
const todo = (mark: number): string => `t${mark}`

export const text = { message, prompt, name: (mark: number): string => `n${mark}` }

export const todos = (mark: number): ReadonlyArray<Session.Todo> => [
  { content: todo(mark), status: "pending", activeForm: filler(mark) }
]

const markOf = (found: string, said: (mark: number) => string): number => {
  const mark = Number(/^[a-z](\d+)/.exec(found)?.[1] ?? strange)
  return mark !== strange && said(mark) === found ? mark : strange
}

/** The marks of everything in a state. */
export interface Sight {
  readonly message: ReadonlyArray<number>
  readonly prompt: ReadonlyArray<number>
  readonly todos: number
  readonly name: number
}

const todosOf = (found: ReadonlyArray<Session.Todo>): number => {
  const [first] = found
  if (first === undefined) return initial
  const mark = markOf(first.content, todo)
  return found.length === 1 && first.activeForm === filler(mark) ? mark : strange
}

export const sightOf = ({ conversation, promptHistory, session, todos }: Session.SessionState): Sight => ({
  message: conversation.map(({ content }) => typeof content === "string" ? markOf(content, text.message) : strange),
  prompt: promptHistory.map((found) => markOf(found, text.prompt)),
  todos: todosOf(todos),
  name: markOf(session.name, text.name)
})
