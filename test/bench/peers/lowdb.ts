/** lowdb: the whole session as one JSON file, written again with each message. */
import { JSONFilePreset } from "lowdb/node"
import * as NodePath from "node:path"
import type { Message, Open } from "./peer.ts"
import { listWith } from "./whole-files.ts"

interface Data {
  readonly messages: Array<Message>
}

export const open: Open = async (directory) => {
  const database = (id: string) => JSONFilePreset<Data>(NodePath.join(directory, `${id}.json`), { messages: [] })
  const load = async (id: string) => (await database(id)).data.messages.length
  return {
    create: async (id, messages) => {
      const db = await database(id)
      await db.update(({ messages: stored }) => stored.push(...messages))
      return { append: (message) => db.update(({ messages }) => messages.push(message)) }
    },
    load,
    list: () => listWith(directory, load)
  }
}
