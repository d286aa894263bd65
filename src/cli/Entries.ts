/**
 * Listed entries, as programs read them.
 *
 * @since 0.1.0
 */
import type * as SessionList from "../core/SessionList.ts"
import type * as CliJson from "./CliJson.ts"
import * as Explain from "./Explain.ts"
import * as Printable from "./Printable.ts"

/**
 * Whether an entry is one that can't be read.
 *
 * @category guards
 * @since 0.1.0
 */
export const isUnreadable = (entry: typeof CliJson.Entry.Type): entry is typeof CliJson.Unreadable.Type =>
  entry.state === "broken" || entry.state === "foreign"

/**
 * An entry as `--json` prints it.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toJson = (entry: SessionList.Entry, directory: string): typeof CliJson.Entry.Type => {
  switch (entry._tag) {
    case "Stored": {
      const { bytes, createdAt, holder, id, messages, name, projectPath, status, todosDone, todosOpen, updatedAt } =
        entry
      return {
        id,
        name,
        state: status,
        project: projectPath,
        messages,
        todosDone,
        todosTotal: todosDone + todosOpen,
        bytes,
        createdAt,
        updatedAt,
        ...(entry.closedAt === undefined ? {} : { closedAt: entry.closedAt }),
        ...(entry.removedAt === undefined ? {} : { removedAt: entry.removedAt }),
        ...(holder === undefined ? {} : { holder: { host: holder.host, pid: holder.pid } }),
        ...(entry.parent === undefined ? {} : { parent: entry.parent })
      }
    }
    case "Broken": {
      const { error, next, why } = Explain.explain(entry.error)
      return {
        id: entry.id,
        name: entry.name,
        state: "broken",
        ...(entry.removedAt === undefined ? {} : { removedAt: entry.removedAt }),
        error,
        why,
        next
      }
    }
    case "Foreign":
      return {
        id: null,
        name: entry.name,
        state: "foreign",
        error: Explain.explain(entry.error).error,
        why: "It is a file of another format, and files are only read when they are imported.",
        next: `reprise import ${Printable.line(`${directory}/${entry.name}`)}`
      }
  }
}
