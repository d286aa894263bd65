/** The operations that a process is killed in, and the situation of the one session before and after each. */

export type Situation = "nothing" | "closed" | "interrupted" | "removed"

export const situations = {
  key: { before: "nothing", after: "nothing" },
  create: { before: "nothing", after: "interrupted" },
  append: { before: "interrupted", after: "interrupted" },
  large: { before: "interrupted", after: "interrupted" },
  checkpoint: { before: "interrupted", after: "interrupted" },
  close: { before: "interrupted", after: "closed" },
  resume: { before: "closed", after: "closed" },
  revive: { before: "closed", after: "interrupted" },
  recover: { before: "interrupted", after: "interrupted" },
  remove: { before: "closed", after: "removed" },
  restore: { before: "removed", after: "closed" },
  cleanup: { before: "closed", after: "removed" },
  purge: { before: "removed", after: "nothing" },
  list: { before: "nothing", after: "nothing" }
} satisfies Record<string, { readonly before: Situation; readonly after: Situation }>

export type Operation = keyof typeof situations

export const isOperation = (name: string): name is Operation => name in situations

export const operations: ReadonlyArray<Operation> = Object.keys(situations).filter(isOperation)
