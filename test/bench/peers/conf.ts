/** conf: the whole session as one JSON file, checked by a schema, written again with each message. */
import Conf from "conf"
import type { Message, Open } from "./peer.ts"
import { listWith } from "./whole-files.ts"

const schema = {
  messages: {
    type: "array",
    items: { type: "object", required: ["role", "content"], properties: { role: { type: "string" } } }
  }
}

export const open: Open = async (directory) => {
  const store = (id: string) =>
    new Conf<{ messages: ReadonlyArray<Message> }>({ cwd: directory, configName: id, schema })
  const load = async (id: string) => store(id).get("messages").length
  return {
    create: async (id, messages) => {
      const conf = store(id)
      conf.set("messages", messages)
      return { append: async (message) => conf.appendToArray("messages", message) }
    },
    load,
    list: () => listWith(directory, load)
  }
}
