/** Gemini CLI's recorder: two lines of JSON for each message. */
import {
  ChatRecordingService,
  loadConversationRecord
} from "@google/gemini-cli-core/dist/src/services/chatRecordingService.js"
import * as NodeFs from "node:fs"
import * as NodePath from "node:path"
import type { Message, Open } from "./peer.ts"
import { textOf } from "./peer.ts"

export const open: Open = async (directory) => {
  const files = new Map<string, string>()
  const config = { getProjectRoot: () => "/project", storage: { getProjectTempDir: () => directory } }
  const add = (service: ChatRecordingService, message: Message) =>
    service.recordMessage({
      model: "gemini",
      type: message.role === "user" ? "user" : "gemini",
      content: [{ text: textOf(message) }]
    })
  return {
    create: async (id, messages) => {
      const service = new ChatRecordingService({ promptId: id, config })
      await service.initialize()
      for (const message of messages) add(service, message)
      files.set(id, service.getConversationFilePath() ?? "")
      return { append: async (message) => add(service, message) }
    },
    load: async (id) => (await loadConversationRecord(files.get(id) ?? ""))?.messages.length ?? 0,
    // What its picker does for each file that there is.
    list: async () => {
      const chats = NodePath.join(directory, "chats")
      const names = await NodeFs.promises.readdir(chats)
      const found = await Promise.all(
        names.map((name) => loadConversationRecord(NodePath.join(chats, name), { metadataOnly: true }))
      )
      return found.filter((session) => session !== null).length
    }
  }
}
