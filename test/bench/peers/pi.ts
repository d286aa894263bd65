/** pi's SessionManager: a line of JSON for each message, in a tree. */
import { SessionManager } from "@mariozechner/pi-coding-agent"
import type { Message, Open } from "./peer.ts"
import { textOf } from "./peer.ts"

const cwd = "/project"

export const open: Open = async (directory) => {
  const files = new Map<string, string>()
  const add = (manager: SessionManager, message: Message) =>
    manager.appendMessage({
      role: message.role === "user" ? "user" : "assistant",
      content: [{ type: "text", text: textOf(message) }],
      timestamp: Date.now()
    })
  return {
    create: async (id, messages) => {
      const manager = SessionManager.create(cwd, directory)
      for (const message of messages) add(manager, message)
      files.set(id, manager.getSessionFile() ?? "")
      return { append: async (message) => add(manager, message) }
    },
    load: async (id) => SessionManager.open(files.get(id) ?? "").buildSessionContext().messages.length,
    list: async () => (await SessionManager.list(cwd, directory)).length
  }
}
