/** A conversation and its to-do list as people read them. */
import type { Session } from "effect-reprise"

const marks = { pending: "[ ]", in_progress: "[~]", completed: "[x]" } as const

const partText = (part: Session.Part): string => {
  switch (part.type) {
    case "text":
    case "reasoning":
      return part.text
    case "tool-call":
      return `${part.name}(${JSON.stringify(part.params)})`
    case "tool-result":
      return `${part.name} ${part.isFailure ? "failed" : "returned"}: ${JSON.stringify(part.result)}`
    default:
      return `(${part.type})`
  }
}

export const line = ({ content, role }: Pick<Session.Message, "content" | "role">): string =>
  `${role.padEnd(9)} ${typeof content === "string" ? content : content.map(partText).join("  ")}`

export const todoLine = (todo: Session.Todo): string => `${marks[todo.status]} ${todo.content}`
