/** Mastra's Memory on LibSQL: a row for each message. */
import { LibSQLStore } from "@mastra/libsql"
import type { Message as Stored } from "@mastra/memory"
import { Memory } from "@mastra/memory"
import * as NodeCrypto from "node:crypto"
import * as NodePath from "node:path"
import type { Message, Open } from "./peer.ts"
import { textOf } from "./peer.ts"

const resourceId = "agent"

export const open: Open = async (directory) => {
  const memory = new Memory({
    storage: new LibSQLStore({ id: "bench", url: `file:${NodePath.join(directory, "memory.db")}` }),
    options: { lastMessages: false, semanticRecall: false }
  })
  let time = Date.now()
  const encode = (threadId: string, message: Message): Stored => ({
    id: NodeCrypto.randomUUID(),
    threadId,
    resourceId,
    role: message.role === "user" ? "user" : "assistant",
    // They come back in the order of their times.
    createdAt: new Date(time++),
    content: { format: 2, parts: [{ type: "text", text: textOf(message) }] }
  })
  return {
    create: async (threadId, messages) => {
      await memory.createThread({ threadId, resourceId, title: "Fix the tests" })
      await memory.saveMessages({ messages: messages.map((message) => encode(threadId, message)) })
      return { append: (message) => memory.saveMessages({ messages: [encode(threadId, message)] }) }
    },
    load: async (threadId) => (await memory.recall({ threadId, resourceId, perPage: false })).messages.length,
    list: async () => (await memory.listThreads({ filter: { resourceId }, perPage: false })).threads.length
  }
}
