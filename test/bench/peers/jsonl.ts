/** A line of JSON for each message, appended to the session's file. */
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import type { Open } from "./peer.ts"

const parse: (line: string) => unknown = JSON.parse

/** The first line of a file, which has the first message. */
const firstLine = async (path: string): Promise<unknown> => {
  const file = await NodeFs.promises.open(path)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4096), 0, 4096, 0)
  await file.close()
  const text = buffer.toString("utf8", 0, bytesRead)
  const end = text.indexOf("\n")
  return end < 0 ? text : parse(text.slice(0, end))
}

/** With `sync` each line is on the disk before the append comes back. */
export const openWith = (options: { readonly sync: boolean }): Open => async (directory) => {
  const fileOf = (id: string) => NodePath.join(directory, `${id}.jsonl`)
  const line = (message: unknown) => `${JSON.stringify(message)}\n`
  return {
    create: async (id, messages) => {
      await NodeFs.promises.writeFile(fileOf(id), messages.map(line).join(""))
      return {
        append: async (message) => {
          const file = await NodeFs.promises.open(fileOf(id), "a")
          await file.appendFile(line(message))
          if (options.sync) await file.sync()
          await file.close()
        }
      }
    },
    load: async (id) => {
      const text = await NodeFs.promises.readFile(fileOf(id), "utf8")
      return text.trimEnd().split("\n").map(parse).length
    },
    list: async () => {
      const names = await NodeFs.promises.readdir(directory)
      const sessions = await Promise.all(names.map((name) => firstLine(NodePath.join(directory, name))))
      return sessions.length
    }
  }
}
