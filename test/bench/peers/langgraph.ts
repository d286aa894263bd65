/** LangGraph's SqliteSaver: a row with the whole state for each step. */
import { AIMessage, type BaseMessage, HumanMessage } from "@langchain/core/messages"
import { emptyCheckpoint, uuid6 } from "@langchain/langgraph-checkpoint"
import { type Config, SqliteSaver } from "@langchain/langgraph-checkpoint-sqlite"
import * as NodeCrypto from "node:crypto"
import * as NodePath from "node:path"
import type { Message, Open } from "./peer.ts"
import { textOf } from "./peer.ts"

const encode = (message: Message): BaseMessage => {
  const fields = { id: NodeCrypto.randomUUID(), content: textOf(message) }
  return message.role === "user" ? new HumanMessage(fields) : new AIMessage(fields)
}

export const open: Open = async (directory) => {
  const saver = SqliteSaver.fromConnString(NodePath.join(directory, "checkpoints.db"))
  return {
    create: async (id, messages) => {
      let state = messages.map(encode)
      let step = 0
      let config: Config = { configurable: { thread_id: id, checkpoint_ns: "" } }
      const put = async () => {
        const checkpoint = { ...emptyCheckpoint(), id: uuid6(step), channel_values: { messages: state } }
        config = await saver.put(config, checkpoint, { source: "loop", step: step++, parents: {} })
      }
      await put()
      return {
        append: (message) => {
          state = [...state, encode(message)]
          return put()
        }
      }
    },
    load: async (id) => {
      const found = await saver.getTuple({ configurable: { thread_id: id } })
      return found?.checkpoint.channel_values.messages?.length ?? 0
    },
    list: async () => {
      let threads = 0
      for await (const _ of saver.list({})) threads++
      return threads
    }
  }
}
