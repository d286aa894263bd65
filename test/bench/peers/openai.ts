/** OpenAI Agents' MemorySession: nothing is stored, for comparison. */
import { MemorySession } from "@openai/agents"
import type { Message, Open } from "./peer.ts"
import { textOf } from "./peer.ts"

const encode = (message: Message) =>
  message.role === "user"
    ? { role: "user" as const, content: textOf(message) }
    : { role: "assistant" as const, content: [{ type: "output_text", text: textOf(message) }] }

export const open: Open = async () => {
  const sessions = new Map<string, MemorySession>()
  return {
    create: async (id, messages) => {
      const session = new MemorySession({ sessionId: id })
      await session.addItems(messages.map(encode))
      sessions.set(id, session)
      return { append: (message) => session.addItems([encode(message)]) }
    },
    load: async (id) => (await sessions.get(id)?.getItems())?.length ?? 0,
    list: async () => sessions.size
  }
}
